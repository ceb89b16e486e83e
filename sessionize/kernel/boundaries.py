"""Where a new session begins (semantics, section 4): one function for each rule, in the contract's order.

Key-local. The rows come sorted by (key, time, input order) with the columns that are named below; a rule is a
boolean expression over them, read at the first row of an instant, null meaning no. A boundary never falls
between two events of a key with the same time: they are one instant.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.config import Plan, Rules
from sessionize.kernel.limits_of_sessions import Limits, Split, restart
from sessionize.kernel.order import different

KEY: Final = pl.col("key")
TIME: Final = pl.col("time")
"""Microseconds since 1970, UTC (Int64)."""
INSTANT: Final = pl.col("instant")
"""Number of the row's instant: counts up with each change of key or time."""
IS_END: Final = pl.col("is_end")
IS_START: Final = pl.col("is_start")
POSITION: Final = pl.col("position")
"""Number of the row in the sorted frame, from 0."""
STARTS: Final = pl.col("starts")
"""Whether a session starts at the row, by the rules applied so far."""
CAUSE: Final = pl.col("cause")
"""Why a session starts at the row: a code of CAUSES; null where none starts, or where the key begins."""

CAUSES: Final = ("end_event", "timeout", "start_event", "split", "midnight", "max_duration", "max_events")
"""What can end a session, in the order in which it is told where several hold (metrics, ``end_reason``)."""


def first_of_key() -> pl.Expr:
    """Rule 1: the key's first event."""
    return (KEY.shift() != KEY).fill_null(value=True)


def first_of_instant() -> pl.Expr:
    """Whether the row is the first of its instant; only there can a session start."""
    return first_of_key() | (TIME.shift() != TIME)


def gap_over_timeout(plan: Plan) -> pl.Expr | None:
    """Rule 2: silence longer than the timeout; a gap equal to it stays inside.

    Examples:
        >>> from sessionize.config import TimeFormat
        >>> rule = gap_over_timeout(Plan(columns={}, time=TimeFormat(kind="datetime")))
        >>> minutes = pl.DataFrame({"time": [minute * 60_000_000 for minute in (0, 30, 61)]})
        >>> minutes.select(rule).to_series().to_list()
        [None, False, True]
    """
    timeout = plan.rules.timeout_us
    return None if timeout is None else TIME.diff() > timeout


def after_end_event(plan: Plan) -> pl.Expr | None:
    """Rule 3: an end event anywhere in the instant before."""
    if not plan.rules.end_events:
        return None
    last_with_end = pl.when(IS_END).then(INSTANT).forward_fill().shift()
    return last_with_end == INSTANT - 1


def at_start_event(plan: Plan) -> pl.Expr | None:
    """Rule 4: a start event anywhere in this instant."""
    if not plan.rules.start_events:
        return None
    next_with_start = pl.when(IS_START).then(INSTANT).backward_fill()
    return next_with_start == INSTANT


def split_changed(plan: Plan, session_start: pl.Expr) -> pl.Expr | None:
    """Rule 5: a value changed within the session so far, or arrived.

    Args:
        plan: The rules; they name the columns.
        session_start: Position at which the session of the row before starts; older values are forgotten.
    """
    rules = plan.rules
    changes = [_changed(split_value(number), session_start) for number in range(len(rules.split_on))]
    changes += [_arrived(arrival(number), session_start) for number in range(len(rules.split_on_arrival))]
    return pl.any_horizontal(changes) if changes else None


def _changed(value: pl.Expr, session_start: pl.Expr) -> pl.Expr:
    return _first_here(value) != _last_before(value, session_start)


def _arrived(value: pl.Expr, session_start: pl.Expr) -> pl.Expr:
    return _is_here(value) & _first_here(value).ne_missing(_last_before(value, session_start))


def _is_here(value: pl.Expr) -> pl.Expr:
    """Whether a value is known at the row or later in its instant."""
    return (pl.when(value.is_not_null()).then(INSTANT).backward_fill() == INSTANT).fill_null(value=False)


