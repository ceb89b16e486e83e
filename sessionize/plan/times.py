"""Which column is the time, and how it is written: found by name and by value, or the words that say what to type."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final, cast

import polars as pl

from sessionize import schema
from sessionize.config import TimeFormat, TimeKind
from sessionize.errors import UsageError
from sessionize.kernel.epochs import OUT_OF_RANGE, PER_SECOND
from sessionize.kernel.normalise import MIDNIGHT, NO_DATE, TEXTS, time_text
from sessionize.kernel.references import field_type
from sessionize.kernel.time_patterns import compiled
from sessionize.kernel.timestamps import MODERN, instant
from sessionize.plan import layouts
from sessionize.plan.evidence import ROWS, Evidence, Sample, Types, plain
from sessionize.plan.names import is_named_for_a_date, is_named_for_a_time, options_of
from sessionize.values import NamedTuple

EPOCH_UNITS: Final[tuple[tuple[float, TimeKind], ...]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
"""A number below the bound is taken in the unit: seconds to the year 5138, milliseconds from 1973 on, …"""
OTHER_CLOCKS: Final = (
    ("those of Windows, 100 ns since 1601", 1.22756e17, 1.57470e17, "(n - 116444736000000000) / 10"),
    ("those of WebKit, microseconds since 1601", 1.22756e16, 1.57470e16, "n - 11644473600000000"),
    ("ticks of .NET, 100 ns since the year 1", 6.27667e17, 6.62380e17, "(n - 621355968000000000) / 10"),
)
"""Clocks that do not count since 1970: their numbers of 1990 to 2100, and how they become microseconds since 1970."""
NUMBER: Final = r"^\s*[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?\s*$"
TIME_OF_DAY: Final = rf"(?:{NO_DATE}|^)\s*\d{{1,2}}:\d\d(:\d\d([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?|Z|[+-]\d\d:?\d\d)?\s*$"
A_DATE: Final = rf"^\s*\d{{4}}-\d\d-\d\d(?:\s*$|{MIDNIGHT})"
MOST: Final = 0.95
"""Share of a column's values that has to be read, where nothing but its values and the end of its name speaks for it."""
CLOCKS: Final = (pl.Time, pl.Duration)
"""Types of a time of day: pandas reads MySQL's TIME as a duration."""
A_DAY: Final = 86_400
FIRST: Final = 32
"""Texts among which one time is enough to know that there are any."""
_TIME: Final = "time"
UNSURE: Final = (
    "received", "sent", "updated", "modified", "ended", "end", "loaded", "etl", "expires", "processed", "due", "birth",
    "signup", "last_", "dropoff",
)  # fmt: skip
"""Words in names of times that are seldom an event's own: these are proposed last."""


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


