"""The summary: totals, rates, distributions, entries and exits, over time and by groups. Sessions in; plain data out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from sessionize.instants import written
from sessionize.kernel.local_times import wall_clock
from sessionize.kernel.metrics import FIGURED
from sessionize.summary.ends import Ends
from sessionize.summary.figures import figures
from sessionize.summary.missing import filled

HASH_SEED: Final = 7
SPREADS: Final = {
    "events_per_session": ("mean", "median", "p95"),
    "page_views_per_session": ("mean", "median", "p95"),
    "duration_s": ("median", "mean", "p95", "max"),
}
RATES: Final = ("bounce_rate", "engagement_rate", "conversion_rate", "bot_share")
LENGTHS_S: Final = (0, 10, 60, 300, 600, 1200, 1800, 3600)
WEEK: Final = timedelta(days=7)
FEWEST: Final = 30
HOURS_SEEN: Final = timedelta(hours=3)
"""Fewer sessions, or a shorter time, may well lie in one minute of the hour."""
MOST_PAGES: Final = 10


class Overview:
    """Gathers what the summary needs of sessions: narrow columns, of which many sessions fit in memory.

    Args:
        timezone: IANA zone of days and hours.
        by: The value that sessions are grouped by; None for no groups.
        in_time: Part of time that groups are, to be told in their order; None where they are none.
    """

    def __init__(self, timezone: str, by: pl.Expr | None = None, *, in_time: str | None = None) -> None:
        self._timezone = timezone
        self._in_time = in_time
        self._by = by
        self._entries = Ends("entry_page", "entry_event")
        self._exits = Ends("exit_page", "exit_event")
        self._measures: list[pl.DataFrame] = []

    def add(self, sessions: pl.DataFrame) -> None:
        """Take some sessions: their metrics, one row a session."""
        by = [] if self._by is None else [_as_name(self._by).alias("group")]
        ids = pl.col("profile_id")
        profile = pl.when(ids.is_not_null()).then(ids.hash(HASH_SEED)).alias("profile")
        self._measures.append(sessions.select(*FIGURED, profile, *by))
        self._entries.add(sessions)
        self._exits.add(sessions)

    @property
    def measures(self) -> pl.DataFrame:
        """The columns of FIGURED, ``profile`` and maybe ``group``, one row a session."""
        return pl.concat(self._measures).rechunk()

    def answer(self) -> dict[str, Any]:
        """What `sessionize summary` says, as data with fixed names."""
        measures = self.measures
        return {
            **as_data(measures),
            "per_day": self._per("day", "%Y-%m-%d", measures),
            "per_hour": self._per("hour", "%H", measures),
            "lengths": _lengths(measures),
            "entry_pages": self._entries.rows(MOST_PAGES),
            "exit_pages": self._exits.rows(MOST_PAGES),
            "groups": [] if self._by is None else groups(measures, in_time=self._in_time),
        }

    def _per(self, name: str, form: str, measures: pl.DataFrame) -> list[dict[str, Any]]:
        local = wall_clock(pl.col("start"), self._timezone)
        # By whole hours first: there are few of them, and only their names are made.
        by_hour = measures.lazy().group_by(pl.col("start").dt.truncate("15m")).agg(pl.len().alias("sessions"))
        found = by_hour.group_by(local.dt.strftime(form).alias(name)).agg(pl.col("sessions").sum().cast(pl.Int64))
        rows = {row[name]: row for row in found.sort(name).collect().iter_rows(named=True)}
        return [rows.get(each, {name: each, "sessions": 0}) for each in filled(list(rows), name)]

    def span(self, since: int, until: int) -> dict[str, Any]:
        """The figures of the sessions that start from a time on and before another, in microseconds since 1970 UTC."""
        start = pl.col("start").to_physical()
        return as_data(self.measures.filter((start >= since) & (start < until)))

    @property
    def one_minute(self) -> int | None:
        """The minute of the hour at which every session starts and ends, as of a clock that was cut; else None."""
        minutes = {
            minute
            for each in self._measures
            for name in ("start", "end")
            for minute in each[name].dt.minute().unique().to_list()
        }
        sessions = sum(each.height for each in self._measures)
        newest, oldest = self.newest, self.oldest
        if len(minutes) != 1 or sessions < FEWEST or newest is None or oldest is None or newest - oldest < HOURS_SEEN:
            return None
        return int(minutes.pop())

    @property
    def newest(self) -> datetime | None:
        """The end of the last session."""
        ends: Iterable[Any] = (each["end"].max() for each in self._measures)
        return max((end for end in ends if end is not None), default=None)

    @property
    def oldest(self) -> datetime | None:
        """The start of the first session."""
        starts: Iterable[Any] = (each["start"].min() for each in self._measures)
        return min((start for start in starts if start is not None), default=None)


def _as_name(by: pl.Expr) -> pl.Expr:
    return by.cast(pl.String)


def as_data(measures: pl.DataFrame) -> dict[str, Any]:
    """Figures with the names that scripts rely on; times as texts.

    Args:
        measures: The columns of FIGURED and ``profile``, one row a session.
    """
    found = figures(measures)
    spreads = {name: {kind: found.pop(f"{name}_{kind}") for kind in kinds} for name, kinds in SPREADS.items()}
    sessions = found.pop("sessions")
    return {
        "sessions": sessions,
        "profiles": measures["profile"].drop_nulls().n_unique(),
        **{name: found.pop(name) for name in ("events", "page_views")},
        **spreads,
        **{name: written(value) for name, value in found.items()},
    }


def groups(measures: pl.DataFrame, *, in_time: str | None = None) -> list[dict[str, Any]]:
    """The figures of each group, the largest first.

    Args:
        measures: The columns of FIGURED, ``profile`` and ``group``, one row a session.
        in_time: Part of time that they are, to be told in the order of their names with those in which no session starts.
    """
    seconds = pl.col("duration_s")
    counted = measures.lazy().group_by("group").agg(
        pl.len().cast(pl.Int64).alias("sessions"),
        pl.col("profile").drop_nulls().n_unique().cast(pl.Int64).alias("profiles"),
        pl.col("events").sum().cast(pl.Int64),
        pl.col("page_views").sum().cast(pl.Int64),
        seconds.median().alias("median"),
        seconds.mean().alias("mean"),
        seconds.quantile(0.95, "nearest").alias("p95"),
        seconds.max().alias("max"),
        pl.col("bounced").mean().alias("bounce_rate"),
        pl.col("engaged").mean().alias("engagement_rate"),
        pl.col("converted").mean().alias("conversion_rate"),
        pl.col("conversions").sum().cast(pl.Int64),
        pl.when(pl.col("value").is_not_null().any()).then(pl.col("value").sum()).alias("value"),
    )  # fmt: skip
    by_size = counted.sort("sessions", "group", descending=[True, False], nulls_last=True)
    ordered = (counted.sort("group") if in_time else by_size).collect()
    found = [_group(row, measures.height) for row in ordered.iter_rows(named=True)]
    if not found or in_time is None:
        return found
    rows = {row["name"]: row for row in found}
    return [rows.get(name) or _empty(found[0], name) for name in filled(list(rows), in_time)]


def _empty(like: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A group without sessions: its numbers are 0, and what is of a session is none."""
    counts = {each: 0 for each, value in like.items() if isinstance(value, int)}
    return {
        **dict.fromkeys(like),
        **counts,
        "name": name,
        "share": 0.0,
        "duration_s": dict.fromkeys(SPREADS["duration_s"]),
    }


