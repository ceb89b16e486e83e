"""All that one pass over a log finds out; every check is answered from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any

from sessionize.checks.clock import Clock
from sessionize.checks.findings import Example
from sessionize.summary.daily import Figures
from sessionize.values import NamedTuple, dataclass

Examples = tuple[Example, ...]


class Flagged(NamedTuple):
    """Events that something is odd about.

    Attributes:
        number: How many were found.
        examples: The first of them.
    """

    number: int = 0
    examples: Examples = ()


class Shared(NamedTuple):
    """A session id that profiles share.

    Attributes:
        profiles: How many profiles share it.
        later: Those of them that no session of it has first, so that the count of profiles leaves them out.
        session_id: The id that they share.
    """

    profiles: int
    later: int
    session_id: str


@dataclass(frozen=True, kw_only=True)
class EventFacts:
    """What was measured on events as they streamed by, and on those of each key.

    Attributes:
        clock: What the times of the events tell.
        blanks: Role → events without it, of the roles the log has among the ids.
        future: Events later than `until`; None where there is no such time.
        until: Time that no event should be later than, ISO 8601; and where it comes from.
        ancient: Events before `since`.
        since: Time that no event should be before, ISO 8601.
        unknown_types: Events of a type that is not in the list of known ones; None without a list.
        types: Event type → events; None where the log has none.
        has_both_ids: Whether the log has session ids and profile ids.
        most_profiles: The session id with the most profiles, among those with the most events.
    """

    clock: Clock
    blanks: Mapping[str, int]
    future: Flagged | None
    until: str
    ancient: Flagged
    since: str
    unknown_types: Flagged | None
    types: Mapping[str, int] | None
    has_both_ids: bool
    most_profiles: Shared | None


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """What was measured on sessions.

    Attributes:
        long: Sessions longer than `long_hours`.
        large: Sessions with more events than `large_events`.
        per_day: Local day → sessions that start on it.
        of_session_id: Most events under one session id, and the id; None where the log has none.
        of_profile_id: Most events of one profile id, and the id; None where the log has none.
        bounced: Sessions that bounced.
        engaged: Sessions that are engaged.
        converted: Sessions that converted.
    """

    long: Flagged
    long_hours: float
    large: Flagged
    large_events: int
    per_day: Mapping[date, int]
    of_session_id: tuple[int, str] | None
    of_profile_id: tuple[int, str] | None
    bounced: int
    engaged: int
    converted: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All of it.

    Attributes:
        inputs: Inputs as they were given.
        paths: Paths of the log's files.
        passed_over: Path of each file that was found and not read, and why.
        counts: Counts of rows and sessions, as the manifest has them.
        figures: Summary figures of the sessions, by name.
        rejected: Reason → the first rows rejected for it.
        duplicates: The first events that repeat another.
        has_event_ids: Whether duplicates can be told.
        columns: Columns of the log, name → type; None where they are not known.
        events: What was measured on events; None for an earlier run, which left none.
        sessions: What was measured on sessions.
        custom: Name of a custom check → what it found, or why it could not be asked.
        rules: Where a session ended and what an event meant, as the manifest has it.
        notes: What the one who asked should know, beside the checks.
        layout: Known layout that was found in the log; None where none was looked for or found.
        unread_amount: The first amount that could not be read as a number.
        null_words: Events whose id is a word for null; None where they are not known.
        moved: Events whose key has their event id at an earlier time, too; None where they are not known.
        days: What each day is like: its figures; the day is None where it is not known.
    """

    inputs: tuple[str, ...]
    paths: tuple[str, ...]
    passed_over: tuple[tuple[str, str], ...] = ()
    counts: Mapping[str, Any]
    figures: Mapping[str, Any]
    rejected: Mapping[str, Examples] = field(default_factory=dict)
    duplicates: Examples = ()
    has_event_ids: bool
    columns: Mapping[str, str] | None
    events: EventFacts | None
    sessions: SessionFacts
    custom: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    layout: str | None = None
    unread_amount: Examples = ()
    null_words: Flagged | None = None
    moved: Flagged | None = None
    days: Mapping[date | None, Figures] = field(default_factory=dict)
