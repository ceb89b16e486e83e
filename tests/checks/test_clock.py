"""What is told from times alone: the same as a slow loop tells, however the log is cut."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize.checks.bounds import bound
from sessionize.checks.clock import Clock
from sessionize.checks.days import are_busy, empty_days, holes, odd_days
from sessionize.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
ROUND = st.integers(-400, 400).map(lambda number: number * DAY // 2)
TIMES = st.lists(st.integers(-(10**15), 4 * 10**15) | ROUND, max_size=12)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])


def look(times: list[int], zone: str) -> Clock:
    return Clock.of(np.array(times, np.int64), zone)


def told(clock: Clock) -> dict[str, object]:
    return {
        "events": clock.events,
        "descents": clock.descents,
        "midnights": clock.midnights,
        "span": (clock.oldest, clock.newest) if clock.events else None,
        "hours": dict(zip(clock.hours.tolist(), clock.per_hour.tolist(), strict=True)),
        "seconds": {int(second): int(clock.seconds[second]) for second in np.flatnonzero(clock.seconds)},
    }


def by_loop(times: list[int], zone: str) -> dict[str, object]:
    local = [(EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zone)) for time in times]
    return {
        "events": len(times),
        "descents": sum(after < before for before, after in pairwise(times)),
        "midnights": sum((time.hour, time.minute, time.second, time.microsecond) == (0, 0, 0, 0) for time in local),
        "span": (min(times), max(times)) if times else None,
        "hours": dict(sorted(Counter(time // 3_600_000_000 for time in times).items())),
        "seconds": dict(sorted(Counter(time // 1_000_000 % 86_400 for time in times).items())),
    }


@examples()
@given(TIMES, TIMES, TIMES, ZONES)
def test_parts_add_up_to_what_a_loop_over_the_whole_tells(
    one: list[int], two: list[int], three: list[int], zone: str
) -> None:
    a, b, c = (look(times, zone) for times in (one, two, three))
    expected = by_loop(one + two + three, zone)
    assert told(a + b + c) == expected
    assert told(a + (b + c)) == expected
    assert told(look(one + two + three, zone)) == expected


def steady(hours: int, events: int, without: frozenset[int] = frozenset()) -> list[int]:
    there = [hour for hour in range(hours) if hour not in without]
    return holes(np.array(there, np.int64), np.full(len(there), events, np.int64))


def test_a_hole_is_an_hour_where_the_other_days_have_many_events() -> None:
    gone = frozenset({50, 51, 97})
    assert steady(10 * 24, 50, gone) == sorted(gone)
    assert steady(10 * 24, 49, gone) == []
    assert steady(40 * 24, 50, gone) == sorted(gone)


def test_in_a_short_log_a_hole_lies_between_two_busy_hours() -> None:
    assert steady(20, 50, frozenset({5})) == [5]
    assert steady(20, 49, frozenset({5})) == []


def test_hours_that_are_empty_every_night_are_no_holes() -> None:
    night = frozenset(24 * day + hour for day in range(10) for hour in range(6))
    assert steady(10 * 24, 100, night | {60}) == [60]


def test_one_stray_clock_does_not_make_a_log_of_holes() -> None:
    hours = np.concatenate([[-400_000], np.arange(200), [300_000]])
    assert holes(hours, np.concatenate([[1], np.full(200, 100), [1]])) == []


@pytest.mark.parametrize(
    ("hours", "events", "judged"), [(20, 50, True), (20, 49, False), (240, 50, True), (240, 49, False), (960, 60, True)]
)
def test_a_log_without_busy_hours_is_not_judged_by_its_hours(hours: int, events: int, *, judged: bool) -> None:
    there = np.arange(hours)
    assert are_busy(there, np.full(hours, events)) is judged
    assert are_busy(np.append(there, 900_000), np.append(np.full(hours, events), hours * events)) is judged


def test_one_busy_hour_is_not_enough() -> None:
    for hours in (1, 20, 100, 1000):
        assert not are_busy(np.arange(hours), np.array([500, *[3] * (hours - 1)]))
    assert not are_busy(np.arange(0), np.arange(0))


def days(*counts: int) -> dict[date, int]:
    return {date(2024, 5, 1) + timedelta(days=number): count for number, count in enumerate(counts) if count}


def test_a_day_is_odd_when_it_is_far_from_those_around_it() -> None:
    week = (100, 110, 90, 105, 95, 102, 98)
    assert odd_days(days(*week, 24, *week)) == {date(2024, 5, 8): 24}
    assert odd_days(days(*week, 0, *week)) == {date(2024, 5, 8): 0}
    assert odd_days(days(*week, 500, *week)) == {date(2024, 5, 8): 500}
    assert odd_days(days(*week, 30, *week)) == {}
    assert odd_days(days(5, *week, *week, 3)) == {}


def test_a_log_that_grows_has_no_odd_days() -> None:
    assert odd_days(days(*(int(20 * 1.2**number) for number in range(40)))) == {}


def test_too_few_days_or_sessions_say_nothing() -> None:
    assert odd_days(days(*[100] * 8)) is None
    assert odd_days(days(*[19] * 20)) is None
    assert odd_days({}) is None


FORTNIGHT = (60, 60, 0, 0, 60, 60, 60) * 2
"""From a Wednesday on: closed at the weekends, though these are Fridays and Saturdays."""


@pytest.mark.parametrize(
    ("counts", "empty"),
    [
        ((60, 0, 60), 1),
        ((20, 0, 20), 1),
        ((19, 0, 19), 0),
        ((60, 0, 0, 60), 2),
        ((60, 0, 0, 0, 0, 60), 0),  # two days apart from each other, not a log of six
        ((60, 60, 60, 0, 0, 60, 60), 0),  # a weekend
        ((60, 60, 60, 0, 60, 60, 60), 1),  # a Saturday whose Sunday is there
        (FORTNIGHT, 0),
        ((*FORTNIGHT, 60, 0, 0, 0, *FORTNIGHT[4:]), 1),
        ((60, 0, 60, 0, 60, 0, 60, 0), 3),
        ((), 0),
    ],
)
def test_a_day_without_sessions_is_odd_where_the_days_like_it_have_many(counts: tuple[int, ...], empty: int) -> None:
    found = empty_days(days(*counts))
    assert len(found) == empty
    assert set(found).isdisjoint(days(*counts))


@examples()
@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 1000))
def test_a_percentage_is_compared_exactly(number: int, base: int, tenths: int) -> None:
    allowed = bound(f"{tenths / 10}%", "here")
    assert allowed is not None
    assert allowed.holds(number, base) == (Fraction(number, base) <= Fraction(tenths, 1000))


@pytest.mark.parametrize(
    ("written", "holds", "breaks"),
    [(0, 0, 1), (5, 5, 6), ("5", 5, 5.001), (0.5, 0.5, 0.6), ("3..7", 3, 2.9), ("3..7", 7, 8), ("..-1", -1, 0), ("2..", 2, 1)],
)  # fmt: skip
def test_a_number_and_a_range_hold_their_ends(written: object, holds: float, breaks: float) -> None:
    allowed = bound(written, "here")
    assert allowed is not None
    assert (allowed.holds(holds, None), allowed.holds(breaks, None)) == (True, False)


@pytest.mark.parametrize("written", ["", "..", "x", "5 %%", "1..2..3", "-", True, None, [1], "nan", "inf"])
def test_what_is_no_bound_is_told(written: object) -> None:
    with pytest.raises(UsageError, match="is no bound"):
        bound(written, "[check.x] warn")
