"""Rows of tables as JSON: how what is rejected is kept, times that no year from 1 to 9999 holds included."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final, cast

import polars as pl

EPOCH_DAY: Final = date(1970, 1, 1)
CYCLE: Final = (400, 146_097)
"""Years, and their days, after which the calendar comes back."""
DAY_US: Final = 86_400_000_000
IN_DAY: Final = {"ms": DAY_US // 1_000, "us": DAY_US}
"""Of each unit in which a time may be too far away for Python; nanoseconds reach to 2262 only."""
FIRST: Final = (date.min - EPOCH_DAY).days
LAST: Final = (date.max - EPOCH_DAY).days
Values = list[Any]


def rows_as_json(frame: pl.DataFrame) -> pl.Series:
    """Each row as one JSON object; what JSON has no type for is text as Python writes it."""
    timed = {name: values_of(frame[name]) for name, dtype in frame.schema.items() if _has_times(dtype)}
    rows = enumerate(frame.with_columns(pl.lit(None).alias(name) for name in timed).iter_rows(named=True))
    whole = (row | {name: values[place] for name, values in timed.items()} for place, row in rows)
    texts = [json.dumps(row, default=str, ensure_ascii=False) for row in whole]
    return pl.Series("raw", texts, dtype=pl.String)


def _has_times(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_has_times(cast("pl.DataType", field.dtype)) for field in dtype.fields)
    if isinstance(dtype, (pl.List, pl.Array)):
        return _has_times(cast("pl.DataType", dtype.inner))
    return dtype == pl.Date or isinstance(dtype, pl.Datetime)


def values_of(column: pl.Series) -> Values:
    """Values of a column, of one that has times, however deep, too; a time that Python has no value for is its text."""
    dtype = column.dtype
    if isinstance(dtype, pl.Struct):
        fields = {field.name: values_of(column.struct.field(field.name)) for field in dtype.fields}
        rows = zip(*fields.values(), strict=True)
        there = zip(column.is_not_null(), rows, strict=True)
        return [dict(zip(fields, row, strict=True)) if is_there else None for is_there, row in there]
    if isinstance(dtype, pl.Array):
        return values_of(column.arr.to_list())
    if isinstance(dtype, pl.List):
        sizes = column.list.len()
        inner = iter(values_of(column.filter(sizes > 0).explode()))
        return [None if size is None else list(islice(inner, size)) for size in sizes]
    return _times(column) if _has_times(dtype) else column.to_list()


def _times(column: pl.Series) -> Values:
    unit = getattr(column.dtype, "time_unit", None)
    zone = getattr(column.dtype, "time_zone", None)
    if unit == "ns":
        return column.to_list()
    day = IN_DAY.get(unit or "", 1)
    edge = 1 if zone not in (None, "UTC") else 0  # in some zones, the first and the last day end earlier or later
    numbers = column.to_physical().cast(pl.Int64)
    near = numbers.is_between((FIRST + edge) * day, (LAST + 1 - edge) * day, closed="left")
    values = pl.select(pl.when(near).then(column)).to_series().to_list()
    for place in (~near).arg_true():
        number = numbers[place]
        values[place] = far_day(number) if unit is None else far_time(number * DAY_US // day, zone)
    return values


def far_day(days: int) -> str:
    """A day since 1970 as ISO 8601 has it, however far away.

    Examples:
        >>> far_day(-719_529), far_day(-719_528), far_day(2_932_897)
        ('-0001-12-31', '0000-01-01', '+10000-01-01')
    """
    years, cycle = CYCLE
    cycles, rest = divmod(days, cycle)
    near = EPOCH_DAY + timedelta(days=rest)
    year = near.year + years * cycles
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04}-{near:%m-%d}"


def far_time(microseconds: int, zone: str | None = None) -> str:
    """A time since 1970 as Python would write it, in UTC where it has a zone.

    Examples:
        >>> far_time(-62_167_219_200_000_000), far_time(2**63 - 1)
        ('0000-01-01 00:00:00', '+294247-01-10 04:00:54.775807')
    """
    days, rest = divmod(microseconds, DAY_US)
    clock = str(timedelta(microseconds=rest))
    return f"{far_day(days)} {clock.zfill(15 if '.' in clock else 8)}{'' if zone is None else '+00:00'}"
