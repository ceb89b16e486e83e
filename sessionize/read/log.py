"""One event log: many files seen as one frame, in input order, every row with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, Final, NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from sessionize import schema
from sessionize.config import Config
from sessionize.read import columnar, delimited, objects
from sessionize.read.columnar import partitions
from sessionize.read.files import LogFile, Source, sources
from sessionize.read.lines import Block, blocks

SAMPLE_ROWS: Final = 1_000
BLOCKS_AT_ONCE: Final = 8
"""Blocks of a text file that are one piece."""
PACKED_RATIO: Final = 8
"""Of a compressed log, about; only to estimate how much is still to come."""
PLACE: Final = (schema.FILE, schema.ROW, schema.FAULT)
PLACE_TYPES: Final = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.FAULT: pl.Enum(schema.REASONS)}
Parse = Callable[[Block, Collection[str]], pl.DataFrame]


class Log:
    """An event log.

    Attributes:
        files: Its files, in input order.
        schema: Type of each of its own columns; all text but in Parquet.
    """

    def __init__(self, found: Sequence[Source], config: Config) -> None:
        self._sources = tuple(found)
        self.share_read = 0.0
        """Which share of the log `pieces` has given out, about."""
        self.files: tuple[LogFile, ...] = tuple(source.file for source in found)
        if self.files[0].format == "parquet":
            self._frame = columnar.scan(found)
            self._types = self._frame.collect_schema()
        else:
            self._opened = [_opened(source, config) for source in found]
            names = (name for file in self._opened for name in (*file.columns, *file.partitions))
            self._types = pl.Schema({**PLACE_TYPES, **dict.fromkeys(names, pl.String())})
            self._frame = self._text_frame()
        self.schema: dict[str, pl.DataType] = {name: dtype for name, dtype in self._types.items() if name not in PLACE}

    def sample(self, column: pl.Expr) -> pl.Series:
        """A column of the first rows."""
        return self._frame.head(SAMPLE_ROWS).select(column).collect().to_series()

    def scan(self) -> pl.LazyFrame:
        """FILE, ROW, FAULT and the log's columns, of every row in input order; only what is selected is read."""
        return self._frame

    def pieces(self, rows_at_once: int) -> Iterator[pl.LazyFrame]:
        """The same as `scan`, some rows at a time, so that what is done with them needs memory for these only.

        Args:
            rows_at_once: Rows of a piece of a Parquet file, at most; a text file's are blocks of lines.
        """
        if self.files[0].format == "parquet":
            found = columnar.pieces(self._sources, self._types, rows_at_once)
        else:
            found = self._text_pieces()
        for piece, self.share_read in found:
            yield piece

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What stands at given places.

        Args:
            rows: FILE and ROW of each.

        Returns:
            FILE, ROW and ``raw``: the line of a text file, bytes that are no UTF-8 as escapes; the row of a Parquet
            file as JSON.
        """
        rows = rows.select(schema.FILE, schema.ROW)
        if self.files[0].format == "parquet":
            return self._raw_rows(rows)
        found = [
            line for (ordinal,), part in rows.group_by(schema.FILE) for line in self._raw_lines(int(ordinal), part)
        ]
        return pl.DataFrame(
            found, schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32, "raw": pl.String}, orient="row"
        )

    def _raw_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        found = self._frame.join(rows.lazy(), on=[schema.FILE, schema.ROW], how="semi").collect(engine="streaming")
        texts = [
            json.dumps(row, default=str, ensure_ascii=False) for row in found.select(*self.schema).iter_rows(named=True)
        ]
        return found.select(schema.FILE, schema.ROW).with_columns(raw=pl.Series(texts, dtype=pl.String))

    def _raw_lines(self, ordinal: int, rows: pl.DataFrame) -> Iterator[tuple[int, int, str]]:
        wanted = sorted(set(rows[schema.ROW]))
        for block in blocks(self._sources[ordinal]):
            lines = block.text.split(b"\n")
            while wanted and wanted[0] < block.first + len(lines) - 1:
                line = wanted.pop(0)
                yield ordinal, line, lines[line - block.first].decode("utf-8", "backslashreplace")
            if not wanted:
                return

    def _text_frame(self) -> pl.LazyFrame:
        """CSV and NDJSON: a generator of batches, one a block, in place of a scan."""

        def batches(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for ordinal, file in enumerate(self._opened):
                for block in blocks(file.source):
                    batch = _parsed(ordinal, file, block, columns or list(self._types), self._types)
                    kept = batch if predicate is None else batch.filter(predicate)
                    yield kept if left is None else kept.head(left)
                    left = None if left is None else left - kept.height
                    if left is not None and left <= 0:
                        return

        return register_io_source(batches, schema=self._types)

    def _text_pieces(self) -> Iterator[tuple[pl.LazyFrame, float]]:
        """A frame for some blocks each, with the share of the log that ends with it, about; at least one."""
        whole = sum(_unpacked_bytes(source) for source in self._sources)
        seen = 0
        for ordinal, file in enumerate(self._opened):
            following = blocks(file.source)
            while some := tuple(islice(following, BLOCKS_AT_ONCE)):
                seen += sum(len(block.text) for block in some)
                yield self._piece(ordinal, file, some), min(1.0, seen / whole)

    def _piece(self, ordinal: int, file: _Opened, some: Iterable[Block]) -> pl.LazyFrame:
        def parsed(columns: list[str] | None, predicate: pl.Expr | None, *_: Any) -> Iterator[pl.DataFrame]:
            for block in some:
                rows = _parsed(ordinal, file, block, columns or list(self._types), self._types)
                yield rows if predicate is None else rows.filter(predicate)

        return register_io_source(parsed, schema=self._types)


def _unpacked_bytes(source: Source) -> int:
    return source.file.bytes * (1 if source.packed is None else PACKED_RATIO)


def open_log(config: Config, *, stdin: IO[bytes] | None = None) -> Log:
    """Open the log that a configuration names: its files are found and recognised, their layouts read.

    Args:
        config: Inputs, and how they are laid out.
        stdin: What ``-`` reads; the process's own by default.

    Raises:
        InputError: If a file is missing, damaged or of another kind.
        UsageError: If the configuration does not fit the files.
    """
    return Log(sources(config, stdin), config)


class _Opened(NamedTuple):
    """A text file and how it is laid out."""

    source: Source
    partitions: dict[str, str | None]
    columns: tuple[str, ...]
    parse: Parse


def _opened(source: Source, config: Config) -> _Opened:
    parts = partitions(source.file.path)
    if source.file.format == "ndjson":
        return _Opened(source, parts, objects.keys(source), objects.parse)
    form = delimited.dialect(source, config)
    return _Opened(source, parts, form.names, lambda block, wanted: delimited.parse(block, form, wanted))


def _parsed(
    ordinal: int, file: _Opened, block: Block, columns: list[str], types: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """A block with exactly the asked columns in their order; what the file has not is null."""
    own, parts = file.columns, file.partitions
    absent = [name for name in columns if name not in own and name not in parts and name not in PLACE]
    given = {schema.FILE: ordinal, **{name: value for name, value in parts.items() if name not in own}}
    return (
        file.parse(block, [name for name in columns if name in own])
        .with_columns(
            *(pl.lit(value, dtype=types[name]).alias(name) for name, value in given.items() if name in columns),
            *(pl.lit(None, dtype=pl.String).alias(name) for name in absent),
        )
        .select(columns)
    )
