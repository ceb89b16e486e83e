"""Where a new session begins (semantics, section 4): one function for each rule, in the contract's order.

Key-local. The rows come sorted by (key, time, input order) with the columns that are named below; a rule is a
boolean expression over them, read at the first row of an instant, null meaning no. A boundary never falls
between two events of a key with the same time: they are one instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.config import Plan, Rules

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

CAUSES: Final = ("end_event", "timeout", "start_event", "split", "midnight", "max_duration")
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
    """Rule 5: a column changed from one non-null value to another within the session so far.

    Args:
        plan: The rules; they name the columns.
        session_start: Position at which the session of the row before starts; older values are forgotten.
    """
    changes = [_changed(split_value(number), session_start) for number in range(len(plan.rules.split_on))]
    return pl.any_horizontal(changes) if changes else None


def _changed(value: pl.Expr, session_start: pl.Expr) -> pl.Expr:
    known = value.is_not_null()
    first_here = pl.when(pl.when(known).then(INSTANT).backward_fill() == INSTANT).then(value.backward_fill())
    last_known = pl.when(known).then(POSITION).forward_fill().shift()
    last_before = pl.when(last_known >= session_start).then(value.forward_fill().shift())
    return first_here != last_before


def split_value(number: int) -> pl.Expr:
    """The column that the n-th ``--split-on`` names, as codes."""
    return pl.col(f"split_{number}")


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
"""The rules that need only a row and its neighbours. Split and max duration look back to the session's start."""


def mark_starts(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add STARTS and CAUSE to rows that are sorted by (key, time, input order).

    Args:
        rows: Narrow rows with the columns of KEY and TIME; IS_END, IS_START and ``split_n`` where a rule asks for them.
        plan: The rules, and the time zone of midnight.
    """
    held = {cause: rule for cause, of in ROW_RULES if (rule := of(plan)) is not None}
    rows = _with_neighbours(rows, plan.rules)
    starts = first_of_key() | (first_of_instant() & pl.any_horizontal(list(held.values()) or [pl.lit(value=False)]))
    rows = rows.with_columns(starts=starts.fill_null(value=False))
    if plan.rules.split_on or plan.rules.max_duration is not None:
        rows = _look_back(rows, plan)
        held |= _held_by_session(plan)
    return rows.with_columns(_cause(held))


def _with_neighbours(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    needs_instants = rules.end_events or rules.start_events or rules.split_on
    if needs_instants:
        rows = rows.with_columns(instant=first_of_instant().cum_sum().cast(pl.Int64))
    if rules.split_on or rules.max_duration is not None:
        rows = rows.with_columns(position=pl.int_range(pl.len(), dtype=pl.Int64))
    return rows


def _session_start_before() -> pl.Expr:
    """Position at which the session of the row before starts."""
    return pl.when(STARTS).then(POSITION).forward_fill().shift()


def _held_by_session(plan: Plan) -> dict[str, pl.Expr]:
    """Rules 5 and 7 as they hold at the starts now known, looking back to the session just ended."""
    held = {}
    changed = split_changed(plan, _session_start_before())
    if changed is not None:
        held["split"] = changed
    longest = plan.rules.max_duration_us
    if longest is not None:
        held["max_duration"] = pl.when(STARTS).then(TIME).forward_fill().shift() + longest < TIME
    return held


def _cause(held: dict[str, pl.Expr]) -> pl.Expr:
    cause = pl.lit(None, dtype=pl.UInt8)
    for code, name in reversed(list(enumerate(CAUSES))):
        if name in held:
            cause = pl.when(held[name]).then(pl.lit(code, dtype=pl.UInt8)).otherwise(cause)
    return pl.when(STARTS & ~first_of_key()).then(cause).alias("cause")


def _look_back(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add the starts of rules 5 and 7, which restart at each new session.

    Within a segment between two starts known so far, rule 5 for one column needs no fold: after a split the new value
    is the last one known. Only where a session so split lasts too long, or a split of one column makes another column
    forget its value, does what comes after shift.

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
    if plan.rules.max_duration is None and len(plan.rules.split_on) == 1:
        return rows.with_columns(starts=STARTS | pl.col("split"))
    return rows.with_columns(starts=pl.Series(_restarted(rows, plan), dtype=pl.Boolean))


def _restarted(rows: pl.DataFrame, plan: Plan) -> NDArray[np.bool_]:
    """All starts, with rules 5 and 7 applied in order inside each segment that needs it.

    A segment needs it if a session in it is too long, or if it has a split by one of several columns.

    Args:
        rows: Sorted rows with STARTS, ``split`` and what the rules ask for.
        plan: The rules.

    Returns:
        Whether a session starts, one value a row.
    """
    times, segments, splits = (rows[name].to_numpy() for name in ("time", "starts", "split"))
    starts: NDArray[np.bool_] = segments | splits
    longest = plan.rules.max_duration_us
    if longest is None:
        doubtful = splits
    else:
        began = times[np.maximum.accumulate(np.where(starts, np.arange(len(times)), 0))]
        doubtful = times - began > longest
        doubtful |= splits & (len(plan.rules.split_on) > 1)
    first = np.flatnonzero(segments)
    for number in np.unique(np.searchsorted(first, np.flatnonzero(doubtful), side="right") - 1):
        low = int(first[number])
        high = int(first[number + 1]) if number + 1 < len(first) else len(times)
        starts[low:high] = _restart(times[low:high], _splits_within(rows[low:high], plan), longest)
    return starts


def _splits_within(segment: pl.DataFrame, plan: Plan) -> list[tuple[int, int]]:
    """Where rule 5 may split a segment, as offsets from the segment's first row.

    Returns:
        Pairs in order: where a column has another value than it had, and where it had that.
    """
    found = []
    for number in range(len(plan.rules.split_on)):
        value = split_value(number)
        low = pl.col("position").first()
        changes = segment.select(
            offset=POSITION - low,
            known=pl.when(value.is_not_null()).then(POSITION - low).forward_fill().shift(),
            changed=_changed(value, low) & first_of_instant(),
        ).filter("changed")
        found += list(zip(changes["offset"].to_list(), changes["known"].to_list(), strict=True))
    return sorted(found)


def _restart(times: NDArray[np.int64], splits: list[tuple[int, int]], longest: int | None) -> NDArray[np.bool_]:
    """Starts within one segment: each session lasts until a split or until it is too long, then all begins anew.

    Args:
        times: Times of the segment's rows, ascending, microseconds.
        splits: Pairs of offsets: the row of a split, and the row of the value that it differs from. Where a session
            started in between, that value is forgotten, and it is no split.
        longest: Microseconds that a session may last; None for any.

    Returns:
        Whether a session starts, one value a row; true for the first.

    Examples:
        >>> times = np.array([0, 10, 20, 30, 40])
        >>> np.flatnonzero(_restart(times, [], longest=15)).tolist()
        [0, 2, 4]
        >>> np.flatnonzero(_restart(times, [(1, 0), (3, 0)], longest=None)).tolist()
        [0, 1]
    """
    starts = np.zeros(len(times), np.bool_)
    at, split = 0, 0
    while at < len(times):
        starts[at] = True
        after = len(times) if longest is None else int(np.searchsorted(times, times[at] + longest, side="right"))
        while split < len(splits) and (splits[split][0] <= at or splits[split][1] < at):
            split += 1
        at = min(after, splits[split][0]) if split < len(splits) else after
    return starts
