"""Texts as integers, given out by a dictionary of the texts (Polars' Categorical): exact, as a hash would not be.

What is sorted, moved and compared is then a few bytes a row; in files, the codes of small dictionaries stand for texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import numpy as np
import polars as pl

from sessionize.schema import CHANNEL, EVENT_TYPE, IP, PAGE, REFERRER, SESSION_ID, USER_AGENT, UTM

CODED: Final = (SESSION_ID, PAGE, EVENT_TYPE, REFERRER, USER_AGENT, IP, *UTM, CHANNEL)
"""Roles held as dictionaries: their values are compared, or repeat so often that codes take far less memory.

Not so a profile id, which is compared only where there is no session id: with many users, codes take longer to give out
than they save.
"""


def dictionary() -> pl.Categorical:
    """A fresh dictionary type: its codes count the different texts of one column of one frame."""
    return pl.Categorical(pl.Categories.random())


def coded(texts: pl.Series) -> pl.Series:
    """The column as a dictionary, if it is not one already."""
    return texts if isinstance(texts.dtype, pl.Categorical) else texts.cast(dictionary())


def texts_by_code(codes: pl.Series) -> pl.Series:
    """The text of each code of a dictionary column, from 0 up to the highest that a row has.

    Returns:
        A String column, one text a code.
    """
    highest = codes.to_physical().max()
    count = highest + 1 if isinstance(highest, int) else 0
    return pl.int_range(count, dtype=pl.UInt32, eager=True).cat.to(codes.dtype).cast(pl.String)


def occurrences(texts: pl.Series) -> Iterator[tuple[str, int]]:
    """The different texts of a column of texts or codes, and how often each is there; null is none."""
    there = texts.drop_nulls() if texts.null_count() else texts
    if not isinstance(texts.dtype, pl.Categorical):
        yield from there.value_counts().iter_rows()
        return
    parts = [np.bincount(chunk.to_numpy()) for chunk in there.to_physical().get_chunks()]
    numbers = np.zeros(max(map(len, parts), default=0), np.int64)
    for part in parts:
        numbers[: len(part)] += part
    codes = np.flatnonzero(numbers)
    names = pl.Series(codes, dtype=pl.UInt32).cat.to(texts.dtype).cast(pl.String)
    yield from zip(names, numbers[codes].tolist(), strict=True)


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with texts in place of codes."""
    return rows.cast({name: told for name, dtype in rows.schema.items() if (told := text_type(dtype)) != dtype})


def text_type(dtype: pl.DataType) -> pl.DataType:
    """The type with texts in place of codes, those of an object's fields too."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({name: text_type(field) for name, field in pl.Schema(dtype.to_schema()).items()})
    return pl.String() if isinstance(dtype, pl.Categorical | pl.Enum) else dtype


ENTRY_BYTES: Final = 70
"""Bytes of a text's place in a dictionary, beside the text itself."""
SLICE_ROWS: Final = 1 << 18
"""Rows of a column that are given codes at a time."""


