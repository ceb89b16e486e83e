"""What the tasks of a cluster say: a line for what each did. Lines come back once for a task, however often it was tried."""

from __future__ import annotations

import pickle
import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import uuid4

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sessionize.engine.ingest import Totals
from sessionize.engine.names import Names
from sessionize.engine.tally import Tally
from sessionize.errors import SessionizeError
from sessionize.spark.border import Types, encoded
from sessionize.spark.files import bytes_at, leave_bytes
from sessionize.values import NamedTuple
from sessionize.version import __version__

LINE: Final[Types] = {"versions": pl.String(), "said": pl.Binary()}
"""What a task says: by which versions, and what it did."""
VERSIONS: Final = (
    f"sessionize {__version__}, polars {pl.__version__}, Python {'.'.join(platform.python_version_tuple()[:2])}"
)


def numbers(batches: Iterable[pa.RecordBatch]) -> Iterator[int]:
    """The numbers that a task is run for."""
    for batch in batches:
        yield from batch.column(0).to_pylist()


class Failed(NamedTuple):
    """What stands in the way, and cannot be helped by trying again."""

    error: type[SessionizeError]
    message: str
    hint: str | None


class ShareDone(NamedTuple):
    """What a share of the log came to.

    Attributes:
        at: Ordinal of its file, and rows of the file before it.
        totals: What its rows came to.
        names: What it has of the names that were asked for.
        rejected: Path of its rejected rows as they are written; None where there are none.
    """

    at: tuple[int, int]
    totals: Totals
    names: Names
    rejected: str | None


class Lot(NamedTuple):
    """Sessions in a file, in order of start and id, and maybe their events in another one, in the sessions' order.

    Attributes:
        path: Place of the sessions.
        rows: How many sessions there are.
        starts: Start of the first session and of each ``step``-th behind it, microseconds (int64).
        events: Place of the events; None where they are not to be written.
        events_before: Events before each of these sessions; none where they are not to be written.
        event_rows: How many events there are; 0 where they are not to be written.
        step: How many sessions there are from one of ``starts`` to the next.
    """

    path: str
    rows: int
    starts: NDArray[np.int64]
    events: str | None
    events_before: NDArray[np.int64]
    event_rows: int
    step: int


class PartDone(NamedTuple):
    """What some whole keys came to.

    Attributes:
        lots: Where the sessions of these keys lie.
        tally: Tally of these sessions, but for which of them are active.
        shares: What came with them.
        alone: FILE and ROW of the passive events in no session; None where no event is passive.
    """

    lots: tuple[Lot, ...]
    tally: Tally
    shares: tuple[ShareDone | Failed, ...]
    alone: pl.DataFrame | None


class RejectedDone(NamedTuple):
    """The rejected rows of a share, once all are known.

    Attributes:
        at: Ordinal of its file, and rows of the file before it.
        rejected: Place of its rejected rows as they are written; None where there are none.
    """

    at: tuple[int, int]
    rejected: str | None


class Made(NamedTuple):
    """A part of the output, on disk or in its store."""

    path: str
    rows: int
    bytes: int
    sha256: str


class RangeDone(NamedTuple):
    """What the sessions of a range came to.

    Attributes:
        number: Number of the range.
        files: Name of the output → the file that the range has of it.
        measures: What the figures are made of, one row a session.
    """

    number: int
    files: Mapping[str, Made]
    measures: pl.DataFrame


class Apart(NamedTuple):
    """Where lies what is too long for a line."""

    path: str


def line(said: Any, folder: str, longest: int) -> pa.RecordBatch:
    """What a task says, as its one row.

    Args:
        said: What the task did.
        folder: Folder for what is too long for a line: what Spark gives back at once has a limit.
        longest: Bytes of what is said in the line itself, at most.
    """
    frame = pl.DataFrame({"versions": [VERSIONS], "said": [packed(said, folder, longest)]}, schema=dict(LINE))
    return next(encoded(frame, LINE))


def packed(said: Any, folder: str, longest: int) -> bytes:
    """What a task says, as bytes: few, whatever it says; see `line`."""
    content = pickle.dumps(said)
    if len(content) <= longest:
        return content
    place = f"{folder}/said.{uuid4().hex}"
    leave_bytes(place, content)
    return pickle.dumps(Apart(place))


def heard(said: bytes) -> Any:
    """What a task of this run has said."""
    found = pickle.loads(said)  # noqa: S301 - made by our own task, and passed on by Spark, which sends all it runs so
    if not isinstance(found, Apart):
        return found
    return pickle.loads(bytes_at(found.path))  # noqa: S301
