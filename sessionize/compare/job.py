"""The job: a log is read once, its keys are cut by each definition in turn, and what came out is held side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.compare.agreement import Agreement, Cut
from sessionize.compare.candidate import Candidate
from sessionize.compare.measure import Measures, figures, metrics
from sessionize.compare.side import Side, cut_together
from sessionize.config import Config, OutputFormat, Plan
from sessionize.engine.ingest import Arrived
from sessionize.engine.names import Names, are_asked_for, notes
from sessionize.engine.partition import Partition
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.policy import OneShot, Settled, Wanted, places
from sessionize.engine.result import Counts, Stand
from sessionize.engine.tally import Tally
from sessionize.errors import UsageError
from sessionize.kernel import Sessionized, sessionize
from sessionize.kernel.keys import key_codes
from sessionize.kernel.order import in_order
from sessionize.limits import Limits
from sessionize.opening import opened
from sessionize.os_errors import map_os_errors
from sessionize.output.upload import publisher
from sessionize.output.writers import writer
from sessionize.plan.splits import splits
from sessionize.refusals import refuse_no_events
from sessionize.rejected_rows import notes_on_rejected
from sessionize.stores import AnyPath
from sessionize.values import NamedTuple

SOURCE_ID: Final = "source-id"
"""The log's own session ids, as one of those that are compared."""
OWN_ID: Final = f"{schema.SPLIT_PREFIX}sessionize.source_id"
"""Column in which the log's session id goes along, where the key is the profile id."""


NEEDED: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.VALUE,
)  # fmt: skip
"""Roles that matter to sessions and to what is told of them without texts, beside the page of a log without event types."""


class Row(NamedTuple):
    """What came out by one definition.

    Attributes:
        name: Name of the definition.
        figures: Sessions, profiles, lengths and rates, by name.
        agreement: Agreement of the first's sessions with its own.
        source: Source of the log's own sessions with its own; None unless that was asked for.
    """

    name: str
    figures: Mapping[str, Any]
    agreement: Agreement
    source: Agreement | None


