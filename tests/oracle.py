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
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Event = dict[str, Any]

SECOND_US = 1_000_000
LONGEST_ID = 512
ENGAGED_US = 10 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@dataclass(frozen=True, kw_only=True)
class OracleRules:
    """Everything the contract lets a user choose.

    Attributes:
        timeout_us: Longest silence inside a session; None switches the rule off.
        end_events: Event types that end their session after their instant; matched exactly.
        start_events: Event types that start a session at their instant; matched exactly.
        split_on: Columns whose change splits: ``x`` here is ``split.x`` in an event.
        split_on_arrival: Columns whose value, if the session's last one is another or it had none, splits.
        split_at_midnight: Whether local midnight splits.
        max_duration_us: An event later than session start plus this starts a new one.
        max_events: An instant before which the session has so many events starts a new one.
        burst: So many events before an instant that is no later than so many microseconds after the session's start
            start a new one, too.
        passive: Event types that neither start a session nor extend one; matched exactly.
        active_gap_us: A longer silence counts only so much as time present.
        timezone: IANA zone of midnight.
        page_views: Event types that are page views.
        conversions: Event types that are conversions.
        exact_names: Whether the names of page views and conversions match as written (the user
            gave them) or in any usual spelling (the built-in ones).
        until_us: Fixed watermark; None takes the newest event time.
    """

    timeout_us: int | None = 1_800_000_000
    end_events: tuple[str, ...] = ()
    start_events: tuple[str, ...] = ()
    split_on: tuple[str, ...] = ()
    split_on_arrival: tuple[str, ...] = ()
    split_at_midnight: bool = False
    max_duration_us: int | None = None
    max_events: int | None = None
    burst: tuple[int, int] | None = None
    passive: tuple[str, ...] = ()
    active_gap_us: int = 300 * SECOND_US
    timezone: str = "UTC"
    page_views: tuple[str, ...] = ("page-view", "page_view", "pageview", "page", "$pageview")
    conversions: tuple[str, ...] = (
        "purchase",
        "order-completed",
        "order_completed",
        "conversion",
        "checkout-completed",
    )
    exact_names: bool = False
    until_us: int | None = None

    @property
    def none_in_force(self) -> bool:
        """Whether no boundary rule is on, so that the key alone makes the session."""
        return (
            self.timeout_us is None
            and not self.end_events
            and not self.start_events
            and not self.split_on
            and not self.split_at_midnight
            and not self.split_on_arrival
            and self.max_duration_us is None
            and self.max_events is None
            and self.burst is None
        )


class OracleResult(NamedTuple):
    """What must come out.

    Attributes:
        metrics: One row a session with exactly the contract's columns, in its order; start and
            end in microseconds; ordered by (start, session_id).
        duplicates: Events left out because an earlier one says the same.
        rejected: Rows without a session key, or with one too long for a session's id; passive events in no session.
        watermark: The time up to which the log is complete; None for a log without events, unless
            given.
        assignment: Input row index → (session_id, 1-based position in the session), for every
            event that is in a session.
    """

    metrics: list[dict[str, Any]]
    duplicates: int
    rejected: int
    watermark: int | None
    assignment: dict[int, tuple[str, int]]


class _Key(NamedTuple):
    """What ties events together: its text, and the log's own session id where it is one."""

    text: str
    source_id: str | None


class _Row(NamedTuple):
    """An event with its place in the input."""

    place: int
    time_us: int
    event: Event


class _Log(NamedTuple):
    """What holds for the whole log."""

    rules: OracleRules
    roles: Collection[str]
    watermark: int | None


