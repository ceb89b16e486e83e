"""The moment a run becomes visible: all its files, the manifest last, or none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Output, Plan
from sessionize.kernel.metrics import METRICS
from sessionize.kernel.record import json_rows
from sessionize.manifest import Counts, manifest
from sessionize.publish import Publisher, map_os_errors
from sessionize.read import Log
from sessionize.write import write_json, write_records, write_rows

MANIFEST: Final = "manifest.json"
REJECTED: Final = "rejected.ndjson"
OURS: Final = (
    *(f"{name}.{form}" for name in ("sessions", "metrics", "events") for form in ("parquet", "json", "ndjson", "csv")),
    REJECTED,
)
"""Every name a run may write beside the manifest: what an earlier run left and this one does not write goes."""


class Result(NamedTuple):
    """What a run has to write.

    Attributes:
        sessions: Stamped wide rows, ordered by (start, session id).
        rejected: FILE, ROW and REASON of every row that is not an event, in input order.
        events: Every event with ``session_id`` and ``position``, in the sessions' order; None where not asked for.
        counts: Checked.
        watermark: Microseconds since 1970, UTC; None for a log without events.
    """

    sessions: pl.DataFrame
    rejected: pl.DataFrame
    events: pl.DataFrame | None
    counts: Counts
    watermark: int | None

    @property
    def metrics(self) -> pl.DataFrame:
        """One row a session, the columns of metrics.md."""
        return self.sessions.select(metric.name for metric in METRICS)


class _File(NamedTuple):
    name: str
    rows: int
    write: Callable[[Path], None]


def commit(result: Result, log: Log, plan: Plan, output: Output) -> dict[str, Any]:
    """Write all that a run has, or, on any error, nothing.

    Returns:
        The manifest.

    Raises:
        OutputError: If it cannot be written; the directory is as it was.
        LockedError: If another run writes there.
    """
    account = manifest(
        version=version("sessionize"),
        inputs=[{key: value for key, value in asdict(file).items() if value is not None} for file in log.files],
        plan=plan,
        counts=result.counts,
        watermark=result.watermark,
    )
    if output.to_stdout:
        _to_stdout(result.metrics)
        return account
    directory = Path(output.directory)
    with map_os_errors(directory), Publisher(directory) as publisher:
        for name, rows, write in _files(result, log, plan, output):
            write(publisher.path(name))
            staged = publisher.seal(name)
            account["outputs"].append({"path": name, "rows": rows, "bytes": staged.bytes, "sha256": staged.sha256})
        text = json.dumps(account, indent=2, ensure_ascii=False) + "\n"
        publisher.path(MANIFEST).write_text(text, encoding="utf-8")
        publisher.seal(MANIFEST)
        publisher.commit(remove=OURS)
    return account


def _files(result: Result, log: Log, plan: Plan, output: Output) -> list[_File]:
    form, sessions = output.form, result.sessions
    files = [_File(f"metrics.{form}", sessions.height, lambda path: write_rows(result.metrics, path, form))]
    if output.records:
        files.insert(
            0,
            _File(f"sessions.{form}", sessions.height, lambda path: write_records(sessions, plan.timezone, path, form)),
        )
    if result.events is not None:
        events = result.events
        files.append(_File(f"events.{form}", events.height, lambda path: write_rows(events, path, form)))
    if result.rejected.height:
        rejected = result.rejected
        files.append(_File(REJECTED, rejected.height, lambda path: _write_rejected(rejected, log, plan, path)))
    return files


def _write_rejected(rejected: pl.DataFrame, log: Log, plan: Plan, path: Path) -> None:
    """Every rejected row with its file, row number, reason and raw content, but for that where ids are private."""
    names = pl.Series([file.path for file in log.files], dtype=pl.String)
    raw = log.raw(rejected.clear() if plan.private else rejected)
    rows = rejected.join(raw, on=[schema.FILE, schema.ROW], how="left", maintain_order="left").select(
        file=names.gather(rejected[schema.FILE]),
        row=pl.col(schema.ROW),
        reason=pl.col(schema.REASON).cast(pl.String),
        raw=pl.col("raw"),
    )
    write_json(json_rows(rows), path, "ndjson")


def _to_stdout(metrics: pl.DataFrame) -> None:
    out = sys.stdout.buffer
    for piece in metrics.iter_slices(100_000):
        out.write("".join(f"{line}\n" for line in json_rows(piece)).encode())
    out.flush()
