"""The engine for notebooks on a cluster: a DataFrame of events in, DataFrames out, nothing run before they are looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Literal

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.ingest import Ingest
from sessionize.instants import microseconds
from sessionize.kernel import Dictionaries, as_text, described, normalise, stamped
from sessionize.kernel.own import metric_columns
from sessionize.kernel.preset_columns import shaped
from sessionize.kernel.record import records
from sessionize.kernel.streamed import streamed
from sessionize.opening import opened
from sessionize.output.geo import Places, located
from sessionize.preset import Preset
from sessionize.read import Rows
from sessionize.read.frame import FrameLog
from sessionize.read.log import SAMPLE_ROWS
from sessionize.read.parquet import FAULTS
from sessionize.read.plain_types import as_read
from sessionize.spark.alone import AloneOfFrame, packed, unpacked, with_rows
from sessionize.spark.arriving import events_of
from sessionize.spark.border import Types, decoded, encoded, shown, spark_schema, types_of
from sessionize.spark.cluster import check_installed
from sessionize.spark.cutting import Templates
from sessionize.spark.sizes import USUAL_SIZES
from sessionize.spark.tasks import Numbered, seq, with_key
from sessionize.spark.work import columns_of
from sessionize.unforeseen import as_called
from sessionize.values import NamedTuple, dataclass

ID: Final = "sessionize.id"
"""Spark's number of a row: its partition times 2^33, and its place there (Int64)."""
NEWEST: Final = "sessionize.newest"
"""Time of the newest event, microseconds since 1970 UTC (Int64)."""
PLACE_BITS: Final = 33


class SparkFrames(NamedTuple):
    """What becomes of a DataFrame of events. Each is made when it is looked at, anew unless it is cached.

    Attributes:
        sessions: Session records, nested; the open objects are JSON text.
        metrics: One row a session.
        rejected: The rows that are no events, as they came, with ``reason``; as ``sessionize.reason`` where there is a
            column of that name.
    """

    sessions: Any
    metrics: Any
    rejected: Any


@as_called()
def sessionize(events: Any, config: Config | None = None, *, partitions: int | None = None) -> SparkFrames:
    """Cut a DataFrame of events into sessions: the rows of `sessionize.sessionize`, in no order.

    Its first rows are looked at, for what its columns mean; all else waits until a result is looked at. Of events at one
    time the one that comes first in the DataFrame is first, as far as it has an order: one that was read from files has.

    Args:
        events: A ``pyspark.sql.DataFrame``, one row an event.
        config: Columns, rules, time zone; the default is a timeout of 30 minutes. Its inputs are not used. Without
            ``until``, all events are read once more, for the newest one; with passive events, for those in no session.
        partitions: How many parts the events are shuffled into; None for what Spark's settings say.

    Raises:
        UsageError: If a column is missing or ambiguous, or a package is missing.
    """
    check_installed("the one that is there")
    from pyspark.sql import functions

    config = config or Config()
    types = types_of(events.schema)
    head = _head(events, types)
    with opened(replace(config, inputs=(), frame=head)) as (log, plan, _, _):
        told = dict(log.schema)
        asked = log.config if isinstance(log, FrameLog) else Config()
    shape, columns = Shape(types, asked.preset, asked.nulls), columns_of(told, plan)
    template = Templates.of(columns, plan).sessions
    rows = _numbered(events, functions)
    found = rows.mapInArrow(ReadFrame(shape, told, plan, columns), spark_schema(columns))
    newest = found.agg(functions.max("c1").alias("newest"))
    wide = _parts(found, partitions).mapInArrow(CutFrame(plan, columns, template), spark_schema(template.schema))
    wide = (
        wide.crossJoin(functions.broadcast(newest)) if plan.until is None else wide.withColumn("newest", _until(plan))
    )

    def made(kind: Literal["metrics", "records"]) -> Any:
        stamp = Stamp(plan, template, kind, asked.geo_db)
        return wide.mapInArrow(stamp, spark_schema(stamp.types, shown=True))

    rejected = _rejected(rows, events.schema, RejectedOfFrame(shape, told, plan))
    if plan.rules.passive:
        kept = rows.mapInArrow(ReadFrame(shape, told, plan, columns, keeps_rows=True), spark_schema(columns))
        rejected = rejected.union(_rejected(_parts(kept, partitions), events.schema, AloneOfFrame(plan, columns)))
    return SparkFrames(made("records"), made("metrics"), rejected)


def _parts(rows: Any, partitions: int | None) -> Any:
    """The rows of each key together, in order."""
    parts = rows.repartition("c0") if partitions is None else rows.repartition(partitions, "c0")
    return parts.sortWithinPartitions("c0", "c1", "c2")


def _until(plan: Plan) -> Any:
    from pyspark.sql import functions

    assert plan.until is not None
    return functions.lit(microseconds(plan.until)).cast("long")


def _numbered(events: Any, functions: Any) -> Any:
    """The DataFrame with names by place, as dots in names are paths to Spark, and a number for each row."""
    named = events.toDF(*(f"c{place}" for place in range(len(events.columns))))
    return named.withColumn("id", functions.monotonically_increasing_id())


def _rejected(rows: Any, spark: Any, task: Any) -> Any:
    """What a task takes out of some rows, with the columns that the DataFrame has, and the reason."""
    from pyspark.sql.types import StringType, StructField, StructType

    names = [field.name for field in spark.fields]
    types = (*(field.dataType for field in spark.fields), StringType())
    out = StructType([StructField(f"c{place}", dtype) for place, dtype in enumerate(types)])
    reason = "sessionize.reason" if schema.REASON in names else schema.REASON
    return rows.mapInArrow(task, out).toDF(*names, reason)


