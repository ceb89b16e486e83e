"""What the engine gives: batches of finished sessions, the rows set apart, and counts that add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, field
from typing import Self

import polars as pl

from sessionize.engine.value_stats import ValueStats
from sessionize.errors import AccountingError
from sessionize.values import NamedTuple, dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Rows and sessions, counted where they pass. They add up: of partitions, of nights.

    ``rows_read + carried_in = events + rejected + duplicates + late + early + carried_out``

    Events of bots that were to be left out (``bots``), and rows that ``--where`` or the preset's own condition leaves
    out (``left_out``), are not among the rows read.
    Profiles add up only where no two parts have the same one; those of a whole log are counted by its tally.

    Examples:
        >>> both = Counts(rows_read=3, events=2, rejected=1) + Counts(rows_read=1, events=1)
        >>> (both.rows_read, both.events, both.rejected)
        (4, 3, 1)
    """

    rows_read: int = 0
    events: int = 0
    rejected: int = 0
    rejected_by_reason: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    late: int = 0
    early: int = 0
    carried_in: int = 0
    carried_out: int = 0
    sessions: int = 0
    active_sessions: int = 0
    profiles: int = 0
    conversions: int = 0
    bots: int = 0
    left_out: int = 0
    bad_values: int = 0
    time_formats: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        sums = {name: mine + getattr(other, name) for name, mine in vars(self).items() if isinstance(mine, int)}
        reasons, more = self.rejected_by_reason, other.rejected_by_reason
        together = {name: reasons.get(name, 0) + more.get(name, 0) for name in sorted({*reasons, *more})}
        formats, others = self.time_formats, other.time_formats
        read = {name: formats.get(name, 0) + others.get(name, 0) for name in dict.fromkeys((*formats, *others))}
        return Counts(**sums, rejected_by_reason=together, time_formats=read)

    @property
    def unsound(self) -> int:
        """Rejected rows that are no events at all; passive ones are, though they are in no session."""
        return self.rejected - self.rejected_by_reason.get("passive_alone", 0)

    def checked(self) -> Self:
        """These counts.

        Raises:
            AccountingError: Unless each row read is accounted for, once.
        """
        read = self.rows_read + self.carried_in
        told = self.events + self.rejected + self.duplicates + self.late + self.early + self.carried_out
        if read != told or self.rejected != sum(self.rejected_by_reason.values()):
            raise AccountingError(
                f"rows do not add up: {read} in, {told} accounted for ({asdict(self)}); nothing was written"
            )
        return self


class Stand(NamedTuple):
    """How far a log has come; times in microseconds since 1970 UTC, None before the first event.

    Attributes:
        watermark: No event before it is still to come.
        until: End of what has been taken: an event at or after it belongs to a later batch of the log. None where there
            is no later batch.
        newest: Time of the newest event, early ones too.
    """

    watermark: int | None = None
    until: int | None = None
    newest: int | None = None


class Batch(NamedTuple):
    """Some sessions, and where asked for their events.

    Attributes:
        sessions: Stamped wide rows.
        events: The events of these sessions, each with ``session_id`` and ``position``, in the sessions' order.
    """

    sessions: pl.DataFrame
    events: pl.DataFrame | None = None


class Result(NamedTuple):
    """What became of a log.

    Attributes:
        batches: All sessions, ordered by (start, session id), in batches; at least one, though it may be empty.
        rejected: FILE, ROW and REASON of every row that is not an event, in input order; where events are passive also
            PATH, which stands in place of FILE for those that were carried over.
        late: FILE and ROW of every event that came too late, in input order.
        counts: Rows and sessions; they were checked to add up.
        stand: How far the log has come with this.
        values: What the values of its events say.
    """

    batches: Iterable[Batch]
    rejected: pl.DataFrame
    late: pl.DataFrame
    counts: Counts
    stand: Stand
    values: ValueStats

    @property
    def watermark(self) -> int | None:
        """No event before it is still to come; microseconds since 1970 UTC, None for a log without events."""
        return self.stand.watermark
