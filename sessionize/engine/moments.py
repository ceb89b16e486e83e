"""Number, sum and sum of squares: of them come the mean and the deviation, however the values were cut."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sessionize.summary.daily import MEAN, Figure


class Moments:
    """Number, sum and sum of squares."""

    def __init__(self) -> None:
        self.number = 0
        self.total = self.squares = 0.0

    def add(self, values: NDArray[Any]) -> Self:
        """Take some numbers in."""
        there = values.astype(np.float64)
        self.number += len(there)
        self.total += float(there.sum())
        self.squares += float(there @ there)
        return self

    @property
    def mean(self) -> float:
        """The mean; 0 of nothing."""
        return self.total / self.number if self.number else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return math.sqrt(max(0.0, self.squares / self.number - self.mean**2)) if self.number else 0.0

    @property
    def figure(self) -> Figure:
        """The mean as a figure."""
        return Figure(MEAN, self.mean, self.number, self.deviation)
