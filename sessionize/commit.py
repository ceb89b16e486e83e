"""The moment a run becomes visible: all its files, the manifest last, or none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Output, Plan
from sessionize.kernel.metrics import FIGURED, METRIC_NAMES
from sessionize.kernel.record import json_records, json_rows, records
from sessionize.manifest import Counts, manifest
from sessionize.publish import Publisher, map_os_errors
from sessionize.read import Log
from sessionize.write import ESCAPES, ParquetWriter, Writer, seen, writer

MANIFEST: Final = "manifest.json"
REJECTED: Final = "rejected.ndjson"
OURS: Final = (
    *(f"{name}.{form}" for name in ("sessions", "metrics", "events") for form in ("parquet", "json", "ndjson", "csv")),
    REJECTED,
)
"""Every name a run may write beside the manifest: what an earlier run left and this one does not write goes."""


class Piece(NamedTuple):
    """Some sessions, and where asked for their events.

    Attributes:
        sessions: Stamped wide rows.
        events: The events of these sessions, each with ``session_id`` and ``position``, in the sessions' order.
    """

    sessions: pl.DataFrame
    events: pl.DataFrame | None = None


class Result(NamedTuple):
    """What a run has to write.

    Attributes:
        pieces: All sessions, ordered by (start, session id), in pieces; at least one, though it may be empty.
        rejected: FILE, ROW and REASON of every row that is not an event, in input order.
        counts: Checked.
        watermark: Microseconds since 1970, UTC; None for a log without events.
    """

    pieces: Iterable[Piece]
    rejected: pl.DataFrame
    counts: Counts
    watermark: int | None


class Written(NamedTuple):
    """What a run has written.

    Attributes:
        manifest: As it lies beside the outputs.
        measures: What the summary figures are made of: the columns of FIGURED, one row a session.
    """

    manifest: dict[str, Any]
    measures: pl.DataFrame


class _Output(NamedTuple):
    """One file of pieces: what it takes of each, and what writes it."""

    name: str
    take: Callable[[Piece], pl.DataFrame]
    writer: Callable[[Path], Writer]


def commit(result: Result, log: Log, plan: Plan, output: Output, publisher: Publisher | None) -> Written:
    """Write all that a run has, or, on any error, nothing.

    Args:
        result: What to write.
        log: Where it comes from.
        plan: What was decided.
        output: What of it to write.
        publisher: Holds the output directory; None writes the metrics to stdout.

    Raises:
        OutputError: If it cannot be written; the directory is as it was.
    """
    account = manifest(
        version=version("sessionize"),
        inputs=[{key: value for key, value in asdict(file).items() if value is not None} for file in log.files],
        plan=plan,
        counts=result.counts,
        watermark=result.watermark,
    )
    if publisher is None:
        return Written(account, _to_stdout(result.pieces))
    with map_os_errors(publisher.directory):
        rows, measures = _write_pieces(result.pieces, _outputs(plan, output), publisher)
        if result.rejected.height:
            rows[REJECTED] = result.rejected.height
            with writer(publisher.path(REJECTED), "ndjson") as out:
                out.write(_rejected(result.rejected, log, plan))
        for name, height in rows.items():
            staged = publisher.seal(name)
            account["outputs"].append({"path": name, "rows": height, "bytes": staged.bytes, "sha256": staged.sha256})
        text = manifest_text(account)
        publisher.path(MANIFEST).write_text(text, encoding="utf-8")
        publisher.seal(MANIFEST)
        publisher.commit(remove=OURS)
    return Written(account, measures)


def manifest_text(account: dict[str, Any]) -> str:
    """A manifest as JSON that is safe to look at."""
    text = json.dumps(account, indent=2, ensure_ascii=False)
    return text.translate({ord(letter): escape for letter, escape in ESCAPES.items()}) + "\n"


def _outputs(plan: Plan, output: Output) -> list[_Output]:
    form, zone = output.form, plan.timezone
    flat = partial(writer, form=form, safe_csv=output.safe_csv)
    found = []
    if output.records and form == "parquet":
        found.append(_Output(f"sessions.{form}", lambda piece: records(piece.sessions, zone), ParquetWriter))
    elif output.records:
        lines = partial(writer, form=form, lines=lambda sessions: json_records(sessions, zone))
        found.append(_Output(f"sessions.{form}", lambda piece: piece.sessions, lines))
    found.append(_Output(f"metrics.{form}", lambda piece: piece.sessions.select(METRIC_NAMES), flat))
    if output.events:
        found.append(_Output(f"events.{form}", _events, flat))
    return found


def _events(piece: Piece) -> pl.DataFrame:
    if piece.events is None:
        raise ValueError("events are to be written, but none were kept")
    return piece.events


def _write_pieces(
    pieces: Iterable[Piece], outputs: list[_Output], publisher: Publisher
) -> tuple[dict[str, int], pl.DataFrame]:
    """Write every piece to every output; rows of each, and the measures."""
    rows = dict.fromkeys((output.name for output in outputs), 0)
    measures = []
    with ExitStack() as stack:
        files = [(output, stack.enter_context(output.writer(publisher.path(output.name)))) for output in outputs]
        for piece in pieces:
            measures.append(piece.sessions.select(FIGURED))
            for output, file in files:
                frame = output.take(piece)
                rows[output.name] += frame.height
                file.write(frame)
    return rows, pl.concat(measures)


def _rejected(rejected: pl.DataFrame, log: Log, plan: Plan) -> pl.DataFrame:
    """Every rejected row with its file, row number, reason and raw content, but for that where ids are private."""
    names = pl.Series([file.path for file in log.files], dtype=pl.String)
    raw = log.raw(rejected.clear() if plan.private else rejected)
    return rejected.join(raw, on=[schema.FILE, schema.ROW], how="left", maintain_order="left").select(
        file=names.gather(rejected[schema.FILE]),
        row=pl.col(schema.ROW),
        reason=pl.col(schema.REASON).cast(pl.String),
        raw=pl.col("raw"),
    )


def _to_stdout(pieces: Iterable[Piece]) -> pl.DataFrame:
    out, measures = sys.stdout.buffer, []
    for piece in pieces:
        measures.append(piece.sessions.select(FIGURED))
        lines = seen(json_rows(piece.sessions.select(METRIC_NAMES)))
        out.write("".join(f"{line}\n" for line in lines).encode())
    out.flush()
    return pl.concat(measures)
