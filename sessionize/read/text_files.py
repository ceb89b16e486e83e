"""A log of text files: a generator of batches, one a block of lines, in place of a scan."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from sessionize import schema, sql
from sessionize.config import Config
from sessionize.kernel.references import roots
from sessionize.limits import Limits
from sessionize.read import texts
from sessionize.read.multiline import Records
from sessionize.read.opened import Opened, Unit, first_lines
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.passed_over import PassedOver
from sessionize.read.shares import Share
from sessionize.read.source import Source
from sessionize.values import NamedTuple

PACKED_RATIO: Final = 8
"""Of a compressed log, about; only to estimate how much is still to come."""
SMALL: Final = 1 << 20
"""Bytes of a unit that is parsed once, whole: that takes as long as to parse its first rows twice."""
PLACE_TYPES: Final = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.FAULT: pl.Enum(schema.REASONS)}


def open_csv(sources: Sequence[Source], config: Config) -> TextFiles:
    """CSV, and text whose layout is known.

    Raises:
        InputError: If a file cannot be read, all are empty, or one has another header than the others.
        UsageError: If there is no header at all, or the configuration does not fit the files.
    """
    return TextFiles(*texts.opened(sources, config))


def open_ndjson(sources: Sequence[Source], config: Config) -> TextFiles:
    """NDJSON: every file has the keys of all.

    Raises:
        InputError: If a file cannot be read, or all are empty.
    """
    files, passed_over = texts.opened(sources, config)
    return TextFiles(texts.with_all_keys(files, named_columns(config), config), passed_over)


class _Small(NamedTuple):
    """A small unit that was parsed: the log's first rows are looked at several times, and then read."""

    ordinal: int
    unit: Unit
    rows: pl.DataFrame


