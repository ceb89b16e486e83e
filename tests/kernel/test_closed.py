"""Which sessions are closed, told anew from their keys, starts and ends."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from budget import examples
from engine import engine
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import Event, OracleRules
from strategies import logs, roles, rules

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel import Sessionized, sessionize
from sessionize.kernel.closed import is_closed
from sessionize.kernel.describe import CLOSED

TWO_KEYS: list[Event] = [
    {"session_id": key, "timestamp_us": minute * 60_000_000}
    for key, minute in [("b", 0), ("a", 1), ("b", 100), ("a", 101), ("a", 300), ("b", 301)]
]


def _keys(events: pl.DataFrame, rows: pl.Series) -> list[tuple[str, str]]:
    """What ties the events of each session together: a session id, or where there is none a profile id."""
    ids = [events[name].cast(pl.String).to_list() for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events]
    names = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events]
    return [
        next((name, column[row]) for name, column in zip(names, ids, strict=True) if column[row] is not None)
        for row in rows
    ]


def _expected(done: Sessionized, events: pl.DataFrame, plan: Plan, watermark: int) -> list[bool]:
    assert done.assigned is not None
    keys = _keys(events, done.assigned.filter(pl.col("position") == 1).sort("session")["row"])
    starts, ends = (done.sessions[name].to_physical().to_list() for name in ("start", "end"))
    ended, timeout = done.sessions[CLOSED].to_list(), plan.rules.timeout_us
    found = []
    for one, key in enumerate(keys):
        later = [
            starts[other] for other, of in enumerate(keys) if of == key and (starts[other], other) > (starts[one], one)
        ]
        silent = timeout is not None and ends[one] < watermark - timeout
        found.append((ended[one] and ends[one] < watermark) or silent or any(start < watermark for start in later))
    return found


@examples(200)
@given(logs(), rules(), roles(), st.integers(-2_000_000, 2_000_000))
@example(TWO_KEYS, OracleRules(timeout_us=3_600_000_000), frozenset({"session_id", "timestamp"}), -1)
def test_a_session_is_closed_by_its_end_by_silence_or_by_the_next_of_its_key(
    log: list[Event], rule: OracleRules, role: frozenset[str], beside: int
) -> None:
    def made(events: pl.DataFrame, plan: Plan, watermark: int | None) -> Iterator[tuple[pl.DataFrame, Sessionized]]:
        done = sessionize(events, plan, assign=True)
        for at in [] if watermark is None else [watermark, watermark + beside, watermark // 2]:
            assert is_closed(done, events, plan, at).tolist() == _expected(done, events, plan, at)
        yield events, done

    engine(log, rule, role, made=made)
