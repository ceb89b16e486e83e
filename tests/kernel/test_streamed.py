"""Sessions of a stream of events are those of all the events at once, however the stream is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from budget import examples
from engine import engine, plan_of
from hypothesis import given
from hypothesis import strategies as st
from oracle import Event, OracleResult, OracleRules, oracle
from strategies import ALL_ROLES, logs, roles, rules

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel import Sessionized
from sessionize.kernel.streamed import streamed, streamed_by_time

Parts = Iterator[tuple[pl.DataFrame, Sessionized]]


def comparable(result: OracleResult) -> dict[str, Any]:
    """The result with sums of money rounded: the order in which equal sums are added may differ."""
    metrics = [{**row, "value": None if row["value"] is None else round(row["value"], 6)} for row in result.metrics]
    return {**result._asdict(), "metrics": metrics}


def by_key_and_time(events: pl.DataFrame) -> pl.DataFrame:
    """As a shuffle brings the events: by key, time and input order."""
    ids = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    key = pl.coalesce(*(pl.concat_str(pl.lit(name), pl.col(name).cast(pl.String)) for name in ids))
    return events.sort(key, schema.TIMESTAMP, maintain_order=True)


def sliced(events: pl.DataFrame, instants: int) -> list[pl.DataFrame]:
    """The events by time, so many different times a slice, each slice in input order."""
    number = (events[schema.TIMESTAMP].rank("dense") - 1) // instants
    return [events.filter(number == at) for at in range(max([0, *number]) + 1)]


@examples(300)
@given(logs(), rules(), roles(), st.integers(1, 9), st.integers(0, 12))
def test_any_batches_of_events_in_order_of_their_keys_give_the_same_sessions(
    log: list[Event], rule: OracleRules, role: frozenset[str], rows: int, most: int
) -> None:
    def made(events: pl.DataFrame, plan: Plan, _: int | None) -> Parts:
        events = by_key_and_time(events)
        batches = [events[start : start + rows] for start in range(0, max(1, events.height), rows)]
        return ((each.events, each.sessions) for each in streamed(batches, plan, most, assign=True))

    assert comparable(engine(log, rule, role, made=made)) == comparable(oracle(log, rule, role))


NINE_US, ELEVEN_US = 1_709_974_800_000_000, 1_709_982_000_000_000
PASSIVE_AFTER = (("page-view", None), ("Page View", None), ("page-view", 1.0))
"""At eleven, of one id and time: of the passive event and the other one, that with a value stays."""


@pytest.mark.parametrize("last", [PASSIVE_AFTER[1:], [*PASSIVE_AFTER[:1], ("Page View", 1.0)], PASSIVE_AFTER[1:2]])
def test_a_key_is_not_told_to_go_on_by_what_may_turn_out_to_be_passive(last: list[tuple[str, float | None]]) -> None:
    nobody = {**dict.fromkeys(ALL_ROLES), "session_id": "a", "profile_id": "a", "page": "/"}
    log: list[Event] = [
        {**nobody, "event_id": f"e{number}", "timestamp_us": NINE_US, "event_type": "page-view"} for number in range(2)
    ]
    log += [
        {**nobody, "event_id": "e", "timestamp_us": ELEVEN_US, "event_type": name, "value": value}
        for name, value in last
    ]
    rule = OracleRules(timeout_us=1_800_000_000, passive=("Page View",), until_us=NINE_US)

    def made(events: pl.DataFrame, plan: Plan, _: int | None) -> Parts:
        batches = [events[start : start + 1] for start in range(events.height)]
        return ((each.events, each.sessions) for each in streamed(batches, plan, 0, assign=True))

    expected = comparable(oracle(log, rule, ALL_ROLES))
    assert comparable(engine(log, rule, ALL_ROLES, made=made)) == expected
    assert comparable(engine(log, rule, ALL_ROLES)) == expected


@pytest.mark.slow
@examples(300)
@given(logs(), rules(), roles(), st.integers(1, 9))
def test_any_slices_of_events_by_their_times_give_the_same_sessions(
    log: list[Event], rule: OracleRules, role: frozenset[str], instants: int
) -> None:
    def made(events: pl.DataFrame, plan: Plan, watermark: int | None) -> Parts:
        slices = sliced(events, instants)
        return ((each.events, each.sessions) for each in streamed_by_time(slices, plan, watermark, assign=True))

    assert comparable(engine(log, rule, role, made=made)) == comparable(oracle(log, rule, role))


@pytest.mark.slow
def test_of_a_key_longer_than_a_batch_no_more_is_cut_at_once_than_a_batch_and_its_open_session() -> None:
    role, rule = frozenset({"timestamp", "session_id"}), OracleRules()
    plan = plan_of(rule, role)
    hour = 3_600_000_000
    times = pl.Series([visit * hour + event * 1_000_000 for visit in range(100) for event in range(4)])
    events = pl.DataFrame({"session_id": "s", schema.TIMESTAMP: times.cast(pl.Datetime("us", "UTC"))})
    batches = (events[start : start + 10] for start in range(0, 400, 10))
    found = list(streamed(batches, plan, 10))
    assert sum(each.sessions.sessions.height for each in found) == 100
    assert max(each.events.height for each in found) <= 30


def test_a_session_that_never_ends_is_not_cut_anew_with_every_batch() -> None:
    role, rule = frozenset({"timestamp", "session_id"}), OracleRules()
    events = pl.DataFrame({"session_id": "s", schema.TIMESTAMP: pl.Series(range(1000)).cast(pl.Datetime("us", "UTC"))})
    found = list(streamed((events[at : at + 10] for at in range(0, 1000, 10)), plan_of(rule, role), 10))
    assert len(found) < 10
    assert [each.sessions.sessions.height for each in found] == [0] * (len(found) - 1) + [1]
