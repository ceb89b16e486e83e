"""Hypothesis strategies of logs and rules in which ties, equal gaps and boundaries are common.

Times come from a small grid of minutes around a few midnights, ids and names from short lists with
nulls, blanks and look-alikes among them. A log carries every role; which of them count is for
`roles` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from oracle import UTM, Event, OracleRules

MINUTE_US = 60_000_000

SPLIT_COLUMNS = ("campaign", "device")
ID_ROLES = ("session_id", "profile_id")
OPTIONAL_ROLES = (
    "event_id",
    "event_type",
    "page",
    "referrer",
    "user_agent",
    "ip",
    *UTM,
    "channel",
    "value",
)
ALL_ROLES = frozenset(("timestamp", *ID_ROLES, *OPTIONAL_ROLES))

ANCHORS_US = (
    1_709_942_400_000_000,  # 2024-03-09T00:00Z, midnight of UTC
    1_709_960_400_000_000,  # 2024-03-09T05:00Z, midnight of New York in winter
    1_710_129_600_000_000,  # 2024-03-11T04:00Z, midnight of New York in summer
    1_709_922_600_000_000,  # 2024-03-08T18:30Z, midnight of Kolkata
    1_289_097_060_000_000,  # 2010-11-07T02:31Z, 00:01 of St. John's, set back to 23:01
)
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "America/St_Johns")
MINUTES = (0, 1, 5, 10, 20, 30, 31, 60, 61, -1, -5, -30)
JITTER_US = (0, 0, 0, 0, 0, 0, 1, -1, 10_000_000, 10_000_001)

SESSION_IDS = ("a", "b", "007", "p:a", "p:1", "s:a", "a.1", None, "", " \t", "x" * 495, "x" * 496)
PROFILE_IDS = ("a", "b", "1", "p:1", "s:a", None, "\n", "é" * 246 + "y", "é" * 247)
"""The longest ids there may be, and each a byte longer, among them."""
EVENT_IDS = ("e1", "e2", None, "", " ")
END_EVENTS = ("visit-ended", "logout")
START_EVENTS = ("session-start", "login")
EVENT_TYPES = (
    "page-view",
    "Page View",
    "page_view",
    "$pageview",
    "PAGE",
    "purchase",
    "Purchase",
    "Order Completed",
    "order_completed",
    "checkout.completed",
    "purchasé",
    "click",
    "--",
    *END_EVENTS,
    *START_EVENTS,
    *START_EVENTS,  # twice, for a boundary by a start event alone is rare
    "Visit-Ended",
    None,
    "",
)
PAGES = ("/", "/a", "/b", "\u00a0", None, "", " ")
"""A no-break space is a page like any other: only ASCII white space is blank."""
WORDS = (None, "x", "y", "", "\t")
SPLIT_VALUES = (None, "a", "A", "b", "")
VALUES = (None, 0.0, 1.0, 19.99, 0.1, -5.0)


def rules() -> SearchStrategy[OracleRules]:
    """Draw the rules of a run: the default, several at once, or now and then none at all."""
    several = st.builds(_rules, _boundary_rules(), _named_types(), st.none() | _times(ANCHORS_US))
    none = st.just(OracleRules(timeout_us=None))
    return st.integers(min_value=0, max_value=9).flatmap(lambda n: none if n == 9 else several)


def logs(max_size: int = 40) -> SearchStrategy[list[Event]]:
    """Draw the rows of a log, in no particular order, with some of them there twice.

    Args:
        max_size: The most rows there may be.
    """
    near = st.lists(st.sampled_from(ANCHORS_US), min_size=1, max_size=2, unique=True)
    ids = st.tuples(st.sampled_from(SESSION_IDS), st.sampled_from(PROFILE_IDS))
    who = st.lists(ids, min_size=1, max_size=4, unique=True)
    return st.builds(_events, near, who).flatmap(lambda events: _rows(events, max_size))


def roles() -> SearchStrategy[frozenset[str]]:
    """Draw which roles a log has: always ``timestamp`` and an id; mostly most of the others."""
    absent = st.one_of(
        st.just(frozenset[str]()),
        st.frozensets(st.sampled_from(OPTIONAL_ROLES), max_size=4),
        st.frozensets(st.sampled_from(OPTIONAL_ROLES)),
    )
    both = frozenset[str]()
    absent_id = st.sampled_from((both, both, both, *(frozenset((role,)) for role in ID_ROLES)))
    return st.builds(lambda one, other: ALL_ROLES - one - other, absent, absent_id)


def _rules(boundaries: dict[str, Any], names: dict[str, Any], until: int | None) -> OracleRules:
    return OracleRules(**boundaries, **names, until_us=until)


def _boundary_rules() -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "timeout_us": st.sampled_from(_minutes(30, 60, 5, 0, 24 * 60, None)),
            "end_events": st.sampled_from(((), END_EVENTS[:1], END_EVENTS)),
            "start_events": st.sampled_from(((), START_EVENTS[:1], START_EVENTS)),
            "split_on": st.sampled_from(((), SPLIT_COLUMNS[:1], SPLIT_COLUMNS)),
            "split_on_arrival": st.sampled_from(((), (), SPLIT_COLUMNS[:1], SPLIT_COLUMNS[1:], SPLIT_COLUMNS)),
            "split_at_midnight": st.booleans(),
            "max_duration_us": st.sampled_from(_minutes(None, None, 5, 30, 60, 24 * 60)),
            "max_events": st.sampled_from((None, None, 1, 2, 3, 5)),
            "burst": st.sampled_from((None, None, (1, 0), (2, 5 * MINUTE_US), (3, 60 * MINUTE_US))),
            "passive": st.sampled_from(((), (), (), ("click",), ("purchase", "Page View", "--"))),
            "active_gap_us": st.sampled_from((5 * MINUTE_US, 0, 1, 60 * MINUTE_US)),
            "timezone": st.sampled_from(ZONES),
        }
    )


def _minutes(*values: int | None) -> tuple[int | None, ...]:
    return tuple(None if value is None else value * MINUTE_US for value in values)


def _named_types() -> SearchStrategy[dict[str, Any]]:
    """Draw the built-in names (no argument at all) or the user's own."""
    given: dict[str, SearchStrategy[Any]] = {
        "page_views": st.sampled_from((("page-view",), ("PAGE", "click"))),
        "conversions": st.sampled_from((("purchase",), ("Order Completed", "click"))),
        "exact_names": st.just(value=True),
    }
    return st.just(dict[str, Any]()) | st.fixed_dictionaries(given)


