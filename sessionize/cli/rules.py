"""The rules that were asked for, one by one or as another system has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sessionize import definitions, schema
from sessionize.cli import parse
from sessionize.cli.options import Option, Typed
from sessionize.cli.options import known as options_of_all
from sessionize.config import Burst, Rules
from sessionize.definitions import Definition
from sessionize.errors import UsageError


def rules(typed: Typed) -> Rules:
    """The rules, from a command's parameters."""
    longest = typed["max_duration"]
    return Rules(
        timeout=_timeout(typed["timeout"]),
        max_duration=parse.duration_or_none(longest, "--max-duration") if longest else None,
        end_events=tuple(typed["end_event"] or ()),
        start_events=tuple(typed["start_event"] or ()),
        split_on=tuple(typed["split_on"] or ()),
        burst=typed.get(definitions.BURST),
        split_on_arrival=tuple(typed["split_on_arrival"] or ()),
        split_at_midnight=typed["split_at_midnight"],
        passive=tuple(typed["passive"] or ()),
        max_events=_most(typed["max_events"]),
        active_gap=parse.duration(typed["active_gap"], "--active-gap"),
    )


def _most(given: object) -> int | None:
    if given is not None and (not isinstance(given, int) or isinstance(given, bool)):
        raise UsageError(f"--max-events {given!r} is no number of events", hint="for example --max-events 10000")
    return given


def _timeout(text: str) -> timedelta | None:
    found = parse.duration_or_none(text, "--timeout")
    if found is not None and not found:
        raise UsageError(
            f"--timeout {text} would make a session of every moment", hint="--timeout none switches the rule off"
        )
    return found


def other_rules(merged: dict[str, Any], given: set[str], definition: Definition) -> None:
    """Take the rules of another system, all of them, where none was given: those that it does not name are not its own.

    Args:
        merged: Values by name; they are changed.
        given: Names of values that are not to be changed; those of the rules are added.
        definition: The system's rules.

    Raises:
        UsageError: If a rule of it is of the wrong kind.
    """
    rows = options_of_all()
    for name in definitions.RULES:
        parameter = name.replace("-", "_")
        if parameter not in given:
            row = rows[parameter]
            merged[parameter] = as_typed(definition.rules[name], row) if name in definition.rules else row.default
            given.add(parameter)
    merged[definitions.BURST] = _burst(definition)
    named = {*(merged["split_on"] or ()), *(merged["split_on_arrival"] or ())}
    theirs = {*definition.rules.get("split-on", ()), *definition.rules.get("split-on-arrival", ())}
    passive = {*(merged["passive"] or ())} & {*definition.rules.get("passive", ())}
    merged["optional_splits"] = frozenset((named & theirs & set(schema.ROLES)) | passive)


def _burst(definition: Definition) -> Burst | None:
    found = definition.rules.get(definitions.BURST)
    if found is None:
        return None
    if not isinstance(found, dict) or set(found) != {"events", "within"} or not isinstance(found["events"], int):
        raise UsageError(
            f"definition {definition.name}: burst is no number of events within a time",
            hint='burst = { events = 100, within = "100s" }',
        )
    return Burst(found["events"], parse.duration(str(found["within"]), "burst within"))


def no_rules() -> Rules:
    """Rules by which the key alone makes the session."""
    return Rules(timeout=None)


def rules_of(definition: Definition, passive: Sequence[str] = ()) -> tuple[Rules, frozenset[str]]:
    """The rules of another system, and the names that split which a log may lack.

    Args:
        definition: The system's rules.
        passive: Event types that are passive in the log, in place of the system's own; none for these.
    """
    merged: dict[str, Any] = {"active_gap": "5m", "passive": list(passive)}
    other_rules(merged, {"passive"} if passive else set(), definition)
    return rules(Typed(merged)), merged["optional_splits"]


def as_typed(value: Any, row: Option) -> Any:
    """A value from a file as if it had been typed.

    Raises:
        UsageError: If it is of another kind.
    """
    name = row.name.replace("_", "-")
    if row.kind == "flag":
        if not isinstance(value, bool):
            raise UsageError(f"{name} is true or false, without quotes, not {value!r}")
        return value
    if row.kind == "number":
        if not isinstance(value, int) or isinstance(value, bool):
            raise UsageError(f"{name} is a whole number, without quotes, not {value!r}")
        return value
    if isinstance(value, bool | dict) or (
        isinstance(value, list) and any(isinstance(each, bool | dict | list) for each in value)
    ):
        raise UsageError(f"{name} is a text, not {value!r}", hint=f'for example {name} = "{row.metavar}"')
    if row.kind == "texts":
        return [str(each) for each in value] if isinstance(value, list) else [str(value)]
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
