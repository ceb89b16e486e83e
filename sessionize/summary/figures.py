"""Summary figures over sessions (metrics.md, last paragraph): one pass over the metrics."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

SPREAD: Final = ("mean", "median", "p95")


def figures(metrics: pl.DataFrame) -> dict[str, Any]:
    """Figures by name; a rate over no sessions is None.

    Args:
        metrics: One row a session.
    """
    # In one piece, as Polars picks the median of such a column, but sorts one of many pieces for it.
    found = metrics.rechunk().select(_figures()).row(0, named=True)
    return {name: _number(value) for name, value in found.items()}


def _figures() -> list[pl.Expr]:
    return [
        pl.len().alias("sessions"),
        pl.col("events").sum().cast(pl.Int64),
        pl.col("page_views").sum().cast(pl.Int64),
        *_spread(pl.col("events"), "events_per_session"),
        *_spread(pl.col("page_views"), "page_views_per_session"),
        *_spread(pl.col("duration_s"), "duration_s"),
        pl.col("duration_s").max().alias("duration_s_max"),
        pl.col("bounced").mean().alias("bounce_rate"),
        pl.col("engaged").mean().alias("engagement_rate"),
        pl.col("converted").mean().alias("conversion_rate"),
        pl.col("conversions").sum().cast(pl.Int64),
        pl.when(pl.col("value").is_not_null().any()).then(pl.col("value").sum()).alias("value"),
        (pl.col("status") == "active").sum().cast(pl.Int64).alias("active_sessions"),
        pl.col("bot").mean().alias("bot_share"),
        pl.col("start").min().alias("first"),
        pl.col("end").max().alias("last"),
    ]


def _spread(values: pl.Expr, name: str) -> list[pl.Expr]:
    measures = (values.mean(), values.median(), values.quantile(0.95, "nearest"))
    return [measure.cast(pl.Float64).alias(f"{name}_{kind}") for kind, measure in zip(SPREAD, measures, strict=True)]


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN
