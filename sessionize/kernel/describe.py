"""The wide row of a session: metrics, the record's descriptive fields, and what the watermark will need.

`with_fields` fetches a session's texts by row, still as codes; `described` makes the output's columns; `stamped` sets
what only the whole log can tell: status and end reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.agents import agents, are_bots
from sessionize.kernel.boundaries import CAUSES
from sessionize.kernel.channels import channels
from sessionize.kernel.keys import key_text
from sessionize.kernel.metrics import METRICS, UTC_INSTANT, Metric
from sessionize.kernel.narrow import fields
from sessionize.kernel.order import stable_order

LAST_OF_KEY: Final = "last_of_key"
"""Whether the session is its key's last."""
ENDED_BY: Final = "ended_by"
"""Code of CAUSES of the boundary that ended the session; null for its key's last."""
CLOSED: Final = "closed"
"""Whether the session's last instant holds an end event."""
STATUS: Final = pl.Enum(("active", "ended"))
REASON: Final = pl.Enum((*CAUSES, "open"))
BATCH_ROWS: Final = 262_144
"""Sessions that are described at once; a row group of the Parquet output."""


def session_order(sessions: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> NDArray[np.uint32]:
    """Positions that put measured sessions in order of (start, session id).

    Ids are made and compared only where starts are equal, as they often are where times are whole seconds.

    Args:
        sessions: ``start`` and ``row`` (of the first event) of each.
        events: Canonical events that the rows count in.
        plan: The rules.

    Returns:
        Positions among the sessions: uint32, as many as there are sessions.
    """
    starts = sessions["start"].to_numpy()
    order = stable_order(starts)
    ordered = starts[order]
    same = ordered[1:] == ordered[:-1]
    if same.any():
        places = np.flatnonzero(np.append(same, False) | np.append(False, same))
        start = pl.Series("start", ordered[places])
        ids = _session_id(key_text(_ids(sessions["row"][order[places]], events)), start, plan)
        by_id = pl.DataFrame({"start": start, "id": ids, "at": order[places]})
        order[places] = by_id.sort("start", "id")["at"].to_numpy()
    return order


def _ids(rows: pl.Series, events: pl.DataFrame) -> pl.DataFrame:
    ids = {"source_id": schema.SESSION_ID, schema.PROFILE_ID: schema.PROFILE_ID}
    first = {name: events[role].gather(rows) for name, role in ids.items() if role in events.columns}
    return pl.DataFrame(first).cast(pl.String)


def with_dictionaries(sessions: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Measured sessions with the codes that were measured as such: of the dictionaries of their roles.

    Args:
        sessions: Measured sessions.
        types: Types of the columns of the events.
    """
    return sessions.with_columns(
        sessions[metric.name].cast(pl.UInt32).cat.to(types[metric.role])
        for metric in METRICS
        if metric.aggregate is not None and metric.role is not None and metric.name in sessions.columns
    )


def with_fields(sessions: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Measured sessions with their source id and descriptive fields, in the events' own types.

    Args:
        sessions: Measured: ``row`` of the first event, ``at_<field>`` of the first that has the field.
        events: The canonical events the rows count in.
        plan: Whether channels are to be told.
    """
    found = []
    if schema.SESSION_ID in events.columns:
        found.append(events[schema.SESSION_ID].gather(sessions["row"]).alias("source_id"))
    for field, columns in fields(events, plan).items():
        at = sessions[f"at_{field}"] if f"at_{field}" in sessions.columns else sessions["row"]
        found += [events[name].gather(at) for name in columns]
    sessions = sessions.with_columns(found)
    if plan.channels and not plan.only_figured and schema.CHANNEL not in sessions.columns:
        sessions = sessions.with_columns(channels(sessions, events, plan).alias(schema.CHANNEL))
    return sessions.drop("row", pl.selectors.starts_with("at_"))


def described(sessions: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """All that can be said of sessions before the watermark is known: every metric but status and end reason.

    Row-local: any part of the sessions. Texts that are codes stay so, but for the ids.

    Args:
        sessions: Measured sessions as `sessionize` gives them.
        plan: Whether any boundary rule is in force.
    """
    if plan.agents and schema.USER_AGENT in sessions.columns:
        texts = sessions[schema.USER_AGENT].cast(pl.String)
        sessions = sessions.hstack(agents(texts) if plan.devices else [are_bots(texts).alias("bot")])
    sessions = sessions.drop(schema.USER_AGENT, strict=False)
    sessions = sessions.with_columns(pl.col(_ids_of(sessions)).cast(pl.String))
    session_id = session_ids(sessions, plan).alias("session_id")
    return _completed(sessions.with_columns(pl.col("start", "end").cast(UTC_INSTANT), session_id))


def session_ids(sessions: pl.DataFrame, plan: Plan) -> pl.Series:
    """The ids of sessions as `sessionize` gives them, their texts in dictionaries or not.

    Returns:
        A String column, one id a session, in order.
    """
    ids = sessions.select(pl.col(_ids_of(sessions)).cast(pl.String))
    return _session_id(key_text(ids), sessions["start"].to_physical(), plan)


def _ids_of(sessions: pl.DataFrame) -> list[str]:
    return [name for name in ("source_id", schema.PROFILE_ID) if name in sessions.columns]


def _session_id(keys: pl.Series, starts: pl.Series, plan: Plan) -> pl.Series:
    """The key and the start in microseconds; the key alone where no rule is in force."""
    return keys if plan.rules.none_in_force else pl.select(pl.concat_str(keys, pl.lit("."), starts)).to_series()


def _completed(sessions: pl.DataFrame) -> pl.DataFrame:
    """Every metric in its place and type; those that follow from others; other columns behind."""
    measured = [metric.name for metric in METRICS if metric.unit == "s" and metric.name in sessions.columns]
    sessions = sessions.with_columns(seconds(sessions[name]) for name in measured)
    for metric in METRICS:
        if metric.derived is not None:
            sessions = sessions.with_columns(metric.derived.alias(metric.name))
    names = [metric.name for metric in METRICS]
    kept = [name for name in sessions.columns if name not in names]
    return sessions.select(*(_cast(metric, sessions.schema.get(metric.name)) for metric in METRICS), *kept)


def _cast(metric: Metric, measured: pl.DataType | None) -> pl.Expr:
    if measured is None:
        return metric.missing
    return pl.col(metric.name) if isinstance(measured, pl.Categorical) else pl.col(metric.name).cast(metric.dtype)


def seconds(microseconds: pl.Series) -> pl.Series:
    """Microseconds as seconds, correctly rounded: Polars divides by a constant through its inverse, which is not.

    Returns:
        A Float64 column, as long as the one that is given.
    """
    exact = microseconds.fill_null(0).to_numpy() / 1_000_000
    return pl.select(pl.when(microseconds.is_not_null()).then(pl.Series(exact))).to_series().alias(microseconds.name)


def is_active(plan: Plan, watermark: int | None) -> pl.Expr:
    """Whether a session could still grow: its key's last, no end event in it, silent for no longer than the timeout.

    Args:
        plan: The rules; of them the timeout is asked.
        watermark: Watermark of the whole log, microseconds since 1970 UTC; None for a log without events.
    """
    timeout = plan.rules.timeout_us
    open_ended = pl.col(LAST_OF_KEY) & ~pl.col(CLOSED)
    if timeout is None or watermark is None:
        return open_ended
    return open_ended & (pl.col("end").to_physical() >= watermark - timeout)


def stamped(sessions: pl.DataFrame, plan: Plan, watermark: int | None) -> pl.DataFrame:
    """The sessions with status and end reason (semantics, section 6; metrics, ``end_reason``).

    Args:
        sessions: Wide rows of any part of the log.
        plan: The rules; of them the timeout is asked.
        watermark: Watermark of the whole log, microseconds since 1970 UTC; None for a log without events.
    """
    active = is_active(plan, watermark)
    reason = (
        pl.when(CLOSED)
        .then(pl.lit("end_event", REASON))
        .when(active)
        .then(pl.lit("open", REASON))
        .when(LAST_OF_KEY)
        .then(pl.lit("timeout", REASON))
        .otherwise(pl.col(ENDED_BY).cat.to(REASON))
    )
    status = pl.when(active).then(pl.lit("active", STATUS)).otherwise(pl.lit("ended", STATUS))
    return sessions.with_columns(status=status, end_reason=reason)
