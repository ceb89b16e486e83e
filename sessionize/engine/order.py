"""The sessions of one partition or many, in one order: (start, session id), batch by batch.

The sessions of a single one wait in memory as codes. Of many, they are written to files, those of some partitions to each;
a batch is then what all files hold between two starts. Only few of the starts stay in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine import spilled
from sessionize.engine.partition import Partitions
from sessionize.engine.prefetch import ahead
from sessionize.engine.result import Batch
from sessionize.kernel import Dictionaries, Sessionized, as_text, described, stamped
from sessionize.kernel.describe import session_ids
from sessionize.kernel.dictionaries import restored
from sessionize.kernel.enrich import enriched_columns, private_events
from sessionize.kernel.own import dimensions
from sessionize.limits import Limits
from sessionize.values import NamedTuple

OF_ROWS: Final = "|".join(prefix.replace(".", r"\.") for prefix in (schema.OWN_PREFIX, schema.USE_PREFIX))
"""Begins columns of events that are made for the user's own columns of the metrics."""
THINNED: Final = 64
"""Of so many sessions in a file the start of one is held: to find some, up to twice as many more are read."""
AHEAD: Final = 2
"""Batches that are made while one is written."""


class Ordered(Protocol):
    """Gathers the sessions of partitions, and gives them in order. To be iterated over once."""

    def add(self, done: Sessionized, events: pl.DataFrame | None) -> None:
        """Take the sessions of a partition.

        Args:
            done: What the kernel found.
            events: The partition's canonical events, where they are to be written too.
        """

    def __iter__(self) -> Iterator[Batch]:
        """Each batch, in order; at least one, though it may be empty."""


def ordering(partitions: Partitions, limits: Limits, plan: Plan, watermark: int | None) -> Ordered:
    """What brings the sessions of a log into order: in memory or in files, as its events are.

    Args:
        partitions: The log's events.
        limits: How many sessions are made at once.
        plan: The rules.
        watermark: Watermark of the whole log, microseconds since 1970 UTC; None for a log without events.
    """
    if partitions.folder is None:
        return InMemory(partitions.dictionaries, limits, plan, watermark)
    return OnDisk(partitions.folder, partitions.dictionaries, limits, plan, watermark)


class InMemory:
    """The sessions of a log whose events are one partition.

    Args:
        dictionaries: The dictionaries of the events.
        limits: How many sessions are made at once.
        plan: The rules.
        watermark: Watermark of the whole log, microseconds since 1970 UTC; None for a log without events.
    """

    def __init__(self, dictionaries: Dictionaries, limits: Limits, plan: Plan, watermark: int | None) -> None:
        self._dictionaries: Dictionaries | None = dictionaries
        self._rows = limits.sessions_of(2 * dictionaries.text_bytes)
        self._plan = plan
        self._watermark = watermark
        self._batches: Iterator[Batch] | None = None

    def add(self, done: Sessionized, events: pl.DataFrame | None) -> None:
        """Begin to make the batches. All that was given is let go of with the last of them."""
        dictionaries, self._dictionaries = self._dictionaries, None
        assert dictionaries is not None

        def batch(start: int) -> Batch:
            coded = done.sessions.slice(start, self._rows)
            sessions = stamped(described(coded, self._plan), self._plan, self._watermark)
            sessions = dictionaries.written(sessions)
            if events is None or done.assigned is None:
                return Batch(sessions)
            within = pl.col("session").is_between(start, start + sessions.height, closed="left")
            assigned = done.assigned.filter(within).with_columns(pl.col("session") - start)
            session_dimensions = dimensions(sessions, self._plan)
            return Batch(sessions, annotated(events, sessions["session_id"], assigned, self._plan, session_dimensions))

        self._batches = ahead(batch, range(0, max(1, done.sessions.height), self._rows), most=AHEAD)

    def __iter__(self) -> Iterator[Batch]:
        """Each batch, in order; at least one."""
        assert self._batches is not None
        return self._batches


