"""How many sessions go from step to step, in order: as ClickHouse's windowFunnel counts it.

A chain begins at each event of the first step and takes the next event of each further step; what counts is how far a
session's furthest chain came. Of events at one instant, the one that is later in input order is the later. Key-local.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.summary.missing import filled
from sessionize.values import NamedTuple

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOWHERE: Final = -1
SECOND: Final = 1_000_000
END: Final = "end"
SHOWN: Final = 3
"""Of what came after a step that was the last."""


class Spans(NamedTuple):
    """Where sessions lie among events in order of session and position.

    Attributes:
        start: Position of each session's first event.
        end: Position after each session's last event.
    """

    start: Positions
    end: Positions

    @classmethod
    def of(cls, sizes: NDArray[Any]) -> Spans:
        """Of sessions with so many events each, one after the other."""
        end = np.cumsum(sizes, dtype=np.int64)
        return cls(end - sizes.astype(np.int64), end)


class Reached(NamedTuple):
    """How far each session came.

    Attributes:
        level: Number of steps, one a session.
        at: Position of the event that took each step, one row a session and one column a step; NOWHERE where none did.
    """

    level: Positions
    at: Positions


def reached(spans: Spans, times: Positions, matches: Sequence[Flags], within: int | None, *, strict: bool) -> Reached:
    """How far each session came.

    Args:
        spans: Where the sessions lie.
        times: Microseconds of each event.
        matches: Matches of each step, whether each event is it.
        within: Longest time from the first step to the last, in microseconds; None for any.
        strict: Whether an event that is no step, or one whose step before is missing, ends the search: as
            ClickHouse's ``strict_order``.
    """
    return (_strictly if strict else _freely)(spans, times, matches, within)


def _freely(spans: Spans, times: Positions, matches: Sequence[Flags], within: int | None) -> Reached:
    begin = np.flatnonzero(matches[0])
    session = np.searchsorted(spans.end, begin, side="right")
    if within is None and len(begin):  # then a session's first chain comes as far as any
        first = np.append(True, session[1:] != session[:-1])
        begin, session = begin[first], session[first]
    chains = np.full((len(begin), len(matches)), NOWHERE, np.int64)
    chains[:, 0] = begin
    alive = np.ones(len(begin), np.bool_)
    end, limit = spans.end[session], None if within is None else times[begin] + within
    at = begin
    for number, flags in enumerate(matches[1:], start=1):
        there = np.append(np.flatnonzero(flags), len(times))
        following = there[np.searchsorted(there[:-1], at, side="right")]
        alive = alive & (following < end)
        if limit is not None:
            alive &= times[np.minimum(following, len(times) - 1)] <= limit
        at = np.where(alive, following, at)
        chains[alive, number] = at[alive]
    levels = (chains != NOWHERE).sum(axis=1)
    best = np.lexsort((begin, -levels, session))
    best = best[np.append(True, session[best][1:] != session[best][:-1])] if len(best) else best
    return _spread(len(spans.end), session[best], levels[best], chains[best])


def _spread(sessions: int, which: Positions, levels: Positions, chains: Positions) -> Reached:
    level, at = np.zeros(sessions, np.int64), np.full((sessions, chains.shape[1]), NOWHERE, np.int64)
    level[which], at[which] = levels, chains
    return Reached(level, at)


def _strictly(spans: Spans, times: Positions, matches: Sequence[Flags], within: int | None) -> Reached:
    """All sessions side by side, event after event, from the first of the first step to the first that is no step."""
    begin = np.flatnonzero(matches[0])
    session, first = np.unique(np.searchsorted(spans.end, begin, side="right"), return_index=True)
    steps, begin = len(matches), begin[first]
    is_step = np.stack([*matches]) if steps else np.zeros((0, len(times)), np.bool_)
    # chains[s, k] is the newest chain of session s that came to step k, as positions of its steps
    chains = np.full((len(session), steps, steps), NOWHERE, np.int64)
    going, offset = np.arange(len(session)), 0
    while len(going):
        at = begin[going] + offset
        inside = at < spans.end[session[going]]
        going, at = going[inside], at[inside]
        going = _one_event(chains, going, at, is_step[:, at], times, within)
        offset += 1
    levels = (chains[:, :, 0] != NOWHERE).sum(axis=1)
    last = chains[np.arange(len(session)), np.maximum(levels - 1, 0)]
    return _spread(len(spans.end), session, levels, last)


def _one_event(
    chains: Positions, going: Positions, at: Positions, is_step: Flags, times: Positions, within: int | None
) -> Positions:
    """Take one more event of each session; those that go on.

    Args:
        chains: Chains of every session; changed.
        going: The sessions that are looked at.
        at: Position of each one's event.
        is_step: Is step of each step, whether each one's event is it.
        times: Microseconds of each event.
        within: Longest time from the first step to the last, in microseconds; None for any.
    """
    steps = len(is_step)
    done = np.zeros(len(going), np.bool_)
    used = is_step[0].copy()
    for step in range(steps - 1, 0, -1):
        before = chains[going, step - 1]
        fits = is_step[step] & (before[:, 0] != NOWHERE)
        used |= fits
        if within is not None:
            fits &= times[at] <= times[np.maximum(before[:, 0], 0)] + within
        chains[going[fits], step] = before[fits]
        chains[going[fits], step, step] = at[fits]
        if step == steps - 1:
            done |= fits
    chains[going[is_step[0]], 0, 0] = at[is_step[0]]
    further: Positions = going[used & ~done & (steps > 1)]
    return further


class Funnel:
    """Counts sessions by how far they came; the parts of a log add up.

    Args:
        steps: Names of the steps.
        within: Longest time from the first step to the last, in microseconds; None for any.
        strict: Whether no other events may lie between.
    """

    def __init__(self, steps: Sequence[str], within: int | None, *, strict: bool) -> None:
        self._steps = steps
        self._within = within
        self._strict = strict
        self._levels: list[pl.DataFrame] = []
        self._waits: list[list[Positions]] = [[] for _ in steps]
        self._left: list[dict[str, int]] = [{} for _ in steps]

    def add(self, sessions: pl.DataFrame, events: pl.DataFrame, matches: Sequence[Flags], group: pl.Series) -> None:
        """Count some sessions.

        Args:
            sessions: ``events`` and ``converted``, one row a session.
            events: ``timestamp`` and ``label`` of their events, in order of session and position.
            matches: Matches of each step, whether each event is it.
            group: Group of each session.
        """
        spans = Spans.of(sessions["events"].to_numpy())
        times = events["timestamp"].to_physical().to_numpy()
        found = reached(spans, times, matches, self._within, strict=self._strict)
        levels = pl.DataFrame({"group": group, "level": found.level, "converted": sessions["converted"]})
        self._levels.append(levels.group_by("group", "level", "converted").agg(pl.len().cast(pl.Int64).alias("number")))
        for number, waits in enumerate(self._waits[1:], start=1):
            came = found.level > number
            waits.append(times[found.at[came, number]] - times[found.at[came, number - 1]])
        for number in range(1, len(self._steps)):
            last = found.level == number
            self._add_left(number - 1, found.at[last, number - 1] + 1, spans.end[last], events["label"])

    def _add_left(self, step: int, following: Positions, end: Positions, label: pl.Series) -> None:
        there = following < end
        names = label.gather(following[there]).value_counts()
        for name, number in names.iter_rows():
            self._left[step][name] = self._left[step].get(name, 0) + number
        ended = int(np.count_nonzero(~there))
        if ended:
            self._left[step][END] = self._left[step].get(END, 0) + ended

    def answer(self) -> dict[str, Any]:
        """What `sessionize funnel` says, as data with fixed names."""
        levels = pl.concat(self._levels) if self._levels else _no_levels()
        waits = [np.concatenate(each) if each else np.empty(0, np.int64) for each in self._waits]
        medians = [float(np.median(each)) / SECOND if len(each) else None for each in waits]
        whole = self._counted(levels)
        for number, step in enumerate(whole["steps"]):
            step["median_s_to_next"] = medians[number + 1] if number + 1 < len(self._steps) else None
            left = sorted(self._left[number].items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
            step["left_for"] = [
                {"name": name, "sessions": sessions, "share": sessions / step["sessions"]} for name, sessions in left
            ]
        return whole

    def groups(self, *, in_time: str | None = None) -> list[dict[str, Any]]:
        """The same for each group, without what takes the events; the largest first.

        Args:
            in_time: Part of time that they are, to be told in the order of their names with those in which no session starts.
        """
        levels = pl.concat(self._levels) if self._levels else _no_levels()
        found = {name: self._counted(of_it) for (name,), of_it in levels.group_by("group", maintain_order=True)}
        if in_time is not None:
            names = filled(sorted(map(str, found)), in_time)
            return [{"name": name, **(found.get(name) or self._counted(levels.clear()))} for name in names]
        by_size = sorted(found, key=lambda name: (-found[name]["sessions"], str(name)))
        return [{"name": name, **found[name]} for name in by_size]

    def _counted(self, levels: pl.DataFrame) -> dict[str, Any]:
        def number(condition: pl.Expr) -> int:
            return int(levels.select(pl.col("number").filter(condition).sum()).item())

        level, converted = pl.col("level"), pl.col("converted")
        reach = [number(level > step) for step in range(len(self._steps))]
        return {
            "sessions": number(pl.lit(value=True)),
            "steps": [
                {
                    "step": text,
                    "sessions": sessions,
                    "of_start": sessions / reach[0] if reach[0] else None,
                    "of_step": None if step == 0 or not reach[step - 1] else sessions / reach[step - 1],
                }
                for step, (text, sessions) in enumerate(zip(self._steps, reach, strict=True))
            ],
            "never_began": number(level == 0),
            "converted": number(converted),
            "converted_this_way": number(converted & (level == len(self._steps))),
            "converted_otherwise": number(converted & (level < len(self._steps))),
        }


def _no_levels() -> pl.DataFrame:
    return pl.DataFrame(schema={"group": pl.String, "level": pl.Int64, "converted": pl.Boolean, "number": pl.Int64})
