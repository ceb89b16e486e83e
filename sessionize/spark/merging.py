"""What merges and writes on the machines of a cluster: a range of starts, out of all files of sessions, as a part of each output."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

import polars as pl
import pyarrow as pa

from sessionize.config import Output, Plan
from sessionize.engine.result import Batch
from sessionize.kernel import as_text, described, stamped
from sessionize.kernel.metrics import FIGURED
from sessionize.os_errors import writing
from sessionize.output.commit import outputs_of
from sessionize.output.geo import Places, located
from sessionize.spark.lines import Made, RangeDone, line
from sessionize.spark.tasks import in_order

SESSION_ROWS: Final = 1 << 18
"""Sessions that are described and written at once."""


class Slice(NamedTuple):
    """Sessions in a file among which those of a range are: the first of them, and how many."""

    path: str
    first: int
    rows: int


class Range(NamedTuple):
    """Sessions that start from ``low`` on and before ``high``, microseconds, and where they lie."""

    low: int
    high: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class MergeSessions:
    """Brings the sessions of a range of starts together, and writes a part of each output.

    Attributes:
        ranges: The range of each task.
        plan: The rules.
        sessions: An empty frame of sessions, for their columns.
        watermark: Watermark of the whole log.
        output: What to write.
        geo_db: Database that says where an address is.
        folder: Folder for temporary files.
    """

    ranges: tuple[Range, ...]
    plan: Plan
    sessions: pl.DataFrame
    watermark: int | None
    output: Output
    geo_db: str | None
    folder: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line about the parts of the range of each number that comes."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield line(self._merged(number), self.folder)

    def _merged(self, number: int) -> RangeDone:
        within = self.ranges[number]
        found = in_order(
            pl.concat([self.sessions, *(_read(each, within) for each in within.slices)], how="diagonal"), self.plan
        )
        places = None if self.geo_db is None else Places(self.geo_db)
        rows, measures = 0, []
        own = uuid4().hex
        outputs = outputs_of(self.plan, self.output)
        paths = {each.name: Path(self.folder) / f"{each.name}.{number}.{own}" for each in outputs}
        with ExitStack() as stack:
            files = [(each.take, stack.enter_context(each.writer(paths[each.name]))) for each in outputs]
            for start in range(0, max(1, found.height), SESSION_ROWS):
                sessions = stamped(described(found[start : start + SESSION_ROWS], self.plan), self.plan, self.watermark)
                sessions = located(sessions, places, self.plan)
                measures.append(as_text(sessions.select(FIGURED)))
                rows += sessions.height
                for take, file in files:
                    file.write(as_text(take(Batch(sessions))))
        return RangeDone(number, {name: _made(path, rows) for name, path in paths.items()}, pl.concat(measures))


def _read(place: Slice, within: Range) -> pl.DataFrame:
    start = pl.col("start").to_physical()
    with writing(place.path, "read"):
        found = pl.scan_ipc(place.path).slice(place.first, place.rows)
        return found.filter((start >= within.low) & (start < within.high)).collect()


def _made(path: Path, rows: int) -> Made:
    """A written file, forced to disk."""
    with writing(path), path.open("rb") as file:
        os.fsync(file.fileno())
        return Made(str(path), rows, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
