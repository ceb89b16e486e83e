"""What every answer begins with: what it needs of a log, the sessions that are meant, and the facts that frame it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.answers.ask import Ask
from sessionize.answers.source import Need, Source
from sessionize.instants import EPOCH
from sessionize.kernel import as_text
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.summary.selection import OF_START, check_span

ONE_MICROSECOND: Final = timedelta(microseconds=1)
Batches = Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]
Prepare = Callable[[pl.DataFrame], pl.DataFrame]


def need(ask: Ask, *, events: bool, named: tuple[str, ...] = ()) -> Need:
    """What an answer needs of its log.

    Args:
        ask: What was asked.
        events: Whether every event is needed.
        named: More texts that may name a column.
    """
    carried = ask.by if ask.by is not None and ask.by not in OF_START else None
    texts = tuple(text for text in (ask.by, ask.selection.where, *named) if text is not None)
    return Need(
        events=events,
        named=texts,
        carried=carried,
        steps=named,
        containing=ask.selection.containing,
        newest=ask.selection.last is not None,
    )


def selected(origin: Source, ask: Ask, prepare: Prepare = lambda events: events) -> Batches:
    """The sessions that are meant, and their events.

    Args:
        origin: Where the sessions come from.
        ask: Which are meant.
        prepare: Sees the events of all sessions, and gives them back, maybe with other columns.
    """
    check_span(ask.selection)
    meant: pl.Expr | None = None
    for number, (sessions, found) in enumerate(origin.batches):
        events = None if found is None else prepare(found)
        if ask.selection.where is not None or ask.by is not None:
            sessions = as_text(sessions)  # noqa: PLW2901 - the same, in texts
        if number == 0:
            meant = ask.selection.of(visible(sessions), origin.newest, origin.timezone, origin.log_columns)
        if meant is None:
            yield sessions, events
            continue
        keep = sessions.select(meant.fill_null(value=False).alias("keep"))["keep"]
        yield sessions.filter(keep), None if events is None else events.filter(_each(keep, sessions["events"]))


class Spanned:
    """Batches of sessions, which remember from when to when these are: also those that are not meant.

    Args:
        batches: Sessions and their events.
    """

    def __init__(self, batches: Iterable[tuple[pl.DataFrame, pl.DataFrame | None]]) -> None:
        self._batches = batches
        self.first: datetime | None = None
        self.last: datetime | None = None

    def __iter__(self) -> Batches:
        for sessions, events in self._batches:
            first, last = sessions["start"].min(), sessions["end"].max()
            if isinstance(first, datetime) and isinstance(last, datetime):
                self.first = first if self.first is None else min(self.first, first)
                self.last = last if self.last is None else max(self.last, last)
            yield sessions, events


def visible(sessions: pl.DataFrame) -> dict[str, pl.DataType]:
    """The columns of sessions that SQL sees, and their types."""
    own = (name.removeprefix(schema.OWN_PREFIX) for name in sessions.columns if name.startswith(schema.OWN_PREFIX))
    names = (*METRIC_NAMES, *own, *(name for name in sessions.columns if name.startswith(schema.PROPERTY_PREFIX)))
    return {name: sessions.schema[name] for name in names if name in sessions.columns}


def _each(of_sessions: pl.Series, events: pl.Series) -> pl.Series:
    """What holds of each session, once an event."""
    return pl.Series(of_sessions.to_numpy().repeat(events.to_numpy()))


def facts(origin: Source) -> dict[str, Any]:
    """What was read and decided, for the first and last lines of a screen."""
    newest = origin.newest
    return {
        "inputs": list(origin.inputs),
        "account": origin.account,
        "newest": None if newest is None else EPOCH + timedelta(microseconds=newest),
        "timezone": origin.timezone,
        "event_types": origin.event_types,
        "log_columns": origin.log_columns,
        "choices": origin.choices,
        "notes": origin.notes,
    }
