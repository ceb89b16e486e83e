"""Figures of a day: what it measured, and on how much each figure rests. A manifest keeps them; checks compare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sessionize import schema
from sessionize.values import NamedTuple

COUNT: Final = "count"
SHARE: Final = "share"
MEAN: Final = "mean"
FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "volume": ("volume.events", "volume.sessions", "volume.profiles"),
    "amount": ("amount.mean", "amount.deviation"),
    "hours": tuple(f"hours.{start:02}-{start + 3:02}" for start in range(0, 24, 3)),
    "times": ("times.on another day", "times.out of order", "times.at second 0", "times.at midnight"),
    "repeated": ("repeated.rows",),
    "sessions": (
        "sessions.bounced", "sessions.converted", "sessions.events", "sessions.page views", "sessions.log of duration",
    ),
}  # fmt: skip
"""First part of a name → all names that begin so, where these are the same for each log."""


class Figure(NamedTuple):
    """One figure of a day.

    Attributes:
        kind: COUNT, SHARE or MEAN: how it varies by chance.
        value: The figure.
        of: How many independent things it rests on: sessions, mostly, as events come in sessions.
        deviation: Standard deviation of what a MEAN is the mean of; 0 for the other kinds.
    """

    kind: str
    value: float
    of: float
    deviation: float = 0.0

    @property
    def written(self) -> dict[str, Any]:
        """The figure as JSON has it: ``{"share": 0.25, "of": 3000}``."""
        found = {self.kind: _short(self.value), "of": _short(self.of)}
        return found | {"deviation": _short(self.deviation)} if self.kind == MEAN else found


Figures = Mapping[str, Figure]
"""Name → figure; the part of the name before the first dot says what kind of thing it is: ``null.page``."""


def column_of(name: str) -> str:
    """What a column is called, however it is carried: as a property, a trait or a dimension.

    Examples:
        >>> column_of("property.device"), column_of("own.device"), column_of("page")
        ('device', 'device', 'page')
    """
    for prefix in (schema.PROPERTY_PREFIX, schema.TRAIT_PREFIX, schema.OWN_PREFIX):
        name = name.removeprefix(prefix)
    return name


def called(figure: str) -> str:
    """The name of a figure, as it is called now: older ones say how its column was carried.

    Examples:
        >>> called("null.property.device"), called("share.event_type=click")
        ('null.device', 'share.event_type=click')
    """
    kind, _, name = figure.partition(".")
    return f"{kind}.{column_of(name)}" if kind in ("null", "different") else figure


def _short(number: float) -> float:
    """Six digits: more would be noise, and another order of adding up would change them."""
    short = float(f"{number:.6g}")
    return int(short) if short.is_integer() else short


def written(figures: Figures) -> dict[str, Any]:
    """Figures as JSON has them."""
    return {name: figure.written for name, figure in figures.items()}


def read(data: Any) -> dict[str, Figure]:
    """Figures from JSON; what is none is left out.

    Examples:
        >>> read({"null.page": {"share": 0.25, "of": 3000}})["null.page"].value
        0.25
    """
    found = {}
    for name, each in data.items() if isinstance(data, Mapping) else ():
        kinds = [kind for kind in (COUNT, SHARE, MEAN) if isinstance(each, Mapping) and kind in each]
        numbers = [each.get(key, 0.0) for key in (*kinds, "of", "deviation")] if kinds else ["none"]
        if all(isinstance(number, int | float) for number in numbers):
            found[called(str(name))] = Figure(kinds[0], *map(float, numbers))
    return found
