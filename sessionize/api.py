"""The engine for notebooks and pipelines: a frame or a log in, frames out, nothing written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.names import Names, notes
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Result
from sessionize.errors import InputError
from sessionize.kernel import as_text
from sessionize.kernel.own import metric_columns
from sessionize.kernel.record import records
from sessionize.opening import Source, opened
from sessionize.output.geo import with_places
from sessionize.refusals import refuse_bad_rows, refuse_no_events
from sessionize.rejected_rows import notes_on_rejected
from sessionize.results import Frames


def sessionize(events: pl.LazyFrame | pl.DataFrame | None, config: Config | None = None) -> Frames:
    """Cut a log's events into sessions.

    Columns are found by their usual names, as on the command line, or named in the configuration.

    Args:
        events: One row an event, in input order; a time column of any kind the command line reads, and a session id or
            a profile id. None for the configuration's inputs.
        config: Columns, rules, time zone; the default is a timeout of 30 minutes.

    Raises:
        UsageError: If a column is missing or ambiguous.
        InputError: If a file cannot be read or none of its rows is an event, or a bad row is to be an error. Of a frame
            without events, all rows are among the rejected, and a note says how they would be read.

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
    if events is not None:
        asked = replace(asked, inputs=(), frame=events)
    with opened(asked) as (log, plan, limits, places):
        names = Names(plan)
        result = with_places(sessionize_log(log, plan, limits, observe=[names], assign=True), places, plan)
        if events is None or asked.on_bad_row == "fail":
            refuse_bad_rows(log, result, asked, plan)
        batches = list(result.batches)
        rejected = _of_files(log, result, plan) if events is None else _of_frame(events.lazy(), result)
        said = (*plan.notes, *result.values.notes(plan), *notes(names.seen(), asked, plan))
        said += (*notes_on_rejected(log, result, asked, plan), *_on_no_events(log, result, plan))
    sessions = as_text(pl.concat(batch.sessions for batch in batches))
    return Frames(
        sessions=records(sessions, plan.timezone),
        metrics=sessions.select(metric_columns(plan)),
        events=pl.concat(batch.events for batch in batches if batch.events is not None),
        rejected=rejected,
        counts=result.counts,
        columns=dict(plan.columns),
        notes=said,
    )


def _on_no_events(log: Source, result: Result, plan: Plan) -> tuple[str, ...]:
    """Why none of the rows is an event, and what to write; nothing where any is."""
    try:
        refuse_no_events(log, result, plan)
    except InputError as error:
        return (f"{error.message}: {error.hint}",)
    return ()


def _of_frame(frame: pl.LazyFrame, result: Result) -> pl.DataFrame:
    """The rejected rows of a frame as they came, each with its number and why."""
    frame = frame.drop("sessionize.row", "sessionize.reason", strict=False)  # of rows that were rejected before
    taken = frame.collect_schema().names()
    row, reason = (f"sessionize.{name}" if name in taken else name for name in ("row", "reason"))
    rows = result.rejected.select(pl.col(schema.ROW).alias(row), pl.col(schema.REASON).cast(pl.String).alias(reason))
    numbered = frame.with_row_index(row, offset=1).with_columns(pl.col(row).cast(pl.UInt32))
    return numbered.join(rows.lazy(), on=row, maintain_order="left").collect()


def _of_files(log: Source, result: Result, plan: Plan) -> pl.DataFrame:
    """The rejected rows of files with their places, why, and their text, but for that where ids are private."""
    names = pl.Series([file.path for file in log.files], dtype=pl.String)
    rejected = result.rejected
    raw = log.raw(rejected.clear() if plan.private else rejected)
    found = rejected.join(raw, on=[schema.FILE, schema.ROW], how="left", maintain_order="left")
    place: dict[str, Any] = {"file": names.gather(rejected[schema.FILE]), "row": pl.col(schema.ROW)}
    return found.select(**place, reason=pl.col(schema.REASON).cast(pl.String), raw=pl.col("raw"))
