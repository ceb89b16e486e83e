"""Rows in temporary files: written, read, and taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.kernel.dictionaries import alike
from sessionize.os_errors import writing

BATCH_BYTES: Final = 1 << 19
"""Bytes of a batch of rows: what is read of one is held with the rest of it, of each of hundreds of files at once."""


def write(rows: pl.DataFrame, path: Path) -> None:
    """Write rows, unless there are none."""
    if rows.height:
        # Oldest: a newer form would write all the texts that the rows were taken from.
        with writing(path):
            rows.write_ipc(path, compat_level=pl.CompatLevel.oldest())


def write_for_slices(rows: pl.DataFrame, path: Path, most: int) -> None:
    """Write rows of which some at a time are read, in batches of about BATCH_BYTES.

    Args:
        rows: At least the columns' names and types.
        path: File to write.
        most: Rows of a batch, at most.
    """
    row_bytes = max(1.0, rows.estimated_size() / max(1, rows.height))
    together = max(1, min(most, int(BATCH_BYTES / row_bytes)))
    with writing(path):
        rows.write_ipc(path, record_batch_size=together, compat_level=pl.CompatLevel.oldest())


def slice_of(path: Path, start: int, end: int) -> pl.DataFrame:
    """The rows of a file from one place up to, but not with, another."""
    with writing(path, "read"):
        return pl.scan_ipc(path).slice(start, end - start).collect()


def read(path: Path) -> pl.DataFrame:
    """The rows of a file."""
    with writing(path, "read"):
        return pl.read_ipc(path)


def packed(rows: pl.DataFrame) -> bytes:
    """The rows as a file would have them, without anything of those that they were taken from."""
    file = BytesIO()
    rows.write_ipc(file, compat_level=pl.CompatLevel.oldest())
    return file.getvalue()


def unpacked(content: bytes) -> pl.DataFrame:
    """Rows that were packed."""
    return pl.read_ipc(content)


def delete(files: Iterable[Path]) -> None:
    """Delete files."""
    for path in files:
        with writing(path, "delete"):
            path.unlink()


def file_number(path: Path) -> int:
    """The number at the end of a file's name."""
    return int(path.stem.rsplit("-", 1)[1])


def apart(stored: pl.DataFrame, part: NDArray[np.uint16], count: int) -> list[pl.DataFrame]:
    """Rows by the number of the part that each is in, those of each part in their order."""
    ends = np.cumsum(np.bincount(part, minlength=count))
    ordered = stored[np.argsort(part, kind="stable").astype(np.uint32)]
    return [ordered[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def together(frames: Iterator[pl.DataFrame], size: float) -> Iterator[pl.DataFrame]:
    """The frames in order, some of them as one: so many that they take so many bytes, or one."""
    gathered: list[pl.DataFrame] = []
    for frame in frames:
        gathered.append(frame)
        del frame
        if sum(each.estimated_size() for each in gathered) >= size:
            yield _as_one(gathered)
    if gathered:
        yield _as_one(gathered)


def _as_one(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The frames as one, let go of."""
    found = pl.concat(alike(frames), how="diagonal", rechunk=False)
    frames.clear()
    return found
