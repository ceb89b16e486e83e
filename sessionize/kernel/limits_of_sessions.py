"""Rules that restart at each new session (semantics, section 4, rules 5, 7 and 8): a fold over a key's instants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sessionize.config import MICROSECOND, Rules
from sessionize.values import NamedTuple


class Split(NamedTuple):
    """Where rule 5 splits, if the session that goes on there has known the right values.

    Attributes:
        offset: Row of the split, counted from the segment's first.
        least: A session that starts before this row has known the value, so that it has not arrived.
        most: A session that starts after this row has not known the other value, so that nothing has changed.
    """

    offset: int
    least: int
    most: int


class Limits(NamedTuple):
    """How long and how large a session may become; None: as it likes.

    Attributes:
        duration_us: Microseconds from a session's start to its last event, at most.
        events: Events that a session may have; None for any number.
        burst: Events in a session's first moments, after which it ends.
        burst_us: Microseconds that the first moments take.
    """

    duration_us: int | None = None
    events: int | None = None
    burst: int | None = None
    burst_us: int = 0

    @classmethod
    def of(cls, rules: Rules) -> Limits:
        """The limits among the rules."""
        burst = rules.burst
        if burst is None:
            return cls(rules.max_duration_us, rules.max_events)
        return cls(rules.max_duration_us, rules.max_events, burst.events, burst.within // MICROSECOND)

    def broken(self, times: NDArray[np.int64], starts: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows that are too late in their session, or have too many before them; of a tie maybe one too many.

        Args:
            times: Times of sorted rows, microseconds.
            starts: Whether a session starts, one value a row; true for the first.

        Returns:
            One flag a row (bool).
        """
        row = np.arange(len(times))
        began = np.maximum.accumulate(np.where(starts, row, 0))
        found = np.zeros(len(times), np.bool_)
        if self.duration_us is not None:
            found |= times - times[began] > self.duration_us
        if self.events is not None:
            found |= row - began >= self.events
        if self.burst is not None:
            found |= (row - began >= self.burst) & (times - times[began] <= self.burst_us)
        return found

    def end(self, times: NDArray[np.int64], at: int) -> int:
        """The row at which a session that starts at a row has come to its limits; one past the last where it has not.

        Examples:
            >>> times = np.array([0, 10, 20, 20, 30])
            >>> [Limits(*each).end(times, 0) for each in ((15,), (None, 3), (None, None, 2, 20), (None, None, 2, 19))]
            [2, 4, 2, 5]
        """
        found = len(times)
        if self.duration_us is not None:
            found = int(np.searchsorted(times, times[at] + self.duration_us, side="right"))
        if self.events is not None:
            found = min(found, _instant_from(times, at + self.events))
        if self.burst is not None:
            over = _instant_from(times, at + self.burst)
            if over < found and times[over] <= times[at] + self.burst_us:
                found = over
        return found


def _instant_from(times: NDArray[np.int64], row: int) -> int:
    """The first row from a row on, not the first of all, that begins an instant."""
    if row >= len(times):
        return len(times)
    return row if times[row] != times[row - 1] else int(np.searchsorted(times, times[row], side="right"))


def restart(times: NDArray[np.int64], splits: list[Split], limits: Limits) -> NDArray[np.bool_]:
    """Starts within one segment: each session lasts until a split or until its limits, then all begins anew.

    Args:
        times: Times of the segment's rows, ascending, microseconds.
        splits: Where rule 5 may split, in order.
        limits: How long and how large a session may become.

    Returns:
        Whether a session starts, one value a row; true for the first.

    Examples:
        >>> times = np.array([0, 10, 20, 30, 40])
        >>> np.flatnonzero(restart(times, [], Limits(15))).tolist()
        [0, 2, 4]
        >>> np.flatnonzero(restart(times, [Split(1, 0, 0), Split(3, 0, 0)], Limits())).tolist()
        [0, 1]
    """
    starts = np.zeros(len(times), np.bool_)
    at, split = 0, 0
    while at < len(times):
        starts[at] = True
        while split < len(splits) and splits[split].offset <= at:
            split += 1
        at = _next(splits, split, at, limits.end(times, at))
    return starts


def _next(splits: list[Split], since: int, at: int, end: int) -> int:
    """The first split that holds for the session that starts at a row, or its end."""
    for number in range(since, len(splits)):
        offset, least, most = splits[number]
        if offset >= end:
            break
        if least <= at <= most:
            return offset
    return end
