"""The configuration's ``[check.days]``: which dimensions are followed, and what the figures of each kind of day may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from difflib import get_close_matches
from typing import Any, Final

from sessionize.checks.bounds import bound
from sessionize.checks.daily import MEANINGS, Rule, Rules
from sessionize.checks.expected import DAYS, WEEKDAYS
from sessionize.errors import UsageError
from sessionize.summary.daily import FIXED, called
from sessionize.values import dataclass

DIMENSIONS: Final = "dimensions"
LEAST: Final = "least"
KINDS: Final = (DAYS, "weekdays", "weekends", *WEEKDAYS)
HINT: Final = 'write "volume.events" = ["800..1200", "500..2000"]: without a warning, without a failure'


@dataclass(frozen=True, kw_only=True)
class Days:
    """What is asked of the figures of a day.

    Attributes:
        dimensions: Columns of which each value's share is a figure.
        rules: Kind of day → figure → what it may be.
        learning: Whether the columns to follow are to be chosen among those of few different values.
    """

    dimensions: tuple[str, ...] = ()
    rules: Mapping[str, Rules] = field(default_factory=dict)
    learning: bool = False


def days_of(section: Any) -> Days:
    """What a ``[check.days]`` section asks for.

    Raises:
        UsageError: If it names a kind of day or a figure that there is not, or a bound is none.
    """
    if not isinstance(section, Mapping):
        raise UsageError("[check] days is no table", hint="write [check.days] with dimensions, or let --init write it")
    dimensions = section.get(DIMENSIONS, [])
    if not isinstance(dimensions, list) or not all(isinstance(each, str) for each in dimensions):
        raise UsageError("[check.days] dimensions is no list of columns", hint='write dimensions = ["device"]')
    unknown = [name for name in section if name not in (DIMENSIONS, *KINDS)]
    if unknown:
        raise UsageError(f"[check.days] knows no {unknown[0]!r}", hint=f"it has {', '.join((DIMENSIONS, *KINDS))}")
    rules = {kind: _rules(kind, section[kind]) for kind in KINDS if kind in section}
    return Days(dimensions=tuple(dimensions), rules=rules)


def _rules(kind: str, section: Any) -> Rules:
    if not isinstance(section, Mapping):
        raise UsageError(f"[check.days] {kind} is no table", hint=HINT)
    least = only_so_few(section.get(LEAST, 0), f"[check.days.{kind}] {LEAST}")
    rules = {name: value for name, value in section.items() if name != LEAST}
    return {called(name): _rule(name, value, least, f"[check.days.{kind}] {name}") for name, value in rules.items()}


def _rule(name: str, value: Any, least: int, where: str) -> Rule:
    if name.partition(".")[0] not in MEANINGS or "." not in name:
        raise UsageError(f"{where} is no figure of a day", hint=f"figures begin with {', '.join(MEANINGS)}")
    known = FIXED.get(name.partition(".")[0])
    if known is not None and name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"{where} is no figure of a day", hint=hint)
    if not isinstance(value, list) or len(value) != 2:
        raise UsageError(f"{where} is no two bounds", hint=HINT)
    return Rule(bound(value[0], where), bound(value[1], where), least)


def only_so_few(written: object, where: str) -> int:
    """Of how many something must be a share for that to say something.

    Raises:
        UsageError: If it is no number.
    """
    if not isinstance(written, int) or isinstance(written, bool) or written < 0:
        raise UsageError(f"{where} = {written!r} is no number", hint=f"such as {LEAST} = 100")
    return written
