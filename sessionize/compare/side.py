"""One definition among those that are compared, and what its sessions have come to so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.compare.agreement import Agreement, Cut
from sessionize.compare.candidate import Candidate
from sessionize.compare.measure import Measures
from sessionize.config import Plan
from sessionize.engine.result import Counts
from sessionize.engine.tally import SEEDS, Tally, distinct
from sessionize.kernel import Sessionized, is_active
from sessionize.kernel.several import Lot, Sessions, cut_by_each


@dataclass(kw_only=True)
class Side:
    """One definition, and what it has come to so far."""

    candidate: Candidate
    plan: Plan
    measures: Measures
    tally: Tally = field(default_factory=Tally)
    parts: list[pl.DataFrame] = field(default_factory=list)
    sessions: list[pl.DataFrame] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)
    source: Agreement = field(default_factory=Agreement)

    def agree(self, cuts: Sequence[Cut], own: Cut, keys: NDArray[np.uint32], source: int | None) -> None:
        """Hold its sessions against the first one's, and against the log's own.

        Args:
            cuts: How each definition cuts.
            own: How this one does.
            keys: Key of each event.
            source: Which of the definitions are the log's own ids; None for none.
        """
        self.agreement += Agreement.of(cuts[0], own, keys)
        if source is not None:
            self.source += Agreement.of(cuts[source], own, keys)


def cut_together(events: pl.DataFrame, sides: Sequence[Side], watermark: int | None, source: int | None) -> Sessionized:
    """Cut some whole keys by all definitions, which have the same keys: coded and brought into order once.

    Args:
        events: Canonical events in input order.
        sides: The definitions; what they have come to is added to.
        watermark: Watermark of the whole log, microseconds since 1970 UTC.
        source: Which of them are the log's own ids; None for none.

    Returns:
        The first one's sessions, measured without texts and in no certain order.
    """
    needed = frozenset(name for side in sides for name in side.measures.needed)
    profiles = _Profiles(events)
    first: list[Sessions] = []
    duplicates = []
    for lot in cut_by_each(events, [side.plan for side in sides], needed):
        keys, cuts = _cuts(lot)
        for side, found, cut in zip(sides, lot.sessions, cuts, strict=True):
            side.tally += _tally(found, lot, side.plan, watermark, profiles)
            side.parts.append(side.measures.of_measured(found.measures))
            side.agree(cuts, cut, keys, source)
        first.append(lot.sessions[0])
        duplicates.append(lot.duplicates)
    alone = pl.concat([each.alone for each in first])
    return Sessionized(pl.concat(each.measures for each in first), pl.concat(duplicates), None, alone)


def _cuts(lot: Lot) -> tuple[NDArray[np.uint32], list[Cut]]:
    """The keys of the events that are in sessions by all definitions; and how each definition cuts them."""
    keys = lot.rows["key"].to_numpy()
    if not any(len(each.alone) for each in lot.sessions):
        return keys, [Cut(each.number, in_runs=True) for each in lot.sessions]
    there = np.logical_and.reduce([each.number > 0 for each in lot.sessions])
    return keys[there], [
        Cut.of(each.number[there], int(np.count_nonzero(np.bincount(each.number[there])))) for each in lot.sessions
    ]


class _Profiles:
    """Hashes of the events' profile ids.

    Args:
        events: Canonical events.
    """

    def __init__(self, events: pl.DataFrame) -> None:
        ids = events[schema.PROFILE_ID] if schema.PROFILE_ID in events.columns else None
        self._hashes = [] if ids is None else [ids.hash(seed).to_numpy() for seed in SEEDS]
        self._there = None if ids is None or not ids.null_count() else ids.is_not_null().to_numpy()

    def of(
        self, rows: NDArray[np.uint32], first: NDArray[np.uint32], size: NDArray[np.uint32]
    ) -> list[NDArray[np.uint64]]:
        """The different hashes of the sessions' first profile ids, for each seed.

        Args:
            rows: Row of each event, in order of session.
            first: Place of each session's first event among them.
            size: How many events each session has.
        """
        at: NDArray[Any] = first
        if self._there is not None and len(first):
            known = np.flatnonzero(self._there[rows])
            following = np.searchsorted(known, first)
            known = np.append(known, len(rows))
            at = known[following][known[following] < first + size]
        return [distinct(hashes[rows[at]]) for hashes in self._hashes]


def _tally(found: Sessions, lot: Lot, plan: Plan, watermark: int | None, profiles: _Profiles) -> Tally:
    measures = found.measures
    alone = len(found.alone)
    sums = Counts(
        events=int(measures["size"].sum()),
        rejected=alone,
        rejected_by_reason={"passive_alone": alone} if alone else {},
        duplicates=len(lot.duplicates),
        sessions=measures.height,
        active_sessions=int(measures.select(is_active(plan, watermark).sum()).item()),
        conversions=int(measures["conversions"].sum()),
    )
    rows = lot.rows["row"].to_numpy()
    rows = rows[found.number > 0] if alone else rows
    hashes = profiles.of(rows, measures["first"].to_numpy(), measures["size"].to_numpy())
    return Tally(sums, tuple((each,) for each in hashes)) if hashes else Tally(sums)
