"""The summary: totals, rates, distributions, entries and exits, over time and by groups."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import polars as pl

from sessionize.answers.ask import Answer, Ask
from sessionize.answers.earlier import is_run
from sessionize.answers.selected import ONE_MICROSECOND, Spanned, facts, need, selected, visible
from sessionize.answers.source import Progress, Source, source
from sessionize.config import Config
from sessionize.instants import microseconds
from sessionize.limits import Limits
from sessionize.output.as_made import made_otherwise
from sessionize.summary.goals import Goals
from sessionize.summary.overview import WEEK, Overview, changes
from sessionize.summary.selection import OF_START, group
from sessionize.values import NamedTuple

A_WEEK: Final = "week"


def summary(config: Config, ask: Ask, progress: Progress = lambda _: None, *, limits: Limits | None = None) -> Answer:
    """Totals, rates, distributions, entries and exits, over time and by groups.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Which sessions, how grouped, with what compared.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    with ExitStack() as stack:
        origin = source(config, need(ask, events=False), stack, progress, limits)
        goals, span = Goals(origin.account["rules"]), Spanned(origin.batches)
        whole = _overview(replace(origin, batches=span), ask, goals)
        other = other_log(config, ask, origin, stack, progress, limits)
    data = {**whole.answer(), "goals": goals.answer(), **row_counts(origin)}
    data["compare"] = compared(ask, data, whole, other.overview)
    framed: dict[str, Any] = {"span": (span.first, span.last), "by": ask.by, "compare": ask.compare, "is_all": ask.selection.is_all,
              "one_minute": whole.one_minute}  # fmt: skip
    return Answer(data, {**facts(origin), **framed, "notes": (*origin.notes, *other.notes)})


def _overview(origin: Source, ask: Ask, goals: Goals | None = None) -> Overview:
    found: Overview | None = None
    for sessions, _ in selected(origin, ask):
        if found is None:
            found = overview_of(ask, sessions, origin.timezone)
        found.add(sessions)
        if goals is not None:
            goals.add(sessions)
    if found is None:
        raise ValueError("a source has at least one batch")
    return found


def overview_of(ask: Ask, sessions: pl.DataFrame, timezone: str) -> Overview:
    """What gathers the summary of sessions with these columns.

    Args:
        ask: How they are grouped.
        sessions: Metrics of some sessions.
        timezone: IANA zone of days and hours.
    """
    by = None if ask.by is None else group(ask.by, visible(sessions), timezone)
    return Overview(timezone, by, in_time=ask.by if ask.by in OF_START else None)


class Other(NamedTuple):
    """What a log or a run is compared with.

    Attributes:
        overview: Its summary; None where it is no other log or run.
        notes: Rules that the two do not share.
    """

    overview: Overview | None = None
    notes: tuple[str, ...] = ()


def other_log(
    config: Config, ask: Ask, this: Source, stack: ExitStack, progress: Progress, limits: Limits | None
) -> Other:
    """The summary of what is compared with.

    Args:
        config: The log, and the rules of sessions.
        ask: What it is compared with.
        this: Where the sessions come from that are compared with it.
        stack: Closed when all is answered.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    if ask.compare in (None, A_WEEK):
        return Other()
    asked = replace(config, inputs=(str(ask.compare),), frame=None)
    that = source(asked, need(ask, events=False), stack, progress, limits)
    return Other(_overview(that, ask), _other_rules(config, asked, this, that))


def _other_rules(config: Config, asked: Config, this: Source, that: Source) -> tuple[str, ...]:
    """What to say where a run is among the two, and the rules are not the same: figures may differ by these alone."""
    if not is_run(config.inputs) and not is_run(asked.inputs):
        return ()
    options = made_otherwise(this.account, that.account)
    if not options:
        return ()
    names = f"{', '.join(that.inputs)} and {', '.join(this.inputs)}"
    return (f"{names} were not made alike, which alone may make figures differ: {', '.join(options)}",)


def compared(ask: Ask, data: Mapping[str, Any], whole: Overview, other: Overview | None) -> dict[str, Any] | None:
    """This with that: another log, or the last seven days with the seven before where the log has as many.

    Args:
        ask: What it is compared with.
        data: The figures of the whole.
        whole: What they were made of.
        other: Overview of the other log; None for the week.
    """
    if other is not None:
        that = other.answer()
        return {
            "name": ask.compare,
            "this": None,
            "that": _figures(that),
            "change": changes(_figures(data), _figures(that)),
        }
    newest, oldest = whole.newest, whole.oldest
    if newest is None or oldest is None or (ask.compare is None and newest - oldest < 2 * WEEK):
        return None
    until, week = microseconds(newest) + 1, WEEK // ONE_MICROSECOND  # whole numbers: the years 1 and 9999 have an end
    now, before = whole.span(until - week, until), whole.span(until - 2 * week, until - week)
    if not before["sessions"]:
        return None
    return {"name": A_WEEK, "this": now, "that": before, "change": changes(now, before)}


def _figures(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if not isinstance(value, list)}


def row_counts(origin: Source) -> dict[str, Any]:
    """Rows that were read, and those that are no events."""
    counts = origin.account["counts"]
    return {name: counts.get(name, 0) for name in ("rows_read", "rejected", "duplicates", "late")}
