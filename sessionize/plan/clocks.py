"""Numbers as times: in which unit they count since 1970, or what to type where they do not."""

from __future__ import annotations

from typing import Final, cast

import polars as pl

from sessionize.config import TimeFormat, TimeKind
from sessionize.kernel.epochs import PER_SECOND
from sessionize.kernel.timestamps import MODERN
from sessionize.plan import layouts
from sessionize.values import NamedTuple

EPOCH_UNITS: Final[tuple[tuple[float, TimeKind], ...]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
"""A number below the bound is taken in the unit: seconds to the year 5138, milliseconds from 1973 on, …"""
OTHER_CLOCKS: Final = (
    ("those of Windows, 100 ns since 1601", 1.22756e17, 1.57470e17, "windows"),
    ("those of WebKit, microseconds since 1601", 1.22756e16, 1.57470e16, "webkit"),
    ("ticks of .NET, 100 ns since the year 1", 6.27667e17, 6.62380e17, "dotnet"),
)
"""Clocks that do not count since 1970: their numbers of 1990 to 2100, and what to type for them."""
JULIAN: Final = (2_447_892.5, 2_488_069.5)
"""Julian days of 1990 to 2100, as SQLite keeps times."""
NUMBER: Final = r"^\s*[+-]?\d+([.,]\d*)?([eE][+-]?\d{1,3})?\s*$"
A_DAY: Final = 86_400
NINETIES: Final = 915_148_800
"""Seconds from 1970 to 1999, and from 2001 to 2030."""


class Unread(NamedTuple):
    """A time that cannot be taken as it stands.

    Attributes:
        problem: What is wrong.
        options: What to type.
        more: What else to know.
    """

    problem: str
    options: str
    more: str = ""


def quoted(layout: str) -> str:
    """A format as a shell takes it, whatever stands behind it in a message."""
    return f"'{layout}'" if "%" in layout else layout


def numbers_in(values: pl.Series) -> pl.Series | None:
    """The values that are numbers, as text; None where most are none."""
    if values.dtype.is_numeric():
        return values.drop_nulls().cast(pl.String)
    texts = values.cast(pl.String).drop_nulls()
    numbers = texts.filter(texts.str.contains(NUMBER))
    few = not len(numbers) or 2 * len(numbers) < len(texts.filter(texts.str.contains(r"\S")))
    return None if few else numbers.str.replace(",", ".", literal=True)


def unit_of(names: tuple[str, ...], numbers: pl.Series) -> TimeFormat | Unread:
    """Unit of epoch numbers, from the size of the middle one above 0; a guess to hold the others to."""
    sizes = numbers.str.strip_chars().cast(pl.Float64, strict=False).drop_nans().drop_nulls()
    middle = sizes.filter(sizes > 0).median()
    size = middle if isinstance(middle, float) else 0.0
    unit: TimeKind = next((unit for bound, unit in EPOCH_UNITS if size < bound), "ns")
    earliest, latest = (bound / 1_000_000 * PER_SECOND[unit] for bound in MODERN)
    written = layouts.written_date(numbers)
    if not len(sizes):
        return TimeFormat(kind="text")
    example, name = numbers[0], " + ".join(names)
    for what, low, high, typed in OTHER_CLOCKS:
        if low <= size <= high:
            return Unread(
                f"the numbers in {name!r}, such as {example}, look like {what}", f"--time-format {typed}",
                "--time-format s|ms|us|ns takes them as numbers since 1970 all the same",
            )  # fmt: skip
    if written is None and earliest <= size <= latest:
        return TimeFormat(kind=unit, guessed=True)
    if written is not None:
        what = "days as spreadsheets count them" if written == "excel" else "written dates"
        return Unread(
            f"the numbers in {name!r} are {what}, such as {example}",
            f"--time-format {quoted(written)}",
            "--time-format s|ms|us|ns takes them as numbers since 1970 all the same",
        )
    if JULIAN[0] <= size <= JULIAN[1]:
        return Unread(
            f"the numbers in {name!r}, such as {example}, look like Julian days", "",
            f"SQLite's datetime({name}) writes them as times; ({name} - 2440587.5) * 86400 is in seconds since 1970",
        )  # fmt: skip
    return Unread(
        f"the numbers in {name!r}, such as {example}, are no times of 1990 to 2100 in s, ms, us or ns since 1970",
        _of_a_clock(sizes),
        "say --time-format s, ms, us or ns for a clock that starts at 0, or '%Y%m%d%H%M%S' for written dates",
    )


def of_the_nineties(names: tuple[str, ...], values: pl.Series) -> Unread | None:
    """What to say of seconds that are of 1990 to 1999 if they count since 1970: Core Data's, of today, count since 2001.

    Only where they have fractions, as those do: logs that were written in those years have none.
    """
    numbers = numbers_in(values)
    sizes = pl.Series(dtype=pl.Float64) if numbers is None else numbers.cast(pl.Float64, strict=False).drop_nulls()
    middle = sizes.median()
    if numbers is None or not isinstance(middle, float) or middle > NINETIES or not (sizes % 1 != 0).any():
        return None
    said = f"the times in {' + '.join(names)!r} are of 1990 to 1999, such as {numbers[0]}"
    return Unread(said, "--time-format apple", "for seconds since 2001, as Apple's programs count")


def _of_a_clock(sizes: pl.Series) -> str:
    """What to type for the coarsest unit in which a clock that starts at 0 has run for a while, and for no more than a day.

    Numbers that all are of one size are no clock's that has just started: a unit for them would be any.
    """
    least, most = (float(cast("float", each)) for each in (sizes.min(), sizes.max()))
    if 2 * least > most:
        return ""
    fits = (unit for unit, per_second in PER_SECOND.items() if most <= A_DAY * per_second)
    return next((f"--time-format {unit}" for unit in fits if unit != "ns"), "")
