"""The contract as a slow, obvious loop: key by key, instant by instant, in plain Python.

Written from the contract alone (semantics, sections 2 to 6, and the metrics) and independent by
design: it imports nothing from sessionize, and neither Polars nor NumPy. Where the two differ, one
of them is wrong.

An event is a dict of canonical names, with ``timestamp_us`` for the timestamp (microseconds since
1970, UTC; never null here) and ``split.<column>`` for each column that may split.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from oracle_metrics import metrics_of, session_id_of
from oracle_terms import UTM, Event, Key, Log, OracleResult, OracleRules, Row, Session, has_type, values

__all__ = ["UTM", "Event", "OracleResult", "OracleRules", "oracle"]

LONGEST_ID = 512
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- the whole log --------------------------------------------------------------------------------


def oracle(events: Sequence[Event], rules: OracleRules, roles: Collection[str]) -> OracleResult:
    """Find the sessions of a log and measure them.

    Args:
        events: The log's rows in input order; a row with neither session nor profile id, or one too
            long, counts as rejected.
        rules: Where a session ends, and what counts as what.
        roles: Roles the log has (``timestamp`` among them). An event's other fields are not seen,
            except ``split.`` ones.
    """
    keyed, rejected = _by_key(events, roles, rules)
    watermark = _watermark(keyed, rules)
    log = Log(rules, roles, watermark)
    sessions: list[Session] = []
    duplicates = 0
    for key, rows in keyed.items():
        kept = _without_duplicates(rows)
        duplicates += len(rows) - len(kept)
        of_key, alone = _with_passive(_sessions_of_key(key, _active(kept, rules), rules), _passive(kept, rules), rules)
        sessions.extend(of_key)
        rejected += alone
    metrics = [metrics_of(session, log) for session in sessions]
    metrics.sort(key=lambda row: (row["start"], row["session_id"]))
    return OracleResult(metrics, duplicates, rejected, watermark, _assignment(sessions, rules))


def _by_key(events: Sequence[Event], roles: Collection[str], rules: OracleRules) -> tuple[dict[Key, list[Row]], int]:
    """Group the rows by session key, in order; count those that have none, or one too long."""
    keyed: dict[Key, list[Row]] = {}
    rejected = 0
    for place, raw in enumerate(events):
        event = _seen(raw, roles)
        key = _key(event)
        if key is None or _is_too_long(key, raw["timestamp_us"], rules):
            rejected += 1
        else:
            keyed.setdefault(key, []).append(Row(place, raw["timestamp_us"], event))
    for rows in keyed.values():
        rows.sort(key=lambda row: (row.time_us, row.place))
    return keyed, rejected


def _seen(raw: Event, roles: Collection[str]) -> Event:
    """Take the fields the log has, blank strings as null."""
    return {
        name: None if _is_blank(value) else value
        for name, value in raw.items()
        if name in roles or name.startswith("split.")
    }


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and value.strip(string.whitespace) == ""


def _key(event: Event) -> Key | None:
    """Name the session key so that a session id and a profile id never collide."""
    session_id = event.get("session_id")
    profile_id = event.get("profile_id")
    if session_id is not None:
        escape = "s:" if session_id.startswith(("p:", "s:")) else ""
        return Key(f"{escape}{session_id}", session_id)
    if profile_id is not None:
        return Key(f"p:{profile_id}", None)
    return None


def _is_too_long(key: Key, time_us: int, rules: OracleRules) -> bool:
    """Say whether a session that begins here would have an id of more bytes than the schema takes."""
    session_id = key.text if rules.none_in_force else f"{key.text}.{time_us}"
    return len(session_id.encode()) > LONGEST_ID


def _watermark(keyed: dict[Key, list[Row]], rules: OracleRules) -> int | None:
    if rules.until_us is not None:
        return rules.until_us
    return max((row.time_us for rows in keyed.values() for row in rows), default=None)


def _without_duplicates(rows: list[Row]) -> list[Row]:
    """Keep the first, in input order, of one key's events with one event id and timestamp: the first with a value, if any."""
    best: dict[tuple[str, int], Row] = {}
    for row in rows:
        event_id = row.event.get("event_id")
        if event_id is None:
            continue
        other = best.setdefault((event_id, row.time_us), row)
        if other.event.get("value") is None and row.event.get("value") is not None:
            best[event_id, row.time_us] = row
    return [row for row in rows if best.get((row.event.get("event_id") or "", row.time_us), row) is row]