class TimeColumns(NamedTuple):
    """A time column, or the date and the time of day.

    Attributes:
        names: The columns.
        notes: What to know of the choice.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def given_formats(given: Sequence[str]) -> TimeFormat:
    """What was typed for ``--time-format``, as a format.

    Raises:
        UsageError: If one is neither a pattern nor a unit.
    """
    formats = tuple(_given(each) for each in given)
    return formats[0] if len(formats) == 1 else TimeFormat(kind="several", formats=formats)


def _given(given: str) -> TimeFormat:
    if given == "iso":
        return TimeFormat(kind="text")
    if given in PER_SECOND or given == "excel":
        return TimeFormat(kind=cast("TimeKind", given))
    try:
        if "%" in given:
            compiled(given)
            return TimeFormat(kind="pattern", pattern=given)
        problem = "neither a pattern nor a unit"
    except ValueError as error:
        problem = str(error)
    raise UsageError(
        f"--time-format {given!r}: {problem}",
        hint="for example '%d/%m/%Y %H:%M:%S', or iso, s, ms, us, ns, excel",
    )


def time_format(given: Sequence[str], names: tuple[str, ...], types: Types, sample: Sample) -> TimeFormat | Unread:
    """How the times are written, as given or found in the first rows; or why that cannot be said."""
    written, dtype = time_text(names, types)
    if dtype is not None and dtype.is_temporal() and dtype != pl.Time:
        return TimeFormat(kind="datetime")
    if given:
        return given_formats(given)
    if dtype is None or not (dtype in TEXTS or dtype.is_numeric() or dtype == pl.Time):
        raise UsageError(f"column {' + '.join(names)!r} cannot be the timestamp: it holds {dtype}")
    values = sample(written, ROWS)
    numbers = _numbers(values)
    return _of_texts(names, values.cast(pl.String)) if numbers is None else _unit(names, numbers)


def quoted(layout: str) -> str:
    """A format as a shell takes it, whatever stands behind it in a message."""
    return f"'{layout}'" if "%" in layout else layout


def _numbers(values: pl.Series) -> pl.Series | None:
    """The values that are numbers, as text; None where most are none."""
    if values.dtype.is_numeric():
        return values.drop_nulls().cast(pl.String)
    texts = values.cast(pl.String).drop_nulls()
    numbers = texts.filter(texts.str.contains(NUMBER))
    few = not len(numbers) or 2 * len(numbers) < len(texts.filter(texts.str.contains(r"\S")))
    return None if few else numbers


def _of_texts(names: tuple[str, ...], values: pl.Series) -> TimeFormat | Unread:
    texts = values.filter(values.str.contains(r"\S"))
    inside = _in_objects(names, texts)
    if inside is not None:
        return inside
    iso = TimeFormat(kind="text")
    if not len(texts) or any(instant(some, iso, "UTC").is_not_null().any() for some in (texts.head(FIRST), texts)):
        return iso
    certain = layouts.certain(texts)
    return iso if certain is None else TimeFormat(kind="pattern", pattern=certain)


def _in_objects(names: tuple[str, ...], texts: pl.Series) -> Unread | None:
    first = str(next(iter(texts.head(1)), ""))
    if not first.startswith("{"):
        return None
    try:
        keys = list(json.loads(first))
    except ValueError:
        return None
    inner = next((key for key in keys if is_named_for_a_time(key)), keys[0] if len(keys) == 1 else None)
    if inner is None:
        return None
    return Unread(
        f"the times in {names[0]!r} are objects: {first[:60]}", options_of(schema.TIMESTAMP, f"{names[0]}.{inner}")
    )


def _unit(names: tuple[str, ...], numbers: pl.Series) -> TimeFormat | Unread:
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
    for what, low, high, computed in OTHER_CLOCKS:
        if low <= size <= high:
            return Unread(
                f"the numbers in {name!r}, such as {example}, look like {what}", "",
                f"{computed} of each number n is microseconds since 1970; --time-format s|ms|us|ns takes them as they are",
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
    return Unread(
        f"the numbers in {name!r}, such as {example}, are no times of 1990 to 2100 in s, ms, us or ns since 1970",
        _unit_of_a_clock(sizes),
        "say --time-format s, ms, us or ns for a clock that starts at 0, or '%Y%m%d%H%M%S' for written dates",
    )


def _unit_of_a_clock(sizes: pl.Series) -> str:
    """What to type for the coarsest unit in which a clock that starts at 0 has run for a while, and for no more than a day."""
    most = float(cast("float", sizes.max()))
    fits = (unit for unit, per_second in PER_SECOND.items() if most <= A_DAY * per_second)
    return next((f"--time-format {unit}" for unit in fits if unit != "ns"), "")


def apart(name: str, evidence: Evidence) -> TimeColumns | None:
    """The date and the time of day that are one time together, where the column holds but the latter."""
    if not is_time_of_day(name, evidence):
        return None
    dates = [each for each in plain(evidence.types) if is_named_for_a_date(each) and is_date(each, evidence)]
    return TimeColumns((dates[0], name)) if len(dates) == 1 else None


def is_time_of_day(name: str, evidence: Evidence) -> bool:
    """Whether the column's values are times of day without a date."""
    dtype = field_type(name, evidence.types)
    return dtype == pl.Time or (
        (dtype in TEXTS or dtype == pl.Duration) and _all_look_like(TIME_OF_DAY, name, evidence)
    )


def is_date(name: str, evidence: Evidence) -> bool:
    """Whether the column's values are dates without a time of day."""
    dtype = field_type(name, evidence.types)
    return dtype == pl.Date or (dtype in TEXTS and _all_look_like(A_DATE, name, evidence))


def _all_look_like(shape: str, name: str, evidence: Evidence) -> bool:
    values = evidence.texts(name).drop_nulls()
    return bool(len(values)) and int(values.str.contains(shape).sum()) >= MOST * len(values)


