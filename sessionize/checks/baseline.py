"""Figures of an earlier run, to compare with."""

from __future__ import annotations

import json
from typing import Any

from sessionize.errors import UsageError
from sessionize.locations import location
from sessionize.output.read_run import is_run, read_manifest, read_metrics
from sessionize.stores import path_of
from sessionize.summary.figures import figures


def baseline(path: str) -> dict[str, Any]:
    """Figures by name, from a run's output directory or from what ``check --output-format json`` has written.

    Raises:
        UsageError: If it is neither.
    """
    path = location(path, "--baseline", is_input=True)
    if is_run(path):
        manifest = read_manifest(path)
        return {**figures(read_metrics(path, manifest)), **_counts(manifest)}
    hint = "name a run's output directory, or a file written by check --output-format json"
    try:
        found = json.loads(path_of(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--baseline {path}: {error}", hint=hint) from None
    if not isinstance(found, dict) or not isinstance(found.get("figures"), dict) or "counts" not in found:
        raise UsageError(f"--baseline {path}: there are no figures in it", hint=hint)
    return {**found["figures"], **_counts(found)}


def _counts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found["counts"].get(name) for name in ("sessions", "profiles", "events")}
