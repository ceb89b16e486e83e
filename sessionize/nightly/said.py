"""What is said of a night: what the manifest keeps and a quiet run says too, and what only a person would read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from sessionize import schema
from sessionize.config import MICROSECOND, Plan
from sessionize.engine.result import Counts
from sessionize.instants import iso
from sessionize.nightly.batch import Night
from sessionize.nightly.identity import File, is_same
from sessionize.nightly.state import Done

OLD_AFTER: Final = timedelta(hours=24) // MICROSECOND
"""A session carried for longer is told of: it may be a crawler that never falls silent."""
MANY_LATE: Final = 0.05
"""A larger share of the rows that came too late is said even of a quiet run."""
HOUR: Final = timedelta(hours=1) // MICROSECOND
SILENT_FIRST: Final = 6 * HOUR
"""A first night that falls silent for longer before its end may be cut short."""
SILENT_LATER: Final = 2 * HOUR
"""A later one, if it is twice as long as is usual, too."""
HEADER_BYTES: Final = 4_096
"""A text file with more bytes is not a header alone."""
MANY_PAUSES: Final = 10
"""So many times the mean time between two events is no pause any more."""


def warnings(night: Night, counts: Counts, parent: Done | None, gap: Sequence[str]) -> tuple[str, ...]:
    """What should be looked at whoever ran the night, and stays in its manifest.

    Args:
        night: The night, once all of it has been read.
        counts: What became of its rows.
        parent: The night before it.
        gap: What to say of days that were left out.
    """
    late = (_late(counts),) if counts.late > MANY_LATE * counts.rows_read else ()
    early = (_early(night, counts),) if night.arrived_early > MANY_LATE * counts.rows_read else ()
    return (*gap, *late, *early, *_silent(night, counts, parent))


def _late(counts: Counts) -> str:
    return (
        f"{counts.late:,} of {counts.rows_read:,} rows came too late: they are in late.ndjson; is it the file of an "
        f"earlier night? To take them in, run their own batch again with their file added"
    )


def _early(night: Night, counts: Counts) -> str:
    return (
        f"{night.arrived_early:,} of {counts.rows_read:,} rows are of after the night's end and wait for their own: is it "
        f"the file of a later night? Then run the batch again with its own file and --redo"
    )


def _silent(night: Night, counts: Counts, parent: Done | None) -> Iterator[str]:
    """A file that ends hours before its night does, where the night before did not, and events are not that rare."""
    silence = night.silence
    if silence is None or night.newest is None:
        return
    usual = None if parent is None else parent.usual_silence
    most = SILENT_FIRST if usual is None else max(SILENT_LATER, 2 * usual)
    if silence > most and silence * counts.rows_read > MANY_PAUSES * 24 * HOUR:
        yield (
            f"the newest event is of {iso(night.newest)}, {silence / HOUR:.1f} hours before the night ends: is the file "
            f"whole? Once it is, run the batch again with it and --redo"
        )


def twice_note(inputs: Sequence[File], nights: Sequence[Done], batch: str) -> Iterator[str]:
    """What to say of files that a night before was run with as well: all their events count twice.

    Not of files that may be but a header, as those of quiet hours are, beside others.

    Args:
        inputs: The night's files; some row is in them.
        nights: The nights before it that are still known.
        batch: Name of the night.
    """
    before = [(night.name, each) for night in nights for each in night.inputs]
    same = [(file, next((its for its in before if is_same(its[1], file)), None)) for file in inputs]
    all_are = all(found is not None for _, found in same)
    for file, found in same:
        if found is not None and (all_are or (file["format"] != "parquet" and file["bytes"] > HEADER_BYTES)):
            yield (
                f"{file['path']} has the bytes of {found[1]['path']}, which batch {found[0]} was run with: all its events "
                f"count twice; run batch {batch} again with its own file and --redo"
            )


MARKS: Final = {"comma": "a decimal comma", "point": "commas between thousands", "plain": "a decimal point"}


def amounts_note(plan: Plan, parent: Done | None) -> tuple[str, ...]:
    """What to say where a night is the first that shows how amounts are written, and the ones before were read otherwise.

    Args:
        plan: The night's plan.
        parent: The night before it; None where there was none.
    """
    if parent is None or schema.VALUE not in plan.columns or schema.VALUE not in parent.columns:
        return ()
    if parent.rules.get("amounts_found") or not plan.amounts_found:
        return ()
    style = parent.rules.get("amounts", "plain")
    if style == plan.amounts:
        return ()
    name = plan.columns[schema.VALUE][0]
    return (
        (
            f"the amounts in {name!r} have {MARKS[plan.amounts]}, which no night before has shown: theirs were read with "
            f"{MARKS[style]}; one run over all of them reads them alike"
        ),
    )


def usual_silence(night: Night, parent: Done | None) -> int | None:
    """How long nights are silent before they end: the longest silence, the older the less it counts."""
    known = None if parent is None or parent.usual_silence is None else parent.usual_silence * 7 // 8
    return max((each for each in (night.silence, known) if each is not None), default=None)


def remarks(done: Done, again: Sequence[str], gone: Sequence[str], counts: Counts) -> Iterator[str]:
    """What a person would like to know of a night, and what to type next.

    Args:
        done: The night.
        again: Nights that it made void.
        gone: Files that it was run with before, and has no more.
        counts: What became of its rows.
    """
    if gone:
        yield f"the batch was run with {', '.join(gone)} before, which is not among its files now: its rows are gone"
    if again:
        yield f"run again, in this order: {', '.join(f'--batch {name}' for name in again)}"
    if 0 < counts.late <= MANY_LATE * counts.rows_read:
        yield _late(counts)
    if done.oldest is not None and done.until is not None and done.until - done.oldest > OLD_AFTER:
        yield f"a session is open since {iso(done.oldest)}: --max-duration 24h would end it (a crawler?)"
