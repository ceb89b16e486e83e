"""Columns of Parquet files and frames in the types that the rest knows: times in UTC, whatever their zone is called."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import polars as pl

from sessionize.kernel.texts import as_plain, is_plain, plain_type


def as_read(frame: pl.LazyFrame, types: dict[str, pl.DataType]) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """A frame, as typed as a Parquet file, with plain types, and times in UTC in place of those of an unknown zone.

    Args:
        frame: The rows.
        types: Type of each of the log's columns; others of the frame stay as they are.
    """
    strange = {name: dtype for name, dtype in types.items() if not _has_known_zones(dtype)}
    types = types | {name: _utc_type(dtype) for name, dtype in strange.items()}
    odd = {name: dtype for name, dtype in types.items() if not is_plain(dtype)}
    read = frame.with_columns(_in_utc(pl.col(name), dtype).alias(name) for name, dtype in strange.items())
    read = read.with_columns(as_plain(pl.col(name), dtype).alias(name) for name, dtype in odd.items())
    return read, types | {name: plain_type(dtype) for name, dtype in odd.items()}


@lru_cache
def is_known_zone(zone: str) -> bool:
    """Whether Polars has a zone by this name; offsets aside, which it takes for a zone of whole hours only."""
    try:
        return not zone.startswith(("+", "-")) and bool(pl.select(pl.lit(0).cast(pl.Datetime("us", zone))).height)
    except pl.exceptions.PolarsError:
        return False


def _has_known_zones(dtype: pl.DataType) -> bool:
    """Whether each time in a column is of a zone that Polars knows, or of none."""
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None or is_known_zone(dtype.time_zone)
    return all(map(_has_known_zones, _inside(dtype)))


def _inside(dtype: pl.DataType) -> list[pl.DataType]:
    """Types of what a column holds."""
    if isinstance(dtype, pl.Struct):
        return [cast("pl.DataType", inner.dtype) for inner in dtype.fields]
    if isinstance(dtype, pl.BaseExtension):
        return [cast("pl.DataType", dtype.ext_storage())]
    if isinstance(dtype, pl.Map):
        return [cast("pl.DataType", dtype.key), cast("pl.DataType", dtype.value)]
    return [cast("pl.DataType", dtype.inner)] if isinstance(dtype, (pl.List, pl.Array)) else []


def _in_utc(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The column with the times of unknown zones in UTC, which is what their numbers are of, however deep they lie."""
    if _has_known_zones(dtype):
        return column
    if isinstance(dtype, pl.Datetime):
        return column.to_physical().cast(_utc_type(dtype))
    if isinstance(dtype, pl.Struct):
        fields = ((inner.name, cast("pl.DataType", inner.dtype)) for inner in dtype.fields)
        return column.struct.with_fields(
            _in_utc(column.struct.field(name), kind).alias(name) for name, kind in fields if not _has_known_zones(kind)
        )
    if isinstance(dtype, pl.BaseExtension):
        return _in_utc(column.ext.storage(), cast("pl.DataType", dtype.ext_storage()))
    if isinstance(dtype, (pl.Map, pl.Array)):
        of_list = _of_list(dtype)
        return _in_utc(column.cast(of_list), of_list)
    return column.list.eval(_in_utc(pl.element(), _inside(dtype)[0]))


def _utc_type(dtype: pl.DataType) -> pl.DataType:
    """The type of what `_in_utc` makes of a column."""
    if _has_known_zones(dtype):
        return dtype
    if isinstance(dtype, pl.Datetime):
        return pl.Datetime(dtype.time_unit, "UTC")
    if isinstance(dtype, pl.Struct):
        return pl.Struct({inner.name: _utc_type(cast("pl.DataType", inner.dtype)) for inner in dtype.fields})
    if isinstance(dtype, pl.BaseExtension):
        return _utc_type(cast("pl.DataType", dtype.ext_storage()))
    if isinstance(dtype, (pl.Map, pl.Array)):
        return _utc_type(_of_list(dtype))
    return pl.List(_utc_type(_inside(dtype)[0]))


def _of_list(dtype: pl.Map | pl.Array) -> pl.List:
    return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}) if isinstance(dtype, pl.Map) else dtype.inner)
