"""What a day's figures should be like, by the days before it: the middle of them, give or take their spread.

A figure is allowed ``middle ± (K · deviation + slack)``. The deviation is what days like it differ by, and never less than
what chance alone makes of so few sessions; the slack is what nobody would act on. Numbers of things are compared by
their logarithms: half and double are equally far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Final

from sessionize.summary.daily import COUNT, MEAN, SHARE, Figure, Figures
from sessionize.values import NamedTuple

K: Final = (4.0, 10.0)
"""Deviations until a warning, and until a failure."""
SLACK: Final = {COUNT: (0.10, 0.25), SHARE: (0.01, 0.05), MEAN: (0.05, 0.20)}
"""Of a count in its logarithm, of a share as it is, of a mean as a part of it; for a warning, for a failure."""
SMALL: Final = 0.002
"""Slack of a share of nothing, for a warning."""
ENOUGH: Final = 4
"""So many days of a kind are needed to be compared with."""
FEWEST: Final = 3
"""Days before which nothing is said of a spread: then it is taken to be GUESSED."""
FEW_VALUES: Final = 20
"""How many different values there are says nothing, where there are fewer: the share of each is better followed."""
GUESSED: Final = {COUNT: 0.25, SHARE: 0.03, MEAN: 0.10}
WEEKEND: Final = 5
WEEKDAYS: Final = ("mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays")
DAYS: Final = "days"
OUTLIERS: Final = 10
"""One in so many of the days before may be odd itself, and is left out of their spread."""


class Past(NamedTuple):
    """A day before.

    Attributes:
        day: Which day; None where it is not known.
        figures: What it measured.
        columns: Columns of its log, name → type; None where they are not known.
    """

    day: date | None
    figures: Figures
    columns: Mapping[str, str] | None = None


class Expected(NamedTuple):
    """What a figure should be.

    Attributes:
        kind: COUNT, SHARE or MEAN.
        warn: The least and the most without a warning.
        error: The least and the most without a failure.
        seen: The least and the most of the days before.
        days: How many these were.
    """

    kind: str
    warn: tuple[float, float]
    error: tuple[float, float]
    seen: tuple[float, float]
    days: int


def kinds_of(day: date | None) -> tuple[str, ...]:
    """Kinds of days that a day is of, the narrowest first.

    Examples:
        >>> kinds_of(date(2024, 5, 4))
        ('saturdays', 'weekends', 'days')
    """
    if day is None:
        return (DAYS,)
    return (WEEKDAYS[day.weekday()], "weekends" if day.weekday() >= WEEKEND else "weekdays", DAYS)


def kind_among(past: Sequence[Past], day: date | None) -> str:
    """The narrowest kind of a day of which there are ENOUGH days before it."""
    return next((kind for kind in kinds_of(day) if _number(past, kind) >= ENOUGH), DAYS)


def _number(past: Sequence[Past], kind: str) -> int:
    return sum(kind in kinds_of(each.day) for each in past)


def expected(past: Sequence[Past], kind: str) -> dict[str, Expected]:
    """What each figure should be on a day of a kind.

    Args:
        past: The days before.
        kind: A kind that some of them are of.
    """
    names = dict.fromkeys(name for each in past for name in each.figures)
    found = {name: _expected(name, past, kind) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _expected(name: str, past: Sequence[Past], kind: str) -> Expected | None:
    known = [(each.day, figure) for each in past if (figure := value_of(name, each.figures)) is not None]
    mine = [figure for day, figure in known if kind in kinds_of(day)]
    if not mine or 2 * len(mine) < _number(past, kind):
        return None
    if name.startswith("different.") and median(figure.of for figure in mine) < FEW_VALUES:
        return None
    middle = median(map(_scaled, mine))
    deviation = _deviation([(kind_among(past, day), figure) for day, figure in known], mine)
    warn, error = (_around(mine[0].kind, middle, deviation, place) for place in (0, 1))
    values = [figure.value for figure in mine]
    return Expected(mine[0].kind, warn, error, (min(values), max(values)), len(mine))


def fewest_sessions(past: Sequence[Past], kind: str) -> int:
    """Half of the sessions that are usual: of a day of fewer, more is left to chance."""
    number = [
        figure.value for each in past if kind in kinds_of(each.day) and (figure := each.figures.get("volume.sessions"))
    ]
    return int(median(number) / 2) if number else 0


def value_of(name: str, figures: Figures) -> Figure | None:
    """A figure; 0 for the share of a value that did not occur, where others of its column did; None where there is none."""
    if name in figures or not name.startswith("share."):
        return figures.get(name)
    column = name.partition("=")[0] + "="
    beside = next((figure for each, figure in figures.items() if each.startswith(column)), None)
    return None if beside is None else Figure(SHARE, 0.0, beside.of)


def _deviation(there: Iterable[tuple[str, Figure]], mine: Sequence[Figure]) -> float:
    """What a day differs by from the middle of its kind: over all days, as there are few of each kind."""
    by_kind: dict[str, list[float]] = {}
    for kind, figure in there:
        by_kind.setdefault(kind, []).append(_scaled(figure))
    apart = sorted(abs(value - median(values)) for values in by_kind.values() for value in values)
    chance = math.sqrt(_variance(mine))
    if len(apart) < FEWEST:
        return max(chance, _guessed(mine))
    kept = apart[: len(apart) - math.ceil(len(apart) / OUTLIERS)] if len(apart) > FEWEST else apart
    spread = 1.3 * math.sqrt(sum(each * each for each in kept) / len(kept))
    return max(spread, chance) * (1 + 1 / len(apart))


def _guessed(mine: Sequence[Figure]) -> float:
    kind = mine[0].kind
    part = abs(median(map(_scaled, mine))) if kind == MEAN else 1.0
    return GUESSED[kind] * part


def _scaled(figure: Figure) -> float:
    return math.log(max(figure.value, 0.5)) if figure.kind == COUNT else figure.value


def _variance(mine: Sequence[Figure]) -> float:
    """What chance alone makes of so few as one of these days rests on."""
    kind, number = mine[0].kind, max(median(figure.of for figure in mine), 1.0)
    if kind == COUNT:
        return 1 / number
    if kind == MEAN:
        return median(figure.deviation for figure in mine) ** 2 / number
    # One more that has it and one that has not: what never was in a few days may still be.
    whole = sum(figure.of for figure in mine)
    share = (sum(figure.value * figure.of for figure in mine) + 1) / (whole + 2)
    return share * (1 - share) / number


def by_chance(figure: Figure, edge: float, place: int) -> float:
    """How far a figure of few sessions may be beyond what is allowed, by chance alone.

    Args:
        figure: The figure.
        edge: What is allowed.
        place: 0 for a warning, 1 for a failure.
    """
    if figure.kind == COUNT:
        return math.inf
    number = max(figure.of, 1.0)
    if figure.kind == MEAN:
        return K[place] * figure.deviation / math.sqrt(number)
    share = (min(max(edge, 0.0), 1.0) * number + 1) / (number + 2)
    return K[place] * math.sqrt(share * (1 - share) / number)


def _around(kind: str, middle: float, deviation: float, place: int) -> tuple[float, float]:
    slack = SLACK[kind][place] * (abs(middle) if kind == MEAN else 1.0)
    if kind == SHARE and place == 0:
        slack = min(slack, SMALL + slack * 5 * middle)  # one in fifty less is much of a share of one in twenty-five
    least, most = middle - K[place] * deviation - slack, middle + K[place] * deviation + slack
    if kind == COUNT:
        return _at_least_one(math.exp(least), middle), math.exp(min(most, 700.0))
    return (max(0.0, least), min(1.0, most)) if kind == SHARE else (least, most)


def _at_least_one(least: float, middle: float) -> float:
    """Nothing at all is never within what is allowed of something."""
    return max(least, 1.0) if middle >= 0 else 0.0


def shown(kind: str, value: float) -> str:
    """A figure for a reader.

    Examples:
        >>> shown(COUNT, 17020), shown(SHARE, 0.0123), shown(MEAN, 4.5678)
        ('17,020', '1.23 %', '4.568')
    """
    if kind == SHARE:
        return f"{value:.2%}".replace("%", " %")
    return f"{value:,.0f}" if kind == COUNT else f"{value:,.4g}"
