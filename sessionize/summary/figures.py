"""Summary figures over sessions (metrics.md, last paragraph): some sessions at a time, in the memory of their lengths.

Whatever the parts are, the figures are the same to the last digit: what is added up are whole numbers, microseconds among
them, and amounts in the order in which they came.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

RATES: Final = {"bounced": "bounce_rate", "engaged": "engagement_rate", "converted": "conversion_rate"}
COUNTS: Final = {"events": "events_per_session", "page_views": "page_views_per_session"}
P95: Final = 0.95
FEW: Final = 1_000
"""Numbers up to so many more than there are of them are counted one by one, in place."""


class Figures:
    """Gathers the figures; of each session only its length is held, and only where it has one."""

    def __init__(self) -> None:
        self._sessions = self._active = self._conversions = 0
        self._true: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._counts: dict[str, Counter[int]] = {name: Counter() for name in COUNTS}
        self._lengths: list[NDArray[np.int64]] = []
        self._values: list[pl.Series] = []
        self._bounds = pl.DataFrame()

    def add(self, metrics: pl.DataFrame) -> Self:
        """Take some sessions, one row each."""
        self._sessions += metrics.height
        self._active += int((metrics["status"] == "active").sum())
        self._conversions += int(metrics["conversions"].sum())
        for name in (*RATES, "bot"):
            self._true[name] += int(metrics[name].sum() or 0)
            self._known[name] += metrics.height - metrics[name].null_count()
        for name, counts in self._counts.items():
            counts.update(_times_each(metrics[name].drop_nulls().to_numpy()))
        lengths = np.rint(metrics["duration_s"].to_numpy() * 1e6).astype(np.int64)
        self._lengths.append(lengths[lengths != 0])
        self._values.append(metrics["value"].drop_nulls())
        bounds = metrics.select(first=pl.col("start").min(), last=pl.col("end").max())
        self._bounds = pl.concat([self._bounds, bounds], how="diagonal").select(
            pl.col("first").min(), pl.col("last").max()
        )
        return self

    def as_dict(self) -> dict[str, Any]:
        """Figures by name; a rate over no sessions is None."""
        totals = {
            name: sum(value * number for value, number in counts.items()) for name, counts in self._counts.items()
        }
        spread: dict[str, Any] = {}
        for name, prefix in COUNTS.items():
            values = np.array(sorted(self._counts[name]), np.int64)
            numbers = np.array([self._counts[name][int(value)] for value in values], np.int64)
            spread |= _spread(prefix, totals[name], _Sorted(values, np.cumsum(numbers)), 1)
        lengths = np.concatenate([np.empty(0, np.int64), *self._lengths])
        lengths.sort()
        zeros = self._sessions - len(lengths)
        spread |= _spread("duration_s", int(lengths.sum()), _Sorted(lengths, None, zeros), 1_000_000)
        longest = None if not self._sessions else int(lengths[-1]) / 1e6 if len(lengths) else 0.0
        values_ = pl.concat(self._values).rechunk() if self._values else pl.Series(dtype=pl.Float64)
        first, last = self._bounds.row(0) if self._bounds.height else (None, None)
        return {
            "sessions": self._sessions,
            **totals,
            **spread,
            "duration_s_max": longest,
            **{figure: self._rate(name) for name, figure in RATES.items()},
            "conversions": self._conversions,
            "value": _number(values_.sum()) if len(values_) else None,
            "active_sessions": self._active,
            "bot_share": self._rate("bot"),
            "first": first,
            "last": last,
        }

    def _rate(self, name: str) -> float | None:
        return self._true[name] / self._known[name] if self._known[name] else None


def _times_each(numbers: NDArray[Any]) -> dict[int, int]:
    """How often each of some whole numbers is there."""
    are_small = len(numbers) and np.can_cast(numbers.dtype, np.int64) and int(numbers.min()) >= 0
    if are_small and int(numbers.max()) <= FEW + len(numbers):
        counts = np.bincount(numbers)
        different = np.flatnonzero(counts)
        counts = counts[different]
    else:
        different, counts = np.unique(numbers, return_counts=True)
    return dict(zip(different.tolist(), counts.tolist(), strict=True))


class _Sorted:
    """Numbers in order, as they stand, or each with how many come up to it; some zeros may stand before."""

    def __init__(self, values: NDArray[np.int64], up_to: NDArray[np.int64] | None, zeros: int = 0) -> None:
        self._values = values
        self._up_to = up_to
        self._zeros = zeros
        self.size = zeros + (len(values) if up_to is None else int(up_to[-1]) if len(up_to) else 0)

    def at(self, place: int) -> int:
        """The number at a place, from 0."""
        if place < self._zeros:
            return 0
        if self._up_to is None:
            return int(self._values[place - self._zeros])
        return int(self._values[np.searchsorted(self._up_to, place, side="right")])


def figures(metrics: pl.DataFrame) -> dict[str, Any]:
    """Figures by name; a rate over no sessions is None.

    Args:
        metrics: One row a session.
    """
    return Figures().add(metrics).as_dict()


def _spread(name: str, total: int, values: _Sorted, unit: int) -> dict[str, float | None]:
    """Mean, median and 95th percentile (of two neighbours the nearer) of whole numbers, in a unit."""
    size = values.size
    if not size:
        return {f"{name}_mean": None, f"{name}_median": None, f"{name}_p95": None}
    middle = values.at((size - 1) // 2) + values.at(size // 2)
    nearest = values.at(int((size - 1) * P95 + 0.5))
    return {
        f"{name}_mean": total / (size * unit),
        f"{name}_median": middle / (2 * unit),
        f"{name}_p95": nearest / unit,
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN
