"""From events of whole keys to one wide row a session.

Key-local: whatever set of whole keys comes in, each session's row is the same. Works on numbers (codes, times,
rows) and fetches texts once a session, at the end (`described`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import MICROSECOND, Plan
from sessionize.kernel.aggregates import named, positions, running
from sessionize.kernel.describe import (
    BATCH_ROWS,
    CLOSED,
    ENDED_BY,
    LAST_OF_KEY,
    session_order,
    with_dictionaries,
    with_fields,
)
from sessionize.kernel.dictionaries import Dictionaries
from sessionize.kernel.metrics import FIGURED, METRICS
from sessionize.kernel.narrow import flags, narrow_rows, sparse_fields
from sessionize.kernel.order import grouped, in_order
from sessionize.kernel.own import own_aggregates
from sessionize.kernel.passive import Cut, cut
from sessionize.values import NamedTuple

LOT_ROWS: Final = 3 << 18
"""About so many rows of whole keys are worked on at once: fewer sort faster, in the processor's caches, but each lot has
some milliseconds of its own."""
MOST_LOTS: Final = 256
LONG: Final = 4
"""Times as many rows as a lot should have, from which on it has a long key: its columns are put in order one by one."""


class Sessionized(NamedTuple):
    """What became of the events.

    Attributes:
        sessions: One row a session, ordered by (start, session id): measured, its texts still in dictionaries.
            `described` makes the output's columns of it.
        duplicates: Rows of the input that repeat an event (UInt32, ascending).
        assigned: One row for each event, in order of session and position: ``row`` of the input, ``session`` (number of
            the row in ``sessions``), ``position`` (from 1). None where that was not asked for.
        alone: Rows of the input that are passive events in no session (UInt32, ascending).
    """

    sessions: pl.DataFrame
    duplicates: pl.Series
    assigned: pl.DataFrame | None
    alone: pl.Series = pl.Series("row", [], pl.UInt32)


def sessionize(events: pl.DataFrame, plan: Plan, *, assign: bool = False, lot_rows: int = LOT_ROWS) -> Sessionized:
    """Cut the events of whole keys into sessions.

    Args:
        events: Canonical events in input order: each has a timestamp and a session or profile id.
        plan: The rules.
        assign: Whether to say which session each event is in.
        lot_rows: Rows that are worked on at once, about; no session depends on it.
    """
    with Dictionaries() as dictionaries:
        events = dictionaries.coded(events)
    flagged = flags(events, plan)
    # One more than there are processors: while one waits for Polars' threads, or they for it, another goes on.
    with ThreadPoolExecutor(pl.thread_pool_size() + 1) as threads:
        lots = whole_keys(narrow_rows(events, plan), threads, lot_rows)
        types = events.schema
        events = _only_texts(events, plan)
        found = threads.map(lambda lot: _lot(lot, flagged, events, plan, lot_rows, assign=assign), lots)
        del lots  # so that each one's rows go when it is done
        sessions, duplicates, assigned, alone = map(list, zip(*found, strict=True))
        sizes = [lot.height for lot in sessions]
        starts = pl.concat([lot.select("start", "row") for lot in sessions], rechunk=True)
        ordering = threads.submit(session_order, starts, events, plan)
        measured = with_dictionaries(pl.concat(sessions, rechunk=True), types)
        sessions.clear()
        order = ordering.result()
        batches = list(threads.map(lambda places: with_fields(measured[places], events, plan), _cut(order)))
    return Sessionized(
        pl.concat(batches, rechunk=False),
        pl.concat(duplicates).sort(),
        _renumbered(assigned, sizes, order) if assign else None,
        pl.concat(alone).sort(),
    )


def in_key_order(events: pl.DataFrame, plan: Plan) -> Iterator[pl.DataFrame]:
    """Events of whole keys in order of key and time, without those that repeat another: what the boundary rules look at.

    Some whole keys at a time, one narrow row an event: ``key`` and ``time`` as integers, and what the rules need.

    Args:
        events: Canonical events in input order.
        plan: The rules.
    """
    with Dictionaries() as dictionaries:
        events = dictionaries.coded(events)
    flagged = flags(events, plan)
    with ThreadPoolExecutor(pl.thread_pool_size() + 1) as threads:
        lots = whole_keys(narrow_rows(events, plan), threads)
        yield from threads.map(lambda lot: ordered_lot(lot, events)[0].with_columns(**flagged), lots)


def ordered_lot(
    lot: list[pl.DataFrame], events: pl.DataFrame, lot_rows: int = LOT_ROWS
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows of a lot in order of key, time and input, without those that repeat another; and these (UInt32).

    Args:
        lot: The rows, which are let go of.
        events: Canonical events.
        lot_rows: Rows that a lot should have.
    """
    rows = pl.concat(lot, rechunk=True)
    lot.clear()  # a long key's rows are many, and would be held twice
    order = in_order(rows["key"].to_numpy(), rows["time"].to_numpy())
    if rows.height < LONG * lot_rows:
        return _without_duplicates(rows[order], events)
    columns = rows.get_columns()[::-1]
    del rows
    places = pl.Series(order)
    return _without_duplicates(pl.DataFrame([columns.pop().gather(places) for _ in range(len(columns))]), events)


