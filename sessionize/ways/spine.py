"""The spine: read → normalise → gather → sessionize → merge. What comes out is ready to be written.

Of a night it is the same: the carried events come before the log's, and only what is settled goes on to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from sessionize.commit import Piece, Result
from sessionize.config import Plan
from sessionize.errors import AccountingError
from sessionize.kernel import Dictionaries, Sessionized, sessionize
from sessionize.manifest import microseconds
from sessionize.read import Rows
from sessionize.ways.count import Tally
from sessionize.ways.gather import Gathered, Part, Room
from sessionize.ways.merge import OnDisk, in_memory
from sessionize.ways.night import Night
from sessionize.ways.sieve import Sieve


def sessions_of(
    pieces: Iterable[Rows],
    types: Mapping[str, pl.DataType],
    plan: Plan,
    room: Room,
    *,
    assign: bool,
    night: Night | None = None,
) -> Result:
    """Sessions of raw rows.

    Args:
        pieces: The log's rows, some at a time, in input order; at least one.
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
        room: What memory and disk there is.
        assign: Whether to say which session each event is in.
        night: What was carried over, and what keeps what is to be; None for a log that is whole.
    """
    sieve = Sieve(late_before=None if night is None else night.before.watermark)
    if night is None:
        dictionaries = Dictionaries()
        arrived = sieve.events(pieces, types, plan, dictionaries.codes)
        parts = Gathered(arrived, lambda events: sieve.told(events, plan), room, dictionaries)
    else:  # what is carried over has been told already
        told = (sieve.told(events, plan) for events in sieve.events(pieces, types, plan))
        parts = Gathered(night.with_carried(told), lambda events: events, room)
    found: Iterable[Piece] | None = None
    tally: Tally | None = None
    watermark: int | None = None
    for part in parts:
        if tally is None:  # the whole log has been read when the first part is there
            watermark = _watermark(plan, sieve) if night is None else night.close(sieve.newest)
            tally = Tally(plan, watermark)
        if night is None:
            done, events = _sessionized(part, plan, assign=assign)
        else:
            done, events = night.settled(part.take(), plan, room if parts.on_disk else None)
        if not parts.on_disk:
            found = in_memory(done, events if assign else None, parts.dictionaries, plan, watermark)
        else:
            found = found if isinstance(found, OnDisk) else OnDisk(room.scratch(), parts.dictionaries, plan, watermark)
            found.add(done, events if assign else None)
        tally.add(done)  # while the first pieces are being made
    if found is None or tally is None:
        raise AccountingError("no part of the log was worked on")
    counts = tally.counts(sieve, {} if night is None else night.counts)
    return Result(found, sieve.rejected, counts, watermark, sieve.late)


def _sessionized(part: Part, plan: Plan, *, assign: bool) -> tuple[Sessionized, pl.DataFrame | None]:
    """The sessions of a part, and its events where it is asked which session each is in."""
    if not assign:
        return sessionize(part.take(), plan), None
    events = part.take()
    return sessionize(events, plan, assign=True), events


def _watermark(plan: Plan, sieve: Sieve) -> int | None:
    return sieve.newest if plan.until is None else microseconds(plan.until)
