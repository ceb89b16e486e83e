"""One event log: many files seen as one frame, in input order, every row with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.kernel.preset_columns import shaped
from sessionize.kernel.references import field, field_type
from sessionize.limits import USUAL_TEXTS, Limits, TextLimits
from sessionize.preset import Preset
from sessionize.read import recognise
from sessionize.read.files import FoundFiles, find
from sessionize.read.formats import FORMATS, Content
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.passed_over import PassedOver
from sessionize.read.shares import Part, Share
from sessionize.read.source import LogFile, Source
from sessionize.read.text_files import named_columns
from sessionize.read.texts import PLACE
from sessionize.values import NamedTuple

SAMPLE_ROWS: Final = 1_000


class Log:
    """An event log.

    Args:
        found: Its files.
        config: What was asked for.
        absent: Columns of nulls beside those that it has.

    Attributes:
        config: What was asked for, with the preset that was found in the log, where one was.
        files: Files of the log, in input order.
        passed_over: What was found beside them, or in them, and is not read.
        schema: Type of each of its own columns; all text but in Parquet.
    """

    def __init__(self, found: FoundFiles, config: Config, absent: Sequence[str] = ()) -> None:
        self.config = config
        self._found = found
        self._content: Content = FORMATS[found.format].opens(found.sources, config)
        self.files: tuple[LogFile, ...] = tuple(source.file for source in self._content.sources)
        self.passed_over: tuple[PassedOver, ...] = (*found.passed_over, *self._content.passed_over)
        self._preset, self._nulls = config.preset, config.nulls
        self._absent = tuple(absent)
        self._frame = self._shaped(self._content.scan())
        types = self._frame.collect_schema()
        self.schema: dict[str, pl.DataType] = {name: dtype for name, dtype in types.items() if name not in PLACE}

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its files and where their bytes lie, in input order."""
        return tuple(self._content.sources)

    def own_columns(self) -> Sequence[Collection[str]]:
        """Columns of each file, as they stand there."""
        return self._content.own_columns()

    def _shaped(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows with what the preset says of the columns themselves, and those that the log has not."""
        rows = shaped(rows, self._content.types, self._preset, self._nulls) if self._is_shaped else rows
        return rows.with_columns(pl.lit(None).alias(name) for name in self._absent) if self._absent else rows

    @property
    def _is_shaped(self) -> bool:
        return self._preset is not None or bool(self._nulls)

    def opened_with(self, config: Config) -> Log:
        """The same files, read by another configuration."""
        return Log(self._found, config)

    def with_nulls(self, config: Config, but: Collection[str], more: Iterable[str] = ()) -> Log:
        """The same files, with a column of nulls for each that was asked for by name and none of them has.

        What lies deeper in a column is then a column by itself, with the whole reference as its name.

        Args:
            config: What was asked for.
            but: Names that may be asked for and are no columns.
            more: Further ones that none of them has.
        """
        names = [name for name in named_columns(config) if name not in but]
        absent = dict.fromkeys(name for name in (*names, *more) if field_type(name, self.schema) is None)
        return Log(self._found, self.config, [*absent]) if absent else self

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
        with _naming(self._content):
            yield

    def shares(self, rows: int) -> list[Share]:
        """The log in parts that other processes can read, in input order.

        Args:
            rows: How many rows are worth a share of their own, where the files have them numbered.
        """
        shapes = (self._content.types, self._preset, self._nulls) if self._is_shaped else None
        return [share._replace(part=LogPart(share.part, shapes)) for share in self._content.shares(rows)]

    def sample(self, column: pl.Expr, rows: int = SAMPLE_ROWS, /) -> pl.Series:
        """A column of the first rows, in input order.

        Args:
            column: Over the log's columns.
            rows: How many, at most.
        """
        return self._shaped(self._content.head(rows)).select(column).collect().to_series()

    def scan(self) -> pl.LazyFrame:
        """FILE, ROW, FAULT and the log's columns, of every row in input order; only what is selected is read."""
        return self._frame

    def batches(self, limits: Limits) -> Iterator[Rows]:
        """The same as `scan`, some rows at a time, so that what is done with them needs memory for these only.

        Args:
            limits: How many rows a batch of a Parquet file has, about; a text file's are blocks of lines.
        """
        # Dictionaries hold what is in the file, not what a preset makes of it.
        for batch in self._content.batches(limits, by_dictionaries=not self._is_shaped):
            yield batch._replace(frame=self._shaped(batch.frame))

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What stands at given places.

        Args:
            rows: FILE and ROW of each.

        Returns:
            FILE, ROW and ``raw``: the line of a text file, bytes that are no UTF-8 as escapes; the row of a Parquet
            file as JSON.
        """
        return self._content.raw(rows.select(schema.FILE, schema.ROW))


class LogPart(NamedTuple):
    """A share of a log, as `Log` gives all of it.

    Attributes:
        part: What the share holds.
        shapes: Types of its columns, and what the preset and nulls say of them; None where they say nothing.
    """

    part: Part
    shapes: tuple[pl.Schema, Preset | None, tuple[str, ...]] | None

    def batches(self, limits: Limits) -> Iterator[Rows]:
        """FILE, ROW, FAULT and the log's columns, some rows at a time."""
        for batch in self.part.batches(limits, by_dictionaries=False):
            yield batch if self.shapes is None else batch._replace(frame=shaped(batch.frame, *self.shapes))

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """FILE, ROW and ``raw`` of places in it."""
        return self.part.raw(rows.select(schema.FILE, schema.ROW))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Names the file, as `Log.reading` does."""
        with _naming(self.part):
            yield


@contextmanager
def _naming(content: Content | Part) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        found = content.damaged()
        if found is None:
            raise
        raise found from None


def open_log(
    config: Config, *, stdin: IO[bytes] | None = None, texts: TextLimits = USUAL_TEXTS, absolute: bool = False
) -> Log:
    """Open the log that a configuration names: its files are found and recognised, their layouts read.

    Args:
        config: Inputs, and how they are laid out.
        stdin: What ``-`` reads; the process's own by default.
        texts: How much of a text file is read at once, and what is refused.
        absolute: Whether files are to be opened by their whole paths, as from other processes.

    Raises:
        InputError: If a file is missing, damaged or of another kind.
        UsageError: If the configuration does not fit the files.
    """
    found = find(config, stdin)
    found = found._replace(sources=tuple(replace(each, limits=texts) for each in found.sources))
    if absolute:
        places = (each.place if "://" in each.place else str(Path(each.place).absolute()) for each in found.sources)
        found = found._replace(
            sources=tuple(replace(each, place=place) for each, place in zip(found.sources, places, strict=True))
        )
    if not recognise.is_wanted(config):
        return Log(found, config)
    settled = recognise.in_text(found.sources, config)
    log = Log(found, settled)
    if settled.preset is None:
        settled = recognise.in_columns(config, log.schema, log.has_value)
    return log if settled.preset is log.config.preset else log.opened_with(settled)
