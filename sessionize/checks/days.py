"""Which hours and days are missing or odd, judged against the others: pure functions of small tables."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sessionize.patterns import pattern

Ints = NDArray[np.int64]
TAIL: Final = 0.001
"""Share of the events at each end that are no part of the log's core: a stray clock must not stretch it."""
EXPECTED: Final = 50
"""Events that three in four of the hours around have at least: one with fewer may well have none, as they come in
sessions."""
DAYS_TO_COMPARE: Final = 3
STEEP: Final = 50
"""In a log too short to compare days: events in the hour before and after a hole."""
FEWEST_BESIDE: Final = min(STEEP, EXPECTED)
"""Events that at least one hour beside a hole has."""
SILENT: Final = 24 * 7 * (14 + 1)
"""Hours without any event between which and others nothing is compared: what lies beyond is of another time."""
BUSY: Final = 20
"""Sessions of the middle day, below which days are not compared."""
FEWEST_DAYS: Final = 7
SATURDAY: Final = 5
NEIGHBOURS: Final = 14
"""Days, or weeks, that one is compared with."""
SPREADS: Final = 5
"""Standard deviations from the middle day from which on a day is odd."""
TO_SIGMA: Final = 1.4826
"""Makes of a median absolute deviation what is a standard deviation of a normal distribution."""
FACTOR: Final = 4
"""A day is odd only if it is also so many times more, or less, than the middle one."""
ISO_DAY: Final = pattern(r"(\d{4})-?(\d{2})-?(\d{2})")


def holes(hours: Ints, counts: Ints) -> list[int]:
    """Hours (since 1970) without an event, in which there should be some.

    An hour is a hole where the same hour of the days around it (of the same weekday, in a log of four weeks) has at
    least EXPECTED events, three times in four. In a log of less than three days, where it lies between two hours of at
    least STEEP events.

    Args:
        hours: Hours (since 1970) that have an event, ascending.
        counts: Events in each of these hours.

    Returns:
        The holes, ascending.

    Examples:
        >>> holes(np.array([100, 101, 103, 104]), np.array([80, 90, 70, 60]))
        [102]
    """
    return [hole for each in _stretches(hours, counts) for hole in _in_stretch(*each)]


def are_busy(hours: Ints, counts: Ints) -> bool:
    """Whether there are hours busy enough for one beside them to be a hole: else `holes` says nothing.

    Examples:
        >>> are_busy(np.array([100, 101, 103]), np.array([80, 90, 70])), are_busy(np.array([100, 101]), np.array([8, 9]))
        (True, False)
    """
    return any(_is_busy(*each) for each in _stretches(hours, counts))


