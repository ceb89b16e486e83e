"""From what a log writes to one instant: microseconds since 1970, UTC (semantics, section 2). Row-local.

Every function takes a column and gives Int64 microseconds: null where the value is no time, OUT_OF_RANGE where it is
one that no year from 1 to 9999 holds. Digits finer than a microsecond are cut off.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from sessionize import schema
from sessionize.config import TimeFormat

OUT_OF_RANGE: Final = -(2**63)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LATEST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
MODERN: Final = tuple((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for year in (1990, 2100))
PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
MICROSECONDS: Final = 1_000_000

DAY: Final = 86_400 * MICROSECONDS
EXCEL_EPOCH: Final = (datetime(1899, 12, 30, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""Day 0 of spreadsheets; right from day 61 (1900-03-01) on, before which they have a day that never was."""
MILLISECOND: Final = 1_000
SCIENTIFIC: Final = r"^\s*[+-]?\d+(?:\.\d*)?[eE][+-]?\d{1,3}\s*$"

ISO: Final = re.compile(
    r"(?i)^\s*(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"
    r"(?:(?:T| +)(?P<H>\d\d)(?::?(?P<M>\d\d)(?::?(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?\s*$"
)
"""ISO 8601 date, or date and time apart by T or blanks, to any precision; zone as Z, UTC, GMT or an offset."""

ISO_BASIC: Final = re.compile(
    r"(?i)^\s*(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)T(?P<H>\d\d)(?:(?P<M>\d\d)(?:(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*$"
)
"""ISO 8601's basic form, such as ``20240530T100500Z``; never a date alone, which is a number."""

DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "e": r"\s*(?P<d>\d{1,2})",
    "b": r"(?P<b>[A-Za-z]{3})", "B": r"(?P<b>[A-Za-z]{3})[a-z]*", "H": r"(?P<H>\d{1,2})", "I": r"(?P<H>\d{1,2})",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?", "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})", "f": r"(?P<f>\d+)",
    "L": r"(?P<L>\d{1,3})", "z": r"(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)", "a": r"[A-Za-z]{3}", "A": r"[A-Za-z]+",
    "Z": r"[A-Za-z][A-Za-z0-9_+/-]*", "%": "%",
}  # fmt: skip
"""What ``--time-format`` understands: strptime's directives, and ``%L`` for milliseconds as a number (Ruby, jq).

``%Z`` is a zone's name beside its offset (``%z``), and read over: a name alone does not always say the offset.
"""
SHORTHANDS: Final = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%.f": ".%f"}
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


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
        return _typed(times, times.dtype.time_unit, None if times.dtype.time_zone else timezone)
    if times.dtype == pl.Date:
        return _typed(times.cast(pl.Datetime("us")), "us", timezone)
    if time.kind == "several":
        return by_layout(times, time, timezone)[0]
    if times.dtype.is_numeric() and time.kind == "excel":
        return _held(_serial(times.cast(pl.Float64)), time)
    if times.dtype.is_numeric() and time.kind in PER_SECOND:
        return _held(_epoch(times, PER_SECOND[time.kind]), time)
    return _text(times.cast(pl.String), time, timezone)


def by_layout(times: pl.Series, time: TimeFormat, timezone: str) -> tuple[pl.Series, pl.Series]:
    """Of several formats: the instant by the first that reads a value, and which one that is (UInt8).

    Where more than one is given, a unit reads only what it makes a time within 1990 to 2100: else the first unit would
    read every number. A value that none reads, but one finds out of range, is out of range.
    """
    held = [replace(each, guessed=each.kind in (*PER_SECOND, "excel")) for each in time.formats]
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


def _epoch(times: pl.Series, per_second: int) -> pl.Series:
    if times.dtype.is_integer():
        return _scaled(times.cast(pl.Int64, strict=False), per_second)
    return _real(times.cast(pl.Float64), per_second)


def _held(values: pl.Series, time: TimeFormat) -> pl.Series:
    """The values, those that no guessed unit can mean out of range."""
    if not time.guessed:
        return values
    value = pl.col("value")
    kept = value.is_between(MODERN[0], MODERN[1]) | value.is_null()
    return _computed(value=values).select(pl.when(kept).then(value).otherwise(pl.lit(OUT_OF_RANGE))).to_series()


def _text(texts: pl.Series, time: TimeFormat, timezone: str) -> pl.Series:
    if time.kind in PER_SECOND:
        return _held(_epoch_text(texts, PER_SECOND[time.kind]), time)
    if time.kind == "excel":
        return _held(_serial(texts.str.strip_chars().cast(pl.Float64, strict=False)), time)
    if time.kind == "pattern":
        return _parsed(texts, compiled(time.pattern), timezone)
    return _iso(texts, timezone)


