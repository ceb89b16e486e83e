"""Whether a log can be trusted, and why: checks in a table, answered in one pass over the log.

::

    log ── events as they stream by ── events of each key, sessions ──► facts ── evaluate ──► findings ──► a format
           stream, clock               parts                            measure, table      formats
"""

from __future__ import annotations

from collections.abc import Callable

from sessionize.checks.baseline import baseline
from sessionize.checks.batches import runs
from sessionize.checks.bounds import Bound, bound
from sessionize.checks.evaluate import evaluate
from sessionize.checks.facts import Facts
from sessionize.checks.findings import Checked, Example, Finding
from sessionize.checks.from_log import facts_of_log, option
from sessionize.checks.from_run import facts_of_runs
from sessionize.checks.key_stats import Thresholds
from sessionize.checks.settings import (
    Custom,
    Setting,
    Settings,
    change_bound,
    only_so_many,
    settings_of,
    with_most_rejected,
)
from sessionize.checks.table import CHECKS, OPTIONS, Check
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.limits import Limits

__all__ = [
    "CHECKS",
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
    "only_so_many",
    "settings_of",
    "with_most_rejected",
]  # fmt: skip


def check(
    config: Config, asked: Settings | None = None, progress: Callable[[str], None] = lambda _: None, *,
    limits: Limits | None = None,
) -> Checked:  # fmt: skip
    """Say whether a log can be trusted.

    Args:
        config: The log, or the output directories of earlier runs; and the rules of sessions.
        asked: Bounds, checks of your own, a baseline; by default the table's bounds alone.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        InputError: If the log cannot be read, or none of its rows is an event.
        UsageError: If a column is missing or ambiguous, or a query is no SQL.

    A check that fails raises nothing: ask ``passed`` of what is returned.
    """
    wanted = asked or Settings()
    thresholds = Thresholds(
        hours=_number(wanted, "long-sessions", "hours"),
        events=int(_number(wanted, "large-sessions", "events")),
        examples=wanted.examples,
    )
    compared = None if wanted.baseline is None else baseline(wanted.baseline)
    outputs = runs(config.inputs)
    if outputs:
        facts = facts_of_runs(outputs, wanted, thresholds)
    else:
        facts = facts_of_log(config, wanted, thresholds, progress, limits)
    return Checked(
        findings=evaluate(facts, wanted, compared),
        inputs=facts.inputs,
        counts=facts.counts,
        figures=facts.figures,
        layout=facts.layout,
        learnt=_learnt(facts),
        rules=facts.rules,
        notes=facts.notes,
    )


def _learnt(facts: Facts) -> dict[str, object]:
    events = facts.events
    return {
        "columns": facts.columns,
        "types": None if events is None else events.types,
        "oldest": None if events is None or not events.clock.events else events.clock.oldest,
    }


def _number(asked: Settings, name: str, of: str) -> float:
    value = option(asked, name, of)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise UsageError(f"[check.{name}] {of} = {value!r} is no number", hint=f"such as {of} = 24")
    return value
