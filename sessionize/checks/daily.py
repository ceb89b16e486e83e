"""Each day's figures against what they should be: one finding for each kind of figure, which names what is out of bounds.

What they should be was learnt (``check --init``) and stands in ``[check.days]``, or is told by a baseline of nights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from sessionize.checks.bounds import Bound, bound
from sessionize.checks.expected import (
    DAYS,
    Expected,
    Past,
    by_chance,
    expected,
    fewest_sessions,
    kind_among,
    kinds_of,
    shown,
    value_of,
)
from sessionize.checks.findings import Example, Finding, Status
from sessionize.checks.text import listed, sanitize
from sessionize.summary.daily import COUNT, SHARE, Figure, Figures
from sessionize.values import NamedTuple

MEANINGS: Final = {
    "volume": "events, sessions and profiles of a day",
    "null": "share of events without a value, column by column",
    "different": "how many different values a column has in a day",
    "share": "share of each event type, and of each value of a dimension",
    "amount": "mean and spread of the amounts of a day",
    "hours": "at which hours of the day events happen",
    "times": "events of another day, out of order, or with a clock cut short",
    "form": "what ids look like: their length, their letters",
    "repeated": "rows that are there twice, event ids aside",
    "sessions": "rates and sizes of a day's sessions",
    "columns": "columns that the days before had, and this one has not",
}
"""First part of a figure's name → what it is about."""
MOST: Final = 28
"""Nights before that a night is compared with."""
NAMES: Final = {kind: f"daily-{kind}" for kind in MEANINGS}


class Rule(NamedTuple):
    """What a figure may be.

    Attributes:
        warn: What is allowed without a warning.
        error: What is allowed without a failure.
        least: Sessions from which on the bounds hold as they are; of fewer, more is left to chance. Not of a volume.
        seen: What the days before were like, in words; empty where these are not known.
    """

    warn: Bound | None
    error: Bound | None
    least: int = 0
    seen: str = ""


Rules = Mapping[str, Rule]
RulesOf = Callable[[date | None], Rules]
"""What the figures of a day may be."""


class Broken(NamedTuple):
    """A figure that is not what it may be.

    Attributes:
        status: Whether that is a warning or a failure.
        value: The figure.
        allowed: What it may be.
        said: What it is, in words.
        beside: What the days before were, in words.
    """

    status: Status
    value: float
    allowed: Bound
    said: str
    beside: str

    @property
    def line(self) -> str:
        """What it is, and may be."""
        return f"{self.said} (allowed: {self.allowed.text}{self.beside})"


def by_kind(groups: Mapping[str, Rules], day: date | None) -> Rules:
    """Of learnt rules those for a day: of each figure those of the narrowest kind of day that has it."""
    found: dict[str, Rule] = {}
    for kind in kinds_of(day) if day is not None else groups:
        found = {**groups.get(kind, {}), **found}
    return found


def by_past(past: Sequence[Past], day: date | None) -> Rules:
    """Rules made of the days before."""
    kind = kind_among(past, day)
    least = fewest_sessions(past, kind)
    return {name: rule(each, kind, least) for name, each in expected(past, kind).items()}


def rule(each: Expected, kind: str, least: int = 0) -> Rule:
    """What is expected of a figure, as bounds and in words.

    Args:
        each: What is expected.
        kind: The kind of days it was made of.
        least: Sessions from which on the bounds hold as they are.
    """
    low, high = (shown(each.kind, value) for value in each.seen)
    days = kind if each.days > 1 or kind != DAYS else "day"
    seen = f"{each.days} {days} had {low} to {high}"
    return Rule(_bound(each.kind, each.warn), _bound(each.kind, each.error), least, seen)


def _bound(kind: str, ends: tuple[float, float]) -> Bound | None:
    """Rounded to what a person would read; a share that may be all or nothing is open at that end."""
    low, high = ends
    if kind == SHARE:
        text = f"{_percent(low, -0.05) if low > 0 else ''}..{_percent(high, 0.05) if high < 1 else ''}"
        return None if text == ".." else bound(text, "")
    if kind == COUNT:
        return bound(f"{int(low)}..{_rounded(high + 1)}", "")
    return bound(f"{low:.4g}..{high:.4g}", "")


def _percent(share: float, outwards: float) -> str:
    return f"{max(0.0, 100 * share + outwards):.1f}%"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number < 1e15 else f"{number:.6e}"


def judged(
    days: Mapping[date | None, Figures], rules_of: RulesOf, enabled: Callable[[str], bool], most: int,
    there: Collection[str] = (),
) -> Iterator[Finding]:  # fmt: skip
    """A finding for each kind of figure that there are rules of.

    Args:
        days: What is judged: figures by day.
        rules_of: What the figures of a day may be.
        enabled: Whether a check is made.
        most: How many examples are shown.
        there: Columns that the log has, measured or not.
    """
    broken: dict[str, list[Broken]] = {}
    measured: dict[str, Counter[str]] = {}
    for day, figures in days.items():
        for name, each in rules_of(day).items():
            kind = name.partition(".")[0]
            figure = _measured(name, figures, there)
            measured.setdefault(kind, Counter())[name] += figure is not None
            few = kind != "volume" and _sessions(figures) < each.least
            found = () if figure is None else _broken(day, name, figure, each, few=few)
            broken.setdefault(kind, []).extend(found)
    for kind in MEANINGS:
        if kind in measured and enabled(NAMES[kind]):
            yield _finding(kind, broken[kind], measured[kind], most)


