"""The checks: a table, one row a check, with bounds that a sound log of any kind keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sessionize import schema
from sessionize.checks import measure as m
from sessionize.checks import measure_files as files
from sessionize.checks.daily import NAMES
from sessionize.checks.findings import Unit
from sessionize.values import NamedTuple

Place = Literal["rows", "events", "keys", "sessions", "files"]


class Check(NamedTuple):
    """One check.

    Attributes:
        name: Name of the check in the configuration.
        meaning: What it measures.
        unit: Whether it is shown as a number or as a percentage.
        place: Where it is measured: on rejected rows, on events as they stream by, on the events of each key, on
            sessions, on the names of files and columns.
        measure: Makes the number of the facts and the check's options.
        warn: What is allowed without a warning.
        error: What is allowed without a failure.
        least: Fewer of what it is a share of say nothing: then it is judged only by bounds that were given.
        options: Options of the check alone, with their defaults.
        both_ends: Whether the number may be too small, too: then --init learns both ends.
        names_id: Whether what it says ends with an id, behind a colon: that is no matter for a file to be committed.
        few: From so many on, up to `least`, what would be a failure of more is a warning.
    """

    name: str
    meaning: str
    unit: Unit
    place: Place
    measure: m.Measure
    warn: str = "none"
    error: str = "none"
    least: int = 0
    options: Mapping[str, Any] = {}
    both_ends: bool = False
    few: int = 0
    names_id: bool = False


CHECKS: Final = (
    Check("rows", "rows of the log", "count", "rows", m.rows, "1.."),
    Check("rejected", "rows that cannot become an event", "rate", "rows", m.rejected, "1%", "5%"),
    *(
        Check(reason.replace("_", "-"), f"rows rejected: {reason}", "rate", "rows", m.rejected_for(reason))
        for reason in schema.REASONS
    ),
    Check("null-session-ids", "events without a session id, or a blank one", "rate", "events",
          m.blank(schema.SESSION_ID), "50%"),
    Check("null-profile-ids", "events without a profile id, or a blank one", "rate", "events",
          m.blank(schema.PROFILE_ID)),
    Check("null-event-ids", "events without an event id, or a blank one", "rate", "events",
          m.blank(schema.EVENT_ID), "1%", "50%"),
    Check("duplicates", "events that repeat another: same key, event id and time", "rate", "keys", m.duplicates,
          "1%", "20%"),
    Check("moved-events", "events whose event id their key has at another time, too: copies with a new time", "rate", "keys",
          m.moved_events, "1%", "20%"),
    Check("null-words", "events whose id is a word for null, such as NULL or -1", "rate", "events", m.null_words, "0", "20%"),
    Check("empty-columns", "columns without a value in any event", "count", "events", m.empty_columns, "0"),
    Check("repeated-rows", "rows that are there again, event ids aside", "rate", "events", m.repeated_rows, "20%", least=100),
    Check("unreadable-values", "amounts that could not be read as numbers", "count", "events", m.unreadable_values, "0"),
    Check("out-of-order", "events earlier than the one before them in the log", "rate", "events", m.out_of_order,
          "60%", least=100),
    Check("future-timestamps", "events later than --until, else than a day after the newest file was written", "rate",
          "events", m.future, "0", "1%"),
    Check("ancient-timestamps", "events earlier than any there can be", "rate", "events", m.ancient, "0", "1%",
          options={"before": "1990-01-01"}),
    Check("midnight", "events at midnight sharp: dates in place of times", "rate", "events", m.midnight,
          "10%", "90%", least=100),
    Check("one-second", "events at one and the same second of the day", "rate", "events", m.one_second,
          "10%", "90%", least=100),
    Check("one-minute", "events at one and the same minute of the hour: a clock cut", "rate", "events", m.one_minute,
          "50%", least=100),
    Check("whole-minutes", "events at second 0: a clock cut to minutes", "rate", "events", m.whole_minutes,
          "50%", least=100),
    Check("session-id-share", "events under one session id: an id used as a constant", "rate", "keys",
          m.session_id_share, "20%", "60%", least=1000, few=20, names_id=True),
    Check("profile-id-share", "events of one profile id: an id used as a constant", "rate", "keys",
          m.profile_id_share, "20%", "60%", least=1000, few=20, names_id=True),
    Check("session-id-profiles", "profiles that share one session id: an id used as a constant", "rate", "keys",
          m.profiles_of_a_session_id, "20%", "60%", least=100, few=3, names_id=True),
    Check("long-sessions", "sessions over so many hours", "rate", "sessions", m.long_sessions, "1%", "20%", least=100,
          options={"hours": 24}),
    Check("large-sessions", "sessions with over so many events", "rate", "sessions", m.large_sessions, "1%", "20%",
          least=100, options={"events": 1000}),
    Check("bounce-rate", "sessions of one event", "rate", "sessions", m.bounce_rate, "0.1%..95%", least=100,
          both_ends=True),
    Check("engagement-rate", "sessions longer than 10 s, or with 2 page views, or a conversion", "rate", "sessions",
          m.engagement_rate, "1%..100%", least=100, both_ends=True),
    Check("conversion-rate", "sessions with a conversion", "rate", "sessions", m.conversion_rate, "0%..95%", least=100,
          both_ends=True),
    Check("sessions-per-day", "days with far more or fewer sessions than the others", "count", "sessions",
          m.sessions_per_day, "0", "5"),
    Check("hours-without-events", "hours without any event, though there should be some", "count", "events",
          m.hours_without_events, "0", "23"),
    Check("unknown-event-types", "events of a type that is not in the list of known ones", "rate", "events",
          m.unknown_event_types, "0", "1%", options={"known": None}),
    Check("missing-days", "days that have no folder or file, where these are named for days", "count", "files",
          files.days_without_a_folder, "0", "0"),
    Check("unread-files", "files that were found and not read: empty, hidden, of another kind", "count", "files",
          files.files_passed_over, "0"),
    Check("missing-columns", "columns of the saved schema that are missing, or of another type", "count", "files",
          files.columns_missing, "0", "0"),
    Check("new-columns", "columns that the saved schema does not have", "count", "files", files.columns_added, "0"),
)  # fmt: skip
"""In the order of the report: rows, events, keys, sessions, files."""

COUNTS: Final = frozenset(check.name for check in CHECKS if check.unit == "count")
"""Checks whose number is a part of nothing."""
BY_NAME: Final = {check.name: check for check in CHECKS}
OPTIONS: Final = {check.name: tuple(check.options) for check in CHECKS} | dict.fromkeys(NAMES.values(), ())