def _times(near: Sequence[int]) -> SearchStrategy[int]:
    return st.builds(
        lambda anchor, minutes, jitter: anchor + minutes * MINUTE_US + jitter,
        st.sampled_from(near),
        st.sampled_from(MINUTES),
        st.sampled_from(JITTER_US),
    )


def _events(near: Sequence[int], who: Sequence[tuple[str | None, ...]]) -> SearchStrategy[Event]:
    """Draw an event of one of a few visitors, near one of a few times."""
    fields: dict[str, SearchStrategy[Any]] = {
        "event_id": st.sampled_from(EVENT_IDS),
        "timestamp_us": _times(near),
        "event_type": st.sampled_from(EVENT_TYPES),
        "page": st.sampled_from(PAGES),
        "value": st.sampled_from(VALUES),
    }
    words = dict.fromkeys(("referrer", "user_agent", "ip", "channel", *UTM), st.sampled_from(WORDS))
    splits = {f"split.{column}": st.sampled_from(SPLIT_VALUES) for column in SPLIT_COLUMNS}
    rest = st.fixed_dictionaries({**fields, **words, **splits})
    return st.builds(_event, st.sampled_from(who), rest)


def _event(ids: tuple[str | None, ...], rest: Event) -> Event:
    return {**dict(zip(ID_ROLES, ids, strict=True)), **rest}


def _rows(events: SearchStrategy[Event], max_size: int) -> SearchStrategy[list[Event]]:
    """Draw few or many rows; then put copies of some at the end, as at-least-once delivery does."""
    most = max_size - max_size // 5
    rows = st.sampled_from((0, most // 4, most // 2)).flatmap(
        lambda least: st.lists(events, min_size=least, max_size=most)
    )
    again = st.lists(st.integers(min_value=0, max_value=most), max_size=max_size // 5)
    return st.builds(_with_copies, rows, again)


def _with_copies(events: list[Event], again: list[int]) -> list[Event]:
    copies = [dict(events[index]) for index in again if index < len(events)]
    return [*events, *copies]
