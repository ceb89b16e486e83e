"""The nightly way: one batch of a log that comes in batches, exact across midnight (semantics, section 8).

The night's log goes down the trunk behind what was carried over; out come the sessions that can change no more. Its
output and its state become visible in one moment (`store`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from sessionize.config import MICROSECOND, Config, Nightly, Output
from sessionize.cut_files import refuse_cut
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names, Seen, notes
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.profile import Profile, number_of
from sessionize.engine.result import Result, Stand
from sessionize.errors import UsageError
from sessionize.judge import Judge, Judging
from sessionize.kernel.enrich import enriched_columns
from sessionize.limits import Limits
from sessionize.locations import is_store, sent
from sessionize.nightly.absent import AsFound, with_absent
from sessionize.nightly.batch import PLACE, Night, NightSettings
from sessionize.nightly.carryover import Types, together
from sessionize.nightly.identity import known as known_file
from sessionize.nightly.known import check_begins, check_ends, known_before, lost, night_of, with_layout
from sessionize.nightly.quiet import Quiet, check_quiet, night_log, quiet_note
from sessionize.nightly.rules import LEFT_OUT, OTHERWISE, Meant, check_same, plan_of_state, rules_of_nights
from sessionize.nightly.said import amounts_note, remarks, twice_note, usual_silence, warnings
from sessionize.nightly.series import Step, as_named, day, end_of_batch, gap_note, left_out, step
from sessionize.nightly.state import Done, Intent, State, after, new
from sessionize.nightly.store import Store, state_files
from sessionize.one_shot import Outcome, Run
from sessionize.opening import NoLog, Opened, opened
from sessionize.os_errors import map_os_errors
from sessionize.output.commit import commit
from sessionize.output.geo import with_places
from sessionize.output.manifest import columns_of
from sessionize.output.ownership import MANIFEST, refuse_inputs, refuse_night, refuse_no_folder, refuse_stdout
from sessionize.output.publish import Publisher
from sessionize.read import Log
from sessionize.read.files import identities
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected
from sessionize.values import NamedTuple


def run_night(
    config: Config, output: Output, nightly: Nightly, progress: Callable[[str], None] = lambda _: None, *,
    limits: Limits | None = None, judge: Judge | None = None,
) -> Outcome:  # fmt: skip
    """One night: its log in; the sessions that can change no more out; the others kept for the next night.

    Args:
        config: What was asked for; its ``until`` is the end of the batch.
        output: What to write, and where: into ``batch=NAME`` there.
        nightly: Which batch, of which state.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
        judge: Makes checks in the same pass; None where none are wanted.

    Raises:
        SessionizeError: Of the kind that says who must act; the state and the outputs are as they were.
    """
    refuse_no_night(config, output, nightly)
    read = _refuse_foreign(config, output, nightly)
    progress("opening")
    with ExitStack() as stack:
        log = night_log(config, nightly)
        store = stack.enter_context(Store(Path(nightly.state)))
        check_begins(Path(output.directory), nightly, store.state)
        state = store.state or new(nightly.batch)
        nightly = as_named(nightly, state)
        refuse_night(Path(output.directory), [nightly.folder], read)
        work = prepared(config, output, nightly, state, stack, log=log, limits=limits, progress=progress)
        if work is None:
            return _nothing_to_do(output, nightly)
        refuse_night(Path(output.directory), [f"batch={name}" for name in work.withdrawn], read)
        return work.run(store, stack, progress, judge)


def _refuse_foreign(config: Config, output: Output, nightly: Nightly) -> dict[tuple[int, int], str]:
    """Refuse to write where an input lies, or what no night of ours made; what is read, by device and inode."""
    read = identities(config.inputs, config)
    refuse_stdout(read)
    refuse_night(Path(output.directory), [nightly.folder], read)
    refuse_no_folder(Path(nightly.state), read, "choose another --state")
    refuse_inputs(state_files(Path(nightly.state)), read, "choose another --state")
    return read


def prepared(  # noqa: PLR0913 - each is a part of it
    config: Config, output: Output, nightly: Nightly, state: State, stack: ExitStack, *,
    log: Log | Quiet | None, limits: Limits | None = None, progress: object = None,
) -> Work | None:  # fmt: skip
    """The night as it is to be run; None where it was run already.

    Args:
        config: What was asked for.
        output: What to write, and where.
        nightly: Which batch, of which state.
        state: What the nights before it have left.
        stack: Holds what is open.
        log: The night's log; None of a flush without one.
        limits: What may be held at once; None for what the memory limit comes to.
        progress: Is told how far the log has been read, if it can be.

    Raises:
        SessionizeError: If it cannot be run.
    """
    inputs = tuple(map(known_file, log.sources)) if log else ()
    found = step(state, nightly, inputs)
    if found is None and not _is_there(output, nightly):
        found = _made_again(state, nightly, inputs)
    known = found.parent if found else night_of(state, nightly)
    config = with_layout(config, log if isinstance(log, Log) else None, known)
    check_ends(config)
    if isinstance(log, Quiet):
        check_quiet(log, known, nightly)
    if not isinstance(log, Log):
        plan = plan_of_state(config, known, nightly.given, hint=LEFT_OUT if log is None else OTHERWISE)
        own, opening = {}, opened(config, limits, progress, log=log or NoLog(), plan=plan)
    else:
        there_log = log if log.config is config else log.opened_with(config)
        own = there_log.schema
        there_log = with_absent(there_log, config, known)
        opening = opened(config, limits, progress, log=there_log, known=known_before(known))
    there = stack.enter_context(opening)
    check_same(Meant(there.plan, config, there.log.schema), known, nightly, state)
    return None if found is None else Work(config, output, nightly, found, there, Came(inputs, own))


class Came(NamedTuple):
    """What came for the night.

    Attributes:
        inputs: What is needed to recognise each file again.
        columns: The columns of the log, with their types, without those that only the nights before had.
    """

    inputs: tuple[Mapping[str, Any], ...]
    columns: Types


class Work:
    """A night that is to be run."""

    def __init__(
        self, config: Config, output: Output, nightly: Nightly, found: Step, there: Opened, came: Came
    ) -> None:
        self.config, self.output, self.nightly = config, output, nightly
        self.parent, self.state, self.withdrawn, self.gone = found
        self.log, self.plan, self.limits, self.places = there
        self.inputs, self._columns = came
        self.until = end_of_batch(nightly, config, self.parent)

    def run(
        self, store: Store, stack: ExitStack, progress: Callable[[str], None], judge: Judge | None = None
    ) -> Outcome:
        """Do it, from what was carried to the commit."""
        night = self._night(iter(()) if self.parent is None else store.carried(self.parent.carry))
        directory = Path(self.output.directory)
        stack.enter_context(map_os_errors(directory))
        publisher = stack.enter_context(Publisher(directory))
        limits = replace(self.limits, scratch=publisher.scratch)
        progress("reading and sessionizing")
        names = Names(self.plan)
        judge = judge if self.log.files else None
        judging = self._judging(judge, limits)
        watching = [names, *judging.observers]
        result = sessionize_log(self.log, self.plan, limits, policy=night, observe=watching, assign=self.output.events)
        refuse_cut(self.log, result.rejected, "; nothing was written")
        refuse_bad_rows(self.log, result, self.config, self.plan)
        findings = None if judge is None else judge.verdict(result)
        progress("writing")
        seen = names.seen()
        stage = store.stage(directory, self.state.owner, self.nightly.folder)
        placed = with_places(result, self.places, self.plan)
        said = self._warnings(night, seen, result)
        profile = judging.profile.written(self._columns) if self.log.files else None
        written = commit(placed, self.log, self.plan, self.output, stage, said, profile=profile, findings=findings)
        done = self._done(night, result, seen, store)
        intent = Intent(
            directory=str(directory.absolute()), staged=stage.directory.name, final=self.nightly.folder,
            withdraw=tuple(f"batch={name}" for name in self.withdrawn),
        )  # fmt: skip
        store.commit(after(self.state, done, intent))
        run = Run(result.counts, *written, seen.event_types, self.plan.notes)
        again = tuple(name for name in self.withdrawn if name in self.state.again)
        told = tuple(remarks(done, again, self.gone, result.counts))
        gone = lost(directory, self.state.nights)
        return Outcome(written.manifest, run, told, self.withdrawn, night.arrived_early, gone)

    def _judging(self, judge: Judge | None, limits: Limits) -> Judging:
        """What measures the night, for the nights to come and for the checks."""
        number = number_of(day(self.nightly.batch))
        if judge is not None:
            return judge.begin(self.config, AsFound(self.log, self._columns), self.plan, limits, number)
        profile = Profile(self.plan, whole=number)
        return Judging([profile], profile)

    def _warnings(self, night: Night, seen: Seen, result: Result) -> tuple[str, ...]:
        """What should be looked at; not names that this night alone has not."""
        if not self.log.files:
            return ()
        counts = result.counts
        told = notes(seen, self.config, self.plan, () if self.parent is None else self.parent.seen)
        told = (*told, *notes_on_rejected(self.log, result, self.config, self.plan))
        told = (*told, *amounts_note(self.plan, self.parent))
        told = (*told, *([] if self.log.schema else [quiet_note([file.path for file in self.log.files])]))
        told = (*told, *(twice_note(self.inputs, self.state.nights, self.nightly.batch) if counts.rows_read else ()))
        gap = gap_note(left_out(self.parent, self.state, self.nightly), self.nightly.batch)
        return (*told, *warnings(night, counts, self.parent, gap))

    def _night(self, carried: Iterator[pl.DataFrame]) -> Night:
        """The night before it begins: all columns that its events will have."""
        first = next(carried, None)
        before = Stand() if self.parent is None else Stand(self.parent.watermark, self.parent.until, self.parent.newest)
        types = together({} if first is None else first.schema, self._types())
        settings = NightSettings(self.until, self.nightly.lateness // MICROSECOND, self.nightly.flush)
        files = [file.path for file in self.log.files]
        return Night(before, settings, carried if first is None else chain((first,), carried), types, files)

    def _types(self) -> Types:
        """Columns of the log's canonical events."""
        if not self.log.schema:
            return {}
        place = PLACE if self.plan.rules.passive else {}
        return event_types(self.log.schema, self.plan) | dict.fromkeys(enriched_columns(self.plan), pl.String()) | place

    def _done(self, night: Night, result: Result, seen: Seen, store: Store) -> Done:
        generation = 1 if self.parent is None else self.parent.generation + 1
        known = {} if self.parent is None else self.parent.columns
        off = filter(self.config.is_off, self.config.columns)
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
            rules=rules_of_nights(self.plan) | {"amounts": self.plan.amounts, "amounts_found": self.plan.amounts_found},
            columns={**dict.fromkeys((*self.plan.off, *off), ()), **known, **columns_of(self.plan)},
            counts=asdict(result.counts),
            seen=tuple(sorted({*seen.present, *(() if self.parent is None else self.parent.seen)})),
            usual_silence=usual_silence(night, self.parent),
        )


