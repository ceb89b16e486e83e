"""The spine: read → normalise → gather → sessionize → merge. What comes out is ready to be written.

Of a night it is the same: the carried events come before the log's, and only what is settled goes on to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from sessionize.config import Plan
from sessionize.engine.ingest import Ingest
from sessionize.engine.order import OnDisk, in_memory
from sessionize.engine.partition import Limits, Partition, Partitions
from sessionize.engine.policy import Policy
from sessionize.engine.tally import Tally
from sessionize.errors import AccountingError
from sessionize.kernel import Dictionaries, Sessionized, sessionize
from sessionize.output.commit import Batch, Result
from sessionize.output.manifest import microseconds
from sessionize.read import Rows


def sessions_of(
    batches: Iterable[Rows],
    types: Mapping[str, pl.DataType],
    plan: Plan,
    limits: Limits,
    *,
    assign: bool,
    night: Policy | None = None,
) -> Result:
    """Sessions of raw rows.

    Args:
        batches: The log's rows, some at a time, in input order; at least one.
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
        limits: What memory and disk there is.
        assign: Whether to say which session each event is in.
        night: What was carried over, and what keeps what is to be; None for a log that is whole.
    """
    ingest = Ingest(late_before=None if night is None else night.before.watermark)
    if night is None:
        dictionaries = Dictionaries()
        arrived = ingest.events(batches, types, plan, dictionaries.codes)
        parts = Partitions(arrived, lambda events: ingest.told(events, plan), limits, dictionaries)
    else:  # what is carried over has been told already
        told = (ingest.told(events, plan) for events in ingest.events(batches, types, plan))
        parts = Partitions(night.with_carried(told), lambda events: events, limits)
    found: Iterable[Batch] | None = None
    tally: Tally | None = None
    watermark: int | None = None
    for part in parts:
        if tally is None:  # the whole log has been read when the first part is there
            watermark = _watermark(plan, ingest) if night is None else night.close(ingest.newest)
            tally = Tally(plan, watermark)
        if night is None:
            done, events = _sessionized(part, plan, assign=assign)
        else:
            done, events = night.settled(part.release(), plan, limits if parts.on_disk else None)
        if not parts.on_disk:
            found = in_memory(done, events if assign else None, parts.dictionaries, plan, watermark)
        else:
            found = (
                found if isinstance(found, OnDisk) else OnDisk(limits.scratch(), parts.dictionaries, plan, watermark)
            )
            found.add(done, events if assign else None)
        tally.add(done)  # while the first batches are being made
    if found is None or tally is None:
        raise AccountingError("no part of the log was worked on")
    counts = tally.counts(ingest, {} if night is None else night.counts)
    return Result(found, ingest.rejected, counts, watermark, ingest.late)


def _sessionized(part: Partition, plan: Plan, *, assign: bool) -> tuple[Sessionized, pl.DataFrame | None]:
    """The sessions of a part, and its events where it is asked which session each is in."""
    if not assign:
        return sessionize(part.release(), plan), None
    events = part.release()
    return sessionize(events, plan, assign=True), events


def _watermark(plan: Plan, ingest: Ingest) -> int | None:
    return ingest.newest if plan.until is None else microseconds(plan.until)