def _head(events: Any, types: Types) -> pl.DataFrame:
    """The first rows of a DataFrame."""
    named = events.toDF(*(f"c{place}" for place in range(len(types)))).limit(SAMPLE_ROWS).coalesce(1)
    rows = named.mapInArrow(_packed, spark_schema({"packed": pl.Binary()})).collect()
    frames = [decoded(unpacked(bytes(row[0])), types) for row in rows]
    return pl.concat([pl.DataFrame(schema=types), *frames])


def _packed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield pa.record_batch([pa.array([packed(batch)], pa.binary())], ["c0"])


class Shape(NamedTuple):
    """How the rows of a DataFrame are looked at.

    Attributes:
        types: Types of its columns.
        preset: A known layout that it has.
        nulls: Texts that mean null.
    """

    types: Types
    preset: Preset | None
    nulls: tuple[str, ...]

    def given(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """Rows as they came, each with FILE and ROW: its partition, and its place there."""
        frame = decoded(batch, {**self.types, ID: pl.Int64()})
        return frame.select(
            (pl.col(ID) // 2**PLACE_BITS).cast(pl.UInt32).alias(schema.FILE),
            (pl.col(ID) % 2**PLACE_BITS + 1).cast(pl.UInt32).alias(schema.ROW),
            pl.exclude(ID),
        )

    def read(self, given: pl.DataFrame) -> pl.LazyFrame:
        """Rows with FILE, ROW and FAULT, as a reader gives them."""
        rows, types = as_read(given.lazy(), dict(self.types))
        rows = rows.select(schema.FILE, schema.ROW, pl.lit(None, FAULTS).alias(schema.FAULT), *self.types)
        return shaped(rows, types, self.preset, self.nulls) if self.preset is not None or self.nulls else rows


@dataclass(frozen=True)
class ReadFrame:
    """Rows of a DataFrame in, canonical events out.

    Attributes:
        shape: How its rows are looked at.
        types: Types of its columns, once that is done.
        plan: What the configuration means for it.
        columns: Types of the shuffle's columns.
        keeps_rows: Whether passive events have their rows with them.
    """

    shape: Shape
    types: Types
    plan: Plan
    columns: Types
    keeps_rows: bool = False

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The events among the rows."""
        came: deque[pa.RecordBatch] = deque()
        dictionaries = Dictionaries()
        ingest = Ingest(self.types, self.plan, dictionaries, observe=[Numbered()])
        with dictionaries:
            for arrived in ingest.events(self._read(batches, came)):
                events, batch = with_key(arrived.events), came.popleft()  # as many go as have come, in their order
                if self.keeps_rows:
                    places = self.shape.given(batch).select(seq()).to_series()
                    events = with_rows(events, batch, places, self.plan)
                yield from encoded(events, self.columns)

    def _read(self, batches: Iterator[pa.RecordBatch], came: deque[pa.RecordBatch]) -> Iterator[Rows]:
        for batch in batches:
            came.append(batch)
            yield Rows(self.shape.read(self.shape.given(batch)))


@dataclass(frozen=True)
class RejectedOfFrame:
    """Rows of a DataFrame in, those that are no events out, as they came, with the reason."""

    shape: Shape
    types: Types
    plan: Plan

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rejected rows."""
        place = [schema.FILE, schema.ROW]
        for batch in batches:
            given = self.shape.given(batch)
            found = normalise(self.shape.read(given), self.types, self.plan).collect()
            why = pl.col(schema.REASON).cast(pl.String)
            reasons = given.select(place).join(found.select(*place, why), on=place, how="left", maintain_order="left")
            bad = reasons[schema.REASON].is_not_null()
            kept = batch.filter(bad.to_arrow())
            columns = [*kept.columns[:-1], pa.array(reasons[schema.REASON].filter(bad).to_list(), pa.string())]
            yield pa.RecordBatch.from_arrays(columns, [f"c{number}" for number in range(len(columns))])


@dataclass(frozen=True)
class CutFrame:
    """Events of whole keys in, measured sessions out."""

    plan: Plan
    columns: Types
    sessions: pl.DataFrame

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The sessions of events that come ordered by key, time and place."""
        for part in streamed(
            events_of(batches, self.columns, USUAL_SIZES.lot_rows, []), self.plan, USUAL_SIZES.lot_rows
        ):
            yield from encoded(as_text(part.sessions.sessions), self.sessions.schema)


@dataclass(frozen=True)
class Stamp:
    """Measured sessions, each with the time of the newest event, in; metrics or records out."""

    plan: Plan
    sessions: pl.DataFrame
    kind: Literal["metrics", "records"]
    geo_db: str | None = None

    @property
    def types(self) -> Types:
        """Types of the columns that come out."""
        return self._of(self.sessions, None).schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What was asked for of each session."""
        for batch in batches:
            sessions = decoded(batch, {**self.sessions.schema, NEWEST: pl.Int64()})
            if sessions.height:
                yield from shown(self._of(sessions.drop(NEWEST), sessions[NEWEST][0]), self.types)

    def _of(self, sessions: pl.DataFrame, watermark: int | None) -> pl.DataFrame:
        whole = stamped(described(sessions, self.plan), self.plan, watermark)
        if self.kind == "metrics":
            return whole.select(metric_columns(self.plan))
        places = None if self.geo_db is None else Places(self.geo_db)
        return records(located(whole, places, self.plan), self.plan.timezone)