@dataclass(kw_only=True)
class _Session:
    """A session that grows by one instant at a time.

    Attributes:
        key: Its key.
        start_us: Time of its first event.
        rows: Its events so far, in order, but for passive ones.
        passive: Its passive events.
        last_split: Last non-null value of each splitting column so far.
        closed: Whether its last instant has an end event.
        next_began_by: The rule that began the key's next session; None while there is no next.
    """

    key: _Key
    start_us: int
    rows: list[_Row] = field(default_factory=list)
    passive: list[_Row] = field(default_factory=list)
    last_split: Event = field(default_factory=dict)
    closed: bool = False
    next_began_by: str | None = None

    @property
    def all_rows(self) -> list[_Row]:
        """All its events, passive ones too, in order."""
        return sorted([*self.rows, *self.passive], key=lambda row: (row.time_us, row.place))

    @property
    def end_us(self) -> int:
        """Time of its last event so far, passive ones aside."""
        return self.rows[-1].time_us

    def take(self, instant: list[_Row], rules: OracleRules) -> None:
        """Add the events of the next instant."""
        self.rows.extend(instant)
        self.closed = _has_type(instant, rules.end_events)
        for column in {*rules.split_on, *rules.split_on_arrival}:
            for value in _values(instant, f"split.{column}"):
                self.last_split[column] = value


# --- the whole log -----------------------------------------------------------------------------


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
    log = _Log(rules, roles, watermark)
    sessions: list[_Session] = []
    duplicates = 0
    for key, rows in keyed.items():
        kept = _without_duplicates(rows)
        duplicates += len(rows) - len(kept)
        of_key, alone = _with_passive(_sessions_of_key(key, _active(kept, rules), rules), _passive(kept, rules), rules)
        sessions.extend(of_key)
        rejected += alone
    metrics = [_metrics(session, log) for session in sessions]
    metrics.sort(key=lambda row: (row["start"], row["session_id"]))
    return OracleResult(metrics, duplicates, rejected, watermark, _assignment(sessions, rules))


def _by_key(events: Sequence[Event], roles: Collection[str], rules: OracleRules) -> tuple[dict[_Key, list[_Row]], int]:
    """Group the rows by session key, in order; count those that have none, or one too long."""
    keyed: dict[_Key, list[_Row]] = {}
    rejected = 0
    for place, raw in enumerate(events):
        event = _seen(raw, roles)
        key = _key(event)
        if key is None or _is_too_long(key, raw["timestamp_us"], rules):
            rejected += 1
        else:
            keyed.setdefault(key, []).append(_Row(place, raw["timestamp_us"], event))
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


def _key(event: Event) -> _Key | None:
    """Name the session key so that a session id and a profile id never collide."""
    session_id = event.get("session_id")
    profile_id = event.get("profile_id")
    if session_id is not None:
        escape = "s:" if session_id.startswith(("p:", "s:")) else ""
        return _Key(f"{escape}{session_id}", session_id)
    if profile_id is not None:
        return _Key(f"p:{profile_id}", None)
    return None


def _is_too_long(key: _Key, time_us: int, rules: OracleRules) -> bool:
    """Say whether a session that begins here would have an id of more bytes than the schema takes."""
    session_id = key.text if rules.none_in_force else f"{key.text}.{time_us}"
    return len(session_id.encode()) > LONGEST_ID


def _watermark(keyed: dict[_Key, list[_Row]], rules: OracleRules) -> int | None:
    if rules.until_us is not None:
        return rules.until_us
    return max((row.time_us for rows in keyed.values() for row in rows), default=None)


def _without_duplicates(rows: list[_Row]) -> list[_Row]:
    """Keep the first, in input order, of one key's events with one event id and timestamp: the first with a value, if any."""
    best: dict[tuple[str, int], _Row] = {}
    for row in rows:
        event_id = row.event.get("event_id")
        if event_id is None:
            continue
        other = best.setdefault((event_id, row.time_us), row)
        if other.event.get("value") is None and row.event.get("value") is not None:
            best[event_id, row.time_us] = row
    return [row for row in rows if best.get((row.event.get("event_id") or "", row.time_us), row) is row]


def _assignment(sessions: list[_Session], rules: OracleRules) -> dict[int, tuple[str, int]]:
    return {
        row.place: (_session_id(session, rules), position)
        for session in sessions
        for position, row in enumerate(session.all_rows, start=1)
    }


