"""The oracle's log and rules, put through the package's own spine, so that the two can be compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import polars as pl
from oracle import Event, OracleResult, OracleRules

from sessionize import schema
from sessionize.config import Burst, Config, Plan, Rules, TimeFormat
from sessionize.kernel import Sessionized, as_text, described, normalise, sessionize, stamped
from sessionize.kernel.metrics import METRICS

METRIC_NAMES = [metric.name for metric in METRICS]
TYPES: dict[str, pl.DataType] = {
    schema.TIMESTAMP: pl.Datetime("us", "UTC"),
    schema.VALUE: pl.Float64(),
}


def plan_of(rules: OracleRules, roles: Collection[str]) -> Plan:
    """The package's plan for the oracle's rules."""
    return Plan(
        columns={role: (role,) for role in schema.ROLES if role in roles},
        time=TimeFormat(kind="datetime"),
        timezone=rules.timezone,
        rules=Rules(
            timeout=_duration(rules.timeout_us),
            end_events=rules.end_events,
            start_events=rules.start_events,
            split_on=rules.split_on,
            split_at_midnight=rules.split_at_midnight,
            split_on_arrival=rules.split_on_arrival,
            max_duration=_duration(rules.max_duration_us),
            max_events=rules.max_events,
            burst=None if rules.burst is None else Burst(rules.burst[0], timedelta(microseconds=rules.burst[1])),
            passive=rules.passive,
            active_gap=timedelta(microseconds=rules.active_gap_us),
        ),
        page_views=rules.page_views if rules.exact_names else None,
        conversions=rules.conversions if rules.exact_names else None,
    )


def config_of(rules: OracleRules, roles: Collection[str], **more: Any) -> Config:
    """The configuration that resolves to the same plan, for a log whose columns are named for their roles."""
    plan = plan_of(rules, roles)
    return Config(
        columns=plan.columns,
        rules=plan.rules,
        timezone=plan.timezone,
        page_views=plan.page_views,
        conversions=plan.conversions,
        **more,
    )


def _duration(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else timedelta(microseconds=microseconds)


def raw_frame(events: Sequence[Event], roles: Collection[str], rules: OracleRules) -> pl.DataFrame:
    """The oracle's events as a log with a column for each role."""
    names = [role for role in schema.ROLES if role in roles and role != schema.TIMESTAMP]
    columns = {
        name: pl.Series([event.get(name) for event in events], dtype=TYPES.get(name, pl.String())) for name in names
    }
    columns |= {
        name: pl.Series([event.get(f"split.{name}") for event in events], dtype=pl.String)
        for name in dict.fromkeys((*rules.split_on, *rules.split_on_arrival))
    }
    times = pl.Series([event["timestamp_us"] for event in events], dtype=pl.Int64)
    return pl.DataFrame({schema.TIMESTAMP: times.cast(pl.Datetime("us", "UTC")), **columns})


def rows_of(log: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The log's rows, normalised."""
    raw = log.lazy().select(
        pl.lit(0, pl.UInt32).alias(schema.FILE),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(schema.ROW),
        pl.lit(None, pl.Enum(schema.REASONS)).alias(schema.FAULT),
        pl.all(),
    )
    return normalise(raw, log.schema, plan).collect()


Made = Callable[[pl.DataFrame, Plan, int | None], Iterable[tuple[pl.DataFrame, Sessionized]]]


def engine(
    events: Sequence[Event],
    rules: OracleRules,
    roles: Collection[str],
    parts: Callable[[pl.DataFrame], list[pl.DataFrame]] = lambda frame: [frame],
    made: Made | None = None,
) -> OracleResult:
    """What the kernel says, in the oracle's form.

    Args:
        events: The oracle's log.
        rules: The oracle's rules.
        roles: Roles the log has.
        parts: Cuts the canonical events into frames of whole keys.
        made: Makes the sessions in place of `sessionize`, of parts or of all.
    """
    plan = plan_of(rules, roles)
    rows = rows_of(raw_frame(events, roles, rules), plan)
    good = rows.filter(pl.col(schema.REASON).is_null())
    newest = good[schema.TIMESTAMP].to_physical().max()
    watermark = rules.until_us if rules.until_us is not None else newest
    found = _of_parts(parts(good), plan) if made is None else made(good, plan, watermark)  # type: ignore[arg-type]
    done = [(part, _described(each, plan)) for part, each in found]
    sessions = pl.concat([each.sessions for _, each in done])
    sessions = as_text(stamped(sessions, plan, watermark)).sort("start", "session_id")  # type: ignore[arg-type]
    times = pl.col("start", "end").dt.epoch("us")
    return OracleResult(
        metrics=sessions.select(METRIC_NAMES).with_columns(times).to_dicts(),
        duplicates=sum(each.duplicates.len() for _, each in done),
        rejected=rows.height - good.height + sum(each.alone.len() for _, each in done),
        watermark=watermark,  # type: ignore[arg-type]
        assignment=_assignment(done),
    )


def _of_parts(parts: Iterable[pl.DataFrame], plan: Plan) -> Iterator[tuple[pl.DataFrame, Sessionized]]:
    return ((part, sessionize(part, plan, assign=True)) for part in parts)


def _described(done: Sessionized, plan: Plan) -> Sessionized:
    return done._replace(sessions=as_text(described(done.sessions, plan)))


def _assignment(done: Any) -> dict[int, tuple[str, int]]:
    found = {}
    for part, result in done:
        rows = part[schema.ROW].to_list()
        ids = result.sessions["session_id"].to_list()
        for row, session, position in result.assigned.select("row", "session", "position").iter_rows():
            found[rows[row] - 1] = (ids[session], position)
    return found
