"""The output of an earlier run, or of nights, in place of a log: what it holds is taken as it is, and nothing is computed twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import polars as pl

from sessionize import schema
from sessionize.checks.batches import filled_in
from sessionize.checks.custom import EVENTS, ask, needs, prove
from sessionize.checks.facts import Examples, Facts
from sessionize.checks.findings import Example
from sessionize.checks.key_stats import Extremes, Thresholds, session_example, session_facts
from sessionize.checks.nights import profile_of
from sessionize.checks.profiles import most_events
from sessionize.checks.settings import Settings
from sessionize.checks.text import sanitize
from sessionize.config import Config
from sessionize.engine.result import Counts
from sessionize.kernel.metrics import FIGURED
from sessionize.output.as_made import check_as_made
from sessionize.output.ownership import MANIFEST, REJECTED
from sessionize.output.read_run import read_manifest, read_metrics, scan_events
from sessionize.stores import path_of
from sessionize.summary.figures import figures


def facts_of_runs(paths: Sequence[str], config: Config, settings: Settings, thresholds: Thresholds) -> Facts:
    """What can be told from the manifests and metrics of a run, or of nights one after the other.

    Args:
        paths: Output directories, in order.
        config: What was typed beside: nothing that a run was not made with.
        settings: What is to be checked.
        thresholds: From where on a session is long, or large.

    Raises:
        InputError: If they are missing or damaged.
        UsageError: If they were made otherwise than is asked now.
    """
    manifests = [read_manifest(path) for path in paths]
    for path, manifest in zip(paths, manifests, strict=True):
        # Bad rows are among the findings.
        check_as_made(path, replace(config, typed=config.typed - {"on-bad-row"}), manifest)
    each = [read_metrics(path, manifest) for path, manifest in zip(paths, manifests, strict=True)]
    rules = manifests[-1]["rules"]
    metrics = pl.concat(each, how="diagonal_relaxed")
    tables = {"sessions": metrics.lazy()}
    customs = filled_in(settings.custom, paths)
    if needs(customs, EVENTS):
        events = [scan_events(path, manifest) for path, manifest in zip(paths, manifests, strict=True)]
        found_events = [each for each in events if each is not None]
        if len(found_events) == len(events):
            tables[EVENTS] = pl.concat(found_events, how="diagonal_relaxed")
    prove(
        [custom for custom in customs if EVENTS in tables or not needs([custom], EVENTS)],
        {name: frame.collect_schema() for name, frame in tables.items()},
        rules["timezone"],
    )
    return Facts(
        inputs=tuple(paths),
        paths=_named(paths, manifests),
        passed_over=tuple((o["path"], o["why"]) for found in manifests for o in found.get("passed_over", [])),
        counts=manifests[0]["counts"] if len(manifests) == 1 else _together(manifests, metrics),
        figures=figures(metrics.select(FIGURED)),
        rejected=_rejected(paths, thresholds.examples),
        has_event_ids=any(schema.EVENT_ID in found["columns"] for found in manifests),
        columns=profile_of(manifests[-1]).columns,
        events=None,
        sessions=session_facts(metrics, rules["timezone"], thresholds, _extremes(metrics, thresholds)),
        custom=ask(customs, tables, rules["timezone"], thresholds.examples),
        rules=rules,
        days={each.day: each.figures for each in map(profile_of, manifests) if each.figures},
    )


def _named(paths: Sequence[str], manifests: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Paths by which days are known: of nights their own, which are there for a night without a file, too."""
    if len(paths) > 1:
        return tuple(f"{path_of(path).absolute()}/{MANIFEST}" for path in paths)
    return tuple(file["path"] for file in manifests[0]["inputs"])


def _together(manifests: Sequence[Mapping[str, Any]], metrics: pl.DataFrame) -> dict[str, Any]:
    """Counts of nights one after the other: what one carries out is what the next carries in."""
    found = [Counts(**each["counts"]) for each in manifests]
    whole = replace(
        sum(found, Counts()), carried_in=found[0].carried_in, carried_out=found[-1].carried_out, early=found[-1].early
    )
    return asdict(replace(whole, profiles=metrics["profile_id"].drop_nulls().n_unique()))


def _rejected(paths: Sequence[str], examples: int) -> dict[str, Examples]:
    found: dict[str, Examples] = {}
    for file in (path_of(path) / REJECTED for path in paths):
        if file.exists():
            with file.open("rb") as lines:
                for line in lines:
                    _add(found, json.loads(line), examples)
    return found


def _add(found: dict[str, Examples], row: Mapping[str, Any], most: int) -> None:
    there = found.get(row["reason"], ())
    if len(there) < most:
        text = f"{row['reason']}: {sanitize(row['raw'])}"
        found[row["reason"]] = (*there, Example(text, row["file"], row["row"]))


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
