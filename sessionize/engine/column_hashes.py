"""The values of some events as hashes: of texts that have codes each different one is hashed once, and counted by its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.kernel.dictionaries import CODED
from sessionize.values import NamedTuple

Hashes = NDArray[np.uint64]
ValuesAt = Callable[[NDArray[np.int64]], pl.Series]
SEED: Final = 11
SLICE: Final = 1 << 14
"""Rows that are worked on at once: what is made of them stays in the processor's caches."""
SPARSE: Final = 1_000
"""So many more codes than rows there may be for rows to be counted by code; so few codes have their texts at hand."""
GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: no pattern in its bits."""


class Counted(NamedTuple):
    """How often each text occurs in some rows.

    Attributes:
        codes: Codes of the different texts, ascending (int64).
        counts: How often each is there (int64, equally long).
    """

    codes: NDArray[np.int64]
    counts: NDArray[np.int64]


class Column:
    """One column of some events.

    Args:
        values: Values of the column.
        by_code: Hash of the text of each code, and as the last one that of null (uint64); None where it has no codes.
        order: For each place the row that is to stand there (int64); None where they stand there already.
    """

    def __init__(self, values: pl.Series, by_code: Hashes | None, order: NDArray[np.int64] | None) -> None:
        self._values = values
        self._by_code = by_code
        self._order = order
        self._texts: list[str] | None = None
        """By code, once they have been asked for and where these are few."""
        if by_code is None:
            self._rows: NDArray[np.uint32] | Hashes = values.hash(SEED).to_numpy()
        else:
            codes = values.to_physical()
            self._rows = (codes.fill_null(len(by_code) - 1) if values.null_count() else codes).to_numpy()
        self._there: NDArray[np.bool_] | None = None
        if values.null_count():
            self._there = values.is_not_null().to_numpy() if by_code is None else self._rows != len(by_code) - 1
        if order is not None:
            self._rows = self._rows.take(order)
            self._there = None if self._there is None else self._there.take(order)

    @property
    def dtype(self) -> pl.DataType:
        """Type of the values."""
        return self._values.dtype

    def hashes(self, part: slice) -> Hashes:
        """Hash of the value of each of some rows, null among them (uint64)."""
        rows = self._rows[part]
        return rows.astype(np.uint64, copy=False) if self._by_code is None else self._by_code.take(rows)

    def values(self, part: slice) -> pl.Series:
        """The values of some rows."""
        return self._values[part] if self._order is None else self._values.gather(self._order[part])

    def nulls(self, part: slice) -> int:
        """How many of some rows have no value."""
        if self._there is None:
            return 0
        there = self._there[part]
        return len(there) - int(np.count_nonzero(there))

    def there(self, part: slice) -> tuple[Hashes, ValuesAt]:
        """Of those of some rows that have a value: its hash (uint64), and what gives the values at places among them."""
        hashes = self.hashes(part)
        places = None if self._order is None else self._order[part]
        if self._there is not None:
            there = self._there[part]
            hashes, places = hashes[there], np.flatnonzero(there) + part.start if places is None else places[there]
        return hashes, lambda wanted: self._values.gather(wanted + part.start if places is None else places[wanted])

    def counted(self, part: slice) -> Counted | None:
        """The different texts of some rows; None where they have no codes, or many more codes than there are rows."""
        rows = self._rows[part]
        if self._by_code is None or len(self._by_code) > len(rows) + SPARSE:
            return None
        counts = np.bincount(rows, minlength=len(self._by_code))[:-1]
        codes = np.flatnonzero(counts)
        return Counted(codes, counts[codes])

    def hashes_of(self, codes: NDArray[np.int64]) -> Hashes:
        """Hash of the text of each of some codes."""
        assert self._by_code is not None
        return self._by_code[codes]

    def texts_of(self, codes: NDArray[np.int64]) -> list[str]:
        """Text of each of some codes."""
        assert self._by_code is not None
        if len(self._by_code) > SPARSE:
            return _texts(codes, self.dtype).to_list()
        if self._texts is None:
            self._texts = _texts(np.arange(len(self._by_code) - 1), self.dtype).to_list()
        return [self._texts[code] for code in codes.tolist()]


class ColumnHashes:
    """Looks at the columns of one batch after another; keeps the hashes of the texts that have a code."""

    def __init__(self) -> None:
        self._by_code: dict[str, tuple[pl.DataType, Hashes]] = {}
        self._of_null = pl.Series([None], dtype=pl.String).hash(SEED).to_numpy()

    def look(self, events: pl.DataFrame, order: NDArray[np.int64] | None = None) -> dict[str, Column]:
        """The columns of some events, by name.

        Args:
            events: The events.
            order: For each place the row that is to stand there (int64); None where they stand there already.
        """
        return {column.name: Column(column, self._known(column), order) for column in events}

    def _known(self, column: pl.Series) -> Hashes | None:
        if column.name not in CODED or not isinstance(column.dtype, pl.Categorical):
            return None
        known: Hashes
        dtype, known = self._by_code.get(column.name, (column.dtype, self._of_null))
        if dtype != column.dtype:
            known = self._of_null  # another dictionary gives other codes
        highest = column.to_physical().max()
        count = highest + 1 if isinstance(highest, int) else 0
        if count > len(known) - 1:
            new = _texts(np.arange(len(known) - 1, count), column.dtype).hash(SEED).to_numpy()
            known = np.concatenate([known[:-1], new, self._of_null])
        self._by_code[column.name] = column.dtype, known
        return known


def _texts(codes: NDArray[np.int64], dtype: pl.DataType) -> pl.Series:
    return pl.Series(codes, dtype=pl.UInt32).cat.to(dtype).cast(pl.String)


def of_rows(columns: Mapping[str, Column], names: Sequence[str], height: int) -> Hashes:
    """Hash of each row over some columns, whether their texts have codes or not (uint64).

    Args:
        columns: The columns, by name.
        names: Which of them, in order; one at least.
        height: How many rows there are.
    """
    first, *rest = (columns[name] for name in names)
    whole = np.empty(height, np.uint64)
    for start in range(0, height, SLICE):
        part = slice(start, min(height, start + SLICE))
        hashes = first.hashes(part)
        for column in rest:
            hashes = _combined(hashes, column.hashes(part))
        whole[part] = hashes
    return whole


def _combined(hashes: Hashes, more: Hashes) -> Hashes:
    """One hash of two, as Boost's ``hash_combine`` has it: their order counts."""
    found = hashes >> np.uint64(2)
    found += hashes << np.uint64(6)
    found += more
    found += GOLDEN
    found ^= hashes
    return found
