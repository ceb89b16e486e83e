"""Checks within a run: the run's log is looked at in the run's own pass, and judged before it is published."""

from __future__ import annotations

from pathlib import Path

from sessionize.checks import Baseline, Checked, Settings, baseline_of, checked_by, thresholds_of
from sessionize.checks.formats.records import as_json
from sessionize.checks.from_log import Look
from sessionize.checks.settings import standing_in
from sessionize.config import Config, Plan
from sessionize.engine.profile import Profile
from sessionize.engine.result import Result
from sessionize.errors import ChecksFailed, UsageError
from sessionize.judge import Judging
from sessionize.limits import Limits
from sessionize.opening import Source


class InRun:
    """Makes the checks of one run.

    Args:
        settings: Bounds, and the user's own checks.
        first: Whether nothing is to be published when a check fails.
        inputs: What a baseline of nights must leave out: the night's own folder.
        may_be_none: Whether the baseline may have no night yet.
        file: The configuration file that the settings stand in.

    Attributes:
        checked: The verdict; None before there is one.
        notes: What a person should know of what was compared.
    """

    def __init__(
        self, settings: Settings, *, first: bool, inputs: tuple[str, ...] = (), may_be_none: bool = False,
        file: Path | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._first = first
        self._inputs = inputs
        self._may_be_none = may_be_none
        self._file = file
        self._look: Look | None = None
        self._compared = Baseline()
        self.checked: Checked | None = None
        self.notes: tuple[str, ...] = ()

    def begin(self, config: Config, log: Source, plan: Plan, limits: Limits, day: int | None) -> Judging:
        """What is to be shown the log.

        Raises:
            UsageError: If the baseline is none, or a dimension is not among the columns that the run carries.
        """
        with standing_in(self._file):
            return self._begun(config, log, plan, limits, day)

    def _begun(self, config: Config, log: Source, plan: Plan, limits: Limits, day: int | None) -> Judging:
        carried = {
            *plan.properties,
            *plan.traits,
            *plan.columns,
            *(n for names in plan.columns.values() for n in names),
        }
        carried |= {own.name for own in plan.own if own.kind == "dimension"}
        missing = [name for name in self._settings.days.dimensions if name in log.schema and name not in carried]
        if missing:
            raise UsageError(
                f"[check.days] dimensions: the run does not carry {missing[0]!r}", hint=f"--dimension {missing[0]}"
            )
        self._compared = baseline_of(self._settings, self._inputs or config.inputs, may_be_none=self._may_be_none)
        if self._settings.baseline is not None and self._compared == Baseline():
            self.notes = (f"--baseline {self._settings.baseline}: there is no night yet to compare with",)
        thresholds = thresholds_of(self._settings)
        profile = None if day is None else Profile(plan, whole=day, dimensions=self._settings.days.dimensions)
        self._look = Look(config, self._settings, thresholds, log, plan, limits, own=False, profile=profile)
        return Judging(self._look.observers, self._look.profile)

    def verdict(self, result: Result) -> str:
        """What was found, as JSON.

        Raises:
            ChecksFailed: If a check failed and nothing is to be published then.
        """
        assert self._look is not None
        with standing_in(self._file):
            self.checked = checked_by(self._look.facts(result), self._settings, self._compared)
        failed = self.failed()
        if failed is not None and self._first:
            raise ChecksFailed(failed.message, hint="nothing was published: --check-first was given")
        return as_json(self.checked)

    def failed(self) -> ChecksFailed | None:
        """What to say where a check failed; None where none did, or none was made."""
        if self.checked is None:
            return None
        warned = self.checked.of("warned") if self._settings.error_on_warning else ()
        bad = (*self.checked.of("failed"), *warned)
        if not bad:
            return None
        names = ", ".join(finding.check for finding in bad)
        return ChecksFailed(
            f"{len(bad)} of {len(self.checked.findings)} checks failed: {names}",
            hint="outputs are complete; what was found is in checks.json beside them",
        )