class TextFiles:
    """What a log of text files holds.

    Attributes:
        sources: Files that have a line, in input order.
        passed_over: What of the files is not read.
        types: Types of FILE, ROW, FAULT and the files' columns, which are all text.
    """

    def __init__(self, files: Sequence[Opened], passed_over: Sequence[PassedOver]) -> None:
        self._files = dict(enumerate(files))
        self.sources = tuple(file.source for file in files)
        self.passed_over = tuple(passed_over)
        names = (name for file in files for name in (*file.own, *file.parts))
        self.types = pl.Schema({**PLACE_TYPES, **dict.fromkeys(names, pl.String())})
        self._small: _Small | None = None

    def own_columns(self) -> list[tuple[str, ...]]:
        """Columns of each file; of NDJSON, of which each has the keys of all, the same."""
        return [(*file.own, *file.parts) for file in self._files.values()]

    def shares(self, _rows: int) -> list[Share]:
        """Each file by itself, as lines are numbered from a file's start."""
        return [Share(ordinal, 0, file.source.file.bytes, self._only(ordinal)) for ordinal, file in self._files.items()]

    def _only(self, ordinal: int) -> TextFiles:
        """One of the files, as it is among the others: with its ordinal, and the columns of all."""
        one = copy(self)
        one._files = {ordinal: self._files[ordinal]}  # noqa: SLF001 - of a copy of its own
        one.sources = (self._files[ordinal].source,)
        one._small = None  # noqa: SLF001
        return one

    def scan(self) -> pl.LazyFrame:
        """Every row in input order; a block is parsed when its rows are asked for."""
        files, types = self._files, self.types

        def batches(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for ordinal, file in files.items():
                for unit in file.units():
                    batch = self._parsed(ordinal, unit, columns or list(types), None if predicate is not None else left)
                    kept = batch if predicate is None else batch.filter(predicate)
                    yield kept if left is None else kept.head(left)
                    left = None if left is None else left - kept.height
                    if left is not None and left <= 0:
                        return

        return register_io_source(batches, schema=types)

    def _parsed(self, ordinal: int, unit: Unit, columns: list[str], rows: int | None) -> pl.DataFrame:
        """A unit; where its first rows are enough, no more lines than it takes to have more."""
        lines = None if rows is None or len(unit.text) <= SMALL else first_lines(unit, 2 * rows + 1)
        if lines is not None and (few := self._whole(ordinal, lines, columns)).height > (rows or 0):
            return few
        return self._whole(ordinal, unit, columns)

    def _whole(self, ordinal: int, unit: Unit, columns: list[str]) -> pl.DataFrame:
        small = self._small
        if small is not None and (small.ordinal, small.unit) == (ordinal, unit) and {*columns} <= {*small.rows.columns}:
            return small.rows.select(columns)
        if len(unit.text) > SMALL:
            return texts.parsed(ordinal, self._files[ordinal], unit, columns, self.types)
        with_places = [*PLACE_TYPES, *(name for name in columns if name not in PLACE_TYPES)]
        rows = texts.parsed(ordinal, self._files[ordinal], unit, with_places, self.types)
        self._small = _Small(ordinal, unit, rows)
        return rows.select(columns)

    def head(self, rows: int) -> pl.LazyFrame:
        """The first rows; more are not read than are in a block."""
        return self.scan().head(rows)

    def batches(self, limits: Limits, *, by_dictionaries: bool) -> Iterator[Rows]:  # noqa: ARG002 - text holds no dictionaries
        """The rows of some blocks, or of many small files, at a time: of as many bytes as the limits have it."""
        whole = sum(_unpacked_bytes(source) for source in self.sources)
        held: list[tuple[int, Unit]] = []
        seen = size = 0
        for ordinal, file in self._files.items():
            for unit in file.units():
                held.append((ordinal, unit))
                size += len(unit.text)
                if size >= limits.batch_bytes:
                    seen += size
                    yield self._batch(held, min(1.0, seen / whole))
                    held, size = [], 0
        if held:
            yield self._batch(held, 1.0)

    def _batch(self, units: list[tuple[int, Unit]], share: float) -> Rows:
        heights: dict[int, int] = {}

        def parsed(columns: list[str] | None, predicate: pl.Expr | None, *_: Any) -> Iterator[pl.DataFrame]:
            for number, (ordinal, unit) in enumerate(units):
                rows = self._whole(ordinal, unit, columns or list(self.types))
                heights[number] = rows.height
                yield rows if predicate is None else rows.filter(predicate)

        frame = register_io_source(parsed, schema=self.types)
        return Rows(frame, share=share, height=lambda: sum(heights.values()), rows=_lines(units))

    def damaged(self) -> None:
        """Nothing: damage to text shows where it is read, by its name."""

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Lines at given places, bytes that are no UTF-8 as escapes.

        Args:
            rows: FILE and ROW of each.
        """
        found = [
            line for (ordinal,), part in rows.group_by(schema.FILE) for line in self._raw_lines(int(ordinal), part)
        ]
        return pl.DataFrame(
            found, schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32, "raw": pl.String}, orient="row"
        )

    def _raw_lines(self, ordinal: int, rows: pl.DataFrame) -> Iterator[tuple[int, int, str]]:
        wanted = sorted(set(rows[schema.ROW]), reverse=True)
        for numbers, lines in self._files[ordinal].lines():
            while wanted and wanted[-1] <= numbers[-1]:
                number = wanted.pop()
                yield ordinal, number, lines[bisect_left(numbers, number)].decode("utf-8", "backslashreplace")
            if not wanted:
                return


def _lines(units: list[tuple[int, Unit]]) -> int:
    """How many lines they have, if they are as long as those of the first."""
    first = units[0][1]
    lines = len(first.numbers) if isinstance(first, Records) else first.look().line_feeds
    return lines * sum(len(unit.text) for _, unit in units) // max(1, len(first.text))


def _unpacked_bytes(source: Source) -> int:
    return source.file.bytes * (1 if source.packed is None else PACKED_RATIO)


def named_columns(config: Config) -> list[str]:
    """Columns that were asked for by name; of ``a.b``, ``a`` too."""
    names = [name for role in config.columns for name in config.chosen(role)]
    names += [*config.properties, *config.traits, *config.rules.split_names, *config.dimensions.values()]
    texts = [*config.metrics.values(), *config.goals.values(), *(() if config.where is None else (config.where,))]
    names += [name for text in texts for name in sql.columns_of(text)]
    return list(dict.fromkeys(part for name in names for part in (name, *roots(name))))
