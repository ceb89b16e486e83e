"""Passive events (semantics, section 4): they neither start a session nor extend one.

Key-local. The rules cut the other events into sessions; a passive one is then in the session that is open at its time, or
in none. A session is open from its start until its last event, and behind that as long as another event could join it by
the timeout, midnight, the longest duration and the most events, unless an end event has closed it.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.config import Plan, Rules
from sessionize.kernel.boundaries import mark_starts
from sessionize.values import NamedTuple

Times = NDArray[np.int64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


class Cut(NamedTuple):
    """Sorted rows cut into sessions.

    Attributes:
        rows: Rows that are in sessions, with ``starts``, ``cause`` and ``gap``, that of a passive one being 0.
        alone: ``row`` of the passive events that are in none (UInt32).
        ends: Time of each session's last event that is not passive (Int64); None where there are no passive events.
        closed: Whether each session's last instant has an end event (Boolean); None where no event is passive.
    """

    rows: pl.DataFrame
    alone: pl.Series
    ends: pl.Series | None = None
    closed: pl.Series | None = None


def cut(rows: pl.DataFrame, plan: Plan) -> Cut:
    """Cut sorted rows into sessions.

    Args:
        rows: Narrow rows in order of key, time and input, with what the rules ask for.
        plan: The rules.
    """
    none = pl.Series("row", [], pl.UInt32)
    if not plan.rules.passive:
        marked = mark_starts(rows, plan)
        return Cut(marked.with_columns(gap=pl.when("starts").then(0).otherwise(pl.col("time").diff())), none)
    passive = rows["is_passive"].to_numpy()
    marked = mark_starts(rows.filter(~pl.col("is_passive")), plan)
    sessions = _Sessions(rows, marked, plan)
    number = np.zeros(len(passive), np.int64)
    number[~passive] = sessions.number
    at = np.flatnonzero(passive)
    number[at] = sessions.of(at)
    kept = number > 0
    numbers = number[kept]
    starts = np.diff(numbers, prepend=0) > 0
    cause = marked["cause"].filter(marked["starts"]).gather(numbers - 1)
    gaps = np.zeros(len(passive), np.int64)
    gaps[~passive] = sessions.gaps
    found = rows.filter(pl.Series(kept)).with_columns(starts=pl.Series(starts), gap=pl.Series(gaps[kept]))
    found = found.with_columns(cause=pl.when("starts").then(cause))
    return Cut(found, rows["row"].filter(pl.Series(~kept)), *sessions.ends())


class _Sessions:
    """The sessions that the events which are not passive make.

    Args:
        rows: All rows, sorted.
        marked: Events that are not passive, with the starts of sessions.
        plan: The rules.
    """

    def __init__(self, rows: pl.DataFrame, marked: pl.DataFrame, plan: Plan) -> None:
        self._rules: Rules = plan.rules
        self._zone = plan.timezone
        self._all_times: Times = rows["time"].to_numpy()
        self._all_keys = rows["key"].to_numpy()
        self._at: Places = np.flatnonzero(~rows["is_passive"].to_numpy())
        self._times: Times = marked["time"].to_numpy()
        self._keys = marked["key"].to_numpy()
        starts = marked["starts"].to_numpy()
        self.number: Places = np.cumsum(starts)
        """Number of the session of each event that is not passive, from 1."""
        self.gaps: Times = np.where(starts, 0, np.diff(self._times, prepend=0))
        """Time since the one before it in its session."""
        self._first: Places = np.flatnonzero(starts)
        ends = marked["is_end"].to_numpy() if "is_end" in marked.columns else np.zeros(len(starts), np.bool_)
        self._last_end: Places = np.maximum.accumulate(np.where(ends, np.arange(len(ends)), -1))

    def ends(self) -> tuple[pl.Series, pl.Series]:
        """Time of each session's last event, and whether its instant has an end event."""
        last = np.append(self._first[1:], len(self._times)) - 1 if len(self._first) else self._first
        return pl.Series(self._times[last], dtype=pl.Int64), pl.Series(self._is_ended(last), dtype=pl.Boolean)

    def of(self, at: Places) -> Places:
        """Number of the session that each passive event is in; 0 for none.

        Args:
            at: Places of the passive events among all rows.

        Returns:
            One number a passive event (int64).
        """
        found = np.zeros(len(at), np.int64)
        if not len(self._times):
            return found
        times, keys = self._all_times[at], self._all_keys[at]
        following = np.searchsorted(self._at, at)
        before, behind = following - 1, np.minimum(following, len(self._times) - 1)
        has_before = (before >= 0) & (self._keys[before] == keys)
        has_behind = (following < len(self._times)) & (self._keys[behind] == keys)
        inside = has_before & has_behind & (self.number[before] == self.number[behind])
        tied = has_behind & (self._times[behind] == times)
        still_open = has_before & self._is_open(before, times)
        found[still_open | inside] = self.number[before[still_open | inside]]
        found[tied] = self.number[behind[tied]]
        return found

    def _is_open(self, before: Places, times: Times) -> Flags:
        """Whether the session of the event before could be gone on with at a time; at its own instant it can."""
        rules, last = self._rules, self._times[before]
        found: Flags = ~self._is_ended(before)
        if rules.timeout_us is not None:
            found &= times - last <= rules.timeout_us
        if rules.split_at_midnight:
            found &= self._days(times) <= self._days(last)
        first = self._first[np.maximum(self.number[before] - 1, 0)]
        if rules.max_duration_us is not None:
            found &= times - self._times[first] <= rules.max_duration_us
        if rules.max_events is not None:
            found &= before - first + 1 < rules.max_events
        found |= times == last
        return found

    def _is_ended(self, at: Places) -> Flags:
        """Whether an end event is in the instant of the last event of an instant."""
        end = self._last_end[at]
        found: Flags = (end >= 0) & (self._times[end] == self._times[at]) & (self._keys[end] == self._keys[at])
        return found

    def _days(self, times: Times) -> NDArray[np.int32]:
        local = pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self._zone)
        days: NDArray[np.int32] = local.dt.date().to_physical().to_numpy()
        return days
