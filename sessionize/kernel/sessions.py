"""From events of whole keys to one wide row a session.

Key-local: whatever set of whole keys comes in, each session's row is the same. Works on numbers (codes, times,
rows) and fetches texts once a session, at the end (`wide`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.boundaries import mark_starts
from sessionize.kernel.metrics import METRICS, Largest, Total
from sessionize.kernel.numbers import numbers, sparse_fields, with_dictionaries
from sessionize.kernel.order import in_order
from sessionize.kernel.wide import CLOSED, ENDED_BY, LAST_OF_KEY, described, session_order

LOT_ROWS: Final = 500_000
"""About so many rows of whole keys are worked on at once: what fits in the processor's caches sorts far faster."""
MOST_LOTS: Final = 256
THREADS: Final = 2


class Sessionized(NamedTuple):
    """What became of the events.

    Attributes:
        sessions: One wide row a session, ordered by (start, session id); see `wide`.
        duplicates: Rows of the input that repeat an event (UInt32, ascending).
        assigned: Where asked for, one row an event: ``row`` of the input, ``session`` (number of the row in
            ``sessions``), ``position`` (from 1), in order of session and position.
    """

    sessions: pl.DataFrame
    duplicates: pl.Series
    assigned: pl.DataFrame | None


def sessionize(events: pl.DataFrame, plan: Plan, *, assign: bool = False) -> Sessionized:
    """Cut the events of whole keys into sessions.

    Args:
        events: Canonical events in input order: each has a timestamp and a session or profile id.
        plan: The rules.
        assign: Whether to say which session each event is in.
    """
    events = with_dictionaries(events)
    narrow = numbers(events, plan)
    with ThreadPoolExecutor(THREADS) as threads:
        lots = list(
            threads.map(lambda rows: _lot(narrow[rows], events, plan, assign=assign), _whole_keys(narrow["key"]))
        )
    measured = pl.concat([lot.sessions for lot in lots])
    order = session_order(measured, events, plan)
    return Sessionized(
        described(measured[order], events, plan),
        pl.concat([lot.duplicates for lot in lots]).sort(),
        _renumbered(lots, order) if assign else None,
    )


def _whole_keys(keys: pl.Series) -> list[NDArray[np.int64]]:
    """Rows, in input order, of lots of whole keys."""
    lots = min(MOST_LOTS, 1 << (len(keys) // LOT_ROWS).bit_length())
    lot = (keys.to_numpy() & (lots - 1)).astype(np.uint8)
    rows = np.argsort(lot, kind="stable")
    return np.split(rows, np.cumsum(np.bincount(lot, minlength=lots))[:-1])


def _lot(rows: pl.DataFrame, events: pl.DataFrame, plan: Plan, *, assign: bool) -> Sessionized:
    """One lot's sessions, measured but not described, in order of key and time."""
    rows = rows[in_order(rows["key"].to_numpy(), rows["time"].to_numpy())]
    rows, duplicates = _without_duplicates(rows, events)
    rows = mark_starts(rows, plan)
    rows = rows.with_columns(
        session=pl.col("starts").cum_sum().cast(pl.UInt32).set_sorted(),
        gap=pl.when("starts").then(0).otherwise(pl.col("time").diff()),
    )
    position = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("session")
    assigned = rows.select("row", session=pl.col("session") - 1, position=position) if assign else None
    return Sessionized(_measured(rows, events), duplicates, assigned)


def _without_duplicates(rows: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Of the events of one key with one id and one time, the first in input order stays."""
    if schema.EVENT_ID not in events.columns:
        return rows, pl.Series("row", [], pl.UInt32)
    same = ((pl.col("key") == pl.col("key").shift()) & (pl.col("time") == pl.col("time").shift())).fill_null(
        value=False
    )
    tied = rows.select("row", instant=(~same).cum_sum(), tied=same | same.shift(-1, fill_value=False))
    tied = tied.filter("tied")
    tied = tied.with_columns(id=events[schema.EVENT_ID].gather(tied["row"]))
    repeated = ~pl.struct("instant", "id").is_first_distinct()
    duplicates = tied.filter(pl.col("id").is_not_null() & repeated)["row"]
    return (rows if duplicates.is_empty() else rows.filter(~pl.col("row").is_in(duplicates.implode()))), duplicates


def _measured(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """What is measured over the events of each session."""
    there = set(events.columns)
    over = {metric.name: metric.over for metric in METRICS if there.issuperset(metric.needs)}
    first_with = [
        pl.when(f"has_{field}").then("row").first(ignore_nulls=True).alias(f"at_{field}")
        for field in sparse_fields(events)
    ]
    at_end = pl.col("time") == pl.col("time").last()
    closed = (pl.col("is_end") & at_end).any() if rows["is_end"].any() else pl.lit(value=False)
    last = (pl.col("key") != pl.col("key").shift(-1)).fill_null(value=True)
    named = [measure.alias(name) for name, measure in over.items() if isinstance(measure, pl.Expr)]
    return (
        rows.lazy()
        .group_by("session", maintain_order=True)
        .agg(pl.col("key", "row", "cause").first(), *named, *first_with, closed.alias(CLOSED))
        .with_columns(_reduced(rows, over))
        .with_columns(last.alias(LAST_OF_KEY), pl.when(~last).then(pl.col("cause").shift(-1)).alias(ENDED_BY))
        .drop("session", "key", "cause")
        .collect(engine="in-memory")
    )


def _reduced(rows: pl.DataFrame, over: Mapping[str, object]) -> list[pl.Series]:
    """Totals and largest values of each session; its rows lie side by side."""
    starts = rows["starts"].arg_true().to_numpy()
    found = []
    for name, measure in over.items():
        if isinstance(measure, (Total, Largest)):
            values = rows.select(measure.of).to_series()
            numbers = (values.cast(pl.UInt8) if values.dtype == pl.Boolean else values).to_numpy()
            reduce = np.add if isinstance(measure, Total) else np.maximum
            kind = np.uint32 if numbers.dtype == np.uint8 else numbers.dtype
            found.append(pl.Series(name, reduce.reduceat(numbers, starts, dtype=kind)))
    return found


def _renumbered(lots: list[Sessionized], order: NDArray[np.int64]) -> pl.DataFrame:
    """The events' session numbers as the ordered sessions have them."""
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    before, frames = 0, []
    for lot in lots:
        if lot.assigned is not None:
            number = pl.Series("session", place[lot.assigned["session"].to_numpy() + before])
            frames.append(lot.assigned.with_columns(number))
        before += lot.sessions.height
    return pl.concat(frames).sort("session", "position")
