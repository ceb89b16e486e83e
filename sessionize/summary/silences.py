"""The silences of a log, and its sessions as a function of the timeout. Key-local; what is found of many parts adds up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sessionize.summary import mixture
from sessionize.summary.distributions import half_doublings
from sessionize.values import NamedTuple

Times = NDArray[np.int64]
Flags = NDArray[np.bool_]

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOURS_SEEN: Final = 3
"""A log of fewer hours may well have all its events in one minute."""
A_DAY: Final = 86_400 * SECOND
PER_OCTAVE: Final = 64
LOWEST: Final = -20 * PER_OCTAVE
"""Bin of a microsecond, the shortest silence there is."""
BINS: Final = 64 * PER_OCTAVE
"""Up to 2^44 s: longer than all years."""
MATTERS: Final = (900 * SECOND, 7200 * SECOND)
"""Silences of such a length are those that a usual timeout is about."""
HELD: Final = 1 << 24
"""Bytes of durations that are held in memory, of each timeout."""


class Row(NamedTuple):
    """The sessions of one timeout.

    Attributes:
        timeout_us: In microseconds; None for no timeout.
        sessions: Number of sessions.
        bounced: How many have one event.
        total_us: Sum of their durations.
        median_us: Median of their durations; None where there are none.
    """

    timeout_us: int | None
    sessions: int
    bounced: int
    total_us: int
    median_us: float | None


class _Durations:
    """Durations of sessions, held in memory or in a file without a name."""

    def __init__(self, folder: Path | None) -> None:
        self._file = SpooledTemporaryFile(max_size=HELD, dir=None if folder is None else str(folder))  # noqa: SIM115 - closed with the table

    def add(self, durations: Times) -> None:
        self._file.write(durations.tobytes())

    def close(self) -> None:
        self._file.close()

    def median(self) -> float | None:
        self._file.seek(0)
        found = np.frombuffer(self._file.read(), np.int64)
        self._file.close()
        return float(np.median(found)) if len(found) else None


class Table:
    """Sessions at each of some timeouts, in one pass.

    Args:
        timeouts: In microseconds; None for no timeout.
        folder: For durations that do not fit in memory; None for the system's.
    """

    def __init__(self, timeouts: Sequence[int | None], folder: Path | None = None) -> None:
        self._timeouts = timeouts
        self._sums = np.zeros((len(timeouts), 3), np.int64)
        self._durations = [_Durations(folder) for _ in timeouts]

    def add(
        self,
        times: Times,
        starts_at: Callable[[int | None], Flags],
        joined_at: Callable[[int | None], Flags] | None = None,
    ) -> None:
        """Count the sessions of some whole keys.

        Args:
            times: Microseconds of their events, in order of key and time.
            starts_at: Gives for a timeout the events at which a session starts.
            joined_at: Gives for a timeout whether each session has passive events, too; None where there are none.
        """
        if not len(times):
            return
        for number, (timeout, durations) in enumerate(zip(self._timeouts, self._durations, strict=True)):
            first = np.flatnonzero(starts_at(timeout))
            last = np.append(first[1:], len(times)) - 1
            lengths = times[last] - times[first]
            alone = first == last if joined_at is None else (first == last) & ~joined_at(timeout)
            self._sums[number] += (len(first), np.count_nonzero(alone), lengths.sum())
            durations.add(lengths)

    def close(self) -> None:
        """Give up the files of durations, where no rows are asked for any more."""
        for each in self._durations:
            each.close()

    def rows(self) -> list[Row]:
        """What each timeout came to; only once."""
        return [
            Row(timeout, int(sums[0]), int(sums[1]), int(sums[2]), durations.median())
            for timeout, sums, durations in zip(self._timeouts, self._sums, self._durations, strict=True)
        ]


class Silences:
    """Counts the silences between consecutive events of one key."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        """Of each bin of a 64th of an octave; a silence of 0 is in none."""
        self.zeros = 0
        self.events = 0
        self.matters = 0
        self.first: int | None = None
        self.last: int | None = None
        self.minutes = np.zeros(60, np.int64)
        """Events at each minute of the hour."""

    def add(self, times: Times, key_starts: Flags) -> None:
        """Count those of some whole keys.

        Args:
            times: Microseconds of their events, in order of key and time.
            key_starts: Whether an event is its key's first.
        """
        if not len(times):
            return
        self.events += len(times)
        self.minutes += np.bincount(times // MINUTE % 60, minlength=60)
        gaps = np.diff(times)[~key_starts[1:]]
        there = gaps[gaps > 0]
        self.zeros += len(gaps) - len(there)
        self.matters += int(np.count_nonzero((there >= MATTERS[0]) & (there <= MATTERS[1])))
        bins = np.floor(np.log2(there / SECOND) * PER_OCTAVE).astype(np.int64) - LOWEST
        self.counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
        self.first = _least(self.first, int(times.min()))
        self.last = -_least(None if self.last is None else -self.last, -int(times.max()))

    @property
    def positive(self) -> int:
        """Silences longer than 0."""
        return int(self.counts.sum())

    @property
    def days(self) -> float:
        """How long the log is."""
        return 0.0 if self.first is None or self.last is None else (self.last - self.first) / A_DAY

    @property
    def one_minute(self) -> int | None:
        """The minute of the hour at which every event is, as of a clock that was cut; None where they are at several."""
        there = np.flatnonzero(self.minutes)
        return int(there[0]) if len(there) == 1 and self.days * 24 >= HOURS_SEEN else None

    @property
    def share_that_matters(self) -> float | None:
        """Share of all silences that are from 15 min to 2 h long; None where there is none."""
        whole = self.positive + self.zeros
        return self.matters / whole if whole else None

    def octaves(self) -> list[dict[str, float | int]]:
        """Silences by doublings of their length, from the shortest to the longest there is."""
        sums = self.counts.reshape(-1, PER_OCTAVE).sum(axis=1)
        there = np.flatnonzero(sums)
        if not len(there):
            return []
        lowest = LOWEST // PER_OCTAVE
        return [
            {"from_s": 2.0 ** (lowest + each), "to_s": 2.0 ** (lowest + each + 1), "silences": int(sums[each])}
            for each in range(int(there[0]), int(there[-1]) + 1)
        ]

    def around(self, edge_s: float) -> list[dict[str, float | int]]:
        """Silences by half doublings, from the shortest to the longest there is.

        Args:
            edge_s: A length at which one class ends and the next begins, to a 64th of a doubling.
        """
        width = PER_OCTAVE // 2
        first = math.floor(math.log2(edge_s) * PER_OCTAVE) + 1 - LOWEST
        skipped = first % width
        padded = np.pad(self.counts, (width - skipped, skipped))
        sums = padded.reshape(-1, width).sum(axis=1)
        edge = (first - skipped) // width + 1
        return [
            {**half_doublings(edge_s, int(each) - edge), "silences": int(sums[each])} for each in np.flatnonzero(sums)
        ]

    def fit(self) -> mixture.Fit | None:
        """The mixture of two normals; None without silences."""
        there = np.flatnonzero(self.counts)
        if not len(there):
            return None
        bins = np.arange(there[0], there[-1] + 1)
        edges = (bins + LOWEST + 1) / PER_OCTAVE
        return mixture.fitted(edges - 0.5 / PER_OCTAVE, edges, self.counts[bins])


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
