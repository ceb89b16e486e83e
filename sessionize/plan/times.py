"""Which column is the time, and how it is written: found by name and by value, or the words that say what to type."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final, cast

import polars as pl

from sessionize import schema
from sessionize.config import TimeFormat, TimeKind
from sessionize.errors import UsageError
from sessionize.kernel.epochs import NUMBERS, OUT_OF_RANGE, PER_SECOND
from sessionize.kernel.normalise import MIDNIGHT, NO_DATE, time_text
from sessionize.kernel.references import field_type
from sessionize.kernel.texts import TEXTS
from sessionize.kernel.time_patterns import compiled
from sessionize.kernel.timestamps import instant
from sessionize.plan import layouts
from sessionize.plan.clocks import A_DAY, Unread, numbers_in, quoted, unit_of
from sessionize.plan.evidence import ROWS, Evidence, Sample, Types, plain
from sessionize.plan.names import (
    is_named_for_a_date,
    is_named_for_a_duration,
    is_named_for_a_time,
    options_of,
    usual_role,
)
from sessionize.values import NamedTuple

TIME_OF_DAY: Final = rf"(?:{NO_DATE}|^)\s*\d{{1,2}}:\d\d(:\d\d([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?|Z|[+-]\d\d:?\d\d)?\s*$"
A_DATE: Final = rf"^\s*(?:\d{{4}}-\d\d-\d\d(?:\s*$|{MIDNIGHT})|\d{{1,4}}[./]\d{{1,2}}[./]\d{{2,4}}\s*$)"
MOST: Final = 0.95
"""Share of a column's values that has to be read, where nothing but its values and the end of its name speaks for it."""
CLOCKS: Final = (pl.Time, pl.Duration)
"""Types of a time of day: pandas reads MySQL's TIME as a duration."""
FIRST: Final = 32
"""Texts among which one time is enough to know that there are any."""
SECONDS: Final = ("seconds", "secs", "sec")
"""Beside the nanoseconds, as Firestore and Protocol Buffers write times."""
_TIME: Final = "time"
UNSURE: Final = (
    "received", "sent", "updated", "modified", "ended", "end", "loaded", "etl", "expires", "processed", "due", "birth",
    "signup", "last_", "dropoff",
)  # fmt: skip
"""Words in names of times that are seldom an event's own: these are proposed last."""


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
    if given in NUMBERS:
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
        hint="for example '%d/%m/%Y %H:%M:%S', or iso, s, ms, us, ns, windows, webkit, dotnet, apple, excel",
    )


def time_format(given: Sequence[str], names: tuple[str, ...], types: Types, sample: Sample) -> TimeFormat | Unread:
    """How the times are written, as given or found in the first rows; or why that cannot be said."""
    written, dtype = time_text(names, types)
    if dtype is not None and dtype.is_temporal() and dtype != pl.Time:
        return TimeFormat(kind="datetime")
    if given:
        return given_formats(given)
    if dtype == pl.Null:  # there is no time, or no row, to tell: as in a text whose field is empty in each line
        return TimeFormat(kind="text")
    if dtype is None or not (dtype in TEXTS or dtype.is_numeric() or dtype == pl.Time):
        raise UsageError(
            f"column {' + '.join(names)!r} cannot be the timestamp: it holds {dtype}",
            hint="another column: --timestamp COLUMN",
        )
    values = sample(written, ROWS)
    numbers = numbers_in(values)
    return _of_texts(names, values.cast(pl.String)) if numbers is None else unit_of(names, numbers)


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
    return inside(names[0], keys, f": {first[:60]}")


def inside(name: str, fields: Sequence[str], shown: str = "") -> Unread | None:
    """What to type for a column of objects with these fields, one of which is the time, or the seconds of it."""
    named = [each for each in fields if is_named_for_a_time(each) or each.strip("_").lower() in SECONDS]
    field = next(iter(named or fields), None) if named or len(fields) == 1 else None
    if field is None:
        return None
    return Unread(f"the times in {name!r} are objects{shown}", options_of(schema.TIMESTAMP, f"{name}.{field}"))


def apart(name: str, evidence: Evidence) -> TimeColumns | None:
    """The date and the time of day that are one time together, where the column holds but the latter."""
    if not is_time_of_day(name, evidence):
        return None
    named = [
        each for each in plain(evidence.types) if is_named_for_a_date(each) or usual_role(each) == schema.TIMESTAMP
    ]
    dates = [each for each in named if is_date(each, evidence)]
    return TimeColumns((dates[0], name)) if len(dates) == 1 else None


def clock_of_two(names: Sequence[str], evidence: Evidence) -> str | None:
    """Of a date and a time of day, each named for a time, the latter; None where two columns are not these."""
    days = [name for name in names if is_date(name, evidence)]
    clocks = [name for name in names if is_time_of_day(name, evidence)]
    return clocks[0] if len(names) == 2 and len(days) == len(clocks) == 1 else None


def is_time_of_day(name: str, evidence: Evidence) -> bool:
    """Whether the column's values are times of day without a date."""
    dtype = field_type(name, evidence.types)
    return dtype == pl.Time or (
        (dtype in TEXTS or isinstance(dtype, (pl.Duration, pl.Datetime)))
        and _all_look_like(TIME_OF_DAY, name, evidence)
    )


def is_date(name: str, evidence: Evidence) -> bool:
    """Whether the column's values are dates without a time of day."""
    dtype = field_type(name, evidence.types)
    return dtype == pl.Date or (
        (dtype in TEXTS or isinstance(dtype, pl.Datetime)) and _all_look_like(A_DATE, name, evidence)
    )


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
    if _unsure(name) or evidence.types[name].is_numeric() or is_date(name, evidence) or _is_duration(name, evidence):
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
    numbers = numbers_in(values)
    if numbers is not None:
        found = unit_of((name,), numbers)
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
    if _is_duration(name, evidence):
        return False
    values = evidence.texts(name).drop_nulls()
    return bool(len(values)) and (numbers_in(values) is not None or bool(values.str.contains(r"\d[:.]?\d\d").all()))


def _is_duration(name: str, evidence: Evidence) -> bool:
    """Whether a column has the name of how long something took, and numbers that are no longer than a day."""
    if not is_named_for_a_duration(name):
        return False
    numbers = numbers_in(evidence.texts(name).drop_nulls())
    longest = None if numbers is None else numbers.cast(pl.Float64, strict=False).max()
    return isinstance(longest, float) and longest <= A_DAY * PER_SECOND["ms"]


def holds_times(name: str, evidence: Evidence) -> bool:
    """Whether nearly all of the column's values are times, read without being told how."""
    dtype = field_type(name, evidence.types)
    if dtype is not None and dtype.is_temporal():
        return dtype in (pl.Date, pl.Datetime)
    values = evidence.texts(name).drop_nulls()
    if not len(values):
        return False
    numbers = numbers_in(values)
    found = _of_texts((name,), values) if numbers is None else unit_of((name,), numbers)
    if isinstance(found, Unread):
        return False
    read = instant(values, found, "UTC")
    return len(read.filter(read.is_not_null() & (read != OUT_OF_RANGE))) >= MOST * len(values)


def _unsure(name: str) -> bool:
    return any(word in name.lower() for word in UNSURE)