def refuse_no_night(config: Config, output: Output, nightly: Nightly) -> None:
    """Refuse what is no night, whatever its log and its state are."""
    if output.to_stdout:
        raise UsageError("a night has more to write than fits on stdout", hint="-o DIR; it writes into DIR/batch=NAME")
    if is_store(output.directory):
        raise UsageError(f"{output.directory}: nights are written to this machine only", hint=sent(output.directory))
    if not config.inputs and not nightly.flush:
        raise UsageError("no input", hint="name the night's log; only --flush may go without")


def _is_there(output: Output, nightly: Nightly) -> bool:
    return (Path(output.directory) / nightly.folder / MANIFEST).is_file()


def _made_again(state: State, nightly: Nightly, inputs: Sequence[Mapping[str, Any]]) -> Step | None:
    """The step of a night that was run, but whose output is not there."""
    if state.last is None or state.last.name != nightly.batch:
        raise UsageError(
            f"batch {nightly.batch} was run, but its output is not in -o",
            hint="--redo makes it again; the nights after it must then be run again too",
        )
    return step(state, replace(nightly, redo=True), inputs)


def _nothing_to_do(output: Output, nightly: Nightly) -> Outcome:
    text = (Path(output.directory) / nightly.folder / MANIFEST).read_text(encoding="utf-8")
    note = f"nothing to do: batch {nightly.batch} was run with the same inputs; --redo runs it again"
    return Outcome(json.loads(text), None, (note,))
