"""The nightly way: one batch of a log that comes in batches, exact across midnight (semantics, section 8).

The night's log goes down the trunk behind what was carried over; out come the sessions that can change no more. Its
output and its state become visible in one moment (`store`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from sessionize.config import MICROSECOND, Config, Nightly, Output
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names, Seen, notes
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts, Result, Stand
from sessionize.errors import UsageError
from sessionize.instants import iso, microseconds
from sessionize.kernel.enrich import told_columns
from sessionize.limits import Limits
from sessionize.nightly.batch import Asked, Night
from sessionize.nightly.carryover import Types, together
from sessionize.nightly.rules import check_same, plan_of_state, rules_of_nights
from sessionize.nightly.state import Done, Intent, State, Step, after, new, step
from sessionize.nightly.store import Store, state_files
from sessionize.one_shot import Run
from sessionize.opening import NoLog, Opened, opened
from sessionize.os_errors import map_os_errors
from sessionize.output.commit import commit
from sessionize.output.geo import with_places
from sessionize.output.manifest import columns_of
from sessionize.output.ownership import MANIFEST, refuse_inputs, refuse_night, refuse_no_folder, refuse_stdout
from sessionize.output.publish import Publisher
from sessionize.plan import Known
from sessionize.preset_roles import with_preset
from sessionize.presets import load
from sessionize.presets import names as shipped
from sessionize.read import Log, open_log
from sessionize.read.files import identities
from sessionize.read.source import LogFile
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
OLD_AFTER: Final = timedelta(hours=24)
"""A session carried for longer is told of: it may be a crawler that never falls silent."""
MANY_LATE: Final = 0.05
"""A larger share of the rows that came too late is said even of a quiet run."""


class Outcome(NamedTuple):
    """What became of a night.

    Attributes:
        manifest: The manifest as it lies in the night's folder.
        run: What was done; None where there was nothing to do.
        notes: Sentences that the one who runs it should read.
    """

    manifest: dict[str, Any]
    run: Run | None
    notes: tuple[str, ...] = ()


def run_night(
    config: Config, output: Output, nightly: Nightly, progress: Callable[[str], None] = lambda _: None, *,
    limits: Limits | None = None,
) -> Outcome:  # fmt: skip
    """One night: its log in; the sessions that can change no more out; the others kept for the next night.

    Args:
        config: What was asked for; its ``until`` is the end of the batch.
        output: What to write, and where: into ``batch=NAME`` there.
        nightly: Which batch, of which state.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        SessionizeError: Of the kind that says who must act; the state and the outputs are as they were.
    """
    _check(config, output, nightly)
    read = _refuse_foreign(config, output, nightly)
    progress("opening")
    with ExitStack() as stack:
        log = open_log(config) if config.inputs else None
        store = stack.enter_context(Store(Path(nightly.state)))
        state = store.state or new(nightly.batch)
        inputs = tuple(_known(file) for file in log.files) if log else ()
        found = step(state, nightly.batch, inputs, flush=nightly.flush, redo=nightly.redo)
        lost = found is None and not _is_there(output, nightly)
        if lost:
            found = _made_again(state, nightly)
        known = found.parent if found else _done(state, nightly)
        config = _with_layout(config, log, known)
        _check_ends(config)
        if log is None:
            meant = plan_of_state(config, known, nightly.given)
            opening = opened(config, limits, progress, log=NoLog(), plan=meant)
        else:
            there_log = log if log.config is config else log.opened_with(config)
            opening = opened(config, limits, progress, log=there_log, known=_found_before(known))
        there = stack.enter_context(opening)
        check_same(there.plan, known, nightly, state, config)
        if found is None:
            return _nothing_to_do(output, nightly)
        refuse_night(Path(output.directory), [f"batch={name}" for name in found.again], read)
        work = _Work(config, output, nightly, found, there, inputs)
        return work.run(store, stack, progress)


def _refuse_foreign(config: Config, output: Output, nightly: Nightly) -> dict[tuple[int, int], str]:
    """Refuse to write where an input lies, or what no night of ours made; what is read, by device and inode."""
    read = identities(config.inputs, config)
    refuse_stdout(read)
    refuse_night(Path(output.directory), [nightly.folder], read)
    refuse_no_folder(Path(nightly.state), read, "choose another --state")
    refuse_inputs(state_files(Path(nightly.state)), read, "choose another --state")
    return read


class _Work:
    """A night that is to be run."""

    def __init__(
        self, config: Config, output: Output, nightly: Nightly, found: Step, there: Opened,
        inputs: tuple[Mapping[str, Any], ...],
    ) -> None:  # fmt: skip
        self.config, self.output, self.nightly = config, output, nightly
        self.parent, self.state, self.again = found
        self.log, self.plan, self.limits, self.places = there
        self.inputs = inputs
        self.until = end_of_batch(nightly, config, self.parent)

    def run(self, store: Store, stack: ExitStack, progress: Callable[[str], None]) -> Outcome:
        """Do it, from what was carried to the commit."""
        night = self._night(iter(()) if self.parent is None else store.carried(self.parent.carry))
        directory = Path(self.output.directory)
        stack.enter_context(map_os_errors(directory))
        publisher = stack.enter_context(Publisher(directory))
        limits = replace(self.limits, scratch=publisher.scratch)
        progress("reading and sessionizing")
        names = Names(self.plan)
        result = sessionize_log(self.log, self.plan, limits, policy=night, observe=[names], assign=self.output.events)
        refuse_bad_rows(self.log, result, self.config, self.plan)
        progress("writing")
        seen = names.seen()
        stage = store.stage(directory, self.state.owner, self.nightly.folder)
        placed = with_places(result, self.places, self.plan)
        written = commit(placed, self.log, self.plan, self.output, stage, self._warnings(seen, result))
        done = self._done(night, result, seen, store)
        intent = Intent(
            directory=str(directory.absolute()), staged=stage.directory.name, final=self.nightly.folder,
            withdraw=tuple(f"batch={name}" for name in self.again),
        )  # fmt: skip
        store.commit(after(self.state, done, intent))
        run = Run(result.counts, *written, seen.event_types, self.plan.notes)
        return Outcome(written.manifest, run, tuple(_notes(done, self.again, result.counts)))

    def _warnings(self, seen: Seen, result: Result) -> tuple[str, ...]:
        """What should be looked at; not names that this night alone has not."""
        if not self.log.files:
            return ()
        counts = result.counts
        told = notes(seen, self.config, self.plan, () if self.parent is None else self.parent.seen)
        told = (*told, *notes_on_rejected(self.log, result, self.config, self.plan))
        return (*told, _late(counts)) if counts.late > MANY_LATE * counts.rows_read else told

    def _night(self, carried: Iterator[pl.DataFrame]) -> Night:
        """The night before it begins: all columns that its events will have."""
        first = next(carried, None)
        before = Stand() if self.parent is None else Stand(self.parent.watermark, self.parent.until, self.parent.newest)
        types = together({} if first is None else first.schema, self._types())
        asked = Asked(self.until, self.nightly.lateness // MICROSECOND, self.nightly.flush)
        return Night(before, asked, carried if first is None else chain((first,), carried), types)

    def _types(self) -> Types:
        """Columns of the log's canonical events."""
        if not self.log.files:
            return {}
        return event_types(self.log.schema, self.plan) | dict.fromkeys(told_columns(self.plan), pl.String())

    def _done(self, night: Night, result: Result, seen: Seen, store: Store) -> Done:
        generation = 1 if self.parent is None else self.parent.generation + 1
        known = {} if self.parent is None else self.parent.columns
        return Done(
            name=self.nightly.batch,
            generation=generation,
            watermark=result.stand.watermark,
            until=result.stand.until,
            newest=result.stand.newest,
            flushed=self.nightly.flush,
            carry=store.keep(generation, night.out),
            open_sessions=night.open_sessions,
            oldest=night.oldest,
            inputs=self.inputs,
            rules=rules_of_nights(self.plan) | {"amounts": self.plan.amounts},
            columns={**dict.fromkeys(self.plan.off, ()), **known, **columns_of(self.plan)},
            counts=asdict(result.counts),
            seen=tuple(sorted({*seen.present, *(() if self.parent is None else self.parent.seen)})),
        )