class Compared(NamedTuple):
    """What came out.

    Attributes:
        rows: One for each definition, in the order in which they were asked for.
        counts: Rows of the log and sessions by the first; they add up.
        by_profile: Whether the key was the profile id where there is one, as the log's session ids were asked for.
        written: Names of the files that were written.
        passed_over: What was found beside the log and not read, as a manifest has it.
        choices: What was decided of the log's columns, and should be known.
        notes: Names that were asked for and never occur, and how rejected rows would be read.
    """

    rows: tuple[Row, ...]
    counts: Counts
    by_profile: bool
    written: tuple[str, ...] = ()
    passed_over: tuple[Mapping[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Comparing(OneShot):
    """Cuts each partition by all definitions; the first one's sessions are those that the run gives out."""

    def __init__(self, sides: Sequence[Side], *, by_profile: bool, keep: bool, lean: bool) -> None:
        self._sides = sides
        self._lean = lean
        self._by_profile = by_profile
        self._keep = keep
        self._source = next((place for place, each in enumerate(sides) if each.candidate.name == SOURCE_ID), None)

    def before(self, arrived: Iterable[Arrived]) -> Iterable[Arrived]:
        """The events of the log; by profile where its own session ids are compared with, else they would be the key."""
        return map(_by_profile, arrived) if self._by_profile else arrived

    def settle(self, partition: Partition, plan: Plan, stand: Stand, wanted: Wanted) -> Iterator[Settled]:  # noqa: ARG002
        """The sessions by the first definition; those by the others are measured on the way."""
        events = partition.release()
        if self._lean:
            events = events.select(pl.col(name) for name in events.columns if _is_needed(name, events.columns))
            if not self._by_profile:
                found = cut_together(events, self._sides, stand.watermark, self._source)
                yield Settled(found, None, places(found.alone, events, plan))
                return
        done = [self._cut(each, events) for each in self._sides]
        keys, cuts = _cuts(done, events)
        for side, found, cut in zip(self._sides, done, cuts, strict=True):
            side.tally += Tally.of(found, side.plan, stand.watermark)
            side.parts.append(side.measures.of(found, side.plan, stand.watermark))
            side.agree(cuts, cut, keys, self._source)
            if self._keep:
                side.sessions.append(metrics(found, side.plan, stand.watermark))
        yield Settled(done[0], None, places(done[0].alone, events, plan))

    def _cut(self, side: Side, events: pl.DataFrame) -> Sessionized:
        if side.candidate.name == SOURCE_ID and self._by_profile:
            events = events.with_columns(events[OWN_ID].alias(schema.SESSION_ID))
        return sessionize(events, side.plan, assign=True)


def compare(
    config: Config, candidates: Sequence[Candidate], progress: Callable[[str], None] = lambda _: None, *,
    output: AnyPath | None = None, form: OutputFormat = "parquet", limits: Limits | None = None,
) -> Compared:  # fmt: skip
    """Cut a log by several definitions in one reading.

    Args:
        config: The log; its own rules are not used.
        candidates: The definitions; the others are held against the first.
        progress: Told the name of each stage as it begins.
        output: Folder into which the metrics by each definition are written; None for none.
        form: Format of these.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    names = [each.name for each in candidates]
    if len(set(names)) < len(names):
        raise UsageError("a definition is named twice", hint=f"--as {' --as '.join(dict.fromkeys(names))}")
    progress("opening")
    with opened(config, limits) as (log, resolved, allowed, _):
        by_profile = SOURCE_ID in names and _has_both(resolved)
        if SOURCE_ID in names and schema.SESSION_ID not in resolved.columns:
            raise UsageError(
                f"--as {SOURCE_ID}: the log has no session id", hint="say which column has it: --session-id COLUMN"
            )
        base = _base(resolved, candidates, log.schema)
        named = replace(base, rules=resolved.rules, channels=False)  # the definitions' own names are nobody's here
        measures = [Measures(each.definition) for each in candidates]
        lean = output is None and all(each.is_lean for each in measures)
        if lean:
            base = _without_unneeded(base)
        sides = [
            Side(candidate=each, plan=replace(base, rules=each.rules), measures=measure)
            for each, measure in zip(candidates, measures, strict=True)
        ]
        progress("reading and comparing")
        policy = _Comparing(sides, by_profile=by_profile, keep=output is not None, lean=lean)
        asked = Names(named) if are_asked_for(config) else None
        observe = [] if asked is None else [asked]
        result = sessionize_log(log, base, allowed, policy=policy, observe=observe, keep=False)
        refuse_no_events(log, result, base)
        said = (
            *(() if asked is None else notes(asked.seen(), replace(config, own_hosts=()), named)),
            *notes_on_rejected(log, result, config, base),
        )
        passed_over = tuple({"path": each.path, "why": each.why} for each in log.passed_over)
        written = () if output is None else _write(sides, output, form)
    counts = replace(result.counts, profiles=sides[0].tally.counts().profiles)
    rows = _rows(sides, has_source=SOURCE_ID in names)
    return Compared(rows, counts, by_profile, written, passed_over, resolved.notes, said)


def _has_both(plan: Plan) -> bool:
    return schema.SESSION_ID in plan.columns and schema.PROFILE_ID in plan.columns


def _base(plan: Plan, candidates: Sequence[Candidate], types: Mapping[str, pl.DataType]) -> Plan:
    """The plan by which the log is read: it has the values of all names by which anyone splits."""
    names = tuple(dict.fromkeys(name for each in candidates for name in each.rules.split_names))
    optional = frozenset(names) - {
        name for each in candidates for name in each.rules.split_names if name not in each.optional
    }
    rules = replace(candidates[0].rules, split_on=names, split_on_arrival=())
    found = splits(rules, plan.columns, types, channels=plan.channels, optional=optional)
    return replace(plan, rules=rules, splits=found)


def _is_needed(role: str, there: Collection[str]) -> bool:
    """Whether a column of the events matters to where sessions end, or to what is told of them without texts."""
    if role == schema.PAGE:
        return schema.EVENT_TYPE not in there
    return role in (*NEEDED, schema.FILE, schema.ROW) or role.startswith((schema.SPLIT_PREFIX, schema.GOAL_PREFIX))


def _without_unneeded(plan: Plan) -> Plan:
    """The plan without columns that need not be read; of those that rows tell more by, all are."""
    plan = replace(plan, own=tuple(own for own in plan.own if own.kind == "goal"))
    if plan.derived_splits:
        return replace(plan, properties=(), traits=())
    bots = {schema.USER_AGENT} if plan.exclude_bots else set()
    kept = {role: names for role, names in plan.columns.items() if role in bots or _is_needed(role, list(plan.columns))}
    return replace(plan, columns=kept, properties=(), traits=(), agents=False)


def _by_profile(arrived: Arrived) -> Arrived:
    """Events whose session id, where they have a profile id, goes along in another column and is no key."""
    own = pl.col(schema.SESSION_ID).cast(pl.String)
    key = pl.when(pl.col(schema.PROFILE_ID).is_null()).then(own)
    return arrived._replace(events=arrived.events.with_columns(own.alias(OWN_ID), key.alias(schema.SESSION_ID)))


def _cuts(done: Sequence[Sessionized], events: pl.DataFrame) -> tuple[NDArray[np.uint32], list[Cut]]:
    """The keys of the events that are in sessions, in order of key, time and input; and how each definition cuts them."""
    keys = key_codes(events).to_numpy()
    order = in_order(keys, events[schema.TIMESTAMP].to_physical().to_numpy())
    numbers = [_numbers(each, events.height)[order] for each in done]
    there = np.logical_and.reduce([each >= 0 for each in numbers])
    cuts = [Cut.of(each[there], found.sessions.height) for each, found in zip(numbers, done, strict=True)]
    return keys[order][there], cuts


def _numbers(done: Sessionized, events: int) -> NDArray[np.int64]:
    """Number of each event's session (int64, one for each event of the input); -1 for a duplicate."""
    assert done.assigned is not None
    session = np.full(events, -1, np.int64)
    session[done.assigned["row"].to_numpy()] = done.assigned["session"].to_numpy()
    return session


def _rows(sides: Sequence[Side], *, has_source: bool) -> tuple[Row, ...]:
    first = sides[0].tally.counts().sessions
    rows = []
    for side in sides:
        counts = side.tally.counts()
        told = {
            "sessions": counts.sessions,
            "difference": counts.sessions - first,
            "difference_share": (counts.sessions - first) / first if first else None,
            "profiles": counts.profiles,
            **figures(pl.concat(side.parts)),
        }
        rows.append(Row(side.candidate.name, told, side.agreement, side.source if has_source else None))
    return tuple(rows)


def _write(sides: Sequence[Side], output: AnyPath, form: OutputFormat) -> tuple[str, ...]:
    """A file of metrics for each definition, all of them or none."""
    names = []
    with publisher(output) as held, map_os_errors(held.directory):
        for side in sides:
            name = f"metrics-{side.candidate.name}.{form}"
            with writer(held.path(name), form) as out:
                out.write(pl.concat(side.sessions).sort("start", "session_id"))
            held.seal(name)
            names.append(name)
        held.commit()
    return tuple(names)
