"""Parquet: many files as one frame, each checked before the first is read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.patterns import pattern
from sessionize.read import parquet_dictionaries
from sessionize.read.hive import partitions
from sessionize.read.parquet_dictionaries import DictionaryColumn, Rows, Span
from sessionize.read.parquet_ranges import first_error, height, local_copy, scan_parquet
from sessionize.read.plain_types import as_read
from sessionize.read.schema_union import Change, unified
from sessionize.read.source import Source
from sessionize.read.twins import check_no_twins
from sessionize.stores import opened
from sessionize.values import NamedTuple

FAULTS: Final = pl.Enum(schema.REASONS)
SAMPLE_ROWS: Final = 100
LARGE: Final = (pl.Int64, pl.UInt64, pl.Int128)
EXACT: Final = 2**53
"""Whole numbers up to which a double holds each."""
LEAST_RATIO: Final = 2
"""Bytes that a byte of a file comes to at least, if its first rows do not tell."""

TWICE: Final = pattern(r"name '(?P<name>.*)' has more than one occurrence")


class _Part(NamedTuple):
    """A file's rows, and the types of its columns."""

    frame: pl.LazyFrame
    types: dict[str, pl.DataType]


def scan(sources: Sequence[Source], most: int | None = None) -> pl.LazyFrame:
    """FILE, ROW, FAULT and the union of the files' columns; one that a file lacks is null there.

    Args:
        sources: The files.
        most: Rows of each that are read, the first ones; None for all.

    Raises:
        InputError: If a file is damaged, or a column is of types that have nothing in common.
    """
    parts = [_part(source, 0, most) for source in sources]
    changes = _changes(sources, parts)
    frames = [_placed(ordinal, part, changes) for ordinal, part in enumerate(parts)]
    if len(frames) == 1:
        return frames[0]
    together = pl.concat(frames, how="diagonal_relaxed")
    try:
        together.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"the files' columns do not fit together: {str(error).splitlines()[0]}",
            hint="run them apart, or convert one",
        ) from None
    return together


def columns(sources: Sequence[Source]) -> list[list[str]]:
    """Names of the columns of each file."""
    return [[*_part(source).types] for source in sources]


def batches(sources: Sequence[Source], types: pl.Schema, limits: Limits, *, by_dictionaries: bool) -> Iterator[Rows]:
    """The same frame as `scan`, some rows at a time.

    Args:
        sources: Files that `scan` has seen.
        types: Types of the columns of `scan`.
        limits: How many rows a batch has, about, and how large a log's dictionaries are read.
        by_dictionaries: Whether to look for columns that a large log holds as dictionaries.
    """
    none = pl.LazyFrame(schema=types)
    parts = [_part(source) for source in sources]
    changes = _changes(sources, parts)
    heights = [height(source) for source in sources]
    seen, whole = 0, max(1, sum(heights))
    by_dictionaries = by_dictionaries and whole >= limits.dictionary_rows
    for ordinal, (source, part, rows) in enumerate(zip(sources, parts, heights, strict=True)):
        texts = [name for name, dtype in part.types.items() if dtype == pl.String and name not in changes]
        most = limits.rows_of(_row_bytes(source, rows))
        spans = _spans(source, texts, replace(limits, rows=most)) if by_dictionaries else None
        for span in spans or slices(rows, most):
            batch = _placed(ordinal, _part(source, span.start, span.rows), changes)
            frame = pl.concat([none, batch], how="diagonal_relaxed")
            seen += span.rows
            held = partial(_dictionaries, source, span)
            yield Rows(frame, span.held, held, seen / whole, partial(int, span.rows), span.rows)


def _spans(source: Source, texts: Sequence[str], limits: Limits) -> list[Span] | None:
    with local_copy(source) as path:
        return parquet_dictionaries.spans(path, texts, limits)


def _dictionaries(source: Source, span: Span, names: Sequence[str]) -> Mapping[str, list[DictionaryColumn]]:
    with local_copy(source, span.groups, names) as path:
        return parquet_dictionaries.dictionaries(path, span, names)


def _row_bytes(source: Source, rows: int) -> float:
    """Bytes of a row once it is decoded, about: as many as the first ones have, or the file's own tell."""
    first = _part(source, 0, SAMPLE_ROWS).frame.collect(engine="streaming")
    return max(first.estimated_size() / max(1, first.height), LEAST_RATIO * source.file.bytes / max(1, rows))


def slices(rows: int, most: int) -> Iterator[Span]:
    """So many rows, at most so many at once; one slice at least."""
    for start in range(0, max(1, rows), most):
        yield Span(start, min(most, rows - start))


class Place(NamedTuple):
    """Where some rows of a log lie, and how they become rows of the log.

    Attributes:
        ordinal: Ordinal of their file.
        source: File of the rows.
        start: Rows of the file before them.
        rows: How many they are.
        changes: Columns that are of another type in other files.
    """

    ordinal: int
    source: Source
    start: int
    rows: int
    changes: Mapping[str, Change]

    def scan(self, types: pl.Schema, span: Span | None = None) -> pl.LazyFrame:
        """FILE, ROW, FAULT and all of the log's columns, of all the rows or of some of them."""
        span = span or Span(0, self.rows)
        part = _part(self.source, self.start + span.start, span.rows)
        none = pl.LazyFrame(schema=types)
        return pl.concat([none, _placed(self.ordinal, part, self.changes)], how="diagonal_relaxed")


