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
from strategies import logs, roles, rules

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
