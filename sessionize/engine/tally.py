"""Counting sessions partition by partition. Tallies add up, whatever the partitions were."""

from __future__ import annotations

from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.result import Counts
from sessionize.kernel import Sessionized, is_active
from sessionize.values import dataclass

SEEDS: Final = (1, 2)
"""Seeds of two hashes of 64 bits. Different profiles may share one of them, by a chance of one in 37 for 10^9 of them, but
that two share the first and two others the second is not to be expected: so the larger count is right."""


@dataclass(frozen=True)
class Tally:
    """What the partitions of a log came to.

    Attributes:
        sums: What can be counted partition by partition.
        profiles: One for each of SEEDS: the hashes of each partition's different profiles; a profile may be in many of them.
    """

    sums: Counts = field(default_factory=Counts)
    profiles: tuple[tuple[NDArray[np.uint64], ...], ...] = ((),) * len(SEEDS)

    @classmethod
    def of(cls, done: Sessionized, plan: Plan, watermark: int | None) -> Tally:
        """The tally of one partition.

        Args:
            done: What the kernel found.
            plan: The rules.
            watermark: No event of the log before it is still to come, microseconds since 1970 UTC; None for a log
                without events.
        """
        sessions = done.sessions
        sums = Counts(
            events=int(sessions["events"].sum()),
            rejected=done.alone.len(),
            rejected_by_reason={"passive_alone": done.alone.len()} if done.alone.len() else {},
            duplicates=done.duplicates.len(),
            sessions=sessions.height,
            active_sessions=int(sessions.select(is_active(plan, watermark).sum()).item()),
            conversions=int(sessions["conversions"].sum()),
        )
        if schema.PROFILE_ID not in sessions.columns:
            return cls(sums)
        profiles = sessions[schema.PROFILE_ID].drop_nulls()
        return cls(sums, tuple((distinct(profiles.hash(seed).to_numpy()),) for seed in SEEDS))

    def __add__(self, other: Tally) -> Tally:
        together = tuple(mine + more for mine, more in zip(self.profiles, other.profiles, strict=True))
        return Tally(self.sums + other.sums, together)

    def counts(self) -> Counts:
        """The sums, and how many different profiles there are over all partitions."""
        different = max(len(distinct(np.concatenate(seen))) if seen else 0 for seen in self.profiles)
        return self.sums + Counts(profiles=different)


def distinct(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The different ones of some hashes, ascending (uint64; at most as many as there were).

    Examples:
        >>> distinct(np.array([7, 2, 7], np.uint64)).tolist()
        [2, 7]
    """
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
