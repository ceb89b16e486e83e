"""What every command begins with: the log is found, it is decided what it means, and what a run may take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Protocol, runtime_checkable

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.ingest import EventLog
from sessionize.limits import Limits
from sessionize.output.commit import Origin
from sessionize.output.geo import Places
from sessionize.plan import Known, resolve
from sessionize.read import Log, LogFile, Rows, open_log
from sessionize.read.frame import FrameLog, open_frame
from sessionize.read.passed_over import PassedOver
from sessionize.read.piped import unpacked_first
from sessionize.read.source import Source as LogSource
from sessionize.scratch import Scratch
from sessionize.values import NamedTuple


class Source(EventLog, Origin, Protocol):
    """A log: its rows as the engine takes them, and as they stand in its files."""

    @property
    def sources(self) -> Sequence[LogSource]:
        """Its files and where their bytes lie, in input order."""

    def own_columns(self) -> Sequence[Collection[str]]:
        """Columns of each file, as they stand there; none of a log that is in no file."""

    def sample(self, column: pl.Expr, rows: int = ..., /) -> pl.Series:
        """A column of the first rows."""


class Opened(NamedTuple):
    """A log that is ready to be sessionized.

    Attributes:
        log: The log; it has been looked at, not read.
        plan: What the configuration means for it.
        limits: What memory and disk there is; its temporary files go with the end of the block.
        places: Where addresses are; None if that was not asked for.
    """

    log: Source
    plan: Plan
    limits: Limits
    places: Places | None


@runtime_checkable
class Follows(Protocol):
    """A progress that is told how far a log has been read, too."""

    def read(self, share: float, rows: int, whole: int) -> None:
        """Some more was read: so large a share of the log's bytes, so many rows."""


def log_of(config: Config, limits: Limits | None = None) -> Log | FrameLog:
    """The log that a configuration names, which has looked for its layout; one that is piped in can be had but once.

    Args:
        config: What was asked for.
        limits: What may be held at once; None for what the configuration's memory limit comes to.

    Raises:
        InputError: If a file is missing, damaged or of another kind.
        UsageError: If the configuration does not fit the files.
    """
    if config.frame is not None:
        return open_frame(config)
    return open_log(config, texts=(limits or Limits.of(config.memory_limit)).texts)


@contextmanager
def opened(
    config: Config,
    limits: Limits | None = None,
    progress: object = None,
    *,
    log: Source | None = None,
    plan: Plan | None = None,
    known: Known | None = None,
) -> Iterator[Opened]:
    """Open the log that a configuration names.

    Args:
        config: What was asked for.
        limits: What may be held at once; None for what the configuration's memory limit comes to.
        progress: If it `Follows`, it is told how far the log has been read.
        log: A log that is not in the configuration's inputs; None for these.
        plan: What the configuration means, where that cannot be seen from the log.
        known: What the nights before have found.

    Raises:
        InputError: If a file is missing, damaged or of another kind.
        UsageError: If the configuration does not fit the files.
    """
    places = None if config.geo_db is None else Places(config.geo_db)
    limits = limits or Limits.of(config.memory_limit)
    if log is None:
        read = log_of(config, limits)
        config, log = read.config, read
    found: Source = log
    with found.reading(), unpacked_first(found.sources):
        meant = resolve(config, found.schema, found.sample, known) if plan is None else plan
    if isinstance(progress, Follows):
        found = _Followed(found, progress)
    with Scratch() as scratch:
        yield Opened(found, meant, replace(limits, scratch=scratch), places)


class _Followed:
    """A log that tells how far it has been read.

    Args:
        log: The log.
        progress: Called with what was read so far.
    """

    def __init__(self, log: Source, progress: Follows) -> None:
        self._log = log
        self._progress = progress
        self.files = log.files
        self.passed_over = log.passed_over
        self.sources = log.sources
        self.schema = log.schema
        self.own_columns = log.own_columns
        self.reading = log.reading
        self.sample = log.sample
        self.raw = log.raw

    def batches(self, limits: Limits) -> Iterable[Rows]:
        """The log's rows, some at a time."""
        seen, whole = 0, sum(file.bytes for file in self.files)
        for rows in self._log.batches(limits):
            yield rows
            seen += rows.rows
            self._progress.read(rows.share, seen, whole)


class NoLog:
    """A log without files and rows."""

    files: Sequence[LogFile] = ()
    passed_over: Sequence[PassedOver] = ()
    sources: Sequence[LogSource] = ()

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """No columns."""
        return {}

    def batches(self, limits: Limits) -> Iterable[Rows]:  # noqa: ARG002
        """No rows."""
        return ()

    def own_columns(self) -> Sequence[Collection[str]]:
        """No file."""
        return ()

    def reading(self) -> AbstractContextManager[None]:
        """There is nothing to be damaged."""
        return nullcontext()

    def sample(self, column: pl.Expr, rows: int = 0, /) -> pl.Series:  # noqa: ARG002
        """No row of the column."""
        return pl.DataFrame().select(column).to_series()

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """No row."""
        return rows.select(schema.FILE, schema.ROW).with_columns(raw=pl.lit("")).clear()
