"""Passive events of a DataFrame that are in no session: rejected rows, known as such once all is cut.

No row is told by its place here, as a DataFrame that is computed twice need not have the same ones. So each passive event has
its row with it, as it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.streamed import streamed
from sessionize.spark.arriving import events_of
from sessionize.spark.border import Types
from sessionize.spark.sizes import USUAL_SIZES
from sessionize.spark.tasks import DONE
from sessionize.values import dataclass

CAME: Final = "sessionize.came"
"""The row of a passive event (Binary)."""
REASON: Final = "passive_alone"


def with_rows(events: pl.DataFrame, batch: pa.RecordBatch, places: pl.Series, plan: Plan) -> pl.DataFrame:
    """Events, the passive ones with their rows.

    Args:
        events: Canonical events with SEQ, all of them of the batch.
        batch: Rows as they came.
        places: SEQ of each of these, ascending.
        plan: The rules.
    """
    if schema.EVENT_TYPE not in events.columns:
        return events
    is_passive = events[schema.EVENT_TYPE].cast(pl.String).is_in(plan.rules.passive)
    at = places.search_sorted(events[schema.SEQ])
    rows = [packed(batch.slice(row, 1)) if passive else None for row, passive in zip(at, is_passive, strict=True)]
    return events.with_columns(pl.Series(DONE, rows, pl.Binary))


@dataclass(frozen=True)
class AloneOfFrame:
    """Events of whole keys in, the rows of passive ones in no session out, as they came, with the reason.

    Attributes:
        plan: The rules.
        columns: Types of the shuffle's columns.
        lot_rows: Events that are cut into sessions at once.
    """

    plan: Plan
    columns: Types
    lot_rows: int = USUAL_SIZES.lot_rows

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows of events that come ordered by key, time and place."""
        events = events_of(batches, self.columns, self.lot_rows, [], more=[pl.col(DONE).alias(CAME)])
        for part in streamed(events, self.plan, self.lot_rows):
            if part.sessions.alone.len():
                rows = [unpacked(row) for row in part.events[CAME].gather(part.sessions.alone)]
                table = pa.Table.from_batches(rows).combine_chunks()
                columns = [*table.columns[:-1], pa.array([REASON] * table.num_rows, pa.string())]
                yield from pa.table(columns, [f"c{place}" for place in range(len(columns))]).to_batches()


def packed(batch: pa.RecordBatch) -> bytes:
    """A batch as bytes that tell its columns, too."""
    out = BytesIO()
    with pa.ipc.new_stream(out, batch.schema) as stream:
        stream.write_batch(batch)
    return out.getvalue()


def unpacked(content: bytes) -> pa.RecordBatch:
    """The batch again."""
    with pa.ipc.open_stream(content) as stream:
        return stream.read_next_batch()
