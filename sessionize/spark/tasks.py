"""What reads and cuts on the machines of a cluster: pure functions of Arrow batches, none of which knows Spark.

::

    shares ─ ReadShares ─► events ─ shuffle by key, sort by (key, time, place) ─ CutSessions ─► files of sessions, in order
                                                                      ranges of starts ─ MergeSessions ─► parts of the output

A row of the shuffle without a key is no event but what a share came to: so it is counted once, however often its task was
tried. A task gives a line for what it did; its files have names of their own, and those that no line names are nothing.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import Ingest, Totals
from sessionize.engine.names import Names
from sessionize.engine.observe import Observer
from sessionize.engine.tally import Tally
from sessionize.errors import MachineError, SessionizeError
from sessionize.kernel import Dictionaries, as_text
from sessionize.kernel.describe import session_ids
from sessionize.kernel.keys import key_text
from sessionize.kernel.normalise import ID_COLUMNS
from sessionize.kernel.streamed import streamed
from sessionize.limits import Limits
from sessionize.os_errors import writing
from sessionize.output.commit import as_came
from sessionize.output.writers import writer
from sessionize.read.shares import Share
from sessionize.read.source import LogFile
from sessionize.spark.border import Types, decoded, encoded
from sessionize.spark.lines import Failed, PartDone, ShareDone, heard, line, packed

KEY: Final = "sessionize.key"
DONE: Final = "sessionize.done"
"""What a share came to, in a row without a key; null for an event (Binary)."""
SHUFFLED: Final[Types] = {
    KEY: pl.String(),
    schema.TIMESTAMP: pl.Datetime("us", "UTC"),
    schema.SEQ: pl.Int64(),
    DONE: pl.Binary(),
}
"""Columns that every row of the shuffle has, before those of the events: its order is by the first three."""
LOT_ROWS: Final = 1 << 18
"""Events that are cut into sessions at once; of a longer key, its open session is held beside."""
STEP: Final = 64
"""Of so many sessions in a file the start of one is told: to find some, up to twice as many more are read."""
LIMITS: Final = Limits(event_bytes=1 << 30, rows=100_000)


class Numbered(Observer):
    """Gives every event its place, before that of its row is dropped."""

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events with SEQ."""
        return events.with_columns(seq().alias(schema.SEQ))


def seq() -> pl.Expr:
    """Place in the log as one number, which orders rows as their files and rows do."""
    return pl.col(schema.FILE).cast(pl.Int64) * 2**32 + pl.col(schema.ROW).cast(pl.Int64)


def with_key(events: pl.DataFrame) -> pl.DataFrame:
    """Canonical events with the text of their session key."""
    ids = events.select(
        pl.col(role).cast(pl.String).alias(name) for role, name in ID_COLUMNS.items() if role in events.columns
    )
    return events.with_columns(key_text(ids).alias(KEY))


