"""The moment a run becomes visible: all its files, the manifest last, or none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from sessionize import schema
from sessionize.config import Output, Plan
from sessionize.engine.result import Batch, Result
from sessionize.kernel.metrics import FIGURED
from sessionize.kernel.own import metric_columns
from sessionize.kernel.record import coded_records, json_rows
from sessionize.os_errors import STDOUT, map_os_errors, writing
from sessionize.output.digests import Digest, Followed
from sessionize.output.manifest import manifest
from sessionize.output.ownership import FINDINGS, LATE, MANIFEST, REJECTED, earlier_outputs
from sessionize.output.publish import Staged
from sessionize.output.writers import ESCAPES, FORMATS, Writer, seen, writer
from sessionize.read.passed_over import PassedOver
from sessionize.read.source import LogFile
from sessionize.summary.figures import Figures
from sessionize.values import NamedTuple
from sessionize.version import __version__


class Written(NamedTuple):
    """What a run has written.

    Attributes:
        manifest: As it lies beside the outputs.
        figures: Over the sessions (`figures`).
    """

    manifest: dict[str, Any]
    figures: dict[str, Any]


class OutputFile(NamedTuple):
    """One file of batches: what it takes of each, and what writes it."""

    name: str
    take: Callable[[Batch], pl.DataFrame]
    writer: Callable[[Path], Writer]


class Origin(Protocol):
    """Where rows come from: their files, and what stands there (`read.Log`)."""

    @property
    def files(self) -> Sequence[LogFile]:
        """In input order."""

    @property
    def passed_over(self) -> Sequence[PassedOver]:
        """What was found beside them and is not read."""

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """FILE, ROW and ``raw`` of given places."""


class Place(Protocol):
    """Where a run's files are put before all of them are seen at once (`publish.Publisher`)."""

    @property
    def directory(self) -> Path:
        """That holds them."""

    def path(self, name: str) -> Path:
        """Where to write a file."""

    def seal(self, name: str, digest: Digest | None = None) -> Staged:
        """Take a written file as it is; without its digest it is yet to be forced to disk."""

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:
        """Make all sealed files visible, or the folder they are in ready for it."""


def commit(  # noqa: PLR0913 - each is a part of it
    result: Result, log: Origin, plan: Plan, output: Output, publisher: Place | None, notes: Sequence[str] = (), *,
    profile: Mapping[str, Any] | None = None, findings: str | None = None,
) -> Written:  # fmt: skip
    """Write all that a run has, or, on any error, nothing.

    Args:
        result: What to write.
        log: The log that the rows come from.
        plan: What was decided.
        output: What of it to write.
        publisher: Holds the output directory; None writes the metrics to stdout.
        notes: What the one who asked for the run should know, for the manifest.
        profile: What the day was like, for the manifest; None where that was not measured.
        findings: What the checks found, as JSON; None where none were made.

    Raises:
        OutputError: If it cannot be written; the directory is as it was.
    """
    account = account_of(result, log, plan, notes, profile)
    if publisher is None:
        return Written(account, _to_stdout(result.batches, plan).as_dict())
    with map_os_errors(publisher.directory), ThreadPoolExecutor(1) as aside:
        rows, digests, figures = _write_batches(result.batches, outputs_of(plan, output), publisher)
        found = aside.submit(figures.as_dict)  # while the files are put in their places
        for name, apart in _set_apart(result):
            rows[name] = apart.height
            with writer(publisher.path(name), "ndjson") as out:
                out.write(as_came(apart, log, plan))
        if findings is not None:
            with writing(publisher.directory / FINDINGS):
                publisher.path(FINDINGS).write_text(findings, encoding="utf-8")
            rows[FINDINGS] = 1
        for name, height in rows.items():
            staged = publisher.seal(name, digests.get(name))
            account["outputs"].append({"path": name, "rows": height, "bytes": staged.bytes, "sha256": staged.sha256})
        text = manifest_text(account)
        with writing(publisher.directory / MANIFEST):
            publisher.path(MANIFEST).write_text(text, encoding="utf-8")
        publisher.seal(MANIFEST)
        publisher.commit(earlier=earlier_outputs(publisher.directory))
    return Written(account, found.result())


