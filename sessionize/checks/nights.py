"""Nights to compare with: what each was like, from its manifest, or from what ``check --output-format json`` has written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from sessionize.checks.baseline import NAMES_ONE, written_by_check
from sessionize.checks.expected import Past
from sessionize.errors import UsageError
from sessionize.locations import location
from sessionize.output.read_run import is_run, read_manifest
from sessionize.output.runs import folders_of
from sessionize.stores import AnyPath, StorePath, matches, path_of
from sessionize.summary.daily import COUNT, Figure, read

HINT = "nights write them (run --state), and so do run --check and check --output-format json"


def are_several(baseline: str) -> bool:
    """Whether a baseline is one of nights: a glob, or the folder that they write into."""
    return not path_of(baseline).is_file() and not is_run(baseline)


def nights(baseline: str, inputs: Sequence[str], *, may_be_none: bool = False) -> tuple[Past, ...]:
    """The days of a baseline, in order; what is checked is none of them.

    Args:
        baseline: A glob, or a folder of nights.
        inputs: What is checked.
        may_be_none: Whether there may be none yet.

    Raises:
        UsageError: If there is none.
    """
    path = location(baseline, "--baseline", is_input=True)
    mine = {_resolved(each) for each in folders_of(inputs) or map(path_of, inputs)}
    found = folders_of([path]) or [path_of(str(each)) for each in matches(path)]
    if not found and not may_be_none:
        raise UsageError(f"--baseline {baseline}: there is no run", hint=NAMES_ONE)
    past = [each for one in found if _resolved(one) not in mine for each in _of(one)]
    known = [each for each in past if each.figures]
    if not known and not may_be_none:
        raise UsageError(f"--baseline {baseline}: there are no figures of days in it", hint=HINT)
    return tuple(sorted(known, key=lambda each: each.day or date.min))


def _resolved(path: AnyPath) -> AnyPath:
    return path if isinstance(path, StorePath) else path.resolve()


def _of(path: AnyPath) -> Iterator[Past]:
    if is_run(str(path)):
        yield profile_of(read_manifest(str(path)))
        return
    days = written_by_check(path, str(path)).get("days")
    if not isinstance(days, Mapping):
        raise UsageError(f"--baseline {path}: there are no figures of days in it", hint=HINT)
    yield from (Past(_day(name), read(each)) for name, each in days.items())


def profile_of(manifest: Mapping[str, Any]) -> Past:
    """What a night was like; of one that did not measure it, how much there was."""
    profile = manifest.get("profile")
    if not isinstance(profile, Mapping):
        counts = manifest["counts"]
        visitors = counts["profiles"] or counts["sessions"]
        names = ("events", "sessions", "profiles")
        return Past(None, {f"volume.{name}": Figure(COUNT, counts[name], visitors) for name in names})
    columns = profile.get("columns")
    there = {str(name): str(dtype) for name, dtype in columns.items()} if isinstance(columns, Mapping) else None
    return Past(_day(profile.get("day")), read(profile.get("figures")), there)


def _day(text: Any) -> date | None:
    with suppress(TypeError, ValueError):
        return date.fromisoformat(text)
    return None
