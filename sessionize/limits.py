"""What a run may take of memory and disk, in one value that is handed from function to function."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

SHARE: Final = 0.8
"""Share of the machine's, or the container's, memory that a run takes where no limit was given."""
PROGRAM: Final = 300_000_000
"""Bytes of the program itself: interpreter, libraries, buffers of what is written."""
READING: Final = 0.25
"""Share of the limit for what is being read: a batch in use, and two ahead."""
PER_EVENT_BYTE: Final = 1.8
"""Bytes at the peak for each byte of events: sorting them and their sessions take most of as much again. Measured."""
LEAST_EVENTS: Final = 50_000_000
"""Bytes of events that are held however little memory there is."""
CGROUPS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
BYTES_A_ROW: Final = 250
"""Bytes of a row's texts while they are read, about."""
LEAST_ROWS: Final = 50_000
MOST_ROWS: Final = 1 << 20
"""As many as are in a row group, as many writers have it: a batch that ends within one has it decoded twice."""


def _no_scratch() -> Path:
    raise ValueError("these limits name no folder for temporary files")


@dataclass(frozen=True, kw_only=True)
class TextLimits:
    """How much of a text file is read at once, and from which sizes on it is taken for no log.

    Attributes:
        block_bytes: Bytes read at once: so few that memory is used again, as what is larger is given back and fetched
            anew.
        block_lines: Lines of a block, at most: a line costs memory even where it is blank.
        line_bytes: Bytes of a line; a file with a longer one is refused.
        record_bytes: Bytes of a record over several lines; what is longer is an open quote.
        unpacked: A compressed file that unpacks to more bytes than the first, and to more than the second times its
            size, is refused.
    """

    block_bytes: int = 4 << 20
    block_lines: int = 1 << 18
    line_bytes: int = 64 << 20
    record_bytes: int = 1 << 20
    unpacked: tuple[int, int] = (1 << 30, 500)


USUAL_TEXTS: Final = TextLimits()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a run may hold, and from which sizes on it changes its way of working.

    No output depends on any of it, but that a log may be refused for its size.

    Attributes:
        event_bytes: Bytes of events that may be held in memory at once.
        rows: Rows that are read at once.
        scratch: Makes the folder for temporary files; called only where memory does not suffice.
        entry_bytes: Bytes of a text and its place in a dictionary, about.
        dictionary_share: Each dictionary may take this share of ``event_bytes`` when the events are in files; of a
            larger one, the texts are stored.
        partitions: Fewest and most files that keys are split into.
        partition_share: Share of ``event_bytes`` that a partition should take: hashes are not even, some keys are large.
        session_rows: Sessions that are described and written at once.
        file_rows: Rows of a batch in a temporary file: to read some of a batch, all of it that lies before them is read.
        few_texts: Different texts of a column up to which it is written as codes: of more, a file would be mostly its
            dictionaries.
        dictionary_rows: Rows of a Parquet log from which on its dictionaries are read as such, for which pyarrow has to
            be loaded.
        length_bytes: Bytes a row under which a column of a Parquet file is taken for a dictionary: of a text that is
            written out, its length alone takes four.
        texts: How much of a text file is read at once, and what is refused.
    """

    event_bytes: int
    rows: int
    scratch: Callable[[], Path] = _no_scratch
    entry_bytes: int = 100
    dictionary_share: float = 1 / 40
    partitions: tuple[int, int] = (8, 512)
    partition_share: float = 1 / 4
    session_rows: int = 1 << 18
    file_rows: int = 1 << 14
    few_texts: int = 10_000
    dictionary_rows: int = 1 << 22
    length_bytes: int = 4
    texts: TextLimits = USUAL_TEXTS

    @classmethod
    def of(cls, memory: int | None = None) -> Self:
        """Limits that keep a run under so many bytes of memory.

        Args:
            memory: Bytes of peak memory to stay under; None for a share of what there is.
        """
        limit = int(SHARE * _there()) if memory is None else memory
        return cls(
            event_bytes=max(LEAST_EVENTS, int((limit * (1 - READING) - PROGRAM) / PER_EVENT_BYTE)),
            rows=max(LEAST_ROWS, min(MOST_ROWS, int(limit * READING / 3 / BYTES_A_ROW))),
        )

    @property
    def dictionary_texts(self) -> int:
        """Different texts of a column up to which its dictionary is kept beside events in files."""
        return max(self.few_texts, int(self.event_bytes * self.dictionary_share / self.entry_bytes))


def _there() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for path in CGROUPS if (limit := _limit(path)) is not None)])


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # none there, or "max"
        return None
