"""The order of nights: where a batch goes on from, what must be run again after it, which days were left out.

Batches that are named for a date follow each other by a day. One that was left out can be put where it belongs: the
nights after it are withdrawn, and run again. Batches of other names, and flushes, come in the order they are run in.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from sessionize.config import Config, Nightly
from sessionize.errors import InputError, UsageError
from sessionize.instants import iso, microseconds
from sessionize.nightly.identity import File, difference
from sessionize.nightly.state import KEPT, Done, State
from sessionize.patterns import pattern
from sessionize.values import NamedTuple

DATE: Final = pattern(r"\d{4}-\d\d-\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
"""What names a batch for a day."""
DAY: Final = timedelta(days=1)


class Step(NamedTuple):
    """Where a night goes on from.

    Attributes:
        parent: The night before it; None for the first.
        state: The state at that time.
        withdrawn: Nights that came after it, newest last: their output goes.
        gone: Files that it was run with before, and has no more.
    """

    parent: Done | None
    state: State
    withdrawn: tuple[str, ...]
    gone: tuple[str, ...] = ()


def as_named(nightly: Nightly, state: State) -> Nightly:
    """The night with the name that its day has in the state: 20240530 and 2024-05-30 are one batch."""
    mine = day(nightly.batch)
    names = (*(night.name for night in state.nights), *state.again, *state.older)
    if mine is None or nightly.batch in names:
        return nightly
    return replace(nightly, batch=next((name for name in names if day(name) == mine), nightly.batch))


def step(state: State, nightly: Nightly, inputs: Sequence[File]) -> Step | None:
    """Where a batch goes on from; None if it has been run with the same files.

    Args:
        state: What the nights so far have left.
        nightly: The batch that is to be run.
        inputs: Files of the night.

    Raises:
        UsageError: If it cannot be run now.
        InputError: If a day before it was left out.
    """
    place = next((place for place, night in enumerate(state.nights) if night.name == nightly.batch), None)
    if place is None:
        return _new(state, nightly)
    night = state.nights[place]
    if not nightly.redo and night.flushed == nightly.flush and not any(difference(night.inputs, inputs)):
        return None
    if place == 0 and night.generation > 1:
        raise _too_old(state, nightly.batch)
    found = _back(state, place, place + 1)
    if not nightly.redo:
        _check_as_it_was(night, inputs, found.withdrawn)
    return found._replace(gone=difference(night.inputs, inputs).missing)


def _back(state: State, place: int, rest: int) -> Step:
    """Go back to a number of nights; those from the other number on are withdrawn, and all but a bare flush run again."""
    gone = state.nights[rest:]
    again = (*(night.name for night in gone if night.inputs or not night.flushed), *state.again)
    before = replace(state, nights=state.nights[:place], again=again)
    return Step(before.last, before, tuple(night.name for night in gone))


def _check_as_it_was(night: Done, inputs: Sequence[File], withdrawn: Sequence[str]) -> None:
    """Refuse what would put a night's rows out of the series though nobody asked for it."""
    changed, missing, added = difference(night.inputs, inputs)
    then = f"; {', '.join(withdrawn)} must then be run again too" if withdrawn else ""
    if changed:
        raise UsageError(
            f"{', '.join(changed)}: not the bytes that batch {night.name} was run with",
            hint=f"--redo runs it again with them{then}; rows that came late go in a file of their own, beside the old one",
        )
    if missing and not added:
        raise UsageError(
            f"batch {night.name} was run with {', '.join(missing)} too, and has it no more",
            hint=f"name it beside the others; or --redo runs the batch without it{then}",
        )
    if withdrawn and not added:
        raise UsageError(
            f"batch {night.name} is not the newest: to flush it would withdraw {', '.join(withdrawn)}",
            hint="flush under a name of its own: --batch end --flush; or --redo if that is meant",
        )


def _new(state: State, nightly: Nightly) -> Step:
    """The step of a batch that was not run yet, or was withdrawn."""
    if nightly.batch in state.older:
        raise _too_old(state, nightly.batch)
    if state.last is not None and state.last.flushed:
        raise _flushed(state, state.last)
    place = _place(state, nightly)
    found = _back(state, place, place)
    if place == len(state.nights):
        _check_again(state, nightly)
    elif place == 0:
        _check_before_all(state, nightly, found.withdrawn)
    gap = left_out(found.parent, found.state, nightly)
    if gap and not nightly.allow_gap and nightly.batch not in state.again:
        raise InputError(
            f"{_gap(gap, nightly.batch)}; nothing was written",
            hint=f"run --batch {gap[0]} first, with its own input; or --allow-gap goes on without it, "
            f"and it can be put where it belongs later",
        )
    return found


def _place(state: State, nightly: Nightly) -> int:
    """How many of the nights come before a batch that was not run."""
    if nightly.flush or day(nightly.batch) is None:
        return len(state.nights)
    mine = day(nightly.batch)
    later = (place for place, night in enumerate(state.nights) if mine and (of := day(night.name)) and of > mine)
    return next(later, len(state.nights))


