"""Whether a line holds names or values, and names for the fields of a log that says none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from sessionize.patterns import pattern

MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
TIME: Final = pattern(
    rf"(?ix) \W{{0,2}} (?: [0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}} | [0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.][0-9]{{2,4}}"
    rf" | [0-9]{{1,2}}[-/\ ]{MONTH}[-/\ ,]+[0-9]{{2,4}} | (?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\ )?{MONTH}\ [0-9]{{1,2}}"
    r" | [0-9]{8}[-T\ ][0-9]{1,2} | [0-9]{8,19}(?:\.[0-9]*)?\s*$ | [0-9](?:\.[0-9]+)?e\+?[0-9]{1,2}\s*$ )"
)
"""What begins like a time, or is as large as one."""
TIME_OF_DAY: Final = pattern(r"\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
NUMBER: Final = pattern(r"\s*[+-]?[0-9]+(?:[.,][0-9]+)?\s*")
ADDRESS: Final = pattern(r"\s*(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){3,7})\s*")
FRACTION: Final = pattern(r"[^0-9\s]")
"""What stands in a number that is not whole, and in a date; large whole numbers may be ids."""
ID: Final = pattern(r"\s*(?=\S*[0-9@])(?=\S*[A-Za-z])[\w.@:-]+\s*")
"""What is an id beyond doubt, and no status, size or word: where an address is there, which can tell visitors apart."""
UUID: Final = pattern(r"\s*[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\s*")
PAGE: Final = pattern(r"\s*(?:/|https?://).*")
VALUES: Final = (UUID, ADDRESS, PAGE, NUMBER)


def is_data(fields: Sequence[str], rows: Sequence[Sequence[str]], *, has_known_name: bool) -> bool:
    """Whether a first line is a row and no header.

    Args:
        fields: Fields of the line.
        rows: The fields of those below.
        has_known_name: Whether one of its fields is a usual name of a column.

    Examples:
        >>> is_data(["u1", "2024-05-30 10:00:00"], [["u1", "2024-05-30 10:05:00"]], has_known_name=False)
        True
        >>> is_data(["product", "2024-05-30"], [["shoes", "12"]], has_known_name=False)
        False
    """
    times = [place for place, field in enumerate(fields) if _is_time(field)]
    if rows and any(_is_time(field) for place in times for field in _at(rows[:1], place)):
        return True
    if has_known_name:
        return False
    if not rows:
        return bool(times)
    return any(
        kind.fullmatch(field) and all(kind.fullmatch(other) for other in _at(rows[:3], place))
        for place, field in enumerate(fields)
        for kind in VALUES
        if _at(rows[:3], place) and not _may_name(field, place)
    )


def _may_name(field: str, place: int) -> bool:
    """Whether a number may be a column's name: its place, as data frames without names have it, or a year."""
    return field.strip() in {str(place), str(place + 1)} or re.fullmatch(r"\s*(19|20)[0-9]{2}\s*", field) is not None


def _is_time(field: str) -> bool:
    return (TIME.match(field) or TIME_OF_DAY.match(field)) is not None and not ADDRESS.fullmatch(field)


def _at(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if len(row) > place and row[place].strip()]


def likely_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names for the fields of some rows: those by which the time, the page and the profile are found.

    Examples:
        >>> likely_names([["7", "u1", "1357718725941", "/a"], ["8", "u1", "1357718871442", "/b"]])
        ['column_1', 'user_id', 'timestamp', 'page']
        >>> likely_names([["1717063200.5", "10.1.0.1", "0.002", "200"], ["1717063260.5", "10.1.0.2", "0.001", "200"]])
        ['timestamp', 'ip', 'column_3', 'column_4']
    """
    columns = [_at(rows, place) for place in range(len(rows[0]))]
    names: dict[int, str] = {}
    _name(names, columns, "timestamp", lambda field: TIME.match(field) is not None and not ADDRESS.fullmatch(field))
    _name(names, columns, "time", lambda field: TIME_OF_DAY.match(field) is not None)
    if "time" in names.values():
        names = {place: "date" if name == "timestamp" else name for place, name in names.items()}
    _name(names, columns, "page", lambda field: PAGE.fullmatch(field) is not None)
    _name(names, columns, "ip", lambda field: ADDRESS.fullmatch(field) is not None)
    free = [place for place in range(len(columns)) if place not in names]
    addresses = [place for place, name in names.items() if name == "ip"]
    keys = [place for place in free if not _is_measure(columns[place])]
    keys = [place for place in keys if not addresses or all(map(ID.fullmatch, columns[place]))] if free else addresses
    if keys:
        # Logs have it on the left; how often values repeat tells visitors from sites only in a larger sample.
        names[next((place for place in keys if _is_key(columns[place])), keys[0])] = "user_id"
    return [names.get(place, f"column_{place + 1}") for place in range(len(columns))]


def _name(names: dict[int, str], columns: Sequence[Sequence[str]], name: str, fits: Callable[[str], bool]) -> None:
    """Name the first column that has no name yet and whose values all fit."""
    for place, values in enumerate(columns):
        if place not in names and values and all(map(fits, values)):
            names[place] = name
            return


def _is_measure(values: Sequence[str]) -> bool:
    """Whether values are amounts or dates, or there are none: no profile's id is written so."""
    fractions = all(map(NUMBER.fullmatch, values)) and any(map(FRACTION.search, values))
    dates = all(TIME.match(value) and FRACTION.search(value) for value in values) or all(map(TIME_OF_DAY.match, values))
    return not values or fractions or dates


def _is_key(values: Sequence[str]) -> bool:
    """Whether values may tell visitors apart: they are there, and neither number the rows nor differ in each as an id."""
    different = len(set(values)) == len(values) > 1
    numbers = [float(value.replace(",", ".")) for value in values if NUMBER.fullmatch(value)]
    counts_up = len(numbers) == len(values) and numbers == sorted(numbers)
    return bool(values) and not (different and (counts_up or all(map(UUID.fullmatch, values))))
