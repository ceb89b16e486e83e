"""``check --init``: what the figures of a day may be, learnt day by day, as the configuration's ``[check.days]``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from sessionize.checks.daily import rule
from sessionize.checks.day_settings import DIMENSIONS, LEAST
from sessionize.checks.expected import DAYS, ENOUGH, WEEKDAYS, Past, expected, fewest_sessions, kinds_of
from sessionize.summary.daily import Figures

OF_THE_WEEK: Final = ("volume", "different", "share", "hours", "sessions")
"""First parts of the names of figures that differ between weekdays and weekends."""
OF_EACH_WEEKDAY: Final = ("volume",)
HEAD: Final = """\
# What a day is like, learnt from {span}: for each figure what is allowed without a warning, and without a failure.
# That is the middle of these days, give or take 4 and 10 times what they differ by, or would by chance."""
FEW_DAYS: Final = """
# So few days do not show what days differ by: the bounds are wide. From 4 days of a kind on they are learnt."""


def days_section(days: Mapping[date | None, Figures], dimensions: Sequence[str]) -> str:
    """The section ``[check.days]``; empty where there is nothing to learn it from.

    Args:
        days: Figures by day.
        dimensions: Columns whose values are followed.
    """
    past = [Past(day, figures) for day, figures in days.items() if figures.get("volume.events")]
    if not past:
        return ""
    lines = [HEAD.format(span=span([each.day for each in past])) + (FEW_DAYS if len(past) < ENOUGH else "")]
    lines += ["[check.days]", f"{DIMENSIONS} = {json.dumps(list(dimensions), ensure_ascii=False)}"]
    for kind, parts in _groups(past):
        of_kind = [each.day for each in past if kind in kinds_of(each.day)]
        rules = {name: rule(each, kind) for name, each in expected(past, kind).items() if name.split(".")[0] in parts}
        lines += ["", f"[check.days.{kind}]  # {span(of_kind)}"]
        lines.append(f"{LEAST} = {fewest_sessions(past, kind)}  # sessions: of a day of fewer, more is left to chance")
        for name, each in sorted(rules.items()):
            bounds = ["none" if each_bound is None else each_bound.text for each_bound in (each.warn, each.error)]
            if bounds != ["none", "none"]:
                lines.append(f"{_text(name)} = [{', '.join(map(_text, bounds))}]")
    return "\n".join(lines) + "\n"


def _groups(past: Sequence[Past]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Kinds of days that are told apart, with the first parts of the names of the figures that are."""
    number = {kind: sum(kind in kinds_of(each.day) for each in past) for kind in (*WEEKDAYS, "weekdays", "weekends")}
    both = number["weekdays"] >= ENOUGH and number["weekends"] >= ENOUGH
    every = ("null", "amount", "times", "form", "repeated")
    yield DAYS, every if both else (*every, *OF_THE_WEEK)
    if both:
        yield "weekdays", OF_THE_WEEK
        yield "weekends", OF_THE_WEEK
        for kind in WEEKDAYS:
            if number[kind] >= ENOUGH:
                yield kind, OF_EACH_WEEKDAY


def span(days: Sequence[date | None]) -> str:
    """Which days, in words.

    Examples:
        >>> span([date(2024, 5, 27), date(2024, 5, 30)])
        '2 days from 2024-05-27 to 2024-05-30'
    """
    known = sorted(day for day in days if day is not None)
    if not known:
        return "one log"
    if len(known) == 1:
        return f"one day, {known[0]}"
    return f"{len(known)} days from {known[0]} to {known[-1]}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
