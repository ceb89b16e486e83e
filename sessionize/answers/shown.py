"""One session as a timeline."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.answers.ask import Answer, ShowAsk
from sessionize.answers.looks import PLACE
from sessionize.answers.selected import facts, need, visible
from sessionize.answers.source import Progress, Source, source
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.kernel import as_text
from sessionize.limits import Limits
from sessionize.summary.selection import check_span
from sessionize.summary.timeline import Choice, Drawn, First, Largest, Named, Timeline

SHOWN: Final = 5
"""Profiles that a message lists."""


def show(config: Config, ask: ShowAsk, progress: Progress = lambda _: None, *, limits: Limits | None = None) -> Answer:
    """One session as a timeline.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Which session.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        UsageError: If there is no such session.
    """
    found = _Sought(ask)
    with ExitStack() as stack:
        asked_for = replace(need(ask, events=True), everything=True, rows=ask.raw)
        origin = source(config, asked_for, stack, progress, limits)
        check_span(ask.selection)
        for sessions, events in origin.batches:
            told = as_text(sessions)
            meant = ask.selection.of(visible(told), origin.newest, origin.timezone, origin.log_columns)
            found.add(told, events, meant)
        timeline = found.timeline()
        if not timeline.is_found:
            if not found.seen:
                raise UsageError(f"no session is there: {', '.join(origin.inputs)} has no event")
            raise UsageError(
                f"no session {_which(ask)}", hint="sessionize show INPUT --longest shows one that there is"
            )
        rows = _rows_of(timeline, origin, config) if ask.raw else []
    return Answer({**timeline.answer(), "rows": rows}, facts(origin))


class _Sought:
    """Looks for a session: among those of a profile where one was named, or of the one whose id begins so.

    Args:
        ask: Which session.

    Attributes:
        seen: Whether there was any session.
    """

    def __init__(self, ask: ShowAsk) -> None:
        self._profile = ask.profile
        self._exact, self._likely = Timeline(_choice(ask)), Timeline(_choice(ask))
        self._profiles: set[str] = set()
        self.seen = False

    def add(self, sessions: pl.DataFrame, events: pl.DataFrame | None, meant: pl.Expr | None) -> None:
        """Look at some sessions.

        Args:
            sessions: Metrics of some sessions, in texts.
            events: Their events in order; None where they were not kept.
            meant: Whether a session is among those asked for; None for all.
        """
        self.seen |= sessions.height > 0
        condition = pl.lit(value=True) if meant is None else meant
        if self._profile is None:
            self._exact.add(sessions, events, None if meant is None else _holds(sessions, condition))
            return
        profile = pl.col("profile_id")
        self._exact.add(sessions, events, _holds(sessions, condition & (profile == self._profile)))
        begins = _holds(sessions, condition & profile.str.starts_with(self._profile))
        self._likely.add(sessions, events, begins)
        self._profiles |= set(sessions.filter(begins)["profile_id"].unique())

    def timeline(self) -> Timeline:
        """The session that was found, if one was.

        Raises:
            UsageError: If several profiles begin as the one that was named.
        """
        if self._exact.is_found or self._profile is None:
            return self._exact
        if len(self._profiles) > 1:
            some = sorted(self._profiles)[:SHOWN]
            raise UsageError(
                f"--profile {self._profile!r}: {len(self._profiles):,} profiles begin so",
                hint=f"there are {', '.join(some)}{', …' if len(self._profiles) > SHOWN else ''}",
            )
        return self._likely


def _holds(sessions: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    return sessions.select(condition.fill_null(value=False)).to_series()


def _rows_of(timeline: Timeline, origin: Source, config: Config) -> list[dict[str, Any]]:
    """The rows of a session's events as they stand in the log."""
    if origin.raw is None:
        raise UsageError("--raw needs the log itself: an earlier run's output does not have its rows")
    if config.hash_key is not None or config.ip != "full":
        raise UsageError("--raw does not go with --hash-ids or --ip: rows are shown as they stand")
    if timeline.events is None:
        return []
    place = timeline.events[PLACE]
    places = pl.DataFrame({
        schema.FILE: (place // (1 << 32)).cast(pl.UInt32), schema.ROW: (place % (1 << 32)).cast(pl.UInt32),
    })  # fmt: skip
    found = places.join(origin.raw(places), on=[schema.FILE, schema.ROW], how="left", maintain_order="left")
    return [
        {"file": origin.files[file], "row": row, "raw": raw}
        for file, row, raw in found.select(schema.FILE, schema.ROW, "raw").iter_rows()
    ]


def _choice(ask: ShowAsk) -> Choice:
    if ask.session is not None:
        return Named(ask.session)
    if ask.longest:
        return Largest("duration_s")
    if ask.random or ask.seed is not None:
        return Drawn(secrets.randbits(32) if ask.seed is None else ask.seed)
    return First()


def _which(ask: ShowAsk) -> str:
    words = [] if ask.session is None else [f"begins with {ask.session!r}"]
    words += [] if ask.profile is None else [f"is of profile {ask.profile!r}"]
    words += [] if ask.selection.where is None else [f"fulfils --session-where {ask.selection.where!r}"]
    words += [f"contains {step!r}" for step in ask.selection.containing]
    return " and ".join(words) or "is there"
