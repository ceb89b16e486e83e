"""One session as a timeline."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import polars as pl

from sessionize import schema
from sessionize.answers.ask import Answer, ShowAsk
from sessionize.answers.selected import facts, need, visible
from sessionize.answers.source import PLACE, Progress, Source, source
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.kernel import as_text
from sessionize.limits import Limits
from sessionize.summary.selection import check_span
from sessionize.summary.timeline import Choice, Drawn, First, Largest, Named, Timeline


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
    timeline = Timeline(_choice(ask))
    with ExitStack() as stack:
        asked_for = replace(need(ask, events=True), everything=True, rows=ask.raw)
        asked = source(config, asked_for, stack, progress, limits)
        check_span(ask.selection)
        for sessions, events in asked.batches:
            told = as_text(sessions)
            meant = ask.selection.of(visible(told), asked.newest)
            if ask.profile is not None:
                of_profile = pl.col("profile_id") == ask.profile
                meant = of_profile if meant is None else meant & of_profile
            timeline.add(told, events, None if meant is None else told.select(meant.fill_null(value=False)).to_series())
        if not timeline.found:
            raise UsageError(
                f"no session {_which(ask)}", hint="sessionize show INPUT --longest shows one that there is"
            )
        rows = _rows_of(timeline, asked, config) if ask.raw else []
    return Answer({**timeline.answer(), "rows": rows}, facts(asked))


def _rows_of(timeline: Timeline, asked: Source, config: Config) -> list[dict[str, Any]]:
    """The rows of a session's events as they stand in the log."""
    if asked.raw is None:
        raise UsageError("--raw needs the log itself: an earlier run's output does not have its rows")
    if config.hash_key is not None or config.ip != "full":
        raise UsageError("--raw does not go with --hash-ids or --ip: rows are shown as they stand")
    if timeline.events is None:
        return []
    place = timeline.events[PLACE]
    places = pl.DataFrame({
        schema.FILE: (place // (1 << 32)).cast(pl.UInt32), schema.ROW: (place % (1 << 32)).cast(pl.UInt32),
    })  # fmt: skip
    found = places.join(asked.raw(places), on=[schema.FILE, schema.ROW], how="left", maintain_order="left")
    return [
        {"file": asked.files[file], "row": row, "raw": raw}
        for file, row, raw in found.select(schema.FILE, schema.ROW, "raw").iter_rows()
    ]


def _choice(ask: ShowAsk) -> Choice:
    if ask.session is not None:
        return Named(ask.session)
    if ask.longest:
        return Largest("duration_s")
    if ask.random:
        return Drawn(secrets.randbits(32) if ask.seed is None else ask.seed)
    return First()


def _which(ask: ShowAsk) -> str:
    words = [] if ask.session is None else [f"begins with {ask.session!r}"]
    words += [] if ask.profile is None else [f"is of profile {ask.profile!r}"]
    words += [] if ask.selection.where is None else [f"fulfils --session-where {ask.selection.where!r}"]
    return " and ".join(words) or "is there"
