"""The per-session metrics (metrics.md): a table, one row a metric.

A metric is measured by an ``aggregate`` over the events of a session, or follows as ``derived`` from those measured
before it, or is the first non-null value of a ``role``. Key-local; events come sorted, a session number on each.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize.schema import CHANNEL, EVENT_TYPE, PAGE, PROFILE_ID, REFERRER, SESSION_ID, UTM, VALUE
from sessionize.values import NamedTuple

MICROSECONDS: Final = 1_000_000
ENGAGED_AFTER_S: Final = 10
"""GA4: a session longer than this is engaged."""

TIME: Final = pl.col("time")
GAP: Final = pl.col("gap")
"""Microseconds since the session's event before; 0 at its first."""
PRESENT: Final = pl.col("present")
"""The same, but at most what counts as time present."""
IS_VIEW: Final = pl.col("is_view")
IS_CONVERSION: Final = pl.col("is_conversion")
UTC_INSTANT: Final = pl.Datetime("us", "UTC")


class First(NamedTuple):
    """The value at the session's first event."""

    of: pl.Expr


class Last(NamedTuple):
    """The value at the session's last event."""

    of: pl.Expr


class Sum(NamedTuple):
    """The sum of an expression over the session's events."""

    of: pl.Expr


class Span(NamedTuple):
    """How far the value at the session's last event is from that at its first."""

    of: pl.Expr


class Count(NamedTuple):
    """How many events the session has."""


class Max(NamedTuple):
    """The largest value of an expression over the session's events."""

    of: pl.Expr


class NUnique(NamedTuple):
    """How many different codes a session's events have; null is none."""

    of: pl.Expr


Named = First | Last | Sum | Max | Span | Count | NUnique


class Metric(NamedTuple):
    """One column of the metrics.

    Attributes:
        name: Name of the column in the output.
        dtype: Type of the column in the output.
        unit: Unit of a number that leaves the program; empty where it counts or names.
        meaning: One sentence, for the schema and the help.
        aggregate: Aggregate over the session's sorted events: of any kind as an expression, the commonest kinds by name,
            as they are so much faster. Texts are still codes here, seconds still microseconds.
        derived: What follows from the metrics above it.
        role: Role whose first non-null value it is, or whose dictionary its code is decoded with.
        requires: Roles without which the log does not say: a count is then 0, anything else null.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    unit: str
    meaning: str
    aggregate: pl.Expr | Named | None = None
    derived: pl.Expr | None = None
    role: str | None = None
    requires: tuple[str, ...] = ()

    @property
    def missing(self) -> pl.Expr:
        """What stands there when the log has not the role."""
        return pl.lit(0 if self.dtype == pl.UInt32 else None, dtype=self.dtype).alias(self.name)


def _first(expr: pl.Expr) -> pl.Expr:
    return expr.first(ignore_nulls=True)


def _last(expr: pl.Expr) -> pl.Expr:
    return expr.last(ignore_nulls=True)


def _viewed(page: pl.Expr) -> pl.Expr:
    return pl.when(IS_VIEW).then(page)


_PAGE: Final = pl.col(PAGE)
_UTM_MEANING: Final = "of the first event that has any utm field; all five together"

METRICS: Final = (
    Metric("session_id", pl.String, "", "the session record's id"),
    Metric("source_id", pl.String, "", "the log's own session id; null where the key is a profile id", role=SESSION_ID),
    Metric(PROFILE_ID, pl.String, "", "first non-null profile id", role=PROFILE_ID),
    Metric("start", UTC_INSTANT, "", "time of the first event", aggregate=First(TIME)),
    Metric("end", UTC_INSTANT, "", "time of the last event", aggregate=Last(TIME)),
    Metric("duration_s", pl.Float64, "s", "end - start", aggregate=Span(TIME)),
    Metric("status", pl.String, "", "active while it could still grow at the log's watermark, else ended"),
    Metric("events", pl.UInt32, "", "events", aggregate=Count()),
    Metric("page_views", pl.UInt32, "", "events whose type is a page view", aggregate=Sum(IS_VIEW)),
    Metric("unique_pages", pl.UInt32, "", "different pages over all events", aggregate=NUnique(_PAGE), requires=(PAGE,)),
    Metric(
        "entry_page", pl.String, "", "page of the first page view that has one, else of the first event that has one",
        aggregate=pl.coalesce(_first(_viewed(_PAGE)), _first(_PAGE)), role=PAGE, requires=(PAGE,),
    ),
    Metric(
        "exit_page", pl.String, "", "page of the last page view that has one, else of the last event that has one",
        aggregate=pl.coalesce(_last(_viewed(_PAGE)), _last(_PAGE)), role=PAGE, requires=(PAGE,),
    ),
    Metric("entry_event", pl.String, "", "type of the first event",
           aggregate=First(pl.col(EVENT_TYPE)), role=EVENT_TYPE, requires=(EVENT_TYPE,)),
    Metric("exit_event", pl.String, "", "type of the last event",
           aggregate=Last(pl.col(EVENT_TYPE)), role=EVENT_TYPE, requires=(EVENT_TYPE,)),
    Metric("bounced", pl.Boolean, "", "exactly one event", derived=pl.col("events") == 1),
    Metric(
        "engaged", pl.Boolean, "", "longer than 10 s, or at least 2 page views, or a conversion",
        derived=(pl.col("duration_s") > ENGAGED_AFTER_S) | (pl.col("page_views") >= 2) | (pl.col("conversions") > 0),
    ),
    Metric("conversions", pl.UInt32, "", "conversion events", aggregate=Sum(IS_CONVERSION)),
    Metric("converted", pl.Boolean, "", "at least one conversion", derived=pl.col("conversions") > 0),
    Metric(
        "first_conversion_s", pl.Float64, "s", "from start to the first conversion",
        aggregate=_first(pl.when(IS_CONVERSION).then(TIME)) - TIME.first(),
    ),
    Metric("value", pl.Float64, "as in the log", "sum of value over conversions; null without a value column",
           aggregate=Sum(pl.when(IS_CONVERSION).then(pl.col(VALUE)).fill_null(0)), requires=(VALUE,)),
    Metric("max_gap_s", pl.Float64, "s", "longest silence inside; 0 for one event", aggregate=Max(GAP)),
    Metric("active_s", pl.Float64, "s", "sum of the gaps, each counted at most --active-gap (5 min)",
           aggregate=Sum(PRESENT)),
    Metric("end_reason", pl.String, "", "what ended it: end_event, timeout, start_event, split, midnight, "
           "max_duration, max_events, or open"),
    Metric(REFERRER, pl.String, "", "first non-null", role=REFERRER),
    Metric(CHANNEL, pl.String, "", "first non-null", role=CHANNEL),
    *(Metric(name, pl.String, "", _UTM_MEANING, role=name) for name in UTM),
    Metric("bot", pl.Boolean, "", "a known crawler; null where no user agent tells"),
)  # fmt: skip

METRIC_NAMES: Final = tuple(metric.name for metric in METRICS)
FIGURED: Final = (
    "events", "page_views", "duration_s", "bounced", "engaged", "converted", "conversions", "value", "status", "bot",
    "start", "end",
)  # fmt: skip
"""What the summary figures are made of: narrow columns, of which many sessions fit in memory."""