def by_ending(types: Types, evidence: Evidence, taken: Collection[str]) -> TimeColumns | Unread | list[str]:
    """The one column whose name ends as those of times do, and whose values are times.

    Returns:
        The column; or what to type where its values do not say enough; or those that could be, none or several.
    """
    free = [name for name in plain(types) if name not in taken]
    evidence.read(name for name in free if is_named_for_a_time(name) and not types[name].is_temporal())
    read = [name for name in free if is_named_for_a_time(name) and holds_times(name, evidence)]
    read = read or [name for name in free if _TIME in name.lower() and holds_times(name, evidence)]
    whole = [name for name in read if not is_date(name, evidence)]
    days = [name for name in read if name not in whole]
    if len(whole) == 1 and _is_doubtful(whole[0], evidence):
        whole += likelier(types, evidence, {*taken, *whole})
    if len(whole) == 1:
        return TimeColumns((whole[0],))
    if whole:
        return sorted(whole, key=_unsure)
    if len(days) == 1 and _is_doubtful(days[0], evidence):
        days += likelier(types, evidence, {*taken, *days})
    clocks = [
        name for name in plain(types) if name not in taken and name not in days and _may_be_a_clock(name, evidence)
    ]
    daytimes = [name for name in clocks if is_time_of_day(name, evidence)]
    if len(days) == len(daytimes) == 1:
        return TimeColumns((days[0], daytimes[0]))
    if len(days) == 1 and not clocks:
        return TimeColumns((days[0],), (f"the times in {days[0]!r} are dates: all events of a day are at one time",))
    if not days and (others := likelier(types, evidence, taken)):
        return Unread("", options_of(schema.TIMESTAMP, others[0]))
    return sorted(days, key=_unsure) or _unread(clocks, evidence) or []


def likelier(types: Types, evidence: Evidence, taken: Collection[str]) -> list[str]:
    """Columns that may be the time of events, where the one that is named so is doubtful."""
    return [name for name in plain(types) if name not in taken and _is_likelier(name, evidence)]


def _is_doubtful(name: str, evidence: Evidence) -> bool:
    """Whether a column of times is seldom an event's own, by its name, or has none in most rows."""
    found = evidence.column(name)
    return _unsure(name) or 2 * found.there < found.rows


def _is_likelier(name: str, evidence: Evidence) -> bool:
    if _unsure(name) or evidence.types[name].is_numeric() or is_date(name, evidence):
        return False
    if holds_times(name, evidence):
        return True
    return is_named_for_a_time(name) and not is_time_of_day(name, evidence) and proposal(name, evidence) is not None


def _unread(clocks: Sequence[str], evidence: Evidence) -> Unread | None:
    """What to type for the one column that is named for a time, but is written in no known way."""
    if len(clocks) != 1:
        return None
    return proposal(clocks[0], evidence)


def clock_beside(days: Sequence[str], evidence: Evidence, taken: Collection[str]) -> Unread | None:
    """What to type for a column of numbers named for a time, where else there are only dates."""
    clocks = [each for each in plain(evidence.types) if each not in (*taken, *days) and _may_be_a_clock(each, evidence)]
    return proposal(clocks[0], evidence) if len(clocks) == 1 else None


def proposal(name: str, evidence: Evidence) -> Unread | None:
    """What to type for a column, if it is to be the time."""
    values = evidence.texts(name).drop_nulls()
    numbers = _numbers(values)
    if numbers is not None:
        found = _unit((name,), numbers)
        options = found.options if isinstance(found, Unread) else ""
        problem = found.problem if isinstance(found, Unread) else ""
        return Unread(problem, f"{options_of(schema.TIMESTAMP, name)} {options}".strip())
    layout = next(iter(layouts.proposed(values)), None)
    if layout is None:
        return None
    return Unread("", f"{options_of(schema.TIMESTAMP, name)} --time-format {quoted(layout)}")


def _may_be_a_clock(name: str, evidence: Evidence) -> bool:
    if _TIME not in name.lower() or (evidence.types[name].is_temporal() and evidence.types[name] not in CLOCKS):
        return False
    values = evidence.texts(name).drop_nulls()
    return bool(len(values)) and (_numbers(values) is not None or bool(values.str.contains(r"\d[:.]?\d\d").all()))


def holds_times(name: str, evidence: Evidence) -> bool:
    """Whether nearly all of the column's values are times, read without being told how."""
    dtype = field_type(name, evidence.types)
    if dtype is not None and dtype.is_temporal():
        return dtype in (pl.Date, pl.Datetime)
    values = evidence.texts(name).drop_nulls()
    if not len(values):
        return False
    numbers = _numbers(values)
    found = _of_texts((name,), values) if numbers is None else _unit((name,), numbers)
    if isinstance(found, Unread):
        return False
    read = instant(values, found, "UTC")
    return len(read.filter(read.is_not_null() & (read != OUT_OF_RANGE))) >= MOST * len(values)


def _unsure(name: str) -> bool:
    return any(word in name.lower() for word in UNSURE)