def _first_here(value: pl.Expr) -> pl.Expr:
    return pl.when(_is_here(value)).then(value.backward_fill())


def _last_before(value: pl.Expr, session_start: pl.Expr) -> pl.Expr:
    return pl.when(_known_before(value) >= session_start).then(value.forward_fill().shift())


def _known_before(value: pl.Expr) -> pl.Expr:
    """Position of the last row before that has a value."""
    return pl.when(value.is_not_null()).then(POSITION).forward_fill().shift()


def split_value(number: int) -> pl.Expr:
    """The column that the n-th ``--split-on`` names, as codes."""
    return pl.col(f"split_{number}")


def arrival(number: int) -> pl.Expr:
    """The column that the n-th ``--split-on-arrival`` names, as codes without regard to case."""
    return pl.col(f"arrival_{number}")


def midnight_passed(plan: Plan) -> pl.Expr | None:
    """Rule 6: the local day, in the plan's time zone, is another than that of the event before."""
    if not plan.rules.split_at_midnight:
        return None
    day = TIME.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(plan.timezone).dt.date()
    return day > day.shift()


ROW_RULES: Final[tuple[tuple[str, Callable[[Plan], pl.Expr | None]], ...]] = (
    ("end_event", after_end_event),
    ("timeout", gap_over_timeout),
    ("start_event", at_start_event),
    ("midnight", midnight_passed),
)
"""The rules that need only a row and its neighbours. The others look back to the session's start."""


