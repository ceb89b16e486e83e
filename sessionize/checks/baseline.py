"""Figures of an earlier run, to compare with."""

from __future__ import annotations

import json
import shlex
from typing import Any, Final

from sessionize.errors import UsageError
from sessionize.locations import location
from sessionize.output.read_run import is_run, read_manifest, read_metrics
from sessionize.stores import AnyPath, path_of
from sessionize.summary.figures import figures

NAMES_ONE: Final = (
    "name a run's output directory, nights such as 'out/batch=*', or a file written by check --output-format json"
)


def baseline(path: str) -> dict[str, Any]:
    """Figures by name, from a run's output directory or from what ``check --output-format json`` has written.

    Raises:
        UsageError: If it is neither.
    """
    path = location(path, "--baseline", is_input=True)
    if is_run(path):
        manifest = read_manifest(path)
        return {**figures(read_metrics(path, manifest)), **_counts(manifest)}
    found = written_by_check(path_of(path), path)
    if not isinstance(found.get("figures"), dict) or not isinstance(found.get("counts"), dict):
        raise UsageError(f"--baseline {path}: there are no figures in it", hint=NAMES_ONE)
    return {**found["figures"], **_counts(found)}


def written_by_check(file: AnyPath, name: str) -> dict[str, Any]:
    """What ``check --output-format json`` has written.

    Args:
        file: The file.
        name: Its name for the error.

    Raises:
        UsageError: If it cannot be read, or is something else.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--baseline {name}: {error}", hint=NAMES_ONE) from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        said = "it is neither a run's output directory nor a file that check --output-format json has written"
        makes_one = f"sessionize check {shlex.quote(name)} --output-format json --output-file baseline.json"
        raise UsageError(f"--baseline {name}: {said}", hint=f"{NAMES_ONE}; of a log, write one first: {makes_one}")
    return found


def _counts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found["counts"].get(name) for name in ("sessions", "profiles", "events")}
