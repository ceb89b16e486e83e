"""Formats of logs: a format is one row of a table, and a module that opens its files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

import polars as pl

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.parquet_files import ParquetFiles, footer_digest
from sessionize.read.passed_over import PassedOver
from sessionize.read.shares import Share
from sessionize.read.source import Source
from sessionize.read.text_files import open_csv, open_ndjson
from sessionize.values import NamedTuple


class Content(Protocol):
    """What the files of a log hold, before a preset says more of it."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Files that are read, in input order; FILE is a place among them."""

    @property
    def passed_over(self) -> tuple[PassedOver, ...]:
        """Which of the files, or what in them, is not read."""

    @property
    def types(self) -> pl.Schema:
        """Of FILE, ROW, FAULT and the files' columns."""

    def own_columns(self) -> Sequence[Collection[str]]:
        """Columns of each file, in input order: those that are null in it where another has them are left out."""

    def scan(self) -> pl.LazyFrame:
        """Every row in input order."""

    def head(self, rows: int, /) -> pl.LazyFrame:
        """The first rows in input order."""

    def batches(self, limits: Limits, /, *, by_dictionaries: bool) -> Iterator[Rows]:
        """The same rows, some at a time.

        Args:
            limits: How many rows a batch has, about, where the format has them numbered.
            by_dictionaries: Whether columns may come as dictionaries, too, where files hold them so.
        """

    def shares(self, rows: int, /) -> list[Share]:
        """The same rows in parts that other processes can read.

        Args:
            rows: How many rows are worth a share of their own, where the format has them numbered.
        """

    def damaged(self) -> InputError | None:
        """What is wrong with a file that could not be read; None where reading itself names the file."""

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """FILE, ROW and ``raw``, what stands in the file, for places given as FILE and ROW."""


class Format(NamedTuple):
    """A format of logs.

    Attributes:
        endings: Endings of its files' names; the first is the usual one.
        opens: Opens the files of a log.
        mark: First bytes of each of its files, by which alone it is told; a text has none.
        digest: Tells a file from any other without reading all of it; a text has none.
    """

    endings: tuple[str, ...]
    opens: Callable[[Sequence[Source], Config], Content]
    mark: bytes = b""
    digest: Callable[[Source], str | None] = lambda _: None


FORMATS: Final[Mapping[InputFormat, Format]] = {
    "csv": Format((".csv", ".tsv", ".txt", ".tab", ".psv", ".log"), open_csv),
    "parquet": Format((".parquet", ".pq", ".parq"), ParquetFiles, b"PAR1", footer_digest),
    "ndjson": Format((".ndjson", ".jsonl", ".json"), open_ndjson),
}
"""Every format of `InputFormat`: a new one is a name there and a row here."""
ENDINGS: Final[Mapping[str, InputFormat]] = {ending: name for name, form in FORMATS.items() for ending in form.endings}
MARKS: Final[Mapping[InputFormat, bytes]] = {name: form.mark for name, form in FORMATS.items() if form.mark}
