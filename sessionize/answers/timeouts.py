"""`sessionize timeout`: the silences of a log, and its sessions as a function of the timeout, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.answers.ask import Answer
from sessionize.answers.earlier import is_run
from sessionize.answers.source import Need, Progress, account, check_counts, source
from sessionize.config import MICROSECOND, Config, Plan, Rules, TimeFormat
from sessionize.engine.names import Names, are_asked_for, notes
from sessionize.engine.observe import Observer
from sessionize.engine.pipeline import sessionize_log
from sessionize.errors import UsageError
from sessionize.instants import EPOCH
from sessionize.kernel import in_key_order
from sessionize.kernel.boundaries import mark_starts
from sessionize.kernel.passive import cut
from sessionize.limits import Limits
from sessionize.opening import opened
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected
from sessionize.scratch import home
from sessionize.summary.silences import Flags, Silences, Table, Times
from sessionize.summary.timeouts import answer, timeouts_with

NEEDED: Final = (schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE)
OTHER_RULES: Final = (
    "end_events", "start_events", "split_on", "split_on_arrival", "split_at_midnight", "max_duration_s", "max_events",
    "passive",
)  # fmt: skip
"""Rules of a manifest whose sessions cannot be cut anew from the sessions that they made."""
KEY_SEED: Final = 13
StartsAt = Callable[[int | None], Flags]
Facts = dict[str, Any]


def timeout(config: Config, progress: Progress = lambda _: None, *, limits: Limits | None = None) -> Answer:
    """The silences of a log, and what each timeout makes of it.

    Args:
        config: The log or the earlier run, and the rules of sessions.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
    """
    with ExitStack() as stack:
        if is_run(config.inputs):
            look, facts = _of_run(config, stack, progress)
        else:
            look, facts = _of_log(config, stack, progress, limits)
        progress("fitting")
        data = look.answer(facts["timeout_us"])
    newest = look.silences.last
    facts["newest"] = None if newest is None else EPOCH + newest * MICROSECOND
    return Answer(data, {**facts, "events": look.silences.events})


class Measuring(Observer):
    """Measures silences and cuts sessions at each timeout; of many parts it adds up.

    Args:
        plan: The rules.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.silences = Silences()
        self.table = Table(timeouts_with(plan.rules.timeout_us), home())

    def keys(self, events: pl.DataFrame) -> None:
        """Look at all events of some keys."""
        for rows in in_key_order(events, self._plan):
            active = rows.filter(~pl.col("is_passive")) if self._plan.rules.passive else rows
            times, keys = active["time"].to_numpy(), active["key"].to_numpy()
            self.silences.add(times, key_starts(keys))
            self.table.add(times, _starts_at(active, times, self._plan), _joined_at(rows, self._plan))

    def answer(self, timeout_us: int | None) -> dict[str, Any]:
        """What `sessionize timeout` says, as data with fixed names; only once.

        Args:
            timeout_us: The timeout in force, in microseconds; None for no timeout.
        """
        return answer(self.silences, self.table.rows(), timeout_us)

    def add(self, times: Times, starts: Flags, starts_at: StartsAt) -> None:
        """Look at events of whole keys.

        Args:
            times: Microseconds of each event, in order of key and time.
            starts: Whether an event is its key's first.
            starts_at: Gives for a timeout the events at which a session starts.
        """
        self.silences.add(times, starts)
        self.table.add(times, starts_at)


def key_starts(keys: NDArray[Any]) -> Flags:
    """Whether an event is its key's first; those of one key lie together.

    Returns:
        One flag an event (bool).
    """
    found = np.ones(len(keys), np.bool_)
    found[1:] = keys[1:] != keys[:-1]
    return found


def _of_log(config: Config, stack: ExitStack, progress: Progress, limits: Limits | None) -> tuple[Measuring, Facts]:
    progress("opening")
    log, resolved, allowed, _ = stack.enter_context(opened(config, limits, progress))
    plan = boundaries_only(resolved)
    look, names = Measuring(plan), Names(plan)
    stack.callback(look.table.close)
    progress("reading and measuring")
    observe: list[Observer] = [look, *([names] if are_asked_for(config) else [])]
    result = sessionize_log(log, plan, allowed, observe=observe, keep=False)
    refuse_bad_rows(log, result, config, plan)
    check_counts(result.counts, config)
    return look, {
        "inputs": list(config.inputs),
        "timeout_us": plan.rules.timeout_us,
        "timezone": plan.timezone,
        "account": account(log, plan, result),
        "choices": resolved.notes,
        "notes": (
            *(notes(names.seen(), replace(config, own_hosts=()), plan) if are_asked_for(config) else ()),
            *notes_on_rejected(log, result, config, plan),
        ),
    }