class _Waiting(NamedTuple):
    """The sessions of a partition that are still to be written, as a file has them: so they hold on to no event's text.

    Attributes:
        sessions: In order, stored.
        types: Types of their columns before they were stored.
        events: Their events, in the sessions' order, where these are to be written too.
    """

    sessions: bytes
    types: pl.Schema
    events: bytes | None


class _Place(NamedTuple):
    """Where the sessions of some partitions lie, of which types they were, and their events.

    Attributes:
        sessions: File of the sessions, in order.
        types: Types of their columns before they were stored.
        events: File of their events, in the sessions' order; there only if events are to be written.
        starts: Start of each THINNED-th session, ascending, microseconds.
        events_before: Number of events before each of these.
        rows: How many sessions there are.
        event_rows: How many events.
    """

    sessions: Path
    types: pl.Schema
    events: Path
    starts: NDArray[np.int64]
    events_before: NDArray[np.int64]
    rows: int
    event_rows: int

    def bytes(self) -> int:
        """Bytes of both files."""
        return sum(path.stat().st_size for path in (self.sessions, self.events) if path.exists())

    def between(self, low: int, high: int, *, with_events: bool) -> Batch:
        """The sessions that start from ``low`` on and before ``high``, stored, and their events in their order."""
        # From the last session known to start before, up to the first known not to.
        start = max(0, int(np.searchsorted(self.starts, low, side="left")) - 1)
        end = int(np.searchsorted(self.starts, high, side="left"))
        sessions = spilled.slice_of(self.sessions, start * THINNED, min(end * THINNED, self.rows))
        times = sessions["start"].to_physical().to_numpy()
        first, stop = (int(place) for place in np.searchsorted(times, (low, high), side="left"))
        if not with_events:
            return Batch(sessions[first:stop])
        before = int(self.events_before[start]) if start < len(self.events_before) else self.event_rows
        skipped, taken = (int(sessions["events"][part].sum()) for part in (slice(0, first), slice(first, stop)))
        return Batch(sessions[first:stop], spilled.slice_of(self.events, before + skipped, before + skipped + taken))


