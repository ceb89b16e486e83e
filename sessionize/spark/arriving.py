"""Rows of the shuffle as they come to the tasks that cut: some at a time, in order of key, time and place.

Spark sorts before Python sees a row. Sail drops that sort, so there each part is sorted here, in memory. In any case the
order is looked at: out of it, sessions would be wrong without a word.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.errors import MachineError
from sessionize.spark.border import BATCH_ROWS, Types, decoded
from sessionize.spark.lines import Failed, ShareDone, heard
from sessionize.spark.tasks import DONE, KEY

ORDER: Final = (KEY, schema.TIMESTAMP, schema.SEQ)
UNSORTED: Final = "pysail"
"""A package that an engine which does not sort has loaded."""
PLACE: Final = (
    (pl.col(schema.SEQ) // 2**32).cast(pl.UInt32).alias(schema.FILE),
    (pl.col(schema.SEQ) % 2**32).cast(pl.UInt32).alias(schema.ROW),
)
"""Where an event stands in the log."""


def events_of(
    batches: Iterable[pa.RecordBatch], columns: Types, most: int, shares: list[ShareDone | Failed], *,
    more: Sequence[pl.Expr] = (),
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """The events among the rows of a shuffle, about so many at a time.

    Args:
        batches: The rows.
        columns: Types of their columns.
        most: Events that are given at once, about.
        shares: Takes what shares came to.
        more: Columns that the events have beside their own, of those of the shuffle.

    Raises:
        MachineError: If they are not in order.
    """
    waiting: list[pl.DataFrame] = []
    for rows in _in_order(_events_of(batches, columns, shares)):
        waiting.append(rows.with_columns(more).drop(KEY, schema.SEQ, DONE))
        if sum(rows.height for rows in waiting) >= most:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def _events_of(
    batches: Iterable[pa.RecordBatch], columns: Types, shares: list[ShareDone | Failed]
) -> Iterator[pl.DataFrame]:
    """The rows that are events; what shares came to goes to the list."""
    for batch in batches:
        rows = decoded(batch, columns)
        if rows[KEY].null_count():
            shares += [heard(said) for said in rows.filter(pl.col(KEY).is_null())[DONE]]
            rows = rows.filter(pl.col(KEY).is_not_null())
        if rows.height:
            yield rows


def _in_order(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    last: pl.DataFrame | None = None
    for rows in _sorted(frames) if UNSORTED in sys.modules else frames:
        places = rows.select(ORDER)
        if not _ascends(places if last is None else pl.concat([last, places])):
            raise MachineError(
                "rows came out of order: this engine does not sort within partitions",
                hint="take Apache Spark, or run on one machine",
            )
        last = places[-1:]
        yield rows


def _sorted(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    found = list(frames)
    if found:
        yield from pl.concat(found).sort(ORDER).iter_slices(BATCH_ROWS)


def _ascends(places: pl.DataFrame) -> bool:
    """Whether each row is after the one before it."""
    key, time, seq = map(pl.col, ORDER)
    later = (time > time.shift()) | ((time == time.shift()) & (seq > seq.shift()))
    return bool(places.select(((key > key.shift()) | ((key == key.shift()) & later)).all()).item())
