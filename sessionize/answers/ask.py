"""What is asked of a log in a shell, and what is answered. Frozen, keyword-only, no I/O."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import Any, Final

from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.summary.selection import Selection
from sessionize.values import NamedTuple, dataclass

MOST_STEPS = 20
SECTIONS: Final = (
    "totals", "time", "hours", "lengths", "depth", "silences", "pages", "channels", "groups", "conversions", "funnel",
    "paths", "quality",
)  # fmt: skip
"""Of a report, in their order."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What every answer may be asked.

    Attributes:
        selection: Which sessions are meant.
        by: What sessions are grouped by: a metric, a column or reference of the log, a part of the start's date, or SQL
            over the metrics; None for no groups.
        compare: Another log or run, or ``week`` for the last seven days with the seven before; None for nothing.
    """

    selection: Selection = field(default_factory=Selection)
    by: str | None = None
    compare: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class ShowAsk(Ask):
    """Which session is shown.

    Attributes:
        session: The session's id, the log's own id, or the beginning of one.
        longest: Whether it is the longest.
        random: Whether it is drawn by lot; it is, too, where a seed is given.
        seed: Seed of the lot; None for another one each time.
        profile: Profile that it is of.
        raw: Whether the rows of its events are shown as they stand in the log.
    """

    session: str | None = None
    longest: bool = False
    random: bool = False
    seed: int | None = None
    profile: str | None = None
    raw: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        by_lot = {"--random": self.random, "--seed": self.seed is not None and not self.random}
        ways = {"a session": self.session is not None, "--longest": self.longest, **by_lot}
        given = [name for name, is_given in ways.items() if is_given]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} cannot both say which session is meant")


@dataclass(frozen=True, kw_only=True)
class FunnelAsk(Ask):
    """Which steps are counted.

    Attributes:
        steps: In their order.
        within: Longest time from the first to the last; None for any.
        strict: Whether no other events may lie between.
    """

    steps: tuple[str, ...]
    within: timedelta | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.steps:
            raise UsageError(
                "a funnel needs steps", hint="for example --step product --step cart --step purchase, in their order"
            )
        if len(self.steps) > MOST_STEPS:
            raise UsageError(f"a funnel has at most {MOST_STEPS} steps, not {len(self.steps)}")
        if self.within is not None and self.within < timedelta(0):
            raise UsageError("--within cannot be negative", hint="for example --within 10m")


@dataclass(frozen=True, kw_only=True)
class PathsAsk(Ask):
    """Which sequences are counted.

    Attributes:
        steps: Events of a path.
        begin: What they begin at; None for a session's first event.
        end: What they end at; None for any.
        around: What they lie around; None for nothing.
        fold: Whether numbers and hex ids in pages are folded to ``*``.
        repeats: Whether events of one name side by side are shown one by one.
        most: Paths to show.
    """

    steps: int = 3
    begin: str | None = None
    end: str | None = None
    around: str | None = None
    fold: bool = True
    repeats: bool = False
    most: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.steps <= MOST_STEPS:
            raise UsageError(f"--steps {self.steps} is not from 1 to {MOST_STEPS}")
        if self.most < 1:
            raise UsageError(f"--top {self.most} is not at least 1")
        if self.around is not None and (self.begin is not None or self.end is not None):
            raise UsageError("--around goes with neither --from nor --to")


@dataclass(frozen=True, kw_only=True)
class ReportAsk(Ask):
    """What a report tells.

    Attributes:
        steps: Steps of its funnel in their order; empty for none.
        sections: Names of its sections; empty for all that can be told.
    """

    steps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, missing, option in (
            ("groups", self.by is None, "--by NAME"),
            ("funnel", not self.steps, "--step STEP"),
        ):
            if name in self.sections and missing:
                raise UsageError(f"--sections {name} needs {option}", hint=f"add {option}, or leave the section out")
        if self.steps:
            FunnelAsk(steps=self.steps)

    def has(self, *names: str) -> bool:
        """Whether one of some sections is wanted."""
        return not self.sections or any(name in self.sections for name in names)


class Answer(NamedTuple):
    """What was found.

    Attributes:
        data: The data with the names that scripts rely on.
        facts: What was read and decided, for the first and last lines of a screen.
    """

    data: dict[str, Any]
    facts: dict[str, Any]
