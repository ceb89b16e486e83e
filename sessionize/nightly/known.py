"""What the nights before decide of a night: its layout, its columns, and which outputs must be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sessionize.config import Config, Nightly
from sessionize.errors import UsageError
from sessionize.nightly.series import day
from sessionize.nightly.state import Done, State
from sessionize.output.ownership import MANIFEST
from sessionize.own import recorded
from sessionize.plan import Known
from sessionize.preset_roles import with_preset
from sessionize.presets import load
from sessionize.presets import names as shipped
from sessionize.read import Log


def check_ends(config: Config) -> None:
    """Refuse rules by which no session would ever end.

    Raises:
        UsageError: If they are such.
    """
    rules = config.rules
    if config.inputs and rules.timeout is None and not rules.end_events and rules.max_duration is None:
        raise UsageError(
            "with --timeout none no session ever ends, so that no night could emit one",
            hint="add --max-duration 24h, or --end-event NAME",
        )


def with_layout(config: Config, log: Log | None, known: Done | None) -> Config:
    """The configuration with the layout of the nights before, else with what was found in this night's log.

    What one night is by itself must not change with what the next one's first rows hold.
    """
    found = config if log is None else log.config
    if known is None or config.preset is not None or not config.recognise:
        return found
    recorded = known.rules.get("preset")
    if recorded == (None if found.preset is None else found.preset.name):
        return found
    return with_preset(config, load(recorded), recorded) if recorded in shipped() else replace(config, recognise=False)


def known_before(known: Done | None) -> Known | None:
    """What holds for this night, too, whatever its own first rows look like."""
    if known is None:
        return None
    style = known.rules.get("amounts", "plain")
    held = style if style != "plain" or known.rules.get("amounts_found") else None
    types = {own.name: own.dtype for own in recorded(known.rules)}
    return Known(known.columns, held, types)


def night_of(state: State, nightly: Nightly) -> Done | None:
    """The night of a batch, where it was run."""
    return next((night for night in state.nights if night.name == nightly.batch), None)


def check_begins(directory: Path, nightly: Nightly, state: State | None) -> None:
    """Refuse to begin a series behind nights that lie where its own are to be: their state was mistyped, or is gone.

    Days that come after the batch's own are to be run again, as it is. What has no date, and the same day by another
    name, would stay beside the new nights.

    Args:
        directory: Where the nights' folders are.
        nightly: Which batch, of which state.
        state: What was found there; None where there is none yet.

    Raises:
        UsageError: If another night than those lies there, and no redo was asked for.
    """
    if state is not None or nightly.redo:
        return
    mine = day(nightly.batch)
    there = sorted(path.parent.name.removeprefix("batch=") for path in directory.glob(f"batch=*/{MANIFEST}"))
    others = [name for name in there if name != nightly.batch]
    stay = [name for name in others if mine is None or (its := day(name)) is None or its <= mine]
    if stay:
        raise UsageError(
            f"--state {nightly.state} is new, and {directory} holds batch={stay[-1]}, of which it knows nothing: events would "
            "be lost between them, or counted twice",
            hint="name the state that it was written with, or move it away; --redo begins anew beside it, and -o elsewhere",
        )


def lost(directory: Path, nights: Sequence[Done]) -> tuple[str, ...]:
    """Nights that were run, and whose output is not where the next one's is to be.

    Not the oldest ones, which may have been cleared away, and not all of several: then they are kept elsewhere.

    Args:
        directory: Where the nights' folders are.
        nights: The nights that can still be run again, in order.
    """
    there = [(directory / f"batch={night.name}" / MANIFEST).is_file() for night in nights]
    if not any(there):
        return tuple(night.name for night in nights) if len(nights) == 1 else ()
    first = there.index(True)
    return tuple(night.name for night, is_there in zip(nights[first:], there[first:], strict=True) if not is_there)
