"""Checks within a run: they look at the log in the run's own pass, and give their verdict before anything is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sessionize.config import Config, Plan
from sessionize.engine.result import Result
from sessionize.limits import Limits
from sessionize.opening import Source
from sessionize.values import NamedTuple

if TYPE_CHECKING:  # a run that is not judged loads none of it
    from sessionize.engine.observe import Observer
    from sessionize.engine.profile import Profile


class Judge(Protocol):
    """What makes the checks of a run."""

    def begin(self, config: Config, log: Source, plan: Plan, limits: Limits, day: int | None) -> Judging:
        """What is to be shown the log.

        Args:
            config: What was asked for.
            log: The log.
            plan: What the configuration means for it.
            limits: What may be held at once.
            day: The one day that all of it belongs to, as `Profile` takes it; None where its files or times say so.
        """

    def verdict(self, result: Result) -> str:
        """What was found, as JSON.

        Args:
            result: What became of the log.

        Raises:
            ChecksFailed: If a check failed and nothing is to be published then.
        """


class Judging(NamedTuple):
    """What is to be shown a log that is judged.

    Attributes:
        observers: Observers that are to be shown the log.
        profile: The observer that measures days, one of these.
    """

    observers: Sequence[Observer]
    profile: Profile
