"""The words of the data: roles, the names logs usually give them, reasons for rejection.

Plain Python on purpose: the command line reads it for its help without loading Polars.
"""

from __future__ import annotations

from typing import Final

# --- columns the reader adds to every raw row --------------------------------------------------
FILE: Final = "sessionize.file"
"""Ordinal of the row's file among the log's files (UInt32)."""
ROW: Final = "sessionize.row"
"""1-based data row of the file; the line number in a CSV or NDJSON file (UInt32)."""
FAULT: Final = "sessionize.fault"
"""Why the reader could not make out the row (Enum of REASONS); null for a whole row."""

PATH: Final = "sessionize.path"
"""File that an event came from which was carried over from an earlier night (String)."""

# --- canonical columns of an event -------------------------------------------------------------
SESSION_ID: Final = "session_id"
PROFILE_ID: Final = "profile_id"
EVENT_ID: Final = "event_id"
TIMESTAMP: Final = "timestamp"
EVENT_TYPE: Final = "event_type"
PAGE: Final = "page"
REFERRER: Final = "referrer"
USER_AGENT: Final = "user_agent"
IP: Final = "ip"
UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
CHANNEL: Final = "channel"
VALUE: Final = "value"

ROLES: Final = (
    SESSION_ID, PROFILE_ID, EVENT_ID, TIMESTAMP, EVENT_TYPE, PAGE, REFERRER, USER_AGENT, IP, *UTM, CHANNEL, VALUE,
)  # fmt: skip
ID_ROLES: Final = (SESSION_ID, PROFILE_ID, EVENT_ID)
"""Roles whose value may be several columns together."""

KEY_ROLES: Final = (SESSION_ID, PROFILE_ID)
"""Roles of which one ties events together: the first that a row has."""

PROPERTY_PREFIX: Final = "property."
TRAIT_PREFIX: Final = "trait."
SPLIT_PREFIX: Final = "split."
"""Canonical names of the columns a user adds: ``property.plan``, ``trait.age``, ``split.campaign``."""

OWN_PREFIX: Final = "own."
"""Begins the columns of the user's dimensions in events, and of all that the user adds in sessions: ``own.plan``."""
USE_PREFIX: Final = "use."
"""Begins the log's columns that the user's metrics ask for: ``use.tokens``."""
GOAL_PREFIX: Final = "goal."
"""Begins columns that say whether a goal is reached by the event: ``goal.signup`` (Boolean)."""

SEQ: Final = "sessionize.seq"
"""Place of a row in its log, as one number: its file's ordinal times 2^32, and its row (Int64); for shuffles, which keep no
order."""
UNREAD: Final = "sessionize.unread"
"""An amount that could not be read as a number, as it is written; null where it could, or there is none (String)."""
LAYOUT: Final = "sessionize.layout"
"""Which of several time formats read the row's time (UInt8); null where none did."""

REASON: Final = "reason"
"""Why a row is not an event (Enum of REASONS); null where it is one."""

WHY_REJECTED: Final[dict[str, str]] = {
    "malformed_row": "the line is not of the log's form: too few or too many fields, an open quote, no JSON object",
    "bad_encoding": "the line is not valid UTF-8",
    "null_timestamp": "the time is missing or blank",
    "bad_timestamp": "the time cannot be read",
    "timestamp_out_of_range": "the time is read, but lies where none can be",
    "no_session_key": "there is neither a session id nor a profile id",
    "id_too_long": "the id would be longer than 512 bytes",
    "passive_alone": "a passive event that lies in no session",
}
"""Why a row is no event."""
REASONS: Final = tuple(WHY_REJECTED)

LONGEST_ID: Final = 512
"""Bytes of UTF-8 of a session's id: what the Session record's schema takes."""

