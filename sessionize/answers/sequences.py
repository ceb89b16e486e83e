"""Answers about sessions event by event: funnels and paths."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

import polars as pl

from sessionize.answers.ask import Answer, FunnelAsk, PathsAsk
from sessionize.answers.look import LABEL, Look
from sessionize.answers.selected import ONE_MICROSECOND, facts, need, selected, visible
from sessionize.answers.source import Progress, source
from sessionize.config import Config
from sessionize.limits import Limits
from sessionize.summary.funnel import Funnel
from sessionize.summary.paths import Ends, Paths
from sessionize.summary.selection import OF_START, group

ENDS: Final = {"begin": "--from", "end": "--to", "around": "--around"}
"""Where paths lie, and the options that say so."""


def funnel(
    config: Config, ask: FunnelAsk, progress: Progress = lambda _: None, *, limits: Limits | None = None
) -> Answer:
    """How many sessions go from step to step, in order.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Steps of the funnel, and which sessions are meant.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        UsageError: If a step is no event of the log.
    """
    with ExitStack() as stack:
        origin = source(config, need(ask, events=True, named=ask.steps), stack, progress, limits)
        look = Look(dict.fromkeys(ask.steps, "--step"), origin)
        found = FunnelOf(ask, origin.timezone)
        for sessions, events in selected(origin, ask, look):
            if events is not None:
                found.add(sessions, events, look)
    look.check()
    return Answer(found.answer(), facts(origin))


class FunnelOf:
    """Counts a funnel that is asked for.

    Args:
        ask: Steps of the funnel, and which sessions are meant.
        timezone: IANA zone of days and hours.
    """

    def __init__(self, ask: FunnelAsk, timezone: str) -> None:
        self._ask = ask
        self._timezone = timezone
        within = None if ask.within is None else ask.within // ONE_MICROSECOND
        self._found = Funnel(ask.steps, within, strict=ask.strict)
        self._by: pl.Expr = pl.lit(None)
        self._begun = False

    def add(self, sessions: pl.DataFrame, events: pl.DataFrame, look: Look) -> None:
        """Count some sessions.

        Args:
            sessions: Metrics of some sessions.
            events: Their events as the look has named and marked them.
            look: Knows which events each step is.
        """
        if self._ask.by is not None and not self._begun:
            self._by = group(self._ask.by, visible(sessions), self._timezone)
        self._begun = True
        groups = sessions.select(self._by.cast(pl.String).alias("group")).to_series()
        groups = groups if len(groups) == sessions.height else groups.new_from_index(0, sessions.height)
        self._found.add(sessions, events, [look.flags(events, text) for text in self._ask.steps], groups)

    def answer(self) -> dict[str, Any]:
        """What `sessionize funnel` says, as data with fixed names."""
        within = self._ask.within
        return {
            **self._found.answer(),
            "within_s": None if within is None else within.total_seconds(),
            "strict": self._ask.strict,
            "groups": []
            if self._ask.by is None
            else self._found.groups(in_time=self._ask.by if self._ask.by in OF_START else None),
        }


def paths(
    config: Config, ask: PathsAsk, progress: Progress = lambda _: None, *, limits: Limits | None = None
) -> Answer:
    """The commonest sequences of events.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Which sequences.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        UsageError: If an end is no event of the log.
    """
    found = Paths(ask.steps, repeats=ask.repeats)
    texts = {name: text for name in ENDS if (text := getattr(ask, name)) is not None}
    with ExitStack() as stack:
        origin = source(config, need(ask, events=True, named=tuple(texts.values())), stack, progress, limits)
        look = Look({text: ENDS[name] for name, text in texts.items()}, origin, fold=ask.fold)
        for sessions, events in selected(origin, ask, look):
            if events is not None:
                ends = Ends(**{name: look.flags(events, text) for name, text in texts.items()})
                found.add(sessions, events[LABEL], ends)
    look.check()
    return Answer({**found.answer(ask.most), "steps": ask.steps, "folded": look.folded}, facts(origin))
