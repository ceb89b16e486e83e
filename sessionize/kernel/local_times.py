"""Local times as instants, the hours that clocks skip or repeat too. Row-local."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sessionize.instants import EPOCH
from sessionize.kernel.epochs import OUT_OF_RANGE, computed, in_range


def wall_clock(instants: pl.Expr, timezone: str) -> pl.Expr:
    """What clocks of a zone show at instants; at its edges, no clock leaves the years 1 to 9999."""
    if timezone == "UTC":
        return instants
    local = instants.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return local.clip(datetime.min, datetime.max)  # noqa: DTZ901 - a clock on the wall has no zone


def localized(values: pl.Series, timezone: str) -> pl.Series:
    """Instants of local times.

    A time that occurs twice (clocks set back) is the first of the two; one that does not exist (clocks set forward) is
    read with the offset in force before, so it lies as much after the change as its digits say.
    """
    if timezone == "UTC":
        return values
    usable = pl.when(pl.col("local") != OUT_OF_RANGE).then(pl.col("local"))
    local = computed(local=values).select(usable.cast(pl.Datetime("us"))).to_series()
    placed = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").to_physical()
    missing = local.is_not_null() & placed.is_null()
    if missing.any():
        zone = ZoneInfo(timezone)
        shifted = [(each.replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1) for each in local.filter(missing)]
        placed = placed.scatter(missing.arg_true(), shifted)
    return computed(local=values, placed=placed).select(
        pl.when(pl.col("local") == OUT_OF_RANGE).then(pl.lit(OUT_OF_RANGE)).otherwise(in_range(pl.col("placed")))
    ).to_series()  # fmt: skip
