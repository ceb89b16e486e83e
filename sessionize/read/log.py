"""One event log: many files seen as one frame, in input order, every row with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO, Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from sessionize import schema
from sessionize.config import Config
from sessionize.kernel.shape import shaped
from sessionize.read import columnar, delimited, layouts, objects
from sessionize.read.columnar import partitions
from sessionize.read.files import LogFile, Source, sources
from sessionize.read.lines import Block, blocks

SAMPLE_ROWS: Final = 1_000
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
        self.files: tuple[LogFile, ...] = tuple(source.file for source in found)
        kind = self.files[0].format
        self._frame = columnar.scan(found) if kind == "parquet" else self._text_frame(config)
        self._as_read = self._frame
        if config.preset is not None:
            self._frame = shaped(self._frame, self._frame.collect_schema(), config.preset)
        types = self._frame.collect_schema()
        self.schema: dict[str, pl.DataType] = {name: types[name] for name in types if name not in PLACE}

    def sample(self, column: pl.Expr) -> pl.Series:
        """A column of the first rows."""
        return self._frame.head(SAMPLE_ROWS).select(column).collect().to_series()

    def scan(self) -> pl.LazyFrame:
        """FILE, ROW, FAULT and the log's columns, of every row in input order; only what is selected is read."""
        return self._frame

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
        found = self._as_read.join(rows.lazy(), on=[schema.FILE, schema.ROW], how="semi").collect(engine="streaming")
        texts = [json.dumps(row, default=str, ensure_ascii=False) for row in found.drop(PLACE).iter_rows(named=True)]
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

    def _text_frame(self, config: Config) -> pl.LazyFrame:
        """CSV and NDJSON: a generator of batches, one a block, in place of a scan."""
        files = [_opened(source, config) for source in self._sources]
        names = dict.fromkeys(name for _, parts, columns, _ in files for name in (*columns, *parts))
        types = {**PLACE_TYPES, **dict.fromkeys(names, pl.String())}

        def batches(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for ordinal, file in enumerate(files):
                for batch in _batches(ordinal, file, columns or list(types), types):
                    kept = batch if predicate is None else batch.filter(predicate)
                    yield kept if left is None else kept.head(left)
                    left = None if left is None else left - kept.height
                    if left is not None and left <= 0:
                        return

        return register_io_source(batches, schema=types)


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


_Opened = tuple[Source, dict[str, "str | None"], tuple[str, ...], Parse]


def _opened(source: Source, config: Config) -> _Opened:
    if source.file.format == "ndjson":
        return source, partitions(source.file.path), objects.keys(source), objects.parse
    if (laid_out := layouts.opened(source, config)) is not None:
        return source, partitions(source.file.path), *laid_out
    form = delimited.dialect(source, config)
    parse: Parse = lambda block, wanted: delimited.parse(block, form, wanted)  # noqa: E731
    return source, partitions(source.file.path), form.names, parse


def _batches(ordinal: int, file: _Opened, columns: list[str], types: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """One frame a block, with exactly the asked columns in their order; what the file has not is null."""
    source, parts, own, parse = file
    wanted = [name for name in columns if name in own]
    absent = [name for name in columns if name not in own and name not in parts and name not in PLACE]
    given = {schema.FILE: ordinal, **{name: value for name, value in parts.items() if name not in own}}
    for block in blocks(source):
        yield (
            parse(block, wanted)
            .with_columns(
                *(pl.lit(value, dtype=types[name]).alias(name) for name, value in given.items() if name in columns),
                *(pl.lit(None, dtype=pl.String).alias(name) for name in absent),
            )
            .select(columns)
        )
