"""One pass over a log: events are measured as they stream by, their keys and sessions part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.checks.batches import filled_in
from sessionize.checks.custom import EVENT_PLACE, EVENTS, SESSIONS, Shelf, ask, prove, session_types
from sessionize.checks.facts import EventFacts, Examples, Facts, Flagged
from sessionize.checks.findings import Example
from sessionize.checks.key_stats import KeyStats, Thresholds
from sessionize.checks.row_stats import RowStats, Watched, described_time, example
from sessionize.checks.settings import Settings
from sessionize.checks.table import BY_NAME
from sessionize.checks.text import sanitize
from sessionize.config import Config, Plan
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names, notes
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.value_stats import ValueStats
from sessionize.errors import UsageError
from sessionize.instants import microseconds
from sessionize.limits import Limits
from sessionize.opening import opened
from sessionize.output.manifest import rules_of
from sessionize.read import LogFile
from sessionize.refusals import refuse_no_events
from sessionize.rejected_rows import notes_on_rejected
from sessionize.summary.figures import figures

MEASURED: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.VALUE,
)  # fmt: skip
"""Roles that the checks look at, beside the page of a log without event types."""
A_DAY_NS: Final = 86_400_000_000_000


def facts_of_log(
    config: Config, asked: Settings, thresholds: Thresholds, progress: Callable[[str], None],
    limits: Limits | None = None,
) -> Facts:  # fmt: skip
    """Read a log once and measure everything.

    Args:
        config: The log, and the rules of sessions.
        asked: The user's own checks; options of the others.
        thresholds: What is long and large.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    progress("opening")
    with opened(config, limits, progress) as (log, resolved, allowed, _):
        plan = only_measured(resolved, asked)
        paths = [file.path for file in log.files]
        asked = replace(asked, custom=filled_in(asked.custom, paths))
        watched = _watched(config, plan, asked, log.files)
        _prove(asked, log.schema, plan)
        progress("reading and measuring")
        rows, keys = RowStats(watched), KeyStats(plan, thresholds, paths)
        shelf = Shelf(allowed.scratch, paths, plan, asked.custom)
        names = Names(plan)
        result = sessionize_log(log, plan, allowed, observe=[shelf, rows, keys, names])
        refuse_no_events(log, result, plan)
        progress("judging")
        return Facts(
            inputs=config.inputs,
            paths=tuple(paths),
            passed_over=tuple((each.path, each.why) for each in log.passed_over),
            counts=asdict(result.counts),
            figures=figures(keys.measures),
            rejected=_rejected(result.rejected, paths, thresholds.examples),
            duplicates=keys.repeated,
            has_event_ids=schema.EVENT_ID in plan.columns,
            columns={name: str(dtype) for name, dtype in log.schema.items()},
            events=_events(rows, keys, watched, plan),
            sessions=keys.facts(),
            custom=ask(asked.custom, shelf.tables, thresholds.examples),
            rules=rules_of(plan),
            notes=(*notes(names.seen(), config, plan), *notes_on_rejected(log, result, config, plan)),
            layout=plan.layout,
            unread_amount=_unread_amount(result.values, paths),
            null_words=_null_words(result.values),
            moved=keys.moved,
        )


def only_measured(plan: Plan, asked: Settings) -> Plan:
    """The plan without the columns that no check looks at, so that they are not read."""
    if asked.custom:
        return plan
    if plan.told_splits:  # by pages, campaigns and referrers
        return replace(plan, properties=(), traits=())
    kept = {
        role: names
        for role, names in plan.columns.items()
        if role in MEASURED
        or (role == schema.PAGE and schema.EVENT_TYPE not in plan.columns)
        or (role == schema.USER_AGENT and (plan.agents or plan.exclude_bots))
    }
    return replace(plan, columns=kept, properties=(), traits=())


def _watched(config: Config, plan: Plan, asked: Settings, files: Sequence[LogFile]) -> Watched:
    until = None if config.until is None else microseconds(config.until)
    written = [file.modified_ns for file in files]
    if until is None and None not in written:
        until = (max(each for each in written if each is not None) + A_DAY_NS) // 1000
    known = option(asked, "unknown-event-types", "known")
    return Watched(
        timezone=plan.timezone,
        until=until,
        since=_since(option(asked, "ancient-timestamps", "before")),
        known_types=None if known is None else tuple(map(str, known)),
        examples=asked.examples,
        paths=[file.path for file in files],
    )


def option(asked: Settings, check: str, name: str) -> Any:
    """A check's own option: as given, else as in the table."""
    return asked.setting(check).options.get(name, BY_NAME[check].options[name])


def _since(written: object) -> int:
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        raise UsageError(
            f"[check.ancient-timestamps] before = {written!r} is no time", hint="such as 2020-01-01"
        ) from None
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _prove(asked: Settings, types: Mapping[str, pl.DataType], plan: Plan) -> None:
    if asked.custom:
        prove(
            asked.custom,
            {EVENTS: pl.Schema(dict(EVENT_PLACE) | event_types(types, plan)), SESSIONS: session_types(plan)},
        )


def _rejected(rejected: pl.DataFrame, paths: list[str], examples: int) -> dict[str, Examples]:
    found: dict[str, Examples] = {}
    for (reason,), rows in rejected.group_by(schema.REASON, maintain_order=True):
        first = rows.head(examples).select(schema.FILE, schema.ROW).iter_rows()
        found[str(reason)] = tuple(example(file, row, str(reason), paths) for file, row in first)
    return found


def _unread_amount(values: ValueStats, paths: list[str]) -> Examples:
    found = values.example
    return () if found is None else (example(found[0], found[1], f"amount {found[2]!r}", paths),)


def _null_words(values: ValueStats) -> Flagged:
    words = list(values.words_for_null())
    examples = (Example(f"{role} {sanitize(repr(word))}: {number:,} events") for role, word, number in words)
    return Flagged(sum(number for _, _, number in words), tuple(examples))


def _events(stream: RowStats, parts: KeyStats, watched: Watched, plan: Plan) -> EventFacts:
    both = schema.SESSION_ID in plan.columns and schema.PROFILE_ID in plan.columns
    return EventFacts(
        clock=stream.clock,
        blanks=stream.blanks,
        future=None if watched.until is None else stream.future.flagged,
        until=described_time(watched.until),
        ancient=stream.ancient.flagged,
        since=described_time(watched.since),
        unknown_types=None if watched.known_types is None else stream.unknown.flagged,
        types=parts.types,
        has_both_ids=both,
        most_profiles=parts.most_profiles,
    )
