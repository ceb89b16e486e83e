"""The steps of a run on a cluster, but for what becomes visible: shares to sessions in files, and these to parts of outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.config import Output, Plan
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names
from sessionize.engine.pipeline import all_rejected
from sessionize.engine.policy import ONE_SHOT
from sessionize.engine.result import Result
from sessionize.errors import AccountingError, MachineError
from sessionize.kernel.enrich import enriched_columns
from sessionize.read.shares import Share
from sessionize.read.source import LogFile, Source
from sessionize.spark.border import Types
from sessionize.spark.cluster import Cluster, Line
from sessionize.spark.cutting import CutSessions, Templates
from sessionize.spark.files import leave_frame
from sessionize.spark.lines import VERSIONS, Failed, Lot, PartDone, RangeDone, RejectedDone, ShareDone, heard
from sessionize.spark.merging import MergeSessions, Range, Slice, Target
from sessionize.spark.rewriting import RewriteRejected, ends_of
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.spark.tasks import SHUFFLED, Look, ReadShares
from sessionize.stores import path_of
from sessionize.values import NamedTuple

BYTES_A_ROW: Final = 100
"""Of a text file, about."""
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
        events: Whether events are written, too.
        sizes: Sizes of the pieces that it is cut into.
    """

    cluster: Cluster
    log: Shared
    plan: Plan
    folder: str
    partitions: int | None = None
    events: bool = False
    sizes: Sizes = USUAL_SIZES


class Cut(NamedTuple):
    """A log's sessions, and what its rows came to.

    Attributes:
        result: What the log came to, but for its sessions, and for which of them are active.
        names: What it has of the names that were asked for.
        rejected: Files of its rejected rows, in input order.
        ranges: Where the log's sessions lie.
        templates: Columns of sessions and events.
    """

    result: Result
    names: Names
    rejected: tuple[str, ...]
    ranges: tuple[Range, ...]
    templates: Templates


def looked(work: Work) -> int:
    """How many tasks run side by side, on machines that have what it takes."""
    lines = work.cluster.each(None, Look((work.folder, *_to_see(source.place for source in work.log.sources))))
    for name, missing in _heard(lines):
        for place, why in missing:
            raise _not_seen(place, why, name)
    return len(lines)


def _not_seen(place: str, why: str, machine: str) -> MachineError:
    if not why:
        return MachineError(
            f"{place} is not seen by the machine {machine} of the cluster",
            hint="inputs and -o must lie where every machine sees them by the same path, such as NFS, or in a store",
        )
    bucket = "/".join(place.split("/")[:3])
    return MachineError(
        f"{bucket}: {why}, says the machine {machine} of the cluster",
        hint="each machine asks a store by its own role or environment: spark.executorEnv.AWS_REGION and the like",
    )


def _to_see(places: Iterable[str]) -> list[str]:
    """All files of this machine, and of each store's bucket one object: by it one sees whether the store lets one in."""
    return list({(path if isinstance(path, Path) else path.host): str(path) for path in map(path_of, places)}.values())


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
    told = dict.fromkeys(enriched_columns(plan), pl.String())
    events = {**event_types(types, plan), **told}
    coded = (pl.Categorical, pl.Enum)
    return {**SHUFFLED, **{name: pl.String() if isinstance(dtype, coded) else dtype for name, dtype in events.items()}}


def sessions_cut(work: Work, side_by_side: int) -> Cut:
    """The log's sessions, in files, and what its rows came to.

    Args:
        work: The log, and what it takes.
        side_by_side: How many tasks run at once.

    Raises:
        InputError: If the log is damaged.
        AccountingError: If rows in and rows out do not add up.
    """
    shares = work.log.shares(work.sizes.share_rows)
    parts = work.partitions or max(side_by_side, int(_events(work.log, shares) / work.sizes.part_events))
    groups, columns = grouped(shares, 4 * parts), columns_of(work.log.schema, work.plan)
    read = ReadShares(groups, work.log.schema, work.plan, columns, work.log.files, work.folder, work.sizes)
    templates = Templates.of(columns, work.plan, events=work.events)
    cut = CutSessions(work.plan, columns, templates, work.folder, work.sizes)
    done: list[PartDone] = _heard(work.cluster.shuffled(len(groups), read, columns, parts, cut))
    found = _all_shares([share for part in done for share in part.shares], shares)
    totals = reduce(add, (each.totals for each in found))
    alone = [part.alone for part in done if part.alone is not None and part.alone.height]
    rejected = all_rejected(totals.rejected, alone)
    counts = (totals.counts + reduce(add, (part.tally for part in done)).counts()).checked()
    stand = ONE_SHOT.close(work.plan, totals.newest)
    return Cut(
        Result((), rejected, totals.late, counts, stand, totals.values),
        reduce(add, (each.names for each in found)),
        _rewritten(work, shares, rejected)
        if alone
        else tuple(each.rejected for each in found if each.rejected is not None),
        ranges_of([lot for part in done for lot in part.lots], parts, work.sizes),
        templates,
    )


