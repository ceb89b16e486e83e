"""The oracle itself, held to readable timelines and to literal answers."""

from __future__ import annotations

from random import Random

import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st
from oracle import Event, OracleResult, OracleRules, oracle
from oracle_events import event, only_row
from strategies import ALL_ROLES, logs, roles, rules
from timelines import BASE_US, CASES, MINUTE_US, TIMELINE_ROLES, parse


def timeline_result(timeline: str, rules: OracleRules) -> OracleResult:
    """Run the oracle over a timeline."""
    return oracle(parse(timeline)[0], rules, TIMELINE_ROLES)


# --- boundaries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_timeline(name: str) -> None:
    timeline, case_rules = CASES[name]
    events, expected = parse(timeline)
    result = oracle(events, case_rules, TIMELINE_ROLES)
    ids = [result.assignment[index][0] for index in range(len(events))]
    order = list(dict.fromkeys(ids))
    assert [order.index(session_id) + 1 for session_id in ids] == expected
    assert [row["session_id"] for row in result.metrics] == order


@pytest.mark.parametrize("name", CASES)
def test_timeline_in_any_order_of_instants(name: str) -> None:
    timeline, case_rules = CASES[name]
    events, _ = parse(timeline)
    backwards = sorted(events, key=lambda row: -row["timestamp_us"])
    forwards = oracle(events, case_rules, TIMELINE_ROLES)
    assert oracle(backwards, case_rules, TIMELINE_ROLES).metrics == forwards.metrics


@pytest.mark.parametrize(
    ("timeline", "rules", "reasons"),
    [
        ("0 5", OracleRules(), ["open"]),
        ("0 | 31", OracleRules(), ["timeout", "open"]),
        ("0 5!", OracleRules(end_events=("visit-ended",)), ["end_event"]),
        ("0 5! 5", OracleRules(end_events=("visit-ended",)), ["end_event"]),
        ("0 5! | 100", OracleRules(end_events=("visit-ended",)), ["end_event", "open"]),
        ("0 | 5^", OracleRules(start_events=("session-start",)), ["start_event", "open"]),
        ("0 | 31^", OracleRules(start_events=("session-start",)), ["timeout", "open"]),
        ("0a | 1b", OracleRules(split_on=("campaign",)), ["split", "open"]),
        (
            "0a | 1b^",
            OracleRules(split_on=("campaign",), start_events=("session-start",)),
            ["start_event", "open"],
        ),
        ("23:59 | 24:00", OracleRules(split_at_midnight=True), ["midnight", "open"]),
        (
            "23:59a | 24:00b",
            OracleRules(split_at_midnight=True, split_on=("campaign",)),
            ["split", "open"],
        ),
        ("0 5 | 11", OracleRules(max_duration_us=10 * MINUTE_US), ["max_duration", "open"]),
        (
            "23:50 | 24:01",
            OracleRules(max_duration_us=10 * MINUTE_US, split_at_midnight=True),
            ["midnight", "open"],
        ),
        ("0 | 1a", OracleRules(split_on_arrival=("campaign",)), ["split", "open"]),
        ("0 1 | 2", OracleRules(max_events=2), ["max_events", "open"]),
        ("0 1 | 2", OracleRules(burst=(2, 2 * MINUTE_US)), ["max_events", "open"]),
        ("0 1 | 2", OracleRules(max_events=2, max_duration_us=MINUTE_US), ["max_duration", "open"]),
        ("0", OracleRules(until_us=BASE_US + 30 * MINUTE_US), ["open"]),
        ("0", OracleRules(until_us=BASE_US + 30 * MINUTE_US + 1), ["timeout"]),
        ("0", OracleRules(timeout_us=None, until_us=BASE_US + 9_000 * MINUTE_US), ["open"]),
    ],
)
def test_end_reason(timeline: str, rules: OracleRules, reasons: list[str]) -> None:
    metrics = timeline_result(timeline, rules).metrics
    assert [row["end_reason"] for row in metrics] == reasons
    open_ = ["active" if reason == "open" else "ended" for reason in reasons]
    assert [row["status"] for row in metrics] == open_


def test_a_clock_set_back_over_midnight_splits_only_when_the_date_moves_on() -> None:
    st_johns = OracleRules(timeout_us=None, split_at_midnight=True, timezone="America/St_Johns")
    midnight = 1_289_097_000_000_000  # 2010-11-07T02:30Z; a minute later it was 23:01 again
    times = [midnight - 1, midnight, midnight + MINUTE_US, midnight + 60 * MINUTE_US]
    events: list[Event] = [{"session_id": "a", "timestamp_us": time} for time in times]
    result = oracle(events, st_johns, ALL_ROLES)
    assert [row["start"] for row in result.metrics] == [times[0], times[1], times[3]]


# --- keys, ids, order -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session_id", "profile_id", "key", "source_id"),
    [
        ("a", "b", "a", "a"),
        ("007", None, "007", "007"),
        (" a", None, " a", " a"),
        (None, "b", "p:b", None),
        (" \t", "b", "p:b", None),
        ("p:b", None, "s:p:b", "p:b"),
        ("s:b", None, "s:s:b", "s:b"),
        (None, "s:b", "p:s:b", None),
        ("\u00a0", "b", "\u00a0", "\u00a0"),
    ],
)
def test_session_key(session_id: str, profile_id: str, key: str, source_id: str) -> None:
    row = event(0, session_id=session_id, profile_id=profile_id)
    timed = only_row(row)
    untimed = only_row(row, rules=OracleRules(timeout_us=None))
    assert (timed["session_id"], timed["source_id"]) == (f"{key}.{BASE_US}", source_id)
    assert (untimed["session_id"], untimed["source_id"]) == (key, source_id)


