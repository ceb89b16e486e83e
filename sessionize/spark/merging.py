"""What merges and writes on the machines of a cluster: a range of starts, out of all files of sessions, as a part of each output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import polars as pl
import pyarrow as pa

from sessionize.config import Output, Plan
from sessionize.engine.order import events_order
from sessionize.engine.result import Batch
from sessionize.kernel import as_text, described, stamped
from sessionize.kernel.metrics import FIGURED
from sessionize.output.commit import outputs_of
from sessionize.output.digests import forced
from sessionize.output.geo import Places, located
from sessionize.output.ownership import part_name
from sessionize.spark.cutting import Templates, order_of
from sessionize.spark.files import frame_at, making
from sessionize.spark.lines import Made, RangeDone, line, numbers
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.values import NamedTuple, dataclass

SESSION_ROWS: Final = 1 << 18
"""Sessions that are described and written at once."""


class Slice(NamedTuple):
    """Sessions in a file among which those of a range are.

    Attributes:
        path: Place of the file.
        first: Sessions before them.
        rows: How many they are.
        events: Place of the file of their events; None where these are not to be written.
        before: Events before them.
    """

    path: str
    first: int
    rows: int
    events: str | None
    before: int


class Range(NamedTuple):
    """Sessions that start from ``low`` on and before ``high``, microseconds, and where they lie."""

    low: int
    high: int
    slices: tuple[Slice, ...]


class Target(NamedTuple):
    """Where a task writes parts: no two attempts to the same place.

    Attributes:
        folder: Folder or prefix.
        run: Name of the run, where the parts have their last names at once; None where they are renamed in the end.
    """

    folder: str
    run: str | None = None

    def place(self, name: str, number: int, attempt: str) -> str:
        """Where an attempt writes a part.

        Args:
            name: Name of the output where it is one file.
            number: Number of the part.
            attempt: Name of the attempt, letters and digits.
        """
        if self.run is None:
            return f"{self.folder}/{name}.{number}.{attempt}"
        return f"{self.folder}/{part_name(name, number, f'{self.run}-{attempt[: len(self.run)]}')}"


@dataclass(frozen=True)
class MergeSessions:
    """Brings the sessions of a range of starts together, and writes a part of each output.

    Attributes:
        ranges: The range of each task.
        plan: The rules.
        templates: Columns of sessions and events.
        watermark: Watermark of the whole log.
        output: What to write.
        geo_db: Database that says where an address is.
        folder: Folder for temporary files.
        target: Where the parts are written.
        sizes: How much a line says.
    """

    ranges: tuple[Range, ...]
    plan: Plan
    templates: Templates
    watermark: int | None
    output: Output
    geo_db: str | None
    folder: str
    target: Target
    sizes: Sizes = USUAL_SIZES

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line about the parts of the range of each number that comes."""
        for number in numbers(batches):
            yield line(self._merged(number), self.folder, self.sizes.line_bytes)

    def _merged(self, number: int) -> RangeDone:
        found = self._together(self.ranges[number])
        places = None if self.geo_db is None else Places(self.geo_db)
        measures, attempt = [], uuid4().hex
        outputs = outputs_of(self.plan, self.output)
        lies = {each.name: self.target.place(each.name, number, attempt) for each in outputs}
        rows = dict.fromkeys(lies, 0)
        made: dict[str, Made] = {}
        with ExitStack() as stack:
            paths = {name: stack.enter_context(making(place)) for name, place in lies.items()}
            with ExitStack() as writers:
                files = [(each, writers.enter_context(each.writer(paths[each.name]))) for each in outputs]
                for batch in _cut(found):
                    sessions = stamped(described(batch.sessions, self.plan), self.plan, self.watermark)
                    sessions = located(sessions, places, self.plan)
                    measures.append(as_text(sessions.select(FIGURED)))
                    for each, file in files:
                        frame = as_text(each.take(batch._replace(sessions=sessions)))
                        rows[each.name] += frame.height
                        file.write(frame)
            made = {name: _made(path, lies[name], rows[name]) for name, path in paths.items()}
        return RangeDone(number, made, pl.concat(measures))

    def _together(self, within: Range) -> Batch:
        """All sessions of a range in order, and their events in theirs."""
        parts = [_read(each, within) for each in within.slices]
        sessions = pl.concat([self.templates.sessions, *(part.sessions for part in parts)], how="diagonal")
        order = order_of(sessions, self.plan)
        if self.templates.events is None:
            return Batch(sessions[order])
        events = pl.concat([self.templates.events, *(part.events for part in parts if part.events is not None)])
        return Batch(sessions[order], events[events_order(sessions["events"].to_numpy(), order.to_numpy())])


def _cut(found: Batch) -> Iterator[Batch]:
    """Some sessions at a time, with their events; at least once."""
    before = 0
    for start in range(0, max(1, found.sessions.height), SESSION_ROWS):
        sessions = found.sessions[start : start + SESSION_ROWS]
        number = int(sessions["events"].sum())
        yield Batch(sessions, None if found.events is None else found.events[before : before + number])
        before += number


def _read(place: Slice, within: Range) -> Batch:
    """Those of the sessions that are in a range, and their events."""
    found = frame_at(place.path, place.first, place.rows).collect()
    starts = found["start"].to_physical().to_numpy()
    low, high = (int(at) for at in np.searchsorted(starts, (within.low, within.high), side="left"))
    if place.events is None:
        return Batch(found[low:high])
    skipped, taken = (int(found["events"][part].sum()) for part in (slice(0, low), slice(low, high)))
    return Batch(found[low:high], frame_at(place.events, place.before + skipped, taken).collect())


def _made(path: Path, place: str, rows: int) -> Made:
    """A written file, forced to disk; it lies at its place soon."""
    return Made(place, rows, *forced(path))