def _rewritten(work: Work, shares: Sequence[Share], rejected: pl.DataFrame) -> tuple[str, ...]:
    """Files of the rejected rows, written anew as the cut has told of more."""
    place = f"{work.folder}/all-rejected"
    leave_frame(place, rejected.with_columns(pl.col(schema.REASON).cast(pl.String)))
    rewrite = RewriteRejected(tuple(shares), ends_of(shares), place, work.plan, work.log.files, work.folder, work.sizes)
    rewritten: list[RejectedDone] = sorted(_heard(work.cluster.each(len(shares), rewrite)), key=lambda each: each.at)
    _check_all([each.at for each in rewritten], shares)
    return tuple(each.rejected for each in rewritten if each.rejected is not None)


def _all_shares(said: Sequence[ShareDone | Failed], shares: Sequence[Share]) -> list[ShareDone]:
    """What every share of the log came to, in input order, each once."""
    for each in said:
        if isinstance(each, Failed):
            raise each.error(each.message, hint=each.hint)
    found = sorted((each for each in said if isinstance(each, ShareDone)), key=lambda each: each.at)
    _check_all([each.at for each in found], shares)
    return found


def _check_all(at: Sequence[tuple[int, int]], shares: Sequence[Share]) -> None:
    if [*at] != [(share.ordinal, share.start) for share in shares]:
        raise AccountingError(f"{len(shares)} shares of the log were to be read, {len(at)} were; nothing was written")


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


def ranges_of(lots: Sequence[Lot], most: int, sizes: Sizes) -> tuple[Range, ...]:
    """Ranges of starts that hold about the same number of sessions, each with where these lie.

    Args:
        lots: Where sessions lie.
        most: How many ranges there may be.
        sizes: How many sessions and events a range is worth.
    """
    starts = np.sort(np.concatenate([np.zeros(0, np.int64), *(lot.starts for lot in lots)]))
    sessions, events = sum(lot.rows for lot in lots), sum(lot.event_rows for lot in lots)
    number = max(1, min(most, max(sessions // sizes.range_sessions, events // sizes.range_events) + 1))
    cuts = [int(starts[len(starts) * place // number]) for place in range(1, number)] if len(starts) else []
    bounds = [LEAST, *(cut for cut in dict.fromkeys(cuts) if cut > starts[0]), MOST]
    return tuple(
        Range(low, high, tuple(each for lot in lots for each in _slices(lot, low, high)))
        for low, high in pairwise(bounds)
    )


def _slices(lot: Lot, low: int, high: int) -> Iterable[Slice]:
    """Where in a lot the sessions of a range can be: from the last one that is known to start before it."""
    place = max(0, int(np.searchsorted(lot.starts, low, side="left")) - 1)
    first = place * lot.step
    end = min(lot.rows, int(np.searchsorted(lot.starts, high, side="left")) * lot.step)
    if end > first:
        before = 0 if lot.events is None else int(lot.events_before[place])
        yield Slice(lot.path, first, end - first, lot.events, before)


def merged(work: Work, cut: Cut, output: Output, target: Target, geo_db: str | None = None) -> list[RangeDone]:
    """The parts of the output, in order.

    Args:
        work: The log, and what it takes.
        cut: Sessions of the log, in files.
        output: What to write.
        target: Where the parts are written.
        geo_db: Database that says where an address is.
    """
    number, watermark = len(cut.ranges), cut.result.watermark
    merge = MergeSessions(
        cut.ranges, work.plan, cut.templates, watermark, output, geo_db, work.folder, target, work.sizes
    )
    made: list[RangeDone] = sorted(_heard(work.cluster.each(number, merge)), key=lambda each: each.number)
    if [each.number for each in made] != list(range(number)):
        raise AccountingError(f"{number} parts were to be written, {len(made)} were; nothing is")
    return made
