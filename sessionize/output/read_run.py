"""The reader of our own output: what an earlier run left, whatever its format."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.errors import InputError, UsageError, may_not_be_read
from sessionize.kernel.metrics import METRICS, UTC_INSTANT
from sessionize.kernel.own import TYPES
from sessionize.limits import Limits
from sessionize.output.ownership import MANIFEST
from sessionize.output.reading import row_bytes
from sessionize.output.writers import FORMATS, Format
from sessionize.own import Own, recorded
from sessionize.stores import AnyPath, below, fetched, path_of

TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
EVENT_TYPES: Final = {schema.TIMESTAMP: UTC_INSTANT, schema.VALUE: pl.Float64, "position": pl.UInt32}
"""Columns of events that are no texts, whatever the format that they were written in."""
BATCHES: Final = "batch=*"
STDIN: Final = "-"


def is_run(path: str) -> bool:
    """Whether a path is the output directory of a run.

    Raises:
        InputError: If it may not be read.
    """
    try:
        return (path_of(path) / MANIFEST).is_file()
    except PermissionError:
        raise may_not_be_read(path) from None


def read_manifest(path: str) -> dict[str, Any]:
    """A run's manifest."""
    file = path_of(path) / MANIFEST
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        complete = {"inputs", "columns", "rules", "counts", "outputs"} <= set(found)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: {error}", hint="run sessionize again") from None
    if not complete:
        raise InputError(f"{file}: no manifest of a run", hint="name the log, or a run's output directory")
    return dict(found)


def added_columns(path: str) -> tuple[Own, ...]:
    """The columns that a run, or the last of its nights, has added to the metrics."""
    folders = run_folders(path)
    if not folders:
        raise UsageError(f"{path} is no output directory of a run", hint="name what was given to -o")
    return recorded(read_manifest(str(folders[-1]))["rules"])


def read_metrics(path: str, manifest: dict[str, Any]) -> pl.DataFrame:
    """A run's metrics, whatever their format."""
    return pl.concat(_metrics_of(path_of(path), manifest, Limits.of()))


def scan_events(path: str, manifest: dict[str, Any]) -> pl.LazyFrame | None:
    """A run's events, whatever their format; of Parquet they are read as they are asked for. None where it wrote none.

    Raises:
        InputError: If a file is damaged.
    """
    folder, names = path_of(path), events_names(manifest)
    if not names or not all((folder / name).exists() for name in names):
        return None
    if all(name.endswith(".parquet") for name in names):
        return pl.concat([pl.scan_parquet(fetched(folder / name)) for name in names], how="diagonal_relaxed")
    return pl.concat(_events_of(folder, manifest, Limits.of()), how="diagonal_relaxed").lazy()


def _metrics_of(folder: AnyPath, manifest: dict[str, Any], limits: Limits) -> Iterator[pl.DataFrame]:
    names = [each["path"] for each in manifest["outputs"] if each["path"].startswith(("metrics.", "metrics/"))]
    if not names:
        raise InputError(f"{folder}: the run left no metrics")
    types: dict[str, Any] = {metric.name: metric.dtype for metric in METRICS}
    types |= {own.name: TYPES[own.dtype] for own in recorded(manifest["rules"])}
    written = {each: pl.String() if dtype == pl.Datetime else dtype for each, dtype in types.items()}
    for name in names:
        for rows in _frames(folder / name, manifest, limits, written):
            is_typed = name.endswith(".parquet")
            yield (
                rows if is_typed else rows.select(_cast(each, dtype, rows[each].dtype) for each, dtype in types.items())
            )


