"""The same events cut by several plans: coded, brought into order and freed of duplicates once, then cut by each.

Key-local. What differs between the plans are their rules; columns, names and the zone are the same. Sessions are measured
without their texts, by the metrics that are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.config import MICROSECOND, Plan
from sessionize.kernel.aggregates import named, positions, running
from sessionize.kernel.describe import CLOSED, LAST_OF_KEY
from sessionize.kernel.dictionaries import Dictionaries
from sessionize.kernel.metrics import METRICS, Named
from sessionize.kernel.narrow import flags, narrow_rows
from sessionize.kernel.passive import Cut, cut
from sessionize.kernel.sessions import ordered_lot, whole_keys
from sessionize.values import NamedTuple


class Sessions(NamedTuple):
    """What one plan makes of a lot of whole keys.

    Attributes:
        measures: One row a session, in order of key and time: the metrics that were asked for, in microseconds where
            they are times, LAST_OF_KEY, CLOSED, ``first`` and ``size``: the place of its first row, and how many it has.
        number: Session of each of the lot's rows, from 1 (int64); 0 for a passive event that is in none.
        alone: Rows of the events that are such (UInt32).
    """

    measures: pl.DataFrame
    number: NDArray[np.int64]
    alone: pl.Series


class Lot(NamedTuple):
    """Some whole keys.

    Attributes:
        rows: The narrow rows in order of key, time and input.
        duplicates: Rows of the input that repeat an event (UInt32).
        sessions: What each plan makes of them.
    """

    rows: pl.DataFrame
    duplicates: pl.Series
    sessions: list[Sessions]


def cut_by_each(events: pl.DataFrame, plans: Sequence[Plan], needed: Collection[str]) -> Iterator[Lot]:
    """Cut the events of whole keys into sessions by each plan, some whole keys at a time.

    Args:
        events: Canonical events in input order.
        plans: The rules of each.
        needed: Names of the metrics that are wanted; none of them a text or derived.
    """
    with Dictionaries() as dictionaries:
        events = dictionaries.coded(events)
    base = _with_all_splits(plans)
    flagged = [flags(events, plan) for plan in plans]
    with ThreadPoolExecutor(pl.thread_pool_size() + 1) as threads:
        lots = whole_keys(narrow_rows(events, base), threads)

        def by_each(lot: list[pl.DataFrame]) -> Lot:
            rows, duplicates = ordered_lot(lot, events)
            found = [_cut(rows, one, plan, base, needed) for one, plan in zip(flagged, plans, strict=True)]
            return Lot(rows, duplicates, found)

        yield from threads.map(by_each, lots)


def _with_all_splits(plans: Sequence[Plan]) -> Plan:
    """A plan that splits on all names of any plan, so that the rows have the values of all."""
    first = plans[0]
    on = dict.fromkeys(name for plan in plans for name in plan.rules.split_on)
    arrival = dict.fromkeys(name for plan in plans for name in plan.rules.split_on_arrival)
    return replace(first, rules=replace(first.rules, split_on=tuple(on), split_on_arrival=tuple(arrival)))


def _cut(rows: pl.DataFrame, flagged: dict[str, pl.Expr], plan: Plan, base: Plan, needed: Collection[str]) -> Sessions:
    found = cut(rows.with_columns(**flagged, **_splits(rows, plan, base)), plan)
    if not len(found.alone):
        return Sessions(_measured(found, plan, needed), running(found.rows["starts"]).astype(np.int64), found.alone)
    number = np.zeros(rows.height, np.int64)
    kept = ~rows["row"].is_in(found.alone.implode()).to_numpy()
    number[kept] = running(found.rows["starts"])
    return Sessions(_measured(found, plan, needed), number, found.alone)


def _splits(rows: pl.DataFrame, plan: Plan, base: Plan) -> dict[str, pl.Series]:
    """The values that split by this plan, under the names by which its rules know them."""
    of = {
        "split": (plan.rules.split_on, base.rules.split_on),
        "arrival": (plan.rules.split_on_arrival, base.rules.split_on_arrival),
    }
    return {
        f"{kind}_{number}": rows[f"{kind}_{among.index(name)}"]
        for kind, (names, among) in of.items()
        for number, name in enumerate(names)
    }


def _measured(found: Cut, plan: Plan, needed: Collection[str]) -> pl.DataFrame:
    rows = found.rows.with_columns(session=pl.Series(running(found.rows["starts"])).set_sorted())
    if "active_s" in needed:
        rows = rows.with_columns(present=pl.col("gap").clip(0, plan.rules.active_gap // MICROSECOND))
    starts = positions(rows["starts"])
    wanted = {
        metric.name: metric.aggregate
        for metric in METRICS
        if metric.name in needed and set(metric.requires) <= set(rows.columns)
    }
    keys = rows["key"].gather(starts)
    columns = [
        *named(rows, starts, wanted),
        keys.ne_missing(keys.shift(-1)).alias(LAST_OF_KEY),
        starts.alias("first"),
        pl.Series("size", np.diff(starts.to_numpy(), append=np.uint32(rows.height)), pl.UInt32),
    ]
    sessions = pl.DataFrame(columns).with_columns(_closed(rows, found))
    others = {name: each for name, each in wanted.items() if isinstance(each, pl.Expr) and not isinstance(each, Named)}
    if others:
        more = rows.lazy().group_by("session", maintain_order=True).agg(**others).drop("session").collect()
        sessions = sessions.hstack(more)
    if found.ends is None:
        return sessions
    ends = found.ends.alias("end")
    return sessions.with_columns(ends, duration_s=pl.lit(ends) - pl.col("start"))


def _closed(rows: pl.DataFrame, found: Cut) -> pl.Series | pl.Expr:
    """Whether an end event is in each session's last instant."""
    if found.closed is not None:
        return found.closed.alias(CLOSED)
    if "is_end" not in rows.columns:
        return pl.lit(value=False).alias(CLOSED)
    last = pl.col("time") == pl.col("time").last()
    ended = rows.lazy().group_by("session", maintain_order=True).agg((pl.col("is_end") & last).any().alias(CLOSED))
    return ended.collect()[CLOSED]
