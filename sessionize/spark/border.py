"""The border to Spark: frames as Arrow batches of columns that Spark takes as they are, and back, to the bit.

Spark matches columns by position, takes no unsigned numbers and no large lists, reads names with dots as paths, and has an
idea of its own of what a time without a zone means. So every column has a name by its place (``c0``, ``c1``, …) and one of
few types; both sides are made from one constant, the types that the columns have in Polars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import polars as pl
import pyarrow as pa

from sessionize.errors import UsageError
from sessionize.kernel import as_text

BATCH_ROWS: Final = 50_000
"""Rows of a batch: a text column of more than 2 GiB would not fit."""
AS_TEXT: Final = (pl.UInt64, pl.Int128, pl.UInt128, pl.Decimal, pl.Categorical, pl.Enum, pl.Null)
"""Types whose values pass as text: Spark has none that holds them all."""
PHYSICAL: Final[Mapping[Any, pl.DataType]] = {
    pl.Datetime: pl.Int64(), pl.Duration: pl.Int64(), pl.Time: pl.Int64(), pl.Date: pl.Int32(),
    pl.UInt8: pl.Int16(), pl.UInt16: pl.Int32(), pl.UInt32: pl.Int64(),
}  # fmt: skip
"""Types whose values pass as whole numbers."""
ARROW: Final[Mapping[Any, pa.DataType]] = {
    pl.String: pa.string(), pl.Binary: pa.binary(), pl.Boolean: pa.bool_(), pl.Int8: pa.int8(), pl.Int16: pa.int16(),
    pl.Int32: pa.int32(), pl.Int64: pa.int64(), pl.Float32: pa.float32(), pl.Float64: pa.float64(),
    pl.Datetime: pa.timestamp("us", "UTC"),
}  # fmt: skip
"""Arrow's types of what passes; times as such only in what users get."""

OF_SPARK: Final[Mapping[str, pl.DataType]] = {
    "string": pl.String(), "varchar": pl.String(), "char": pl.String(), "binary": pl.Binary(), "boolean": pl.Boolean(),
    "byte": pl.Int8(), "short": pl.Int16(), "integer": pl.Int32(), "long": pl.Int64(), "float": pl.Float32(),
    "double": pl.Float64(), "date": pl.Date(), "timestamp": pl.Datetime("us", "UTC"), "timestamp_ntz": pl.Datetime("us"),
    "void": pl.Null(),
}  # fmt: skip
"""Polars' types of Spark's, by the names that Spark gives them."""

Types = Mapping[str, pl.DataType]


def passing(dtype: pl.DataType) -> pl.DataType:
    """The type that stands for another one at the border.

    Examples:
        >>> passing(pl.List(pl.UInt32()))
        List(Int64)
    """
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.List(passing(_inner(dtype)))
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, passing(_made(field.dtype))) for field in dtype.fields])
    if isinstance(dtype, AS_TEXT):
        return pl.String()
    return PHYSICAL.get(dtype.base_type(), dtype)


def arrow_type(dtype: pl.DataType) -> pa.DataType:
    """Arrow's type for one that passes the border."""
    if isinstance(dtype, pl.List):
        return pa.list_(arrow_type(_inner(dtype)))
    if isinstance(dtype, pl.Struct):
        return pa.struct([(field.name, arrow_type(_made(field.dtype))) for field in dtype.fields])
    return ARROW[dtype.base_type()]


def arrow_schema(types: Types) -> pa.Schema:
    """The border's schema for columns of these types, in their order."""
    return pa.schema([(f"c{place}", arrow_type(passing(dtype))) for place, dtype in enumerate(types.values())])


def encoded(frame: pl.DataFrame, types: Types) -> Iterator[pa.RecordBatch]:
    """A frame as batches that pass the border.

    Args:
        frame: Rows; a column that it lacks is null, one that is not among the types is left out.
        types: Types of the columns, in their order.
    """
    absent = [name for name in types if name not in frame.columns]
    whole = as_text(frame).with_columns(pl.lit(None, types[name]).alias(name) for name in absent)
    passed = whole.select(pl.col(name).cast(passing(dtype)) for name, dtype in types.items())
    schema = arrow_schema(types)
    for start in range(0, passed.height, BATCH_ROWS):
        table = passed[start : start + BATCH_ROWS].to_arrow(compat_level=pl.CompatLevel.oldest())
        yield from table.rename_columns(schema.names).cast(schema).combine_chunks().to_batches()