def account_of(
    result: Result, log: Origin, plan: Plan, notes: Sequence[str], profile: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The manifest of a run but for its outputs.

    Args:
        result: What became of the log.
        log: The log that the rows come from.
        plan: What was decided.
        notes: What the one who asked for the run should know.
        profile: What the day was like; None where that was not measured.
    """
    return manifest(
        version=__version__,
        inputs=[{key: value for key, value in asdict(file).items() if value is not None} for file in log.files],
        plan=plan,
        counts=result.counts,
        watermark=result.watermark,
        notes=(*result.values.notes(plan), *notes),
        passed_over=[{"path": each.path, "why": each.why} for each in log.passed_over],
        profile=profile,
    )


def manifest_text(account: dict[str, Any]) -> str:
    """A manifest as JSON that is safe to look at."""
    text = json.dumps(account, indent=2, ensure_ascii=False)
    return text.translate({ord(letter): escape for letter, escape in ESCAPES.items()}) + "\n"


def output_names(output: Output) -> list[str]:
    """Every file that a run may write: what is set apart is known only at its end."""
    tables = ("metrics",) + ("events",) * output.events
    records = [f"sessions.{output.form}"] if output.records else []
    return [*records, *(f"{name}.{output.table_form}" for name in tables), REJECTED, FINDINGS, MANIFEST]


def outputs_of(plan: Plan, output: Output) -> list[OutputFile]:
    """The files of batches that a run writes."""
    form, zone, flat_form = output.form, plan.timezone, output.table_form
    flat = partial(writer, form=flat_form, safe_csv=output.safe_csv)
    found = []
    if output.records and (records_of := FORMATS[form].records) is not None:
        lines = partial(writer, form=form, lines=lambda sessions: records_of(sessions, zone))
        found.append(OutputFile(f"sessions.{form}", lambda batch: batch.sessions, lines))
    elif output.records:
        found.append(OutputFile(f"sessions.{form}", lambda batch: coded_records(batch.sessions, zone), flat))
    found.append(OutputFile(f"metrics.{flat_form}", lambda batch: batch.sessions.select(metric_columns(plan)), flat))
    if output.events:
        found.append(OutputFile(f"events.{flat_form}", _events, flat))
    return found


def _events(batch: Batch) -> pl.DataFrame:
    if batch.events is None:
        raise ValueError("events are to be written, but none were kept")
    return batch.events


def _write_batches(
    batches: Iterable[Batch], outputs: list[OutputFile], publisher: Place
) -> tuple[dict[str, int], dict[str, Digest], Figures]:
    """Write every batch to every output; rows and digest of each, and the figures of all sessions."""
    rows = dict.fromkeys((output.name for output in outputs), 0)
    figures = Figures()
    paths = [publisher.path(output.name) for output in outputs]
    with ExitStack() as stack:
        followed = [stack.enter_context(Followed(path)) for path in paths]
        files = [stack.enter_context(output.writer(path)) for output, path in zip(outputs, paths, strict=True)]
        threads = stack.enter_context(ThreadPoolExecutor(len(outputs)))  # ends first: no file is closed that is written
        for batch in batches:
            figures.add(batch.sessions.select(FIGURED))
            for output, height in zip(outputs, threads.map(partial(_write, batch), outputs, files), strict=True):
                rows[output.name] += height
    return rows, {output.name: file.digest for output, file in zip(outputs, followed, strict=True)}, figures


def _write(batch: Batch, output: OutputFile, file: Writer) -> int:
    """Write what an output takes of a batch; how many rows."""
    frame = output.take(batch)
    file.write(frame)
    return frame.height


def _set_apart(result: Result) -> Iterator[tuple[str, pl.DataFrame]]:
    """FILE, ROW and REASON of the rows that are in no session, for each file that has any."""
    if result.rejected.height:
        yield REJECTED, result.rejected
    if result.late.height:
        yield LATE, result.late.with_columns(pl.lit("late").alias(schema.REASON))


def paths_of(rows: pl.DataFrame, paths: Sequence[str]) -> pl.Series:
    """Path of the file that each row came from: of this log, or of an earlier batch's where it was carried over.

    Args:
        rows: FILE, and PATH where rows may have been carried over.
        paths: Paths of the log's files.

    Returns:
        A String column, one path a row.
    """
    names = pl.Series(list(paths), dtype=pl.String).gather(rows[schema.FILE])
    return rows.select(pl.coalesce(schema.PATH, pl.lit(names))).to_series() if schema.PATH in rows.columns else names


def as_came(rejected: pl.DataFrame, log: Origin, plan: Plan) -> pl.DataFrame:
    """Every such row with its file, row number, reason and raw content, but for that where ids are private."""
    names = paths_of(rejected, [file.path for file in log.files])
    here = rejected.filter(pl.col(schema.FILE).is_not_null())
    raw = log.raw(here.clear() if plan.private else here)
    return rejected.join(raw, on=[schema.FILE, schema.ROW], how="left", maintain_order="left").select(
        file=names,
        row=pl.col(schema.ROW),
        reason=pl.col(schema.REASON).cast(pl.String),
        raw=pl.col("raw"),
    )


def _to_stdout(batches: Iterable[Batch], plan: Plan) -> Figures:
    out, figures = sys.stdout.buffer, Figures()
    for batch in batches:
        figures.add(batch.sessions.select(FIGURED))
        lines = seen(json_rows(batch.sessions.select(metric_columns(plan))))
        with writing(STDOUT):
            out.write("".join(f"{line}\n" for line in lines).encode())
    with writing(STDOUT):
        out.flush()
    return figures