def test_a_row_whose_session_id_would_have_over_512_bytes_is_rejected() -> None:
    start = len(f".{BASE_US}")
    events = [
        {"session_id": "a" * (512 - start), "timestamp_us": BASE_US},
        {"session_id": "a" * (513 - start), "timestamp_us": BASE_US},
        {"profile_id": "é" * ((510 - start) // 2 + 1), "timestamp_us": BASE_US},
    ]
    result = oracle(events, OracleRules(), ("timestamp", "session_id", "profile_id"))
    assert ([len(row["session_id"]) for row in result.metrics], result.rejected) == ([512], 2)


def test_a_row_without_a_key_is_rejected_and_moves_no_watermark() -> None:
    keyless = [event(99, session_id=None), event(99, session_id="", profile_id=" ")]
    result = oracle([event(0), *keyless], OracleRules(), ALL_ROLES)
    assert (result.rejected, result.watermark) == (2, BASE_US)
    assert result.assignment == {0: (f"a.{BASE_US}", 1)}


def test_a_role_the_log_lacks_is_no_key() -> None:
    result = oracle([event(0, profile_id="b")], OracleRules(), {"timestamp", "profile_id"})
    assert [row["session_id"] for row in result.metrics] == [f"p:b.{BASE_US}"]


def test_no_events_no_sessions() -> None:
    assert oracle([], OracleRules(), ALL_ROLES) == OracleResult([], 0, 0, None, {})


def test_sessions_are_in_order_of_start_and_id() -> None:
    events = [event(5), event(0, session_id="b"), event(0, session_id="B"), event(50)]
    result = oracle(events, OracleRules(), ALL_ROLES)
    starts = [BASE_US, BASE_US, BASE_US + 5 * MINUTE_US, BASE_US + 50 * MINUTE_US]
    keys = ["B", "b", "a", "a"]
    expected = [f"{key}.{start}" for key, start in zip(keys, starts, strict=True)]
    assert [row["session_id"] for row in result.metrics] == expected


def test_positions_follow_time_then_input() -> None:
    events = [event(1), event(0, page="/x"), event(1), event(0, page="/y")]
    result = oracle(events, OracleRules(), ALL_ROLES)
    assert [result.assignment[index][1] for index in range(4)] == [3, 1, 4, 2]


@pytest.mark.parametrize(
    ("fields", "duplicates"),
    [
        ({}, 1),
        ({"page": "/other"}, 1),
        ({"event_id": "e2"}, 0),
        ({"session_id": "b"}, 0),
        ({"timestamp_us": BASE_US + 1}, 0),
    ],
)
def test_duplicates(fields: Event, duplicates: int) -> None:
    first = event(0, event_id="e1", page="/first")
    result = oracle([first, {**first, **fields}], OracleRules(), ALL_ROLES)
    assert result.duplicates == duplicates
    assert len(result.assignment) == 2 - duplicates
    assert 0 in result.assignment


@pytest.mark.parametrize("blank", [None, "", " "])
def test_without_an_event_id_nothing_is_a_duplicate(blank: str | None) -> None:
    result = oracle([event(0, event_id=blank)] * 3, OracleRules(), ALL_ROLES)
    assert (result.duplicates, result.metrics[0]["events"]) == (0, 3)


def test_without_the_role_nothing_is_a_duplicate() -> None:
    events = [event(0, event_id="e1")] * 2
    assert oracle(events, OracleRules(), ALL_ROLES - {"event_id"}).duplicates == 0


def test_a_duplicate_bounds_nothing() -> None:
    end = OracleRules(end_events=("visit-ended",))
    first = event(0, event_id="e1", event_type="click")
    copy = {**first, "event_type": "visit-ended"}
    assert only_row(first, copy, event(1), rules=end)["events"] == 2


# --- any log --------------------------------------------------------------------------------------


@examples()
@given(logs(), rules(), roles())
def test_nothing_is_lost(
    events: list[Event],
    some_rules: OracleRules,
    some_roles: frozenset[str],
) -> None:
    result = oracle(events, some_rules, some_roles)
    in_sessions = sum(row["events"] for row in result.metrics)
    assert in_sessions == len(result.assignment)
    assert len(events) == in_sessions + result.rejected + result.duplicates
    assert len({row["session_id"] for row in result.metrics}) == len(result.metrics)


@examples()
@given(logs(), rules(), roles(), st.randoms(use_true_random=False))
def test_rows_may_be_shuffled_between_timestamps(
    events: list[Event], some_rules: OracleRules, some_roles: frozenset[str], random: Random
) -> None:
    places = {row["timestamp_us"]: random.random() for row in events}
    shuffled = sorted(events, key=lambda row: places[row["timestamp_us"]])
    expected = oracle(events, some_rules, some_roles).metrics
    assert oracle(shuffled, some_rules, some_roles).metrics == expected
