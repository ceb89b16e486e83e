"""Whether a log can be trusted, and why: checks in a table, answered in one pass over the log.

::

    log ── events as they stream by ── events of each key, sessions ──► facts ── evaluate ──► findings ──► a format
           stream, clock               parts                            measure, table      formats
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sessionize.checks.baseline import baseline
from sessionize.checks.batches import day_of
from sessionize.checks.bounds import Bound, bound
from sessionize.checks.evaluate import evaluate
from sessionize.checks.expected import Past
from sessionize.checks.facts import Facts
from sessionize.checks.findings import Checked, Example, Finding
from sessionize.checks.from_log import facts_of_log, option
from sessionize.checks.from_run import facts_of_runs
from sessionize.checks.key_stats import Thresholds
from sessionize.checks.nights import are_several, nights
from sessionize.checks.settings import (
    Custom,
    Setting,
    Settings,
    change_bound,
    only_so_many,
    settings_of,
    with_most_rejected,
)
from sessionize.checks.table import CHECKS, COUNTS, OPTIONS, Check
from sessionize.config import Config
from sessionize.engine.profile import MOST_DAYS
from sessionize.errors import UsageError
from sessionize.limits import Limits
from sessionize.output.runs import folders_of
from sessionize.values import NamedTuple

__all__ = [
    "CHECKS",
    "COUNTS",
    "OPTIONS",
    "Bound",
    "Check",
    "Checked",
    "Custom",
    "Example",
    "Finding",
    "Setting",
    "Settings",
    "bound",
    "change_bound",
    "check",
    "each_day",
    "only_so_many",
    "settings_of",
    "with_most_rejected",
]  # fmt: skip


def check(
    config: Config, settings: Settings | None = None, progress: Callable[[str], None] = lambda _: None, *,
    limits: Limits | None = None,
) -> Checked:  # fmt: skip
    """Say whether a log can be trusted.

    Args:
        config: The log, or the output directories of earlier runs; and the rules of sessions.
        settings: Bounds, checks of your own, a baseline; by default the table's bounds alone.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        InputError: If the log cannot be read, or none of its rows is an event.
        UsageError: If a column is missing or ambiguous, or a query is no SQL.

    A check that fails raises nothing: ask ``passed`` of what is returned.
    """
    wanted = settings or Settings()
    thresholds = thresholds_of(wanted)
    compared = baseline_of(wanted, config.inputs)
    outputs = tuple(map(str, folders_of(config.inputs)))
    if outputs:
        facts = facts_of_runs(outputs, config, wanted, thresholds)
    else:
        facts = facts_of_log(config, wanted, thresholds, progress, limits)
    return checked_by(facts, wanted, compared)


class Baseline(NamedTuple):
    """What a log is compared with.

    Attributes:
        figures: Figures of one earlier run, by name; None without one.
        past: Figures of each earlier night.
    """

    figures: dict[str, Any] | None = None
    past: tuple[Past, ...] = ()


def baseline_of(settings: Settings, inputs: Sequence[str], *, may_be_none: bool = False) -> Baseline:
    """The baseline that was asked for.

    Args:
        settings: What is to be checked.
        inputs: What is checked.
        may_be_none: Whether there may be no night yet.

    Raises:
        UsageError: If it is none.
    """
    if settings.baseline is None:
        return Baseline()
    if are_several(settings.baseline):
        return Baseline(past=nights(settings.baseline, inputs, may_be_none=may_be_none))
    return Baseline(baseline(settings.baseline))


def thresholds_of(settings: Settings) -> Thresholds:
    """From where on a session is long, or large.

    Raises:
        UsageError: If that is no number.
    """
    return Thresholds(
        hours=_number(settings, "long-sessions", "hours"),
        events=int(_number(settings, "large-sessions", "events")),
        examples=settings.examples,
    )


def checked_by(facts: Facts, settings: Settings, compared: Baseline) -> Checked:
    """The verdict on what was measured."""
    return Checked(
        findings=evaluate(facts, settings, compared.figures, compared.past),
        inputs=facts.inputs,
        counts=facts.counts,
        figures=facts.figures,
        layout=facts.layout,
        learnt=_learnt(facts),
        rules=facts.rules,
        notes=facts.notes,
        days=facts.days,
        paths=facts.paths,
    )


def each_day(config: Config, checked: Checked, settings: Settings) -> tuple[Checked, ...]:
    """The same for the files of each day, where each file is named for one; of the last MOST_DAYS.

    Args:
        config: The log, and the rules of sessions.
        checked: What the whole log came to.
        settings: What was asked of it.
    """
    by_day: dict[date, list[str]] = {}
    for path in checked.paths:
        day = day_of(path)
        if day is None:
            return ()
        by_day.setdefault(day, []).append(path)
    if len(by_day) < 2:
        return ()
    days = sorted(by_day)[-MOST_DAYS:]
    alone = [
        replace(config, inputs=tuple(by_day[day])) for day in days if checked.days.get(day, {}).get("repeated.rows")
    ]
    of_few_too = {each.name: replace(settings.setting(each.name), least=0) for each in CHECKS}
    return tuple(check(each, replace(settings, custom=(), settings=of_few_too)) for each in alone)


def _learnt(facts: Facts) -> dict[str, object]:
    events = facts.events
    return {
        "columns": facts.columns,
        "types": None if events is None else events.types,
        "oldest": None if events is None or not events.clock.events else events.clock.oldest,
    }


def _number(settings: Settings, name: str, of: str) -> float:
    value = option(settings, name, of)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise UsageError(f"[check.{name}] {of} = {value!r} is no number", hint=f"such as {of} = 24")
    return value
