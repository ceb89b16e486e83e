"""What a run may take of memory and disk, in one value that is handed from function to function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from sessionize.machine import LITTLE, available
from sessionize.values import dataclass

SHARE: Final = 0.8
"""Share of the machine's, or the container's, memory that a run takes where no limit was given."""
PROGRAM: Final = 340_000_000
"""Bytes of the program itself: interpreter, libraries, buffers, what its allocator has not given back. Measured."""
LEAST: Final = 512_000_000
"""Bytes from which on a limit can be kept."""
PER_EVENT_BYTE: Final = 4.0
"""Bytes at the peak for each byte of events: they, their texts' dictionary, and what sessions take of them. Measured."""
PER_EVENT: Final = 600
"""Bytes at the peak for each event beside that, if each is a session of its own. Measured."""
BATCH_SHARE: Final = 1 / 30
"""Share of what is free that is read at once: up to three batches are in the making, each several times over."""
MADE_SHARE: Final = 1 / 12
"""Share of what is free that sessions take, of those that are described at once."""
LEAST_BATCH: Final = 2 << 20
MOST_BATCH: Final = 32 << 20
"""Bytes of text that are read at once at most: more would not be faster."""
MOST_ROWS: Final = 1 << 20
"""As many as are in a row group, as many writers have it: a batch that ends within one has it decoded twice."""
LEAST_ROWS: Final = 1_000
PER_SESSION: Final = 400
"""Bytes of a session beside its long texts, about."""


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
SPARING_TEXTS: Final = TextLimits(block_bytes=900_000)
"""Where memory is short: the C library gives back what is larger than a megabyte as soon as it is let go of."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a run may hold, and from which sizes on it changes its way of working.

    No output depends on any of it, but that a log may be refused for its size.

    Attributes:
        event_bytes: Bytes that events, and the making of their sessions, may take in memory at once.
        rows: Rows that are read at once, at most.
        batch_bytes: Bytes of what is read at once, about.
        event_cost: Bytes that each event takes while its session is made, beside its own.
        made_bytes: Bytes that the sessions take that are made at once.
        scratch: Makes the folder for temporary files; called only where memory does not suffice.
        dictionary_share: Each dictionary may take this share of ``event_bytes`` when the events are in files; of a
            larger one, the texts are stored.
        partitions: Fewest and most files that keys are split into.
        partition_share: Share of ``event_bytes`` that a partition should take: hashes are not even. One that takes more
            than all is cut by time.
        slice_rows: Events of such a cut, at least: each has files of its own.
        session_rows: Sessions that are described and written at once.
        file_rows: Rows of a batch in a temporary file, at most: to read some of a batch, all of it that lies before them
            is read.
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
    batch_bytes: int = MOST_BATCH
    event_cost: int = 0
    made_bytes: int = 1 << 30
    scratch: Callable[[], Path] = _no_scratch
    dictionary_share: float = 1 / 40
    partitions: tuple[int, int] = (8, 512)
    partition_share: float = 1 / 2
    slice_rows: int = 1 << 12
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
        limit = int(SHARE * available()) if memory is None else memory
        is_short = memory is not None or available() < LITTLE
        free = max(limit, LEAST) - PROGRAM
        return cls(
            event_bytes=free,
            rows=MOST_ROWS,
            batch_bytes=max(LEAST_BATCH, min(MOST_BATCH, int(free * BATCH_SHARE))),
            event_cost=PER_EVENT,
            made_bytes=int(free * MADE_SHARE),
            texts=SPARING_TEXTS if is_short else USUAL_TEXTS,
        )

    def rows_of(self, row_bytes: float) -> int:
        """Rows of so many bytes each that are read at once, where a row is decoded at some length."""
        return max(LEAST_ROWS, min(self.rows, int(4 * self.batch_bytes / max(1.0, row_bytes))))

    def sessions_of(self, text_bytes: float) -> int:
        """Sessions that are made at once, each with so many bytes of long texts."""
        return max(1, min(self.session_rows, int(self.made_bytes / (PER_SESSION + text_bytes))))

    def cost(self, rows: float, held: float) -> float:
        """Bytes at the peak of making sessions of so many events, which take so many bytes themselves."""
        return held * PER_EVENT_BYTE + rows * self.event_cost

    @property
    def dictionary_bytes(self) -> int:
        """Bytes of a column's different texts up to which its dictionary is kept beside events in files."""
        return int(self.event_bytes * self.dictionary_share)