class Dictionaries:
    """Gives codes to the texts of CODED in a stream of frames; columns, and slices of them, side by side.

    Args:
        few: Different texts of a column up to which it is written as codes.
        slice_rows: Rows of a column that are given codes at a time.
    """

    def __init__(self, few: int = 0, slice_rows: int = SLICE_ROWS) -> None:
        self._few = few
        self._slice_rows = slice_rows
        self._types = {name: dictionary() for name in CODED}
        # Polars forgets a dictionary with the last column that has it, and would give out its codes anew.
        self._kept = {name: pl.Series(dtype=dtype) for name, dtype in self._types.items()}
        self._entries: dict[str, int] = {}
        self._lengths: dict[str, float] = {}
        self._most: float = math.inf
        self._threads = ThreadPoolExecutor(pl.thread_pool_size())

    def __enter__(self) -> Self:
        """The dictionaries are open from the start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads; the dictionaries can still be asked."""
        self._threads.shutdown()

    @property
    def bytes(self) -> float:
        """Bytes of all of them, about."""
        return sum(self._bytes(name) for name in self._entries)

    @property
    def text_bytes(self) -> float:
        """Bytes of a text of each column that has many, about."""
        return sum(self._lengths.get(name, 0) for name in self._entries if self._entries[name] > self._few)

    def only_small(self, most: int) -> None:
        """Leave the columns whose different texts take more bytes as they are, from here on.

        Not so few texts that they are written as codes.
        """
        self._most = most
        self._kept = {name: column for name, column in self._kept.items() if self._is_small(name)}

    def _is_small(self, name: str) -> bool:
        return self._entries.get(name, 0) <= self._few or self._bytes(name) <= self._most

    def _bytes(self, name: str) -> float:
        return self._entries.get(name, 0) * (ENTRY_BYTES + self._lengths.get(name, 0))

    def _measure(self, name: str, texts: pl.Series) -> None:
        """Note how long the longest texts of a column are on average, over those that came together."""
        length = texts.str.len_bytes().mean()
        if isinstance(length, float):
            self._lengths[name] = max(length, self._lengths.get(name, 0))

    def codes(self, role: str, texts: list[pl.Series]) -> list[pl.Series]:
        """Columns of texts of a role as columns of its codes; all as they are where they are too many."""
        for part in texts:
            self._measure(role, part)
        return [part.cast(self._types[role]) for part in texts] if self._is_small(role) else texts

    def coded(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events with the columns of CODED as codes: those of them that are small enough to be kept."""
        types = events.schema
        there = [name for name in CODED if name in types]
        texts = [name for name in there if types[name] == pl.String and self._is_small(name)]
        for name in there:
            if types[name] == pl.String:
                self._measure(name, events[name])
        starts = range(0, max(1, events.height), self._slice_rows)
        waiting = [
            [
                self._threads.submit(events[name].slice(start, self._slice_rows).cast, self._types[name])
                for start in starts
            ]
            for name in texts
        ]
        events = events.with_columns(
            [pl.concat([slice_.result() for slice_ in slices], rechunk=True) for slices in waiting]
        )
        types = events.schema
        for name in there:
            newest = events[name].to_physical().max() if types[name] == self._types[name] else None
            if isinstance(newest, int):
                self._entries[name] = max(newest + 1, self._entries.get(name, 0))
        return events

    def stored(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Any rows without dictionaries, as they are in a file: codes of the small ones as numbers, else texts."""
        small = [dtype for name, dtype in self._types.items() if self._is_small(name)]
        coded = {name: dtype for name, dtype in rows.schema.items() if isinstance(dtype, pl.Categorical)}
        return rows.with_columns(
            pl.col(name).to_physical() if dtype in small else pl.col(name).cast(pl.String)
            for name, dtype in coded.items()
        )

    def written(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Any rows as they are written: codes where there are few different texts, else texts; ids are always texts.

        How many there are in the whole log decides, so that the same log is written the same way.
        """
        names = [name for name in CODED if name != SESSION_ID and self._entries.get(name, 0) <= self._few]
        few = [self._types[name] for name in names]
        coded = {name: dtype for name, dtype in rows.schema.items() if isinstance(dtype, pl.Categorical)}
        return rows.with_columns(pl.col(name for name, dtype in coded.items() if dtype not in few).cast(pl.String))

    def restored(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Events as they were before they were stored."""
        return restored(rows, self._types)


def restored(rows: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Stored rows as they were, but for what was stored as text.

    Args:
        rows: Rows as `Dictionaries.stored` gives them.
        types: Types that the columns had before.
    """
    codes = [name for name, dtype in rows.schema.items() if dtype == pl.UInt32]
    return rows.with_columns(
        rows[name].cat.to(types[name]) for name in codes if isinstance(types.get(name), pl.Categorical)
    )


def alike(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """The frames, with a column that is codes in some and texts in others as texts in all."""
    columns = [column for frame in frames for column in frame.schema.items()]
    coded_in_some = {name for name, dtype in columns if isinstance(dtype, pl.Categorical)}
    mixed = coded_in_some & {name for name, dtype in columns if dtype == pl.String}
    return [frame.with_columns(pl.col(mixed & {*frame.columns}).cast(pl.String)) for frame in frames]