def _check_again(state: State, nightly: Nightly) -> None:
    """Refuse what comes after nights that are to be run again; a date before all of them may come first."""
    if not state.again or nightly.batch == state.again[0]:
        return
    mine, first = day(nightly.batch), day(state.again[0])
    if mine and first and not nightly.flush and mine < first:
        return
    raise UsageError(
        f"{', '.join(state.again)} must be run again before {nightly.batch}: a night before was run anew",
        hint=f"run --batch {state.again[0]} next, with its own input",
    )


def _check_before_all(state: State, nightly: Nightly, withdrawn: Sequence[str]) -> None:
    first = state.nights[0]
    if first.generation > 1:
        raise _too_old(state, nightly.batch)
    if not nightly.redo:
        raise UsageError(
            f"batch {nightly.batch} ends before batch {first.name}, the first that was run: all of it would be late",
            hint=f"--redo puts it before all others, and {', '.join(withdrawn)} must then be run again",
        )


def _flushed(state: State, last: Done) -> UsageError:
    back = (
        f"--batch {last.name}, with its own input and without --flush"
        if last.inputs or len(state.nights) == 1
        else f"--batch {state.nights[-2].name} --redo, with its own input"
    )
    return UsageError(
        f"the state was flushed with batch {last.name}: its sessions are final",
        hint=f"begin a new --state with --redo, or take the flush back: run {back}",
    )


def _too_old(state: State, batch: str) -> UsageError:
    first = state.nights[1 if state.nights[0].generation > 1 else 0].name
    return UsageError(
        f"batch {batch} is too old to be run again", hint=f"the last {KEPT} can be: back to --batch {first}"
    )


def day(name: str) -> date | None:
    """The day that a batch is named for, as 2024-05-30 or 20240530; None where it has another name."""
    with suppress(ValueError):
        return date.fromisoformat(name) if DATE.fullmatch(name) else None
    return None


def spellings(name: str) -> tuple[str, ...]:
    """The names by which a batch goes: a day has two.

    Examples:
        >>> spellings("20240530"), spellings("end")
        (('20240530', '2024-05-30'), ('end',))
    """
    mine = day(name)
    return (name,) if mine is None else tuple(dict.fromkeys((name, mine.isoformat(), f"{mine:%Y%m%d}")))


def left_out(parent: Done | None, before: State, nightly: Nightly) -> tuple[str, ...]:
    """Days between a batch and the dated one before it that no night was run for.

    Args:
        parent: The night before it.
        before: The state at that time.
        nightly: Name and options of the batch.
    """
    mine = day(nightly.batch)
    if parent is None or mine is None or nightly.flush:
        return ()
    days = _days(before)
    return between(max(days), mine) if days else ()


def between(earlier: date, later: date) -> tuple[str, ...]:
    """Names of the days between two.

    Examples:
        >>> between(date(2024, 2, 28), date(2024, 3, 1))
        ('2024-02-29',)
    """
    return tuple((earlier + DAY * number).isoformat() for number in range(1, (later - earlier).days))


def missing(state: State) -> tuple[str, ...]:
    """Days between the nights that can be looked at that no night was run for, and none is to be."""
    between_nights = (name for pair in pairwise(_days(state)) for name in between(*pair))
    return tuple(name for name in between_nights if name not in state.again)


def _days(state: State) -> list[date]:
    return [found for night in state.nights if not night.flushed and (found := day(night.name)) is not None]


def _gap(days_missing: Sequence[str], batch: str) -> str:
    first, last = days_missing[0], days_missing[-1]
    days = first if first == last else f"{first} to {last}"
    return f"batch {batch} does not follow the one before it by a day: {days} was not run"


def gap_note(gap: Sequence[str], batch: str) -> tuple[str, ...]:
    """What to say of days that were left out on purpose."""
    return (f"{_gap(gap, batch)} (--allow-gap)",) if gap else ()


def end_of_batch(nightly: Nightly, config: Config, parent: Done | None) -> int | None:
    """Microseconds at which the batch ends: as given, else the next local midnight of its date; None: newest event.

    Raises:
        UsageError: If it is a date that lies before what has been run.
    """
    if config.until is not None:
        return microseconds(config.until)
    if nightly.flush or not DATE.fullmatch(nightly.batch):
        return None
    try:
        midnight = datetime.combine(date.fromisoformat(nightly.batch) + DAY, time(), ZoneInfo(config.timezone))
        end = microseconds(midnight.astimezone(UTC))
    except (ValueError, OverflowError):
        raise UsageError(f"--batch {nightly.batch} is no date there is", hint="or say its end: --until TIME") from None
    if parent is not None and parent.until is not None and end <= parent.until:
        raise UsageError(
            f"batch {nightly.batch} ends before batch {parent.name}, which was run already and ends at "
            f"{iso(parent.until)}: all of it would be late",
            hint=f"take its rows in with that one: --batch {parent.name}, with its own files and this one",
        )
    return end
