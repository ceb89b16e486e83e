"""The whole log at once: read → normalise → sessionize. What a machine's memory holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from sessionize import schema
from sessionize.commit import Result
from sessionize.config import Output, Plan
from sessionize.kernel import normalise, sessionize, stamped
from sessionize.kernel.enrich import enriched, private_events
from sessionize.manifest import Counts, microseconds
from sessionize.read import Log


def in_one_pass(log: Log, plan: Plan, output: Output) -> Result:
    """Sessions of a log that fits in memory."""
    return sessions_of(log.scan(), log.schema, plan, assign=output.events)


def sessions_of(raw: pl.LazyFrame, types: Mapping[str, pl.DataType], plan: Plan, *, assign: bool) -> Result:
    """Sessions of raw rows: the spine.

    Args:
        raw: FILE, ROW, FAULT and the log's columns.
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
        assign: Whether to say which session each event is in.
    """
    rows = normalise(raw, types, plan).collect(engine="streaming")
    events, rejected = split(rows)
    events, bots = enriched(events, plan)
    read = rows.height - bots
    del rows
    done = sessionize(events, plan, assign=assign)
    watermark = newest(events) if plan.until is None else microseconds(plan.until)
    sessions = stamped(done.sessions, plan, watermark)
    counts = replace(counted(sessions, rejected, rows_read=read, duplicates=done.duplicates.len()), bots=bots)
    placed = None if done.assigned is None else private_events(annotated(events, sessions, done.assigned), plan)
    return Result(sessions, rejected, placed, counts, watermark)


def split(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Normalised rows as events, and the rejected ones with their places."""
    place = (schema.FILE, schema.ROW, schema.REASON)
    reason = rows[schema.REASON]
    if reason.null_count() == rows.height:
        return rows.drop(place), rows.clear().select(place)
    good = reason.is_null()
    return rows.filter(good).drop(place), rows.filter(~good).select(place)


def newest(events: pl.DataFrame) -> int | None:
    """Time of the newest event, microseconds; None where there is none."""
    found = events[schema.TIMESTAMP].to_physical().max()
    return found if isinstance(found, int) else None


def counted(sessions: pl.DataFrame, rejected: pl.DataFrame, *, rows_read: int, duplicates: int) -> Counts:
    """The run's counts, each counted where the rows are, and checked to add up.

    Raises:
        AccountingError: If they do not.
    """
    reasons = rejected[schema.REASON].cast(pl.String).value_counts().sort(schema.REASON)
    counts = Counts(
        rows_read=rows_read,
        events=int(sessions["events"].sum()),
        rejected=rejected.height,
        rejected_by_reason=dict(reasons.iter_rows()),
        duplicates=duplicates,
        sessions=sessions.height,
        active_sessions=int((sessions["status"] == "active").sum()),
        profiles=sessions["profile_id"].drop_nulls().n_unique(),
        conversions=int(sessions["conversions"].sum()),
    )
    counts.check()
    return counts


def annotated(events: pl.DataFrame, sessions: pl.DataFrame, assigned: pl.DataFrame) -> pl.DataFrame:
    """The events in their sessions' order, each with its session's id and its place in it."""
    placed = events[assigned["row"]]
    if schema.SESSION_ID in placed.columns:
        placed = placed.rename({schema.SESSION_ID: "source_id"})
    texts = [name for name, dtype in placed.schema.items() if isinstance(dtype, pl.Categorical)]
    return placed.select(
        sessions["session_id"].gather(assigned["session"]).alias("session_id"),
        assigned["position"],
        pl.all().exclude(texts),
        *(pl.col(name).cast(pl.String) for name in texts),
    )
