"""What reads on the machines of a cluster. All tasks are pure functions of Arrow batches, none of which knows Spark.

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
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import Ingest
from sessionize.engine.names import Names
from sessionize.engine.observe import Observer
from sessionize.errors import MachineError, SessionizeError
from sessionize.kernel import Dictionaries
from sessionize.kernel.keys import key_text
from sessionize.kernel.normalise import ID_COLUMNS
from sessionize.limits import Limits
from sessionize.output.commit import as_came
from sessionize.output.writers import writer
from sessionize.read.shares import Share
from sessionize.read.source import LogFile
from sessionize.spark.border import Types, encoded
from sessionize.spark.files import making
from sessionize.spark.lines import Failed, ShareDone, line, numbers, packed
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.stores import StoreError, path_of
from sessionize.values import NamedTuple, dataclass
from sessionize.zones import any_zone

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
        needed: Paths and URIs that every machine must see; the first is the folder for temporary files.
    """

    needed: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line for each task: what its machine does not see, and why, where a store has said so."""
        for _ in batches:
            pass
        looked = [(place, _hidden(place)) for place in self.needed]
        yield line(
            (platform.node(), [(place, why) for place, why in looked if why is not None]),
            self.needed[0],
            USUAL_SIZES.line_bytes,
        )


def _hidden(place: str) -> str | None:
    """Why a place is not seen from here, empty where there is no more to say; None if it is."""
    path = path_of(place)
    if isinstance(path, Path):
        return None if os.access(path, os.R_OK) else ""
    try:
        path.info()
    except StoreError as error:
        return error.what
    return None


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
        sizes: How much a line says.
    """

    groups: tuple[tuple[Share, ...], ...]
    types: Types
    plan: Plan
    columns: Types
    files: Sequence[LogFile]
    folder: str
    sizes: Sizes = USUAL_SIZES

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Events of the shares of each number that comes, and what each share came to."""
        with any_zone():
            for number in numbers(batches):
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
        path = None
        if totals.rejected.height:
            path = write_rejected(self.folder, share, totals.rejected, self.files, self.plan)
        yield from self._done(ShareDone((share.ordinal, share.start), totals, names, path))

    def _done(self, said: ShareDone | Failed) -> Iterator[pa.RecordBatch]:
        return encoded(pl.DataFrame({DONE: [packed(said, self.folder, self.sizes.line_bytes)]}), self.columns)


def write_rejected(folder: str, share: Share, rejected: pl.DataFrame, files: Sequence[LogFile], plan: Plan) -> str:
    """Write rejected rows of a share as they came; the place of the file.

    Args:
        folder: Folder for temporary files.
        share: What they are of.
        rejected: FILE, ROW and REASON of each.
        files: The log's files.
        plan: What the configuration means for the log.
    """
    place = f"{folder}/rejected-{share.ordinal}-{share.start}.{uuid4().hex}"
    with making(place) as path, writer(path, "ndjson") as out:
        out.write(as_came(rejected, _Origin(files, share.part), plan))
    return place


class _Origin(NamedTuple):
    """A share as where rejected rows come from."""

    files: Sequence[LogFile]
    part: Any
    passed_over: Sequence[Any] = ()

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What stands at given places."""
        found: pl.DataFrame = self.part.raw(rows)
        return found
