"""One event log: many files seen as one frame, in input order, every row with its place."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from sessionize import schema, sql
from sessionize.config import Config
from sessionize.kernel.preset_columns import shaped
from sessionize.kernel.references import field, roots
from sessionize.limits import Limits
from sessionize.read import parquet, recognise, texts
from sessionize.read.files import Found, find
from sessionize.read.folders import PassedOver
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.source import LogFile, Source

SAMPLE_ROWS: Final = 1_000
PACKED_RATIO: Final = 8
"""Of a compressed log, about; only to estimate how much is still to come."""
PIECE_BYTES: Final = 32 << 20
"""Of text that is read at once, about: some blocks, or many small files, are one batch."""
PLACE_TYPES: Final = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.FAULT: pl.Enum(schema.REASONS)}


class Log:
    """An event log.

    Attributes:
        config: What was asked for, with the preset that was found in the log, where one was.
        files: Its files, in input order.
        passed_over: What was found beside them, or in them, and is not read.
        schema: Type of each of its own columns; all text but in Parquet.
    """

    def __init__(self, found: Found, config: Config) -> None:
        self.config = config
        self._found = found
        self._opened, without_lines = ([], []) if found.is_parquet else texts.opened(found.sources, config)
        self._sources = tuple(file.source for file in self._opened) or found.sources
        self.files: tuple[LogFile, ...] = tuple(source.file for source in self._sources)
        self.passed_over: tuple[PassedOver, ...] = (*found.passed_over, *without_lines)
        self._types, self._as_read = self._parquet_frame(config) if self._is_parquet else self._text_frame(config)
        self._preset, self._nulls = config.preset, config.nulls
        self._frame = self._shaped(self._as_read)
        types = self._frame.collect_schema()
        self.schema: dict[str, pl.DataType] = {name: dtype for name, dtype in types.items() if name not in texts.PLACE}

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its files and where their bytes lie, in input order."""
        return self._sources

    @property
    def _is_parquet(self) -> bool:
        return self.files[0].format == "parquet"

    def _shaped(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows with what the preset says of the columns themselves."""
        return shaped(rows, self._types, self._preset, self._nulls) if self._is_shaped else rows

    @property
    def _is_shaped(self) -> bool:
        return self._preset is not None or bool(self._nulls)

    def opened_with(self, config: Config) -> Log:
        """The same files, read by another configuration."""
        return Log(self._found, config)

    def has_value(self, reference: str) -> bool:
        """Whether a reference to a column, or to what is inside one, finds a value in the first rows."""
        column = field(reference, self.schema)
        with suppress(pl.exceptions.PolarsError):
            values = self.sample(column)
            return values.null_count() < len(values)
        return False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Names the file, where damage to one shows only as it is read.

        Raises:
            InputError: In place of what Polars raises, if a file cannot be read to its end.
        """
        try:
            yield
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            found = parquet.damaged(self._sources) if self._is_parquet else None
            if found is None:
                raise
            raise found from None

    def sample(self, column: pl.Expr, rows: int = SAMPLE_ROWS, /) -> pl.Series:
        """A column of the first rows, in input order.

        Args:
            column: Over the log's columns.
            rows: How many, at most.
        """
        return self._frame.head(rows).select(column).collect().to_series()

    def scan(self) -> pl.LazyFrame:
        """FILE, ROW, FAULT and the log's columns, of every row in input order; only what is selected is read."""
        return self._frame

    def batches(self, limits: Limits) -> Iterator[Rows]:
        """The same as `scan`, some rows at a time, so that what is done with them needs memory for these only.

        Args:
            limits: How many rows a batch of a Parquet file has, about; a text file's are blocks of lines.
        """
        if self._is_parquet:
            # Dictionaries hold what is in the file, not what a preset makes of it.
            found = parquet.batches(self._sources, self._types, limits, by_words=not self._is_shaped)
        else:
            found = self._text_pieces()
        for batch in found:
            yield batch._replace(frame=self._shaped(batch.frame))

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What stands at given places.

        Args:
            rows: FILE and ROW of each.

        Returns:
            FILE, ROW and ``raw``: the line of a text file, bytes that are no UTF-8 as escapes; the row of a Parquet
            file as JSON.
        """
        rows = rows.select(schema.FILE, schema.ROW)
        if self._is_parquet:
            return self._raw_rows(rows)
        found = [
            line for (ordinal,), part in rows.group_by(schema.FILE) for line in self._raw_lines(int(ordinal), part)
        ]
        return pl.DataFrame(
            found, schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32, "raw": pl.String}, orient="row"
        )

    def _raw_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        found = self._as_read.join(rows.lazy(), on=[schema.FILE, schema.ROW], how="semi").collect(engine="streaming")
        rows_as_json = [
            json.dumps(row, default=str, ensure_ascii=False) for row in found.drop(texts.PLACE).iter_rows(named=True)
        ]
        return found.select(schema.FILE, schema.ROW).with_columns(raw=pl.Series(rows_as_json, dtype=pl.String))

    def _raw_lines(self, ordinal: int, rows: pl.DataFrame) -> Iterator[tuple[int, int, str]]:
        wanted = sorted(set(rows[schema.ROW]), reverse=True)
        for numbers, lines in self._opened[ordinal].lines():
            while wanted and wanted[-1] <= numbers[-1]:
                number = wanted.pop()
                yield ordinal, number, lines[bisect_left(numbers, number)].decode("utf-8", "backslashreplace")
            if not wanted:
                return

    def _parquet_frame(self, config: Config) -> tuple[pl.Schema, pl.LazyFrame]:
        if config.verify:
            parquet.verify(self._sources)
        frame = parquet.scan(self._sources)
        return frame.collect_schema(), frame

    def _text_frame(self, config: Config) -> tuple[pl.Schema, pl.LazyFrame]:
        """CSV and NDJSON: a generator of batches, one a block, in place of a scan."""
        if self.files[0].format == "ndjson":
            self._opened = texts.with_all_keys(self._opened, asked(config), config)
        files = self._opened
        names = (name for file in files for name in (*file.own, *file.parts))
        types = pl.Schema({**PLACE_TYPES, **dict.fromkeys(names, pl.String())})

        def batches(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for ordinal, file in enumerate(files):
                for unit in file.units():
                    batch = texts.parsed(ordinal, file, unit, columns or list(types), types)
                    kept = batch if predicate is None else batch.filter(predicate)
                    yield kept if left is None else kept.head(left)
                    left = None if left is None else left - kept.height
                    if left is not None and left <= 0:
                        return

        return types, register_io_source(batches, schema=types)

    def _text_pieces(self) -> Iterator[Rows]:
        """The rows of a block, or of some small files."""
        whole = sum(_unpacked_bytes(source) for source in self._sources)
        held: list[tuple[int, texts.Unit]] = []
        seen = size = 0
        for ordinal, file in enumerate(self._opened):
            for unit in file.units():
                held.append((ordinal, unit))
                size += len(unit.text)
                if size >= PIECE_BYTES:
                    seen += size
                    yield self._batch(held, min(1.0, seen / whole))
                    held, size = [], 0
        if held:
            yield self._batch(held, 1.0)

    def _batch(self, units: list[tuple[int, texts.Unit]], share: float) -> Rows:
        heights: dict[int, int] = {}

        def parsed(columns: list[str] | None, predicate: pl.Expr | None, *_: Any) -> Iterator[pl.DataFrame]:
            for number, (ordinal, unit) in enumerate(units):
                rows = texts.parsed(ordinal, self._opened[ordinal], unit, columns or list(self._types), self._types)
                heights[number] = rows.height
                yield rows if predicate is None else rows.filter(predicate)

        frame = register_io_source(parsed, schema=self._types)
        return Rows(frame, share=share, height=lambda: sum(heights.values()), rows=_lines(units))


def _lines(units: list[tuple[int, texts.Unit]]) -> int:
    return sum(unit.text.count(b"\n") for _, unit in units)


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
    found = find(config, stdin)
    if not recognise.is_asked(config):
        return Log(found, config)
    settled = recognise.in_text(found.sources, config)
    log = Log(found, settled)
    if settled.preset is None:
        settled = recognise.in_columns(config, log.schema, log.has_value)
    return log if settled.preset is log.config.preset else log.opened_with(settled)


def asked(config: Config) -> list[str]:
    """Columns that were asked for by name; of ``a.b``, ``a`` too."""
    names = [name for role in config.columns for name in config.chosen(role)]
    names += [*config.properties, *config.traits, *config.rules.split_names]
    if config.where is not None:
        names += sql.columns_of(config.where)
    return list(dict.fromkeys(part for name in names for part in (name, *roots(name))))
