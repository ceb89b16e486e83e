"""Numbers as instants: epoch times in any unit, spreadsheets' days; and which instants there are. Row-local.

Every function takes a column and gives Int64 microseconds: null where the value is no number, OUT_OF_RANGE where it is
one that no year from 1 to 9999 holds. Digits finer than a microsecond are cut off.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from sessionize.instants import EPOCH
from sessionize.values import NamedTuple

OUT_OF_RANGE: Final = -(2**63)
EARLIEST: Final = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LATEST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
MICROSECONDS: Final = 1_000_000


class Clock(NamedTuple):
    """How numbers count time.

    Attributes:
        per_second: So many of them are a second.
        start: The instant of 0, seconds since 1970 UTC.
    """

    per_second: int
    start: int = 0


CLOCKS: Final = {unit: Clock(per_second) for unit, per_second in PER_SECOND.items()} | {
    "windows": Clock(10_000_000, -11_644_473_600),
    "webkit": Clock(1_000_000, -11_644_473_600),
    "dotnet": Clock(10_000_000, -62_135_596_800),
    "apple": Clock(1, 978_307_200),
}
"""Units since 1970; FILETIME, 100 ns since 1601; Chromium's microseconds since then; DateTime's ticks of 100 ns since the
year 1; and the seconds since 2001 of Core Data. All in UTC."""
NUMBERS: Final = (*CLOCKS, "excel")
"""Formats of times that are numbers."""
DAY: Final = 86_400 * MICROSECONDS
EXCEL_EPOCH: Final = (datetime(1899, 12, 30, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""Day 0 of spreadsheets; right from day 61 (1900-03-01) on, before which they have a day that never was."""
MILLISECOND: Final = 1_000
SCIENTIFIC: Final = r"^\s*[+-]?\d+(?:\.\d*)?[eE][+-]?\d{1,3}\s*$"


def epoch(times: pl.Series, clock: Clock) -> pl.Series:
    """Numbers of a clock.

    Returns:
        Microseconds since 1970 UTC, one a number (Int64); null for one that is no time.
    """
    if times.dtype.is_integer():
        return _from(clock, scaled(times.cast(pl.Int64, strict=False), clock.per_second))
    if times.dtype.is_decimal():  # a double holds not all of its digits
        return epoch_text(times.cast(pl.String), clock)
    return _from(clock, _real(times.cast(pl.Float64), clock.per_second))


def epoch_text(texts: pl.Series, clock: Clock) -> pl.Series:
    """Numbers of a clock that are written as text; their digits are kept to the last.

    Returns:
        Microseconds since 1970 UTC, one a text (Int64); null for one that is no number.
    """
    return _from(clock, _text(texts, clock.per_second))


def _from(clock: Clock, micros: pl.Series) -> pl.Series:
    """Microseconds since the clock's start as those since 1970."""
    if not clock.start:
        return micros
    value = pl.col("value")
    moved = pl.when(value == OUT_OF_RANGE).then(value).otherwise(in_range(value + clock.start * MICROSECONDS))
    return computed(value=micros).select(moved).to_series()


def _text(texts: pl.Series, per_second: int) -> pl.Series:
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == texts.null_count():
        return scaled(whole, per_second)
    parts = computed(text=texts).select(
        whole=pl.col("text").str.extract(r"^\s*([+-]?\d+)(?:\.\d*)?\s*$"),
        fraction=pl.col("text").str.extract(r"^\s*[+-]?\d+\.(\d*)\s*$").fill_null(""),
        negative=pl.col("text").str.contains(r"^\s*-"),
    )
    digits = max(0, 6 - (len(str(per_second)) - 1))
    units = scaled(parts["whole"].cast(pl.Int64, strict=False), per_second)
    finer = pl.col("fraction").str.pad_end(digits, "0").str.slice(0, digits)
    finer = finer.replace("", "0").cast(pl.Int64, strict=False)
    signed = pl.when("negative").then(-finer).otherwise(finer)
    exact = pl.when(pl.col("units") == OUT_OF_RANGE).then(OUT_OF_RANGE).otherwise(pl.col("units") + signed)
    too_long = pl.col("whole").is_not_null() & pl.col("units").is_null()
    read = (
        parts.with_columns(units=units)
        .select(pl.when(too_long).then(OUT_OF_RANGE).otherwise(exact))
        .to_series()
        .cast(pl.Int64)
    )
    return _with_scientific(read, texts, per_second)


