"""Nights in memory: batches of the oracle's events put through the spine, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl
from engine import plan_of, raw_frame
from oracle import Event, OracleRules

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts, Result, Stand
from sessionize.engine.value_stats import TRANSIENT
from sessionize.kernel import as_text, normalise
from sessionize.limits import Limits
from sessionize.nightly.batch import PLACE, Night, NightSettings
from sessionize.nightly.carryover import together
from sessionize.opening import NoLog
from sessionize.read import Rows
from sessionize.read.parquet_dictionaries import DictionaryColumn

AMPLE = 10**12
IN_MEMORY = Limits(event_bytes=AMPLE, rows=AMPLE)
"""All that the tests' logs hold fits; they name no folder for temporary files."""


def in_files(folder: Path, **limits: Any) -> Limits:
    """Limits by which nothing fits in memory."""
    small = {"event_bytes": 0, "rows": 5, "partitions": (3, 3), "slice_rows": 1, "scratch": lambda: folder}
    return Limits(**{**small, **limits})


class Pieces(NoLog):
    """A frame as a log, some rows at a time; some columns can be had as dictionaries, too."""

    def __init__(self, log: pl.DataFrame, rows: int = AMPLE, held: Collection[str] = ()) -> None:
        self._types = log.schema
        self._pieces = pieces_of(log, rows, held)

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        return self._types

    def batches(self, limits: Limits) -> Iterable[Rows]:  # noqa: ARG002
        return self._pieces


class Arrival(NamedTuple):
    """What arrives for a night, and when the night ends; None: with its newest event."""

    events: list[Event]
    until: int | None = None


class Nights(NamedTuple):
    """What became of all nights."""

    sessions: pl.DataFrame
    events: pl.DataFrame
    late: int
    counts: list[Counts]
    stands: list[Stand]
    carried: list[int]


def pieces_of(log: pl.DataFrame, rows: int = AMPLE, held: Collection[str] = ()) -> list[Rows]:
    """The log as a reader gives it, some rows at a time; some columns can be had as dictionaries, too."""
    raw = log.select(
        pl.lit(0, pl.UInt32).alias(schema.FILE),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(schema.ROW),
        pl.lit(None, pl.Enum(schema.REASONS)).alias(schema.FAULT),
        pl.all(),
    )
    batches = (raw.slice(start, rows) for start in range(0, max(1, raw.height), rows))
    return [Rows(batch.lazy(), frozenset(held), partial(_words_of, batch)) for batch in batches]


def _words_of(batch: pl.DataFrame, names: Sequence[str]) -> dict[str, list[DictionaryColumn]]:
    """Two dictionaries for each column, as row groups have their own."""
    halves = [batch.head(batch.height // 2), batch.slice(batch.height // 2)]
    return {name: [_dictionary(half[name]) for half in halves] for name in names}


def _dictionary(texts: pl.Series) -> DictionaryColumn:
    different = [*dict.fromkeys(texts.drop_nulls()), "of no row"]
    places = [None if text is None else different.index(text) for text in texts]
    return DictionaryColumn(pl.Series(different, dtype=pl.String), pl.Series(places, dtype=pl.UInt32))


def run_nights(
    arrivals: Sequence[Arrival],
    rules: OracleRules,
    roles: Collection[str],
    lateness: int,
    limits: Limits = IN_MEMORY,
    *,
    flush: Literal["last", "after", "never"] = "after",
) -> Nights:
    """Every batch as a night of its own, the last one flushed; the carry goes through a file's bytes each time.

    Args:
        arrivals: In the order in which they are run.
        rules: The oracle's.
        roles: Roles the log has.
        lateness: Microseconds allowed.
        limits: What may be held at once.
        flush: Which night emits what is open: the last one, one after it without a log, or none.
    """
    plan = plan_of(rules, roles)
    stand, carry = Stand(), pl.DataFrame()
    found: list[Result] = []
    sessions, events, stands, sizes = [], [], [], []
    nights = [*arrivals, *([Arrival([])] if flush == "after" else [])]
    for number, arrival in enumerate(nights):
        frame = raw_frame(arrival.events, roles, rules)
        asked = NightSettings(arrival.until, lateness, flush=flush != "never" and number == len(nights) - 1)
        carried = [carry] if carry.width else []
        types = types_of(frame, plan) | (PLACE if rules.passive else {})
        night = Night(stand, asked, carried, together(carry.schema, types), ["log"])
        result = _through(frame, plan, night, limits)
        batches = list(result.batches)
        sessions += [as_text(batch.sessions) for batch in batches]
        events += [batch.events for batch in batches if batch.events is not None]
        carry, stand = _stored(night), result.stand
        sizes.append(carry.height)
        stands.append(stand)
        found.append(result)
    late = sum(result.counts.late for result in found)
    return Nights(pl.concat(sessions), pl.concat(events), late, [each.counts for each in found], stands, sizes)


def types_of(frame: pl.DataFrame, plan: Plan) -> dict[str, pl.DataType]:
    """Columns of the canonical events of a log."""
    (empty,) = pieces_of(frame.clear())
    found = normalise(empty.frame, frame.schema, plan).collect_schema()
    return {
        name: dtype for name, dtype in found.items() if name not in (schema.FILE, schema.ROW, schema.REASON, *TRANSIENT)
    }


def _through(frame: pl.DataFrame, plan: Plan, night: Night, limits: Limits) -> Result:
    return sessionize_log(Pieces(frame, limits.rows), plan, limits, policy=night, assign=True)


def _stored(night: Night) -> pl.DataFrame:
    file = BytesIO()
    pl.concat(night.out).write_parquet(file)
    file.seek(0)
    return pl.read_parquet(file)


def rows(frame: pl.DataFrame, *by: str) -> list[dict[str, Any]]:
    """Rows in an order; sums of money rounded, as the order in which equal sums are added may differ."""
    return frame.with_columns(pl.col("value").round(6)).sort(by).to_dicts() if "value" in frame.columns else (
        frame.sort(by).to_dicts()
    )  # fmt: skip
