"""Measures events as they stream by, block by block, in input order: nothing of them is kept but small tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.checks.clock import Clock
from sessionize.checks.facts import Flagged
from sessionize.checks.findings import Example
from sessionize.checks.text import quoted, sanitize
from sessionize.engine.observe import Observer
from sessionize.instants import iso, microseconds
from sessionize.values import NamedTuple

PLACED: Final = "check.place"
"""File and row of an event in one number, so that a repeated one can be named after the events came together."""
ROW_BITS: Final = 32
SHOWN: Final = (schema.FILE, schema.ROW, schema.TIMESTAMP, schema.EVENT_TYPE)
SECONDS: Final = len("2024-05-30T00:00:00")


class Watched(NamedTuple):
    """What to look for.

    Attributes:
        timezone: IANA zone of local midnight.
        until: No event should be later, microseconds; None for no such time.
        since: No event should be earlier.
        known_types: The event types there should be; None for any.
        examples: How many examples are kept of each thing found.
        paths: Paths of the log's files.
    """

    timezone: str
    until: int | None
    since: int
    known_types: tuple[str, ...] | None
    examples: int
    paths: Sequence[str]


class Marked:
    """Counts, and keeps the first few with their places."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._number = 0
        self._examples: list[Example] = []

    def add(self, rows: pl.DataFrame, which: pl.Series, say: Callable[[dict[str, object]], str]) -> None:
        """Count the rows that are marked."""
        number = int(which.sum())
        limits = self._watched.examples - len(self._examples)
        if number and limits > 0:
            shown = [name for name in SHOWN if name in rows.columns]
            first = rows[which.arg_true().head(limits)].select(shown)
            self._examples += [
                example(row[schema.FILE], row[schema.ROW], say(row), self._watched.paths)
                for row in first.iter_rows(named=True)
            ]
        self._number += number

    @property
    def flagged(self) -> Flagged:
        """How many rows were marked, and the first of them."""
        return Flagged(self._number, tuple(self._examples))


def example(file: int, row: int, text: str, paths: Sequence[str]) -> Example:
    """An example with its place."""
    return Example(sanitize(text), paths[file], row)


class RowStats(Observer):
    """Looks at the events of each batch.

    Args:
        watched: What to look for.
        places: Whether events are given their places, by which one that repeats another can be named.
    """

    def __init__(self, watched: Watched, *, places: bool = True) -> None:
        self._places = places
        self.clock = Clock()
        self.blanks: dict[str, int] = {}
        self.future, self.ancient, self.unknown = (Marked(watched) for _ in range(3))
        self._watched = watched

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """Look at events with FILE and ROW; give them back, with PLACED where it will be needed."""
        times = events[schema.TIMESTAMP].to_physical()
        clock = Clock.of(times.to_numpy(), self._watched.timezone)
        self.clock += clock
        for role in schema.ID_ROLES:
            if role in events.columns:
                self.blanks[role] = self.blanks.get(role, 0) + events[role].null_count()
        self._look_at_times(events, times, clock)
        self._look_at_types(events)
        if not self._places or schema.EVENT_ID not in events.columns:
            return events
        return events.with_columns(_placed(events))

    def _look_at_times(self, rows: pl.DataFrame, times: pl.Series, clock: Clock) -> None:
        until, since = self._watched.until, self._watched.since
        if not clock.events:
            return
        if until is not None and clock.newest > until:
            self.future.add(rows, times > until, _time_of)
        if clock.oldest < since:
            self.ancient.add(rows, times < since, _time_of)

    def _look_at_types(self, rows: pl.DataFrame) -> None:
        known = self._watched.known_types
        if known is not None and schema.EVENT_TYPE in rows.columns:
            types = rows[schema.EVENT_TYPE]
            self.unknown.add(rows, ~types.is_in(list(known)).fill_null(value=True), _type_of)


def _placed(rows: pl.DataFrame) -> pl.Series:
    file, row = rows[schema.FILE].to_numpy().astype(np.uint64), rows[schema.ROW].to_numpy().astype(np.uint64)
    return pl.Series(PLACED, (file << np.uint64(ROW_BITS)) | row)


def place_of(placed: int) -> tuple[int, int]:
    """File and row of PLACED."""
    return placed >> ROW_BITS, placed & (1 << ROW_BITS) - 1


def _time_of(row: dict[str, object]) -> str:
    time = row[schema.TIMESTAMP]
    assert isinstance(time, datetime)
    return f"{iso(microseconds(time))[:SECONDS]}Z"


def _type_of(row: dict[str, object]) -> str:
    return f"event type {quoted(row[schema.EVENT_TYPE])}"


def described_time(microseconds: int | None) -> str:
    """A time for a message."""
    return "" if microseconds is None else iso(microseconds)
