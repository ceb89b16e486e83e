"""Frames to files, in one of the formats of a table, batch by batch. What appears under which name, and when, is `publish`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any, Final, Protocol, Self

import polars as pl
from polars.io.plugins import register_io_source

from sessionize.config import OutputFormat
from sessionize.kernel import as_text
from sessionize.kernel.describe import BATCH_ROWS
from sessionize.kernel.record import bulk_records, json_records, json_rows, times_of_log
from sessionize.os_errors import writing
from sessionize.output.reading import Read, from_csv, from_json, from_parquet, text_bytes
from sessionize.values import NamedTuple

COMPRESSION_LEVEL: Final = 1
"""Of zstd: a third less time than the default for files 6 % larger."""
GROUP_BYTES: Final = 32 << 20
"""Bytes of the texts in a row group of Parquet, about."""
LEAST_GROUP: Final = 1 << 12
FIRST_ROWS: Final = 1 << 12
"""So many rows, the first of all, tell how long the others are."""
TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
CSV_TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
ARROW_SCHEMA: Final = "ARROW:schema"
Lines = Callable[[pl.DataFrame], pl.Series]


FORMULA: Final = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""
UNSEEN: Final = (
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
)
"""Characters that steer a terminal or turn its text around, and that JSON lets stand as they are."""
ESCAPES: Final = {chr(code): f"\\u{code:04x}" for code in UNSEEN}


def seen(lines: pl.Series) -> pl.Series:
    """JSON text of the same meaning that no terminal obeys, whatever the log holds."""
    return lines.str.replace_many(ESCAPES) if lines.str.contains(f"[{''.join(ESCAPES)}]").any() else lines


class Writer(Protocol):
    """A file that is written batch by batch; its bytes do not depend on how the rows are cut into batches."""

    def write(self, rows: pl.DataFrame) -> None:
        """Append rows, of the same columns each time."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Finish the file."""


class ParquetWriter:
    """Row groups of at most BATCH_ROWS rows; of fewer where the first rows are long, as Polars holds a whole group.

    Polars encodes in a thread of its own, while the next batch is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._batches: Queue[pl.DataFrame | None] = Queue(maxsize=2)
        self._failed: list[BaseException] = []
        self._ended = False
        self._thread: Thread | None = None
        self._first: list[pl.DataFrame] = []

    def __enter__(self) -> Self:
        """Nothing to open: the columns are known with the first batch."""
        return self

    def write(self, rows: pl.DataFrame) -> None:
        """Append rows.

        Raises:
            OutputError: If an earlier batch could not be written.
        """
        if self._thread is None:
            self._first.append(rows)
            if sum(frame.height for frame in self._first) >= FIRST_ROWS:
                self._start()
            return
        self._put(rows)

    def _start(self) -> None:
        """Begin to write: the first rows, however they were cut, tell how large the groups are."""
        first, self._first = self._first, []
        group = group_rows(pl.concat(first).head(FIRST_ROWS))
        self._thread = Thread(target=self._sink, args=(first[0].schema, group), daemon=True)
        self._thread.start()
        while first:
            self._put(first.pop(0))

    def _put(self, rows: pl.DataFrame) -> None:
        self._batches.put(rows)
        if self._failed:
            raise self._failed[0]

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Write the footer, or after an error stop where it is."""
        if self._first and error is None:
            self._start()
        self._batches.put(None)
        if self._thread is not None:
            self._thread.join()
        if self._failed and error is None:
            raise self._failed[0]

    def _sink(self, schema: pl.Schema, group: int) -> None:
        try:
            with writing(self._path):
                register_io_source(self._taken, schema=schema).sink_parquet(
                    self._path, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=group,
                    metadata=_said_to_be_text(schema), engine="streaming",
                )  # fmt: skip
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that writes
            self._failed.append(error)
            while not self._ended and self._batches.get() is not None:
                pass

    def _taken(self, columns: list[str] | None, *_: Any) -> Iterator[pl.DataFrame]:
        while (batch := self._batches.get()) is not None:
            yield batch if columns is None else batch.select(columns)
        self._ended = True  # what fails from here on, the footer, must not wait for another end


def group_rows(first: pl.DataFrame) -> int:
    """Rows of a row group, a power of two: so many as take about GROUP_BYTES, if all are as long as the first.

    Examples:
        >>> group_rows(pl.DataFrame({"page": ["x" * 10_000] * 3})), group_rows(pl.DataFrame({"page": ["/"]}))
        (4096, 262144)
    """
    most = GROUP_BYTES // (1 + text_bytes(first) // max(1, first.height))
    return min(BATCH_ROWS, max(LEAST_GROUP, 1 << (most.bit_length() - 1)))


