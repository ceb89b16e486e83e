"""Counting a run's rows and sessions where they are, and checking that they add up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.ingest import Ingest
from sessionize.kernel import Sessionized, is_active
from sessionize.output.manifest import Counts

SEEDS = (1, 2)
"""Of two hashes of 64 bits. Different profiles may share one of them, by a chance of one in 37 for 10^9 of them, but
that two share the first and two others the second is not to be expected: so the larger count is right."""


class Tally:
    """Adds up what the parts of a log came to.

    Args:
        plan: The rules.
        watermark: Of the whole log, microseconds since 1970 UTC; None for a log without events.
    """

    def __init__(self, plan: Plan, watermark: int | None) -> None:
        self._active = is_active(plan, watermark)
        self._sums = dict.fromkeys(("events", "duplicates", "sessions", "active_sessions", "conversions"), 0)
        self._profiles: tuple[list[NDArray[np.uint64]], ...] = tuple([] for _ in SEEDS)

    def add(self, done: Sessionized) -> None:
        """Count a part."""
        sessions = done.sessions
        self._sums["events"] += int(sessions["events"].sum())
        self._sums["duplicates"] += done.duplicates.len()
        self._sums["sessions"] += sessions.height
        self._sums["active_sessions"] += int(sessions.select(self._active.sum()).item())
        self._sums["conversions"] += int(sessions["conversions"].sum())
        if schema.PROFILE_ID in sessions.columns:
            profiles = sessions[schema.PROFILE_ID].drop_nulls()
            for seed, seen in zip(SEEDS, self._profiles, strict=True):
                seen.append(_distinct(profiles.hash(seed).to_numpy()))

    def counts(self, ingest: Ingest, carried: Mapping[str, int] = MappingProxyType({})) -> Counts:
        """All of it, and the rows that the ingest has seen.

        Args:
            ingest: What the log's rows went through.
            carried: Events carried in and out, and early ones, of a night.

        Raises:
            AccountingError: If rows in and rows out do not add up.
        """
        rejected = ingest.rejected
        reasons = rejected[schema.REASON].cast(pl.String).value_counts().sort(schema.REASON)
        counts = Counts(
            rows_read=ingest.read - ingest.bots,
            bots=ingest.bots,
            rejected=rejected.height,
            rejected_by_reason=dict(reasons.iter_rows()),
            late=ingest.late.height,
            profiles=self._different_profiles(),
            **self._sums,
            **carried,
        )
        counts.check()
        return counts

    def _different_profiles(self) -> int:
        return max(len(_distinct(np.concatenate(seen))) if seen else 0 for seen in self._profiles)


def _distinct(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