@dataclass(frozen=True)
class Look:
    """First of all: whether the machines have what it takes, and how many tasks Spark runs side by side.

    Attributes:
        needed: Paths that every machine must see; the first is the folder for temporary files.
    """

    needed: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line for each task: the paths that its machine does not see."""
        for _ in batches:
            pass
        yield line((platform.node(), [path for path in self.needed if not os.access(path, os.R_OK)]), self.needed[0])


@dataclass(frozen=True)
class ReadShares:
    """Reads shares of a log: raw rows in, canonical events out.

    Attributes:
        groups: The shares of each task.
        types: Types of the log's columns.
        plan: What the configuration means for the log.
        columns: Types of the shuffle's columns.
        files: The log's files, for the rejected rows.
        folder: Folder for temporary files.
    """

    groups: tuple[tuple[Share, ...], ...]
    types: Types
    plan: Plan
    columns: Types
    files: Sequence[LogFile]
    folder: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Events of the shares of each number that comes, and what each share came to."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for share in self.groups[number]:
                    yield from self._read(share)

    def _read(self, share: Share) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._events(share)
        except SessionizeError as error:
            if isinstance(error, MachineError):  # the machine's: another one may do better
                raise
            yield from self._done(Failed(type(error), error.message, error.hint))

    def _events(self, share: Share) -> Iterator[pa.RecordBatch]:
        names, dictionaries = Names(self.plan), Dictionaries()
        ingest = Ingest(self.types, self.plan, dictionaries, observe=[Numbered()])
        with share.part.reading(), dictionaries:
            for arrived in ingest.events(share.part.batches(LIMITS)):
                names.keys(arrived.events)
                yield from encoded(with_key(arrived.events), self.columns)
        totals = ingest.totals()
        path = self._rejected(share, totals) if totals.rejected.height else None
        yield from self._done(ShareDone((share.ordinal, share.start), totals, names, path))

    def _done(self, said: ShareDone | Failed) -> Iterator[pa.RecordBatch]:
        return encoded(pl.DataFrame({DONE: [packed(said, self.folder)]}), self.columns)

    def _rejected(self, share: Share, totals: Totals) -> str:
        path = Path(self.folder) / f"rejected-{share.ordinal}-{share.start}.{uuid4().hex}"
        origin = _Origin(self.files, share.part)
        with writer(path, "ndjson") as out:
            out.write(as_came(totals.rejected, origin, self.plan))
        return str(path)


class _Origin(NamedTuple):
    """A share as where rejected rows come from."""

    files: Sequence[LogFile]
    part: Any
    passed_over: Sequence[Any] = ()

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What stands at given places."""
        found: pl.DataFrame = self.part.raw(rows)
        return found


@dataclass(frozen=True)
class CutSessions:
    """Cuts the events of whole keys into sessions.

    Attributes:
        plan: The rules.
        columns: Types of the shuffle's columns.
        sessions: An empty frame of sessions, for their columns.
        folder: Folder for temporary files.
        most: Events that are cut at once.
    """

    plan: Plan
    columns: Types
    sessions: pl.DataFrame
    folder: str
    most: int = LOT_ROWS

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line about the sessions of all events that come, ordered by key, time and place."""
        shares: list[ShareDone | Failed] = []
        found, tally = [self.sessions], Tally()
        for part in streamed(events_of(batches, self.columns, self.most, shares), self.plan, self.most):
            found.append(as_text(part.sessions.sessions))
            tally += Tally.of(part.sessions, self.plan, None)
        whole = in_order(pl.concat(found, how="diagonal"), self.plan)
        path = None if whole.is_empty() else self._written(whole)
        starts = whole["start"].gather_every(STEP).to_physical().to_numpy().copy()
        yield line(PartDone(path, whole.height, starts, tally, tuple(shares)), self.folder)

    def _written(self, sessions: pl.DataFrame) -> str:
        path = Path(self.folder) / f"sessions.{uuid4().hex}"
        with writing(path):
            sessions.write_ipc(path, record_batch_size=LIMITS.file_rows, compat_level=pl.CompatLevel.oldest())
        return str(path)


def events_of(
    batches: Iterator[pa.RecordBatch], columns: Types, most: int, shares: list[ShareDone | Failed]
) -> Iterator[pl.DataFrame]:
    """The events among the rows of a shuffle, about so many at a time; what shares came to goes to the list."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        rows = decoded(batch, columns)
        if rows[KEY].null_count():
            shares += [heard(said) for said in rows.filter(pl.col(KEY).is_null())[DONE]]
            rows = rows.filter(pl.col(KEY).is_not_null())
        if rows.height:
            waiting.append(rows.drop(KEY, schema.SEQ, DONE))
        if sum(rows.height for rows in waiting) >= most:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def in_order(sessions: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Sessions as the kernel gives them, in order of start and id."""
    ids = session_ids(sessions, plan).alias("id")
    order = pl.DataFrame([sessions["start"], ids]).select(pl.arg_sort_by("start", "id")).to_series()
    return sessions[order]
