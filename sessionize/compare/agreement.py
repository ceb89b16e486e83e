"""How far two ways of cutting the same events into sessions agree. Figures add up, whatever the partitions were."""

from __future__ import annotations

from dataclasses import fields
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.values import NamedTuple, dataclass


class Cut(NamedTuple):
    """One way of cutting the events of some whole keys, which stand in order of key, time and input.

    Attributes:
        session: Number of each event's session, one for each event (int64).
        in_runs: Whether the events of each session stand side by side.
    """

    session: NDArray[np.int64]
    in_runs: bool

    @classmethod
    def of(cls, session: NDArray[np.int64], sessions: int) -> Self:
        """A way of cutting, by the number of each event's session and how many sessions there are."""
        return cls(session, int(_starts(session).sum()) == sessions)


@dataclass(frozen=True)
class Agreement:
    """What became of the sessions of one way in another way.

    Attributes:
        equal: Sessions of the first that are sessions of the other, with just the same events.
        split: Sessions whose events are in several sessions of the other, with no one else's.
        merged: Sessions that lie whole in a larger session of the other.
        moved: All others: they lost some events to sessions that have others, too.
        first: Sessions of the first.
        other: Sessions of the other.
        pairs_both: Pairs of events that are together in both.
        pairs_first: Pairs that are together in the first.
        pairs_other: Pairs that are together in the other.
        events: Events that are in both.
        cuts_both: Places between two neighbours of a key where both cut.
        cuts_first: Places where the first cuts.
        cuts_other: Places where the other cuts.
    """

    equal: int = 0
    split: int = 0
    merged: int = 0
    moved: int = 0
    first: int = 0
    other: int = 0
    pairs_both: int = 0
    pairs_first: int = 0
    pairs_other: int = 0
    events: int = 0
    cuts_both: int = 0
    cuts_first: int = 0
    cuts_other: int = 0

    def __add__(self, more: Agreement) -> Agreement:
        return Agreement(*(getattr(self, each.name) + getattr(more, each.name) for each in fields(self)))

    @classmethod
    def of(cls, first: Cut, other: Cut, keys: NDArray[np.uint32]) -> Agreement:
        """The agreement on some whole keys.

        Args:
            first: Sessions cut in one way.
            other: Sessions cut in another way, of the same events.
            keys: Each event's key.

        Examples:
            >>> one, two = (Cut(np.array(numbers), True) for numbers in ([0, 0, 1, 1, 2], [0, 1, 2, 2, 2]))
            >>> found = Agreement.of(one, two, np.zeros(5, np.uint32))
            >>> (found.equal, found.split, found.merged, found.moved)
            (0, 1, 2, 0)
            >>> found == Agreement.of(one._replace(in_runs=False), two, np.zeros(5, np.uint32))
            True
        """
        if not len(keys):
            return cls()
        a, b, key = _starts(first.session), _starts(other.session), _starts(keys)
        shared = _of_runs(a, b) if first.in_runs and other.in_runs else _of_sets(first.session, other.session)
        cuts = {"cuts_both": a & b & ~key, "cuts_first": a & ~key, "cuts_other": b & ~key}
        return cls(**shared, events=len(keys), **{name: int(there.sum()) for name, there in cuts.items()})

    @property
    def complete_reconstruction(self) -> float | None:
        """Share of the first's sessions that lie whole in one of the other's (Spiliopoulou and others, 2003)."""
        return _share(self.equal + self.merged, self.first)

    @property
    def identical_recall(self) -> float | None:
        """Share of the first's sessions that are the other's, too."""
        return _share(self.equal, self.first)

    @property
    def identical_precision(self) -> float | None:
        """Share of the other's sessions that are the first's, too."""
        return _share(self.equal, self.other)

    @property
    def boundary_f1(self) -> float | None:
        """Harmonic mean of recall and precision of the places where the first cuts."""
        return _share(2 * self.cuts_both, self.cuts_first + self.cuts_other)

    @property
    def adjusted_rand(self) -> float | None:
        """Adjusted Rand index (Hubert and Arabie, 1985): 1 for the same sessions, about 0 for chance."""
        every = self.events * (self.events - 1) // 2
        if not every:
            return None
        by_chance = self.pairs_first * self.pairs_other / every
        most = (self.pairs_first + self.pairs_other) / 2
        return None if most == by_chance else (self.pairs_both - by_chance) / (most - by_chance)


def _starts(numbers: NDArray[np.int64] | NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Where a number differs from the one before; true for the first."""
    found = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=found[1:])
    return found


def _of_runs(first: NDArray[np.bool_], other: NDArray[np.bool_]) -> dict[str, int]:
    """What became of sessions whose events stand side by side, by where sessions start: no grouping is needed."""
    begin = np.flatnonzero(first)
    end = np.append(begin[1:], len(first))
    before = np.concatenate(([0], np.cumsum(other)))
    whole = other[begin] & np.append(other, True)[end]
    one = before[end] == before[begin + 1]
    return {
        **_fates(whole, one),
        "first": len(begin),
        "other": int(other.sum()),
        "pairs_both": _pairs(first | other),
        "pairs_first": _pairs(first),
        "pairs_other": _pairs(other),
    }


def _fates(whole: NDArray[np.bool_], one: NDArray[np.bool_]) -> dict[str, int]:
    """How many sessions are equal, split, merged or moved.

    Args:
        whole: Whether no session of the other way has some of its events and some of another's.
        one: Whether all its events are in one session of the other way.
    """
    kinds = {"equal": whole & one, "split": whole & ~one, "merged": ~whole & one, "moved": ~whole & ~one}
    return {name: int(there.sum()) for name, there in kinds.items()}


def _pairs(starts: NDArray[np.bool_]) -> int:
    """Pairs of events that are in one run."""
    sizes = np.diff(np.flatnonzero(starts), append=len(starts))
    return int((sizes * (sizes - 1) // 2).sum())


def _of_sets(first: NDArray[np.int64], other: NDArray[np.int64]) -> dict[str, int]:
    """The same for sessions whose events may stand anywhere among others'."""
    size = pl.col("events").cast(pl.Int64)
    cells = pl.DataFrame({"first": first, "other": other}).group_by("first", "other").len("events")
    by_first, by_other = (cells.group_by(name).agg(pl.len().alias("parts"), size.sum()) for name in ("first", "other"))
    alone = by_other.select("other", alone=pl.col("parts") == 1)
    fates = cells.join(alone, on="other").group_by("first").agg(one=pl.len() == 1, whole=pl.col("alone").all())
    sizes = {"pairs_both": cells, "pairs_first": by_first, "pairs_other": by_other}
    return {
        **_fates(fates["whole"].to_numpy(), fates["one"].to_numpy()),
        "first": by_first.height,
        "other": by_other.height,
        **{name: int(each.select((size * (size - 1) // 2).sum()).item()) for name, each in sizes.items()},
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
