"""What a check found: the words that measures, evaluate and formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date
from typing import Any, Literal

from sessionize.checks.bounds import Bound
from sessionize.summary.daily import Figures
from sessionize.values import NamedTuple, dataclass

Status = Literal["passed", "warned", "failed", "not measured"]
Unit = Literal["count", "rate"]


class Example(NamedTuple):
    """One thing that a check found.

    Attributes:
        text: What was found.
        file: Path of the file that it stands in, as given; None where none can be named.
        row: 1-based data row; the line of a text file. None where none can be named.
    """

    text: str
    file: str | None = None
    row: int | None = None

    @property
    def place(self) -> str:
        """File and row, as editors and CI systems read them."""
        if self.file is None:
            return ""
        return self.file if self.row is None else f"{self.file}:{self.row}"


class Measured(NamedTuple):
    """A number, and of how many.

    Attributes:
        number: The number that was measured.
        base: The number that it is a part of; None where it is no part of anything.
        said: What was measured, in words.
        examples: The first of what was found.
    """

    number: float
    base: float | None
    said: str
    examples: tuple[Example, ...] = ()


class Unmeasured(NamedTuple):
    """Why there is no number."""

    why: str


class Undecided(NamedTuple):
    """Why a number that should be there is none: no bound holds."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict of one check.

    Attributes:
        check: Name of the check.
        meaning: What the check measures.
        status: Whether the number was within its bounds.
        unit: Whether it is shown as a number or as a percentage.
        number: The number that was measured; None where none was.
        base: The number that it is a part of; None where it is no part of anything.
        warn: What is allowed without a warning.
        error: What is allowed without a failure.
        said: The finding in words, or why it was not measured.
        examples: The first of what was found.
    """

    check: str
    meaning: str
    status: Status
    unit: Unit
    number: float | None
    base: float | None
    warn: Bound | None
    error: Bound | None
    said: str
    examples: tuple[Example, ...] = ()

    @property
    def value(self) -> float | None:
        """The number, or for a rate the share."""
        if self.number is None or self.unit == "count" or self.base is None:
            return self.number
        return self.number / self.base if self.base else None

    @property
    def is_bad(self) -> bool:
        """Whether a person should look at it."""
        return self.status in ("warned", "failed")

    @property
    def allowed(self) -> str:
        """The bound that was broken, as written; else both."""
        if self.status == "failed" and self.error is not None:
            return self.error.text
        if self.status == "warned" and self.warn is not None:
            return self.warn.text
        shown = (("warn", self.warn), ("error", self.error))
        return ", ".join(f"{name} {bound.text}" for name, bound in shown if bound is not None)

    @property
    def line(self) -> str:
        """The verdict in one line."""
        return f"{self.said} (allowed: {self.allowed})" if self.is_bad and self.allowed else self.said

    @property
    def where(self) -> Example | None:
        """The first example with a file."""
        return next((example for example in self.examples if example.file is not None), None)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Whether a log can be trusted, and why.

    Attributes:
        findings: The finding of each check, in the table's order.
        inputs: What was read, as given.
        counts: Counts of rows and sessions, as the manifest has them.
        figures: Summary figures of the sessions, by name.
        layout: Known layout that was found in the log; None where none was looked for or found.
        learnt: What `learn` needs beside the findings: the log's columns, its event types, its first day.
        rules: Where a session ended and what an event meant, as the manifest has it.
        notes: What the one who asked should know, beside the checks.
        days: What each day is like: its figures; the day is None where it is not known.
        paths: Paths of the log's files.
    """

    findings: tuple[Finding, ...]
    inputs: tuple[str, ...]
    counts: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    layout: str | None = None
    learnt: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    days: Mapping[date | None, Figures] = field(default_factory=dict)
    paths: tuple[str, ...] = ()

    def of(self, status: Status) -> tuple[Finding, ...]:
        """The findings with a status."""
        return tuple(finding for finding in self.findings if finding.status == status)

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.of("failed")

    @property
    def summary(self) -> str:
        """How many of each, in one line."""
        return summary_of(self.findings)


def summary_of(findings: Iterable[Finding]) -> str:
    """How many of each status, in one line."""
    count = dict.fromkeys(("failed", "warned", "passed", "not measured"), 0)
    for finding in findings:
        count[finding.status] += 1
    return ", ".join(f"{number} {status}" for status, number in count.items() if number)
