"""The output of an earlier run in place of a log: what it holds is taken as it is, and nothing is computed twice."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from sessionize import schema
from sessionize.checks.custom import ask, prove
from sessionize.checks.facts import Examples, Facts
from sessionize.checks.findings import Example
from sessionize.checks.key_stats import Extremes, Thresholds, most_events, session_example, session_facts
from sessionize.checks.settings import Settings
from sessionize.checks.text import sanitize
from sessionize.kernel.metrics import FIGURED
from sessionize.output.ownership import REJECTED
from sessionize.output.read_run import read_manifest, read_metrics
from sessionize.summary.figures import figures


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
