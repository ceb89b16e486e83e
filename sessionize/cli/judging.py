"""Checks of a command: what the configuration and what was typed ask for, and `run --check`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import monitor, settings
from sessionize.cli import options as o
from sessionize.cli.reports import Report, not_checked, reports, write
from sessionize.errors import ChecksFailed, InputError, UsageError

if TYPE_CHECKING:
    from sessionize.checks import Settings
    from sessionize.checks.in_run import InRun
    from sessionize.config import Config, Nightly, Output
    from sessionize.one_shot import Outcome

NEED_CHECK: Final = ("baseline", "report")
"""Options that say something of checks only."""


def check_settings(typed: o.Typed, section: dict[str, Any]) -> Settings:
    """What the configuration asks for, and what was typed.

    Raises:
        UsageError: If either says what cannot be.
    """
    from sessionize.checks import COUNTS, OPTIONS, change_bound, only_so_many, settings_of

    found = settings_of(section, OPTIONS, COUNTS)
    if typed["baseline"] is not None:
        found = replace(found, baseline=typed["baseline"])
    if typed.get("max_change") is not None:
        found = replace(found, max_change=change_bound(typed["max_change"], "--max-change"))
        is_typed = "max_change" in typed.given or typed.config_file is None  # a file may be for checks with a baseline
        if found.baseline is None and is_typed:
            raise UsageError(
                "--max-change is of a baseline, and there is none",
                hint=f"--baseline RUN --max-change {typed['max_change']}, where RUN is an earlier run's output directory",
            )
    if typed.get("examples") is not None:
        found = replace(found, examples=only_so_many(int(typed["examples"]), "--examples"))
    if typed.get("error_on_warning"):
        found = replace(found, error_on_warning=True)
    return found


class Checks:
    """The checks of a run, and of each of its nights; none, where none were asked for.

    Args:
        typed: What was typed.
        config: What was asked for.

    Raises:
        UsageError: If checks were asked for that cannot be made.
    """

    def __init__(self, typed: o.Typed, config: Config) -> None:
        self.wanted = bool(typed["check"] or typed["check_first"])
        self._first, self._of_many = bool(typed["check_first"]), bool(typed["batch_from_name"])
        self._quiet, self._color = bool(typed["quiet"]), not typed["no_color"]
        self._reports: Sequence[Report] = ()
        self._settings: Settings | None = None
        self._file = typed.config_file
        if not self.wanted:
            without = [f"--{name}" for name in NEED_CHECK if typed[name]]
            if without:
                raise UsageError(f"{', '.join(without)} needs --check", hint="add --check, or --check-first")
            return
        if typed["report"] and typed["batch_from_name"]:
            raise UsageError(
                "--report and --batch-from-name do not go together: each night would replace it",
                hint="what was found lies in checks.json beside each night's outputs",
            )
        from sessionize.checks.settings import standing_in

        with standing_in(self._file):
            self._settings = check_settings(typed, settings.section(typed, "check"))
        self._reports = reports(typed, _read(typed, config))

    def of(self, output: Output, nightly: Nightly | None) -> InRun | None:
        """What makes the checks of one run; None where none were asked for."""
        if self._settings is None:
            return None
        from sessionize.checks.in_run import InRun

        own = () if nightly is None else (str(Path(output.directory) / nightly.folder),)
        return InRun(self._settings, first=self._first, inputs=own, may_be_none=self._is_ours(output), file=self._file)

    def _is_ours(self, output: Output) -> bool:
        """Whether the baseline is what this output will hold: the first night has none yet."""
        baseline = "" if self._settings is None else self._settings.baseline or ""
        return not output.to_stdout and Path(output.directory).absolute() in (
            Path(baseline).absolute(), *Path(baseline).absolute().parents,
        )  # fmt: skip

    def take_recorded(self, judge: InRun | None, output: Output, nightly: Nightly | None, outcome: Outcome) -> None:
        """Take the verdict on a night that was run before from where it lies: what did not hold then does not hold now.

        Not of one among many: it would be said again with each of them.
        """
        if judge is None or nightly is None or outcome.run is not None or self._of_many:
            return
        from sessionize.checks.formats.recorded import recorded
        from sessionize.nightly.series import spellings
        from sessionize.output.ownership import FINDINGS

        folders = [Path(output.directory) / f"batch={name}" for name in spellings(nightly.batch)]
        found = next((folder / FINDINGS for folder in folders if (folder / FINDINGS).is_file()), None)
        if found is not None:
            judge.checked = recorded(found.read_text(encoding="utf-8"))
        else:
            note = f"batch {nightly.batch} was run before without --check, and is not checked now: --redo checks it"
            monitor.notes([note], color=self._color)

    def report(self, judge: InRun | None) -> None:
        """Say what was found that a person should look at, and write the reports."""
        if judge is None or judge.checked is None:
            return
        from sessionize.checks.formats import FORMATS

        write(self._reports, judge.checked)
        monitor.notes(judge.notes if not self._quiet else (), color=self._color)
        if monitor.BY_LINES:
            monitor.findings(judge.checked)
        elif any(finding.is_bad for finding in judge.checked.findings):
            print(FORMATS["concise"](judge.checked), end="", file=sys.stderr)

    def report_unread(self, error: InputError, config: Config) -> None:
        """Write the reports where there was nothing to check, and why."""
        if self._reports:
            write(self._reports, not_checked(error, config.inputs))


def failed(judge: InRun | None) -> list[ChecksFailed]:
    """What does not hold, though the outputs are complete."""
    found = None if judge is None else judge.failed()
    return [] if found is None else [found]


def _read(typed: o.Typed, config: Config) -> dict[tuple[int, int], str]:
    from sessionize.read.files import identities

    return identities([*config.inputs, *([typed["config"]] if typed["config"] else [])], config)
