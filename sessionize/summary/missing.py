"""Days, weeks and months in which no session starts: a table over time has them, as a chart over time does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

LONGEST: Final = 92
"""Days, weeks or months that are filled in between two: what is apart by more than a quarter's days is of a stray clock."""


def _day(name: str) -> date:
    return date.fromisoformat(name)


def _week(name: str) -> date:
    year, week = name.split("-W")
    return date.fromisocalendar(int(year), int(week), 1)


def _month(name: str) -> date:
    return date.fromisoformat(f"{name}-01")


BEGINS: Final[Mapping[str, Callable[[str], date]]] = {"day": _day, "week": _week, "month": _month}
"""Part of time → the first day of one, by its name."""


def filled(names: Sequence[str], unit: str | None) -> list[str]:
    """Names of parts of time in order, with those that are missing between them.

    Args:
        names: Names in order.
        unit: What they are of; of any but day, week and month nothing is missing.

    Examples:
        >>> filled(["2024-02-28", "2024-03-01"], "day")
        ['2024-02-28', '2024-02-29', '2024-03-01']
        >>> filled(["2020-W53", "2021-W02"], "week"), filled(["2023-11", "2024-01"], "month")
        (['2020-W53', '2021-W01', '2021-W02'], ['2023-11', '2023-12', '2024-01'])
    """
    if unit is None or unit not in BEGINS:
        return list(names)
    found: list[str] = []
    for name in names:
        if found:
            found += _between(found[-1], name, unit)
        found.append(name)
    return found


def _between(first: str, last: str, unit: str) -> list[str]:
    """Names of what lies between two; none where that is too much."""
    try:
        begin, end = BEGINS[unit](first), BEGINS[unit](last)
    except ValueError:  # a column that is called so
        return []
    found: list[str] = []
    while len(found) <= LONGEST:
        begin = _next(begin, unit)
        if begin >= end:
            return found
        found.append(_name(begin, unit))
    return []


def _name(begin: date, unit: str) -> str:
    if unit == "week":
        year, week, _ = begin.isocalendar()
        return f"{year:04}-W{week:02}"
    return begin.isoformat() if unit == "day" else begin.isoformat()[:7]


def _next(begin: date, unit: str) -> date:
    if unit == "month":
        return (begin + timedelta(days=31)).replace(day=1)
    return begin + timedelta(days=1 if unit == "day" else 7)
