"""Rows in temporary files: written, read, and taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.os_errors import writing


def write(rows: pl.DataFrame, path: Path) -> None:
    """Write rows, unless there are none."""
    if rows.height:
        # Oldest: a newer form would write all the texts that the rows were taken from.
        with writing(path):
            rows.write_ipc(path, compat_level=pl.CompatLevel.oldest())


def read(path: Path) -> pl.DataFrame:
    """The rows of a file."""
    with writing(path, "read"):
        return pl.read_ipc(path)


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