def decoded(batch: pa.RecordBatch, types: Types) -> pl.DataFrame:
    """What came over the border, as it was before it.

    Args:
        batch: Rows of a shuffle.
        types: Types of the columns, in their order.
    """
    frame = pl.DataFrame(pa.Table.from_batches([batch.rename_columns(list(types))]))
    return frame.with_columns(_back(frame[name], dtype) for name, dtype in types.items())


def encoded_all(frames: Iterable[pl.DataFrame], types: Types) -> Iterator[pa.RecordBatch]:
    """Frames as batches that pass the border."""
    for frame in frames:
        yield from encoded(frame, types)


def spark_schema(types: Types, *, shown: bool = False) -> Any:
    """Spark's schema for the same columns.

    Args:
        types: Types of the columns, in their order.
        shown: Whether users get it: columns then have their names, times are times.
    """
    from pyspark.sql.types import StructField, StructType

    fields = enumerate(types.items())
    return StructType([
        StructField(name if shown else f"c{place}", _spark_type(showing(dtype) if shown else passing(dtype)))
        for place, (name, dtype) in fields
    ])  # fmt: skip


def showing(dtype: pl.DataType) -> pl.DataType:
    """The type that users of Spark get for another one: as at the border, but times are times.

    Examples:
        >>> showing(pl.Datetime("us", "UTC"))
        Datetime(time_unit='us', time_zone='UTC')
    """
    if isinstance(dtype, pl.Datetime):
        return pl.Datetime("us", "UTC")
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.List(showing(_inner(dtype)))
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, showing(_made(field.dtype))) for field in dtype.fields])
    return passing(dtype)


def shown(frame: pl.DataFrame, types: Types) -> Iterator[pa.RecordBatch]:
    """A frame as batches that users of Spark get.

    Args:
        frame: Rows, with every column.
        types: Types of the columns, in their order.
    """
    given = as_text(frame).select(pl.col(name).cast(showing(dtype)) for name, dtype in types.items())
    schema = pa.schema([(name, arrow_type(showing(dtype))) for name, dtype in types.items()])
    for start in range(0, given.height, BATCH_ROWS):
        table = given[start : start + BATCH_ROWS].to_arrow(compat_level=pl.CompatLevel.oldest())
        yield from table.cast(schema).combine_chunks().to_batches()


def _spark_type(dtype: pl.DataType) -> Any:
    from pyspark.sql import types as spark

    if isinstance(dtype, pl.List):
        return spark.ArrayType(_spark_type(_inner(dtype)))
    if isinstance(dtype, pl.Struct):
        return spark.StructType(
            [spark.StructField(field.name, _spark_type(_made(field.dtype))) for field in dtype.fields]
        )
    simple: Mapping[Any, Any] = {
        pl.String: spark.StringType, pl.Binary: spark.BinaryType, pl.Boolean: spark.BooleanType, pl.Int8: spark.ByteType,
        pl.Int16: spark.ShortType, pl.Int32: spark.IntegerType, pl.Int64: spark.LongType, pl.Float32: spark.FloatType,
        pl.Float64: spark.DoubleType, pl.Datetime: spark.TimestampType,
    }  # fmt: skip
    return simple[dtype.base_type()]()


def types_of(spark: Any) -> dict[str, pl.DataType]:
    """Types that the columns of a DataFrame of Spark have as frames.

    Args:
        spark: The DataFrame's ``StructType``.

    Raises:
        UsageError: If one is of a type that no frame has.
    """
    return {field.name: _frame_type(field.dataType, field.name) for field in spark.fields}


def _frame_type(spark: Any, name: str) -> pl.DataType:
    kind = spark.typeName().partition("(")[0]
    if kind == "array":
        return pl.List(_frame_type(spark.elementType, name))
    if kind == "struct":
        return pl.Struct([pl.Field(field.name, _frame_type(field.dataType, name)) for field in spark.fields])
    if kind == "map":
        pair = {"key": _frame_type(spark.keyType, name), "value": _frame_type(spark.valueType, name)}
        return pl.List(pl.Struct(pair))
    if kind == "decimal":
        return pl.Decimal(spark.precision, spark.scale)
    if kind not in OF_SPARK:
        raise UsageError(f"column {name!r} is of Spark's type {kind}, which is not read", hint="cast it, or drop it")
    return OF_SPARK[kind]


def _back(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    return column if column.dtype == dtype else column.cast(dtype)


def _inner(dtype: pl.List | pl.Array) -> pl.DataType:
    return _made(dtype.inner)


def _made(dtype: Any) -> pl.DataType:
    """A type that may be given as its class."""
    return dtype() if isinstance(dtype, type) else dtype  # type: ignore[no-any-return]
