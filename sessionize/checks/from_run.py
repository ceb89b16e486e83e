"""The output of an earlier run in place of a log: what it holds is taken as it is, and nothing is computed twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.checks.custom import ask, prove
from sessionize.checks.facts import Examples, Facts
from sessionize.checks.findings import Example
from sessionize.checks.key_stats import Extremes, Thresholds, most_events, session_example, session_facts
from sessionize.checks.settings import Settings
from sessionize.checks.text import sanitize
from sessionize.errors import InputError
from sessionize.kernel.metrics import FIGURED, METRICS
from sessionize.output.commit import MANIFEST, REJECTED
from sessionize.summary.figures import figures

TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


def is_run(path: str) -> bool:
    """Whether a path is the output directory of a run."""
    return (Path(path) / MANIFEST).is_file()


def facts_of_run(path: str, asked: Settings, thresholds: Thresholds) -> Facts:
    """What can be told from a run's manifest and metrics.

    Raises:
        InputError: If they are missing or damaged.
    """
    manifest = read_manifest(path)
    metrics = read_metrics(path, manifest)
    tables = {"sessions": metrics.lazy()}
    if (Path(path) / "events.parquet").exists():
        tables["events"] = pl.scan_parquet(Path(path) / "events.parquet")
    prove(
        [custom for custom in asked.custom if "events" in tables or "events" not in custom.sql],
        {name: frame.collect_schema() for name, frame in tables.items()},
    )
    zone = manifest["rules"]["timezone"]
    return Facts(
        inputs=(path,),
        paths=tuple(file["path"] for file in manifest["inputs"]),
        passed_over=tuple((each["path"], each["why"]) for each in manifest.get("passed_over", [])),
        counts=manifest["counts"],
        figures=figures(metrics.select(FIGURED)),
        rejected=_rejected(path, thresholds.examples),
        has_event_ids=schema.EVENT_ID in manifest["columns"],
        columns=None,
        events=None,
        sessions=session_facts(metrics, zone, thresholds, _extremes(metrics, thresholds)),
        custom=ask(asked.custom, tables, thresholds.examples),
        rules=manifest["rules"],
    )


def read_manifest(path: str) -> dict[str, Any]:
    """A run's manifest."""
    file = Path(path) / MANIFEST
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        complete = {"inputs", "columns", "rules", "counts", "outputs"} <= set(found)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: {error}", hint="run sessionize again") from None
    if not complete:
        raise InputError(f"{file}: no manifest of a run", hint="name the log, or a run's output directory")
    return dict(found)


def read_metrics(path: str, manifest: dict[str, Any]) -> pl.DataFrame:
    """A run's metrics, whatever their format."""
    name = next((each["path"] for each in manifest["outputs"] if each["path"].startswith("metrics.")), None)
    if name is None:
        raise InputError(f"{path}: the run left no metrics")
    file = Path(path) / name
    try:
        if name.endswith(".parquet"):
            return pl.read_parquet(file)
        strings = {metric.name: pl.String for metric in METRICS if metric.dtype in (pl.String, pl.Datetime)}
        if name.endswith(".csv"):
            found = pl.read_csv(file, infer_schema=False)
        else:
            read = pl.read_json if name.endswith(".json") else pl.read_ndjson
            found = read(file, schema_overrides=strings, infer_schema_length=None)
        return found.select(_typed(metric.name, metric.dtype, found.schema[metric.name]) for metric in METRICS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file}: damaged: {str(error).splitlines()[0]}", hint="run sessionize again") from None


def _typed(name: str, wanted: Any, there: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if there != pl.String or wanted == pl.String:
        return column.cast(wanted)
    if wanted == pl.Boolean:
        return column == "true"
    return (
        column.str.to_datetime(TIME, time_unit="us", time_zone="UTC") if wanted == pl.Datetime else column.cast(wanted)
    )


def _rejected(path: str, examples: int) -> dict[str, Examples]:
    file = Path(path) / REJECTED
    found: dict[str, Examples] = {}
    if not file.exists():
        return found
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            there = found.get(row["reason"], ())
            if len(there) < examples:
                text = f"{row['reason']}: {sanitize(row['raw'])}"
                found[row["reason"]] = (*there, Example(text, row["file"], row["row"]))
    return found


def _extremes(metrics: pl.DataFrame, thresholds: Thresholds) -> Extremes:
    def worst(name: str, limit: float) -> Examples:
        over = metrics.filter(pl.col(name) > limit).sort(name, "session_id", descending=[True, False])
        rows = over.head(thresholds.examples).select("session_id", name).iter_rows()
        return tuple(session_example(session_id, name, value) for session_id, value in rows)

    def most(name: str) -> tuple[int, str] | None:
        ids = pl.col(name)
        by_id = metrics.lazy().filter(ids.is_not_null()).group_by(ids.alias("id")).agg(pl.col("events").sum())
        return most_events([by_id.collect()])

    return Extremes(
        worst("duration_s", thresholds.hours * 3600),
        worst("events", thresholds.events),
        most("source_id"),
        most("profile_id"),
    )
