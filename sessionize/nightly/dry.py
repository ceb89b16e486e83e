"""What a night would do: its log is opened, not read; its state is looked at, not locked, and stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sessionize.config import Config, Nightly, Output
from sessionize.engine.result import Counts
from sessionize.nightly.job import Work, prepared, refuse_no_night
from sessionize.nightly.known import check_begins
from sessionize.nightly.quiet import night_log
from sessionize.nightly.rules import rules_of_nights
from sessionize.nightly.series import as_named, gap_note, left_out
from sessionize.nightly.sound import sound
from sessionize.nightly.state import Done, State, after, new
from sessionize.output.manifest import columns_of
from sessionize.values import NamedTuple


class Meant(NamedTuple):
    """What a night would do.

    Attributes:
        inputs: What is known of each file that it would read.
        withdrawn: Nights whose output would go.
        nothing: Whether there is nothing to do.
        notes: What would be said of the days before it.
        state: The state after it, as far as the next night's place depends on it.
    """

    inputs: tuple[Mapping[str, Any], ...]
    withdrawn: tuple[str, ...]
    nothing: bool
    notes: tuple[str, ...]
    state: State


def meant(config: Config, output: Output, nightly: Nightly, state: State | None) -> Meant:
    """What a night would do, nothing of which is done.

    Args:
        config: What was asked for.
        output: What to write, and where.
        nightly: Which batch, of which state.
        state: What the nights before it have left; None before the first.

    Raises:
        SessionizeError: As the night itself would, before it reads its rows.
    """
    refuse_no_night(config, output, nightly)
    with ExitStack() as stack:
        log = night_log(config, nightly)
        check_begins(Path(output.directory), nightly, state)
        state = state or new(nightly.batch)
        nightly = as_named(nightly, state)
        work = prepared(config, output, nightly, state, stack, log=log)
        return Meant((), (), nothing=True, notes=(), state=state) if work is None else _of(work)


def _of(work: Work) -> Meant:
    parent, nightly = work.parent, work.nightly
    if parent is not None and parent.carry:  # of a night that was not run itself there is none
        sound(Path(nightly.state), parent.carry)
    ends = (work.until, None if parent is None else parent.until)
    done = Done(
        name=nightly.batch, generation=1 if parent is None else parent.generation + 1, watermark=None,
        until=max((each for each in ends if each is not None), default=None), newest=None, flushed=nightly.flush,
        carry={}, open_sessions=0, oldest=None, inputs=work.inputs, rules=rules_of_nights(work.plan),
        columns={**({} if parent is None else parent.columns), **columns_of(work.plan)}, counts=asdict(Counts()),
    )  # fmt: skip
    notes = gap_note(left_out(parent, work.state, nightly), nightly.batch)
    return Meant(work.inputs, work.withdrawn, nothing=False, notes=notes, state=after(work.state, done, None))
