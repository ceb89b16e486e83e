"""How sessions are spread: over the hours of the week, by their length, by their depth. Sessions in; plain data out."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

DEPTHS: Final = (1, 2, 3, 4, 5, 6, 11, 21, 51, 101)
"""Fewest events, or page views, of each class."""


def weekly(measures: pl.DataFrame, timezone: str) -> list[dict[str, int]]:
    """Sessions by weekday (1 is Monday) and hour in which they start; hours without any are left out.

    Args:
        measures: ``start`` of each session.
        timezone: IANA zone of days and hours.
    """
    quarters = measures.lazy().group_by(pl.col("start").dt.truncate("15m")).agg(pl.len().alias("sessions"))
    local = pl.col("start").dt.convert_time_zone(timezone)
    found = quarters.group_by(
        local.dt.weekday().cast(pl.Int64).alias("weekday"), local.dt.hour().cast(pl.Int64).alias("hour")
    ).agg(pl.col("sessions").sum().cast(pl.Int64))
    return found.sort("weekday", "hour").collect().to_dicts()


def half_doublings(edge_s: float, number: int) -> dict[str, float]:
    """Bounds of a class of lengths, each sqrt(2) times as wide as the one before.

    Args:
        edge_s: A length at which one class ends and the next begins.
        number: Number of the class; 0 begins at that length.
    """
    return {"from_s": edge_s * 2 ** (number / 2), "to_s": edge_s * 2 ** ((number + 1) / 2)}


def lengths(durations: pl.Series, edge_s: float) -> dict[str, Any]:
    """Sessions by a length: those of 0 s, and the others by half doublings, over ``from_s`` and up to ``to_s``.

    Args:
        durations: Seconds, one a session.
        edge_s: A length at which one class ends and the next begins.
    """
    seconds = durations.to_numpy()
    longer = seconds[seconds > 0]
    # A session as long as the edge is in the class that ends there, as a silence as long as the timeout stays inside.
    numbers, counts = np.unique(np.ceil(np.log2(longer / edge_s) * 2).astype(np.int64) - 1, return_counts=True)
    return {
        "zero": len(seconds) - len(longer),
        "classes": [
            {**half_doublings(edge_s, int(number)), "sessions": int(count)}
            for number, count in zip(numbers, counts, strict=True)
        ],
    }


def depths(measures: pl.DataFrame) -> list[dict[str, int | None]]:
    """Sessions by their number of events, and by their number of page views.

    Args:
        measures: ``events`` and ``page_views`` of each session.

    Returns:
        A row a class: ``least`` and ``most`` of it, None for no end; sessions ``by_events`` and ``by_page_views``.
    """
    reached = measures.select(
        (pl.col(name) >= low).sum().cast(pl.Int64).alias(f"{name} {low}")
        for name in ("events", "page_views")
        for low in DEPTHS
    ).row(0, named=True)
    ends = (*DEPTHS[1:], None)
    return [
        {
            "least": low,
            "most": None if end is None else end - 1,
            **{
                f"by_{name}": reached[f"{name} {low}"] - (0 if end is None else reached[f"{name} {end}"])
                for name in ("events", "page_views")
            },
        }
        for low, end in zip(DEPTHS, ends, strict=True)
    ]
