"""Sessions to answer from: of a log, or of an earlier run's output, of which nothing is computed twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, field, replace
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.answers.columns_of_run import check_group, check_steps
from sessionize.answers.containing import contained, names_of_run, with_columns_of
from sessionize.answers.earlier import Earlier, is_run, with_own
from sessionize.answers.looks import EventTypes, Places
from sessionize.answers.private import check_as_private, with_guarded
from sessionize.config import Config, Plan
from sessionize.engine.names import Names, are_asked_for, notes
from sessionize.engine.observe import Observer
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts, Result
from sessionize.errors import InputError, UsageError
from sessionize.limits import Limits
from sessionize.opening import Opened, log_of, opened
from sessionize.opening import Source as LogSource
from sessionize.output.as_made import check_as_made
from sessionize.output.geo import with_places
from sessionize.output.manifest import manifest
from sessionize.patterns import pattern
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected
from sessionize.summary.selection import OF_START, bare, is_name, metric_columns
from sessionize.values import dataclass
from sessionize.version import __version__

Progress = Callable[[str], None]

SESSIONS_WITH_EVENTS: Final = 1 << 14
"""Sessions that are looked at at once, where their events are, too."""
ALWAYS: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.PAGE, schema.VALUE,
)  # fmt: skip
"""Roles that every answer may need; of the others, those that it names."""
MEANT: Final = pattern(r"did you mean '([^']*)'\? ")
"""How a hint begins that names a column which may be meant."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where answers come from.

    Attributes:
        inputs: Inputs as they were typed.
        account: What was read and decided, as a manifest has it.
        newest: Time of the newest event, microseconds since 1970 UTC; None for a log without events. Of an earlier run where
            that was asked for, else the time up to which it was complete.
        timezone: IANA zone of days and hours.
        page_views: Event types that are page views; None for the built-in ones.
        batches: Some sessions at a time in order of their starts: metrics, and events where they were asked for.
        event_types: Events by type, the commonest first; none where that is not known.
        raw: Gives what stands at places of the log; None where that was not asked for.
        files: Paths of the log's files.
        names: What the log's own columns are called among the events' columns.
        log_columns: The log's own columns.
        choices: What was decided of the log's columns, and should be known.
        notes: Names that were asked for and never occur, ids that may be none, amounts that are no numbers.
    """

    inputs: tuple[str, ...]
    account: dict[str, Any]
    newest: int | None
    timezone: str
    page_views: tuple[str, ...] | None
    batches: Iterable[tuple[pl.DataFrame, pl.DataFrame | None]]
    event_types: Mapping[str, int] = field(default_factory=dict)
    raw: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    files: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    log_columns: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Need:
    """What an answer needs.

    Attributes:
        events: Whether every event is needed, with its session and its place in it.
        named: Texts that may name a column: groups, conditions, steps.
        carried: A column of the log that is wanted for each session; None for none.
        everything: Whether all that events have is needed.
        rows: Whether it must be known where each event stands in the log.
        observe: Gives for the plan what looks at a log's events on their way; an earlier run has no such way.
        steps: Texts that say of an event whether it is meant.
        containing: Steps of which it must be known whether a session has an event.
        newest: Whether it must be known before all when the newest event was.
    """

    events: bool = False
    named: tuple[str, ...] = ()
    carried: str | None = None
    everything: bool = False
    rows: bool = False
    observe: Callable[[Plan], Sequence[Observer]] = lambda _: ()
    steps: tuple[str, ...] = ()
    containing: tuple[str, ...] = ()
    newest: bool = False

    @property
    def all_steps(self) -> tuple[str, ...]:
        """The texts that say something of an event."""
        return (*self.steps, *self.containing)


def source(config: Config, need: Need, stack: ExitStack, progress: Progress, limits: Limits | None = None) -> Source:
    """Sessions of what was named.

    Args:
        config: The log, and the rules of sessions.
        need: What of them is needed.
        stack: Closed when all is answered.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    wanted = replace(need, events=True, named=(*need.named, *need.containing)) if need.containing else need
    if is_run(config.inputs):
        found = _of_run(config, wanted, progress, limits)
    else:
        found = _of_log(config, wanted, stack, progress, limits)
    if not need.containing:
        return found
    batches = contained(found.batches, need.containing, found.timezone, found.names, events=need.events)
    return replace(found, batches=batches)


def _of_run(config: Config, need: Need, progress: Progress, limits: Limits | None) -> Source:
    progress("reading an earlier run")
    run = Earlier.of(config.inputs)
    rules = run.account["rules"]
    check_as_private(config, rules)
    check_as_made(config.inputs[0], config, run.account)
    check_group(need.carried, run.account)
    check_steps(need.all_steps, run.account)
    held = limits or Limits.of(config.memory_limit)
    names = names_of_run(run.account["columns"])
    return Source(
        inputs=config.inputs,
        account=run.account,
        newest=run.newest(held) if need.newest else run.watermark,
        timezone=rules["timezone"],
        page_views=None if rules["page_views"] is None else tuple(rules["page_views"]),
        batches=run.batches(held, events=need.events),
        names=names,
        log_columns=tuple(names),
    )


