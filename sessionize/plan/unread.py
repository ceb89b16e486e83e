"""Times among the first rows that are not read: what they look like, and what to type for them."""

from __future__ import annotations

import polars as pl

from sessionize import schema
from sessionize.config import TimeFormat
from sessionize.kernel.epochs import OUT_OF_RANGE, PER_SECOND
from sessionize.kernel.normalise import time_text
from sessionize.kernel.texts import TEXTS
from sessionize.kernel.timestamps import MODERN, digits, instant
from sessionize.plan import layouts
from sessionize.plan.clocks import EPOCH_UNITS, NUMBER, Unread, of_the_nineties, quoted
from sessionize.plan.evidence import ROWS, Sample, Types, plain
from sessionize.plan.names import is_named_for_a_date, options_of
from sessionize.plan.times import TIME_OF_DAY


def unread_times(names: tuple[str, ...], time: TimeFormat, types: Types, sample: Sample) -> Unread | None:
    """What to say of times among the first rows that the format does not read, and what to type for them."""
    written, dtype = time_text(names, types)
    if time.kind == "s" and time.guessed and (early := of_the_nineties(names, sample(written, ROWS))) is not None:
        return early
    if time.kind == "datetime" or dtype is None or not (dtype in TEXTS or dtype.is_numeric()):
        return None
    texts = digits(sample(written, ROWS))
    there = texts.filter(texts.str.contains(r"\S"))
    read = instant(there, time, "UTC")
    left = there.filter(read.is_null() | (read == OUT_OF_RANGE))
    if not len(left):
        return None
    name = " + ".join(names)
    said = f"{len(left):,} of the first {len(there):,} times in {name!r} are not read, such as {str(left[0])[:60]!r}"
    if left.str.contains(TIME_OF_DAY).all():
        return Unread(said, "", f"a time of day alone says no date; {_both(names, types)} take both")
    known = (
        () if len(left) == len(there) else tuple(each.name for each in time.formats) or (time.pattern or _kind(time),)
    )
    more = [each for each in _formats(left) if each not in known]
    if not more:
        return Unread(said, "")
    return Unread(said, " ".join(f"--time-format {quoted(each)}" for each in (*known, *more)), _ambiguity(left))


def _both(names: tuple[str, ...], types: Types) -> str:
    """What to type for a time of day and the date beside it, by name where there is one that could be."""
    dates = [each for each in plain(types) if is_named_for_a_date(each) and each not in names]
    if len(dates) == 1:
        return options_of(schema.TIMESTAMP, dates[0], *names)
    return "--timestamp DATE --timestamp TIME"


def _formats(texts: pl.Series) -> list[str]:
    """Formats that read the texts, each of them at least one."""
    numbers = texts.filter(texts.str.contains(NUMBER))
    values = numbers.cast(pl.Float64, strict=False).drop_nulls()
    written = layouts.written_date(numbers) if len(numbers) else None
    units = [] if written else list(dict.fromkeys(_unit_of(float(value)) for value in values))
    iso = instant(texts, TimeFormat(kind="text"), "UTC").is_not_null()
    others = texts.filter(~iso & ~texts.str.contains(NUMBER))
    found = [*units, *([written] if written else []), *(["iso"] if iso.any() else []), *layouts.of_parts(others)]
    return [each for each in found if each]


def _unit_of(value: float) -> str:
    unit = next((unit for bound, unit in EPOCH_UNITS if abs(value) < bound), "ns")
    earliest, latest = (bound / 1_000_000 * PER_SECOND[unit] for bound in MODERN)
    return unit if earliest <= abs(value) <= latest else ""


def _ambiguity(texts: pl.Series) -> str:
    first, *others = layouts.proposed(texts) or [""]
    exchanged = first.translate(str.maketrans("dm", "md"))
    return f"or {exchanged}: day and month could be exchanged" if exchanged in others else ""


def _kind(time: TimeFormat) -> str:
    return "iso" if time.kind == "text" else time.kind
