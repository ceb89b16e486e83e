"""`sessionize summary`, and `sessionize FILE`: one screen about a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.errors import UsageError

OTHERS: Final = "(other)"
"""The groups that have no row of their own, in a CSV."""


@o.command(
    a.BY,
    a.COMPARE,
    o.number("min", "Count groups of fewer sessions together. [default: 1]", panel=a.ANSWER),
    o.number(
        "top",
        "Groups to show; the others are counted together. [default: 20; all days, weeks, months, hours]",
        panel=a.ANSWER,
    ),
    *a.SELECTING,
    a.JSON,
    a.CSV,
    arguments=[o.log_inputs(a.LOG_OR_RUN)],
)
def summary(typed: o.Typed) -> None:
    """Show a log in one screen: totals, rates, lengths, entries and exits, over time or by groups.

    \b
    sessionize events.csv
    sessionize summary events.csv --by entry_page
    sessionize summary events.csv --by "events > 5" --last 7d
    sessionize summary this-month.csv --compare last-month.csv
    """
    from sessionize.answers import Ask
    from sessionize.answers import summary as job
    from sessionize.cli.screens.summary import lines

    typed = settings.with_file(typed)
    for name in ("min", "top"):
        if name in typed.given and typed["by"] is None:
            raise UsageError(
                f"--{name} is of groups, and there are none",
                hint=f"--by day --{name} {typed[name]}, or by another NAME",
            )
    ask = Ask(selection=a.selection(typed), by=typed["by"], compare=typed["compare"])
    least, top = typed["min"] or 0, typed["top"]
    a.answer(
        typed,
        lambda config, progress: job(config, ask, progress),
        lambda found, where: lines(found.data, found.facts, where, least=least, top=top),
        lambda data: rows(data, by=typed["by"], least=least, top=top),
    )


def rows(
    data: Mapping[str, Any], *, by: str | None = None, least: int = 0, top: int | None = None
) -> Iterable[Mapping[str, Any]]:
    """Groups where there are any, else a figure a row.

    Args:
        data: The answer.
        by: What the sessions are grouped by.
        least: Groups under so many sessions are counted together.
        top: Groups of their own; None for all.
    """
    if data["groups"]:
        return _groups(data, by, least, top)
    found: list[Mapping[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, Mapping) and name != "compare":
            found += [{"figure": f"{name}_{kind}", "value": each} for kind, each in value.items()]
        elif not isinstance(value, list) and name != "compare":
            found.append({"figure": name, "value": value})
    return found


def _groups(data: Mapping[str, Any], by: str | None, least: int, top: int | None) -> Iterable[Mapping[str, Any]]:
    """A group a row, then the others together."""
    from sessionize.cli.screens.groups import chosen

    shown, rest = chosen(data["groups"], by, least, top)
    found: list[Mapping[str, Any]] = [{**group, "name": a.named(group["name"])} for group in shown]
    sessions = sum(group["sessions"] for group in rest)
    if rest:
        found.append({"name": OTHERS, "sessions": sessions, "share": sessions / data["sessions"]})
    return found
