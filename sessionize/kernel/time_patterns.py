"""Times written as text, field by field: ISO 8601's forms, and what strptime's directives describe. Row-local."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import polars as pl

from sessionize.kernel.epochs import MICROSECONDS, in_range
from sessionize.kernel.local_times import localized
from sessionize.patterns import pattern

ISO: Final = pattern(
    r"(?i)^\s*(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"
    r"(?:(?:T| +)(?P<H>\d\d)(?::?(?P<M>\d\d)(?::?(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?\s*$"
)
"""ISO 8601 date, or date and time apart by T or blanks, to any precision; zone as Z, UTC, GMT or an offset."""

ISO_BASIC: Final = pattern(
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
NUMBERS: Final = frozenset("YymdHIMSfL")
"""The directives of digits alone."""
SHORTHANDS: Final = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%.f": ".%f"}
HOURS, MINUTES = 24, 60
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


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
    literal = [re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(part)) for part in parts[::2]]  # as strptime takes blanks
    fields = [*_fields(parts[1::2], literal[1:]), ""]
    body = "".join(text + field for text, field in zip(literal, fields, strict=True))
    return re.compile(rf"^\s*{body}\s*$")


def _fields(letters: Sequence[str], behind: Sequence[str]) -> Iterator[str]:
    """A regular expression a directive; where nothing parts two numbers, each has all of its digits, or it is a guess."""
    together = [
        not text and {one, next_one} <= NUMBERS
        for one, next_one, text in zip(letters, letters[1:], behind, strict=False)
    ]
    for letter, before, after in zip(letters, [False, *together], [*together, False], strict=False):
        field = DIRECTIVES[letter]
        yield field.replace("{1,2}", "{2}") if before or after else field


def parsed(texts: pl.Series, pattern: re.Pattern[str], timezone: str) -> pl.Series:
    """Microseconds by a pattern with named groups; a naive time is in the zone."""
    groups = pattern.groupindex
    found = texts.str.extract_groups(pattern.pattern).struct.unnest()
    found = found.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in "YymbdHMSfLpz" if name not in groups
    )
    # Step by step: an expression within an expression, each used more than once, takes longer to plan than to compute.
    steps = found.select(*_numbers(), _offsets(found["z"]).alias("offset")).with_columns(_date(), _hour())
    steps = steps.select(_local().alias("local"), "offset").with_columns(in_range(pl.col("local")))
    steps = steps.with_columns(zoned=pl.col("local") - pl.col("offset")).with_columns(in_range(pl.col("zoned")))
    local, zoned = steps["local"], steps["zoned"]
    naive = found["z"].is_null() & local.is_not_null()
    if not naive.any():
        return zoned
    placed = localized(pl.select(pl.when(naive).then(local)).to_series(), timezone)
    return pl.select(pl.when(naive).then(placed).otherwise(zoned)).to_series()


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _numbers() -> list[pl.Expr]:
    """The fields as numbers, the month's name too; what is not written is the first of its kind."""
    short = _number("y") + pl.when(_number("y") < 69).then(2000).otherwise(1900)
    named = pl.col("b").str.to_lowercase().replace_strict(
        list(MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int64
    )  # fmt: skip
    fraction = pl.col("f").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False)
    half = pl.col("p").str.to_lowercase()
    return [
        pl.coalesce(_number("Y"), short).alias("year"),
        pl.coalesce(_number("m"), named).alias("month"),
        pl.coalesce(_number("d"), 1).alias("day"),
        _number("H").fill_null(0).alias("hour"),
        _number("M").fill_null(0).alias("minute"),
        _number("S").fill_null(0).alias("second"),
        pl.coalesce(fraction, _number("L") * 1000, 0).alias("fraction"),
        pl.when(half.is_not_null()).then(pl.when(half == "p").then(12).otherwise(0)).alias("half"),
    ]


def _date() -> pl.Expr:
    """The day, of whatever month it falls in."""
    month = pl.when(pl.col("month").is_between(1, 12)).then(pl.col("month"))
    first = pl.datetime(pl.col("year"), month, 1, time_unit="us")
    return (first + pl.duration(days=pl.col("day") - 1, time_unit="us")).alias("date")


def _hour() -> pl.Expr:
    """The hour of 24."""
    half, hour = pl.col("half"), pl.col("hour")
    return pl.when(half.is_null()).then(hour).otherwise(hour % 12 + half).alias("hour")


def _local() -> pl.Expr:
    """Microseconds of the fields taken as UTC; null where one of them is out of bounds.

    24:00:00 is the next day's midnight and second 60 the next minute's first, as ISO 8601 and POSIX have them.
    """
    date, hour, minute, second, fraction = map(pl.col, ("date", "hour", "minute", "second", "fraction"))
    midnight = (hour == 24) & (minute == 0) & (second == 0) & (fraction == 0)
    valid = ((hour < 24) | midnight) & (minute < 60) & ((second < 60) | ((second == 60) & (minute == 59)))
    valid &= (pl.col("day") > 0) & (date.dt.month() == pl.col("month"))
    return pl.when(valid).then(date.to_physical() + ((hour * 60 + minute) * 60 + second) * MICROSECONDS + fraction)


def _offsets(zones: pl.Series) -> pl.Series:
    """Microseconds east of UTC (int64); null for a naive time, and for an offset that is none."""
    each = zones.unique().drop_nulls()  # a log has few
    return zones.replace_strict(each, [*map(_offset, each)], default=None, return_dtype=pl.Int64)


def _offset(zone: str) -> int | None:
    """Microseconds east of UTC of Z, UTC, GMT or an offset; None of one that is none.

    Examples:
        >>> _offset("-05:30") == -5.5 * 3600 * 1_000_000, _offset("z"), _offset("+2500")
        (True, 0, None)
    """
    if not zone.startswith(("+", "-")):
        return 0
    if not zone.isascii():  # which digits of other scripts are for the pattern
        return None
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    east = (hours * 60 + minutes) * 60 * MICROSECONDS
    return None if hours >= HOURS or minutes >= MINUTES else -east if zone[0] == "-" else east