def _frames(
    shown: AnyPath, manifest: dict[str, Any], limits: Limits, types: Mapping[str, Any]
) -> Iterator[pl.DataFrame]:
    """The rows of an output, some at a time.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        yield from _format_of(shown.name).read(_whole(shown, manifest), types, limits)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{shown}: damaged: {str(error).splitlines()[0]}", hint="run sessionize again") from None


def _whole(file: AnyPath, manifest: dict[str, Any]) -> Path:
    """Path of this machine of an output, held against its digest in the manifest; one of a store is fetched.

    Raises:
        InputError: If it is not the one that the manifest lists: it was changed, or is not all there yet.
    """
    found = fetched(file)
    names = {file.name, "/".join(file.parts[-2:])}
    listed = next((each.get("sha256") for each in manifest["outputs"] if each["path"] in names), None)
    with found.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != listed:
            raise InputError(
                f"{file}: not what the manifest beside it lists: the run is not there",
                hint="does one write or copy there now? else move it away, and run sessionize again",
            )
    return found


def _cast(name: str, wanted: Any, there: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if there != pl.String or wanted == pl.String:
        return column.cast(wanted)
    if wanted == pl.Boolean:
        return column == "true"
    return (
        column.str.to_datetime(TIME, time_unit="us", time_zone="UTC") if wanted == pl.Datetime else column.cast(wanted)
    )


def run_folders(path: str) -> list[AnyPath]:
    """The folders of runs that a path is: itself, or those of its batches in order; none where it is a log.

    Args:
        path: Path as it was typed.
    """
    folder = path_of(path)
    try:
        is_folder = path != STDIN and folder.is_dir()
    except PermissionError:
        raise may_not_be_read(path) from None
    if not is_folder:
        return []
    if is_run(path):
        return [folder]
    return [found.parent for found in below(folder, f"{BATCHES}/{MANIFEST}")]


def read_sessions(
    folder: AnyPath, manifest: dict[str, Any], limits: Limits, *, events: bool
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
    """Some sessions of a run at a time: their metrics, and their events.

    Args:
        folder: The run's output directory.
        manifest: The run's manifest.
        limits: How many sessions are read at once, and how many bytes of events; a session is never cut.
        events: Whether their events are wanted too.

    Raises:
        UsageError: If the run wrote no events.
        InputError: If a file is damaged.
    """
    rows: _Cursor | None = None
    for sessions in _metrics_of(folder, manifest, limits):
        if not events:
            yield sessions, None
            continue
        rows = rows or _Cursor(_events_of(folder, manifest, limits), limits)
        ends, start = sessions["events"].cum_sum().to_list(), 0
        while start < max(1, sessions.height):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, bisect_right(ends, before + rows.at_once))
            some = sessions.slice(start, stop - start)
            yield some, rows.take(int(some["events"].sum()))
            start = stop


def has_events(folder: AnyPath) -> bool:
    """Whether a run wrote its events, too."""
    return bool(events_names(read_manifest(str(folder))))


def events_names(manifest: dict[str, Any]) -> list[str]:
    """Names of the files of events that a run wrote, in order; none where it wrote none."""
    return [each["path"] for each in manifest["outputs"] if each["path"].startswith(("events.", "events/"))]


def _events_of(folder: AnyPath, manifest: dict[str, Any], limits: Limits) -> Iterator[pl.DataFrame]:
    names = events_names(manifest)
    if not names:
        raise UsageError(
            f"{folder} has no events: it is the output of a run without --events",
            hint="run it again with --events, or name the log itself",
        )
    types = _event_types(manifest)
    for name in names:
        for rows in _frames(folder / name, manifest, limits, {}):
            there = rows if rows.width else _no_events(manifest)
            yield there.with_columns(
                _cast(name, dtype, there[name].dtype) for name, dtype in types.items() if name in there.columns
            )


def _event_types(manifest: dict[str, Any]) -> dict[str, Any]:
    """Columns of a run's events that are no texts: those of every run, its goals, and its dimensions."""
    own = [each for each in recorded(manifest["rules"]) if each.kind != "metric"]
    prefixes = {"dimension": "", "goal": schema.GOAL_PREFIX}
    return {prefixes[each.kind] + each.name: TYPES[each.dtype] for each in own} | EVENT_TYPES


def _no_events(manifest: dict[str, Any]) -> pl.DataFrame:
    """No event, in the columns that events have: a file of JSON without a row says nothing of them."""
    carried = ((schema.PROPERTY_PREFIX, "properties"), (schema.TRAIT_PREFIX, "traits"))
    names = [prefix + name for prefix, kind in carried for name in manifest["rules"].get(kind, ())]
    texts = dict.fromkeys(
        ["session_id", *manifest["columns"], "source_id", *schema.UTM, schema.CHANNEL, *names], pl.String
    )
    return pl.DataFrame(schema={**texts, **_event_types(manifest)})


def _format_of(name: str) -> Format:
    return next(form for ending, form in FORMATS.items() if name.endswith(f".{ending}"))


class _Cursor:
    """Takes rows in other portions than they come in.

    Args:
        frames: Some rows each, one frame at least.
        limits: How many bytes may be taken at once.
    """

    def __init__(self, frames: Iterator[pl.DataFrame], limits: Limits) -> None:
        self._frames = frames
        self._rest = next(frames)
        self._limits = limits
        self._row_bytes = row_bytes(self._rest)

    @property
    def at_once(self) -> int:
        """How many rows may be taken at once, if the next are as long as the longest frame's so far."""
        return int(self._limits.made_bytes / self._row_bytes)

    def take(self, count: int) -> pl.DataFrame:
        """The next rows; fewer where there are no more.

        Args:
            count: How many.
        """
        found = [self._rest.head(count)]
        self._rest = self._rest.slice(count)
        while found[-1].height < count and (following := next(self._frames, None)) is not None:
            count -= found[-1].height
            found.append(following.head(count))
            self._rest = following.slice(count)
            self._row_bytes = max(self._row_bytes, row_bytes(following))
        return pl.concat(found)
