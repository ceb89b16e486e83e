"""What writes rejected rows anew on a cluster: passive events in no session are known as such once all is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa

from sessionize import schema
from sessionize.config import Plan
from sessionize.read.shares import Share
from sessionize.read.source import LogFile
from sessionize.spark.files import frame_at
from sessionize.spark.lines import RejectedDone, line, numbers
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.spark.tasks import write_rejected
from sessionize.values import dataclass
from sessionize.zones import any_zone


@dataclass(frozen=True)
class RewriteRejected:
    """Writes all rejected rows of shares, with the passive events that are in no session.

    Attributes:
        shares: The share of each task.
        ends: Rows of its file up to the end of each share; None for a whole file.
        rejected: Place of FILE, ROW and REASON of all rejected rows of the log, in input order.
        plan: What the configuration means for the log.
        files: The log's files.
        folder: Folder for temporary files.
        sizes: How much a line says.
    """

    shares: tuple[Share, ...]
    ends: tuple[int | None, ...]
    rejected: str
    plan: Plan
    files: Sequence[LogFile]
    folder: str
    sizes: Sizes = USUAL_SIZES

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A line about the rejected rows of the share of each number that comes."""
        with any_zone():
            for number in numbers(batches):
                yield line(self._rewritten(number), self.folder, self.sizes.line_bytes)

    def _rewritten(self, number: int) -> RejectedDone:
        share, end = self.shares[number], self.ends[number]
        row = pl.col(schema.ROW)
        within = (pl.col(schema.FILE) == share.ordinal) & (row > share.start)
        rows = frame_at(self.rejected).filter(within if end is None else within & (row <= end)).collect()
        place = None
        if rows.height:
            with share.part.reading():
                place = write_rejected(self.folder, share, rows, self.files, self.plan)
        return RejectedDone((share.ordinal, share.start), place)


def ends_of(shares: Sequence[Share]) -> tuple[int | None, ...]:
    """Rows of its file up to the end of each share: where the next one begins; None for the last of a file.

    Args:
        shares: In input order.
    """
    following = [*shares[1:], None]
    return tuple(
        after.start if after is not None and after.ordinal == share.ordinal else None
        for share, after in zip(shares, following, strict=True)
    )
