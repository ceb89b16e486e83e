"""What a DataFrame's tasks do, in a loop in place of Spark."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sessionize import Config, Rules, sessionize
from sessionize.config import Plan
from sessionize.opening import opened
from sessionize.spark.alone import AloneOfFrame
from sessionize.spark.border import arrow_schema
from sessionize.spark.frames import ID, ReadFrame, RejectedOfFrame, Shape
from sessionize.spark.work import columns_of

ROW = st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 40), st.sampled_from(["view", "ping"]))


def tasks_of(frame: pl.DataFrame, config: Config) -> tuple[Shape, Any, Plan]:
    with opened(Config(**{**vars(config), "frame": frame})) as (log, plan, _, _):
        return Shape(dict(frame.schema), None, ()), dict(log.schema), plan


def batches_of(frame: pl.DataFrame, rows: int) -> list[pa.RecordBatch]:
    """A DataFrame in two partitions, as Spark gives its rows, each with its number."""
    half = frame.height // 2
    ids = [(place >= half) * 2**33 + place - (place >= half) * half for place in range(frame.height)]
    types = {**dict(frame.schema), ID: pl.Int64()}
    whole = frame.with_columns(pl.Series(ID, ids, pl.Int64)).to_arrow(compat_level=pl.CompatLevel.oldest())
    whole = whole.rename_columns([f"c{place}" for place in range(len(types))]).cast(arrow_schema(types))
    parts = [whole.slice(0, half), whole.slice(half)]
    return [batch for part in parts for batch in part.to_batches(max_chunksize=rows) if batch.num_rows]


@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 5))
def test_passive_events_in_no_session_of_a_dataframe_are_its_rejected_rows_as_they_came(
    rows: list[Any], size: int
) -> None:
    frame = pl.DataFrame(
        [{"user.id": user, "time": 1717063200 + 120 * at, "event_type": kind, "n": n} for n, (user, at, kind) in enumerate(rows)],
        schema={"user.id": pl.String, "time": pl.Int64, "event_type": pl.String, "n": pl.Int64},
    )  # fmt: skip
    config = Config(
        columns={"profile_id": "user.id"}, time_format="s", rules=Rules(timeout=timedelta(minutes=5), passive=("ping",)), optional_splits=frozenset({"ping"})
    )  # fmt: skip
    if frame["user.id"].null_count() == frame.height:
        return
    shape, told, plan = tasks_of(frame, config)
    columns = columns_of(told, plan)
    read = ReadFrame(shape, told, plan, columns, keeps_rows=True)
    events = pa.Table.from_batches(list(read(iter(batches_of(frame, size)))), arrow_schema(columns))
    events = events.sort_by([(f"c{at}", "ascending") for at in range(3)])
    found = list(AloneOfFrame(plan, columns, lot_rows=3)(iter(events.to_batches(max_chunksize=size))))
    found += list(RejectedOfFrame(shape, told, plan)(iter(batches_of(frame, size))))
    names = [*frame.columns, "reason"]
    many = sorted((tuple(row.values()) for batch in found for row in batch.rename_columns(names).to_pylist()), key=_n)
    one = sessionize(frame, config).rejected
    reasons = dict(zip(one.select(pl.col("row") - 1).to_series(), one["reason"], strict=True))
    assert many == [(*frame.row(n), reasons[n]) for n in sorted(reasons)]


def _n(row: tuple[Any, ...]) -> int:
    return int(row[3])