# --- where a session ends ----------------------------------------------------------------------


def _sessions_of_key(key: _Key, rows: list[_Row], rules: OracleRules) -> list[_Session]:
    """Walk through one key's instants; begin a session wherever a rule says so."""
    sessions: list[_Session] = []
    for time_us, ties in groupby(rows, key=lambda row: row.time_us):
        instant = list(ties)
        if not sessions:
            sessions.append(_Session(key=key, start_us=time_us))
        else:
            reason = next(_rules_that_hold(sessions[-1], instant, rules), None)
            if reason is not None:
                sessions[-1].next_began_by = reason
                sessions.append(_Session(key=key, start_us=time_us))
        sessions[-1].take(instant, rules)
    return sessions


def _active(rows: list[_Row], rules: OracleRules) -> list[_Row]:
    return [row for row in rows if row.event.get("event_type") not in rules.passive]


def _passive(rows: list[_Row], rules: OracleRules) -> list[_Row]:
    return [row for row in rows if row.event.get("event_type") in rules.passive]


def _with_passive(sessions: list[_Session], rows: list[_Row], rules: OracleRules) -> tuple[list[_Session], int]:
    """Put each passive event into the session that is open at its time; count those for which none is."""
    alone = 0
    for row in rows:
        before = [session for session in sessions if session.start_us <= row.time_us]
        if before and _is_open(before[-1], row.time_us, rules):
            before[-1].passive.append(row)
        else:
            alone += 1
    return sessions, alone


def _is_open(session: _Session, now: int, rules: OracleRules) -> bool:
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


def _rules_that_hold(session: _Session, instant: list[_Row], rules: OracleRules) -> Iterator[str]:
    """Name each rule by which the instant is no longer in the session, in order of end_reason."""
    now = instant[0].time_us
    if session.closed:
        yield "end_event"
    if rules.timeout_us is not None and now - session.end_us > rules.timeout_us:
        yield "timeout"
    if _has_type(instant, rules.start_events):
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


def _has_too_many(session: _Session, now: int, rules: OracleRules) -> bool:
    """Say whether the session is as large as it may be, or was filled in its first moments."""
    so_far = len(session.rows)
    if rules.max_events is not None and so_far >= rules.max_events:
        return True
    if rules.burst is None:
        return False
    events, within_us = rules.burst
    return so_far >= events and now - session.start_us <= within_us


def _has_type(instant: list[_Row], names: Collection[str]) -> bool:
    return any(row.event.get("event_type") in names for row in instant)


def _changed(session: _Session, instant: list[_Row], column: str) -> bool:
    """Say whether the instant's first value is another than the session's last one."""
    before = session.last_split.get(column)
    after = next(_values(instant, f"split.{column}"), None)
    return before is not None and after is not None and before != after


def _arrived(session: _Session, instant: list[_Row], column: str) -> bool:
    """Say whether the instant's first value, but for its case, is not the session's last one."""
    before = session.last_split.get(column)
    after = next(_values(instant, f"split.{column}"), None)
    return after is not None and (before is None or before.lower() != after.lower())


def _values(rows: list[_Row], name: str) -> Iterator[Any]:
    """Yield the non-null values of a field, in order."""
    for row in rows:
        if row.event.get(name) is not None:
            yield row.event[name]


def _day(time_us: int, rules: OracleRules) -> date:
    moment = EPOCH + timedelta(microseconds=time_us)
    return moment.astimezone(ZoneInfo(rules.timezone)).date()


# --- what a session amounts to -----------------------------------------------------------------


