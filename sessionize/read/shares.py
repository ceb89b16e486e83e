"""Shares of a log: parts that other processes read by themselves, each as it would be read with the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import polars as pl

from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.read.parquet_dictionaries import Rows
from sessionize.values import NamedTuple


class Part(Protocol):
    """What a share holds. It can be sent to another process, and opens its file there."""

    def batches(self, limits: Limits, /, *, by_dictionaries: bool) -> Iterator[Rows]:
        """Its rows, some at a time, with the columns of the whole log."""

    def damaged(self) -> InputError | None:
        """What is wrong with its file; None where reading itself names the file."""

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """FILE, ROW and ``raw`` of places in it."""


class Share(NamedTuple):
    """A part of a log.

    Attributes:
        ordinal: Ordinal of its file among the log's files.
        start: Rows of the file before it.
        size: How large it is, compared to the log's other shares.
        part: What it holds; of a `Log` with what the preset says of the columns.
    """

    ordinal: int
    start: int
    size: int
    part: Any