def _sessions(figures: Figures) -> float:
    found = figures.get("volume.sessions")
    return 0 if found is None else found.value


def _measured(name: str, figures: Figures, there: Collection[str]) -> Figure | None:
    """A figure; a column that is gone has no value in any event, unless there is no event at all."""
    is_gone = name.startswith("null.") and name.removeprefix("null.") not in there
    if is_gone and name not in figures and "repeated.rows" in figures:
        return Figure(SHARE, 1.0, 1.0)
    return value_of(name, figures)


def _broken(day: date | None, name: str, figure: Figure, rule: Rule, *, few: bool) -> Iterator[Broken]:
    tested: tuple[tuple[Status, Bound | None], ...] = (("failed", rule.error), ("warned", rule.warn))
    for place, (status, allowed) in zip((1, 0), tested, strict=True):
        if allowed is not None and not allowed.holds(figure.value, None):
            if few and _distance(figure, allowed) <= by_chance(figure, _edge(figure, allowed), place):
                continue
            on = "" if day is None else f"{day}: "
            said = f"{on}{said_of(name)} is {shown(figure.kind, figure.value)}"
            yield Broken(status, figure.value, allowed, sanitize(said), f"; {rule.seen}" if rule.seen else "")
            return


def _edge(figure: Figure, allowed: Bound) -> float:
    """The end of what is allowed that a figure is beyond."""
    ends = [float(end.number) for end in (allowed.low, allowed.high) if end is not None]
    return min(ends, key=lambda end: abs(end - figure.value))


def _distance(figure: Figure, allowed: Bound) -> float:
    return abs(figure.value - _edge(figure, allowed))


def said_of(name: str) -> str:
    """What a figure is, in words.

    Examples:
        >>> said_of("null.page"), said_of("volume.events"), said_of("share.device=phone")
        ('share of events without page', 'number of events', 'share of device phone')
    """
    kind, _, rest = name.partition(".")
    words = {
        "volume": f"number of {rest}",
        "null": f"share of events without {rest}",
        "different": f"number of different values of {rest}",
        "share": f"share of {rest.replace('=', ' ', 1)}",
        "amount": f"{rest} of the amounts",
        "hours": f"share of events from {rest} h",
        "times": f"share of events {rest}",
        "form": f"{rest}" if rest.endswith("length") else f"share of {rest}",
        "repeated": "share of rows that are there again",
        "sessions": f"share of sessions that {rest}"
        if rest in {"bounced", "converted"}
        else f"mean {rest} of a session",
    }
    return words.get(kind, name)


def _finding(kind: str, broken: Sequence[Broken], counted: Counter[str], most: int) -> Finding:
    measured = counted.total()
    never = [sanitize(name) for name, number in counted.items() if not number]
    without = f"; never measured{listed(never)}" if never else ""
    if not broken:
        return Finding(
            check=NAMES[kind], meaning=MEANINGS[kind], status="passed" if measured else "not measured", unit="count",
            number=0 if measured else None, base=None, warn=None, error=None,
            said=f"{measured} figures are within their bounds{without}",
        )  # fmt: skip
    worst = sorted(broken, key=lambda each: each.status)  # failures first
    first, more = worst[0], f"; {len(broken) - 1} more" if len(broken) > 1 else ""
    return Finding(
        check=NAMES[kind], meaning=MEANINGS[kind], status=first.status, unit="count", number=first.value, base=None,
        warn=first.allowed if first.status == "warned" else None,
        error=first.allowed if first.status == "failed" else None,
        said=f"{len(broken)} of {measured} figures are out of bounds: {first.said}{first.beside}{more}{without}",
        examples=tuple(Example(each.line) for each in worst[:most]),
    )  # fmt: skip


def before(past: Sequence[Past], day: date | None) -> Sequence[Past]:
    """Of some days those before a day, the last of them; all where the day is not known, or none is before it."""
    earlier = [each for each in past if day is None or each.day is None or each.day < day]
    return (earlier or list(past))[-MOST:]


def columns_gone(there: Mapping[str, str] | None, past: Sequence[Past]) -> Iterator[Finding]:
    """Columns that each of the days before had, and that are gone or of another type; new ones, too.

    Args:
        there: Columns of the log, name → type; None where they are not known.
        past: The days before.
    """
    known = [each.columns for each in past if each.columns]
    if there is None or not known:
        return
    always = {name: dtype for name, dtype in known[-1].items() if all(name in each for each in known)}
    types = {name: {each[name] for each in known} for name in always}
    gone = [f"{sanitize(name)} is missing" for name in always if name not in there]
    gone += [
        f"{sanitize(name)} is {there[name]}, and was {dtype}"
        for name, dtype in always.items()
        if name in there and there[name] not in types[name]
    ]
    new = [f"{sanitize(name)} is new" for name in there if not any(name in each for each in known)]
    status: Status = "failed" if gone else "warned" if new else "passed"
    none = bound(0, "")
    yield Finding(
        check=NAMES["columns"], meaning=MEANINGS["columns"], status=status, unit="count", number=len(gone) + len(new),
        base=None, warn=none, error=none,
        said=f"{len(gone) + len(new)} columns are not those of the days before{listed([*gone, *new])}",
        examples=tuple(map(Example, [*gone, *new])),
    )  # fmt: skip
