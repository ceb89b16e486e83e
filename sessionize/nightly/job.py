"""The nightly way: one batch of a log that comes in batches, exact across midnight (semantics, section 8).

The night's log goes down the spine behind what was carried over; out come the sessions that can change no more. Its
output and its state become visible in one moment (`store`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from sessionize import schema
from sessionize.config import MICROSECOND, Config, Nightly, Output, Plan, TimeFormat
from sessionize.engine.limits import memory
from sessionize.engine.partition import Limits
from sessionize.engine.pipeline import sessions_of
from sessionize.errors import UsageError
from sessionize.kernel import normalise
from sessionize.kernel.enrich import told_columns
from sessionize.nightly.batch import Asked, Night, Stand
from sessionize.nightly.carryover import Types, together
from sessionize.nightly.state import Done, Intent, State, Step, after, changes, new, step
from sessionize.nightly.store import Store
from sessionize.one_shot import Run, bad_row, located_batches
from sessionize.output.commit import MANIFEST, Result, commit
from sessionize.output.geo import Places
from sessionize.output.manifest import Counts, iso, manifest, microseconds
from sessionize.output.publish import Publisher, map_os_errors
from sessionize.plan import condition, resolve, told_by
from sessionize.read import Log, open_log
from sessionize.read.files import LogFile

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
OLD_AFTER: Final = timedelta(hours=24)
"""A session carried for longer is told of: it may be a crawler that never falls silent."""
PLACE: Final = (schema.FILE, schema.ROW, schema.REASON)


class Outcome(NamedTuple):
    """What became of a night.

    Attributes:
        manifest: As it lies in the night's folder.
        run: What was done; None where there was nothing to do.
        notes: What the one who runs it should know.
    """

    manifest: dict[str, Any]
    run: Run | None
    notes: tuple[str, ...] = ()


def run_night(
    config: Config, output: Output, nightly: Nightly, progress: Callable[[str], None] = lambda _: None
) -> Outcome:
    """One night: its log in; the sessions that can change no more out; the others kept for the next night.

    Args:
        config: What was asked for; its ``until`` is the end of the batch.
        output: What to write, and where: into ``batch=NAME`` there.
        nightly: Which batch, of which state.
        progress: Told the name of each stage as it begins.

    Raises:
        SessionizeError: Of the kind that says who must act; the state and the outputs are as they were.
    """
    _check(config, output, nightly)
    progress("opening")
    log = open_log(config) if config.inputs else None
    with ExitStack() as stack:
        store = stack.enter_context(Store(Path(nightly.state)))
        state = store.state or new(nightly.batch)
        inputs = tuple(_known(file) for file in log.files) if log else ()
        found = step(state, nightly.batch, inputs, flush=nightly.flush, redo=nightly.redo)
        lost = found is None and not _is_there(output, nightly)
        if lost:
            found = _made_again(state, nightly)
        plan = _plan(config, log, found.parent if found else _done(state, nightly))
        if found is None:
            return _nothing_to_do(output, nightly)
        work = _Work(config, output, nightly, found, log, plan, inputs)
        return work.run(store, stack, progress)


class _Work:
    """A night that is to be run."""

    def __init__(  # noqa: PLR0913, PLR0917 - what was found out about it
        self, config: Config, output: Output, nightly: Nightly, found: Step, log: Log | None, plan: Plan,
        inputs: tuple[Mapping[str, Any], ...],
    ) -> None:  # fmt: skip
        self.config, self.output, self.nightly = config, output, nightly
        self.parent, self.state, self.again = found
        self.log, self.plan, self.inputs = log, plan, inputs
        self.until = end_of_batch(nightly, config, self.parent)
        self.places = None if config.geo_db is None else Places(config.geo_db)

    def run(self, store: Store, stack: ExitStack, progress: Callable[[str], None]) -> Outcome:
        """Do it, from what was carried to the commit."""
        log = self.log
        night = self._night(iter(()) if self.parent is None else store.carried(self.parent.carry))
        directory = Path(self.output.directory)
        stack.enter_context(map_os_errors(directory))
        publisher = stack.enter_context(Publisher(directory))
        limits = Limits(memory(self.config.memory_limit), publisher.scratch, lambda: log.share_read if log else 1.0)
        progress("reading and sessionizing")
        batches = iter(()) if log is None else log.batches(limits.memory.rows_at_once)
        types = {} if log is None else log.schema
        with log.reading() if log else nullcontext():
            result = sessions_of(batches, types, self.plan, limits, assign=self.output.events, night=night)
        if log is not None and self.config.on_bad_row == "fail" and result.rejected.height:
            raise bad_row(log, result, self.plan)
        progress("writing")
        stage = store.stage(directory, self.state.owner, self.nightly.folder)
        placed = located_batches(result, self.places, self.plan)
        written = commit(placed, log or _NoLog(), self.plan, self.output, stage)
        done = self._done(night, result, store)
        intent = Intent(
            directory=str(directory.absolute()), staged=stage.directory.name, final=self.nightly.folder,
            withdraw=tuple(f"batch={name}" for name in self.again),
        )  # fmt: skip
        store.commit(after(self.state, done, intent))
        return Outcome(written.manifest, Run(result.counts, *written), tuple(_notes(done, self.again, result.counts)))

    def _night(self, carried: Iterator[pl.DataFrame]) -> Night:
        """The night before it begins: all columns that its events will have."""
        first = next(carried, None)
        before = Stand() if self.parent is None else Stand(self.parent.watermark, self.parent.until, self.parent.newest)
        types = together({} if first is None else first.schema, {} if self.log is None else _types(self.log, self.plan))
        asked = Asked(self.until, self.nightly.lateness // MICROSECOND, self.nightly.flush)
        return Night(before, asked, carried if first is None else chain((first,), carried), types)

    def _done(self, night: Night, result: Result, store: Store) -> Done:
        generation = 1 if self.parent is None else self.parent.generation + 1
        known = {} if self.parent is None else self.parent.columns
        return Done(
            name=self.nightly.batch,
            generation=generation,
            watermark=night.after.watermark,
            until=night.after.until,
            newest=night.after.newest,
            flushed=self.nightly.flush,
            carry=store.keep(generation, night.out),
            open_sessions=night.open_sessions,
            oldest=night.oldest,
            inputs=self.inputs,
            rules=_rules(self.plan),
            columns={**known, **_columns(self.plan)},
            counts=asdict(result.counts),
        )


class _NoLog:
    """The log of a flush without an input."""

    files: tuple[LogFile, ...] = ()

    def raw(self, rows: pl.DataFrame) -> pl.DataFrame:
        """No row."""
        return rows.select(schema.FILE, schema.ROW).with_columns(raw=pl.lit("")).clear()


def _check(config: Config, output: Output, nightly: Nightly) -> None:
    rules = config.rules
    if output.to_stdout:
        raise UsageError("a night has more to write than fits on stdout", hint="-o DIR; it writes into DIR/batch=NAME")
    if not config.inputs and not nightly.flush:
        raise UsageError("no input", hint="name the night's log; only --flush may go without")
    if rules.timeout is None and not rules.end_events and rules.max_duration is None:
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


def _plan(config: Config, log: Log | None, known: Done | None) -> Plan:
    """What the configuration means for this night's log, after the nights before it.

    Raises:
        UsageError: If rules or columns are not those of the nights before.
    """
    if log is not None:
        plan = resolve(config, log.schema, log.sample)
    elif known is None:
        raise UsageError("there is nothing to flush: no night has been run with this --state")
    else:
        plan = _plan_without_log(config, known)
    if known is not None:
        shared = {role: names for role, names in _columns(plan).items() if role in known.columns}
        there = {role: names for role, names in known.columns.items() if role in shared}
        changed = changes(known.rules, _rules(plan)) + changes(there, shared)
        if changed:
            raise UsageError(
                f"not as in the nights before: {'; '.join(changed)}",
                hint="--flush what is open with the old ones and begin a new --state, or go on as it was",
            )
    return plan


def _plan_without_log(config: Config, known: Done) -> Plan:
    rules = config.rules
    return Plan(
        columns={role: (names,) if isinstance(names, str) else tuple(names) for role, names in known.columns.items()},
        time=TimeFormat(kind="text"), timezone=config.timezone, rules=rules, page_views=config.page_views,
        conversions=config.conversions, properties=config.properties, traits=config.traits, where=condition(config),
        until=config.until, **told_by(config, known.columns),
    )  # fmt: skip


def _account(plan: Plan) -> dict[str, Any]:
    return manifest(version="", inputs=[], plan=plan, counts=Counts(), watermark=None)


def _rules(plan: Plan) -> dict[str, Any]:
    """What must be the same every night: all of the manifest's rules but how times are written."""
    return {name: value for name, value in _account(plan)["rules"].items() if name != "time_format"}


def _columns(plan: Plan) -> dict[str, Any]:
    return dict(_account(plan)["columns"])


def _types(log: Log, plan: Plan) -> Types:
    """Columns of the log's canonical events."""
    place = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.FAULT: pl.Enum(schema.REASONS)}
    raw: dict[str, pl.DataType] = {**place, **log.schema}
    found = normalise(pl.LazyFrame(schema=raw), log.schema, plan).collect_schema()
    types = {name: dtype for name, dtype in found.items() if name not in PLACE}
    return types | dict.fromkeys(told_columns(plan), pl.String())


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


def _notes(done: Done, again: Sequence[str], counts: Counts) -> Iterator[str]:
    if again:
        yield f"run again, in this order: {', '.join(f'--batch {name}' for name in again)}"
    if counts.late:
        yield (
            f"{counts.late:,} events came too late: they are in late.ndjson; "
            f"to take them in, run their own batch again with their file added"
        )
    if done.oldest is not None and done.until is not None and done.until - done.oldest > OLD_AFTER // MICROSECOND:
        yield f"a session is open since {iso(done.oldest)}: --max-duration 24h would end it (a crawler?)"