def mark_starts(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add STARTS and CAUSE to rows that are sorted by (key, time, input order).

    Args:
        rows: Narrow rows with the columns of KEY and TIME; IS_END, IS_START, ``split_n`` and ``arrival_n`` where a rule asks for them.
        plan: The rules, and the time zone of midnight.
    """
    held = {cause: rule for cause, of in ROW_RULES if (rule := of(plan)) is not None}
    rows = _with_neighbours(rows, plan.rules)
    starts = first_of_key() | (first_of_instant() & pl.any_horizontal(list(held.values()) or [pl.lit(value=False)]))
    rows = rows.with_columns(starts=starts.fill_null(value=False))
    if plan.rules.split_names or plan.rules.has_limits:
        rows = _look_back(rows, plan)
        held |= _held_by_session(plan)
    return rows.with_columns(_cause(held))


def _with_neighbours(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    needs_instants = rules.end_events or rules.start_events or rules.split_names
    if needs_instants:
        rows = rows.with_columns(instant=first_of_instant().cum_sum().cast(pl.Int64))
    if rules.split_names or rules.has_limits:
        rows = rows.with_columns(position=pl.int_range(pl.len(), dtype=pl.Int64))
    return rows


def _session_start_before() -> pl.Expr:
    """Position at which the session of the row before starts."""
    return pl.when(STARTS).then(POSITION).forward_fill().shift()


def _held_by_session(plan: Plan) -> dict[str, pl.Expr]:
    """Rules 5, 7 and 8 as they hold at the starts now known, looking back to the session just ended."""
    held = {}
    rules, before = plan.rules, _session_start_before()
    changed = split_changed(plan, before)
    if changed is not None:
        held["split"] = changed
    since = TIME - pl.when(STARTS).then(TIME).forward_fill().shift()
    if rules.max_duration_us is not None:
        held["max_duration"] = since > rules.max_duration_us
    limits = Limits.of(rules)
    too_many = []
    if limits.events is not None:
        too_many.append(POSITION - before >= limits.events)
    if limits.burst is not None:
        too_many.append((POSITION - before >= limits.burst) & (since <= limits.burst_us))
    if too_many:
        held["max_events"] = pl.any_horizontal(too_many)
    return held


def _cause(held: dict[str, pl.Expr]) -> pl.Expr:
    cause = pl.lit(None, dtype=pl.UInt8)
    for code, name in reversed(list(enumerate(CAUSES))):
        if name in held:
            cause = pl.when(held[name]).then(pl.lit(code, dtype=pl.UInt8)).otherwise(cause)
    return pl.when(STARTS & ~first_of_key()).then(cause).alias("cause")


def _look_back(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add the starts of rules 5, 7 and 8, which restart at each new session.

    Within a segment between two starts known so far, rule 5 for one column needs no fold: after a split the new value
    is the last one known. Only where a session so split lasts too long or has too many events, or a split of one column
    makes another column forget its value, does what comes after shift.

    For example, with ``--split-on campaign,plan``::

        minute     0  1  2  3
        campaign   a     b
        plan       x        y       minute 2 is a split: a → b. Minute 3 is none, though x → y: the session that began
                                    at minute 2 has known no plan yet.
    """
    segment_start = pl.when(STARTS).then(POSITION).forward_fill().shift()
    changed = split_changed(plan, segment_start)
    split = pl.lit(value=False) if changed is None else (changed & first_of_instant()).fill_null(value=False)
    rows = rows.with_columns(split=split & ~STARTS)
    if not plan.rules.has_limits and not _has_several(rows, plan.rules):
        return rows.with_columns(starts=STARTS | pl.col("split"))
    return rows.with_columns(starts=pl.Series(_restarted(rows, plan), dtype=pl.Boolean))


def _has_several(rows: pl.DataFrame, rules: Rules) -> bool:
    """Whether several columns with values may split: a split by one makes the others forget theirs."""
    names = [f"split_{number}" for number in range(len(rules.split_on))]
    names += [f"arrival_{number}" for number in range(len(rules.split_on_arrival))]
    return sum(rows[name].null_count() < rows.height for name in names) > 1


def _restarted(rows: pl.DataFrame, plan: Plan) -> NDArray[np.bool_]:
    """All starts, with rules 5, 7 and 8 applied in order inside each segment that needs it.

    A segment needs it if a session in it is too long or too large, or if it has a split by one of several columns.

    Args:
        rows: Sorted rows with STARTS, ``split`` and what the rules ask for.
        plan: The rules.

    Returns:
        Whether a session starts, one value a row.
    """
    times, segments, splits = (rows[name].to_numpy() for name in ("time", "starts", "split"))
    starts: NDArray[np.bool_] = segments | splits
    limits = Limits.of(plan.rules)
    doubtful = limits.broken(times, starts) if plan.rules.has_limits else np.zeros(len(times), np.bool_)
    if _has_several(rows, plan.rules):
        doubtful |= splits
    if not doubtful.any():
        return starts
    first = np.flatnonzero(segments)
    possible = _possible_splits(rows, plan) if plan.rules.split_names else []
    offsets = [each.offset for each in possible]
    for number in different(np.searchsorted(first, np.flatnonzero(doubtful), side="right") - 1):
        low = int(first[number])
        high = int(first[number + 1]) if number + 1 < len(first) else len(times)
        within = possible[bisect_left(offsets, low) : bisect_left(offsets, high)]
        moved = [Split(offset - low, least - low, most - low) for offset, least, most in within]
        starts[low:high] = restart(times[low:high], moved, limits)
    return starts


def _possible_splits(rows: pl.DataFrame, plan: Plan) -> list[Split]:
    """Where rule 5 may split, by position among all rows, in order; sessions begin anew where `starts` says so."""
    segment = pl.when(STARTS).then(POSITION).forward_fill()
    found = []
    for number in range(len(plan.rules.split_on)):
        value = split_value(number)
        holds = _changed(value, segment) & first_of_instant()
        found.append(rows.select(POSITION, least=segment, most=_known_before(value), holds=holds))
    for number in range(len(plan.rules.split_on_arrival)):
        value = arrival(number)
        known = pl.max_horizontal(_known_before(value), segment - 1)
        least = pl.when(_arrived(value, segment)).then(segment).otherwise(known + 1)
        holds = _is_here(value) & first_of_instant()
        found.append(rows.select(POSITION, least=least, most=POSITION - 1, holds=holds))
    together = pl.concat(each.filter("holds").drop("holds") for each in found)
    return [Split(*row) for row in together.sort("position", "least", "most").iter_rows()]
