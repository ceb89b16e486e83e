"""What a session amounts to, as the contract has it: a part of the oracle."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from oracle_terms import SECOND_US, UTM, Event, Log, OracleRules, Row, Session, values

ENGAGED_US = 10 * SECOND_US


def metrics_of(session: Session, log: Log) -> dict[str, Any]:
    """Measure one session: exactly the contract's columns, in its order."""
    rows = session.all_rows
    views = [row for row in rows if _is_page_view(row.event, log)]
    conversions = [row for row in rows if _is_conversion(row.event, log)]
    length_us = session.end_us - session.start_us
    status = _status(session, log)
    gaps = [after.time_us - before.time_us for before, after in pairwise(session.rows)]
    entry_page, exit_page = _entry_and_exit_page(rows, views)
    return {
        "session_id": session_id_of(session, log.rules),
        "source_id": session.key.source_id,
        "profile_id": _first(rows, "profile_id"),
        "start": session.start_us,
        "end": session.end_us,
        "duration_s": length_us / SECOND_US,
        "status": status,
        "events": len(rows),
        "page_views": len(views),
        "unique_pages": len(set(values(rows, "page"))),
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


def session_id_of(session: Session, rules: OracleRules) -> str:
    if rules.none_in_force:
        return session.key.text
    return f"{session.key.text}.{session.start_us}"


def _status(session: Session, log: Log) -> str:
    """Say whether the session could still grow at the watermark."""
    if session.next_began_by is not None or session.closed:
        return "ended"
    timeout_us = log.rules.timeout_us
    if timeout_us is None or log.watermark is None:
        return "active"
    return "active" if session.end_us + timeout_us >= log.watermark else "ended"


def _end_reason(session: Session, status: str) -> str:
    if session.next_began_by is not None:
        return session.next_began_by
    if session.closed:
        return "end_event"
    return "timeout" if status == "ended" else "open"


def _is_page_view(event: Event, log: Log) -> bool:
    if "event_type" not in log.roles:
        return event.get("page") is not None
    return _is_named(event.get("event_type"), log.rules.page_views, log.rules)


def _is_conversion(event: Event, log: Log) -> bool:
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


def _entry_and_exit_page(rows: list[Row], views: list[Row]) -> tuple[str | None, str | None]:
    """Take the pages of page views; if none of them has any, those of all events."""
    pages = list(values(views, "page")) or list(values(rows, "page"))
    return (pages[0], pages[-1]) if pages else (None, None)


def _seconds_to_first(conversions: list[Row], session: Session) -> float | None:
    if not conversions:
        return None
    return (conversions[0].time_us - session.start_us) / SECOND_US


def _value(conversions: list[Row], log: Log) -> float | None:
    """Add the values up one by one, in order (`sum` rounds differently from Python 3.12 on)."""
    if "value" not in log.roles:
        return None
    total = 0.0
    for value in values(conversions, "value"):
        total += value
    return total


def _first(rows: list[Row], name: str) -> Any:
    return next(values(rows, name), None)


def _utm(rows: list[Row]) -> dict[str, Any]:
    """Take all five from the first event that has any of them."""
    for row in rows:
        if any(row.event.get(name) is not None for name in UTM):
            return {name: row.event.get(name) for name in UTM}
    return dict.fromkeys(UTM)