def _assignment(sessions: list[Session], rules: OracleRules) -> dict[int, tuple[str, int]]:
    return {
        row.place: (session_id_of(session, rules), position)
        for session in sessions
        for position, row in enumerate(session.all_rows, start=1)
    }


# --- where a session ends -------------------------------------------------------------------------


def _sessions_of_key(key: Key, rows: list[Row], rules: OracleRules) -> list[Session]:
    """Walk through one key's instants; begin a session wherever a rule says so."""
    sessions: list[Session] = []
    for time_us, ties in groupby(rows, key=lambda row: row.time_us):
        instant = list(ties)
        if not sessions:
            sessions.append(Session(key=key, start_us=time_us))
        else:
            reason = next(_rules_that_hold(sessions[-1], instant, rules), None)
            if reason is not None:
                sessions[-1].next_began_by = reason
                sessions.append(Session(key=key, start_us=time_us))
        sessions[-1].take(instant, rules)
    return sessions


def _active(rows: list[Row], rules: OracleRules) -> list[Row]:
    return [row for row in rows if row.event.get("event_type") not in rules.passive]


def _passive(rows: list[Row], rules: OracleRules) -> list[Row]:
    return [row for row in rows if row.event.get("event_type") in rules.passive]


def _with_passive(sessions: list[Session], rows: list[Row], rules: OracleRules) -> tuple[list[Session], int]:
    """Put each passive event into the session that is open at its time; count those for which none is."""
    alone = 0
    for row in rows:
        before = [session for session in sessions if session.start_us <= row.time_us]
        if before and _is_open(before[-1], row.time_us, rules):
            before[-1].passive.append(row)
        else:
            alone += 1
    return sessions, alone


def _is_open(session: Session, now: int, rules: OracleRules) -> bool:
    """Say whether the session goes on at a time, or could still be gone on with by an event that is not passive."""
    active = session.rows
    if now <= session.end_us:
        return True
    return not (
        session.closed
        or (rules.timeout_us is not None and now - session.end_us > rules.timeout_us)
        or (rules.split_at_midnight and _day(now, rules) > _day(session.end_us, rules))
        or (rules.max_duration_us is not None and now > session.start_us + rules.max_duration_us)
        or (rules.max_events is not None and len(active) >= rules.max_events)
    )


def _rules_that_hold(session: Session, instant: list[Row], rules: OracleRules) -> Iterator[str]:
    """Name each rule by which the instant is no longer in the session, in order of end_reason."""
    now = instant[0].time_us
    if session.closed:
        yield "end_event"
    if rules.timeout_us is not None and now - session.end_us > rules.timeout_us:
        yield "timeout"
    if has_type(instant, rules.start_events):
        yield "start_event"
    arrived = any(_arrived(session, instant, column) for column in rules.split_on_arrival)
    if arrived or any(_changed(session, instant, column) for column in rules.split_on):
        yield "split"
    if rules.split_at_midnight and _day(now, rules) > _day(session.end_us, rules):
        yield "midnight"
    if rules.max_duration_us is not None and now > session.start_us + rules.max_duration_us:
        yield "max_duration"
    if _has_too_many(session, now, rules):
        yield "max_events"


def _has_too_many(session: Session, now: int, rules: OracleRules) -> bool:
    """Say whether the session is as large as it may be, or was filled in its first moments."""
    so_far = len(session.rows)
    if rules.max_events is not None and so_far >= rules.max_events:
        return True
    if rules.burst is None:
        return False
    events, within_us = rules.burst
    return so_far >= events and now - session.start_us <= within_us


def _changed(session: Session, instant: list[Row], column: str) -> bool:
    """Say whether the instant's first value is another than the session's last one."""
    before = session.last_split.get(column)
    after = next(values(instant, f"split.{column}"), None)
    return before is not None and after is not None and before != after


def _arrived(session: Session, instant: list[Row], column: str) -> bool:
    """Say whether the instant's first value, but for its case, is not the session's last one."""
    before = session.last_split.get(column)
    after = next(values(instant, f"split.{column}"), None)
    return after is not None and (before is None or before.lower() != after.lower())


def _day(time_us: int, rules: OracleRules) -> date:
    moment = EPOCH + timedelta(microseconds=time_us)
    return moment.astimezone(ZoneInfo(rules.timezone)).date()
