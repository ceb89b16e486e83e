"""One day's figures, as its events and sessions are shown: sums and sketches that do not depend on how they were cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.engine.column_hashes import Column, Counted
from sessionize.engine.forms import ALPHABETS, Form
from sessionize.engine.looked import HOURS, Looked, Times
from sessionize.engine.moments import Moments
from sessionize.engine.sketch import Sketch
from sessionize.kernel.describe import seconds
from sessionize.read.raw_rows import values_of
from sessionize.summary.daily import COUNT, MEAN, SHARE, Figure, column_of

BLOCK: Final = 3
"""Hours of the day are told in blocks of so many."""
MOST_VALUES: Final = 1_000
"""Different values of a dimension that are counted; of more, the commonest."""
SHOWN_VALUES: Final = 20
Named = Iterator[tuple[str, Figure]]


class Day:
    """What is known of one day."""

    def __init__(self) -> None:
        self._rows = 0
        self._nulls: Counter[str] = Counter()
        self._sketches: dict[str, Sketch] = {}
        self._whole_rows = Sketch()
        self._values: dict[str, Counter[str]] = {}
        self._per_hour: NDArray[np.int64] = np.zeros(HOURS, np.int64)
        self._by_local: Counter[int] = Counter()
        self._descents = self._whole_minutes = self._midnights = 0
        self._latest: int | None = None
        self._amount = Moments()
        self._of_sessions = {name: Moments() for name in ("events", "page_views", "duration")}
        self._flags: Counter[str] = Counter()

    def events(self, rows: Looked, part: slice) -> None:
        """Take some of its events in.

        Args:
            rows: Events, in input order.
            part: Which of them are of this day.
        """
        self._rows += part.stop - part.start
        self._by_local.update(rows.times.per_day(part))
        self._times(rows.times, part)
        for name, column in rows.columns.items():
            counted = column.counted(part)
            if name in rows.measured:
                self._column(name, column, part, counted)
            if name in rows.followed:
                self._follow(rows.followed[name], column, part, counted)
        if schema.VALUE in rows.columns:
            self._amount.add(_there(rows.columns[schema.VALUE].values(part)))
        self._whole_rows.add(rows.hashes[part])

    def sessions(self, sessions: pl.DataFrame) -> None:
        """Take some of its sessions in, as `of_sessions` gives them."""
        for name in ("events", "page_views"):
            self._of_sessions[name].add(_there(sessions[name]))
        self._of_sessions["duration"].add(_there(sessions["log_duration"]))
        self._flags["bounced"] += int(np.count_nonzero(sessions["events"].to_numpy() == 1))
        self._flags["converted"] += int(np.count_nonzero(sessions["conversions"].to_numpy() > 0))

    @property
    def first_hour(self) -> int:
        """The first hour of the day that has an event."""
        there = np.flatnonzero(self._per_hour)
        return int(there[0]) if len(there) else HOURS

    @property
    def last_hour(self) -> int:
        """The last hour of the day that has an event."""
        there = np.flatnonzero(self._per_hour)
        return int(there[-1]) if len(there) else 0

    def _times(self, times: Times, part: slice) -> None:
        micros = times.micros[part]
        self._per_hour += np.bincount(times.hours[part], minlength=HOURS)
        on_minute = int(np.count_nonzero(times.on_minute[part]))
        self._whole_minutes += on_minute
        self._midnights += int(np.count_nonzero(times.at_midnight[part])) if on_minute else 0
        self._descents += int(np.count_nonzero(micros[1:] < micros[:-1]))
        self._descents += self._latest is not None and int(micros[0]) < self._latest
        self._latest = int(micros[-1])

    def _column(self, name: str, column: Column, part: slice, counted: Counted | None) -> None:
        self._nulls[name] += column.nulls(part)
        is_id = name in schema.ID_ROLES
        sketch = self._sketches.setdefault(name, Sketch(texts=is_id))
        if counted is None or is_id:
            sketch.add(*column.there(part))
        else:
            sketch.add_counted(column.hashes_of(counted.codes), counted.counts)

    def _follow(self, name: str, column: Column, part: slice, counted: Counted | None) -> None:
        counts = self._values.setdefault(name, Counter())
        if counted is None:
            values, numbers = column.values(part).drop_nulls().value_counts().get_columns()
            counts.update(dict(zip(map(str, values_of(values)), numbers, strict=True)))
        else:
            counts.update(dict(zip(column.texts_of(counted.codes), counted.counts.tolist(), strict=True)))
        if len(counts) > 2 * MOST_VALUES:
            self._values[name] = Counter(dict(_commonest(counts, MOST_VALUES)))

    @property
    def commonest(self) -> int | None:
        """The local day of most of its events, as days since 1970; None without any."""
        return max(self._by_local, key=lambda day: (self._by_local[day], day), default=None)

    @property
    def ids(self) -> dict[str, pl.Series]:
        """By role of ids, a fair choice of its different ones."""
        there = {role: self._sketches[role] for role in schema.ID_ROLES if role in self._sketches}
        return {role: sketch.texts for role, sketch in there.items() if sketch.sampled}

    def figures(self, day: int | None, forms: Mapping[str, Form]) -> Named:
        """Its figures.

        Args:
            day: Which day it is named for, as days since 1970; None, or one below 0, where it is named for none.
            forms: What its `ids` look like, by role.
        """
        sessions = self._of_sessions["events"]
        profiles = self._sketches.get(schema.PROFILE_ID)
        visitors = sessions.number if profiles is None else min(profiles.different, sessions.number)
        varied = 1 + (sessions.deviation / sessions.mean) ** 2 if sessions.mean else 1.0
        yield "volume.events", Figure(COUNT, self._rows, sessions.number / varied)
        yield "volume.sessions", Figure(COUNT, sessions.number, visitors)
        if profiles is not None:
            yield "volume.profiles", Figure(COUNT, profiles.different, profiles.sampled)
        if not self._rows:
            return
        yield from self._of_columns(visitors)
        yield from self._of_values(visitors)
        yield from self._of_times(day, visitors)
        yield from self._of_ids(forms)
        again, came = self._whole_rows.repeats
        yield "repeated.rows", Figure(SHARE, again / came, min(came, max(1, visitors)))
        yield from self._of_all_sessions()

    def _of_columns(self, visitors: int) -> Named:
        for name, sketch in sorted(self._sketches.items()):
            called = column_of(name)
            if called != name and called in self._sketches:
                continue
            yield f"null.{called}", Figure(SHARE, self._nulls[name] / self._rows, visitors)
            if name != schema.PROFILE_ID:
                yield f"different.{called}", Figure(COUNT, sketch.different, min(sketch.sampled, visitors))
        if self._amount.number:
            amount = self._amount
            yield "amount.mean", amount.figure
            # Of a normal distribution the deviation's own error is sd / sqrt(2 n); amounts have longer tails.
            yield "amount.deviation", Figure(MEAN, amount.deviation, amount.number, 2 * amount.deviation)

    def _of_values(self, visitors: int) -> Named:
        for name, counts in sorted(self._values.items()):
            whole = counts.total()
            if len(counts) <= MOST_VALUES:
                for value, number in _commonest(counts, SHOWN_VALUES):
                    yield f"share.{name}={value}", Figure(SHARE, number / max(1, whole), visitors)

    def _of_times(self, day: int | None, visitors: int) -> Named:
        for start in range(0, HOURS, BLOCK):
            number = int(self._per_hour[start : start + BLOCK].sum())
            yield f"hours.{start:02}-{start + BLOCK:02}", Figure(SHARE, number / self._rows, visitors)
        elsewhere = 0 if day is None or day < 0 else self._rows - self._by_local[day]
        yield "times.on another day", Figure(SHARE, elsewhere / self._rows, visitors)
        yield "times.out of order", Figure(SHARE, self._descents / self._rows, visitors)
        yield "times.at second 0", Figure(SHARE, self._whole_minutes / self._rows, visitors)
        yield "times.at midnight", Figure(SHARE, self._midnights / self._rows, visitors)

    def _of_ids(self, forms: Mapping[str, Form]) -> Named:
        for role, form in forms.items():
            yield f"form.{role} length", form.length.figure
            for alphabet in ALPHABETS:
                number = form.length.number
                yield f"form.{role} with {alphabet}", Figure(SHARE, form.with_each[alphabet] / number, number)

    def _of_all_sessions(self) -> Named:
        sessions = self._of_sessions["events"].number
        if not sessions:
            return
        for name, number in sorted(self._flags.items()):
            yield f"sessions.{name}", Figure(SHARE, number / sessions, sessions)
        for name, moments in self._of_sessions.items():
            shown = "log of duration" if name == "duration" else name.replace("_", " ")
            yield f"sessions.{shown}", moments.figure


def _there(values: pl.Series) -> NDArray[Any]:
    """Numbers of a column, without null."""
    return (values.drop_nulls() if values.null_count() else values).to_numpy()


def _commonest(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """The commonest values, whatever the order they came in."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]


def of_sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    """What days are told of sessions: their events, page views, conversions and the logarithm of their duration."""
    duration = seconds(sessions["duration_s"]).log1p().alias("log_duration")
    return sessions.select("start", "events", "page_views", "conversions").with_columns(duration)
