"""The engine for notebooks and pipelines: frames in, frames out, nothing read or written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.engine.limits import memory
from sessionize.engine.partition import Limits
from sessionize.engine.pipeline import sessions_of
from sessionize.kernel import as_text
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.kernel.record import records
from sessionize.output.commit import Result
from sessionize.output.geo import Places, located
from sessionize.output.manifest import Counts
from sessionize.plan import resolve
from sessionize.read import Rows
from sessionize.scratch import home


class Frames(NamedTuple):
    """What became of a frame of events.

    Attributes:
        sessions: Session records, nested; the open objects are JSON text.
        metrics: One row a session, ordered by (start, session id).
        events: Every event with ``session_id`` and its 1-based ``position``, in the sessions' order.
        rejected: The rows that are no events, as they came, with ``row`` (1-based) and ``reason``; these two as
            ``sessionize.row`` and ``sessionize.reason`` where the frame has columns of their names.
        counts: How many of each; they add up.
    """

    sessions: pl.DataFrame
    metrics: pl.DataFrame
    events: pl.DataFrame
    rejected: pl.DataFrame
    counts: Counts


def sessionize(events: pl.LazyFrame | pl.DataFrame, config: Config | None = None) -> Frames:
    """Cut a frame of events into sessions.

    Columns are found by their usual names, as on the command line, or named in the configuration.

    Args:
        events: One row an event, in input order; a time column of any kind the command line reads, and a session id or
            a profile id.
        config: Columns, rules, time zone; the default is a timeout of 30 minutes. Its inputs are not used.

    Raises:
        UsageError: If a column is missing or ambiguous.

    Examples:
        >>> visits = pl.DataFrame({
        ...     "user_id": ["ann", "ann", "bob", "ann"],
        ...     "time": ["2024-05-01 09:00", "2024-05-01 09:30", "2024-05-01 09:40", "2024-05-01 10:01"],
        ... })
        >>> sessionize(visits).metrics.select("session_id", "duration_s", "events", "end_reason").rows()
        [('p:ann.1714554000000000', 1800.0, 2, 'timeout'), ('p:bob.1714556400000000', 0.0, 1, 'open'), \
('p:ann.1714557660000000', 0.0, 1, 'open')]
    """
    asked = config or Config()
    frame = events.lazy()
    types = frame.collect_schema()
    plan = resolve(asked, types, lambda column: frame.head(1000).select(column).collect().to_series())
    raw = frame.select(
        pl.lit(0, pl.UInt32).alias(schema.FILE),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(schema.ROW),
        pl.lit(None, pl.Enum(schema.REASONS)).alias(schema.FAULT),
        pl.all(),
    )
    places = None if asked.geo_db is None else Places(asked.geo_db)
    with TemporaryDirectory(dir=home()) as folder:
        limits = Limits(memory(asked.memory_limit), lambda: Path(folder))
        result = sessions_of([Rows(raw)], types, plan, limits, assign=True)
        batches = list(result.batches)
    sessions = as_text(located(pl.concat(batch.sessions for batch in batches), places, plan))
    return Frames(
        sessions=records(sessions, plan.timezone),
        metrics=sessions.select(METRIC_NAMES),
        events=pl.concat(batch.events for batch in batches if batch.events is not None),
        rejected=_rejected(frame, result),
        counts=result.counts,
    )


def _rejected(frame: pl.LazyFrame, result: Result) -> pl.DataFrame:
    taken = frame.collect_schema().names()
    row, reason = (f"sessionize.{name}" if name in taken else name for name in ("row", "reason"))
    rows = result.rejected.select(pl.col(schema.ROW).alias(row), pl.col(schema.REASON).cast(pl.String).alias(reason))
    numbered = frame.with_row_index(row, offset=1).with_columns(pl.col(row).cast(pl.UInt32))
    return numbered.join(rows.lazy(), on=row, maintain_order="left").collect()
