"""How many different values a stream holds, how often they come again, and some of them, in bounded memory.

A value is kept by its hash; of all hashes only the smallest SIZE are. As hashes are as good as dice, these are a fair
choice of the different values, whatever the order they came in (Bar-Yossef et al., "Counting distinct elements in a data
stream", RANDOM 2002).
"""

from __future__ import annotations

from typing import Final, Self

import polars as pl

SIZE: Final = 2048
"""Different values that are kept: their number is exact up to here, and beyond it within 2 % or so."""
FIRST: Final = 16 * SIZE
SEED: Final = 11
WHOLE: Final = 2.0**64
_HASH: Final = "hash"
_COUNT: Final = "count"
_TEXT: Final = "text"


class Sketch:
    """The values with the smallest hashes, and how often each was there.

    Args:
        texts: Whether the values themselves are kept, too.
    """

    def __init__(self, *, texts: bool = False) -> None:
        self._texts = texts
        types: dict[str, type[pl.DataType]] = {_HASH: pl.UInt64, _COUNT: pl.UInt32}
        self._held = pl.DataFrame(schema=types | ({_TEXT: pl.String} if texts else {}))
        self._below: int | None = None
        """No hash from here on is kept; None while all are."""

    def add(self, hashes: pl.Series, texts: pl.Series | None = None) -> Self:
        """Take some values in.

        Args:
            hashes: Hash of each (UInt64).
            texts: The values themselves, where they are kept.
        """
        if self._below is None and len(hashes) > FIRST:
            # The first ones tell what of the others is not worth counting.
            self._take(hashes[:FIRST], None if texts is None else texts[:FIRST])
            hashes, texts = hashes[FIRST:], None if texts is None else texts[FIRST:]
        self._take(hashes, texts)
        return self

    def _take(self, hashes: pl.Series, texts: pl.Series | None) -> None:
        columns = {_HASH: hashes} if texts is None or not self._texts else {_HASH: hashes, _TEXT: texts}
        came = pl.DataFrame(columns)
        if self._below is not None:
            came = came.filter(pl.col(_HASH) < self._below)
        if came.is_empty():
            return
        counted = self._together([came.with_columns(pl.lit(1, pl.UInt32).alias(_COUNT))])
        held = self._together([self._held, counted.select(self._held.columns)])
        if held.height > SIZE:
            held = held.bottom_k(SIZE + 1, by=_HASH).sort(_HASH)
            self._below = int(held[_HASH][SIZE])
            held = held.head(SIZE)
        self._held = held.select(self._held.columns)

    def _together(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        first = [pl.col(_TEXT).first()] if self._texts else []
        whole = pl.concat([frame.select(self._held.columns) for frame in frames])
        return whole.lazy().group_by(_HASH).agg(pl.col(_COUNT).sum(), *first).collect()

    @property
    def different(self) -> int:
        """How many different values there were."""
        if self._below is None:
            return self._held.height
        return round(SIZE / (self._below / WHOLE))

    @property
    def sampled(self) -> int:
        """How many different values are kept."""
        return self._held.height

    @property
    def repeats(self) -> tuple[int, int]:
        """Of the values that are kept: how often one came again, and how often one came at all."""
        came = int(self._held[_COUNT].sum())
        return came - self._held.height, came

    @property
    def texts(self) -> pl.Series:
        """The values that are kept, in order of their hashes."""
        return self._held.sort(_HASH)[_TEXT]
