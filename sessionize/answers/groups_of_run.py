"""Groups of an earlier run's sessions: by what its output has, or else what to type in place of a column of the log."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from sessionize import schema
from sessionize.answers.containing import names_of_run
from sessionize.errors import UsageError
from sessionize.own import recorded
from sessionize.summary.selection import OF_START, bare, is_name, metric_columns

NAMED: Final = {
    schema.SESSION_ID: "source_id", schema.PROFILE_ID: "profile_id", schema.PAGE: "entry_page", schema.TIMESTAMP: "day",
    **{name: name for name in (schema.REFERRER, schema.CHANNEL, *schema.UTM)},
}  # fmt: skip
"""Role of a column of the log → what a session has of it."""


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
