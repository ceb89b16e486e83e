"""The reader of our own output: what an earlier run left, whatever its format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from sessionize.errors import InputError, UsageError
from sessionize.kernel.metrics import METRICS, UTC_INSTANT
from sessionize.kernel.own import TYPES
from sessionize.output.ownership import MANIFEST
from sessionize.output.writers import FORMATS, Format
from sessionize.own import Own, recorded
from sessionize.stores import AnyPath, below, fetched, path_of

TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
BATCHES: Final = "batch=*"
STDIN: Final = "-"


def is_run(path: str) -> bool:
    """Whether a path is the output directory of a run."""
    return (path_of(path) / MANIFEST).is_file()


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
    names = [each["path"] for each in manifest["outputs"] if each["path"].startswith(("metrics.", "metrics/"))]
    if not names:
        raise InputError(f"{path}: the run left no metrics")
    return pl.concat([_metrics_of(path_of(path) / name, manifest) for name in names])


def _metrics_of(shown: AnyPath, manifest: dict[str, Any]) -> pl.DataFrame:
    name = shown.name
    try:
        file = _whole(shown, manifest)
        if name.endswith(".parquet"):
            return pl.read_parquet(file)
        types = {metric.name: metric.dtype for metric in METRICS}
        types |= {own.name: TYPES[own.dtype] for own in recorded(manifest["rules"])}
        strings = {each: pl.String for each, dtype in types.items() if dtype in (pl.String, pl.Datetime)}
        found = _format_of(name).read(file, strings).collect()
        return found.select(_cast(each, dtype, found.schema[each]) for each, dtype in types.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{shown}: damaged: {str(error).splitlines()[0]}", hint="run sessionize again") from None


def _whole(file: AnyPath, manifest: dict[str, Any]) -> Path:
    """Path of this machine of an output; one of a store is fetched, and held against its digest in the manifest.

    Raises:
        InputError: If it is not the one that the manifest lists: an upload has not ended.
    """
    found = fetched(file)
    if found != file:
        names = {file.name, "/".join(file.parts[-2:])}
        listed = next((each.get("sha256") for each in manifest["outputs"] if each["path"] in names), None)
        with found.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != listed:
                raise InputError(
                    f"{file}: not what the manifest beside it lists: the run is not there",
                    hint="does one write there now? else run sessionize again",
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
    if path == STDIN or not folder.is_dir():
        return []
    if is_run(path):
        return [folder]
    return [found.parent for found in below(folder, f"{BATCHES}/{MANIFEST}")]


def read_sessions(
    folder: AnyPath, manifest: dict[str, Any], *, events: bool, most: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
    """Some sessions of a run at a time: their metrics, and their events.

    Args:
        folder: The run's output directory.
        manifest: The run's manifest.
        events: Whether their events are wanted too.
        most: How many sessions are read at once.

    Raises:
        UsageError: If the run wrote no events.
        InputError: If a file is damaged.
    """
    metrics = read_metrics(str(folder), manifest)
    rows = _events_of(folder, manifest) if events else None
    before = 0
    for start in range(0, max(1, metrics.height), most):
        sessions = metrics.slice(start, most)
        if rows is None:
            yield sessions, None
            continue
        number = int(sessions["events"].sum())
        yield sessions, rows.slice(before, number).collect()
        before += number


def has_events(folder: AnyPath) -> bool:
    """Whether a run wrote its events, too."""
    return bool(events_names(read_manifest(str(folder))))


def events_names(manifest: dict[str, Any]) -> list[str]:
    """Names of the files of events that a run wrote, in order; none where it wrote none."""
    return [each["path"] for each in manifest["outputs"] if each["path"].startswith(("events.", "events/"))]


def _events_of(folder: AnyPath, manifest: dict[str, Any]) -> pl.LazyFrame:
    names = events_names(manifest)
    if not names:
        raise UsageError(
            f"{folder} has no events: it is the output of a run without --events",
            hint="run it again with --events, or name the log itself",
        )
    return pl.concat([_events_in(folder / name, manifest) for name in names])


def _events_in(shown: AnyPath, manifest: dict[str, Any]) -> pl.LazyFrame:
    name = shown.name
    try:
        file = _whole(shown, manifest)
        found = _format_of(name).read(file, {})
        return found if name.endswith(".parquet") else found.with_columns(_time(found.collect_schema()["timestamp"]))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{shown}: damaged: {str(error).splitlines()[0]}", hint="run sessionize again") from None


def _format_of(name: str) -> Format:
    return next(form for ending, form in FORMATS.items() if name.endswith(f".{ending}"))


def _time(there: pl.DataType) -> pl.Expr:
    return _cast("timestamp", UTC_INSTANT, there)
