"""A log of Parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.read import parquet
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.passed_over import PassedOver
from sessionize.read.raw_rows import rows_as_json
from sessionize.read.shares import Share
from sessionize.read.source import Source, unreadable
from sessionize.stores import opened


class ParquetFiles:
    """What a log of Parquet files holds.

    Attributes:
        sources: The files, in input order.
        passed_over: Nothing: each is read.
        types: Types of FILE, ROW, FAULT and the files' columns.

    Raises:
        InputError: If a file is damaged, or the files' columns do not fit together.
    """

    passed_over: tuple[PassedOver, ...] = ()

    def __init__(self, sources: Sequence[Source], config: Config) -> None:
        self.sources = tuple(sources)
        if config.verify:
            parquet.verify(self.sources)
        self._frame = parquet.scan(self.sources)
        self.types = self._frame.collect_schema()

    def own_columns(self) -> list[list[str]]:
        """Columns of each file."""
        return parquet.columns(self.sources)

    def scan(self) -> pl.LazyFrame:
        """Every row in input order; only what is selected is read."""
        return self._frame

    def head(self, rows: int) -> pl.LazyFrame:
        """The first rows; more are not read."""
        return parquet.scan(self.sources, rows).head(rows)

    def batches(self, limits: Limits, *, by_dictionaries: bool) -> Iterator[Rows]:
        """Some rows at a time; with columns as dictionaries where a file holds them so, and they are asked for."""
        return parquet.batches(self.sources, self.types, limits, by_dictionaries=by_dictionaries)

    def shares(self, rows: int) -> list[Share]:
        """Whole row groups of a file, of at least so many rows where it has them."""
        return [
            Share(place.ordinal, place.start, place.rows, ParquetRows(place, self.types))
            for place in parquet.places(self.sources, rows)
        ]

    def damaged(self) -> InputError | None:
        """What is wrong with the first file that cannot be read to its end."""
        return parquet.damaged(self.sources)

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows at given places, as JSON.

        Args:
            rows: FILE and ROW of each.
        """
        return _as_json(self._frame, rows)


class ParquetRows:
    """Some rows of a log of Parquet files, as a share of it.

    Args:
        place: Where the rows lie.
        types: Types of FILE, ROW, FAULT and the columns of all files.
    """

    def __init__(self, place: parquet.Place, types: pl.Schema) -> None:
        self._place = place
        self._types = types

    def batches(self, limits: Limits, *, by_dictionaries: bool) -> Iterator[Rows]:  # noqa: ARG002 - read as texts
        """The rows, some at a time."""
        for span in parquet.slices(self._place.rows, limits.rows):
            frame = self._place.scan(self._types, span)
            share = (span.start + span.rows) / max(1, self._place.rows)
            yield Rows(frame, share=share, height=partial(int, span.rows), rows=span.rows)

    def damaged(self) -> InputError | None:
        """What is wrong with the file."""
        return parquet.damaged([self._place.source])

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows at given places, as JSON.

        Args:
            rows: FILE and ROW of each.
        """
        return _as_json(self._place.scan(self._types), rows)


def _as_json(frame: pl.LazyFrame, rows: pl.DataFrame) -> pl.DataFrame:
    found = frame.join(rows.lazy(), on=[schema.FILE, schema.ROW], how="semi").collect(engine="streaming")
    raw = rows_as_json(found.drop(schema.FILE, schema.ROW, schema.FAULT))
    return found.select(schema.FILE, schema.ROW).with_columns(raw=raw)


def footer_digest(source: Source) -> str:
    """SHA-256 of the footer: it holds the place and size of every column, so no other file has it."""
    if source.packed is not None:
        raise InputError(
            f"{source.file.path}: a compressed Parquet file", hint="unpack it first; Parquet is compressed inside"
        )
    size = source.file.bytes
    with unreadable(source.file.path), opened(source.place, source.stamp) as file:
        file.seek(max(0, size - 8))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or length + 12 > size:
            raise InputError(
                f"{source.file.path}: cut short: the Parquet footer is missing", hint="fetch the file again"
            )
        file.seek(size - 8 - length)
        return hashlib.sha256(file.read(length)).hexdigest()
