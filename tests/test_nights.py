"""However a log is cut into nights, the same sessions come out as in one run over all of it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import polars as pl
import pytest
from budget import examples
from engine import plan_of, raw_frame
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from nights import IN_MEMORY, Arrival, Nights, Pieces, in_files, rows, run_nights
from oracle import Event, OracleRules
from strategies import MINUTE_US, logs, roles, rules

from sessionize.engine.pipeline import sessionize_log
from sessionize.instants import EPOCH
from sessionize.kernel import as_text
from sessionize.kernel.describe import ENDED_BY, LAST_OF_KEY

LATENESSES = (0, MINUTE_US, 30 * MINUTE_US, 24 * 60 * MINUTE_US)
ROLES = frozenset(("timestamp", "session_id", "event_type"))


class Cut:
    """A log cut into nights, in the order in which its rows arrive, and how late they may be."""

    def __init__(self, batches: list[Arrival], lateness: int) -> None:
        self.batches, self.lateness = batches, lateness

    def __repr__(self) -> str:
        return f"Cut({self.batches!r}, {self.lateness})"


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    """Draw a log in 1 to 12 nights: rows are out of order by no more than the lateness.

    The nights end with their newest event, or at given times; then rows may come too early as well.
    """
    log, lateness = draw(logs()), draw(st.sampled_from(LATENESSES))
    calendar, count = draw(st.booleans()), draw(st.sampled_from((1, 1, 2, 2, 3, 3, 4, 12)))
    early = draw(st.sampled_from((0, 0, 90 * MINUTE_US))) if calendar else 0
    delays: SearchStrategy[int] = st.sampled_from((0, 0, lateness // 2, lateness, -early))
    arrivals = [event["timestamp_us"] + draw(delays) for event in log]
    order = sorted(range(len(log)), key=lambda place: arrivals[place])
    events, arrived = [log[place] for place in order], [arrivals[place] for place in order]
    if not calendar:
        cut = sorted(draw(st.lists(st.integers(0, len(events)), min_size=count - 1, max_size=count - 1)))
        return Cut(
            [Arrival(events[low:high]) for low, high in zip([0, *cut], [*cut, len(events)], strict=True)], lateness
        )
    ends = sorted(draw(st.lists(_near(arrived), min_size=count, max_size=count)))
    places = [0, *(bisect_left(arrived, end) for end in ends[:-1]), len(events)]
    nights = zip(places, places[1:], ends, strict=False)
    return Cut([Arrival(events[low:high], end) for low, high, end in nights], lateness)


def _near(times: list[int]) -> SearchStrategy[int]:
    """Times at, just before, just after and well after those given."""
    return st.builds(
        lambda time, more: time + more,
        st.sampled_from(times or [1_709_942_400_000_000]),
        st.sampled_from((0, 1, -1, 30 * MINUTE_US, 31 * MINUTE_US, 24 * 60 * MINUTE_US)),
    )


def one_run(cut: Cut, rule: OracleRules, role: frozenset[str], watermark: int | None) -> dict[str, Any]:
    """What one run over all of it gives, its watermark given."""
    frame = raw_frame([event for batch in cut.batches for event in batch.events], role, rule)
    plan = plan_of(rule, role)
    until = None if watermark is None else EPOCH + watermark * (EPOCH.resolution)
    result = sessionize_log(Pieces(frame), replace(plan, until=until), IN_MEMORY, assign=True)
    batches = list(result.batches)
    return comparable(
        pl.concat(as_text(batch.sessions) for batch in batches),
        pl.concat(batch.events for batch in batches if batch.events is not None),
    )


def comparable(sessions: pl.DataFrame, events: pl.DataFrame) -> dict[str, Any]:
    """All that is written: sessions by (start, id), events by (session, position)."""
    sessions = sessions.drop(LAST_OF_KEY, ENDED_BY)  # of which status and end reason were made
    return {"sessions": rows(sessions, "start", "session_id"), "events": rows(events, "session_id", "position")}


def check_identity(cut: Cut, found: Nights) -> None:
    """Every night's counts add up, one night's kept events are the next one's carried; all nights' too."""
    kept = 0
    for counts, size in zip(found.counts, found.carried, strict=True):
        counts.checked()
        assert counts.carried_in == kept
        kept = counts.early + counts.carried_out
        assert size == kept
    total = {
        name: sum(getattr(each, name) for each in found.counts)
        for name in ("rows_read", "events", "rejected", "duplicates")
    }
    assert kept == 0
    assert total["rows_read"] == sum(len(batch.events) for batch in cut.batches)
    assert total["rows_read"] == total["events"] + total["rejected"] + total["duplicates"] + found.late


def closes(rule: OracleRules) -> bool:
    """Whether a night can close sessions by these rules; others are refused."""
    return rule.timeout_us is not None or bool(rule.end_events) or rule.max_duration_us is not None


@examples(192, 12)
@given(cuts(), rules().filter(closes), roles(), st.sampled_from((0, 0, 0, 0, 1, 2)), st.sampled_from(("last", "after")))
def test_the_nights_together_are_one_run(
    cut: Cut, rule: OracleRules, role: frozenset[str], parts: int, flush: Literal["last", "after"]
) -> None:
    with TemporaryDirectory() as folder:
        limits = (
            in_files(Path(folder), session_rows=2, partitions=(parts, parts), made_bytes=500) if parts else IN_MEMORY
        )
        found = run_nights(cut.batches, rule, role, cut.lateness, limits, flush=flush)
    check_identity(cut, found)
    assert found.late == 0
    watermark = found.stands[-1].watermark
    assert comparable(found.sessions, found.events) == one_run(cut, rule, role, watermark)


def event(key: str, minute: int, kind: str = "page-view") -> Event:
    return {"timestamp_us": minute * MINUTE_US, "session_id": key, "event_type": kind}


def starts(found: Nights) -> list[tuple[int, int]]:
    """Start, in minutes, and number of events of each session, in the order in which they were emitted."""
    shown = found.sessions.select(pl.col("start").dt.epoch("us") // MINUTE_US, "events").rows()
    return [(int(start), int(events)) for start, events in shown]


def test_a_session_is_not_emitted_before_one_that_came_before_it_is_closed() -> None:
    """Else the ended session goes out alone, and the next night joins the two it stood between."""
    rule = OracleRules(timeout_us=2 * MINUTE_US, start_events=("login",), end_events=("logout",))
    log = [event("a", 0), event("a", 1, "login"), event("a", 1, "logout"), event("a", 2)]
    found = run_nights([Arrival(log, 4 * MINUTE_US)], rule, ROLES, 2 * MINUTE_US)
    assert starts(found) == [(0, 1), (1, 2), (2, 1)]
    assert [counts.sessions for counts in found.counts] == [2, 1]


@pytest.mark.parametrize(
    ("log", "emitted"),
    [
        ([event("a", 29)], 1),
        ([event("a", 30)], 0),
        ([event("a", 59, "logout")], 1),
        ([event("a", 60, "logout")], 0),
        ([event("a", 40), event("a", 59, "login")], 1),
        ([event("a", 40), event("a", 60, "login")], 0),
    ],
    ids=[
        "silent for longer than the timeout", "silent for just the timeout", "an end before the watermark",
        "an end at the watermark may get company", "a later session before the watermark", "a later one at it",
    ],
)  # fmt: skip
def test_a_session_is_closed_when_no_event_to_come_can_reach_it(log: list[Event], emitted: int) -> None:
    rule = OracleRules(start_events=("login",), end_events=("logout",))
    found = run_nights([Arrival(log, 90 * MINUTE_US)], rule, ROLES, 30 * MINUTE_US)
    assert found.counts[0].sessions == emitted


def test_one_broken_clock_makes_no_event_late() -> None:
    broken = event("b", 75 * 365 * 24 * 60)
    days = [[event("a", 10), broken], [event("a", 24 * 60 + 10)], [event("a", 48 * 60 + 10)]]
    batches = [Arrival(log, (day + 1) * 24 * 60 * MINUTE_US) for day, log in enumerate(days)]
    found = run_nights(batches, OracleRules(), ROLES, 30 * MINUTE_US)
    assert found.late == 0
    assert [(each.early, each.carried_in, each.carried_out) for each in found.counts] == [
        (1, 0, 0), (1, 1, 0), (1, 1, 0), (0, 1, 0),
    ]  # fmt: skip
    assert found.counts[-1].sessions == 1


def test_late_events_are_counted_and_change_nothing() -> None:
    batches = [
        Arrival([event("a", 0)], 24 * 60 * MINUTE_US),
        Arrival([event("a", 10), event("b", 25 * 60)], 48 * 60 * MINUTE_US),
    ]
    found = run_nights(batches, OracleRules(), ROLES, 30 * MINUTE_US)
    assert starts(found) == [(0, 1), (25 * 60, 1)]
    assert [counts.late for counts in found.counts] == [0, 1, 0]


def test_the_watermark_never_goes_back() -> None:
    batches = [Arrival([event("a", 100)], until) for until in (90 * MINUTE_US, 60 * MINUTE_US, None)]
    found = run_nights(batches, OracleRules(), ROLES, 0, flush="never")
    assert [stand.watermark for stand in found.stands] == [90 * MINUTE_US, 90 * MINUTE_US, 100 * MINUTE_US]


def test_a_crawler_is_carried_only_as_far_as_its_newest_piece() -> None:
    hours = [[event("bot", day * 24 * 60 + minute) for minute in range(0, 24 * 60, 10)] for day in range(6)]
    batches = [Arrival(log, (day + 1) * 24 * 60 * MINUTE_US) for day, log in enumerate(hours)]
    for longest, kept in ((None, 864), (24 * 60 * MINUTE_US, 144)):
        rule = OracleRules(max_duration_us=longest)
        found = run_nights(batches, rule, ROLES, 30 * MINUTE_US, flush="never")
        assert found.carried[-1] >= kept if longest is None else found.carried[-1] <= kept
