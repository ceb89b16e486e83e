"""The call that checks a log, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Unpack, overload

import polars as pl

from sessionize import checks
from sessionize.checks.findings import Checked, Finding
from sessionize.checks.formats.records import as_json
from sessionize.checks.settings import Settings, standing_in
from sessionize.cli import check as check_command
from sessionize.cli import settings as of_file
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.limits import Limits
from sessionize.python import keywords as k
from sessionize.python import values as v
from sessionize.python.data import Data
from sessionize.python.words import in_python, python_names
from sessionize.results import Table, as_html
from sessionize.unforeseen import as_called
from sessionize.values import dataclass

COLUMNS = {"check": pl.String, "status": pl.String, "value": pl.Float64, "allowed": pl.String, "finding": pl.String}


@dataclass(frozen=True, repr=False)
class Verdict(Table):
    """Whether a log can be trusted: a row a check.

    Attributes:
        checked: The findings as the checks made them.
    """

    checked: Checked | None = None

    @property
    def passed(self) -> bool:
        """Whether no check failed, nor warned where a warning is a failure."""
        return bool(self.data["passed"])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The finding of each check."""
        return self._made.findings

    @property
    def _made(self) -> Checked:
        if self.checked is None:
            raise ValueError("a verdict is of a check")
        return self.checked

    def __repr__(self) -> str:
        """How many checks there are of each status, and the rows."""
        return f"sessionize.check: {self._made.summary}\n{self.frame}"

    def _repr_html_(self) -> str:
        return as_html(f"check: {self._made.summary}", self.frame)


def verdict(checked: Checked, *, strict: bool) -> Verdict:
    """A verdict of findings.

    Args:
        checked: The findings.
        strict: Whether a warning is a failure.
    """
    names = ("check", "status", "value", "allowed", "line")
    rows = [dict(zip(COLUMNS, (getattr(each, name) for name in names), strict=True)) for each in checked.findings]
    passed = checked.passed and not (strict and checked.of("warned"))
    data = {**json.loads(as_json(checked)), "passed": passed}
    notes = tuple(in_python(note, k.FLAGS) for note in checked.notes)
    return Verdict("check", pl.DataFrame(rows, schema=COLUMNS), data, checked.counts, notes, checked)


@overload
def check(
    data: Config, settings: Settings | None = None, progress: Callable[[str], None] = ..., *,
    limits: Limits | None = None,
) -> Checked: ...  # fmt: skip


@overload
def check(
    data: Data, settings: Mapping[str, Any] | Settings | None = None, *, baseline: v.Path | None = None,
    max_change: str | None = None, examples: int | None = None, error_on_warning: bool = False,
    config: Config | v.Path | None = None, **keywords: Unpack[k.CheckOptions],
) -> Verdict: ...  # fmt: skip


@k.documented("check")
def check(
    data: Any, settings: Any = None, progress: Callable[[str], None] = lambda _: None, *, limits: Limits | None = None,
    baseline: v.Path | None = None, max_change: str | None = None, examples: int | None = None,
    error_on_warning: bool = False, config: Config | v.Path | None = None, **keywords: Any,
) -> Verdict | Checked:  # fmt: skip
    """Say whether a log can be trusted. A check that fails raises nothing: ask ``passed`` of what is returned.

    Args:
        data: A log, a frame, or output directories of earlier runs. A `Config` names them with the rules of sessions; what
            is returned is then the findings alone.
        settings: Bounds and checks of your own: what stands under ``[check]`` in a configuration file.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
        baseline: Output directory of an earlier run, to compare with.
        max_change: Largest change of a figure from the baseline, such as ``"50%"``.
        examples: Examples of what was found, of each check.
        error_on_warning: Whether a warning is a failure.
        config: A `Config` in place of keywords, or a TOML file of options.
        **keywords: The options that say how a log is read and where sessions end.

    Returns:
        ``passed``, ``findings``, and ``frame``: a check a row.
    """
    if isinstance(data, Config):
        with as_called():
            return checks.check(data, settings, progress, limits=limits)
    with python_names():
        own = {
            "baseline": None if baseline is None else v.path("baseline", baseline),
            "max_change": None if max_change is None else v.text("max_change", max_change),
            "examples": None if examples is None else v.number("examples", examples),
            "error_on_warning": v.flag("error_on_warning", error_on_warning),
        }
        request = k.Request(data, "check", config, keywords, **own)
        with standing_in(None if settings else request.typed.config_file):
            found = checks.check(request.config, _bounds(settings, request), progress, limits=limits)
    return verdict(found, strict=bool(request.typed["error_on_warning"]))


def _bounds(given: Any, request: k.Request) -> Settings:
    if isinstance(given, Settings):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise UsageError("settings is no dict", hint='for example settings={"rejected": {"error": "1%"}}')
    section = of_file.section(request.typed, "check") if request.typed["config"] else {}
    return check_command.settings_of(request.typed, {**section, **(given or {})})
