"""What a run takes of a log, and what it may give out: all of it at once, or a batch of a log that comes in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import Arrived
from sessionize.engine.partition import Partition
from sessionize.engine.result import Counts, Stand
from sessionize.instants import microseconds
from sessionize.kernel import Sessionized, sessionize
from sessionize.kernel.streamed import streamed_by_time
from sessionize.values import NamedTuple

WHERE: Final = (schema.FILE, schema.ROW)


class Settled(NamedTuple):
    """The sessions of some whole keys that are given out.

    Attributes:
        sessions: What the kernel found.
        events: The canonical events that its rows count in; None where nobody asked for them.
        alone: FILE, ROW and maybe PATH of passive events that are in no session; None where no event is passive.
    """

    sessions: Sessionized
    events: pl.DataFrame | None
    alone: pl.DataFrame | None = None


class Wanted(NamedTuple):
    """What is needed beside the sessions.

    Attributes:
        assigned: Whether to say which session each event is in.
        events: Whether the events are still needed when their sessions have been made.
    """

    assigned: bool = False
    events: bool = False


class Policy(Protocol):
    """Which events a run takes, and which sessions it gives out. `nightly.batch.Night` is the other one."""

    @property
    def late_before(self) -> int | None:
        """An event before it comes too late, microseconds since 1970 UTC; None: none does."""

    @property
    def counts(self) -> Counts:
        """Events carried in and out, and early ones, so far."""

    def before(self, arrived: Iterable[Arrived]) -> Iterable[Arrived]:
        """The events of the log, behind those that were carried over."""

    def close(self, plan: Plan, newest: int | None) -> Stand:
        """How far the log has come, once all of it has been read.

        Args:
            plan: Up to which time the log is complete, if that was said.
            newest: Time of the log's newest event, microseconds since 1970 UTC; None if it has no event.
        """

    def settle(self, partition: Partition, plan: Plan, stand: Stand, wanted: Wanted) -> Iterator[Settled]:
        """The sessions of some whole keys that may be given out, once or in turn; others are kept for a later batch.

        Args:
            partition: The events of the keys.
            plan: The rules.
            stand: What `close` has said.
            wanted: What is needed beside the sessions.
        """


def places(rows: pl.Series, events: pl.DataFrame, plan: Plan) -> pl.DataFrame | None:
    """Where events stand in the log's files; None where that need not be known, as no event is passive.

    Args:
        rows: Rows of the events.
        events: Canonical events.
        plan: The rules.
    """
    if not plan.rules.passive:
        return None
    return events.select(name for name in (*WHERE, schema.PATH) if name in events.columns)[rows]


class OneShot:
    """The whole log at once: nothing is late, nothing is carried, every session is given out."""

    late_before: int | None = None
    counts: Counts = Counts()

    def before(self, arrived: Iterable[Arrived]) -> Iterable[Arrived]:
        """The events of the log."""
        return arrived

    def close(self, plan: Plan, newest: int | None) -> Stand:
        """The watermark is the time that was given, else that of the newest event."""
        return Stand(newest if plan.until is None else microseconds(plan.until), None, newest)

    def settle(self, partition: Partition, plan: Plan, stand: Stand, wanted: Wanted) -> Iterator[Settled]:
        """All sessions. Where nobody else needs the events, the kernel has them alone and lets go of each column in time."""
        if partition.is_large and not wanted.events:
            assign = wanted.assigned or bool(plan.rules.passive)
            for part in streamed_by_time(partition.slices(), plan, stand.watermark, assign=assign):
                alone = places(part.sessions.alone, part.events, plan)
                settled = Settled(part.sessions, part.events if wanted.assigned else None, alone)
                del part  # the events are many
                yield settled
        elif not (wanted.events or wanted.assigned or plan.rules.passive):
            yield Settled(sessionize(partition.release(), plan), None)
        else:
            events = partition.release()
            done = sessionize(events, plan, assign=wanted.assigned)
            yield Settled(done, events, places(done.alone, events, plan))


ONE_SHOT: Final = OneShot()