def _only_texts(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The events without the columns of which only numbers are needed, and were made: if no one else has these, they go."""
    done_with = {schema.TIMESTAMP, schema.EVENT_TYPE, schema.VALUE, *(() if plan.channels else (schema.PAGE,))}
    # Not `drop`, which first brings all columns into the same chunks, as large as the log.
    return events[
        [name for name in events.columns if name not in done_with and not name.startswith(schema.SPLIT_PREFIX)]
    ]


def _cut(order: NDArray[np.uint32]) -> list[NDArray[np.uint32]]:
    return np.split(order, range(BATCH_ROWS, len(order), BATCH_ROWS))


def whole_keys(rows: pl.DataFrame, threads: ThreadPoolExecutor, lot_rows: int = LOT_ROWS) -> list[list[pl.DataFrame]]:
    """Lots of whole keys, each as its rows of one slice after another, in input order.

    The rows are moved slice by slice: picked from all over the log they would each be fetched from main memory.

    Args:
        rows: One row an event, in input order, with ``key``.
        threads: Work on the slices.
        lot_rows: Rows of a slice, and of a lot, about.
    """
    lots = min(MOST_LOTS, 1 << (rows.height // lot_rows).bit_length())
    slices = _slices(rows["key"].chunk_lengths(), lot_rows)
    by_lot = threads.map(lambda each: _by_lot(rows.slice(*each), each[0], lots), slices)
    return [list(parts) for parts in zip(*by_lot, strict=True)]


def _slices(chunks: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Where slices of about so many rows start, and how long they are: none over the end of a long chunk, to be copied.

    Args:
        chunks: Rows of each chunk.
        most: Rows of a slice.

    Examples:
        >>> _slices([5, 4], 3), _slices([1, 1, 1, 1], 3)
        ([(0, 2), (2, 3), (5, 2), (7, 2)], [(0, 3), (3, 1)])
    """
    rows, ends = sum(chunks), [0]
    if 2 * rows < len(chunks) * most:
        ends = [*range(0, rows, most), rows]
    else:
        for length in chunks:
            parts, before = -(-length // most), ends[-1]
            ends += [before + length * part // parts for part in range(1, parts + 1)]
    return [(start, end - start) for start, end in pairwise(ends)] or [(0, 0)]


def _by_lot(rows: pl.DataFrame, start: int, lots: int) -> list[pl.DataFrame]:
    """Some rows by lots, each in input order, with their numbers counted from ``start``."""
    rows = rows.rechunk()
    lot = rows["key"].to_numpy() & np.uint32(lots - 1)
    order, ends = grouped(lot, lots)
    ordered = rows[order].with_columns(row=order + np.uint32(start))
    return [ordered[low:high] for low, high in zip([0, *ends[:-1]], ends, strict=True)]


def _lot(
    lot: list[pl.DataFrame], flagged: Mapping[str, pl.Expr], events: pl.DataFrame, plan: Plan, lot_rows: int, *,
    assign: bool,
) -> Sessionized:  # fmt: skip
    """The sessions of a lot, measured but not described, in order of key and time."""
    rows, duplicates = ordered_lot(lot, events, lot_rows)
    found = cut(rows.with_columns(**flagged), plan)
    rows = found.rows.with_columns(
        session=pl.Series(running(found.rows["starts"])).set_sorted(),
        present=pl.col("gap").clip(0, plan.rules.active_gap // MICROSECOND),
    )
    assigned = _assigned(rows) if assign else None
    return Sessionized(_measured(found._replace(rows=rows), events, plan), duplicates, assigned, found.alone)


def _assigned(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row's session, counted from 0, and its place in it, counted from 1."""
    number = rows["session"] - 1
    # Over groups, Polars takes many times as long.
    position = pl.int_range(rows.height, dtype=pl.UInt32, eager=True) - positions(rows["starts"]).gather(number) + 1
    return pl.DataFrame({"row": rows["row"], "session": number, "position": position})


def _without_duplicates(rows: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Of the events of one key with one id and one time, the first in input order stays: the first with a value, if any.

    Vendors tell a purchase twice: in a table of all events, and with what it was worth in one of its own.
    """
    if schema.EVENT_ID not in events.columns:
        return rows, pl.Series("row", [], pl.UInt32)
    same = ((pl.col("key") == pl.col("key").shift()) & (pl.col("time") == pl.col("time").shift())).fill_null(
        value=False
    )
    worthless = pl.col(schema.VALUE).is_null() if schema.VALUE in rows.columns else pl.lit(value=False)
    tied = rows.select(
        "row", worthless.alias("worthless"), instant=(~same).cum_sum(), tied=same | same.shift(-1, fill_value=False)
    )
    tied = tied.filter("tied").sort("instant", "worthless", maintain_order=True)
    tied = tied.with_columns(id=events[schema.EVENT_ID].gather(tied["row"]))
    repeated = ~pl.struct("instant", "id").is_first_distinct()
    duplicates = tied.filter(pl.col("id").is_not_null() & repeated)["row"]
    return (rows if duplicates.is_empty() else rows.filter(~pl.col("row").is_in(duplicates.implode()))), duplicates


def _measured(found: Cut, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """What is measured over the events of each session."""
    rows = found.rows
    there = set(rows.columns)
    wanted = [metric for metric in METRICS if metric.name in FIGURED or not plan.only_figured]
    over = {metric.name: metric.aggregate for metric in wanted if there.issuperset(metric.requires)}
    first_with = [
        pl.when(f"has_{field}").then("row").first(ignore_nulls=True).alias(f"at_{field}")
        for field in sparse_fields(events, plan)
    ]
    expressions = [measure.alias(name) for name, measure in over.items() if isinstance(measure, pl.Expr)]
    starts = positions(rows["starts"])
    at_start = rows.select("key", "row", "cause")[starts]
    last = (pl.col("key") != pl.col("key").shift(-1)).fill_null(value=True)
    return (
        rows.lazy()
        .group_by("session", maintain_order=True)
        .agg(*expressions, *first_with, _closed(rows).alias(CLOSED))
        .with_columns(*at_start, *named(rows, starts, over), *own_aggregates(rows, events, plan))
        .with_columns(last.alias(LAST_OF_KEY), pl.when(~last).then(pl.col("cause").shift(-1)).alias(ENDED_BY))
        .with_columns(*_without_passive(found))
        .drop("session", "key", "cause")
        .collect(engine="in-memory")
    )


def _without_passive(found: Cut) -> list[pl.Expr | pl.Series]:
    """What passive events do not move: the end, the duration, and whether an end event closed the session."""
    if found.ends is None or found.closed is None:
        return []
    ends = found.ends.alias("end")
    return [ends, found.closed.alias(CLOSED), (pl.lit(ends) - pl.col("start")).alias("duration_s")]


def _closed(rows: pl.DataFrame) -> pl.Expr:
    """Whether an end event is in the session's last instant."""
    if "is_end" not in rows.columns:
        return pl.lit(value=False)
    return (pl.col("is_end") & (pl.col("time") == pl.col("time").last())).any()


def _renumbered(lots: list[pl.DataFrame], sizes: list[int], order: NDArray[np.uint32]) -> pl.DataFrame:
    """The events' session numbers as the ordered sessions have them.

    Args:
        lots: Events of each lot with ``session``, counted from 0 within the lot.
        sizes: How many sessions each lot has.
        order: For each place among the ordered sessions, the number of the session as the lots count on (uint32).
    """
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    before, frames = 0, []
    for lot, size in zip(lots, sizes, strict=True):
        number = pl.Series("session", place[lot["session"].to_numpy() + before])
        frames.append(lot.with_columns(number))
        before += size
    return pl.concat(frames).sort("session", "position")
