"""Examples from the contract: what a session amounts to."""

from __future__ import annotations

import pytest
from oracle import UTM, Event, OracleRules, oracle
from oracle_events import event, only_row
from strategies import ALL_ROLES
from timelines import BASE_US, MINUTE_US

COLUMNS = [
    "session_id",
    "source_id",
    "profile_id",
    "start",
    "end",
    "duration_s",
    "status",
    "events",
    "page_views",
    "unique_pages",
    "entry_page",
    "exit_page",
    "entry_event",
    "exit_event",
    "bounced",
    "engaged",
    "conversions",
    "converted",
    "first_conversion_s",
    "value",
    "max_gap_s",
    "active_s",
    "end_reason",
    "referrer",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "bot",
]


def test_columns_are_those_of_the_contract() -> None:
    assert list(only_row(event(0))) == COLUMNS


def test_a_whole_visit() -> None:
    row = only_row(
        event(0, event_type="session-start", page="/ad", referrer=" ", utm_term="t"),
        event(1, event_type="Page View", page="/", profile_id="u", utm_source="s", channel="web"),
        event(2, event_type="page_view", page="/b", referrer="r", channel="app"),
        event(12, event_type="Order Completed", page="/b", value=10.5),
        event(12, event_type="purchase", page="/thanks", value=None),
    )
    assert row == {
        "session_id": f"a.{BASE_US}",
        "source_id": "a",
        "profile_id": "u",
        "start": BASE_US,
        "end": BASE_US + 12 * MINUTE_US,
        "duration_s": 720.0,
        "status": "active",
        "events": 5,
        "page_views": 2,
        "unique_pages": 4,
        "entry_page": "/",
        "exit_page": "/b",
        "entry_event": "session-start",
        "exit_event": "purchase",
        "bounced": False,
        "engaged": True,
        "conversions": 2,
        "converted": True,
        "first_conversion_s": 720.0,
        "value": 10.5,
        "max_gap_s": 600.0,
        "active_s": 420.0,
        "end_reason": "open",
        "referrer": "r",
        "channel": "web",
        "utm_source": None,
        "utm_medium": None,
        "utm_campaign": None,
        "utm_term": "t",
        "utm_content": None,
        "bot": None,
    }


def test_a_log_of_nothing_but_key_and_time() -> None:
    row = only_row(event(0), roles={"session_id", "timestamp"})
    present = {name: value for name, value in row.items() if value is not None}
    assert present == {
        "session_id": f"a.{BASE_US}",
        "source_id": "a",
        "start": BASE_US,
        "end": BASE_US,
        "duration_s": 0.0,
        "status": "active",
        "events": 1,
        "page_views": 0,
        "unique_pages": 0,
        "bounced": True,
        "engaged": False,
        "conversions": 0,
        "converted": False,
        "max_gap_s": 0.0,
        "active_s": 0.0,
        "end_reason": "open",
    }


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([("click", "/x"), ("page", "/a"), ("page", "/b"), ("click", "/y")], ("/a", "/b")),
        ([("page", None), ("page", "/a"), ("page", " "), ("click", "/y")], ("/a", "/a")),
        ([("page", None), ("click", "/x"), (None, "/y"), ("click", None)], ("/x", "/y")),
        ([("page", ""), ("click", None)], (None, None)),
    ],
)
def test_entry_and_exit_page(
    pages: list[tuple[str | None, str | None]], expected: tuple[str | None, str | None]
) -> None:
    row = only_row(*(event(0, event_type=kind, page=page) for kind, page in pages))
    assert (row["entry_page"], row["exit_page"]) == expected


def test_entry_and_exit_event_may_be_null() -> None:
    row = only_row(event(0, event_type=" "), event(1, event_type="click"), event(2))
    assert (row["entry_event"], row["exit_event"]) == (None, None)


def test_without_an_event_type_a_page_is_a_page_view() -> None:
    events = [event(0, event_type="purchase", page="/a", value=3.0), event(0, page=" ")]
    row = only_row(*events, roles=ALL_ROLES - {"event_type"})
    found = (row["page_views"], row["conversions"], row["value"], row["entry_event"])
    assert found == (1, 0, 0.0, None)


@pytest.mark.parametrize(
    ("event_type", "page_views", "conversions"),
    [
        ("page-view", 1, 0),
        ("PageView", 1, 0),
        ("$page view!", 1, 0),
        ("PAGE", 1, 0),
        ("page-views", 0, 0),
        ("--", 0, 0),
        ("order.completed", 0, 1),
        ("Checkout Completed", 0, 1),
        ("purchasé", 0, 0),
        ("", 0, 0),
        (None, 0, 0),
    ],
)
def test_usual_names_in_any_spelling(
    event_type: str | None,
    page_views: int,
    conversions: int,
) -> None:
    row = only_row(event(0, event_type=event_type))
    assert (row["page_views"], row["conversions"]) == (page_views, conversions)


def test_given_names_as_written() -> None:
    given_names = OracleRules(page_views=("Screen",), conversions=("Buy",), exact_names=True)
    types = ("Screen", "screen", "Buy", "buy", "page-view", "purchase")
    row = only_row(*(event(0, event_type=kind) for kind in types), rules=given_names)
    assert (row["page_views"], row["conversions"]) == (1, 1)


@pytest.mark.parametrize(
    ("kinds", "seconds", "engaged_by"),
    [
        (("click", "click"), 10, None),
        (("click", "click"), 10.000001, "duration"),
        (("page", "click"), 0, None),
        (("page", "page"), 0, "page views"),
        (("purchase", "click"), 0, "conversion"),
    ],
)
def test_engaged(kinds: tuple[str, str], seconds: float, engaged_by: str | None) -> None:
    late: Event = {"session_id": "a", "timestamp_us": BASE_US + round(seconds * 1e6)}
    row = only_row(event(0, event_type=kinds[0]), {**late, "event_type": kinds[1]})
    assert (row["duration_s"], row["engaged"]) == (seconds, engaged_by is not None)


def test_value_is_of_conversions_only() -> None:
    events = [event(0, event_type="click", value=9.0), event(1, event_type="purchase", value=0.5)]
    assert only_row(*events)["value"] == 0.5
    assert only_row(*events[:1])["value"] == 0.0
    assert only_row(*events, roles=ALL_ROLES - {"value"})["value"] is None


def test_utm_is_never_mixed() -> None:
    later = {"utm_source": "google", "utm_campaign": "spring"}
    row = only_row(event(0, utm_source=" "), event(1, utm_medium="cpc"), event(2, **later))
    assert [row[name] for name in UTM] == [None, "cpc", None, None, None]


def test_watermark_is_of_the_whole_log() -> None:
    events = [event(0), event(31, session_id="b")]
    result = oracle(events, OracleRules(), ALL_ROLES)
    assert [row["status"] for row in result.metrics] == ["ended", "active"]
    assert result.watermark == BASE_US + 31 * MINUTE_US
    fixed = OracleRules(until_us=BASE_US)
    assert [row["status"] for row in oracle(events, fixed, ALL_ROLES).metrics] == ["active"] * 2
