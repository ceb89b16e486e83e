"""What is told of the sessions of each definition: few numbers a session, made without their texts where that is enough."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.definitions import Definition
from sessionize.kernel import Sessionized, as_text, described, stamped
from sessionize.kernel.describe import seconds
from sessionize.kernel.metrics import METRICS
from sessionize.kernel.own import metric_columns
from sessionize.summary.expressions import Sql
from sessionize.summary.selection import metric_columns as of_sql

PLAIN: Final = tuple(
    metric for metric in METRICS
    if metric.role is None and metric.name not in ("session_id", "status", "end_reason", "bot")
)  # fmt: skip
"""Metrics that are no texts and need no watermark."""
ALWAYS: Final = ("events", "page_views", "duration_s", "conversions", "start", "end")
"""Metrics that are measured in any case: of them the rates, lengths and counts are made."""
RATES: Final = ("bounced", "engaged")
PAGES: Final = frozenset({"page_views", "unique_pages", "events"})
"""What a bounce may be told by that is not told in a log without page views."""


class Measures:
    """How the sessions of one definition are measured.

    Args:
        definition: What it calls bounced and engaged; None for our own words.

    Attributes:
        needed: Names of the metrics that must be measured, derived ones aside.
        is_lean: Whether that can be told without pages and descriptive fields.
    """

    def __init__(self, definition: Definition | None) -> None:
        self._rates = {name: pl.col(name) for name in RATES} if definition is None else _rates(definition)
        asked = {name for each in self._rates.values() if each is not None for name in each.meta.root_names()}
        self.is_lean = asked <= {metric.name for metric in PLAIN if set(metric.requires) <= {schema.VALUE}}
        self.needed = frozenset((*asked, *ALWAYS)) & {metric.name for metric in PLAIN if metric.aggregate is not None}
        bounce = self._rates["bounced"]
        self._by_pages = bounce is not None and {"page_views"} <= set(bounce.meta.root_names()) <= PAGES
        self._is_plain = asked <= {metric.name for metric in PLAIN}

    def of(self, done: Sessionized, plan: Plan, watermark: int | None) -> pl.DataFrame:
        """``duration_s``, ``converted``, ``bounced`` and ``engaged``, a row a session; null where the system has no such word.

        ``measured`` says whether a session has what a bounce is told by, which may be page views.

        Args:
            done: What the kernel found.
            plan: The rules.
            watermark: Watermark of the whole log, microseconds since 1970 UTC.
        """
        return self._figured(_plain(done.sessions) if self._is_plain else metrics(done, plan, watermark))

    def of_measured(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """The same of sessions that were measured by `needed`; where `is_lean`."""
        return self._figured(_plain(sessions))

    def _figured(self, sessions: pl.DataFrame) -> pl.DataFrame:
        rates = {name: pl.lit(None, pl.Boolean) if each is None else each for name, each in self._rates.items()}
        return sessions.select(
            "duration_s",
            "converted",
            measured=pl.col("page_views") > 0 if self._by_pages else pl.lit(value=True),
            **{name: each.cast(pl.Boolean) for name, each in rates.items()},
        )


def metrics(done: Sessionized, plan: Plan, watermark: int | None) -> pl.DataFrame:
    """All metrics of the sessions."""
    sessions = as_text(stamped(described(done.sessions, plan), plan, watermark))
    return sessions.select(metric_columns(plan))


def figures(measures: pl.DataFrame) -> dict[str, Any]:
    """Mean and median length, and the rates; None over no sessions, or where the system has no such word."""
    length = pl.col("duration_s")
    found = measures.select(
        duration_s_mean=length.mean(),
        duration_s_median=length.median(),
        bounce_rate=pl.when(pl.col("measured").any()).then(pl.col("bounced").mean()),
        engagement_rate=pl.col("engaged").mean(),
        conversion_rate=pl.col("converted").mean(),
    )
    return found.row(0, named=True)


def _plain(sessions: pl.DataFrame) -> pl.DataFrame:
    measured = [metric.name for metric in PLAIN if metric.unit == "s" and metric.name in sessions.columns]
    sessions = sessions.with_columns(seconds(sessions[name]) for name in measured)
    missing = [metric.missing for metric in PLAIN if metric.name not in sessions.columns and metric.derived is None]
    sessions = sessions.with_columns(missing)
    for metric in PLAIN:
        if metric.derived is not None:
            sessions = sessions.with_columns(metric.derived.alias(metric.name))
    return sessions.select(pl.col(metric.name).cast(metric.dtype) for metric in PLAIN)


def _rates(definition: Definition) -> dict[str, pl.Expr | None]:
    """The SQL of a definition, tried on no sessions."""
    columns, origin = of_sql(), f"definition {definition.name}"
    words = {"bounced": definition.bounce, "engaged": definition.engaged}
    return {name: None if text is None else Sql(columns, origin).condition(text) for name, text in words.items()}