USUAL_NAMES: Final[dict[str, tuple[str, ...]]] = {
    SESSION_ID: (
        "session_id", "session", "domain_sessionid", "user_session", "visit_id", "idvisit",
        "context_session_id", "$session_id", "sid",
    ),
    PROFILE_ID: (
        "profile_id", "profile", "user_id", "user", "visitor_id", "visitor", "client_id", "customer_id", "member_id",
        "distinct_id", "anonymous_id", "user_pseudo_id", "person_id", "domain_userid", "idvisitor",
    ),
    EVENT_ID: ("event_id", "message_id", "insert_id", "$insert_id", "hit_id"),
    TIMESTAMP: (
        "timestamp", "ts", "time", "event_time", "event_timestamp", "datetime", "date_time", "created_at",
        "occurred_at", "time_created", "derived_tstamp", "server_time",
    ),
    EVENT_TYPE: ("event_type", "event", "event_name"),
    PAGE: ("page", "page_url", "url", "page_location", "page_path", "path", "current_url", "uri", "pathname", "url_path"),
    REFERRER: ("referrer", "referer", "page_referrer", "page_referer", "referrer_url", "referer_url", "http_referer"),
    USER_AGENT: ("user_agent", "ua", "http_user_agent", "context_user_agent"),
    IP: ("ip", "ip_address", "client_ip", "remote_addr", "user_ipaddress", "c_ip", "context_ip"),
    "utm_source": ("utm_source", "mkt_source", "context_campaign_source"),
    "utm_medium": ("utm_medium", "mkt_medium", "context_campaign_medium"),
    "utm_campaign": ("utm_campaign", "mkt_campaign", "context_campaign_name"),
    "utm_term": ("utm_term", "mkt_term", "context_campaign_term"),
    "utm_content": ("utm_content", "mkt_content", "context_campaign_content"),
    CHANNEL: ("channel", "channel_grouping", "default_channel_group"),
    VALUE: ("value", "revenue", "amount", "price"),
}  # fmt: skip
"""Names a column of each role usually has; compared by `spelling`."""

ID_SPELLINGS: Final = frozenset(
    "".join(letter for letter in name.lower() if letter.isalnum()) for role in ID_ROLES for name in USUAL_NAMES[role]
)
"""Usual names of ids, as `spelling` folds them."""
ADDRESSES: Final = (*USUAL_NAMES[IP], "client_host", "remote_host")
LESS_USUAL_NAMES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    SESSION_ID: (("case_id", "case_concept_name"),),
    PROFILE_ID: (
        ("panelist_id", "participant_id", "subject_id", "device_id", "cookie_id", "account_id", "full_visitor_id"),
        ADDRESSES,
    ),
}  # fmt: skip
"""Names that count only where the log has none of the usual ones for any key; the first group that it has."""
NAMES_OF_TYPES: Final = ("type", "action", "event_action", "activity")
"""Names that may mean the type of an event or another one: it is one only where the values bear it out."""
BARE_NAMES: Final = ("host", "id")
"""Names that may mean a visitor or something else: a profile id only where nothing else is, and the values bear it out."""
OF_GOOGLE: Final = ("ga_session_id",)
"""A session id that is the second it began in, as Google Analytics 4 has it: many visitors have the same one."""
NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
"""What telephones give for an advertising id that their owner has switched off."""
NULL_WORDS: Final = (
    "-1", "0", "null", "(null)", "NULL", "\\N", "undefined", "None", "none", "nan", "NaN", "NA", "N/A", "nil", "<nil>",
    "(not set)", "(none)", "<null>", "#N/A", "-", "unknown", "Unknown",
    NO_UUID,
)  # fmt: skip
"""Texts that exports write where there is no value."""

PAGE_VIEWS: Final = ("page-view", "page_view", "pageview", "page", "$pageview")
CONVERSIONS: Final = ("purchase", "order-completed", "order_completed", "conversion", "checkout-completed")


def spelling(name: str) -> str:
    """Fold a name so that its usual spellings are one.

    Examples:
        >>> {spelling(name) for name in ("session_id", "sessionId", "session.id", "Session ID")}
        {'sessionid'}
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())