def _metrics(session: _Session, log: _Log) -> dict[str, Any]:
    """Measure one session: exactly the contract's columns, in its order."""
    rows = session.all_rows
    views = [row for row in rows if _is_page_view(row.event, log)]
    conversions = [row for row in rows if _is_conversion(row.event, log)]
    length_us = session.end_us - session.start_us
    status = _status(session, log)
    gaps = [after.time_us - before.time_us for before, after in pairwise(session.rows)]
    entry_page, exit_page = _entry_and_exit_page(rows, views)
    return {
        "session_id": _session_id(session, log.rules),
        "source_id": session.key.source_id,
        "profile_id": _first(rows, "profile_id"),
        "start": session.start_us,
        "end": session.end_us,
        "duration_s": length_us / SECOND_US,
        "status": status,
        "events": len(rows),
        "page_views": len(views),
        "unique_pages": len(set(_values(rows, "page"))),
        "entry_page": entry_page,
        "exit_page": exit_page,
        "entry_event": rows[0].event.get("event_type"),
        "exit_event": rows[-1].event.get("event_type"),
        "bounced": len(rows) == 1,
        "engaged": length_us > ENGAGED_US or len(views) >= 2 or len(conversions) >= 1,
        "conversions": len(conversions),
        "converted": len(conversions) > 0,
        "first_conversion_s": _seconds_to_first(conversions, session),
        "value": _value(conversions, log),
        "max_gap_s": max(gaps, default=0) / SECOND_US,
        "active_s": sum(min(gap, log.rules.active_gap_us) for gap in gaps) / SECOND_US,
        "end_reason": _end_reason(session, status),
        "referrer": _first(rows, "referrer"),
        "channel": _first(rows, "channel"),
        **_utm(rows),
        "bot": None,
    }


def _session_id(session: _Session, rules: OracleRules) -> str:
    if rules.none_in_force:
        return session.key.text
    return f"{session.key.text}.{session.start_us}"


def _status(session: _Session, log: _Log) -> str:
    """Say whether the session could still grow at the watermark."""
    if session.next_began_by is not None or session.closed:
        return "ended"
    timeout_us = log.rules.timeout_us
    if timeout_us is None or log.watermark is None:
        return "active"
    return "active" if session.end_us + timeout_us >= log.watermark else "ended"


def _end_reason(session: _Session, status: str) -> str:
    if session.next_began_by is not None:
        return session.next_began_by
    if session.closed:
        return "end_event"
    return "timeout" if status == "ended" else "open"


def _is_page_view(event: Event, log: _Log) -> bool:
    if "event_type" not in log.roles:
        return event.get("page") is not None
    return _is_named(event.get("event_type"), log.rules.page_views, log.rules)


def _is_conversion(event: Event, log: _Log) -> bool:
    return _is_named(event.get("event_type"), log.rules.conversions, log.rules)


def _is_named(event_type: str | None, names: tuple[str, ...], rules: OracleRules) -> bool:
    if event_type is None:
        return False
    if rules.exact_names:
        return event_type in names
    return _letters(event_type) in [_letters(name) for name in names]


def _letters(name: str) -> str:
    """Take what all spellings of a name share: its letters and digits, in lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _entry_and_exit_page(rows: list[_Row], views: list[_Row]) -> tuple[str | None, str | None]:
    """Take the pages of page views; if none of them has any, those of all events."""
    pages = list(_values(views, "page")) or list(_values(rows, "page"))
    return (pages[0], pages[-1]) if pages else (None, None)


def _seconds_to_first(conversions: list[_Row], session: _Session) -> float | None:
    if not conversions:
        return None
    return (conversions[0].time_us - session.start_us) / SECOND_US


def _value(conversions: list[_Row], log: _Log) -> float | None:
    """Add the values up one by one, in order (`sum` rounds differently from Python 3.12 on)."""
    if "value" not in log.roles:
        return None
    total = 0.0
    for value in _values(conversions, "value"):
        total += value
    return total


def _first(rows: list[_Row], name: str) -> Any:
    return next(_values(rows, name), None)


def _utm(rows: list[_Row]) -> dict[str, Any]:
    """Take all five from the first event that has any of them."""
    for row in rows:
        if any(row.event.get(name) is not None for name in UTM):
            return {name: row.event.get(name) for name in UTM}
    return dict.fromkeys(UTM)
