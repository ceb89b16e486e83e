"""What a run read, decided and wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sessionize.config import Plan, Rules
from sessionize.engine.result import Counts
from sessionize.instants import iso
from sessionize.own import as_recorded

SCHEMA_VERSION: Final = 1


def manifest(  # noqa: PLR0913 - each is a part of it
    *,
    version: str,
    inputs: list[dict[str, Any]],
    plan: Plan,
    counts: Counts,
    watermark: int | None,
    notes: Sequence[str] = (),
    passed_over: Sequence[Mapping[str, str]] = (),
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest but for its outputs: the same for the same run, so no clock, host or user in it.

    Args:
        version: Version of this package.
        inputs: What is needed to recognise each file.
        plan: What was decided about the log.
        counts: Rows and sessions; they add up.
        watermark: Microseconds since 1970, UTC; None for a log without events.
        notes: What the one who asked for the run should know, a sentence each.
        passed_over: Path of each file that was found and not read, and why.
        profile: What the day was like, where that was measured.
    """
    measured = {} if profile is None else {"profile": dict(profile)}
    return {
        "schema_version": SCHEMA_VERSION,
        "version": version,
        "inputs": inputs,
        "passed_over": list(passed_over),
        "columns": columns_of(plan),
        "layout": plan.layout,
        "rules": rules_of(plan),
        "counts": asdict(counts),
        "watermark": None if watermark is None else iso(watermark),
        **measured,
        "notes": [*plan.notes, *notes],
        "outputs": [],
    }


def columns_of(plan: Plan) -> dict[str, Any]:
    """Role → the column that plays it, or the list of those that do together."""
    return {role: names[0] if len(names) == 1 else list(names) for role, names in plan.columns.items()}


def rules_of(plan: Plan) -> dict[str, Any]:
    """The rules that were in force, by name."""
    rules: Rules = plan.rules
    time = plan.time
    return {
        "timeout_s": None if rules.timeout is None else rules.timeout.total_seconds(),
        "end_events": list(rules.end_events),
        "start_events": list(rules.start_events),
        "split_on": list(rules.split_on),
        "split_on_arrival": list(rules.split_on_arrival),
        "split_at_midnight": rules.split_at_midnight,
        "max_duration_s": None if rules.max_duration is None else rules.max_duration.total_seconds(),
        "max_events": rules.max_events,
        "burst": None if rules.burst is None else [rules.burst.events, rules.burst.within.total_seconds()],
        "passive": list(rules.passive),
        "active_gap_s": rules.active_gap.total_seconds(),
        "timezone": plan.timezone,
        "time_format": [each.name for each in time.formats] or time.pattern or time.kind,
        "page_views": None if plan.page_views is None else list(plan.page_views),
        "conversions": None if plan.conversions is None else list(plan.conversions),
        "properties": list(plan.properties),
        "traits": list(plan.traits),
        **as_recorded(plan.own),
        "where": plan.where,
        "preset": plan.preset,
        "page_path": plan.page_path,
        "channels": plan.channels,
        "own_hosts": list(plan.own_hosts),
        "exclude_bots": plan.exclude_bots,
        "ip": plan.ip,
        "hash_ids": plan.hash_key is not None,
        "nulls": list(plan.nulls),
        "amounts": plan.amounts,
    }
