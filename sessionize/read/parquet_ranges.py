"""Parquet in a store: of a file only the ranges that are asked for are fetched, into a copy that has holes elsewhere.

The copy is a sparse file of the object's size, so whatever reads Parquet of this machine reads it, to the same types. It
holds the footer, and the columns that were asked for of the row groups at hand; those read before are gone by then.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.io.plugins import register_io_source

from sessionize.errors import InputError
from sessionize.os_errors import writing
from sessionize.read.source import Source, unreadable
from sessionize.scratch import home
from sessionize.stores import Ranges, StorePath, path_of

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

MARK: Final = b"PAR1"
TAIL: Final = 64 << 10
"""Bytes at the end that are read first; mostly, the footer is in them."""
GAP: Final = 1 << 20
"""Bytes between two ranges that are rather fetched too than asked around."""
PIECE: Final = 8 << 20
"""Bytes of one request, at most."""
AT_ONCE: Final = 4
"""Requests at a time: so many pieces are in memory."""
COPIES: Final = 3
"""Row groups, or neighbours that are read together, of which a file is held: those at hand and those read ahead."""
ROWS: Final = 1 << 18
"""Rows that are given on at once."""


def scan_parquet(source: Source, start: int = 0, length: int | None = None) -> pl.LazyFrame:
    """Rows of a Parquet file; of one in a store, only what is selected of them is fetched.

    Args:
        source: The file.
        start: Rows before the first.
        length: How many rows; None for all.

    Raises:
        PolarsError: If it is no Parquet file.
        InputError: If it cannot be fetched, or is not the same any more.
    """
    if not isinstance(path_of(source.place), StorePath):
        frame = pl.scan_parquet(source.place, glob=False, hive_partitioning=False)
        return frame if length is None else frame.slice(start, length)
    ranges = _ranges(source)
    stop = ranges.rows if length is None else min(ranges.rows, start + length)

    def pieces(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        end = stop if most is None else min(stop, start + most)
        for first, rows in ranges.pieces(start, end):
            frame = ranges.read(first, rows, list(ranges.types) if columns is None else columns)
            yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(pieces, schema=ranges.types)


def height(source: Source) -> int:
    """How many rows a Parquet file has."""
    if isinstance(path_of(source.place), StorePath):
        return _ranges(source).rows
    frame = pl.scan_parquet(source.place, glob=False, hive_partitioning=False)
    return int(frame.select(pl.len()).collect().item())


@contextmanager
def local_copy(source: Source, groups: Sequence[int] = (), columns: Sequence[str] = ()) -> Iterator[str]:
    """A path of this machine at which the file is, as far as its footer and some columns of some row groups go."""
    if isinstance(path_of(source.place), StorePath):
        with _ranges(source).held(groups, columns) as copy:
            yield str(copy)
    else:
        yield source.place


def first_error(source: Source) -> InputError | None:
    """Why a file could not be fetched, if that has happened: Polars does not pass it on as it is."""
    return _ranges(source).error if isinstance(path_of(source.place), StorePath) else None


@lru_cache(maxsize=4096)
def _ranges(source: Source) -> _Ranges:
    return _Ranges(source)


class _Ranges:
    """A Parquet file in a store.

    Attributes:
        rows: How many it has.
        types: Types of its columns.
        error: Why something could not be fetched.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = Lock()
        # Row groups → a copy that holds some of their columns, and the places of these.
        self._copies: OrderedDict[frozenset[int], tuple[Path, set[int]]] = OrderedDict()
        self.error: InputError | None = None
        self._object = Ranges(source.place, source.stamp)
        self._footer_at, self._footer = self._read_footer()
        copy = self._new_copy()
        self._copies[frozenset()] = copy, set()
        self.types = _scan(copy).collect_schema()
        footer = _metadata(copy)
        heights = (footer.row_group(number).num_rows for number in range(footer.num_row_groups))
        self._starts = list(accumulate(heights, initial=0))
        self.rows: int = self._starts[-1]

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """First row and number of rows of what is read at once: never of more than one row group."""
        for low, high in pairwise(self._starts):
            for first in range(max(low, start), min(high, stop), ROWS):
                yield first, min(ROWS, min(high, stop) - first)

    def read(self, start: int, rows: int, columns: Sequence[str]) -> pl.DataFrame:
        """Some rows of one row group."""
        if not columns:
            return pl.DataFrame(height=rows)
        group = bisect_right(self._starts, start) - 1
        with self.held([group], columns) as copy:
            return _scan(copy).slice(start, rows).select(columns).collect()

    @contextmanager
    def held(self, groups: Sequence[int], columns: Sequence[str]) -> Iterator[Path]:
        """A copy with some columns of some row groups in it; it stays for the block."""
        with self._lock:
            yield self._fetched(groups, columns)

    def _fetched(self, groups: Sequence[int], columns: Sequence[str]) -> Path:
        held = next((each for each in self._copies if each.issuperset(groups)), frozenset(groups))
        copy, chunks = self._copies.pop(held) if held in self._copies else (self._new_copy(), set())
        self._copies[held] = copy, chunks
        if len(self._copies) > COPIES:
            self._copies.popitem(last=False)[1][0].unlink(missing_ok=True)
        footer = _metadata(copy)
        paths = [footer.schema.column(place).path for place in range(footer.num_columns)]
        wanted = {place for place, path in enumerate(paths) if _is_of(path, columns)} - chunks
        ranges = [_range(footer, group, place) for group in held for place in wanted]
        try:
            with unreadable(self._source.file.path):
                self._fetch(copy, [piece for each in _joined(ranges) for piece in _pieces(*each)])
        except InputError as error:
            self.error = error
            raise
        chunks |= wanted
        return copy

    def _fetch(self, copy: Path, pieces: Sequence[tuple[int, int]]) -> None:
        if not pieces:
            return
        with ThreadPoolExecutor(AT_ONCE) as threads, copy.open("r+b") as file:
            for first in range(0, len(pieces), AT_ONCE):  # no more at a time, so that no more is in memory
                at_once = pieces[first : first + AT_ONCE]
                contents = threads.map(self._object.read, *zip(*at_once, strict=True))
                for (start, _), content in zip(at_once, contents, strict=True):
                    with writing(copy):
                        os.pwrite(file.fileno(), content, start)
        self._object.check_same()

    def _read_footer(self) -> tuple[int, bytes]:
        """Where the footer begins, and it."""
        size = self._source.file.bytes
        with unreadable(self._source.file.path):
            start = max(0, size - TAIL)
            tail = self._object.read(start, size - start)
            before = size - 8 - int.from_bytes(tail[-8:-4], "little")
            if 0 <= before < start:
                start, tail = before, self._object.read(before, start - before) + tail
        return start, tail

    def _new_copy(self) -> Path:
        handle, name = mkstemp(dir=home(), suffix=".parquet")
        with writing(name), os.fdopen(handle, "wb") as copy:
            copy.write(MARK)
            copy.truncate(self._source.file.bytes)
            copy.seek(self._footer_at)
            copy.write(self._footer)
        return Path(name)


def _metadata(copy: Path) -> FileMetaData:
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a good part of the start, and only stores need it

    return pq.read_metadata(copy)


def _scan(copy: Path) -> pl.LazyFrame:
    return pl.scan_parquet(copy, glob=False, hive_partitioning=False)


def _is_of(path: str, columns: Sequence[str]) -> bool:
    """Whether a leaf is of one of the columns; a name that has a dot may be taken for more than it is."""
    return any(path == name or path.startswith(f"{name}.") for name in columns)


def _range(footer: FileMetaData, group: int, place: int) -> tuple[int, int]:
    """Where a column of a row group begins and ends."""
    chunk = footer.row_group(group).column(place)
    start = min(each for each in (chunk.dictionary_page_offset, chunk.data_page_offset) if each)
    return start, start + chunk.total_compressed_size


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in order; those that are near each other as one.

    Examples:
        >>> _joined([(5_000_000, 5_000_100), (4, 90), (90, 200)])
        [(4, 200), (5000000, 5000100)]
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if found and start - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def _pieces(start: int, stop: int) -> list[tuple[int, int]]:
    """A range as starts and lengths of what one request asks for."""
    return [(each, min(PIECE, stop - each)) for each in range(start, stop, PIECE)]
