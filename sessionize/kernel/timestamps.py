"""From what a log writes to one instant: microseconds since 1970, UTC (semantics, section 2). Row-local.

Every function takes a column and gives Int64 microseconds: null where the value is no time, OUT_OF_RANGE where it is
one that no year from 1 to 9999 holds. Digits finer than a microsecond are cut off.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import TimeFormat
from sessionize.instants import EPOCH
from sessionize.kernel.epochs import (
    CLOCKS,
    NUMBERS,
    OUT_OF_RANGE,
    PER_SECOND,
    computed,
    days,
    epoch,
    epoch_text,
    in_range,
    scaled,
    serial,
)
from sessionize.kernel.local_times import localized
from sessionize.kernel.texts import number_text
from sessionize.kernel.time_patterns import ISO, ISO_BASIC, compiled, parsed
from sessionize.patterns import pattern

MODERN: Final = tuple((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for year in (1990, 2100))
ONLY_DIGITS: Final = pattern(r"(?:%[YmdHMS])+")
"""Layouts of times that are written as one whole number."""
FEW: Final = 1 << 14
"""Texts that are not worth the time that Arrow takes to load."""


def instant(times: pl.Series, time: TimeFormat, timezone: str) -> pl.Series:
    """Microseconds since 1970 UTC of each value.

    Args:
        times: A column of the log, of any type a time may have.
        time: How the log writes times.
        timezone: IANA zone of naive times.

    Returns:
        An Int64 column, one value a row: null where there is no time, OUT_OF_RANGE where no year from 1 to 9999 holds it.
    """
    if isinstance(times.dtype, pl.Datetime):
        return _cast(times, times.dtype.time_unit, None if times.dtype.time_zone else timezone)
    if times.dtype == pl.Date:
        return localized(days(times), timezone)
    if time.kind == "several":
        return by_layout(times, time, timezone)[0]
    if times.dtype.is_numeric() and time.kind == "excel":
        return _held(serial(times.cast(pl.Float64)), time)
    if times.dtype.is_numeric() and time.kind in CLOCKS:
        return _held(epoch(times, CLOCKS[time.kind]), time)
    return _text(digits(times), time, timezone)


def by_layout(times: pl.Series, time: TimeFormat, timezone: str) -> tuple[pl.Series, pl.Series]:
    """Of several formats: the instant by the first that reads a value, and which one that is (UInt8).

    Where more than one is given, a unit reads only what it makes a time within 1990 to 2100: else the first unit would
    read every number. A value that none reads, but one finds out of range, is out of range.
    """
    held = [replace(each, guessed=each.kind in NUMBERS) for each in time.formats]
    read = pl.Series("time", [None], dtype=pl.Int64).new_from_index(0, len(times))
    which = pl.Series(schema.LAYOUT, [None], dtype=pl.UInt8).new_from_index(0, len(times))
    for number, each in enumerate(held):
        rows = (read.is_null() | (read == OUT_OF_RANGE)).arg_true()
        if not len(rows):
            break
        values = instant(times.gather(rows), each, timezone)
        known = values.is_not_null()
        read = read.scatter(rows.filter(known), values.filter(known))
        good = known & (values != OUT_OF_RANGE)
        which = which.scatter(rows.filter(good), number)
    return read, which


def _held(values: pl.Series, time: TimeFormat) -> pl.Series:
    """The values, those that no guessed unit can mean out of range."""
    if not time.guessed:
        return values
    value = pl.col("value")
    kept = value.is_between(MODERN[0], MODERN[1]) | value.is_null()
    return computed(value=values).select(pl.when(kept).then(value).otherwise(pl.lit(OUT_OF_RANGE))).to_series()


def _text(texts: pl.Series, time: TimeFormat, timezone: str) -> pl.Series:
    if time.kind in NUMBERS and texts.str.contains(",", literal=True).any():
        texts = texts.str.replace(",", ".", literal=True)  # a spreadsheet's decimal comma
    if time.kind in CLOCKS:
        return _held(epoch_text(texts, CLOCKS[time.kind]), time)
    if time.kind == "excel":
        return _held(serial(texts.str.strip_chars().cast(pl.Float64, strict=False)), time)
    if time.kind == "pattern":
        return parsed(_whole(texts) if ONLY_DIGITS.fullmatch(time.pattern) else texts, compiled(time.pattern), timezone)
    return _iso(texts, timezone)


def digits(times: pl.Series) -> pl.Series:
    """The times as text; all digits of dates that are written as numbers."""
    if not times.dtype.is_float():
        return times.cast(pl.String)
    return computed(number=times).select(number_text(pl.col("number"), times.dtype)).to_series()


def _whole(texts: pl.Series) -> pl.Series:
    """Written dates without what a column of floats has put behind them."""
    return texts.str.replace(r"^(\s*[0-9]{8,})\.0*\s*$", "${1}")


def _cast(times: pl.Series, unit: str, timezone: str | None) -> pl.Series:
    values = scaled(times.to_physical(), PER_SECOND[unit])
    return values if timezone is None else localized(values, timezone)


def _iso(texts: pl.Series, timezone: str) -> pl.Series:
    """ISO 8601: many of them through Arrow where all are of one kind, which is far faster; else by pattern."""
    found = None if len(texts) <= FEW else _iso_by_arrow(texts, timezone)
    if found is not None:
        return found
    read = parsed(texts, ISO, timezone)
    rows = (read.is_null() & texts.str.contains(ISO_BASIC.pattern)).arg_true()
    return read.scatter(rows, parsed(texts.gather(rows), ISO_BASIC, timezone)) if len(rows) else read


def _iso_by_arrow(texts: pl.Series, timezone: str) -> pl.Series | None:
    """The same where Arrow reads them all; else None."""
    import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and only texts need it
    import pyarrow.compute as pc  # noqa: PLC0415

    values = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    for zone in (None, "UTC"):
        try:
            times = pl.Series(pc.cast(values, pa.timestamp("us", zone)).cast(pa.int64()))
        except pa.ArrowInvalid:
            continue
        times = pl.select(in_range(pl.lit(times))).to_series()
        return times if zone else localized(times, timezone)
    return None
