"""Each answer: what it needs of a log, and what is done with each batch of sessions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.answers.ask import Answer, Ask, FunnelAsk, PathsAsk, ShowAsk
from sessionize.answers.source import PLACE, Need, Progress, Source, source
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.instants import EPOCH
from sessionize.kernel import as_text
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.limits import Limits
from sessionize.summary.funnel import Flags, Funnel
from sessionize.summary.names import Known, Step, folded, labels, never_there, step
from sessionize.summary.overview import WEEK, Overview, changes
from sessionize.summary.paths import Ends, Paths
from sessionize.summary.selection import OF_START, check_span, group
from sessionize.summary.timeline import Choice, Drawn, First, Largest, Named, Timeline

A_WEEK: Final = "week"
ONE_MICROSECOND: Final = timedelta(microseconds=1)
Batches = Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]
Prepare = Callable[[pl.DataFrame], pl.DataFrame]
LABEL: Final = "label"


def summary(config: Config, ask: Ask, progress: Progress = lambda _: None, *, limits: Limits | None = None) -> Answer:
    """Totals, rates, distributions, entries and exits, over time and by groups.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Which sessions, how grouped, with what compared.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    with ExitStack() as stack:
        asked = source(config, _need(ask, events=False), stack, progress, limits)
        whole = _overview(asked, ask)
        other = None
        if ask.compare not in (None, A_WEEK):
            other = _other(config, ask, stack, progress, limits)
    data = {**whole.answer(), **_rows(asked)}
    data["compare"] = _compared(ask, data, whole, other)
    return Answer(data, {**_facts(asked), "by": ask.by})


def _need(ask: Ask, *, events: bool, named: tuple[str, ...] = ()) -> Need:
    carried = ask.by if ask.by is not None and ask.by not in OF_START else None
    texts = tuple(text for text in (ask.by, ask.selection.where, *named) if text is not None)
    return Need(events=events, named=texts, carried=carried)


def _overview(asked: Source, ask: Ask) -> Overview:
    found: Overview | None = None
    for sessions, _ in _selected(asked, ask):
        if found is None:
            by = None if ask.by is None else group(ask.by, _visible(sessions), asked.timezone)
            found = Overview(asked.timezone, by, in_time=ask.by in OF_START)
        found.add(sessions)
    if found is None:
        raise ValueError("a source has at least one batch")
    return found


def _selected(asked: Source, ask: Ask, prepare: Prepare = lambda events: events) -> Batches:
    """The sessions that are meant, and their events.

    Args:
        asked: Where they come from.
        ask: Which are meant.
        prepare: Sees the events of all sessions, and gives them back, maybe with other columns.
    """
    check_span(ask.selection)
    meant: pl.Expr | None = None
    for number, (sessions, found) in enumerate(asked.batches):
        events = None if found is None else prepare(found)
        if ask.selection.where is not None or ask.by is not None:
            sessions = as_text(sessions)  # noqa: PLW2901 - the same, in texts
        if number == 0:
            meant = ask.selection.of(_visible(sessions), asked.newest)
        if meant is None:
            yield sessions, events
            continue
        keep = sessions.select(meant.fill_null(value=False).alias("keep"))["keep"]
        yield sessions.filter(keep), None if events is None else events.filter(_each(keep, sessions["events"]))


def _visible(sessions: pl.DataFrame) -> dict[str, pl.DataType]:
    names = (*METRIC_NAMES, *(name for name in sessions.columns if name.startswith(schema.PROPERTY_PREFIX)))
    return {name: sessions.schema[name] for name in names if name in sessions.columns}


def _each(of_sessions: pl.Series, events: pl.Series) -> pl.Series:
    """What holds of each session, once an event."""
    return pl.Series(of_sessions.to_numpy().repeat(events.to_numpy()))


def _other(config: Config, ask: Ask, stack: ExitStack, progress: Progress, limits: Limits | None) -> Overview:
    other = replace(config, inputs=(str(ask.compare),))
    return _overview(source(other, _need(ask, events=False), stack, progress, limits), ask)


def _compared(ask: Ask, data: Mapping[str, Any], whole: Overview, other: Overview | None) -> dict[str, Any] | None:
    """This with that: another log, or the last seven days with the seven before where the log has as many."""
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
    until = newest + ONE_MICROSECOND
    now, before = whole.span(until - WEEK, until), whole.span(until - 2 * WEEK, until - WEEK)
    return {"name": A_WEEK, "this": now, "that": before, "change": changes(now, before)}


def _figures(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if not isinstance(value, list)}


def _rows(asked: Source) -> dict[str, Any]:
    counts = asked.account["counts"]
    return {name: counts.get(name, 0) for name in ("rows_read", "rejected", "duplicates", "late")}