def _group(row: dict[str, Any], whole: int) -> dict[str, Any]:
    duration = {kind: row.pop(kind) for kind in SPREADS["duration_s"]}
    name, sessions = row.pop("group"), row.pop("sessions")
    return {"name": name, "sessions": sessions, "share": sessions / whole, **row, "duration_s": duration}


def _lengths(measures: pl.DataFrame) -> list[dict[str, Any]]:
    """Sessions by their length: from so many seconds on, before so many."""
    sums = measures.select((pl.col("duration_s") >= low).sum().cast(pl.Int64).alias(str(low)) for low in LENGTHS_S).row(
        0
    )
    return [
        {"from_s": low, "to_s": high, "sessions": number - longer}
        for low, high, number, longer in zip(LENGTHS_S, (*LENGTHS_S[1:], None), sums, (*sums[1:], 0), strict=True)
    ]


def changes(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """How figures changed: a rate in points, a number as a share of what it was; None where there is nothing to compare.

    Examples:
        >>> changes({"sessions": 12, "bounce_rate": 0.5}, {"sessions": 10, "bounce_rate": 0.4})
        {'sessions': 0.2, 'bounce_rate_points': 10.0}
    """
    found: dict[str, Any] = {}
    for name, value in now.items():
        other = before.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            found[name] = changes(value, other)
        elif name in RATES:
            found[f"{name}_points"] = None if value is None or other is None else round(100 * (value - other), 6)
        elif isinstance(value, int | float) or isinstance(other, int | float):
            found[name] = value / other - 1 if value is not None and other else None
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in found.items()}
