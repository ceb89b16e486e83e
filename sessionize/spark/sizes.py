"""From which sizes on a run on a cluster is cut into more: in one value that goes with the work to every machine."""

from __future__ import annotations

from typing import Final

from sessionize.values import NamedTuple


class Sizes(NamedTuple):
    """Sizes of the pieces of a run on a cluster. No row of the output depends on any of them.

    Attributes:
        share_rows: Rows of a Parquet file that are worth a task of their own.
        part_events: Events of a part of the shuffle, about.
        lot_rows: Events that are cut into sessions at once; of a longer key, its open session is held beside.
        step: Number of sessions from one whose start is told to the next: to find some, up to twice as many more are
            read.
        range_sessions: Sessions that are worth a file of their own.
        range_events: Events of sessions that are worth a file of their own, where events are written.
        line_bytes: Bytes of what a task says in its line; what is longer lies in a file.
    """

    share_rows: int = 1 << 20
    part_events: int = 1_000_000
    lot_rows: int = 1 << 18
    step: int = 64
    range_sessions: int = 1 << 18
    range_events: int = 1 << 20
    line_bytes: int = 1 << 20


USUAL_SIZES: Final = Sizes()