class OnDisk:
    """The sessions of many partitions.

    Args:
        folder: Folder for the partitions' files.
        dictionaries: The dictionaries of the events.
        limits: How many sessions are made at once, and lie together in a file.
        plan: The rules.
        watermark: Watermark of the whole log, microseconds since 1970 UTC; None for a log without events.
    """

    def __init__(
        self, folder: Path, dictionaries: Dictionaries, limits: Limits, plan: Plan, watermark: int | None
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._dictionaries = dictionaries
        self._plan = plan
        self._watermark = watermark
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._places: list[_Place] = []

    def add(self, done: Sessionized, events: pl.DataFrame | None) -> None:
        """Put the sessions of a partition to disk, and its events where they are to be written too.

        Those of small partitions wait for each other: a batch is read from few files then.
        """
        placed = None
        if events is not None and done.assigned is not None:
            ids, of_sessions = session_ids(done.sessions, self._plan), dimensions(done.sessions, self._plan)
            placed = annotated(events, ids, done.assigned, self._plan, of_sessions)
        sessions = spilled.packed(self._dictionaries.stored(done.sessions))
        packed = None if placed is None else spilled.packed(placed)
        self._waiting.append(_Waiting(sessions, done.sessions.schema, packed))
        self._waiting_bytes += len(sessions) + len(packed or b"")
        if self._waiting_bytes >= self._limits.made_bytes:
            self._put()

    def _put(self) -> None:
        """Write what waits to one file, in order of start, its events to another."""
        number, waiting, self._waiting, self._waiting_bytes = len(self._places), self._waiting, [], 0
        sessions = pl.concat([spilled.unpacked(each.sessions) for each in waiting], how="diagonal")
        events = [spilled.unpacked(each.events) for each in waiting if each.events is not None]
        if len(waiting) > 1:
            order = sessions.select(pl.col("start").arg_sort()).to_series()
            if events:
                events = [
                    pl.concat(events, how="diagonal")[events_order(sessions["events"].to_numpy(), order.to_numpy())]
                ]
            sessions = sessions[order]
        place = _Place(
            self._folder / f"sessions-{number}.arrow",
            pl.Schema({name: dtype for each in waiting for name, dtype in each.types.items()}),
            self._folder / f"of-sessions-{number}.arrow",
            sessions["start"].gather_every(THINNED).to_physical().to_numpy().copy(),
            (sessions["events"].cum_sum().cast(pl.Int64) - sessions["events"]).gather_every(THINNED).to_numpy().copy(),
            sessions.height,
            int(sessions["events"].sum()),
        )
        spilled.write_for_slices(sessions, place.sessions, self._limits.file_rows)
        if events:
            spilled.write_for_slices(events[0], place.events, self._limits.file_rows)
        self._places.append(place)

    def __iter__(self) -> Iterator[Batch]:
        """Each batch, in order; at least one."""
        if self._waiting:
            self._put()
        return ahead(lambda bounds: self._batch(*bounds), self._bounds(), most=1)

    def _bounds(self) -> list[tuple[int, int]]:
        """Starts between which about so many sessions lie as are made at once: from one, up to but not with the other."""
        starts = np.sort(np.concatenate([place.starts for place in self._places]))
        size = sum(place.bytes() for place in self._places) / max(1, sum(place.rows for place in self._places))
        rows = max(1, self._limits.sessions_of(size) // THINNED)
        cuts = [int(cut) for cut in np.unique(starts[rows::rows])]
        least, most = -(2**63), 2**63 - 1
        return list(zip([least, *cuts], [*cuts, most], strict=True))

    def _batch(self, low: int, high: int) -> Batch:
        with_events = any(place.events.exists() for place in self._places)
        parts = [place.between(low, high, with_events=with_events) for place in self._places]
        stored = zip(parts, self._places, strict=True)
        sessions = pl.concat((restored(part.sessions, place.types) for part, place in stored), how="diagonal")
        ids = session_ids(sessions, self._plan).alias("id")
        order = pl.DataFrame([sessions["start"], ids]).select(pl.arg_sort_by("start", "id")).to_series()
        events = [part.events for part in parts if part.events is not None]
        counts = sessions["events"].to_numpy()
        whole = stamped(described(sessions[order], self._plan), self._plan, self._watermark)
        whole = self._dictionaries.written(whole)
        if not with_events:
            return Batch(whole)
        return Batch(whole, pl.concat(events, how="diagonal")[events_order(counts, order.to_numpy())])


def events_order(events: NDArray[np.uint32], order: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Places of the events, when those of each session lie together and the sessions are put in an order.

    Args:
        events: How many events each session has, as the sessions lie.
        order: For each place in the order, which session comes there.

    Returns:
        For each place in the order, which event comes there: int64, as many as there are events.

    Examples:
        >>> events_order(np.array([2, 1], np.uint32), np.array([1, 0], np.uint32)).tolist()
        [2, 0, 1]
    """
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return np.argsort(np.repeat(place, events), kind="stable")


def annotated(
    events: pl.DataFrame, ids: pl.Series, assigned: pl.DataFrame, plan: Plan, session_dimensions: pl.DataFrame
) -> pl.DataFrame:
    """The events in their sessions' order, each with its session's id and its place in it.

    Args:
        events: Canonical events.
        ids: Ids of the sessions.
        assigned: One row for each event: ``row`` of it, ``session`` (place in ``ids``), ``position``.
        plan: What rows may tell: its columns are there whether any row told them or not.
        session_dimensions: Dimensions of the sessions, one row each.
    """
    placed = events[assigned["row"]]
    missing = [name for name in enriched_columns(plan) if name not in placed.columns]
    placed = private_events(placed.with_columns(pl.lit(None, pl.String).alias(name) for name in missing), plan)
    placed = placed.select(pl.exclude(rf"^({OF_ROWS}).*$", schema.FILE, schema.ROW, schema.PATH))
    if session_dimensions.width:
        placed = placed.hstack(session_dimensions[assigned["session"]])
    roles = [role for role in schema.ROLES if role in placed.columns]
    placed = placed.select(*roles, pl.exclude(roles)).rename({schema.SESSION_ID: "source_id"}, strict=False)
    session_id = ids.gather(assigned["session"]).alias("session_id")
    return as_text(placed.select(session_id, assigned["position"], pl.all()))
