"""Columns of an earlier run's output that are asked for: refused where it has them not, or not as the log has them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from sessionize import schema, sql
from sessionize.answers.containing import names_of_run
from sessionize.errors import UsageError
from sessionize.own import recorded
from sessionize.summary.selection import OF_START, bare, is_name, metric_columns

NAMED: Final = {
    schema.SESSION_ID: "source_id", schema.PROFILE_ID: "profile_id", schema.PAGE: "entry_page", schema.TIMESTAMP: "day",
    **{name: name for name in (schema.REFERRER, schema.CHANNEL, *schema.UTM)},
}  # fmt: skip
"""Role of a column of the log → what a session has of it."""
OF_EVENTS: Final = ("session_id", "position", "source_id")
"""Columns of a run's events beside their roles."""


def check_group(text: str | None, account: Mapping[str, Any]) -> None:
    """Raise UsageError for a group that is a name, and that a run's sessions do not have.

    Args:
        text: What was typed; None for no groups.
        account: The run's manifest.
    """
    own = recorded(account["rules"])
    there = [*metric_columns(), *OF_START, *(each.name for each in own)]
    if text is None or not is_name(text) or (name := bare(text).removeprefix(schema.PROPERTY_PREFIX)) in there:
        return
    role = names_of_run(account["columns"]).get(name, name if name in account["columns"] else "")
    carried = [each.name for each in own if each.kind == "dimension" and each.text == name]
    meant = carried or [NAMED[role]] if role in NAMED else carried or get_close_matches(name, there, n=1, cutoff=0.6)
    if role == schema.EVENT_TYPE and not carried:
        hint = "--by entry_event is the first event's; --containing NAME, or sessionize funnel, asks of all of them"
    else:
        hint = (f"did you mean {meant[0]!r}? " if meant else "") + (
            f"a column of the log is there after a run with --dimension {shlex.quote(name)}; there are {', '.join(there)}"
        )
    raise UsageError(f"--by {text!r}: the sessions of an earlier run have no such column", hint=hint)


def check_steps(texts: Iterable[str], account: Mapping[str, Any]) -> None:
    """Raise UsageError for SQL over events that names a dimension of the name of its column.

    A run's events have the session's first value there, where those of the log have each its own.

    Args:
        texts: Steps, as they were typed.
        account: The run's manifest.
    """
    rules = account["rules"]
    named, properties = names_of_run(account["columns"]), rules.get("properties", ())
    dimensions = {own.name for own in recorded(rules) if own.kind == "dimension" and own.text == own.name}
    there = {*account["columns"], *named, *properties, *OF_EVENTS, *(own.name for own in recorded(rules))}
    for text in texts:
        columns = sql.columns_of(text)
        firsts = [name for name in columns if name in dimensions.difference(named, properties)]
        if firsts and columns != [text] and there.issuperset(columns):
            raise UsageError(
                f"{text!r}: an event of an earlier run has its session's first {firsts[0]!r}, not its own",
                hint=f"name the log itself, or run it with --property {shlex.quote(firsts[0])} for each event's own; the session's "
                "first: --session-where",
            )