def serial(days: pl.Series) -> pl.Series:
    """Days since 1899-12-30, as spreadsheets count: to the nearest millisecond, which is as fine as they do."""
    day = pl.col("day")
    fits = day.is_finite() & (day.abs() < 4_000_000)
    exact = (pl.when(fits).then(day) * (DAY // MILLISECOND)).round().cast(pl.Int64) * MILLISECOND + EXCEL_EPOCH
    known = day.is_not_null() & day.is_not_nan()
    found = pl.when(known).then(pl.when(fits).then(in_range(exact)).otherwise(pl.lit(OUT_OF_RANGE)))
    return computed(day=days).select(found).to_series()


def scaled(values: pl.Series, per_second: int) -> pl.Series:
    """Whole epoch numbers; checked before they are scaled, as integers wrap silently."""
    value = pl.col("value")
    if per_second > MICROSECONDS:
        exact = value // (per_second // MICROSECONDS)
        return computed(value=values).select(in_range(exact)).to_series()
    scale = MICROSECONDS // per_second
    if _all_within(values, EARLIEST // scale, LATEST // scale):
        return values if scale == 1 else values * scale
    fits = value.is_between(EARLIEST // scale, LATEST // scale) | value.is_null()
    safe = pl.when(fits).then(value) * scale
    return computed(value=values).select(pl.when(fits).then(safe).otherwise(pl.lit(OUT_OF_RANGE))).to_series()


def days(dates: pl.Series) -> pl.Series:
    """The midnights of dates; checked before they are scaled, too."""
    day = pl.col("day")
    fits = day.is_between(EARLIEST // DAY, LATEST // DAY) | day.is_null()
    midnight = pl.when(fits).then(day) * DAY
    numbers = computed(day=dates.to_physical().cast(pl.Int64))
    return numbers.select(pl.when(fits).then(midnight).otherwise(pl.lit(OUT_OF_RANGE))).to_series()


def in_range(microseconds: pl.Expr) -> pl.Expr:
    """The value where a year from 1 to 9999 holds it, else OUT_OF_RANGE."""
    return pl.when(microseconds.is_between(EARLIEST, LATEST) | microseconds.is_null()).then(microseconds).otherwise(
        pl.lit(OUT_OF_RANGE)
    )  # fmt: skip


def computed(**columns: pl.Series) -> pl.DataFrame:
    """A frame of columns, so that expressions may be computed over them."""
    return pl.DataFrame(columns)


def _all_within(values: pl.Series, lowest: int, highest: int) -> bool:
    """Whether every value there is lies between: cheaper to see than to look at each one by one."""
    least, most = values.min(), values.max()
    return not isinstance(least, int) or not isinstance(most, int) or (lowest <= least and most <= highest)


def _real(values: pl.Series, per_second: int) -> pl.Series:
    """Epoch numbers in floating point, to the nearest microsecond."""
    exact = pl.col("value") * (MICROSECONDS / per_second)
    fits = exact.is_between(float(EARLIEST), float(LATEST))
    whole = pl.when(fits).then(exact).round().cast(pl.Int64, strict=False)
    known = pl.col("value").is_not_null() & pl.col("value").is_not_nan()
    return computed(value=values).select(
        pl.when(known).then(pl.when(fits).then(whole).otherwise(pl.lit(OUT_OF_RANGE)))
    ).to_series()  # fmt: skip


def _with_scientific(read: pl.Series, texts: pl.Series, per_second: int) -> pl.Series:
    """The values, those written with an exponent (``1.7170548E+12``) too: as spreadsheets and JSON may have them."""
    rows = (read.is_null() & texts.str.contains(SCIENTIFIC)).arg_true()
    if not len(rows):
        return read
    different = texts.gather(rows).unique()
    exact = pl.Series([_scientific(text, per_second) for text in different], dtype=pl.Int64)
    return read.scatter(rows, texts.gather(rows).replace_strict(different, exact, return_dtype=pl.Int64))


def _scientific(text: str, per_second: int) -> int:
    exact = Decimal(text.strip()) * MICROSECONDS / per_second
    return int(exact) if EARLIEST <= exact <= LATEST else OUT_OF_RANGE