def _stretches(hours: Ints, counts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Parts of the log's core between which there is no long silence: a stray clock makes a stretch of its own.

    Those without an hour of FEWEST_BESIDE events are left out.
    """
    first, last = _core(hours, counts)
    within = (hours >= first) & (hours <= last)
    hours, counts = hours[within], counts[within]
    cuts = np.flatnonzero(np.diff(hours) > SILENT) + 1
    for each in zip(np.split(hours, cuts), np.split(counts, cuts), strict=True):
        if (each[1] >= FEWEST_BESIDE).any():
            yield each


def _is_busy(hours: Ints, counts: Ints) -> bool:
    """Whether an empty hour of a stretch could be a hole, by the rules of `holes`."""
    span = int(hours[-1] - hours[0]) + 1
    if span < 24 * DAYS_TO_COMPARE:
        return int(np.count_nonzero(counts >= STEEP)) > 1
    period = 24 * 7 if span >= 24 * 28 else 24
    size = min(NEIGHBOURS + 1, -(-span // period))
    fewest = math.ceil(0.75 * (size - 1))
    busy = hours[counts >= EXPECTED]
    by_phase = (busy[busy % period == phase] // period for phase in np.unique(busy % period))
    return any(
        (each[fewest - 1 :] - each[: 1 - fewest or None] < size).any() for each in by_phase if len(each) >= fewest
    )


def _in_stretch(hours: Ints, counts: Ints) -> list[int]:
    """The holes among the hours of one stretch."""
    span = int(hours[-1] - hours[0]) + 1
    if span < 24 * DAYS_TO_COMPARE:
        return [hour for before, after in _steep(hours, counts) for hour in range(before + 1, after)]
    period = 24 * 7 if span >= 24 * 28 else 24
    empty = _empty_near_busy(hours, counts, period) - hours[0]
    unlike = [_unlike_others(hours - hours[0], counts, empty[empty % period == phase], period, phase)
              for phase in np.unique(empty % period)]  # fmt: skip
    return [int(hour + hours[0]) for hour in np.sort(np.concatenate(unlike))] if unlike else []


def _empty_near_busy(hours: Ints, counts: Ints, period: int) -> Ints:
    """Hours without an event that have an hour of EXPECTED events among those they are compared with.

    There are as many of these as there are events for, however long the time between the first and the last is.
    """
    busy = hours[counts >= EXPECTED]
    near = [busy + away * period for away in range(-NEIGHBOURS, NEIGHBOURS + 1) if away]
    empty = [each[~np.isin(each, hours) & (each > hours[0]) & (each < hours[-1])] for each in near]
    found: Ints = np.unique(np.concatenate(empty))
    return found


def _unlike_others(hours: Ints, counts: Ints, empty: Ints, period: int, phase: int) -> Ints:
    """Of the empty hours at one place of a period, those whose neighbours have EXPECTED events, three times in four.

    Args:
        hours: Hours that have an event, ascending, the first of them 0.
        counts: Events in each of these.
        empty: Hours of the phase without any, ascending.
        period: Hours of a period: a day, or a week.
        phase: The place in it.

    Returns:
        Some of ``empty`` (int64).
    """
    periods = (int(hours[-1]) - phase) // period + 1
    size = min(NEIGHBOURS + 1, periods)
    starts = np.clip(empty // period - NEIGHBOURS // 2, 0, periods - size)
    window = (starts[:, np.newaxis] + np.arange(size)) * period + phase
    place = np.minimum(np.searchsorted(hours, window), len(hours) - 1)
    around = np.sort(np.where(hours[place] == window, counts[place], 0), axis=1)
    # The hour itself is in the window, and no other is less than its 0: so all but the first are its neighbours.
    unlike: NDArray[np.bool_] = np.quantile(around[:, 1:], 0.25, axis=1) >= EXPECTED
    found: Ints = empty[unlike]
    return found


def _around(there: Ints, place: int, period: int) -> Ints:
    """What is there at the same place of the periods around it, itself left out (int64, NEIGHBOURS of them at most)."""
    phase, number = place % period, place // period
    others = np.delete(there[phase::period], number)
    start = max(0, min(number - NEIGHBOURS // 2, len(others) - NEIGHBOURS))
    return others[start : start + NEIGHBOURS]


def _core(hours: Ints, counts: Ints) -> tuple[int, int]:
    """First and last hour between which all but TAIL of the events lie, at each end."""
    if not len(hours):
        return 0, 0
    before = np.cumsum(counts)
    least = TAIL * before[-1]
    start = int(np.searchsorted(before, least, side="right"))
    end = int(np.searchsorted(before, before[-1] - least, side="left"))
    return int(hours[start]), int(hours[min(end, len(hours) - 1)])


def _steep(hours: Ints, counts: Ints) -> list[tuple[int, int]]:
    """The hours before and after each hole in a log too short to compare days."""
    ends = zip(hours[:-1], hours[1:], counts[:-1], counts[1:], strict=True)
    return [(int(before), int(after)) for before, after, one, other in ends if min(one, other) >= STEEP]


def odd_days(sessions: Mapping[date, int]) -> dict[date, int] | None:
    """Days whose number of sessions is far from the others'; None where there are too few to say.

    Far: more than SPREADS robust standard deviations from the median of the NEIGHBOURS nearest days, and FACTOR times
    more or less than it: a log may grow, or fade, over months. The first and last day are left out, as a log seldom
    holds all of them.

    Args:
        sessions: Local day → sessions that start on it; a day without any is absent.
    """
    if not sessions:
        return None
    first, last = _core_days(sessions)
    days = [first + timedelta(days=number) for number in range(1, (last - first).days)]
    counts = [sessions.get(day, 0) for day in days]
    if len(days) < FEWEST_DAYS or median(counts) < BUSY:
        return None
    numbers = np.array(counts, np.int64)
    return {day: count for place, (day, count) in enumerate(zip(days, counts, strict=True)) if _odd(numbers, place)}


def empty_days(sessions: Mapping[date, int]) -> list[date]:
    """Days without any session, between others, where days usually have BUSY of them.

    Usually: at least half of the days of the same weekday have; in a log without another one, of the weekdays, or of
    the weekends. So a shop that is closed on Sundays has no such days, nor has a log of two days far apart.

    Args:
        sessions: Local day → sessions that start on it; a day without any is absent.

    Examples:
        >>> [str(day) for day in empty_days({date(2024, 5, 27): 60, date(2024, 5, 29): 60})]
        ['2024-05-28']
    """
    if not sessions:
        return []
    first, last = _core_days(sessions)
    if (last - first).days >= 2 * len(sessions):  # most days have none
        return []
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    every, busy = _by_kind(days), _by_kind(day for day in days if sessions.get(day, 0) >= BUSY)

    def is_usually_busy(day: date) -> bool:
        kind = next((kind for kind in _kinds(day) if every[kind] > 1), None)
        return kind is not None and 2 * busy[kind] >= every[kind] - 1

    return [day for day in days if not sessions.get(day) and is_usually_busy(day)]


def _kinds(day: date) -> tuple[str, str]:
    """The days that a day is like, the likest first: of its weekday; in the week, or at the weekend."""
    return f"weekday {day.weekday()}", "weekend" if day.weekday() >= SATURDAY else "week"


def _by_kind(days: Iterable[date]) -> Counter[str]:
    return Counter(kind for day in days for kind in _kinds(day))


def _odd(counts: Ints, place: int) -> bool:
    around = _around(counts, place, 1)
    count, middle = int(counts[place]), float(np.median(around))
    spread = TO_SIGMA * float(np.median(np.abs(around - middle)))
    far = abs(count - middle) > max(SPREADS * spread, BUSY / 2)
    return far and (count * FACTOR < middle or count > FACTOR * middle)


def _core_days(sessions: Mapping[date, int]) -> tuple[date, date]:
    days = sorted(sessions)
    numbers = np.array([day.toordinal() for day in days], np.int64)
    first, last = _core(numbers, np.array([sessions[day] for day in days], np.int64))
    return date.fromordinal(first), date.fromordinal(last)


def missing_days(folders: Sequence[Mapping[str, str | None]]) -> tuple[list[str], int] | None:
    """Days between the first and the last that no folder is named for, and the days from first to last.

    Args:
        folders: What the folders of each file name, as Hive has it: ``day=2024-05-30`` or ``year=…/month=…/day=…``.

    Returns:
        None where the folders name no days.
    """
    by_series: dict[str, set[date]] = defaultdict(set)
    for named in folders:
        for name, day in days_of_folders(named):
            by_series[name].add(day)
    if not by_series:
        return None
    days = max(by_series.values(), key=len)
    first, last = min(days), max(days)
    span = (last - first).days + 1
    every = (first + timedelta(days=number) for number in range(span))
    return [day.isoformat() for day in every if day not in days], span


def days_of_folders(named: Mapping[str, str | None]) -> list[tuple[str, date]]:
    """The days that folders are named for, each with the name of its series.

    Args:
        named: What the folders name, as Hive has it.
    """
    found = [(name, day) for name, value in named.items() if (day := _day(value or "")) is not None]
    parts = [named.get(name) for name in ("year", "month", "day")]
    if not found and all(parts):
        day = _day("-".join(str(part).zfill(2) for part in parts))
        return [] if day is None else [("year/month/day", day)]
    return found


def _day(text: str) -> date | None:
    found = ISO_DAY.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
