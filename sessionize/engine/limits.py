"""How much memory a run may take, and how much of it events may hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

SHARE: Final = 0.8
"""Of what the machine, or the container, has."""
PROGRAM: Final = 300_000_000
"""Bytes of the program itself: interpreter, libraries, buffers of what is written."""
READING: Final = 0.25
"""Share of the limit for what is being read: a batch in use, and two ahead."""
PER_EVENT_BYTE: Final = 1.8
"""Bytes at the peak for each byte of events: sorting them and their sessions take most of as much again. Measured."""
LEAST: Final = 50_000_000
CGROUPS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
BYTES_A_ROW: Final = 250
"""Of a row's texts while they are read, about."""
MOST_ROWS: Final = 1 << 20
"""As many as are in a row group, as many writers have it: a batch that ends within one has it decoded twice."""


class Memory(NamedTuple):
    """What a run may take.

    Attributes:
        limit: Bytes of peak memory to stay under.
    """

    limit: int

    @property
    def for_events(self) -> int:
        """Bytes of events that may be held at once."""
        return max(LEAST, int((self.limit * (1 - READING) - PROGRAM) / PER_EVENT_BYTE))

    @property
    def rows_at_once(self) -> int:
        """Rows that may be read at once."""
        return max(50_000, min(MOST_ROWS, int(self.limit * READING / 3 / BYTES_A_ROW)))


def memory(asked: int | None) -> Memory:
    """The memory asked for, else SHARE of what there is."""
    return Memory(asked if asked is not None else int(SHARE * _there()))


def _there() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for path in CGROUPS if (limit := _limit(path)) is not None)])


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # none there, or "max"
        return None
