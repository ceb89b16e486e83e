"""One night's part in the spine: carried events before the log's rows, settled sessions out, the others kept.

::

    W = until - lateness     late: before last night's W     early: at or after until     open: could still change at W
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.partition import Limits
from sessionize.kernel import Sessionized, sessionize, settle
from sessionize.nightly.carryover import CarriedOut, Types, aligned


class Stand(NamedTuple):
    """How far the nights have come; times in microseconds since 1970 UTC, None before the first event.

    Attributes:
        watermark: No event before it is taken any more.
        until: End of the nights so far: what comes at or after it belongs to a night to come.
        newest: Time of the newest event, early ones too.
    """

    watermark: int | None = None
    until: int | None = None
    newest: int | None = None


class Asked(NamedTuple):
    """What was asked of a night.

    Attributes:
        until: Its end; None takes its newest event time.
        lateness: Microseconds that an event may come late.
        flush: Whether all is emitted as it stands, and nothing carried.
    """

    until: int | None
    lateness: int
    flush: bool = False


class Night:
    """A night on its way through the spine.

    Args:
        before: How far the nights before it have come.
        asked: Its end, its lateness, whether it is the last.
        carried: What was carried into it: canonical events, some at a time.
        types: Columns of both the carried and the arrived events.
    """

    def __init__(self, before: Stand, asked: Asked, carried: Iterable[pl.DataFrame], types: Types) -> None:
        self.before = before
        self.after = before
        self.out = CarriedOut()
        self.open_sessions = 0
        self.oldest: int | None = None
        """Start of the oldest open session."""
        self._asked = asked
        self._carried = carried
        self._types = types
        self._carried_in = 0
        self._early = 0

    def with_carried(self, arrived: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Carried events, then those of the log, with the same columns."""
        return (aligned(events, self._types) for events in chain(self._counted(), arrived))

    def _counted(self) -> Iterator[pl.DataFrame]:
        for events in self._carried:
            self._carried_in += events.height
            yield events

    def close(self, newest: int | None) -> int | None:
        """The watermark, once the whole log has been read; it never goes back.

        Args:
            newest: Time of the log's newest event.
        """
        before, asked = self.before, self._asked
        known = _latest(before.newest, newest)
        if asked.flush:
            watermark = _latest(before.watermark, known if asked.until is None else asked.until)
            self.after = Stand(watermark, before.until, known)
        else:
            complete = newest if asked.until is None else asked.until
            end = complete if asked.until is not None or newest is None else newest + 1
            watermark = _latest(before.watermark, None if complete is None else complete - asked.lateness)
            self.after = Stand(watermark, _latest(before.until, end), known)
        return self.after.watermark

    def settled(self, events: pl.DataFrame, plan: Plan, limits: Limits | None) -> tuple[Sessionized, pl.DataFrame]:
        """The sessions of some whole keys that can change no more, and the events they were made of.

        Args:
            events: Carried and arrived, in input order.
            plan: The rules.
            limits: Where to keep what is carried over; None for memory.
        """
        waiting = self._waiting(events)
        early = events.filter(waiting)
        events = events.filter(~waiting) if early.height else events
        done = sessionize(events, plan, assign=True)
        if self._asked.flush:
            self.out.add(events.clear(), None)
            return done, events
        found = settle(done, events, plan, self.after.watermark)
        self._early += early.height
        self.open_sessions += found.open_sessions
        self.oldest = min((start for start in (self.oldest, found.oldest) if start is not None), default=None)
        self.out.add(pl.concat([events[found.carried], early]), None if limits is None else limits.scratch())
        return found.closed, events

    def _waiting(self, events: pl.DataFrame) -> pl.Series:
        """Which events belong to a night to come."""
        if self._asked.flush or self.after.until is None:
            return pl.repeat(value=False, n=events.height, eager=True)
        return events[schema.TIMESTAMP].to_physical() >= self.after.until

    @property
    def counts(self) -> Mapping[str, int]:
        """Events carried in, and what of all is kept: ``early`` ones wait for their night, the others are open.

        What one night keeps, ``early + carried_out``, is what the next has ``carried_in``.
        """
        return {"carried_in": self._carried_in, "early": self._early, "carried_out": self.out.rows - self._early}


def _latest(*times: int | None) -> int | None:
    return max((time for time in times if time is not None), default=None)