def _check(config: Config, output: Output, nightly: Nightly) -> None:
    if output.to_stdout:
        raise UsageError("a night has more to write than fits on stdout", hint="-o DIR; it writes into DIR/batch=NAME")
    if not config.inputs and not nightly.flush:
        raise UsageError("no input", hint="name the night's log; only --flush may go without")


def _check_ends(config: Config) -> None:
    rules = config.rules
    if config.inputs and rules.timeout is None and not rules.end_events and rules.max_duration is None:
        raise UsageError(
            "with --timeout none no session ever ends, so that no night could emit one",
            hint="add --max-duration 24h, or --end-event NAME",
        )


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
        following = date.fromisoformat(nightly.batch) + timedelta(days=1)
        midnight = datetime.combine(following, time(), ZoneInfo(config.timezone))
        end = microseconds(midnight.astimezone(UTC))
    except (ValueError, OverflowError):
        raise UsageError(f"--batch {nightly.batch} is no date there is", hint="or say its end: --until TIME") from None
    if parent is not None and parent.until is not None and end <= parent.until:
        raise UsageError(
            f"batch {nightly.batch} ends before batch {parent.name}, which was run already: all of it would be late",
            hint=f"nights are run in order: this one belongs before a night run again with --redo; "
            f"or say its end: --until {iso(parent.until)}",
        )
    return end


