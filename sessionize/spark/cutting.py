"""What cuts on the machines of a cluster: whole keys in, their sessions out, in files that are in order."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.order import annotated
from sessionize.engine.policy import places
from sessionize.engine.tally import Tally
from sessionize.kernel import Sessionized, as_text, sessionize
from sessionize.kernel.describe import session_ids
from sessionize.kernel.own import dimensions
from sessionize.kernel.streamed import Streamed, streamed
from sessionize.spark.arriving import PLACE, events_of
from sessionize.spark.border import Types
from sessionize.spark.files import leave_frame
from sessionize.spark.lines import Failed, Lot, PartDone, ShareDone, line
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.spark.tasks import SHUFFLED
from sessionize.values import dataclass


@dataclass(frozen=True)
class Templates:
    """Empty frames with the columns that all have.

    Attributes:
        sessions: Sessions as the kernel makes them.
        events: Events as they are written; None where they are not.
    """

    sessions: pl.DataFrame
    events: pl.DataFrame | None = None

    @classmethod
    def of(cls, columns: Types, plan: Plan, *, events: bool = False) -> Templates:
        """Those of a log.

        Args:
            columns: Types of the shuffle's columns.
            plan: What the configuration means for the log.
            events: Whether events are written.
        """
        own = set(SHUFFLED) - {schema.TIMESTAMP}
        none = pl.DataFrame(schema={name: dtype for name, dtype in columns.items() if name not in own})
        done = sessionize(none, plan, assign=events)
        return cls(as_text(done.sessions), events_in(done, none, plan) if events else None)


def events_in(done: Sessionized, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The events of sessions, as they are written, in the sessions' order.

    Args:
        done: The sessions, their events assigned.
        events: The events that its rows count in.
        plan: The rules.
    """
    assert done.assigned is not None
    ids, told = session_ids(done.sessions, plan), dimensions(done.sessions, plan)
    return annotated(events, ids, done.assigned, plan, told)


@dataclass(frozen=True)
class CutSessions:
    """Cuts the events of whole keys into sessions.

    Attributes:
        plan: The rules.
        columns: Types of the shuffle's columns.
        templates: Columns of sessions and events.
        folder: Folder for temporary files.
        sizes: How many events are cut at once, and how much is said of their sessions.
    """

    plan: Plan
    columns: Types
    templates: Templates
    folder: str
    sizes: Sizes = USUAL_SIZES

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line about the sessions of all events that come, ordered by key, time and place."""
        shares: list[ShareDone | Failed] = []
        lots, found, tally = [], [self.templates.sessions], Tally()
        alone: list[pl.DataFrame] = []
        more = PLACE if self.plan.rules.passive else ()
        coming = events_of(batches, self.columns, self.sizes.lot_rows, shares, more=more)
        with_events = self.templates.events is not None
        for part in streamed(coming, self.plan, self.sizes.lot_rows, assign=with_events):
            apart = places(part.sessions.alone, part.events, self.plan)
            alone += [] if apart is None else [apart]
            tally += Tally.of(part.sessions, self.plan, None)
            if with_events:
                lots += self._left(part)  # one file for each, as events are many
            else:
                found.append(as_text(part.sessions.sessions))
        whole = pl.concat(found, how="diagonal")
        lots += self._lot(whole[order_of(whole, self.plan)], None)
        told = PartDone(tuple(lots), tally, tuple(shares), pl.concat(alone) if alone else None)
        yield line(told, self.folder, self.sizes.line_bytes)

    def _left(self, part: Streamed) -> list[Lot]:
        events = events_in(part.sessions, part.events, self.plan)
        assert self.templates.events is not None
        whole = pl.concat([self.templates.sessions, as_text(part.sessions.sessions)], how="diagonal")
        return self._lot(whole, events.cast(self.templates.events.schema))

    def _lot(self, sessions: pl.DataFrame, events: pl.DataFrame | None) -> list[Lot]:
        if sessions.is_empty():
            return []
        own = uuid4().hex
        place, of_events = f"{self.folder}/sessions.{own}", f"{self.folder}/events.{own}"
        leave_frame(place, sessions)
        starts = sessions["start"].gather_every(self.sizes.step).to_physical().to_numpy().copy()
        if events is None:
            return [Lot(place, sessions.height, starts, None, np.zeros(0, np.int64), 0, self.sizes.step)]
        leave_frame(of_events, events)
        counts = sessions["events"].cast(pl.Int64)
        before = (counts.cum_sum() - counts).gather_every(self.sizes.step).to_numpy().copy()
        return [Lot(place, sessions.height, starts, of_events, before, events.height, self.sizes.step)]


def order_of(sessions: pl.DataFrame, plan: Plan) -> pl.Series:
    """Places of sessions in order of start and id, which is the kernel's.

    Returns:
        One place a session (UInt32).
    """
    ids = session_ids(sessions, plan).alias("id")
    return pl.DataFrame([sessions["start"], ids]).select(pl.arg_sort_by("start", "id")).to_series()