def places(sources: Sequence[Source], rows: int) -> list[Place]:
    """The log as whole row groups, each of at least so many rows where its file has them.

    Args:
        sources: Files that `scan` has seen.
        rows: How many rows are worth a place of their own.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a good part of the start, and only this needs it

    changes = _changes(sources, [_part(source) for source in sources])
    found = []
    for ordinal, source in enumerate(sources):
        with opened(source.place, source.stamp) as file:
            footer = pq.read_metadata(file)
        start = size = 0
        for group in range(footer.num_row_groups):
            size += footer.row_group(group).num_rows
            if size >= rows or group == footer.num_row_groups - 1:
                found.append(Place(ordinal, source, start, size, changes))
                start, size = start + size, 0
    return found


def _changes(sources: Sequence[Source], parts: Sequence[_Part]) -> Mapping[str, Change]:
    types = [part.types for part in parts]
    are_small = partial(_are_small, sources, types)
    return unified([source.file.path for source in sources], types, are_small)


def _are_small(sources: Sequence[Source], types: Sequence[Mapping[str, pl.DataType]], name: str) -> bool:
    """Whether the files say of a column's whole numbers that a double holds each of them to the last digit."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a good part of the start, and only this needs it

    for source, its in zip(sources, types, strict=True):
        if its.get(name) not in LARGE:
            continue
        with opened(source.place, source.stamp) as file:
            footer = pq.read_metadata(file)
        for group in map(footer.row_group, range(footer.num_row_groups)):
            found = next(
                column for column in map(group.column, range(group.num_columns)) if column.path_in_schema == name
            )
            said = found.statistics
            if said is not None and said.null_count == group.num_rows:
                continue
            if said is None or not said.has_min_max or not -EXACT <= said.min <= said.max <= EXACT:
                return False
    return True


def _part(source: Source, start: int = 0, length: int | None = None) -> _Part:
    try:
        frame = scan_parquet(source, start, length)
        types = dict(frame.collect_schema())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeError) as error:
        raise _damaged(source, error) from None
    check_no_twins(source, types)
    parts = {name: value for name, value in partitions(source.named).items() if name not in types}
    # Sliced first and numbered then: Polars reads only the slice's rows, which it does not the other way round.
    numbered = frame.with_row_index(schema.ROW, offset=start + 1).with_columns(
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in parts.items()),
    )
    read, types = as_read(numbered, types)
    return _Part(read, types | dict.fromkeys(parts, pl.String()))


def _placed(ordinal: int, part: _Part, changes: Mapping[str, Change]) -> pl.LazyFrame:
    changed = [
        changes[name](pl.col(name), dtype).alias(name) if name in changes and dtype != pl.Null else pl.col(name)
        for name, dtype in part.types.items()
    ]
    return part.frame.select(
        pl.lit(ordinal, dtype=pl.UInt32).alias(schema.FILE),
        schema.ROW,
        pl.lit(None, dtype=FAULTS).alias(schema.FAULT),
        *changed,
    )


def verify(sources: Sequence[Source]) -> None:
    """Read every page of the files, and compare it with its checksum where the writer left one.

    Raises:
        InputError: If one is damaged; it is named.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and only this needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    for source in sources:
        try:
            _verify(source, pq)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from None


def _verify(source: Source, pq: ModuleType) -> None:
    with local_copy(source) as path:
        footer = pq.read_metadata(path)
    names = footer.schema.to_arrow_schema().names
    for group in range(footer.num_row_groups):
        with local_copy(source, [group], names) as path, pq.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches(row_groups=[group]):
                pass


def damaged(sources: Sequence[Source]) -> InputError | None:
    """What is wrong with the first of the files that cannot be read to the end; None where all can."""
    for source in sources:
        if (found := first_error(source)) is not None:
            return found
        try:
            scan_parquet(source).collect(engine="streaming")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            return _damaged(source, error)
    return None


def _damaged(source: Source, error: BaseException) -> InputError:
    path = source.file.path
    reason = next(iter(str(error).splitlines()), type(error).__name__).replace(source.place, path)
    if (twice := TWICE.search(reason)) is not None:
        return _two_of_one_name(source, twice["name"])
    if "precision must be between 1 and 38" in reason:
        said = f"{path}: it has decimals of more than 38 digits ({reason.rpartition(' ')[2]}), which are not read"
        return InputError(said, hint="write them as DECIMAL(38, …) or as DOUBLE where the file is made")
    return InputError(f"{path}: damaged, or of a kind that is not read: {reason}", hint="fetch the file again")


def _two_of_one_name(source: Source, name: str) -> InputError:
    """What to say of a file that is sound, but has two columns of one name; and a command that renames one."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    seen: set[str] = set()
    names = []
    path = source.file.path
    with local_copy(source) as copy:
        there = pq.read_schema(copy).names
    for each in there:
        names.append(next(new for new in (each, *(f"{each}_{n}" for n in range(2, 10_000))) if new not in seen))
        seen.add(names[-1])
    renamed = f"{path.removesuffix('.parquet')}-renamed.parquet"
    code = (
        f"import pyarrow.parquet as pq; table = pq.ParquetFile({path!r}).read(); "
        f"pq.write_table(table.rename_columns({names!r}), {renamed!r})"
    )
    return InputError(f"{path}: two columns are called {name!r}", hint=f"rename one: python -c {shlex.quote(code)}")