def _with_layout(config: Config, log: Log | None, known: Done | None) -> Config:
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


def _found_before(known: Done | None) -> Known | None:
    """What holds for this night, too, whatever its own first rows look like."""
    if known is None:
        return None
    style = known.rules.get("amounts", "plain")
    return Known(known.columns, None if style == "plain" else style)


def _known(file: LogFile) -> dict[str, Any]:
    """What is needed to recognise a file, as the state keeps it."""
    found = {key: value for key, value in asdict(file).items() if value is not None}
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def _is_there(output: Output, nightly: Nightly) -> bool:
    return (Path(output.directory) / nightly.folder / MANIFEST).is_file()


def _done(state: State, nightly: Nightly) -> Done | None:
    return next((night for night in state.nights if night.name == nightly.batch), None)


def _made_again(state: State, nightly: Nightly) -> Step | None:
    """The step of a night that was run, but whose output is not there."""
    if state.last is None or state.last.name != nightly.batch:
        raise UsageError(
            f"batch {nightly.batch} was run, but its output is not in -o",
            hint="--redo makes it again; the nights after it must then be run again too",
        )
    return step(state, nightly.batch, (), flush=nightly.flush, redo=True)


def _nothing_to_do(output: Output, nightly: Nightly) -> Outcome:
    text = (Path(output.directory) / nightly.folder / MANIFEST).read_text(encoding="utf-8")
    note = f"nothing to do: batch {nightly.batch} was run with the same inputs; --redo runs it again"
    return Outcome(json.loads(text), None, (note,))


def _late(counts: Counts) -> str:
    return (
        f"{counts.late:,} of {counts.rows_read:,} rows came too late: they are in late.ndjson; "
        f"to take them in, run their own batch again with their file added"
    )


def _notes(done: Done, again: Sequence[str], counts: Counts) -> Iterator[str]:
    if again:
        yield f"run again, in this order: {', '.join(f'--batch {name}' for name in again)}"
    if 0 < counts.late <= MANY_LATE * counts.rows_read:
        yield _late(counts)
    if done.oldest is not None and done.until is not None and done.until - done.oldest > OLD_AFTER // MICROSECOND:
        yield f"a session is open since {iso(done.oldest)}: --max-duration 24h would end it (a crawler?)"
