"""The steps of a run on a cluster, but for what becomes visible: shares to sessions in files, and these to parts of outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.config import Output, Plan, Rules
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names
from sessionize.engine.policy import ONE_SHOT
from sessionize.engine.result import Result
from sessionize.errors import AccountingError, MachineError, UsageError
from sessionize.kernel import as_text, sessionize
from sessionize.kernel.enrich import told_columns
from sessionize.read.shares import Share
from sessionize.read.source import LogFile, Source
from sessionize.spark.border import Types
from sessionize.spark.cluster import Cluster, Line
from sessionize.spark.lines import VERSIONS, Failed, PartDone, RangeDone, ShareDone, heard
from sessionize.spark.merging import MergeSessions, Range, Slice
from sessionize.spark.tasks import SHUFFLED, STEP, CutSessions, Look, ReadShares

SHARE_ROWS: Final = 1 << 20
"""Rows of a Parquet file that are worth a task of their own."""
PART_EVENTS: Final = 1_000_000
"""Events of a part of the shuffle, about."""
RANGE_SESSIONS: Final = 1 << 18
"""Sessions that are worth a file of their own."""
BYTES_A_ROW: Final = 100
"""Of a text file, about."""
LEAST, MOST = -(2**63), 2**63 - 1
LEAST, MOST = -(2**63), 2**63 - 1


class Shared(Protocol):
    """A log that other processes can read: `read.log.Log`."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Type of each of its columns."""

    @property
    def files(self) -> Sequence[LogFile]:
        """Its files, in input order."""

    @property
    def sources(self) -> Sequence[Source]:
        """Its files and where their bytes lie."""

    def shares(self, rows: int) -> list[Share]:
        """Its parts, in input order."""


class Work(NamedTuple):
    """A log, and what it takes to sessionize it.

    Attributes:
        cluster: Runs the tasks.
        log: The log.
        plan: What the configuration means for it.
        folder: Folder for temporary files, which every machine sees.
        partitions: How many parts the events are shuffled into; None for what their number asks for.
    """

    cluster: Cluster
    log: Shared
    plan: Plan
    folder: str
    partitions: int | None = None


class Cut(NamedTuple):
    """A log's sessions, and what its rows came to.

    Attributes:
        result: What the log came to, but for its sessions, and for which of them are active.
        names: What it has of the names that were asked for.
        rejected: Files of its rejected rows, in input order.
        ranges: Where its sessions lie.
        sessions: An empty frame of sessions, for their columns.
    """

    result: Result
    names: Names
    rejected: tuple[str, ...]
    ranges: tuple[Range, ...]
    sessions: pl.DataFrame


def refuse_rules(rules: Rules) -> None:
    """Refuse the rule that is not told apart here: a passive event in no session is a rejected row, told by its place.

    Raises:
        UsageError: If it is in force.
    """
    if rules.passive:
        raise UsageError(
            f"--passive {rules.passive[0]} is not yet for --engine spark",
            hint="leave it out, with --rules that have it, or run on one machine",
        )


def looked(work: Work) -> int:
    """How many tasks run side by side, on machines that have what it takes."""
    lines = work.cluster.each(
        None, Look((work.folder, *(source.place for source in work.log.sources if source.stamp is None)))
    )
    for name, missing in _heard(lines):
        if missing:
            raise MachineError(
                f"{missing[0]} is not seen by the machine {name} of the cluster",
                hint="inputs and -o must lie where every machine sees them by the same path, such as NFS",
            )
    return len(lines)


def _heard(lines: Iterable[Line]) -> list[Any]:
    """What tasks have said, if all of them run the versions that are here."""
    for line in lines:
        if line.versions != VERSIONS:
            raise MachineError(
                f"a machine of the cluster has {line.versions}, here there is {VERSIONS}; nothing was written",
                hint="the same environment must be on every machine: pack this one and send it along",
            )
    return [heard(line.said) for line in lines]


def columns_of(types: Types, plan: Plan) -> dict[str, pl.DataType]:
    """Types of the shuffle's columns: those of its own, then those of canonical events, whatever the rows tell.

    Args:
        types: Types of the log's columns.
        plan: What the configuration means for the log.
    """
    told = dict.fromkeys(told_columns(plan), pl.String())
    events = {**event_types(types, plan), **told}
    coded = (pl.Categorical, pl.Enum)
    return {**SHUFFLED, **{name: pl.String() if isinstance(dtype, coded) else dtype for name, dtype in events.items()}}


def sessions_of(columns: Types, plan: Plan) -> pl.DataFrame:
    """An empty frame of sessions, as the kernel makes them of such events."""
    own = set(SHUFFLED) - {schema.TIMESTAMP}
    events = pl.DataFrame(schema={name: dtype for name, dtype in columns.items() if name not in own})
    return as_text(sessionize(events, plan).sessions)


