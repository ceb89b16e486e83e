"""What each day of a log, or a night, is like: an observer that makes `Figures` of the events and sessions it is shown.

What is kept of a day is small: counts, sums, and a `Sketch` of each column. Of a log of many days the last MOST_DAYS are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.column_hashes import ColumnHashes
from sessionize.engine.day import Day, of_sessions
from sessionize.engine.forms import Form, forms
from sessionize.engine.looked import EPOCH_DAY, HOURS, Looked, Times
from sessionize.engine.observe import Observer, Whole
from sessionize.kernel import Sessionized
from sessionize.kernel.privacy import is_hidden
from sessionize.summary.daily import Figure, written

MOST_DAYS: Final = 56
UNDATED: Final = -1
"""A night that is not named for a day."""
FOLLOWED: Final = ("utm_source", "utm_medium", schema.CHANNEL)
"""Roles of few different values, of which each value's share is a figure."""
PREFIXES: Final = (schema.OWN_PREFIX, schema.PROPERTY_PREFIX, schema.TRAIT_PREFIX)
EDGE: Final = 2
"""Hours from a day's beginning, or end, in which there is an event of a day that the log has all of."""


class Profile(Observer):
    """Measures days.

    Args:
        plan: What the configuration means for this log.
        days: By file, the day it is named for, as days since 1970; None where an event's own time says its day.
        whole: The one day that all belongs to, UNDATED where it has no name; None where there may be several.
        dimensions: Columns of which each value's share is a figure, besides those that the run carries.
    """

    only_looks = True

    def __init__(
        self, plan: Plan, *, days: tuple[int, ...] | None = None, whole: int | None = None,
        dimensions: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._plan = plan
        self._days = days
        self._whole = whole
        self._dimensions = tuple(dimensions)
        self._known = ColumnHashes()
        self._of: dict[int, Day] = {}
        self._shared: dict[tuple[int, int], int] = {}
        """Events of each (local day, day that they are counted to)."""

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """Look at some events as they arrive."""
        if events.is_empty():
            return events
        times = Times(events[schema.TIMESTAMP], self._plan.timezone)
        unit = self._units(events, times)
        order = _order(unit)
        if order is not None:
            unit, times = unit[order], times.ordered(order)
        looked = Looked(events, times, self._followed(events.columns), self._known, order)
        parts = _runs(unit)
        last = {
            *sorted({*self._of, *(number for number, _ in parts)})[-MOST_DAYS:]
        }  # the others would be dropped again
        for number, part in parts:
            for day, count in times.per_day(part).items():
                self._shared[day, number] = self._shared.get((day, number), 0) + count
            if number in last:
                self._day(number).events(looked, part)
        self._drop_old()
        return events

    def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:  # noqa: ARG002
        """Look at sessions: each belongs to the day to which most events of its first day were counted."""
        frame = of_sessions(sessions.sessions)
        if frame.is_empty():
            return
        if self._whole is not None:
            self._day(self._whole).sessions(frame)
            return
        most: dict[int, tuple[int, int]] = {}
        for (day, unit), count in self._shared.items():
            most[day] = max(most.get(day, (0, 0)), (count, unit))
        days = Times(frame["start"].cast(pl.Datetime("us", "UTC")), self._plan.timezone).days
        order = _order(days)
        if order is not None:
            frame, days = frame[order.astype(np.uint32)], days[order]
        for day, part in _runs(days):
            of = self._of.get(most[day][1]) if day in most else None
            if of is not None:
                of.sessions(frame[part])

    def of_days(self) -> dict[date | None, dict[str, Figure]]:
        """Figures by day, the days in order; one day None for a log without events and without a day in its name."""
        for day in (self._whole,) if self._whole is not None else self._days or ():
            self._day(day)  # it is there, though it may have no event
        self._drop_old()
        if not self._of:
            return {None: dict(Day().figures(None, {}))}
        ids = [(day, role, texts) for day, each in sorted(self._of.items()) for role, texts in each.ids.items()]
        of_ids: dict[int, dict[str, Form]] = {day: {} for day in self._of}
        for (day, role, _), form in zip(ids, forms([texts for _, _, texts in ids]), strict=True):
            of_ids[day][role] = form
        return {self._date(day): dict(each.figures(day, of_ids[day])) for day, each in sorted(self._of.items())}

    def _date(self, number: int) -> date | None:
        """The day of a number; an undated night's is that of most of its events."""
        day = self._of[number].commonest if number == UNDATED else number
        return None if day is None else EPOCH_DAY + timedelta(days=day)

    def written(self, types: Mapping[str, pl.DataType]) -> dict[str, Any] | None:
        """The day as a manifest keeps it; None where there are several.

        Args:
            types: Columns of the log.
        """
        days = self.of_days()
        if len(days) != 1:
            return None
        ((day, figures),) = days.items()
        return {
            "day": None if day is None else day.isoformat(),
            "columns": {name: str(dtype) for name, dtype in types.items()},
            "figures": written(figures),
        }

    def edges(self) -> set[date | None]:
        """Days at the ends of the log that hardly are there from their first hour to their last: they say little.

        Not where that is all there is.
        """
        if self._days is not None or self._whole is not None or not self._of:
            return set()
        first, last = min(self._of), max(self._of)
        cut = {first} if self._of[first].first_hour > EDGE else set()
        cut |= {last} if self._of[last].last_hour < HOURS - EDGE else set()
        return set(map(self._date, cut)) if len(cut) < len(self._of) else set()

    def _units(self, events: pl.DataFrame, times: Times) -> NDArray[np.int32]:
        """The day that each event is counted to."""
        if self._whole is not None:
            return np.full(events.height, self._whole, np.int32)
        if self._days is None:
            return times.days
        days: NDArray[np.int32] = np.array(self._days, np.int32).take(events[schema.FILE].to_numpy())
        return days

    def _followed(self, columns: Collection[str]) -> Mapping[str, str]:
        """Column → its name among the figures, of the columns whose values' shares are figures."""
        found = {name: name for name in (schema.EVENT_TYPE, *FOLLOWED) if name in columns}
        for prefix in PREFIXES:
            for column in columns:
                name = column.removeprefix(prefix)
                if column.startswith(prefix) and name not in found.values():
                    found[column] = name
        by_role = {names[0]: role for role, names in self._plan.columns.items() if len(names) == 1}
        for name in self._dimensions:
            column = by_role.get(name, name)
            if column in columns and column not in found:
                found[column] = name
        return {column: name for column, name in found.items() if not self._is_private(column)}

    def _is_private(self, column: str) -> bool:
        """Whether it holds ids or addresses that nobody may see: its values do not become names of figures."""
        own = {schema.OWN_PREFIX + name: told for each in self._plan.own for name, told in each.uses.items()}
        reference = own.get(column, (self._plan.columns.get(column) or (column,))[0])
        return is_hidden(reference, self._plan)

    def _day(self, number: int) -> Day:
        return self._of.setdefault(number, Day())

    def _drop_old(self) -> None:
        for number in sorted(self._of)[:-MOST_DAYS]:
            del self._of[number]


def number_of(day: date | None) -> int:
    """A day as days since 1970; UNDATED for None."""
    return UNDATED if day is None else (day - EPOCH_DAY).days


def _order(numbers: NDArray[np.int32]) -> NDArray[np.int64] | None:
    """The places of numbers in ascending order, equal ones in theirs (int64); None where they ascend already."""
    return None if (numbers[1:] >= numbers[:-1]).all() else np.argsort(numbers, kind="stable")


def _runs(numbers: NDArray[np.int32]) -> list[tuple[int, slice]]:
    """The different ones of ascending numbers, and where each is.

    Examples:
        >>> _runs(np.array([4, 4, 7]))
        [(4, slice(0, 2, None)), (7, slice(2, 3, None))]
    """
    starts = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist()]
    ends = [*starts[1:], len(numbers)]
    return [(int(numbers[start]), slice(start, end)) for start, end in zip(starts, ends, strict=True)]
