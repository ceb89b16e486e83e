"""Files that tasks leave for one another, where every machine sees them: in a folder, or below a prefix of an object store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Final

import polars as pl
import pyarrow as pa

from sessionize.os_errors import writing
from sessionize.output.upload import send, sending
from sessionize.scratch import home
from sessionize.stores import StorePath, path_of

BATCH_ROWS: Final = 1 << 14
"""Rows of a batch of a frame: to read some of it, all of the batches they lie in are read."""


@contextmanager
def making(place: str) -> Iterator[Path]:
    """A path of this machine to write to; what is written lies at the place, whole, once the block has ended.

    Args:
        place: Path or URI.

    Raises:
        OutputError: If it cannot be written.
    """
    path = path_of(place)
    if isinstance(path, Path):
        with writing(path):
            yield path
        return
    folder = Path(mkdtemp(dir=home()))
    try:
        with writing(folder):
            yield folder / path.name
        with sending(path.parent):
            send(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leave_bytes(place: str, content: bytes) -> None:
    """Leave some bytes at a place."""
    with making(place) as path:
        path.write_bytes(content)


def bytes_at(place: str) -> bytes:
    """What was left there."""
    path = path_of(place)
    if isinstance(path, StorePath):
        with sending(path.parent):
            return path.read_bytes()
    with writing(path, "read"):
        return path.read_bytes()


def copy_to(out: IO[bytes], place: str) -> None:
    """Append what was left there to a file."""
    path = path_of(place)
    with sending(path.parent) if isinstance(path, StorePath) else writing(path, "read"), path.open("rb") as content:
        shutil.copyfileobj(content, out, 8 << 20)


def leave_frame(place: str, frame: pl.DataFrame) -> None:
    """Leave a frame at a place."""
    with making(place) as path:
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
        with pa.ipc.new_file(path, table.schema) as out:
            out.write_table(table, max_chunksize=BATCH_ROWS)


def frame_at(place: str, first: int = 0, rows: int | None = None) -> pl.LazyFrame:
    """Some rows of a frame that was left there.

    Args:
        place: Path or URI.
        first: Rows before them.
        rows: How many; None for all.
    """
    path = path_of(place)
    if isinstance(path, Path):
        with writing(path, "read"):
            return pl.scan_ipc(path).slice(first, rows)
    with sending(path.parent):
        return _fetched(path, first, rows)


def _fetched(path: StorePath, first: int, rows: int | None) -> pl.LazyFrame:
    """Only the batches that hold the rows are read."""
    with path.opened() as file, pa.ipc.open_file(file) as found:
        start = first // BATCH_ROWS
        end = found.num_record_batches if rows is None else -(-(first + rows) // BATCH_ROWS)
        batches = [found.get_batch(at) for at in range(start, min(end, found.num_record_batches))]
        frame = pl.DataFrame(pa.Table.from_batches(batches, found.schema))
    return frame.lazy().slice(first - start * BATCH_ROWS, rows)
