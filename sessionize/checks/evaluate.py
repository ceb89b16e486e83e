"""From facts to findings: each check of the table is measured, and its number held against its bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sessionize.checks.bounds import Bound, bound
from sessionize.checks.daily import NAMES, Rules, before, by_kind, by_past, columns_gone, judged
from sessionize.checks.expected import Past
from sessionize.checks.facts import Facts
from sessionize.checks.findings import Finding, Measured, Status, Undecided, Unit, Unmeasured
from sessionize.checks.measure import Answer
from sessionize.checks.settings import Setting, Settings
from sessionize.checks.table import CHECKS, Check
from sessionize.values import NamedTuple

COMPARED: Final = (
    "sessions", "profiles", "events", "events_per_session_mean", "page_views_per_session_mean", "duration_s_mean",
    "duration_s_median", "bounce_rate", "engagement_rate", "conversion_rate", "value", "bot_share",
)  # fmt: skip
"""Figures that a baseline is compared by."""


class Title(NamedTuple):
    """What a check is called."""

    name: str
    meaning: str
    unit: Unit


Allowed = tuple[Bound | None, Bound | None]
"""Without a warning, and without a failure."""


def evaluate(
    facts: Facts, settings: Settings, baseline: Mapping[str, Any] | None = None, past: Sequence[Past] = ()
) -> tuple[Finding, ...]:
    """A finding for every check that is made.

    Args:
        facts: What was measured on the log.
        settings: Bounds, and the user's own checks.
        baseline: Figures to compare with, by name.
        past: Nights to compare with.
    """
    return (
        *_of_table(facts, settings),
        *_of_days(facts, settings, past),
        *_of_custom(facts, settings),
        *_of_baseline(facts, settings, baseline),
    )


def _of_days(facts: Facts, settings: Settings, past: Sequence[Past]) -> Iterator[Finding]:
    """The figures of each day, by the nights before it where they are told, else by what was learnt."""

    def enabled(name: str) -> bool:
        return settings.setting(name).enabled

    def rules_of(day: date | None) -> Rules:
        earlier = before(past, day)
        return by_past(earlier, day) if earlier else by_kind(settings.days.rules, day)

    yield from judged(facts.days, rules_of, enabled, settings.examples, facts.columns or ())
    if past and enabled(NAMES["columns"]):
        yield from columns_gone(facts.columns, before(past, max(filter(None, facts.days), default=None)))


def _of_table(facts: Facts, settings: Settings) -> Iterator[Finding]:
    for check in CHECKS:
        setting = settings.setting(check.name)
        if setting.enabled:
            options = {**check.options, **setting.options, "columns": settings.schema}
            answer = check.measure(facts, options)
            title = Title(check.name, check.meaning, check.unit)
            allowed = bounds(check, setting)
            if _of_few(answer, check, setting):
                yield finding(title, answer, (allowed[1], None), settings.examples)
            else:
                yield finding(title, _enough(answer, check, setting), allowed, settings.examples)


def bounds(check: Check, setting: Setting) -> Allowed:
    """What is allowed: as given, else as in the table."""
    warn = setting.warn if "warn" in setting.given else bound(check.warn, check.name)
    error = setting.error if "error" in setting.given else bound(check.error, check.name)
    return warn, error


def _of_few(answer: Answer, check: Check, setting: Setting) -> bool:
    """Whether it is a share of so few that only what would be a failure of more is worth a warning."""
    few = isinstance(answer, Measured) and answer.base is not None and check.few <= answer.base < check.least
    return bool(check.few) and few and not setting.given


def _enough(answer: Answer, check: Check, setting: Setting) -> Answer:
    """Not measured, where it is a share of too few to say anything: of fewer than is said, else than the table says.

    What the table says is for its own bounds alone.
    """
    if isinstance(answer, Measured) and answer.base is not None:
        least = setting.least if setting.least is not None else 0 if setting.given else check.least
        if answer.base == 0:
            return Unmeasured("there are none to measure it on")
        if answer.base < least:
            return Unmeasured(f"{answer.said}; of fewer than {least:,} that says little")
    return answer


def finding(title: Title, answer: Answer | Undecided, allowed: Allowed, examples: int) -> Finding:
    """The verdict on one answer."""
    (name, meaning, unit), (warn, error) = title, allowed
    if not isinstance(answer, Measured):
        bad: Status = "passed" if error is None and warn is None else "warned" if error is None else "failed"
        return Finding(
            check=name, meaning=meaning, status=bad if isinstance(answer, Undecided) else "not measured", unit=unit, number=None, base=None, warn=warn,
            error=error, said=answer.why,
        )  # fmt: skip
    status: Status = "passed"
    if error is not None and not error.holds(answer.number, answer.base):
        status = "failed"
    elif warn is not None and not warn.holds(answer.number, answer.base):
        status = "warned"
    return Finding(
        check=name, meaning=meaning, status=status, unit=unit, number=answer.number, base=answer.base, warn=warn,
        error=error, said=answer.said, examples=answer.examples[:examples] if status != "passed" else (),
    )  # fmt: skip


def _of_custom(facts: Facts, settings: Settings) -> Iterator[Finding]:
    for custom in settings.custom:
        answer = facts.custom[custom.name]
        title = Title(custom.name, custom.sql, "count")
        yield finding(title, answer, (custom.warn, custom.error), settings.examples)


def _of_baseline(facts: Facts, settings: Settings, baseline: Mapping[str, Any] | None) -> Iterator[Finding]:
    if baseline is None:
        return
    new = {**facts.figures, **{name: facts.counts[name] for name in ("sessions", "profiles", "events")}}
    for name in COMPARED:
        answer = _change(name, baseline.get(name), new.get(name))
        if answer is not None:
            title = Title(f"change-of-{name.replace('_', '-')}", f"change of {name} from the baseline", "rate")
            yield finding(title, answer, (settings.warn_change, settings.max_change), settings.examples)


def _change(name: str, old: float | None, new: float | None) -> Answer | None:
    """How far a figure is from the baseline's, as a share of it; None where neither has it."""
    if old is None and new is None:
        return None
    if old is None or new is None:
        return Unmeasured(f"{name} is {'not in the baseline' if old is None else 'only in the baseline'}")
    change = abs(new - old)
    base = abs(old) or abs(new) or 1
    signed = f"{(new - old) / base:+.1%}"
    return Measured(change, base, f"{name} is {new:,.6g}, and was {old:,.6g} in the baseline ({signed})")
