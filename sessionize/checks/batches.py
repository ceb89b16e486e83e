"""Which batch, or day, a log or a run is of: by the folders and names of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import PurePath
from typing import Final

from sessionize.checks.days import days_of_folders
from sessionize.checks.settings import Custom
from sessionize.checks.text import listed
from sessionize.config import BATCH_NAME
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.read.hive import partitions

BATCH: Final = "batch"
ISO_DATE: Final = pattern(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
DATE: Final = pattern(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?!\d)")
PLACEHOLDER: Final = pattern(r"\{(batch|date)\}")


def named_days(paths: Iterable[str]) -> list[dict[str, str | None]]:
    """The day in each file's name, by the rest of it; none where most of the days do not follow each other.

    Examples:
        >>> named_days(["logs/web-2024-05-30.csv", "logs/web-2024-05-31.csv", "logs/notes.csv"])
        [{'web-*.csv': '2024-05-30'}, {'web-*.csv': '2024-05-31'}, {}]
    """
    found = [_by_name(path) for path in paths]
    steps = [(later - earlier).days for earlier, later in pairwise(_days(found))]
    return found if steps and 2 * steps.count(1) >= len(steps) else [{} for _ in found]


def why_none_is_missing(paths: Iterable[str]) -> str:
    """Why the names of files do not tell which day is missing.

    Examples:
        >>> why_none_is_missing(["logs/2024-05-27.csv", "logs/2024-05-29.csv"])
        'most of the days that files are named for do not follow each other: 2024-05-27, 2024-05-29'
    """
    days = [day.isoformat() for day in _days(map(_by_name, paths))]
    if len(days) == 1:
        return f"the files are named for one day, {days[0]}"
    if days:
        return f"most of the days that files are named for do not follow each other{listed(days)}"
    return "no folders named for days, such as day=2024-05-30, and no files, such as 2024-05-30.csv"


def _days(named: Iterable[Mapping[str, str | None]]) -> list[date]:
    return sorted({day for each in named for text in each.values() if (day := _day(text)) is not None})


def _day(text: str | None) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text or "")
    return None


def day_of(path: str) -> date | None:
    """The day that a file is named for, or a folder it lies in.

    Examples:
        >>> str(day_of("logs/web-20240530.csv")), str(day_of("logs/day=2024-05-30/1.csv")), day_of("logs/web.csv")
        ('2024-05-30', '2024-05-30', None)
    """
    named = dict(days_of_folders(partitions(path)))
    if named:
        return next(iter(named.values()))
    found = DATE.search(PurePath(path).name)
    return None if found is None else _day("-".join(found.groups()))


def _by_name(path: str) -> dict[str, str | None]:
    name = PurePath(path).name
    found = ISO_DATE.findall(name)
    return {ISO_DATE.sub("*", name): found[0]} if len(found) == 1 else {}


def filled_in(customs: Iterable[Custom], places: Iterable[str]) -> tuple[Custom, ...]:
    """Queries with the name of the batch in place of ``{batch}``, and its day in place of ``{date}``.

    Args:
        customs: Checks of the user's own.
        places: Directories of the runs, or paths of the log's files.

    Raises:
        UsageError: If a query asks for what the places do not name, or several.
    """
    customs, places = tuple(customs), tuple(places)
    if not any(PLACEHOLDER.search(custom.sql) for custom in customs):
        return customs
    return tuple(_filled(custom, _names(places)) for custom in customs)


def _names(places: Iterable[str]) -> Mapping[str, set[str]]:
    names: dict[str, set[str]] = {"batch": set(), "date": set()}
    for place in places:
        batch = partitions(f"{place}/-").get(BATCH) or ""
        if BATCH_NAME.fullmatch(batch):
            names["batch"].add(batch)
        day = DATE.search(batch or PurePath(place).name)
        if day is not None:
            names["date"].add("-".join(day.groups()))
    names["batch"] = names["batch"] or names["date"]
    return names


def _filled(custom: Custom, names: Mapping[str, set[str]]) -> Custom:
    def value(match: re.Match[str]) -> str:
        found = names[match[1]]
        if len(found) != 1:
            there = "none" if not found else f"several: {', '.join(sorted(found)[:5])}"
            raise UsageError(
                f"[[check.custom]] {custom.name!r}: {match[0]} is the one that the input is named for, and it names {there}",
                hint="check one night's output, such as out/batch=2024-05-30, or a file that is named for its day",
            )
        return next(iter(found))

    return replace(custom, sql=PLACEHOLDER.sub(value, custom.sql))
