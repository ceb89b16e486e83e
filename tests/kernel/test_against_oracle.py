"""The kernel gives what the oracle gives: on any log, in any order of its rows, cut into any parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from budget import examples
from engine import engine
from hypothesis import given
from hypothesis import strategies as st
from oracle import Event, OracleResult, OracleRules, oracle
from strategies import logs, roles, rules
from timelines import CASES, Case, parse

from sessionize.config import Plan
from sessionize.kernel import Dictionaries, Sessionized, sessionize
from sessionize.kernel.metrics import FIGURED

KEPT = ("session_id", "source_id", "profile_id", *(name for name in FIGURED if name != "bot"))


def by_key(count: int) -> Callable[[pl.DataFrame], list[pl.DataFrame]]:
    """Cut canonical events by their keys, as the partitioned run does."""

    def cut(events: pl.DataFrame) -> list[pl.DataFrame]:
        ids = [pl.col(name).cast(pl.String) for name in ("session_id", "profile_id") if name in events.columns]
        key = pl.coalesce(*ids).hash(7) % count
        return [events.filter(key == number) for number in range(count)]

    return cut


def comparable(result: OracleResult) -> dict[str, Any]:
    """The result with sums of money rounded: the order in which equal sums are added may differ."""
    metrics = [{**row, "value": None if row["value"] is None else round(row["value"], 6)} for row in result.metrics]
    return {**result._asdict(), "metrics": metrics}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_cuts_where_its_timeline_says(case: Case) -> None:
    events, expected = parse(case.timeline)
    present = {name for event in events for name in event if not name.startswith("split.")} - {"timestamp_us"}
    found = engine(events, case.rules, {*present, "timestamp"})
    ids = [found.assignment[row][0] for row in range(len(events))]
    numbers = {session_id: number for number, session_id in enumerate(dict.fromkeys(ids))}
    assert [numbers[session_id] for session_id in ids] == [number - min(expected) for number in expected]


@examples(600)
@given(logs(), rules(), roles())
def test_the_kernel_agrees_with_the_oracle(log: list[Event], rule: OracleRules, role: frozenset[str]) -> None:
    assert comparable(engine(log, rule, role)) == comparable(oracle(log, rule, role))


@examples(200)
@given(logs(), rules(), roles())
def test_what_figures_are_made_of_is_the_same_where_no_other_metric_is_wanted(
    log: list[Event], rule: OracleRules, role: frozenset[str]
) -> None:
    def made(events: pl.DataFrame, plan: Plan, _: int | None) -> list[tuple[pl.DataFrame, Sessionized]]:
        return [(events, sessionize(events, replace(plan, only_figured=True), assign=True))]

    found, expected = (
        {**result, "metrics": [{name: row[name] for name in KEPT} for row in result["metrics"]]}
        for result in (comparable(engine(log, rule, role, made=made)), comparable(oracle(log, rule, role)))
    )
    assert found == expected


@examples(200)
@given(logs(), rules(), roles(), st.integers(1, 5))
def test_any_number_of_parts_gives_the_same_rows(
    log: list[Event], rule: OracleRules, role: frozenset[str], parts: int
) -> None:
    assert comparable(engine(log, rule, role, by_key(parts))) == comparable(oracle(log, rule, role))


@examples(200)
@given(logs(), rules(), roles(), st.sampled_from((1, 3, 10)), st.integers(1, 12))
def test_small_lots_slices_and_chunks_give_the_same_rows(
    log: list[Event], rule: OracleRules, role: frozenset[str], lot: int, chunk: int
) -> None:
    def made(events: pl.DataFrame, plan: Plan, _: int | None) -> list[tuple[pl.DataFrame, Sessionized]]:
        with Dictionaries(slice_rows=lot) as dictionaries:
            starts = range(0, max(1, events.height), chunk)
            coded = pl.concat([dictionaries.coded(events[at : at + chunk]) for at in starts], rechunk=False)
        return [(coded, sessionize(coded, plan, assign=True, lot_rows=lot))]

    assert comparable(engine(log, rule, role, made=made)) == comparable(oracle(log, rule, role))


@examples(200)
@given(logs(), rules(), roles(), st.randoms(use_true_random=False))
def test_shuffling_rows_of_different_times_changes_nothing(
    log: list[Event], rule: OracleRules, role: frozenset[str], random: Any
) -> None:
    shuffled = list({event["timestamp_us"]: None for event in log})
    random.shuffle(shuffled)
    rank = {time: place for place, time in enumerate(shuffled)}
    mixed = sorted(log, key=lambda event: rank[event["timestamp_us"]])
    assert comparable(engine(mixed, rule, role)).get("metrics") == comparable(oracle(log, rule, role)).get("metrics")
