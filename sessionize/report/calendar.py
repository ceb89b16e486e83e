"""Sections about when sessions start: over time, and over the week."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sessionize.readable import number, share
from sessionize.report.parts import Bar, Columns, Figure, Heat, Section, Table

Data = Mapping[str, Any]
MOST_COLUMNS: Final = 92
"""Of a chart over time: a quarter's days."""
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def over_time(data: Data, facts: Data) -> Section:
    """Sessions by the day, week, month or year in which they start.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    days = {date.fromisoformat(row["day"]): row["sessions"] for row in data["per_day"]}
    unit, spans = _spans(days)
    most = max(spans, key=lambda span: spans[span])
    width = 1 / len(spans)
    bars = [
        Bar(
            value=many,
            says=f"{_named(span, unit)}: {number(many)} sessions",
            start=place * width,
            end=(place + 1) * width,
        )
        for place, (span, many) in enumerate(spans.items())
    ]
    says = (
        f"{number(data['sessions'])} sessions from {_named(min(spans), unit)} to {_named(max(spans), unit)}; "
        f"the most in a {unit}, {number(spans[most])}, {_named(most, unit)}."
    )
    rows = [(_named(span, unit), number(many), share(many / data["sessions"])) for span, many in spans.items()]
    figure = Figure(
        title=f"Sessions a {unit}", says=says, chart=Columns(bars=bars, marks=_time_marks(list(spans), unit)),
        table=Table(caption=f"Sessions a {unit}", head=(unit, "sessions", "share"), rows=rows),
    )  # fmt: skip
    meaning = f"How many sessions start in each {unit}, in the time zone {facts['timezone']}. The first and the last may be cut short."
    return Section(name="time", title="Over time", meaning=meaning, parts=[figure])


def _spans(days: Mapping[date, int]) -> tuple[str, dict[date, int]]:
    """Sessions by the first day of the shortest unit of time of which there are not too many."""
    first, last = min(days), max(days)
    for unit in ("day", "week", "month", "year"):
        sums: dict[date, int] = {}
        span, end = _begin(first, unit), _begin(last, unit)
        while span < end and len(sums) < MOST_COLUMNS - 1:
            sums[span] = 0
            span = _next(span, unit)
        sums[span] = 0
        if span == end:
            break
    else:
        unit, sums = "year", {}
    for day, many in days.items():
        sums[_begin(day, unit)] = sums.get(_begin(day, unit), 0) + many
    return unit, dict(sorted(sums.items()))


def _begin(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day if unit == "day" else day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _next(span: date, unit: str) -> date:
    if unit in ("day", "week"):
        return span + timedelta(days=1 if unit == "day" else 7)
    return _begin(span + timedelta(days=32 if unit == "month" else 370), unit)


def _named(span: date, unit: str) -> str:
    if unit == "day":
        return f"{WEEKDAYS[span.weekday()]} {span.day} {span:%b} {span.year:04}"
    if unit == "week":
        return f"week of {span.day} {span:%b} {span.year:04}"
    year = f"{span.year:04}"
    return f"{span:%b} {year}" if unit == "month" else year


def _time_marks(spans: Sequence[date], unit: str) -> list[tuple[float, str]]:
    """At most five dates, evenly apart, the first one among them."""
    step = max(1, math.ceil(len(spans) / 5))
    width = 1 / len(spans)
    return [
        (
            (place + 0.5) * width,
            _named(spans[place], unit) if unit in ("month", "year") else f"{spans[place].day} {spans[place]:%b}",
        )
        for place in range(0, len(spans), step)
    ]


def hours(data: Data, facts: Data) -> Section:
    """Sessions by weekday and hour.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    there = {(row["weekday"] - 1, row["hour"]): row["sessions"] for row in data["weekly"]}
    values = [[there.get((day, hour), 0) for hour in range(24)] for day in range(7)]
    says = [
        [f"{name} {hour:02}:00 to {hour:02}:59: {number(values[day][hour])} sessions" for hour in range(24)]
        for day, name in enumerate(WEEKDAYS)
    ]
    day, hour = max(there, key=lambda each: (there[each], -each[0], -each[1]))
    rows = [(f"{hour:02}:00", *(number(values[day][hour]) for day in range(7))) for hour in range(24)]
    rows.append(("all", *(number(sum(values[day])) for day in range(7))))
    figure = Figure(
        title="Sessions by weekday and hour",
        says=f"The most sessions start on {WEEKDAYS[day]} from {hour:02}:00 to {hour:02}:59: {number(there[day, hour])}.",
        chart=Heat(rows=WEEKDAYS, columns=[f"{hour:02}" if hour % 3 == 0 else "" for hour in range(24)], values=values, says=says),
        table=Table(caption="Sessions by hour and weekday", head=("hour", *WEEKDAYS), rows=rows, total=True),
    )  # fmt: skip
    meaning = (
        f"When in the week sessions start, in the time zone {facts['timezone']}: the stronger the colour, the more."
    )
    return Section(name="hours", title="Hour and weekday", meaning=meaning, parts=[figure])
