"""What can be told from times alone, in one look at them; two looks add up to one at both together."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.values import dataclass

Ints = NDArray[np.int64]
SECOND: Final = 1_000_000
DAY_S: Final = 86_400
QUARTER_S: Final = 900
"""Zones differ from UTC by whole quarters of an hour."""
DENSE_HOURS: Final = 1_000_000


def _empty() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Clock:
    """What the times of some events, in input order, tell.

    Attributes:
        events: How many events there are.
        descents: Events earlier than the one before them.
        first: Time of the first event in input order, microseconds since 1970 UTC.
        last: Time of the last event in input order.
        oldest: The earliest time.
        newest: The latest time.
        seconds: Events at each second of the UTC day (int64, 86,400 of them).
        hours: Hours since 1970 that have an event, ascending (int64).
        per_hour: Events in each of these.
        midnights: Events at exactly local midnight.
    """

    events: int = 0
    descents: int = 0
    first: int = 0
    last: int = 0
    oldest: int = 0
    newest: int = 0
    seconds: Ints = field(default_factory=lambda: np.zeros(DAY_S, np.int64))
    hours: Ints = field(default_factory=_empty)
    per_hour: Ints = field(default_factory=_empty)
    midnights: int = 0

    @classmethod
    def of(cls, times: Ints, timezone: str) -> Self:
        """Look at times, microseconds since 1970 UTC, in input order."""
        if not len(times):
            return cls()
        second = times // SECOND
        day = second // DAY_S
        second_of_day = second - day * DAY_S
        seconds = np.bincount(second_of_day, minlength=DAY_S).astype(np.int64)
        hours, per_hour = _hours(second // 3600)
        quarters = bool(seconds[::QUARTER_S].any())
        return cls(
            events=len(times),
            descents=int(np.count_nonzero(times[1:] < times[:-1])),
            first=int(times[0]),
            last=int(times[-1]),
            oldest=int(times.min()),
            newest=int(times.max()),
            seconds=seconds,
            hours=hours,
            per_hour=per_hour,
            midnights=_midnights(times, second_of_day, timezone) if quarters else 0,
        )

    def __add__(self, other: Clock) -> Clock:
        """The look at both, this one's events first."""
        if not self.events or not other.events:
            return self if self.events else other
        hours, place = np.unique(np.concatenate([self.hours, other.hours]), return_inverse=True)
        per_hour = np.zeros(len(hours), np.int64)
        np.add.at(per_hour, place, np.concatenate([self.per_hour, other.per_hour]))
        return Clock(
            events=self.events + other.events,
            descents=self.descents + other.descents + (other.first < self.last),
            first=self.first,
            last=other.last,
            oldest=min(self.oldest, other.oldest),
            newest=max(self.newest, other.newest),
            seconds=self.seconds + other.seconds,
            hours=hours,
            per_hour=per_hour,
            midnights=self.midnights + other.midnights,
        )


def _hours(hour: Ints) -> tuple[Ints, Ints]:
    """The different hours, ascending, and how often each is there (both int64, equally long).

    Examples:
        >>> [column.tolist() for column in _hours(np.array([5, 3, 5]))]
        [[3, 5], [1, 2]]
    """
    first = int(hour.min())
    if int(hour.max()) - first > DENSE_HOURS:
        hours, counts = np.unique(hour, return_counts=True)
        return hours, counts.astype(np.int64)
    counts = np.bincount(hour - first)
    there = np.flatnonzero(counts)
    return there + first, counts[there].astype(np.int64)


def _midnights(times: Ints, second_of_day: Ints, timezone: str) -> int:
    if timezone == "UTC":
        return int(np.count_nonzero(times[second_of_day == 0] % SECOND == 0))
    near = times[second_of_day % QUARTER_S == 0]
    local = pl.Series(near[near % SECOND == 0]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(timezone)
    return int((local.dt.time() == pl.select(pl.time(0, 0, 0)).item()).sum())
