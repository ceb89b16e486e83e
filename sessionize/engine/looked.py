"""Some events as days are measured by them: what the clock says of each, and each column's values as hashes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.engine.column_hashes import SLICE, ColumnHashes, Hashes, of_rows

HOURS: Final = 24
MINUTE_US: Final = 60_000_000
EPOCH_DAY: Final = date(1970, 1, 1)
DAYS_OF_DATES: Final = ((date.min - EPOCH_DAY).days, (date.max - EPOCH_DAY).days)
"""What a date can be, as days since 1970: in some zones, the first and the last instant that there are lie beyond."""
PLACES: Final = (schema.FILE, schema.ROW, schema.REASON)
OTHERS: Final = (*PLACES, schema.TIMESTAMP)
FOR_METRICS: Final = (schema.USE_PREFIX, schema.GOAL_PREFIX)
NOT_IN_A_REPEAT: Final = (*PLACES, schema.EVENT_ID)
"""A row that is there again under another event id is a repeat of it, too."""


class Times:
    """What the clock and the calendar say of some events.

    Args:
        times: Times of the events, in input order.
        timezone: IANA zone of hours and days.

    Attributes:
        micros: Microseconds since 1970 UTC (int64).
        days: Local day, as days since 1970 (int32).
        hours: Local hour of the day (int8).
        on_minute: Whether it is at second 0 (bool).
        at_midnight: Whether it is at local midnight (bool).
    """

    def __init__(self, times: pl.Series, timezone: str) -> None:
        self.micros = times.to_physical().to_numpy()
        local = self.micros
        if timezone != "UTC":
            local = times.dt.convert_time_zone(timezone).dt.replace_time_zone("UTC").to_physical().to_numpy()
        rows = len(local)
        self.days, self.hours = np.empty(rows, np.int32), np.empty(rows, np.int8)
        self.on_minute, self.at_midnight = np.empty(rows, np.bool_), np.zeros(rows, np.bool_)
        for start in range(0, rows, SLICE):
            self._look(local[start : start + SLICE], slice(start, start + SLICE))
        if timezone != "UTC":  # zones have been minutes and seconds off
            self.on_minute = self.micros // MINUTE_US * MINUTE_US == self.micros

    def _look(self, local: NDArray[np.int64], part: slice) -> None:
        """Look at the local times of some events."""
        minutes = local // MINUTE_US
        on_minute = minutes * MINUTE_US == local
        hours = minutes // 60
        days = hours // HOURS
        self.days[part] = days.clip(*DAYS_OF_DATES)
        self.hours[part] = hours - days * HOURS
        self.on_minute[part] = on_minute
        if on_minute.any():  # few are
            self.at_midnight[part] = on_minute & (minutes == days * (HOURS * 60))

    def ordered(self, order: NDArray[np.int64]) -> Times:
        """The same of the events in another order: for each place the event that is to stand there (int64)."""
        found = copy(self)
        for name, array in vars(self).items():
            setattr(found, name, array.take(order))
        return found

    def per_day(self, part: slice) -> dict[int, int]:
        """Local day → how many of some events are on it."""
        days = self.days[part]
        first = int(days.min())
        if int(days.max()) == first:
            return {first: len(days)}
        each, counts = np.unique(days, return_counts=True)
        return dict(zip(each.tolist(), counts.tolist(), strict=True))


class Looked:
    """Some events, as days are measured by them.

    Args:
        events: Canonical events, in input order.
        times: What the clock says of them, each in its place.
        followed: Column → name, of those whose values' shares are figures.
        known: Gives the columns' hashes.
        order: For each place the event that is to stand there (int64); None where they stand there already.

    Attributes:
        columns: The columns, by name.
        times: What the clock says of the events.
        followed: Column → name, of those whose values' shares are figures.
        measured: Columns of which empty and different values are counted.
        hashes: Hash of each event without its id (uint64).
    """

    def __init__(
        self, events: pl.DataFrame, times: Times, followed: Mapping[str, str], known: ColumnHashes,
        order: NDArray[np.int64] | None = None,
    ) -> None:  # fmt: skip
        names = [name for name in events.columns if name not in PLACES]
        self.columns = known.look(events.select(names), order)
        self.times = times
        self.followed = followed
        self.measured = {name for name in names if name not in OTHERS and not name.startswith(FOR_METRICS)}
        kept = [name for name in sorted(names) if name not in NOT_IN_A_REPEAT]
        self.hashes: Hashes = of_rows(self.columns, kept, events.height)
