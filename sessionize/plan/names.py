"""Names of columns: what their last word says, and how one is typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from sessionize import schema
from sessionize.patterns import pattern

OPTIONS: Final = {
    role: f"--{role.replace('_', '-')}"
    for role in (
        schema.SESSION_ID,
        schema.PROFILE_ID,
        schema.EVENT_ID,
        schema.TIMESTAMP,
        schema.EVENT_TYPE,
        schema.PAGE,
    )
}
WORD: Final = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
TIME_ENDINGS: Final = ("timestamp", "tstamp", "time", "date", "datetime")
"""What a name of a time ends in, alone or with more before it: ``eventtime``."""
TIME_WORDS: Final = (*TIME_ENDINGS, "at", "ts")
"""What the last word of such a name is: ``created_at``, but not ``format``."""
DATE_WORDS: Final = ("date", "day", "dt")
DURATION_WORDS: Final = frozenset((
    "on", "spent", "taken", "response", "request", "load", "loading", "elapsed", "duration", "durations", "dwell", "wait",
    "waiting", "processing", "upstream", "connect", "render", "latency", "read", "active", "engagement", "play", "watch",
))  # fmt: skip
"""Words in names of how long something took: ``time_on_page``, ``response_time``."""
ID_WORDS: Final = frozenset((
    "id", "uid", "uuid", "guid", "key", "user", "visitor", "client", "customer", "member", "person", "panelist", "profile",
    "account", "device", "cookie", "session", "visit", "case", "host", "ip", "addr", "address", "email", "login", "player",
    "patient", "subject",
))  # fmt: skip
"""Words in names of columns that say whose an event is."""


def option(role: str) -> str:
    """What to type to choose a role's column."""
    return f"{OPTIONS[role]} COLUMN" if role in OPTIONS else f"--map {role}=COLUMN"


def reference(name: str) -> str:
    """A column's name as it stands in a reference."""
    return name if name.isidentifier() else f'"{name}"'


def options_of(role: str, *names: str) -> str:
    """The options that choose columns for a role, as a shell takes them.

    Examples:
        >>> options_of("timestamp", "date", "time of day"), options_of("ip", "addr"), options_of("event_id", "none")
        ("--timestamp date --timestamp 'time of day'", '--map ip=addr', '--event-id none')
        >>> print(options_of("session_id", "attributes['session.id']"))
        --session-id "attributes['session.id']"
    """
    if role in OPTIONS:
        return " ".join(f"{OPTIONS[role]} {_quoted(name)}" for name in names)
    return " ".join(f"--map {_quoted(f'{role}={name}')}" for name in names)


def _quoted(name: str) -> str:
    """A name as a shell takes it: in double quotes where it has single ones, and nothing that means more between them."""
    return f'"{name}"' if "'" in name and not set(name) & set('"$`\\!') else shlex.quote(name)


def listed(names: Iterable[str]) -> str:
    """Names in a row for a message; the end of a long list is left out."""
    names = list(names)
    shown = ", ".join(names[:40])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 40 else shown


def words(name: str) -> Sequence[str]:
    """The words of a name in lower case.

    Examples:
        >>> words("EdgeStartTimestamp"), words("created_at"), words("_source.@timestamp")
        (['edge', 'start', 'timestamp'], ['created', 'at'], ['source', 'timestamp'])
    """
    return [word.lower() for word in WORD.findall(name)]


def usual_role(name: str, roles: Iterable[str] = schema.ROLES) -> str | None:
    """The role that the end of a reference has a usual name of.

    Examples:
        >>> usual_role("payload.session_id"), usual_role("attributes['session.id']"), usual_role("payload.key")
        ('session_id', 'session_id', None)
    """
    parts = name.replace("['", ".").replace("']", "").split(".")
    ends = {schema.spelling(".".join(parts[first:])) for first in range(len(parts))}
    return next((role for role in roles if not ends.isdisjoint(map(schema.spelling, schema.USUAL_NAMES[role]))), None)


def is_named_for_a_time(name: str) -> bool:
    """Whether the name ends as names of times do; its values have to bear it out.

    Examples:
        >>> [is_named_for_a_time(name) for name in ("createdAt", "eventtime", "Complete Timestamp", "format", "events")]
        [True, True, True, False, False]
    """
    last = next(reversed(words(name)), "")
    return last in TIME_WORDS or last.endswith(TIME_ENDINGS)


def is_named_for_a_date(name: str) -> bool:
    """Whether the name says a date."""
    last = next(reversed(words(name)), "")
    return last in DATE_WORDS or last.endswith("date")


def is_named_for_a_duration(name: str) -> bool:
    """Whether a word of the name says how long something took; its values have to bear it out.

    Examples:
        >>> [is_named_for_a_duration(name) for name in ("time_on_page", "timeOnPage", "load_time", "event_time", "time")]
        [True, True, True, False, False]
    """
    return not DURATION_WORDS.isdisjoint(words(name))


def is_named_for_an_id(name: str) -> bool:
    """Whether a word of the name says whose an event is."""
    return not ID_WORDS.isdisjoint(words(name)) or spelling_ends_in_id(name)


def spelling_ends_in_id(name: str) -> bool:
    """Whether the name ends in id in lower case without a mark before: ``panelistid``, ``uuid``."""
    return bool(re.search(r"[a-z]{3}id$", name.lower()))