def _of_log(config: Config, need: Need, stack: ExitStack, progress: Progress, limits: Limits | None) -> Source:
    progress("opening")
    log, resolved, allowed, places = _opened(config, need, stack, progress, limits)
    named = with_columns_of(need.all_steps, resolved, log.schema)
    plan = only_needed(
        with_guarded(named.plan, config), replace(need, named=(*need.named, *need.all_steps, *named.roles))
    )
    if need.events:  # in texts, of which many more fit in memory as codes
        allowed = replace(allowed, session_rows=min(allowed.session_rows, SESSIONS_WITH_EVENTS))
    progress("reading and sessionizing")
    types, asked = EventTypes(), Names(plan) if are_asked_for(config) else None
    observe: list[Observer] = [
        types,
        *([] if asked is None else [asked]),
        *([Places()] if need.rows else []),
        *need.observe(plan),
    ]
    result = sessionize_log(log, plan, allowed, observe=observe, assign=need.events)
    refuse_bad_rows(log, result, config, plan)
    check_counts(result.counts, config)
    progress("answering")
    return Source(
        inputs=config.inputs,
        account=account(log, plan, result),
        newest=result.watermark,
        timezone=plan.timezone,
        page_views=plan.page_views,
        event_types=types.commonest_first,
        batches=(
            (with_own(batch.sessions, plan.own), batch.events) for batch in with_places(result, places, plan).batches
        ),
        raw=log.raw if need.rows else None,
        files=tuple(file.path for file in log.files),
        names=named.names,
        log_columns=tuple(log.schema),
        choices=plan.notes,
        notes=(
            *(() if asked is None else notes(asked.seen(), config, plan)),
            *result.values.notes(plan),
            *notes_on_rejected(log, result, config, plan),
            *_hidden(need, log.schema, plan),
        ),
    )


def _hidden(need: Need, types: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    """What to say where sessions are grouped by a metric, and the log has a column of that name that is another thing."""
    name, roles = need.carried, {each for names in plan.columns.values() for each in names}
    if name in metric_columns() and name in types and name not in roles:
        yield (
            f"--by {name} is that of the sessions; the log's own column: --dimension log_{name}={name} --by log_{name}"
        )


def account(log: LogSource, plan: Plan, result: Result) -> dict[str, Any]:
    """What was read and decided, as a manifest has it."""
    inputs = [{key: value for key, value in asdict(file).items() if value is not None} for file in log.files]
    return manifest(
        version=__version__,
        inputs=inputs,
        plan=plan,
        counts=result.counts,
        watermark=result.watermark,
        passed_over=[{"path": each.path, "why": each.why} for each in log.passed_over],
    )


def check_counts(counts: Counts, config: Config) -> None:
    """Raise InputError for a log that has rows of which none is an event."""
    if counts.rows_read and counts.rows_read == counts.unsound and not (counts.left_out and config.where):
        raise InputError(
            f"{', '.join(config.inputs)}: none of its {counts.rows_read:,} rows is an event",
            hint="sessionize run FILE -o out keeps them with their reasons in rejected.ndjson",
        )


def with_carried(config: Config, need: Need) -> Config:
    """The configuration with the column that is wanted for each session."""
    if need.carried is None or not is_name(need.carried):
        return config
    return _carrying(config, bare(need.carried).removeprefix(schema.PROPERTY_PREFIX))


def _carrying(config: Config, name: str) -> Config:
    if name in {*config.dimensions, *config.metrics, *config.goals, *config.properties, *metric_columns()}:
        return config
    return replace(config, properties=(*config.properties, name))


def _opened(config: Config, need: Need, stack: ExitStack, progress: Progress, limits: Limits | None) -> Opened:
    """The log; a column that sessions are to be grouped by and that it has not is told as that."""
    asked = with_carried(config, need)
    try:
        log = log_of(asked, limits)
        settled = log.config
        # A whole name comes before any reading of it; that it is one shows only in the log.
        if asked is config and need.carried is not None and need.carried in log.schema:
            settled = _carrying(settled, need.carried)
        return stack.enter_context(opened(settled, limits, progress, log=log))
    except UsageError as error:
        if asked is config or repr(bare(str(need.carried)).removeprefix(schema.PROPERTY_PREFIX)) not in error.message:
            raise
        raise UsageError(
            f"--by {need.carried!r}: neither a column of the log nor a metric",
            hint=_or_metric(str(need.carried), error.hint or ""),
        ) from None


def _or_metric(name: str, hint: str) -> str:
    """The hint with the metric that may be meant, where that is nearer than the column which it names."""
    near = get_close_matches(name, [*metric_columns(), *OF_START], n=1, cutoff=0.6)
    told = MEANT.match(hint)
    if not near or (told is not None and _alike(name, told[1]) >= _alike(name, near[0])):
        return hint
    return f"did you mean {near[0]!r}? {hint[told.end() :] if told else hint}"


def _alike(name: str, other: str) -> float:
    return SequenceMatcher(None, name, other).ratio()


def only_needed(plan: Plan, need: Need) -> Plan:
    """The plan without the columns that the answer does not need, so that they are not read."""
    if need.everything or plan.derived_splits:  # these are told by pages, campaigns and referrers
        return plan
    looked_into = plan.agents or plan.exclude_bots
    text = " ".join((*need.named, need.carried or ""))
    kept = {
        role: names
        for role, names in plan.columns.items()
        if role in ALWAYS
        or role in text
        or (role == schema.USER_AGENT and looked_into)
        or (role in schema.UTM and any(each in text for each in schema.UTM))  # all are of one event
        or plan.channels
    }
    properties = tuple(name for name in plan.properties if name in text)
    return replace(plan, columns=kept, properties=properties, traits=(), devices=False)
