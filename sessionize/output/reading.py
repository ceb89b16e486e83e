"""Files in the formats of our outputs, read again: some rows at a time, as a limit allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from sessionize.limits import Limits

FIRST_ROWS: Final = 1_000
"""So many rows tell how long the others are."""
VALUE_BYTES: Final = 16
"""Bytes of a value beside its text, about."""
TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
Types = Mapping[str, Any]
Read = Callable[[Path, Types, Limits], Iterator[pl.DataFrame]]
"""Gives the rows of a file, one frame at least, given its path, types of columns where they are known, and limits. Of a
file of texts alone, every column is text."""


def text_bytes(rows: pl.DataFrame) -> int:
    """Bytes of the texts of some rows; of memory they may hold more, as it is shared with their neighbours."""
    texts = [pl.col(name).cast(pl.String) for name, dtype in rows.schema.items() if dtype in TEXTS]
    return int(sum(rows.select(text.str.len_bytes().sum() for text in texts).row(0))) if texts else 0


def row_bytes(rows: pl.DataFrame) -> float:
    """Bytes of a row, about."""
    return VALUE_BYTES * rows.width + text_bytes(rows) / max(1, rows.height)


def from_parquet(path: Path, types: Types, limits: Limits) -> Iterator[pl.DataFrame]:
    """Rows of a Parquet file."""
    del types  # the file tells
    rows = pl.scan_parquet(path)
    first = rows.head(FIRST_ROWS).collect()
    most = max(FIRST_ROWS, min(limits.session_rows, int(limits.made_bytes / row_bytes(first))))
    height = rows.select(pl.len()).collect().item()
    for start in range(0, max(1, height), most):
        yield rows.slice(start, most).collect()


def from_csv(path: Path, types: Types, limits: Limits) -> Iterator[pl.DataFrame]:
    """Rows of a CSV file; of a column whose type is known, texts are cast when they are used."""
    del types
    names: list[str] | None = None
    for block in _blocks(path, limits, quoted=True):
        frame = pl.read_csv(block, has_header=names is None, new_columns=names, infer_schema=False)
        names = frame.columns
        yield frame


def from_json(path: Path, types: Types, limits: Limits) -> Iterator[pl.DataFrame]:
    """Rows of JSON objects, one a line, or as an array of one a line."""
    schema = types or _common(_objects(path, limits))
    blocks = _objects(path, limits)
    first = next(blocks, None)
    if first is None:
        yield pl.DataFrame(schema=schema)
        return
    for block in chain([first], blocks):
        yield pl.read_ndjson(block, schema=schema)


def _common(blocks: Iterator[bytes]) -> Types:
    """Types that hold the values of all blocks: of the rows of one alone, a column may seem to have none."""
    found = pl.DataFrame()
    for block in blocks:
        there = pl.read_ndjson(block, infer_schema_length=None).clear()
        found = pl.concat([found, there], how="diagonal_relaxed")
    return {name: pl.String() if dtype == pl.Null else dtype for name, dtype in found.schema.items()}


def _objects(path: Path, limits: Limits) -> Iterator[bytes]:
    for block in _blocks(path, limits):
        # A line feed in a text is escaped: what stands before one is the end of a row.
        objects = block.removeprefix(b"[\n").removesuffix(b"]\n").replace(b",\n", b"\n")
        if objects.strip():
            yield objects


def _blocks(path: Path, limits: Limits, *, quoted: bool = False) -> Iterator[bytes]:
    """Whole lines of a text file, of some bytes at a time; where they are quoted, no quoted text is cut."""
    with path.open("rb") as file:
        while lines := file.readlines(min(limits.made_bytes, limits.batch_bytes)):
            open_quote = quoted and sum(line.count(b'"') for line in lines) % 2 == 1
            while open_quote and (line := file.readline()):
                lines.append(line)
                open_quote = line.count(b'"') % 2 == 0
            yield b"".join(lines)
