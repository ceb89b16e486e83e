"""What the words of a report mean, for readers who did not make the log: those of the metrics, one sentence each."""

from __future__ import annotations

from typing import Final

SESSION: Final = "Events of one visitor that follow each other without a silence longer than the timeout."
MEANINGS: Final[dict[str, str]] = {
    "session": SESSION,
    "profile": "A visitor, as the log tells them apart: a user, a device or an address.",
    "event": "One row of the log: a page that was viewed, a click, a purchase.",
    "page view": "An event whose type is a page view; without event types, an event that has a page.",
    "length": "From a session's first event to its last; 0 where it has only one event.",
    "timeout": "The longest silence inside a session: a longer one ends it.",
    "silence": "The time from one event of a visitor to their next.",
    "bounce rate": "Share of sessions that have exactly one event.",
    "engagement rate": "Share of sessions that are longer than 10 s, have two page views, or a conversion.",
    "conversion": "An event that counts as success, such as a purchase.",
    "conversion rate": "Share of sessions that have at least one conversion.",
    "value": "Sum of the amounts of all conversions, in the log's own unit.",
    "active session": "A session that could still have gone on when the log ended.",
    "bot share": "Share of sessions whose user agent is a known crawler.",
    "entry page": "The first page that a session viewed.",
    "exit page": "The last page that a session viewed.",
    "exit rate": "Of the sessions that saw a page, the share that ended on it.",
    "median": "Half of the values are smaller.",
    "p95": "95 of 100 values are not larger.",
    "points": "A rate that moves from 4 % to 5 % moves by one point (pt).",
}
REASONS: Final[dict[str, str]] = {
    "malformed_row": "the row has not the form of the others",
    "bad_encoding": "its text is no UTF-8",
    "null_timestamp": "it has no time",
    "bad_timestamp": "its time cannot be read",
    "timestamp_out_of_range": "its time is before 1970, or too far from now to be one",
    "no_session_key": "it tells neither a session nor a visitor",
    "id_too_long": "its id is longer than 512 bytes",
}