def sessions_cut(work: Work, side_by_side: int) -> Cut:
    """The log's sessions, in files, and what its rows came to.

    Args:
        work: The log, and what it takes.
        side_by_side: How many tasks run at once.

    Raises:
        InputError: If the log is damaged.
        AccountingError: If rows in and rows out do not add up.
    """
    shares = work.log.shares(SHARE_ROWS)
    parts = work.partitions or max(side_by_side, int(_events(work.log, shares) / PART_EVENTS))
    groups, columns = grouped(shares, 4 * parts), columns_of(work.log.schema, work.plan)
    read = ReadShares(groups, work.log.schema, work.plan, columns, work.log.files, work.folder)
    cut = CutSessions(work.plan, columns, sessions_of(columns, work.plan), work.folder)
    done: list[PartDone] = _heard(work.cluster.shuffled(len(groups), read, columns, parts, cut))
    found = _all_shares([share for part in done for share in part.shares], shares)
    totals = reduce(add, (each.totals for each in found))
    counts = (totals.counts + reduce(add, (part.tally for part in done)).counts()).checked()
    stand = ONE_SHOT.close(work.plan, totals.newest)
    return Cut(
        Result((), totals.rejected, totals.late, counts, stand, totals.values),
        reduce(add, (each.names for each in found)),
        tuple(each.rejected for each in found if each.rejected is not None),
        ranges_of(done, parts),
        cut.sessions,
    )


def _all_shares(said: Sequence[ShareDone | Failed], shares: Sequence[Share]) -> list[ShareDone]:
    """What every share of the log came to, in input order, each once."""
    for each in said:
        if isinstance(each, Failed):
            raise each.error(each.message, hint=each.hint)
    found = sorted((each for each in said if isinstance(each, ShareDone)), key=lambda each: each.at)
    if [each.at for each in found] != [(share.ordinal, share.start) for share in shares]:
        raise AccountingError(
            f"{len(shares)} shares of the log were to be read, {len(found)} were; nothing was written"
        )
    return found


def _events(log: Shared, shares: Sequence[Share]) -> float:
    """How many events there are, about."""
    size = sum(share.size for share in shares)
    return size if log.files[0].format == "parquet" else size / BYTES_A_ROW


def grouped(shares: Sequence[Share], most: int) -> tuple[tuple[Share, ...], ...]:
    """The shares as tasks, at most so many, of about the same size; neighbours stay together.

    Args:
        shares: In input order.
        most: How many tasks there may be.
    """
    if len(shares) <= most:
        return tuple((share,) for share in shares)
    before = np.cumsum([0, *(share.size for share in shares)])
    places = np.minimum(before[:-1] * most // max(1, int(before[-1])), most - 1)
    groups: dict[int, list[Share]] = {}
    for place, share in zip(places.tolist(), shares, strict=True):
        groups.setdefault(place, []).append(share)
    return tuple(map(tuple, groups.values()))


def ranges_of(parts: Sequence[PartDone], most: int) -> tuple[Range, ...]:
    """Ranges of starts that hold about the same number of sessions, each with where these lie.

    Args:
        parts: Where sessions lie, each part in order.
        most: How many ranges there may be.
    """
    starts = np.sort(np.concatenate([part.starts for part in parts]))
    sessions = sum(part.rows for part in parts)
    number = max(1, min(most, sessions // RANGE_SESSIONS + 1))
    cuts = [int(starts[len(starts) * place // number]) for place in range(1, number)] if len(starts) else []
    bounds = [LEAST, *(cut for cut in dict.fromkeys(cuts) if cut > starts[0]), MOST]
    return tuple(
        Range(low, high, tuple(each for part in parts for each in _slices(part, low, high)))
        for low, high in pairwise(bounds)
    )


def _slices(part: PartDone, low: int, high: int) -> Iterable[Slice]:
    """Where in a part the sessions of a range can be: from the last one that is known to start before it."""
    first = max(0, int(np.searchsorted(part.starts, low, side="left")) - 1) * STEP
    end = min(part.rows, int(np.searchsorted(part.starts, high, side="left")) * STEP)
    if part.path is not None and end > first:
        yield Slice(part.path, first, end - first)


def merged(work: Work, cut: Cut, output: Output, geo_db: str | None = None) -> list[RangeDone]:
    """The parts of the output, in order.

    Args:
        work: The log, and what it takes.
        cut: Its sessions.
        output: What to write.
        geo_db: Database that says where an address is.
    """
    number = len(cut.ranges)
    merge = MergeSessions(cut.ranges, work.plan, cut.sessions, cut.result.watermark, output, geo_db, work.folder)
    made: list[RangeDone] = sorted(_heard(work.cluster.each(number, merge)), key=lambda each: each.number)
    if [each.number for each in made] != list(range(number)):
        raise AccountingError(f"{number} parts were to be written, {len(made)} were; nothing is")
    return made
