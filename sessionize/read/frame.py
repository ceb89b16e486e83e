"""A frame in memory, or one that Polars is yet to make, as a log: its rows are those of a Parquet file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError, SessionizeError
from sessionize.kernel.preset_columns import shaped
from sessionize.kernel.references import field
from sessionize.limits import Limits
from sessionize.read import recognise
from sessionize.read.log import SAMPLE_ROWS
from sessionize.read.parquet import FAULTS
from sessionize.read.parquet_dictionaries import Rows
from sessionize.read.passed_over import PassedOver
from sessionize.read.plain_types import as_read
from sessionize.read.raw_rows import rows_as_json
from sessionize.read.source import LogFile, Source
from sessionize.read.texts import PLACE
from sessionize.read.twins import of_types

CALLED: Final = "the frame"
"""What messages call it."""


class FrameLog:
    """A frame in place of a log's files.

    Args:
        config: What was asked for, with the frame.

    Attributes:
        config: What was asked for.
        files: The frame as the only file, so that places in it can be told.
        passed_over: Nothing.
        sources: None: it has no bytes.
    """

    files: Sequence[LogFile] = (LogFile(CALLED, "parquet", 0, None, None),)
    passed_over: Sequence[PassedOver] = ()
    sources: Sequence[Source] = ()

    def __init__(self, config: Config) -> None:
        self.config = config
        given: pl.LazyFrame = config.frame.lazy()
        names = [name for name, dtype in given.collect_schema().items() if dtype != pl.Object and name not in PLACE]
        self._given = given.select(names)
        types = dict(self._given.collect_schema())
        if (twins := of_types(types)) is not None:
            raise InputError(f"{CALLED}: {twins.said}", hint=f"leave it out: frame.drop({twins.column!r})")
        self._held = config.frame.select(names) if isinstance(config.frame, pl.DataFrame) else None
        self._types = dict(self._read(self._given, types).collect_schema())
        self._own_types = types

    def own_columns(self) -> Sequence[Collection[str]]:
        """No file."""
        return ()

    def _read(self, frame: pl.LazyFrame, types: dict[str, pl.DataType], start: int = 0) -> pl.LazyFrame:
        """FILE, ROW, FAULT and the columns, as a file's rows are read."""
        read, read_types = as_read(frame.with_row_index(schema.ROW, offset=start + 1), types)
        rows = read.select(
            pl.lit(0, pl.UInt32).alias(schema.FILE),
            pl.col(schema.ROW).cast(pl.UInt32),
            pl.lit(None, FAULTS).alias(schema.FAULT),
            *types,
        )
        preset, nulls = self.config.preset, self.config.nulls
        return shaped(rows, read_types, preset, nulls) if preset is not None or nulls else rows

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Type of each of the frame's columns."""
        return {name: dtype for name, dtype in self._types.items() if name not in PLACE}

    def has_value(self, reference: str) -> bool:
        """Whether a reference finds a value in the first rows."""
        with suppress(pl.exceptions.PolarsError):
            values = self.sample(field(reference, self.schema))
            return values.null_count() < len(values)
        return False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Says that it is the frame that cannot be made, where it is.

        Raises:
            InputError: In place of what it raises, if the query of the frame itself fails.
        """
        try:
            yield
        except SessionizeError:
            raise
        except (Exception, pl.exceptions.PanicException):
            try:
                self._given.collect(engine="streaming")
            except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - functions in it fail in any way
                raise _cannot_be_made(error) from None
            raise

    def sample(self, column: pl.Expr, rows: int = SAMPLE_ROWS, /) -> pl.Series:
        """A column of the first rows."""
        return self._read(self._given, self._own_types).head(rows).select(column).collect().to_series()

    def batches(self, limits: Limits) -> Iterable[Rows]:
        """All rows: those of a frame in memory some at a time, those of another one as Polars makes them."""
        if self._held is None:
            rows = self._read(self._given, self._own_types)
            height = rows.select(pl.len())
            yield Rows(rows, height=lambda: int(height.collect().item()))
            return
        whole = self._held.height
        for start in range(0, max(1, whole), limits.rows):
            part = self._held.slice(start, limits.rows)
            share = min(1.0, (start + limits.rows) / max(1, whole))
            rows = self._read(part.lazy(), self._own_types, start)
            yield Rows(rows, share=share, height=lambda part=part: part.height, rows=part.height)  # type: ignore[misc]

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows at given places, as JSON.

        Args:
            rows: FILE and ROW of each.
        """
        wanted = rows.select(pl.col(schema.ROW).cast(pl.UInt32)).lazy()
        given, _ = as_read(self._given, self._own_types)
        numbered = given.with_row_index(schema.ROW, offset=1).with_columns(pl.col(schema.ROW).cast(pl.UInt32))
        found = numbered.join(wanted, on=schema.ROW, how="semi").collect()
        place = pl.lit(0, pl.UInt32).alias(schema.FILE)
        return found.select(place, schema.ROW).with_columns(raw=rows_as_json(found.drop(schema.ROW)))


def open_frame(config: Config) -> FrameLog:
    """Open the frame of a configuration; a known layout that it has is found as a file's is.

    Args:
        config: What was asked for, with a frame.

    Raises:
        InputError: If the query of the frame is wrong.
        UsageError: If more than one layout fits.
    """
    try:
        log = FrameLog(config)
    except SessionizeError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - a file that it scans may be missing
        raise _cannot_be_made(error) from None
    if not recognise.is_wanted(config):
        return log
    with log.reading():
        settled = recognise.in_columns(config, log.schema, log.has_value)
    return log if settled is config else FrameLog(settled)


def _cannot_be_made(error: BaseException) -> InputError:
    return InputError(
        f"{CALLED} cannot be collected: {next(iter(str(error).strip().splitlines()), type(error).__name__)}"
    )