def in_range(microseconds: pl.Expr) -> pl.Expr:
    """The value where a year from 1 to 9999 holds it, else OUT_OF_RANGE."""
    return pl.when(microseconds.is_between(EARLIEST, LATEST) | microseconds.is_null()).then(microseconds).otherwise(
        pl.lit(OUT_OF_RANGE)
    )  # fmt: skip


def _computed(**columns: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(columns)


def _scaled(values: pl.Series, per_second: int) -> pl.Series:
    """Whole epoch numbers; checked before they are scaled, as integers wrap silently."""
    value = pl.col("value")
    if per_second > MICROSECONDS:
        exact = value // (per_second // MICROSECONDS)
        return _computed(value=values).select(in_range(exact)).to_series()
    scale = MICROSECONDS // per_second
    if _all_within(values, EARLIEST // scale, LATEST // scale):
        return values if scale == 1 else values * scale
    fits = value.is_between(EARLIEST // scale, LATEST // scale) | value.is_null()
    safe = pl.when(fits).then(value) * scale
    return _computed(value=values).select(pl.when(fits).then(safe).otherwise(pl.lit(OUT_OF_RANGE))).to_series()


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
    return _computed(value=values).select(
        pl.when(known).then(pl.when(fits).then(whole).otherwise(pl.lit(OUT_OF_RANGE)))
    ).to_series()  # fmt: skip


def _epoch_text(texts: pl.Series, per_second: int) -> pl.Series:
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == texts.null_count():
        return _scaled(whole, per_second)
    parts = _computed(text=texts).select(
        whole=pl.col("text").str.extract(r"^\s*([+-]?\d+)(?:\.\d*)?\s*$"),
        fraction=pl.col("text").str.extract(r"^\s*[+-]?\d+\.(\d*)\s*$").fill_null(""),
        negative=pl.col("text").str.contains(r"^\s*-"),
    )
    digits = max(0, 6 - (len(str(per_second)) - 1))
    units = _scaled(parts["whole"].cast(pl.Int64, strict=False), per_second)
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


def _serial(days: pl.Series) -> pl.Series:
    """Days since 1899-12-30, as spreadsheets count: to the nearest millisecond, which is as fine as they do."""
    day = pl.col("day")
    fits = day.is_finite() & (day.abs() < 4_000_000)
    exact = (pl.when(fits).then(day) * (DAY // MILLISECOND)).round().cast(pl.Int64) * MILLISECOND + EXCEL_EPOCH
    known = day.is_not_null() & day.is_not_nan()
    found = pl.when(known).then(pl.when(fits).then(in_range(exact)).otherwise(pl.lit(OUT_OF_RANGE)))
    return _computed(day=days).select(found).to_series()


def _typed(times: pl.Series, unit: str, timezone: str | None) -> pl.Series:
    values = _scaled(times.to_physical(), PER_SECOND[unit])
    return values if timezone is None else _localized(values, timezone)


def _iso(texts: pl.Series, timezone: str) -> pl.Series:
    """ISO 8601: through Arrow where the whole column is of one kind, which is far faster; else by pattern."""
    import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and only texts need it
    import pyarrow.compute as pc  # noqa: PLC0415

    values = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    for zone in (None, "UTC"):
        try:
            times = pl.Series(pc.cast(values, pa.timestamp("us", zone)).cast(pa.int64()))
        except pa.ArrowInvalid:
            continue
        times = pl.select(in_range(pl.lit(times))).to_series()
        return times if zone else _localized(times, timezone)
    read = _parsed(texts, ISO, timezone)
    rows = (read.is_null() & texts.str.contains(ISO_BASIC.pattern)).arg_true()
    return read.scatter(rows, _parsed(texts.gather(rows), ISO_BASIC, timezone)) if len(rows) else read


@lru_cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""A strptime pattern as a regular expression with a group a field.

    Raises:
        ValueError: If a directive is not known.

    Examples:
        >>> compiled("%Y/%m/%d").pattern
        '^\\s*(?P<Y>\\d{4})/(?P<m>\\d{1,2})/(?P<d>\\d{1,2})\\s*$'
    """
    for short, whole in SHORTHANDS.items():
        pattern = pattern.replace(short, whole)
    parts = re.split(r"%(.)", pattern)
    unknown = [f"%{letter}" for letter in parts[1::2] if letter not in DIRECTIVES]
    if unknown:
        raise ValueError(f"unknown directive {', '.join(unknown)}")
    literal = [re.escape(part).replace("/", "/") for part in parts[::2]]
    fields = [DIRECTIVES[letter] for letter in parts[1::2]] + [""]
    body = "".join(text + field for text, field in zip(literal, fields, strict=True))
    return re.compile(rf"^\s*{body}\s*$")


def _parsed(texts: pl.Series, pattern: re.Pattern[str], timezone: str) -> pl.Series:
    """Microseconds by a pattern with named groups; a naive time is in the zone."""
    groups = pattern.groupindex
    found = _computed(text=texts).select(
        pl.col("text").str.extract(pattern.pattern, index).alias(name) for name, index in groups.items()
    )
    found = found.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in "YymbdHMSfLpz" if name not in groups
    )
    local = found.select(_local()).to_series()
    offset = found.select(_offset()).to_series()
    zoned = _computed(local=local, offset=offset).select(in_range(pl.col("local") - pl.col("offset"))).to_series()
    naive = found["z"].is_null() & local.is_not_null()
    if not naive.any():
        return zoned
    placed = _localized(pl.select(pl.when(naive).then(local)).to_series(), timezone)
    return pl.select(pl.when(naive).then(placed).otherwise(zoned)).to_series()


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _local() -> pl.Expr:
    """Microseconds of the fields taken as UTC; null where one of them is out of bounds.

    24:00:00 is the next day's midnight and second 60 the next minute's first, as ISO 8601 and POSIX have them.
    """
    short = _number("y") + pl.when(_number("y") < 69).then(2000).otherwise(1900)
    named = pl.col("b").str.to_lowercase().replace_strict(
        list(MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int64
    )  # fmt: skip
    year, month = pl.coalesce(_number("Y"), short), pl.coalesce(_number("m"), named)
    day = pl.coalesce(_number("d"), 1)
    first = pl.datetime(year, pl.when(month.is_between(1, 12)).then(month), 1, time_unit="us")
    date = first + pl.duration(days=day - 1, time_unit="us")
    hour = _number("H").fill_null(0)
    half = pl.col("p").str.to_lowercase()
    hour = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    minute, second = _number("M").fill_null(0), _number("S").fill_null(0)
    fraction = pl.col("f").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    fraction = pl.coalesce(fraction, _number("L") * 1000, 0)
    midnight = (hour == 24) & (minute == 0) & (second == 0) & (fraction == 0)
    valid = ((hour < 24) | midnight) & (minute < 60) & ((second < 60) | ((second == 60) & (minute == 59)))
    valid &= (year > 0) & (day > 0) & (date.dt.month() == month)
    return pl.when(valid).then(date.to_physical() + ((hour * 60 + minute) * 60 + second) * MICROSECONDS + fraction)


def _offset() -> pl.Expr:
    """Microseconds east of UTC; null for a naive time, and out of any range for an offset that is none."""
    zone = pl.col("z").str.to_uppercase()
    hours = zone.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = zone.str.slice(3).str.strip_prefix(":").replace("", "0").cast(pl.Int64, strict=False)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    east = pl.when((hours < 24) & (minutes < 60)).then(sign * (hours * 60 + minutes) * 60 * MICROSECONDS)
    utc = zone.is_in(["Z", "UTC", "GMT"])
    return pl.when(zone.is_not_null()).then(pl.when(utc).then(0).otherwise(east))


def _localized(values: pl.Series, timezone: str) -> pl.Series:
    """Instants of local times.

    A time that occurs twice (clocks set back) is the first of the two; one that does not exist (clocks set forward) is
    read with the offset in force before, so it lies as much after the change as its digits say.
    """
    if timezone == "UTC":
        return values
    usable = pl.when(pl.col("local") != OUT_OF_RANGE).then(pl.col("local"))
    local = _computed(local=values).select(usable.cast(pl.Datetime("us"))).to_series()
    placed = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").to_physical()
    missing = local.is_not_null() & placed.is_null()
    if missing.any():
        zone = ZoneInfo(timezone)
        shifted = [(each.replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1) for each in local.filter(missing)]
        placed = placed.scatter(missing.arg_true(), shifted)
    return _computed(local=values, placed=placed).select(
        pl.when(pl.col("local") == OUT_OF_RANGE).then(pl.lit(OUT_OF_RANGE)).otherwise(in_range(pl.col("placed")))
    ).to_series()  # fmt: skip
