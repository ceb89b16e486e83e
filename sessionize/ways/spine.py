"""The spine: read → normalise → gather → sessionize → merge. What comes out is ready to be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from sessionize.commit import Result
from sessionize.config import Plan
from sessionize.errors import AccountingError
from sessionize.kernel import sessionize
from sessionize.manifest import microseconds
from sessionize.ways.count import Tally
from sessionize.ways.gather import Gathered, Room
from sessionize.ways.merge import InMemory, OnDisk
from sessionize.ways.sieve import Sieve


def sessions_of(
    pieces: Iterable[pl.LazyFrame], types: Mapping[str, pl.DataType], plan: Plan, room: Room, *, assign: bool
) -> Result:
    """Sessions of raw rows.

    Args:
        pieces: FILE, ROW, FAULT and the log's columns, some rows at a time, in input order; at least one.
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
        room: What memory and disk there is.
        assign: Whether to say which session each event is in.
    """
    sieve = Sieve()
    parts = Gathered(sieve.events(pieces, types, plan), lambda events: sieve.told(events, plan), room)
    found: InMemory | OnDisk | None = None
    tally: Tally | None = None
    watermark: int | None = None
    for events in parts:
        if tally is None:  # the whole log has been read when the first part is there
            watermark = sieve.newest if plan.until is None else microseconds(plan.until)
            tally = Tally(plan, watermark)
        done = sessionize(events, plan, assign=assign)
        tally.add(done)
        if not parts.on_disk:
            found = InMemory(done, events if assign else None, plan, watermark)
        else:
            found = found if isinstance(found, OnDisk) else OnDisk(room.scratch(), plan, watermark)
            found.add(done, events if assign else None)
    if found is None or tally is None:
        raise AccountingError("no part of the log was worked on")
    return Result(found, sieve.rejected, tally.counts(sieve), watermark)
