"""One pass over a log: events are measured as they stream by, their keys and sessions part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.checks.batches import day_of, filled_in
from sessionize.checks.custom import EVENT_PLACE, EVENTS, SESSIONS, Shelf, ask, prove, session_types
from sessionize.checks.facts import EventFacts, Examples, Facts, Flagged
from sessionize.checks.findings import Example
from sessionize.checks.key_stats import KeyStats, Thresholds
from sessionize.checks.row_stats import RowStats, Watched, described_time, example
from sessionize.checks.settings import Settings
from sessionize.checks.table import BY_NAME
from sessionize.checks.text import quoted, sanitize
from sessionize.config import Config, Plan
from sessionize.cut_files import refuse_cut
from sessionize.engine.ingest import event_types
from sessionize.engine.names import Names, notes
from sessionize.engine.observe import Observer
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.profile import Profile, number_of
from sessionize.engine.result import Result
from sessionize.engine.value_stats import ValueStats
from sessionize.errors import UsageError
from sessionize.instants import microseconds
from sessionize.kernel.privacy import is_address, is_id
from sessionize.limits import Limits
from sessionize.opening import Source, opened
from sessionize.output.commit import paths_of
from sessionize.output.manifest import rules_of
from sessionize.read import LogFile
from sessionize.refusals import refuse_no_events
from sessionize.rejected_rows import notes_on_rejected
from sessionize.summary.figures import figures

A_DAY_NS: Final = 86_400_000_000_000
FEW: Final = 12
"""Different values of a column that --init finds worth following."""


def facts_of_log(
    config: Config, settings: Settings, thresholds: Thresholds, progress: Callable[[str], None],
    limits: Limits | None = None,
) -> Facts:  # fmt: skip
    """Read a log once and measure everything.

    Args:
        config: The log, and the rules of sessions.
        settings: The user's own checks; options of the others.
        thresholds: What is long and large.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    progress("opening")
    with opened(config, limits, progress) as (log, resolved, allowed, _):
        plan = only_measured(resolved, settings, log)
        look = Look(config, settings, thresholds, log, plan, allowed)
        progress("reading and measuring")
        names = Names(plan)
        result = sessionize_log(log, plan, allowed, observe=[*look.observers, names], keep=False)
        refuse_no_events(log, result, plan)
        refuse_cut(log, result.rejected)
        progress("judging")
        told = (*notes(names.seen(), config, plan), *notes_on_rejected(log, result, config, plan))
        return replace(look.facts(result), notes=told)


class Look:
    """Measures a log while it is sessionized, whoever sessionizes it.

    Args:
        config: The log, and the rules of sessions.
        settings: The user's own checks; options of the others.
        thresholds: What is long and large.
        log: The log.
        plan: What the configuration means for it.
        limits: What may be held at once.
        own: Whether the log is read for this alone: then events may have their places with them.
        profile: What measures the days, if it is there already.
    """

    def __init__(  # noqa: PLR0913 - each is a part of it
        self, config: Config, settings: Settings, thresholds: Thresholds, log: Source, plan: Plan, limits: Limits, *,
        own: bool = True, profile: Profile | None = None,
    ) -> None:  # fmt: skip
        self._config, self._plan, self._log, self._thresholds = config, plan, log, thresholds
        self._paths = [file.path for file in log.files]
        self._settings = replace(settings, custom=filled_in(settings.custom, self._paths))
        self._watched = _watched(config, plan, self._settings, log.files)
        _prove(self._settings, log.schema, plan)
        self._rows = RowStats(self._watched, places=own)
        self._keys = KeyStats(plan, thresholds, self._paths)
        self._shelf = Shelf(limits.scratch, self._paths, plan, self._settings.custom)
        self.profile = profile or Profile(plan, **_units(self._paths), dimensions=settings.days.dimensions)

    @property
    def observers(self) -> list[Observer]:
        """What is to be shown the log."""
        return [self._shelf, self.profile, self._rows, self._keys]

    def facts(self, result: Result) -> Facts:
        """What was measured, once the log has been read.

        Args:
            result: What became of the log.
        """
        edges = self.profile.edges()
        with ThreadPoolExecutor(1) as aside:
            of_sessions = aside.submit(lambda: (figures(self._keys.measures), self._keys.facts()))
            of_days = self.profile.of_days()
            found, sessions = of_sessions.result()
        return Facts(
            inputs=self._config.inputs,
            paths=tuple(self._paths),
            passed_over=tuple((each.path, each.why) for each in self._log.passed_over),
            counts=asdict(result.counts),
            figures=found,
            rejected=_rejected(result.rejected, self._paths, self._thresholds.examples),
            duplicates=self._keys.repeated,
            has_event_ids=schema.EVENT_ID in self._plan.columns,
            columns={name: str(dtype) for name, dtype in self._log.schema.items()},
            events=_events(self._rows, self._keys, self._watched, self._plan),
            sessions=sessions,
            custom=ask(self._settings.custom, self._shelf.tables, self._plan.timezone, self._thresholds.examples),
            rules=rules_of(self._plan),
            layout=self._plan.layout,
            unread_amount=_unread_amount(result.values, self._paths),
            null_words=_null_words(result.values),
            moved=self._keys.moved,
            days={day: of_day for day, of_day in of_days.items() if day not in edges},
        )


