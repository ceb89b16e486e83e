"""A night's policy on the trunk: carried events before the log's rows, settled sessions out, the others kept.

::

    W = until - lateness     late: before last night's W     early: at or after until     open: could still change at W
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import Arrived
from sessionize.engine.partition import Partition
from sessionize.engine.policy import Settled, Wanted, places
from sessionize.engine.result import Counts, Stand
from sessionize.kernel import sessionize, split_closed
from sessionize.kernel.epochs import EARLIEST
from sessionize.nightly.carryover import CarriedOut, Types, aligned
from sessionize.values import NamedTuple

PLACE: Final[dict[str, pl.DataType]] = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.PATH: pl.String()}
"""Columns of where an event stands, which go along where some may be rejected late: passive ones."""


class NightSettings(NamedTuple):
    """What was asked of a night.

    Attributes:
        until: End of the night, microseconds since 1970 UTC; None takes the time of its newest event.
        lateness: Microseconds that an event may come late.
        flush: Whether all is emitted as it stands, and nothing carried.
    """

    until: int | None
    lateness: int
    flush: bool = False


class Night:
    """The policy of one night: what was carried comes first, what can still change stays.

    Args:
        before: How far the nights before it have come.
        settings: What was asked of the night.
        carried: Canonical events that were carried into it, some at a time.
        types: Columns of both the carried and the arrived events.
        files: Paths of the night's own files.

    Attributes:
        out: The events that are carried over, so far.
        open_sessions: How many sessions they are in, so far.
        oldest: Start of the oldest of these sessions, microseconds since 1970 UTC.
        arrived_early: How many of the night's own rows belong to a night to come.
        newest: Time of the newest of its other rows, microseconds since 1970 UTC.
    """

    def __init__(
        self,
        before: Stand,
        settings: NightSettings,
        carried: Iterable[pl.DataFrame],
        types: Types,
        files: Sequence[str] = (),
    ) -> None:
        self.out = CarriedOut()
        self.open_sessions = 0
        self.oldest: int | None = None
        self.arrived_early = 0
        self.newest: int | None = None
        self._before = before
        self._settings = settings
        self._carried = carried
        self._types = types
        self._files = pl.Series(schema.PATH, list(files), pl.String)
        self._carried_in = 0
        self._early = 0

    @property
    def late_before(self) -> int | None:
        """Watermark of the night before: what comes before it is late."""
        return self._before.watermark

    def before(self, arrived: Iterable[Arrived]) -> Iterable[Arrived]:
        """Carried events, then those of the log, with the same columns."""
        return map(self._aligned, chain(map(self._count, self._carried), map(self._look, arrived)))

    def _aligned(self, arrived: Arrived) -> Arrived:
        return arrived._replace(events=aligned(arrived.events, self._types))

    def _count(self, carried: pl.DataFrame) -> Arrived:
        self._carried_in += carried.height
        return Arrived(carried, share=1.0)  # what is to come behind them cannot be told from them

    def _look(self, arrived: Arrived) -> Arrived:
        times, until = arrived.events[schema.TIMESTAMP].to_physical(), self._settings.until
        if until is not None:
            early = times >= until
            self.arrived_early += int(early.sum())
            times = times.filter(~early)
        newest = times.max()
        self.newest = _latest(self.newest, newest if isinstance(newest, int) else None)
        return arrived

    @property
    def silence(self) -> int | None:
        """Microseconds from its own last event to its end; None where either is not known."""
        until = self._settings.until
        return None if until is None or self.newest is None else max(0, until - self.newest)

    def close(self, plan: Plan, newest: int | None) -> Stand:  # noqa: ARG002 - a night's end has been worked out
        """How far the nights have come with this one; the watermark never goes back.

        Args:
            plan: Not used: a night's end is its own.
            newest: Time of the log's newest event, microseconds since 1970 UTC.
        """
        before, settings = self._before, self._settings
        known = _latest(before.newest, newest)
        if settings.flush:
            watermark = _latest(before.watermark, known if settings.until is None else settings.until)
            return Stand(watermark, before.until, known)
        complete = newest if settings.until is None else settings.until
        end = complete if settings.until is not None or newest is None else newest + 1
        watermark = _latest(before.watermark, None if complete is None else max(EARLIEST, complete - settings.lateness))
        return Stand(watermark, _latest(before.until, end), known)

    def settle(self, partition: Partition, plan: Plan, stand: Stand, wanted: Wanted) -> Iterator[Settled]:  # noqa: ARG002
        """The sessions of some whole keys that can change no more; the others' events are carried over.

        Args:
            partition: Events of the keys, carried and arrived.
            plan: The rules.
            stand: How far the nights have come with this one.
            wanted: Not used: which event is in which session must be known in any case.
        """
        events = partition.release()
        waiting = self._waiting(events, stand)
        early = events.filter(waiting)
        events = events.filter(~waiting) if early.height else events
        done = sessionize(events, plan, assign=True)
        if self._settings.flush:
            self.out.add(self._kept(events.clear()), None)
            yield Settled(done, events, places(done.alone, events, plan))
            return
        found = split_closed(done, events, plan, stand.watermark)
        self._early += early.height
        self.open_sessions += found.open_sessions
        self.oldest = min((start for start in (self.oldest, found.oldest) if start is not None), default=None)
        self.out.add(self._kept(pl.concat([events[found.carried], early])), partition.folder)
        yield Settled(found.closed, events, places(found.closed.alone, events, plan))

    def _kept(self, events: pl.DataFrame) -> pl.DataFrame:
        """Events as they are carried over: the number of a file means nothing to the next night, its path does."""
        if schema.PATH not in events.columns:
            return events
        path = self._files.gather(events[schema.FILE])
        return events.with_columns(
            pl.coalesce(schema.PATH, pl.lit(path)).alias(schema.PATH), pl.lit(None, pl.UInt32).alias(schema.FILE)
        )

    def _waiting(self, events: pl.DataFrame, stand: Stand) -> pl.Series:
        """Which events belong to a night to come (Boolean, one for each event)."""
        if self._settings.flush or stand.until is None:
            return pl.repeat(value=False, n=events.height, eager=True)
        return events[schema.TIMESTAMP].to_physical() >= stand.until

    @property
    def counts(self) -> Counts:
        """Events carried in, and what of all is kept: ``early`` ones wait for their night, the others are open.

        What one night keeps, ``early + carried_out``, is what the next has ``carried_in``.
        """
        return Counts(carried_in=self._carried_in, early=self._early, carried_out=self.out.rows - self._early)


def _latest(*times: int | None) -> int | None:
    return max((time for time in times if time is not None), default=None)