def _said_to_be_text(schema: pl.Schema) -> dict[str, str]:
    """What Polars says of the columns' types to readers of Arrow, if codes were texts.

    A code is written as the dictionary page of a text would be, in half the time; but it should be read as a text.
    """
    file = BytesIO()
    as_text(pl.DataFrame(schema=schema)).write_parquet(file)
    file.seek(0)
    return {ARROW_SCHEMA: pl.read_parquet_metadata(file)[ARROW_SCHEMA]}


class _TextWriter:
    """What the text formats share: an open file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0

    def __enter__(self) -> Self:
        """Open the file."""
        with writing(self._path):
            self._out: IO[bytes] = self._path.open("wb")
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the file."""
        with writing(self._path):
            self._out.close()


class CsvWriter(_TextWriter):
    """CSV with a header line; times are ISO 8601 with Z."""

    def __init__(self, path: Path, *, safe: bool) -> None:
        super().__init__(path)
        self._safe = safe

    def write(self, rows: pl.DataFrame) -> None:
        """Append rows."""
        rows = as_text(rows)
        rows = rows.with_columns(_no_formula(pl.col(pl.String))) if self._safe else rows
        with writing(self._path):
            rows.with_columns(times_of_log(rows)).write_csv(
                self._out, datetime_format=CSV_TIME, include_header=not self._rows
            )
        self._rows += max(1, rows.height)


def _no_formula(texts: pl.Expr) -> pl.Expr:
    return pl.when(texts.str.contains(FORMULA)).then("'" + texts).otherwise(texts).name.keep()


class JsonWriter(_TextWriter):
    """JSON objects, one a line, or as one array."""

    def __init__(self, path: Path, lines: Lines, *, array: bool) -> None:
        super().__init__(path)
        self._lines = lines
        self._array = array

    def __enter__(self) -> Self:
        """Open the file, and the array."""
        super().__enter__()
        with writing(self._path):
            self._out.write(b"[\n" if self._array else b"")
        return self

    def write(self, rows: pl.DataFrame) -> None:
        """Append rows."""
        separator = b",\n" if self._array else b"\n"
        lines = seen(self._lines(rows))
        if len(lines):
            with writing(self._path):
                self._out.write(separator if self._rows else b"")
                self._out.write(separator.join(line.encode() for line in lines))
            self._rows += len(lines)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the array, and the file."""
        end = b"\n" if self._rows else b""
        with writing(self._path):
            self._out.write(end + b"]\n" if self._array else end)
        super().__exit__(kind, error, trace)


class Format(NamedTuple):
    """A format of outputs.

    Attributes:
        open: Opens a file, given its path, what gives the JSON object of each row, and whether texts that a spreadsheet
            would take for a formula begin with an apostrophe.
        read: Gives the rows of such a file again, some at a time.
        records: Gives the lines of sessions, given their time zone, where rows are JSON objects: session records are then
            written with their open objects as objects; None for a format of columns.
    """

    open: Callable[[Path, Lines, bool], Writer]
    read: Read
    records: Callable[[pl.DataFrame, str], pl.Series] | None = None


FORMATS: Final[Mapping[OutputFormat, Format]] = {
    "parquet": Format(lambda path, _lines, _safe: ParquetWriter(path), from_parquet),
    "json": Format(lambda path, lines, _safe: JsonWriter(path, lines, array=True), from_json, json_records),
    "ndjson": Format(lambda path, lines, _safe: JsonWriter(path, lines, array=False), from_json, json_records),
    "csv": Format(lambda path, _lines, safe: CsvWriter(path, safe=safe), from_csv),
    "es-bulk": Format(lambda path, lines, _safe: JsonWriter(path, lines, array=False), from_json, bulk_records),
}
"""Every format of `OutputFormat`: a new one is a name there and a row here."""


def writer(path: Path, form: OutputFormat, lines: Lines = json_rows, *, safe_csv: bool = False) -> Writer:
    """A writer of a format.

    Args:
        path: Path of the file.
        form: Format of the file.
        lines: Gives the JSON object of each row, for the formats that are JSON.
        safe_csv: Whether texts that a spreadsheet would take for a formula begin with an apostrophe in a CSV.
    """
    return FORMATS[form].open(path, lines, safe_csv)
