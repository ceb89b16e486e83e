"""Measures the events and sessions of whole keys, part by part: the parts' small tables add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.checks.facts import Examples, Flagged, SessionFacts, Shared
from sessionize.checks.findings import Example
from sessionize.checks.profiles import HASH_SEED, events_by_profile, most_events
from sessionize.checks.row_stats import PLACED, example, place_of
from sessionize.checks.text import quoted, sanitize
from sessionize.config import Plan
from sessionize.engine.observe import Observer, Whole
from sessionize.kernel import Sessionized, described, is_active
from sessionize.kernel.agents import are_bots, installed
from sessionize.kernel.describe import CLOSED, LAST_OF_KEY, seconds
from sessionize.kernel.dictionaries import occurrences
from sessionize.kernel.local_times import wall_clock
from sessionize.kernel.metrics import FIGURED, METRICS, UTC_INSTANT
from sessionize.values import NamedTuple

MANY: Final = 0.001
"""Session ids of so large a share of the events, and of two at least, are looked at: one used as a constant has more."""
MEASURES: Final = tuple(name for name in FIGURED if name not in ("status", "bot"))


class Thresholds(NamedTuple):
    """What is long and large.

    Attributes:
        hours: A session that is longer is long.
        events: A session with more is large.
        examples: How many examples are kept of each.
    """

    hours: float
    events: int
    examples: int


class Extremes(NamedTuple):
    """Which sessions and ids stand out.

    Attributes:
        long: The longest sessions over the limit.
        large: The sessions over the limit with the most events.
        of_session_id: Most events under one session id, and the id.
        of_profile_id: Most events of one profile id, and the id.
    """

    long: Examples
    large: Examples
    of_session_id: tuple[int, str] | None
    of_profile_id: tuple[int, str] | None


class KeyStats(Observer):
    """Looks at each partition of a log.

    Args:
        plan: The rules.
        thresholds: What is long and large.
        paths: Paths of the log's files.
    """

    def __init__(self, plan: Plan, thresholds: Thresholds, paths: Sequence[str]) -> None:
        self._plan = plan
        self._limits = thresholds
        self._paths = paths
        self._measures: list[pl.DataFrame] = []
        self._by_profile: list[pl.DataFrame] = []
        self._top: list[tuple[int, str]] = []
        self._profiles: list[Shared] = []
        self._types: dict[str, int] = {}
        self._repeated: list[int] = []
        self._ids: dict[int, str | None] = {}
        self._moved = 0
        self._moved_ids: list[str] = []
        self._long: list[tuple[float, Example]] = []
        self._large: list[tuple[float, Example]] = []

    def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:
        """Look at a partition: its events, and what the kernel made of them; at its texts and its numbers side by side."""
        with ThreadPoolExecutor(1) as aside:
            texts_seen = aside.submit(self._look_at_texts, events, sessions, whole)
            self._look_at_sessions(sessions.sessions, whole, all_there=events.height == whole.events)
            texts_seen.result()

    def _look_at_texts(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:
        """Look at event types, session ids and event ids."""
        if schema.EVENT_TYPE in events.columns:
            for name, number in occurrences(events[schema.EVENT_TYPE]):
                self._types[name] = self._types.get(name, 0) + number
        if "source_id" in sessions.sessions.columns:
            self._add_session_ids(events, sessions.sessions, max(2, MANY * whole.events))
        if PLACED in events.columns:
            self._add_repeated(events, sessions.duplicates)
        if schema.EVENT_ID in events.columns:
            self._add_moved(events)

    def _look_at_sessions(self, sessions: pl.DataFrame, whole: Whole, *, all_there: bool) -> None:
        """Look at sessions and their profiles, of which maybe all are there."""
        if schema.PROFILE_ID in sessions.columns:
            self._by_profile.append(events_by_profile(sessions, all_there=all_there))
        measures = measured(sessions, is_active(self._plan, whole.stand.watermark))
        self._measures.append(measures)
        self._long += self._extremes(sessions, measures, "duration_s", self._limits.hours * 3600)
        self._large += self._extremes(sessions, measures, "events", self._limits.events)

    def _add_session_ids(self, events: pl.DataFrame, sessions: pl.DataFrame, many: float) -> None:
        by_id = _with_many(sessions, many)
        largest = by_id.filter(pl.col("events") == pl.col("events").max()).cast({"source_id": pl.String})
        self._top += [(number, name) for name, number in largest.iter_rows()]
        if schema.PROFILE_ID in events.columns and by_id.height:
            self._profiles += _shared(events, sessions, by_id["source_id"])

    def _add_repeated(self, events: pl.DataFrame, duplicates: pl.Series) -> None:
        first = events[duplicates].select(PLACED, schema.EVENT_ID).bottom_k(self._limits.examples, by=PLACED)
        self._ids |= dict(first.iter_rows())
        self._repeated = sorted(self._ids)[: self._limits.examples]
        self._ids = {place: self._ids[place] for place in self._repeated}

    def _add_moved(self, events: pl.DataFrame) -> None:
        """Count events whose id their key has at another time, too."""
        keys = [role for role in (schema.SESSION_ID, schema.PROFILE_ID) if role in events.columns]
        key = pl.col(keys[0]).cast(pl.String)
        if len(keys) > 1:
            key = pl.coalesce(key, pl.concat_str(pl.lit("p:"), pl.col(keys[1]).cast(pl.String)))
        there = events.lazy().filter(pl.col(schema.EVENT_ID).is_not_null())
        hashes = there.select(
            id=pl.struct(key, schema.EVENT_ID).hash(HASH_SEED), time=pl.struct(key, schema.EVENT_ID, schema.TIMESTAMP).hash(HASH_SEED)
        )  # fmt: skip
        counted = hashes.select(pl.col("time").n_unique() - pl.col("id").n_unique().cast(pl.Int64)).collect().item()
        if not counted:
            return
        self._moved += counted
        if len(self._moved_ids) < self._limits.examples:
            times = there.group_by(key.alias("key"), schema.EVENT_ID).agg(
                pl.col(schema.TIMESTAMP).n_unique().alias("times")
            )
            found = times.filter(pl.col("times") > 1).select(schema.EVENT_ID).collect().to_series()
            self._moved_ids = sorted([*self._moved_ids, *found.cast(pl.String)])[: self._limits.examples]

    def _extremes(
        self, sessions: pl.DataFrame, measures: pl.DataFrame, name: str, limit: float
    ) -> list[tuple[float, Example]]:
        """The first few sessions over a limit, the largest first."""
        over = (measures[name] > limit).arg_true()
        if over.is_empty():
            return []
        worst = over[measures[name][over].arg_sort(descending=True).head(self._limits.examples)]
        ids = described(sessions[worst], self._plan)["session_id"]
        values = measures[name][worst]
        return [(value, session_example(id_, name, value)) for id_, value in zip(ids, values, strict=True)]

    @property
    def measures(self) -> pl.DataFrame:
        """What the summary figures are made of, one row a session."""
        return pl.concat(self._measures)

    @property
    def types(self) -> dict[str, int] | None:
        """Event type → events; the commonest first."""
        return dict(sorted(self._types.items(), key=lambda item: (-item[1], item[0]))) or None

    @property
    def most_profiles(self) -> Shared | None:
        """Most profiles of one session id, among those with the most events."""
        return max(self._profiles, default=None)

    @property
    def moved(self) -> Flagged:
        """Events whose id their key has at another time, too."""
        return Flagged(
            self._moved, tuple(Example(f"event id {quoted(each)} at several times") for each in self._moved_ids)
        )

    @property
    def repeated(self) -> Examples:
        """The first events that repeat another."""
        return tuple(
            example(*place_of(place), f"event id {quoted(self._ids[place])} again", self._paths)
            for place in self._repeated
        )

    def facts(self) -> SessionFacts:
        """What was measured on sessions."""
        extremes = Extremes(
            _first(self._long, self._limits), _first(self._large, self._limits),
            max(self._top, default=None), most_events(self._by_profile),
        )  # fmt: skip
        return session_facts(self.measures, self._plan.timezone, self._limits, extremes)


def _with_many(sessions: pl.DataFrame, many: float) -> pl.DataFrame:
    """``source_id`` and ``events`` of the session ids with so many events."""
    ids = sessions["source_id"]
    if isinstance(ids.dtype, pl.Categorical):
        there = sessions.select(ids.to_physical(), "events").drop_nulls("source_id")
        each = np.bincount(there["source_id"].to_numpy(), weights=there["events"].to_numpy())
        found = np.flatnonzero(each >= many)
        codes = pl.Series("source_id", found, dtype=pl.UInt32).cat.to(ids.dtype)
        return pl.DataFrame([codes, pl.Series("events", each[found], dtype=sessions.schema["events"])])
    by_id = sessions.lazy().filter(pl.col("source_id").is_not_null()).group_by("source_id").agg(pl.col("events").sum())
    return by_id.filter(pl.col("events") >= many).collect()


def _shared(events: pl.DataFrame, sessions: pl.DataFrame, ids: pl.Series) -> list[Shared]:
    """Profiles of each of some session ids."""
    names = ids.cast(pl.String)

    def different(rows: pl.DataFrame, column: str) -> pl.DataFrame:
        of_them = rows.lazy().filter(pl.col(column).is_in(names.implode()))
        counted = of_them.group_by(pl.col(column).cast(pl.String).alias("id"))
        return counted.agg(pl.col(schema.PROFILE_ID).drop_nulls().n_unique().alias(column)).collect()

    found = different(events, schema.SESSION_ID).join(different(sessions, "source_id"), on="id")
    return [Shared(among, among - firsts, name) for name, among, firsts in found.iter_rows()]


def _first(found: Iterable[tuple[float, Example]], thresholds: Thresholds) -> Examples:
    ordered = sorted(found, key=lambda each: (-each[0], each[1].text))
    return tuple(each for _, each in ordered[: thresholds.examples])


def session_example(session_id: str, name: str, value: float) -> Example:
    """A session that is too long, or too large."""
    much = f"{value / 3600:,.1f} h" if name == "duration_s" else f"{value:,} events"
    return Example(f"session {sanitize(session_id)}: {much}")


def measured(sessions: pl.DataFrame, active: pl.Expr) -> pl.DataFrame:
    """FIGURED of the sessions, made without their texts but the user agents."""
    there = [name for name in (*MEASURES, LAST_OF_KEY, CLOSED) if name in sessions.columns]
    found = sessions.select(there).with_columns(seconds(sessions["duration_s"]))
    unsaid = [metric.missing for metric in METRICS if metric.name in FIGURED and metric.name not in sessions.columns]
    found = found.with_columns(unsaid)
    if schema.USER_AGENT in sessions.columns and installed():
        found = found.with_columns(are_bots(sessions[schema.USER_AGENT].cast(pl.String)).alias("bot"))
    found = found.with_columns(
        metric.derived.alias(metric.name) for metric in METRICS if metric.name in FIGURED and metric.derived is not None
    )
    return found.with_columns(
        pl.col("start", "end").cast(UTC_INSTANT),
        status=pl.when(active).then(pl.lit("active")).otherwise(pl.lit("ended")),
    ).select(FIGURED)


def session_facts(measures: pl.DataFrame, timezone: str, thresholds: Thresholds, extremes: Extremes) -> SessionFacts:
    """What was measured on sessions.

    Args:
        measures: The columns of FIGURED, one row a session.
        timezone: IANA zone of days.
        thresholds: What is long and large.
        extremes: Which sessions and ids stand out.
    """
    sums = measures.select(
        long=(pl.col("duration_s") > thresholds.hours * 3600).sum(),
        large=(pl.col("events") > thresholds.events).sum(),
        bounced=pl.col("bounced").sum(),
        engaged=pl.col("engaged").sum(),
        converted=pl.col("converted").sum(),
    ).row(0, named=True)
    days = measures.lazy().select(day=wall_clock(pl.col("start"), timezone).dt.date())
    return SessionFacts(
        long=Flagged(sums["long"], extremes.long),
        long_hours=thresholds.hours,
        large=Flagged(sums["large"], extremes.large),
        large_events=thresholds.events,
        per_day=dict(days.group_by("day").len().sort("day").collect().iter_rows()),
        of_session_id=extremes.of_session_id,
        of_profile_id=extremes.of_profile_id,
        bounced=sums["bounced"],
        engaged=sums["engaged"],
        converted=sums["converted"],
    )
