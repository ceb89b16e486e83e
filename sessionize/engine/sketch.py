"""How many different values a stream holds, how often they come again, and some of them, in bounded memory.

A value is kept by its hash; of all hashes only the smallest SIZE are. As hashes are as good as dice, these are a fair
choice of the different values, whatever the order they came in (Bar-Yossef et al., "Counting distinct elements in a data
stream", RANDOM 2002).
"""

from __future__ import annotations

from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.engine.column_hashes import Hashes, ValuesAt

SIZE: Final = 2048
"""Different values that are kept: their number is exact up to here, and beyond it within 2 % or so."""
FIRST: Final = 16 * SIZE
WHOLE: Final = 2.0**64


class Sketch:
    """The values with the smallest hashes, and how often each was there.

    Args:
        texts: Whether the values themselves are kept, too.
    """

    def __init__(self, *, texts: bool = False) -> None:
        self._hashes: Hashes = np.empty(0, np.uint64)
        """Ascending."""
        self._counts: NDArray[np.int64] = np.empty(0, np.int64)
        self._texts: list[tuple[Hashes, pl.Series]] | None = [] if texts else None
        """Hashes with their texts; besides those that are kept some that were."""
        self._below: np.uint64 | None = None
        """No hash from here on is kept; None while all are."""

    def add(self, hashes: Hashes | pl.Series, values: ValuesAt | pl.Series | None = None) -> Self:
        """Take some values in.

        Args:
            hashes: Hash of each (uint64).
            values: The values themselves, or what gives them by their places among the hashes; where they are kept.
        """
        numbers = hashes.to_numpy() if isinstance(hashes, pl.Series) else hashes
        before = self._hashes
        # The first ones tell what of the others is not worth counting.
        cut = FIRST if self._below is None else 0
        self._take(numbers[:cut])
        self._take(numbers[cut:])
        if self._texts is not None and values is not None:
            self._keep_texts(numbers, values.gather if isinstance(values, pl.Series) else values, before)
        return self

    def add_counted(self, hashes: Hashes, counts: NDArray[np.int64]) -> None:
        """Take some different values in, of which the texts are not kept.

        Args:
            hashes: Hash of each (uint64).
            counts: How often each was there (int64, equally long).
        """
        order = np.argsort(hashes)
        self._merge(hashes[order], counts[order])

    def _take(self, hashes: Hashes) -> None:
        if self._below is not None:
            hashes = hashes[np.flatnonzero(hashes < self._below)]
        if len(hashes):
            self._merge(*_counted(hashes))

    def _keep_texts(self, hashes: Hashes, values_at: ValuesAt, before: Hashes) -> None:
        """Keep the texts of the hashes that are kept and were not before."""
        new = np.setdiff1d(self._hashes, before, assume_unique=True)
        if self._texts is None or not len(new):
            return
        rows = np.flatnonzero(hashes <= new[-1])
        rows = rows[_in_order(hashes[rows])]
        places = rows[np.searchsorted(hashes[rows], new)]
        # Made anew: what is picked from a column holds on to all the column's texts.
        texts = pl.Series(values_at(places).cast(pl.String).to_list(), dtype=pl.String)
        self._texts.append((new, texts))
        if sum(len(there) for there, _ in self._texts) > 2 * SIZE:
            self._texts = [(self._hashes, self.texts)]

    def _merge(self, hashes: Hashes, counts: NDArray[np.int64]) -> None:
        """Take different values in, their hashes ascending."""
        hashes, counts = hashes[: SIZE + 1], counts[: SIZE + 1]  # of more, none is among the smallest SIZE
        known = np.searchsorted(self._hashes, hashes)
        is_known = np.zeros(len(hashes), np.bool_)
        inside = known < len(self._hashes)
        is_known[inside] = self._hashes[known[inside]] == hashes[inside]
        self._counts[known[is_known]] += counts[is_known]
        fresh, more = hashes[~is_known], counts[~is_known]
        if self._below is not None:
            kept = int(np.searchsorted(fresh, self._below))
            fresh, more = fresh[:kept], more[:kept]
        if not len(fresh):
            return
        together = np.concatenate([self._hashes, fresh])
        order = np.argsort(together, kind="stable")  # two runs, to be merged
        if len(order) > SIZE:
            self._below = together[order[SIZE]]
            order = order[:SIZE]
        self._hashes = together[order]
        self._counts = np.concatenate([self._counts, more])[order]

    @property
    def different(self) -> int:
        """How many different values there were."""
        if self._below is None:
            return len(self._hashes)
        return round(SIZE / (int(self._below) / WHOLE))

    @property
    def sampled(self) -> int:
        """How many different values are kept."""
        return len(self._hashes)

    @property
    def repeats(self) -> tuple[int, int]:
        """Of the values that are kept: how often one came again, and how often one came at all."""
        came = int(self._counts.sum())
        return came - len(self._hashes), came

    @property
    def texts(self) -> pl.Series:
        """The values that are kept, in order of their hashes."""
        assert self._texts is not None
        hashes = np.concatenate([self._hashes[:0], *(there for there, _ in self._texts)])
        texts = pl.concat([pl.Series(dtype=pl.String), *(texts for _, texts in self._texts)])
        order = np.argsort(hashes)
        return texts.gather(order[np.searchsorted(hashes, self._hashes, sorter=order)])


def _in_order(hashes: Hashes) -> NDArray[np.int64]:
    """Places that put some hashes in ascending order, found by a sort of numbers that have the place in their lower bits.

    That two hashes differ in these bits alone is not to be expected, but looked for.

    Examples:
        >>> _in_order(np.array([7 << 40, 3 << 40, 7 << 40], np.uint64)).tolist()
        [1, 0, 2]
    """
    lower = np.uint64((1 << len(hashes).bit_length()) - 1)
    order = (np.sort((hashes & ~lower) | np.arange(len(hashes), dtype=np.uint64)) & lower).astype(np.int64)
    ordered = hashes[order]
    return np.argsort(hashes) if (ordered[1:] < ordered[:-1]).any() else order


def _counted(hashes: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
    """The different ones of some hashes, one at least, ascending, and how often each is there (int64, equally long).

    Examples:
        >>> [column.tolist() for column in _counted(np.array([5, 3, 5], np.uint64))]
        [[3, 5], [1, 2]]
    """
    ordered = np.sort(hashes)
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    different: Hashes = ordered[starts]
    return different, np.diff(starts, append=len(ordered))
