"""Bounds: a number, a percentage or a range, as they stand in a configuration; compared exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.values import dataclass

NUMBER: Final = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
EDGE: Final = pattern(rf"\s*({NUMBER})\s*(%?)\s*")
HINT: Final = 'a number, a percentage or a range, such as "0", "0.5%", "10%..60%", "..100" or "none"'


@dataclass(frozen=True)
class Edge:
    """One end of what is allowed.

    Attributes:
        number: The number as written; for a percentage, the share.
        is_share: Whether it is compared with the share, or with the number itself.
    """

    number: Fraction
    is_share: bool


@dataclass(frozen=True)
class Bound:
    """What is allowed, its ends included.

    Attributes:
        text: The bound as written.
        low: The least that is allowed; None for any.
        high: The most that is allowed; None for any.
    """

    text: str
    low: Edge | None
    high: Edge | None

    def holds(self, number: float, base: float | None) -> bool:
        """Whether a number is allowed.

        Args:
            number: The number that was measured.
            base: The number that it is a part of; None where it is no part of anything, and its share is itself.
        """
        exact = Fraction(number)
        share = exact if base is None else exact / Fraction(base) if base else Fraction(0)

        def value(edge: Edge) -> Fraction:
            return share if edge.is_share else exact

        return (self.low is None or value(self.low) >= self.low.number) and (
            self.high is None or value(self.high) <= self.high.number
        )


def bound(written: object, where: str) -> Bound | None:
    """A bound from a configuration; None for ``none``.

    Args:
        written: A number or a text.
        where: Place of the bound in the configuration, for the error.

    Examples:
        >>> bound("0.5%", "").holds(1, 200), bound("0.5%", "").holds(2, 200), bound("10%..60%", "").holds(5, 100)
        (True, False, False)
    """
    text = str(written).strip()
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        raise UsageError(f"{where}: {written!r} is no bound", hint=HINT)
    if text.lower() == "none":
        return None
    low, dots, high = text.partition("..")
    if not dots:
        return Bound(text, None, _edge(text, where))
    if not low.strip() and not high.strip():
        raise UsageError(f"{where}: {text!r} is no bound", hint=HINT)
    found = Bound(text, _edge(low, where) if low.strip() else None, _edge(high, where) if high.strip() else None)
    if found.low and found.high and found.low.is_share == found.high.is_share and found.low.number > found.high.number:
        raise UsageError(
            f"{where}: {text!r} allows nothing", hint=f'write the smaller end first: "{high.strip()}..{low.strip()}"'
        )
    return found


def _edge(text: str, where: str) -> Edge:
    found = EDGE.fullmatch(text)
    if found is None:
        raise UsageError(f"{where}: {text!r} is no bound", hint=HINT)
    number, percent = Fraction(found[1]), bool(found[2])
    return Edge(number / 100 if percent else number, percent)