def boundaries_only(plan: Plan) -> Plan:
    """The plan without the columns that no boundary rule looks at."""
    agents = plan.exclude_bots and plan.agents
    needed = (*NEEDED, schema.USER_AGENT) if agents else NEEDED
    if schema.EVENT_ID in plan.columns:  # of copies of an event the one with a value stays
        needed = (*needed, schema.VALUE)
    if plan.derived_splits:  # what a row tells of these
        needed = (*needed, schema.PAGE, schema.REFERRER, *schema.UTM)
    kept = {role: names for role, names in plan.columns.items() if role in needed}
    channels = plan.channels and schema.CHANNEL in plan.derived_splits
    return replace(plan, columns=kept, properties=(), traits=(), channels=channels, agents=agents)


def _starts_at(rows: pl.DataFrame, times: Times, plan: Plan) -> StartsAt:
    """Where sessions start, as a function of the timeout."""

    def marked(timeout_us: int | None) -> Flags:
        limit = None if timeout_us is None else timedelta(microseconds=timeout_us)
        found = mark_starts(rows, replace(plan, rules=replace(plan.rules, timeout=limit)))
        starts: Flags = found["starts"].to_numpy()
        return starts

    if not looks_at_neighbours_only(plan.rules):
        return marked
    forced, gaps = marked(None), np.diff(times, prepend=times[:1])
    return lambda timeout_us: forced if timeout_us is None else forced | (gaps > timeout_us)


def _joined_at(rows: pl.DataFrame, plan: Plan) -> StartsAt | None:
    """Whether each session has passive events, as a function of the timeout; None where no event is passive."""
    if not plan.rules.passive:
        return None

    def joined(timeout_us: int | None) -> Flags:
        limit = None if timeout_us is None else timedelta(microseconds=timeout_us)
        found = cut(rows, replace(plan, rules=replace(plan.rules, timeout=limit))).rows
        passive: Flags = found["is_passive"].to_numpy()
        first = np.flatnonzero(found["starts"].to_numpy())
        return np.logical_or.reduceat(passive, first) if len(first) else np.zeros(0, np.bool_)

    return joined


def looks_at_neighbours_only(rules: Rules) -> bool:
    """Whether no rule in force looks back to its session's start, which the timeout may move."""
    others = replace(rules, timeout=None, end_events=(), start_events=(), split_at_midnight=False, passive=())
    return others == Rules(timeout=None)


def _of_run(config: Config, stack: ExitStack, progress: Progress) -> tuple[Measuring, Facts]:
    origin = source(config, Need(events=True), stack, progress)
    rules = origin.account["rules"]
    others = other_rules(rules)
    if others:
        raise UsageError(
            f"{config.inputs[0]}: the run had other rules than the timeout ({', '.join(others)}): what other timeouts "
            "would make of its log cannot be told from its output",
            hint="name the log itself, with the same options",
        )
    again = Again()
    for _, events in origin.batches:
        if events is not None:
            again.add(events)
    return again.measured(rules), {
        "inputs": list(config.inputs),
        "timeout_us": timeout_of(rules),
        "timezone": origin.timezone,
        "account": origin.account,
    }


def other_rules(rules: Mapping[str, Any]) -> list[str]:
    """Rules of a manifest, by name, that keep its sessions from being cut anew."""
    return [name for name in OTHER_RULES if rules.get(name)]


def timeout_of(rules: Mapping[str, Any]) -> int | None:
    """The timeout of a manifest's rules, in microseconds; None for no timeout."""
    return None if rules["timeout_s"] is None else timedelta(seconds=rules["timeout_s"]) // MICROSECOND


class Again:
    """Gathers the events of an earlier run, to measure the silences between them."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, events: pl.DataFrame) -> None:
        """Take the time and key of some events."""
        time = pl.col("timestamp").to_physical()
        self._parts.append(events.select(_key(events.columns).alias("key"), time=time))

    def measured(self, rules: Mapping[str, Any]) -> Measuring:
        """Their silences, and the sessions of each timeout.

        Args:
            rules: Those of the run's manifest; none of them in OTHER_RULES.
        """
        limit = timeout_of(rules)
        timeout = None if limit is None else limit * MICROSECOND
        look = Measuring(Plan(columns={}, time=TimeFormat(kind="datetime"), rules=Rules(timeout=timeout)))
        if self._parts:
            rows = pl.concat(self._parts).sort("key", "time")
            times, starts = rows["time"].to_numpy(), key_starts(rows["key"].to_numpy())
            gaps = np.diff(times, prepend=times[:1])
            look.add(times, starts, lambda most: starts if most is None else starts | (gaps > most))
        return look


def _key(columns: list[str]) -> pl.Expr:
    """The session key of an annotated event, as a number."""
    hashes = {"source_id": KEY_SEED, schema.PROFILE_ID: KEY_SEED + 1}
    return pl.coalesce(
        pl.when(pl.col(name).is_not_null()).then(pl.col(name).cast(pl.String).hash(seed))
        for name, seed in hashes.items()
        if name in columns
    )
