"""One pass over a log: events are measured as they stream by, their keys and sessions part by part."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.checks.custom import EVENTS, SESSION_TYPES, SESSIONS, Shelf, ask, events_table, needs, prove
from sessionize.checks.facts import EventFacts, Examples, Facts
from sessionize.checks.key_stats import KeyStats, Thresholds
from sessionize.checks.row_stats import RowStats, Watched, described_time, example
from sessionize.checks.settings import Settings
from sessionize.checks.table import BY_NAME
from sessionize.config import Config, Plan
from sessionize.engine.ingest import Ingest
from sessionize.engine.limits import memory
from sessionize.engine.partition import Limits, Partitions
from sessionize.engine.tally import Tally
from sessionize.errors import AccountingError, UsageError
from sessionize.kernel import Sessionized, as_text, described, normalise, sessionize, stamped
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.output.manifest import microseconds
from sessionize.plan import resolve
from sessionize.read import Log, open_log
from sessionize.scratch import home
from sessionize.summary.figures import figures

MEASURED: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.VALUE,
)  # fmt: skip
"""Roles that the checks look at, beside the page of a log without event types."""
A_DAY_NS: Final = 86_400_000_000_000


def facts_of_log(config: Config, asked: Settings, thresholds: Thresholds, progress: Callable[[str], None]) -> Facts:
    """Read a log once and measure everything.

    Args:
        config: The log, and the rules of sessions.
        asked: The user's own checks; options of the others.
        thresholds: What is long and large.
        progress: Told the name of each stage as it begins.
    """
    progress("opening")
    log = open_log(config)
    plan = only_measured(resolve(config, log.schema, log.sample), asked)
    paths = [file.path for file in log.files]
    watched = _watched(config, plan, asked, log)
    with ExitStack() as stack:
        scratch = _Scratch(stack)
        shelf = Shelf(scratch, paths)
        _prove(asked, log, plan, paths)
        progress("reading and measuring")
        stream = RowStats(watched, shelf.add_events if needs(asked.custom, EVENTS) else None)
        ingest = Ingest(stream)
        limits = Limits(memory(config.memory_limit), scratch, lambda: log.share_read)
        events = ingest.events(log.batches(limits.memory.rows_at_once), log.schema, plan)
        partitions = Partitions(events, lambda events: ingest.told(events, plan), limits)
        look = partial(KeyStats, thresholds=thresholds, paths=paths)
        parts, tally = _parts(partitions, ingest, plan, look, _keep(asked, shelf))
        progress("judging")
        return Facts(
            inputs=config.inputs,
            paths=tuple(paths),
            counts=asdict(tally.counts(ingest)),
            figures=figures(parts.measures),
            rejected=_rejected(ingest.rejected, paths, thresholds.examples),
            duplicates=parts.repeated,
            has_event_ids=schema.EVENT_ID in plan.columns,
            columns={name: str(dtype) for name, dtype in log.schema.items()},
            events=_events(stream, parts, watched, plan),
            sessions=parts.facts(),
            custom=ask(asked.custom, shelf.tables, thresholds.examples),
        )


def only_measured(plan: Plan, asked: Settings) -> Plan:
    """The plan without the columns that no check looks at, so that they are not read."""
    if asked.custom:
        return plan
    kept = {
        role: names
        for role, names in plan.columns.items()
        if role in MEASURED
        or (role == schema.PAGE and schema.EVENT_TYPE not in plan.columns)
        or (role == schema.USER_AGENT and (plan.agents or plan.exclude_bots))
    }
    return replace(plan, columns=kept, properties=(), traits=())


class _Scratch:
    """Makes a directory for temporary files when one is first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder: Path | None = None

    def __call__(self) -> Path:
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(TemporaryDirectory(dir=home())))
        return self._folder


def _watched(config: Config, plan: Plan, asked: Settings, log: Log) -> Watched:
    until = None if config.until is None else microseconds(config.until)
    written = [file.modified_ns for file in log.files]
    if until is None and None not in written:
        until = (max(each for each in written if each is not None) + A_DAY_NS) // 1000
    known = option(asked, "unknown-event-types", "known")
    return Watched(
        timezone=plan.timezone,
        until=until,
        since=_since(option(asked, "ancient-timestamps", "before")),
        known_types=None if known is None else tuple(map(str, known)),
        examples=asked.examples,
        paths=[file.path for file in log.files],
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


def _prove(asked: Settings, log: Log, plan: Plan, paths: list[str]) -> None:
    if asked.custom:
        columns = normalise(log.scan(), log.schema, plan).collect_schema()
        events = events_table(pl.DataFrame(schema=columns), pl.Series("file", paths, pl.String)).schema
        prove(asked.custom, {EVENTS: events, SESSIONS: SESSION_TYPES})


def _keep(asked: Settings, shelf: Shelf) -> Callable[[pl.DataFrame], None] | None:
    return shelf.add_sessions if needs(asked.custom, SESSIONS) else None


def _parts(
    gathered: Partitions, ingest: Ingest, plan: Plan, look: Callable[[Plan, int | None, int], KeyStats],
    keep: Callable[[pl.DataFrame], None] | None,
) -> tuple[KeyStats, Tally]:  # fmt: skip
    found: tuple[KeyStats, Tally] | None = None
    watermark: int | None = None
    for part in gathered:
        events = part.release()
        if found is None:  # the whole log has been read when the first part is there
            watermark = ingest.newest if plan.until is None else microseconds(plan.until)
            whole = ingest.read - ingest.rejected.height
            found = look(plan, watermark, whole), Tally(plan, watermark)
        done = sessionize(events, plan)
        parts, tally = found
        parts.add(events, done)
        tally.add(done)
        if keep is not None:
            keep(_metrics(done, plan, watermark))
    if found is None:
        raise AccountingError("no part of the log was worked on")
    return found


def _metrics(done: Sessionized, plan: Plan, watermark: int | None) -> pl.DataFrame:
    return as_text(stamped(described(done.sessions, plan), plan, watermark)).select(METRIC_NAMES)


def _rejected(rejected: pl.DataFrame, paths: list[str], examples: int) -> dict[str, Examples]:
    found: dict[str, Examples] = {}
    for (reason,), rows in rejected.group_by(schema.REASON, maintain_order=True):
        first = rows.head(examples).select(schema.FILE, schema.ROW).iter_rows()
        found[str(reason)] = tuple(example(file, row, str(reason), paths) for file, row in first)
    return found


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
