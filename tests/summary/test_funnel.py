"""The funnel against a slow loop of its own, and against ClickHouse's windowFunnel where that is there."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from budget import examples, quick_first
from funnels import Event, level, strict_level
from hypothesis import given
from hypothesis import strategies as st

from sessionize.summary.funnel import Funnel, Spans, reached

LETTERS = "ABCDX"


def levels(sessions: Sequence[Sequence[Event]], steps: int, within: int | None, *, strict: bool) -> list[int]:
    """What the package finds, of sessions one after the other."""
    events = [event for session in sessions for event in session]
    times = np.array([time for time, _ in events], np.int64)
    matches = [np.array([step in kinds for _, kinds in events], np.bool_) for step in range(steps)]
    spans = Spans.of(np.array([len(session) for session in sessions]))
    return [int(each) for each in reached(spans, times, matches, within, strict=strict).level]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[list[Event]], int, int | None]:
    steps = draw(st.integers(1, 4))
    kinds = st.frozensets(st.integers(0, steps - 1), max_size=2)
    session = st.lists(st.tuples(st.integers(0, 12), kinds), min_size=1, max_size=14)
    sessions = draw(st.lists(session, min_size=1, max_size=5))
    ordered = [sorted(each, key=lambda event: event[0]) for each in sessions]
    return ordered, steps, draw(st.none() | st.integers(0, 10))


@given(logs())
@examples(400)
def test_each_session_comes_as_far_as_the_loop_says(log: tuple[list[list[Event]], int, int | None]) -> None:
    sessions, steps, within = log
    assert levels(sessions, steps, within, strict=False) == [level(each, steps, within) for each in sessions]
    assert levels(sessions, steps, within, strict=True) == [strict_level(each, steps, within) for each in sessions]


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("within", quick_first([8, 3, None]))
def test_the_funnel_equals_the_window_funnel_of_clickhouse(*, strict: bool, within: int | None) -> None:
    chdb = pytest.importorskip("chdb")
    chance = random.Random(7)  # noqa: S311
    sessions = [[(time, chance.choice(LETTERS)) for time in range(chance.randrange(1, 16))] for _ in range(500)]
    rows = ",".join(f"({number},{time},'{kind}')" for number, each in enumerate(sessions) for time, kind in each)
    mode = ", 'strict_order'" if strict else ""
    query = (
        f"SELECT s, windowFunnel({within or 1000}{mode})(t, e='A', e='B', e='C', e='D') AS level "
        f"FROM values('s UInt32, t UInt64, e String', {rows}) GROUP BY s ORDER BY s"
    )
    theirs = [row["level"] for row in json.loads(str(chdb.query(query, "JSON")))["data"]]
    ours = [[(time, frozenset({LETTERS.index(kind)} - {4})) for time, kind in each] for each in sessions]
    assert levels(ours, 4, within, strict=strict) == theirs


def test_one_event_is_never_two_steps() -> None:
    both = frozenset({0, 1})
    assert levels([[(0, both)], [(0, both), (0, both)]], 2, None, strict=False) == [1, 2]


def test_a_step_at_the_instant_of_the_one_before_counts_only_later_in_the_input() -> None:
    first, second = frozenset({0}), frozenset({1})
    assert levels([[(0, first), (0, second)], [(0, second), (0, first)]], 2, None, strict=False) == [2, 1]


def test_a_funnel_says_who_left_for_what_and_how_long_each_step_took() -> None:
    def of(*kinds: str) -> list[str]:
        return list(kinds)

    sessions = [of("a", "b"), of("a", "x", "b"), of("a", "x"), of("a"), of("x")]
    labels = [kind for each in sessions for kind in each]
    frame = pl.DataFrame({"events": [len(each) for each in sessions], "converted": [True, False, True, False, False]})
    times = [minute * 60_000_000 for each in sessions for minute in range(len(each))]
    events = pl.DataFrame({"timestamp": times, "label": labels})
    funnel = Funnel(["a", "b"], None, strict=False)
    matches = [(events["label"] == step).to_numpy() for step in ("a", "b")]
    half = events.head(5), events.tail(4)
    funnel.add(frame.head(2), half[0], [each[:5] for each in matches], pl.Series(["one", "one"]))
    funnel.add(frame.tail(3), half[1], [each[5:] for each in matches], pl.Series(["one", "two", None]))
    assert funnel.answer() == {
        "sessions": 5,
        "steps": [
            {"step": "a", "sessions": 4, "of_start": 1.0, "of_step": None, "median_s_to_next": 90.0,
             "left_for": [{"name": "end", "sessions": 1, "share": 0.25}, {"name": "x", "sessions": 1, "share": 0.25}]},
            {"step": "b", "sessions": 2, "of_start": 0.5, "of_step": 0.5, "median_s_to_next": None, "left_for": []},
        ],
        "never_began": 1, "converted": 2, "converted_this_way": 1, "converted_otherwise": 1,
    }  # fmt: skip
    assert [(each["name"], each["sessions"]) for each in funnel.groups()] == [("one", 3), (None, 1), ("two", 1)]
