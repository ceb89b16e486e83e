"""The wide row of a session: metrics, the record's descriptive fields, and what the watermark will need.

`described` fetches texts by row; `stamped` sets what only the whole log can tell: status and end reason.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.agents import agents
from sessionize.kernel.boundaries import CAUSES
from sessionize.kernel.channels import channels
from sessionize.kernel.keys import key_text
from sessionize.kernel.metrics import METRICS, UTC_INSTANT
from sessionize.kernel.numbers import fields

LAST_OF_KEY: Final = "last_of_key"
"""Whether the session is its key's last."""
ENDED_BY: Final = "ended_by"
"""Code of CAUSES of the boundary that ended the session; null for its key's last."""
CLOSED: Final = "closed"
"""Whether the session's last instant holds an end event."""
STAMPED: Final = ("status", "end_reason")
"""Metrics that depend on the watermark."""


def session_order(sessions: pl.DataFrame, events: pl.DataFrame) -> NDArray[np.int64]:
    """Positions that put measured sessions in order of (start, session id).

    Ids are made and compared only where starts are equal, which is rare.
    """
    starts = sessions["start"].to_numpy()
    order = np.argsort(starts, kind="stable")
    tied = np.flatnonzero(starts[order][1:] == starts[order][:-1])
    if len(tied):
        places = np.union1d(tied, tied + 1)
        some = sessions[order[places]]
        by_id = pl.DataFrame({"start": some["start"], "id": _keys(some, events), "at": order[places]})
        order[places] = by_id.sort("start", "id")["at"].to_numpy()
    return order


def _keys(sessions: pl.DataFrame, events: pl.DataFrame) -> pl.Series:
    ids = {"source_id": schema.SESSION_ID, schema.PROFILE_ID: schema.PROFILE_ID}
    first = {name: events[role].gather(sessions["row"]) for name, role in ids.items() if role in events.columns}
    return key_text(pl.DataFrame(first).cast(pl.String))


def described(sessions: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Measured sessions with all that can be said of them before the watermark is known.

    Args:
        sessions: Measured: ``row`` of the first event, ``at_<field>`` of the first that has the field.
        events: The canonical events the rows count in.
        plan: Whether any boundary rule is in force.
    """
    sessions = _told(sessions.with_columns(_texts(sessions, events)), events, plan)
    session_id = key_text(sessions)
    if not plan.rules.none_in_force:
        session_id = pl.select(pl.concat_str(session_id, pl.lit("."), sessions["start"])).to_series()
    return _completed(sessions.with_columns(pl.col("start", "end").cast(UTC_INSTANT), session_id.alias("session_id")))


def _texts(sessions: pl.DataFrame, events: pl.DataFrame) -> list[pl.Series]:
    found = []
    if schema.SESSION_ID in events.columns:
        found.append(events[schema.SESSION_ID].gather(sessions["row"]).cast(pl.String).alias("source_id"))
    for field, columns in fields(events).items():
        at = sessions[f"at_{field}"] if f"at_{field}" in sessions.columns else sessions["row"]
        found += [events[name].gather(at) for name in columns]
    for metric in METRICS:
        if metric.over is not None and metric.role is not None and metric.name in sessions.columns:
            found.append(sessions[metric.name].cat.to(events[metric.role].dtype).cast(pl.String))
    return found


def _told(sessions: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """What follows from a session's own texts: device, system, app and bot; its channel."""
    if plan.agents and schema.USER_AGENT in sessions.columns:
        sessions = sessions.hstack(agents(sessions[schema.USER_AGENT]))
    if plan.channels and schema.CHANNEL not in sessions.columns:
        sessions = sessions.with_columns(channels(sessions, events, plan).alias(schema.CHANNEL))
    return sessions.drop(schema.USER_AGENT, strict=False)


def _completed(sessions: pl.DataFrame) -> pl.DataFrame:
    """Every metric in its place and type; those that follow from others; other columns behind."""
    measured = [metric.name for metric in METRICS if metric.unit == "s" and metric.name in sessions.columns]
    sessions = sessions.with_columns(seconds(sessions[name]) for name in measured)
    for metric in METRICS:
        if metric.then is not None:
            sessions = sessions.with_columns(metric.then.alias(metric.name))
    names = [metric.name for metric in METRICS]
    kept = [name for name in sessions.columns if name not in names and name != "row" and not name.startswith("at_")]
    return sessions.select(
        *(
            pl.col(metric.name).cast(metric.dtype) if metric.name in sessions.columns else metric.unsaid
            for metric in METRICS
        ),
        *kept,
    )


def seconds(microseconds: pl.Series) -> pl.Series:
    """Microseconds as seconds, correctly rounded: Polars divides by a constant through its inverse, which is not."""
    exact = microseconds.fill_null(0).to_numpy() / 1_000_000
    return pl.select(pl.when(microseconds.is_not_null()).then(pl.Series(exact))).to_series().alias(microseconds.name)


def stamped(sessions: pl.DataFrame, plan: Plan, watermark: int | None) -> pl.DataFrame:
    """The sessions with status and end reason (semantics, section 6; metrics, ``end_reason``).

    Args:
        sessions: Wide rows of any part of the log.
        plan: Its timeout.
        watermark: Of the whole log, microseconds since 1970 UTC; None for a log without events.
    """
    timeout = plan.rules.timeout_us
    silent = (
        pl.lit(value=False)
        if timeout is None or watermark is None
        else pl.col("end").to_physical() < watermark - timeout
    )
    active = pl.col(LAST_OF_KEY) & ~pl.col(CLOSED) & ~silent
    reason = (
        pl.when(CLOSED)
        .then(pl.lit("end_event"))
        .when(active)
        .then(pl.lit("open"))
        .when(LAST_OF_KEY)
        .then(pl.lit("timeout"))
        .otherwise(pl.col(ENDED_BY).replace_strict(dict(enumerate(CAUSES)), return_dtype=pl.String))
    )
    return sessions.with_columns(
        status=pl.when(active).then(pl.lit("active")).otherwise(pl.lit("ended")), end_reason=reason
    )