def _facts(asked: Source) -> dict[str, Any]:
    newest = asked.newest
    return {
        "inputs": list(asked.inputs),
        "account": asked.account,
        "newest": None if newest is None else EPOCH + timedelta(microseconds=newest),
        "timezone": asked.timezone,
        "event_types": asked.event_types,
    }


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
        need = replace(_need(ask, events=True), everything=True, rows=ask.raw)
        asked = source(config, need, stack, progress, limits)
        check_span(ask.selection)
        for sessions, events in asked.batches:
            told = as_text(sessions)
            meant = ask.selection.of(_visible(told), asked.newest)
            if ask.profile is not None:
                of_profile = pl.col("profile_id") == ask.profile
                meant = of_profile if meant is None else meant & of_profile
            timeline.add(told, events, None if meant is None else told.select(meant.fill_null(value=False)).to_series())
        if not timeline.found:
            raise UsageError(
                f"no session {_which(ask)}", hint="sessionize show INPUT --longest shows one that there is"
            )
        rows = _rows_of(timeline, asked, config) if ask.raw else []
    return Answer({**timeline.answer(), "rows": rows}, _facts(asked))


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


def funnel(
    config: Config, ask: FunnelAsk, progress: Progress = lambda _: None, *, limits: Limits | None = None
) -> Answer:
    """How many sessions go from step to step, in order.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: The steps.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        UsageError: If a step is no event of the log.
    """
    within = None if ask.within is None else ask.within // ONE_MICROSECOND
    found = Funnel(ask.steps, within, strict=ask.strict)
    with ExitStack() as stack:
        asked = source(config, _need(ask, events=True, named=ask.steps), stack, progress, limits)
        look = _Look(dict.fromkeys(ask.steps, "--step"), asked)
        by: pl.Expr | None = None
        for sessions, events in _selected(asked, ask, look):
            if ask.by is not None and by is None:
                by = group(ask.by, _visible(sessions), asked.timezone)
            groups = sessions.select((pl.lit(None) if by is None else by).cast(pl.String).alias("group")).to_series()
            groups = groups if len(groups) == sessions.height else groups.new_from_index(0, sessions.height)
            if events is not None:
                found.add(sessions, events, [look.flags(events, text) for text in ask.steps], groups)
    look.check()
    return Answer(
        {
            **found.answer(),
            "within_s": None if ask.within is None else ask.within.total_seconds(),
            "strict": ask.strict,
            "groups": [] if ask.by is None else found.groups(),
        },
        _facts(asked),
    )


class _Look:
    """Marks the events that steps match, names all, and knows which steps were never there.

    Args:
        steps: What was typed, and the option it was typed after.
        asked: Where the events come from.
        fold: Whether numbers and hex ids in names are folded.
    """

    def __init__(self, steps: Mapping[str, str], asked: Source, *, fold: bool = False) -> None:
        self._typed = steps
        self._asked = asked
        self._fold = fold
        self._known = Known()
        self._seen: set[str] = set()
        self._steps: dict[str, Step] = {}
        self.folded = False

    def __call__(self, events: pl.DataFrame) -> pl.DataFrame:
        """Time and name of each event, and whether each step matches it."""
        if not self._steps:
            self._steps = {text: step(text, events.schema, option) for text, option in self._typed.items()}
        marks = {f"is {text}": each.matches.fill_null(value=False) for text, each in self._steps.items()}
        found = events.select("timestamp", labels(events.columns, self._asked.page_views).alias(LABEL), **marks)
        self._seen |= {text for text in self._steps if found[f"is {text}"].any()}
        if len(self._seen) < len(self._steps):
            self._known.add(events)
        if self._fold:
            short = folded(found[LABEL])
            self.folded = self.folded or bool((short != found[LABEL]).any())
            found = found.with_columns(short)
        return found

    def flags(self, events: pl.DataFrame, text: str) -> Flags:
        """Whether a step matches, one an event."""
        return events[f"is {text}"].to_numpy()

    def check(self) -> None:
        """Raise UsageError where a step that is a name is no event at all."""
        for text, each in self._steps.items():
            if text not in self._seen:
                never_there(each, self._known, self._typed[text])


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
    options = {"begin": "--from", "end": "--to", "around": "--around"}
    texts = {name: text for name in options if (text := getattr(ask, name)) is not None}
    with ExitStack() as stack:
        asked = source(config, _need(ask, events=True, named=tuple(texts.values())), stack, progress, limits)
        look = _Look({text: options[name] for name, text in texts.items()}, asked, fold=ask.fold)
        for sessions, events in _selected(asked, ask, look):
            if events is not None:
                ends = Ends(**{name: look.flags(events, text) for name, text in texts.items()})
                found.add(sessions, events[LABEL], ends)
    look.check()
    return Answer({**found.answer(ask.most), "steps": ask.steps, "folded": look.folded}, _facts(asked))