def _units(paths: Sequence[str]) -> dict[str, Any]:
    """How days are told apart: by the names of the files, where each is named for one, else by the events' own times."""
    days = [day_of(path) for path in paths]
    named = [number_of(day) for day in days if day is not None]
    if not named or len(named) < len(days):
        return {}
    return {"whole": named[0]} if len(set(named)) == 1 else {"days": tuple(named)}


def only_measured(plan: Plan, settings: Settings, log: Source) -> Plan:
    """The plan with the columns that the checks look at, and no others, so that these are not read.

    Raises:
        UsageError: If a dimension is no column of the log.
    """
    wanted = settings.days.dimensions or (_few_different(plan, log) if settings.days.learning else ())
    unknown = [name for name in wanted if name not in log.schema]
    if unknown and settings.baseline is None and unknown[0] not in (settings.schema or ()):  # else a finding says so
        near = get_close_matches(unknown[0], log.schema, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"[check.days] dimensions: the log has no column {unknown[0]!r}",
                         hint=f"{hint}its columns are {', '.join(log.schema)}")  # fmt: skip
    wanted = tuple(name for name in wanted if name in log.schema)
    roles = {name for names in plan.columns.values() for name in names}
    followed = tuple(name for name in wanted if name not in roles)
    guarded = tuple(name for name in followed if name not in plan.properties)
    if settings.custom:
        return replace(plan, properties=(*plan.properties, *guarded), guarded=guarded)
    return replace(plan, properties=followed, traits=(), guarded=guarded, only_figured=True)


def _few_different(plan: Plan, log: Source) -> tuple[str, ...]:
    """Columns of texts with few different values, so that each value's share of the events is worth following."""
    roles = {name for names in plan.columns.values() for name in names}
    texts = [
        name
        for name, dtype in log.schema.items()
        if dtype in (pl.String, pl.Categorical)
        and name not in roles
        and not is_id(name, plan)
        and not is_address(name, plan)
    ]
    return tuple(name for name in texts if 1 < log.sample(pl.col(name)).drop_nulls().n_unique() <= FEW)


def _watched(config: Config, plan: Plan, settings: Settings, files: Sequence[LogFile]) -> Watched:
    until = None if config.until is None else microseconds(config.until)
    written = [file.modified_ns for file in files]
    if until is None and None not in written:
        until = (max(each for each in written if each is not None) + A_DAY_NS) // 1000
    known = option(settings, "unknown-event-types", "known")
    if known is not None and not isinstance(known, list | tuple):
        raise UsageError(f"[check.unknown-event-types] known = {known!r} is no list", hint=f'write known = ["{known}"]')
    return Watched(
        timezone=plan.timezone,
        until=until,
        since=_since(option(settings, "ancient-timestamps", "before")),
        known_types=None if known is None else tuple(map(str, known)),
        examples=settings.examples,
        paths=[file.path for file in files],
    )


def option(settings: Settings, check: str, name: str) -> Any:
    """A check's own option: as given, else as in the table."""
    return settings.setting(check).options.get(name, BY_NAME[check].options[name])


def _since(written: object) -> int:
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        raise UsageError(
            f"[check.ancient-timestamps] before = {written!r} is no time", hint="such as 2020-01-01"
        ) from None
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _prove(settings: Settings, types: Mapping[str, pl.DataType], plan: Plan) -> None:
    if settings.custom:
        prove(
            settings.custom,
            {EVENTS: pl.Schema(dict(EVENT_PLACE) | event_types(types, plan)), SESSIONS: session_types(plan)},
            plan.timezone,
        )


def _rejected(rejected: pl.DataFrame, paths: list[str], examples: int) -> dict[str, Examples]:
    found: dict[str, Examples] = {}
    placed = rejected.with_columns(path=paths_of(rejected, paths))
    for (reason,), rows in placed.group_by(schema.REASON, maintain_order=True):
        first = rows.head(examples).select("path", schema.ROW).iter_rows()
        found[str(reason)] = tuple(Example(sanitize(str(reason)), *place) for place in first)
    return found


def _unread_amount(values: ValueStats, paths: list[str]) -> Examples:
    found = values.example
    return () if found is None else (example(found[0], found[1], f"amount {quoted(found[2])}", paths),)


def _null_words(values: ValueStats) -> Flagged:
    words = list(values.null_words())
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
