"""Parquet: many files as one frame, each checked before the first is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import polars as pl

from sessionize import schema
from sessionize.errors import InputError
from sessionize.read.files import Source

FAULTS: Final = pl.Enum(schema.REASONS)


def scan(sources: Sequence[Source]) -> pl.LazyFrame:
    """FILE, ROW, FAULT and the union of the files' columns; one that a file lacks is null there.

    Raises:
        InputError: If a file is damaged, or a column is of types that have nothing in common.
    """
    frames = _fitting([_file(ordinal, source) for ordinal, source in enumerate(sources)])
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


def pieces(sources: Sequence[Source], types: pl.Schema, rows_at_once: int) -> Iterator[tuple[pl.LazyFrame, float]]:
    """The same frame as `scan`, some rows at a time, each with the share of the log that ends with it.

    Args:
        sources: Files that `scan` has seen.
        types: Of the columns of `scan`.
        rows_at_once: Of a piece, at most.
    """
    none = pl.LazyFrame(schema=types)
    heights = [_scan(source).select(pl.len()).collect().item() for source in sources]
    seen, whole = 0, max(1, sum(heights))
    for ordinal, (source, rows) in enumerate(zip(sources, heights, strict=True)):
        for start in range(0, max(1, rows), rows_at_once):
            part = _file(ordinal, source, start, rows_at_once)
            seen += min(rows_at_once, rows - start)
            yield pl.concat([none, part], how="diagonal_relaxed"), seen / whole


def _scan(source: Source) -> pl.LazyFrame:
    return pl.scan_parquet(source.place, glob=False, hive_partitioning=False)


def _fitting(frames: list[pl.LazyFrame]) -> list[pl.LazyFrame]:
    """The frames, with no column that would lose digits to the type common to all.

    Whole numbers in one file and fractions in another become text, as 64-bit ids would not fit a float; of times, the
    unit is microseconds, as that of a coarser file would cut those of a finer one.
    """
    types: dict[str, set[pl.DataType]] = {}
    for frame in frames:
        for name, dtype in frame.collect_schema().items():
            types.setdefault(name, set()).add(dtype)
    texts = [name for name, of in types.items() if _any(of, "is_integer") and _any(of, "is_float")]
    times = [name for name, of in types.items() if len(of) > 1 and all(isinstance(each, pl.Datetime) for each in of)]
    casts = {name: pl.col(name).cast(pl.String) for name in texts}
    casts |= {name: pl.col(name).dt.cast_time_unit("us") for name in times}
    return [
        frame.with_columns(casts[name] for name in frame.collect_schema() if name in casts) if casts else frame
        for frame in frames
    ]


def _any(types: set[pl.DataType], claim: str) -> bool:
    return any(getattr(dtype, claim)() for dtype in types)


def _file(ordinal: int, source: Source, start: int = 0, length: int | None = None) -> pl.LazyFrame:
    path = source.file.path
    frame = _scan(source)
    try:
        columns = frame.collect_schema().names()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InputError(f"{path}: damaged: {str(error).splitlines()[0]}", hint="fetch the file again") from None
    parts = {name: value for name, value in partitions(path).items() if name not in columns}
    # Sliced first and numbered then: Polars reads only the slice's rows, which it does not the other way round.
    part = frame if length is None else frame.slice(start, length)
    return part.with_row_index(schema.ROW, offset=start + 1).select(
        pl.lit(ordinal, dtype=pl.UInt32).alias(schema.FILE),
        schema.ROW,
        pl.lit(None, dtype=FAULTS).alias(schema.FAULT),
        *columns,
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in parts.items()),
    )


def partitions(path: str) -> dict[str, str | None]:
    """Columns that the folders name, as Hive has it: ``day=2024-05-30/``.

    Examples:
        >>> partitions("logs/day=2024-05-30/shop=a%2Fb/part-0.parquet")
        {'day': '2024-05-30', 'shop': 'a/b'}
    """
    found = {}
    for part in Path(path).parts[:-1]:
        name, equals, value = part.partition("=")
        if equals and name:
            found[unquote(name)] = None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
    return found
