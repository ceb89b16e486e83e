"""The report: every answer of the shell's commands together, from one reading of the log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.answers.ask import Answer, FunnelAsk, ReportAsk
from sessionize.answers.earlier import is_run
from sessionize.answers.look import LABEL, Look
from sessionize.answers.selected import facts, need, selected
from sessionize.answers.sequences import FunnelOf
from sessionize.answers.source import Need, Progress, Source, source
from sessionize.answers.summaries import compared, other_log, overview_of, row_counts
from sessionize.answers.timeouts import Again, Measuring, boundaries_only, other_rules, timeout_of
from sessionize.config import Config, Plan
from sessionize.engine.names import Names, notes
from sessionize.engine.observe import Observer
from sessionize.limits import Limits
from sessionize.output.commit import manifest_text
from sessionize.output.ownership import MANIFEST
from sessionize.output.read_run import has_events
from sessionize.output.runs import folders_of
from sessionize.summary.distributions import depths, lengths, weekly
from sessionize.summary.goals import Goals
from sessionize.summary.names import folded
from sessionize.summary.origins import Origins
from sessionize.summary.overview import Overview
from sessionize.summary.paths import Ends, Paths
from sessionize.summary.seen import Seen

STEPS: Final = 4
"""Events of a path."""
MOST_NODES: Final = 6
"""Names that are told apart at each step of the paths."""
MOST_PATHS: Final = 10
USUAL_EDGE_S: Final = 1800.0
"""Where classes of lengths begin, where there is no timeout."""
NO_EVENTS: Final = "the earlier run wrote no events: run it again with --events, or name the log itself"


def report(
    config: Config, ask: ReportAsk, progress: Progress = lambda _: None, *, limits: Limits | None = None
) -> Answer:
    """All that a page about a log tells.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        ask: Which sessions and sections, with what compared.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        UsageError: If a step is no event of the log, or an earlier run does not have what a section needs.
    """
    with ExitStack() as stack:
        sight = _Sight(config, ask, stack)
        origin = source(config, sight.need(), stack, progress, limits)
        found = _Collected(ask, origin, sight)
        for sessions, events in selected(origin, ask, found.prepare):
            found.add(sessions, events)
        other = other_log(config, ask, origin, stack, progress, limits)
        progress("writing")
        data = found.answer()
    data["compare"] = compared(ask, data, found.overview, other.overview)
    framed = {
        **facts(origin), "by": ask.by, "sections": ask.sections, "selection": ask.selection,
        "absent": tuple(dict.fromkeys((*origin.notes, *sight.notes(), *other.notes))),
        "digest": _digest(config, origin),
    }  # fmt: skip
    return Answer(data, framed)


class _Sight:
    """What of a log, or of an earlier run, can be seen.

    Args:
        config: The log or the earlier run.
        ask: What is wanted of it.
        stack: Closed when all is answered.
    """

    def __init__(self, config: Config, ask: ReportAsk, stack: ExitStack) -> None:
        self._config, self._ask, self._stack = config, ask, stack
        self.of_run = is_run(config.inputs)
        self.blind = self.of_run and not all(has_events(folder) for folder in folders_of(config.inputs))
        self.measuring: Measuring | None = None
        self._names: tuple[Names, Plan] | None = None
        self.wants_events = bool(ask.steps) or ask.has("pages", "paths") or (self.of_run and ask.has("silences"))

    def need(self) -> Need:
        """What it takes; a step or section that was named and cannot be told is refused as it is read."""
        named = bool(self._ask.steps) or any(name in self._ask.sections for name in ("paths", "silences"))
        events = self.wants_events and (named or not self.blind)
        origins = ("referrer", "channel", *schema.UTM) if self._ask.has("channels") else ()
        return replace(need(self._ask, events=events, named=(*self._ask.steps, *origins)), observe=self._observers)

    def _observers(self, plan: Plan) -> Sequence[Observer]:
        self._names = (Names(plan), plan)
        if not self._ask.has("silences"):
            return (self._names[0],)
        self.measuring = Measuring(boundaries_only(plan))
        self._stack.callback(self.measuring.table.close)
        return (self._names[0], self.measuring)

    def notes(self) -> tuple[str, ...]:
        """Names that were asked for and that the log has not; none of an earlier run, which said so itself."""
        return () if self._names is None else notes(self._names[0].seen(), self._config, self._names[1])


class _Collected:
    """Gathers what all sections need of some sessions after the others.

    Args:
        ask: Which sections.
        origin: Where the sessions come from.
        sight: What can be seen of them.
    """

    def __init__(self, ask: ReportAsk, origin: Source, sight: _Sight) -> None:
        self._ask, self._origin, self._sight = ask, origin, sight
        self._overview: Overview | None = None
        self._goals = Goals(origin.account["rules"])
        self._origins = Origins()
        self._conversions: list[pl.Series] = []
        self._look = Look(dict.fromkeys(ask.steps, "--step"), origin)
        self._funnel = FunnelOf(FunnelAsk(steps=ask.steps, by=ask.by), origin.timezone) if ask.steps else None
        self._paths = Paths(STEPS)
        self._folded = False
        self._seen = Seen()
        self._again = Again()

    def prepare(self, events: pl.DataFrame) -> pl.DataFrame:
        """Name the events of all sessions, and mark the steps."""
        if self._sight.of_run and self._ask.has("silences"):
            self._again.add(events)
        page = schema.PAGE if schema.PAGE in events.columns else schema.EVENT_TYPE
        seen = events[page] if page in events.columns else pl.Series([None] * events.height, dtype=pl.String)
        return self._look(events).with_columns(seen.alias(schema.PAGE))

    def add(self, sessions: pl.DataFrame, events: pl.DataFrame | None) -> None:
        """Take some sessions, and their events where these are known."""
        if self._overview is None:
            self._overview = overview_of(self._ask, sessions, self._origin.timezone)
        self._overview.add(sessions)
        self._goals.add(sessions)
        if self._ask.has("channels"):
            self._origins.add(sessions)
        self._conversions.append(sessions["first_conversion_s"].drop_nulls())
        if events is None:
            return
        if self._ask.has("pages"):
            self._seen.add(events[schema.PAGE], sessions["events"])
        if self._ask.has("paths"):
            short = folded(events[LABEL])
            self._folded = self._folded or bool((short != events[LABEL]).any())
            self._paths.add(sessions, short, Ends())
        if self._funnel is not None:
            self._funnel.add(sessions, events, self._look)

    @property
    def overview(self) -> Overview:
        """What the summary is made of."""
        if self._overview is None:
            raise ValueError("a source has at least one batch")
        return self._overview

    def answer(self) -> dict[str, Any]:
        """What the sections tell, as data."""
        if self._funnel is not None:
            self._look.check()
        measures = self.overview.measures
        edge = self._edge_s
        waits = pl.concat(self._conversions)
        data = {
            **self.overview.answer(),
            "goals": self._goals.answer(),
            **row_counts(self._origin),
            "weekly": weekly(measures, self._origin.timezone),
            "spread": lengths(measures["duration_s"], edge),
            "depths": depths(measures),
            "silences": self._silences(edge),
            "channels": self._origins.rows() if self._ask.has("channels") else [],
            "to_conversion": {**lengths(waits, edge), "median": waits.median()},
            "funnel": None if self._funnel is None else self._funnel.answer(),
            "paths": self._path_data(),
        }
        seen = self._seen.of([row["name"] for row in data["exit_pages"]])
        for row in data["exit_pages"]:
            views = seen.get(row["name"])
            row["exit_rate"] = None if views is None or views < row["sessions"] else row["sessions"] / views
        return data

    @property
    def _edge_s(self) -> float:
        limit = timeout_of(self._origin.account["rules"])
        return limit / 1_000_000 if limit else USUAL_EDGE_S

    def _silences(self, edge: float) -> dict[str, Any]:
        """The silences and what other timeouts make of the log; else ``why`` they are not known."""
        rules = self._origin.account["rules"]
        if not self._ask.has("silences"):
            return {"why": None}
        if self._sight.of_run:
            if self._sight.blind:
                return {"why": NO_EVENTS}
            if others := other_rules(rules):
                return {"why": f"the earlier run had other rules than the timeout ({', '.join(others)})"}
        look = self._sight.measuring or self._again.measured(rules)
        return {"why": None, **look.answer(timeout_of(rules)), "classes": look.silences.around(edge)}

    def _path_data(self) -> dict[str, Any]:
        if not self._ask.has("paths"):
            return {"why": None}
        if self._sight.blind:
            return {"why": NO_EVENTS}
        found = self._paths.answer(MOST_PATHS)
        return {"why": None, **found, "flows": self._paths.flows(MOST_NODES), "steps": STEPS, "folded": self._folded}


def _digest(config: Config, origin: Source) -> str:
    """SHA-256 of the manifest: of an earlier run's own, else of what a run would write.

    But for its outputs, and for the times at which files were changed: the same log gives the same page.
    """
    whole = hashlib.sha256()
    if is_run(config.inputs):
        for folder in folders_of(config.inputs):
            whole.update((folder / MANIFEST).read_bytes())
    else:
        inputs = [{**file, "modified_ns": None} for file in origin.account["inputs"]]
        whole.update(manifest_text({**origin.account, "inputs": inputs}).encode())
    return whole.hexdigest()
