"""The engine for notebooks and pipelines: frames in, frames out, nothing read or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts, Result
from sessionize.kernel import as_text
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.kernel.preset_columns import shaped
from sessionize.kernel.record import records
from sessionize.kernel.references import field
from sessionize.limits import Limits
from sessionize.opening import NoLog, opened
from sessionize.output.geo import with_places
from sessionize.preset import Preset
from sessionize.read import Rows
from sessionize.read.log import SAMPLE_ROWS
from sessionize.read.recognise import in_columns, is_asked
from sessionize.read.texts import PLACE


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
    frame = events.lazy()
    asked = _with_layout(config or Config(), frame)
    if asked.nulls:
        frame = shaped(frame, frame.collect_schema(), None, asked.nulls)
    with opened(asked, log=FrameLog(frame, asked.preset)) as (log, plan, limits, places):
        result = with_places(sessionize_log(log, plan, limits, assign=True), places, plan)
        batches = list(result.batches)
    sessions = as_text(pl.concat(batch.sessions for batch in batches))
    return Frames(
        sessions=records(sessions, plan.timezone),
        metrics=sessions.select(METRIC_NAMES),
        events=pl.concat(batch.events for batch in batches if batch.events is not None),
        rejected=_rejected(frame, result),
        counts=result.counts,
    )


def _with_layout(config: Config, frame: pl.LazyFrame) -> Config:
    """The configuration with the known layout that the frame has, where one is to be looked for."""
    types = frame.collect_schema()

    def has_value(reference: str) -> bool:
        values = frame.head(SAMPLE_ROWS).select(field(reference, types)).collect().to_series()
        return values.null_count() < len(values)

    return in_columns(config, types, has_value) if is_asked(config) else config


class FrameLog(NoLog):
    """A frame in place of a log's files, as one batch.

    Args:
        frame: One row an event, in input order.
        preset: A known layout that it has.
    """

    def __init__(self, frame: pl.LazyFrame, preset: Preset | None = None) -> None:
        place = (
            pl.lit(0, pl.UInt32).alias(schema.FILE),
            pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(schema.ROW),
            pl.lit(None, pl.Enum(schema.REASONS)).alias(schema.FAULT),
        )
        rows = frame.select(*place, pl.all())
        self._rows = rows if preset is None else shaped(rows, frame.collect_schema(), preset)
        types = self._rows.collect_schema()
        self._types = {name: dtype for name, dtype in types.items() if name not in PLACE}

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Type of each of the frame's columns."""
        return self._types

    def batches(self, limits: Limits) -> Iterable[Rows]:  # noqa: ARG002 - the rows are in memory already
        """All rows, each with its place."""
        height = self._rows.select(pl.len())
        return [Rows(self._rows, height=lambda: int(height.collect().item()))]

    def sample(self, column: pl.Expr, rows: int = SAMPLE_ROWS, /) -> pl.Series:
        """A column of the first rows."""
        return self._rows.head(rows).select(column).collect().to_series()


def _rejected(frame: pl.LazyFrame, result: Result) -> pl.DataFrame:
    taken = frame.collect_schema().names()
    row, reason = (f"sessionize.{name}" if name in taken else name for name in ("row", "reason"))
    rows = result.rejected.select(pl.col(schema.ROW).alias(row), pl.col(schema.REASON).cast(pl.String).alias(reason))
    numbered = frame.with_row_index(row, offset=1).with_columns(pl.col(row).cast(pl.UInt32))
    return numbered.join(rows.lazy(), on=row, maintain_order="left").collect()
