"""What to type where no column has the name of a time or a key: the likeliest ones, deep in objects too."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.plan import times
from sessionize.plan.clocks import Unread
from sessionize.plan.evidence import Evidence
from sessionize.plan.names import OPTIONS, is_named_for_a_time, option, options_of, usual_role

NO_KEY: Final = "no column looks like a session id or a profile id"
OF_AN_EVENT: Final = (schema.SESSION_ID, schema.EVENT_TYPE, schema.PAGE)
"""Roles of which an object has one that is an event, and not whoever makes it."""


def for_time(days: Sequence[str], evidence: Evidence, taken: Collection[str]) -> Unread:
    """What to type for the time, where several columns hold dates, one, or none."""
    if len(days) > 1:
        said = f"two columns could be the timestamp: {' and '.join(repr(name) for name in days)}"
        return Unread(said, options_of(schema.TIMESTAMP, days[0]))
    if days:
        beside = times.clock_beside(days, evidence, taken)
        said = f"no column is surely the timestamp: {days[0]!r} holds dates only"
        other = f"or {options_of(schema.TIMESTAMP, days[0])}, with all events of a day at one time"
        if beside is not None:
            return Unread(f"{said}{because(beside.problem)}", beside.options, other)
        return Unread(said, options_of(schema.TIMESTAMP, days[0]))
    objects = [(name, dtype) for name, dtype in evidence.types.items() if isinstance(dtype, pl.Struct)]
    for name, dtype in objects:
        there = times.inside(name, [field.name for field in dtype.fields]) if is_named_for_a_time(name) else None
        if there is not None:
            return there
    inner = [leaf for name in evidence.types for leaf in evidence.leaves(name)]
    inner = [leaf for leaf in inner if is_named_for_a_time(leaf) and times.holds_times(leaf, evidence)]
    options = options_of(schema.TIMESTAMP, inner[0]) if inner else ""
    return Unread("no column looks like the timestamp", options, "" if inner else option(schema.TIMESTAMP))


def because(problem: str) -> str:
    """A reason behind what is wrong."""
    return f": {problem}" if problem else ""


def for_key(found: Sequence[tuple[str, str]], evidence: Evidence, *, has_time: bool) -> Unread:
    """What to type for whose the events are.

    Args:
        found: The candidates, the likeliest first, each with its description.
        evidence: What the first rows say.
        has_time: Whether there is a time, of the whole row: a key deeper in it may have one of its own beside it.
    """
    if not found:
        return Unread(NO_KEY, "", f"{option(schema.SESSION_ID)} or {option(schema.PROFILE_ID)}")
    chosen = {role: name for name, _ in reversed(found) if (role := usual_role(name, schema.KEY_ROLES)) is not None}
    chosen = chosen or {schema.PROFILE_ID: found[0][0]}
    beside = _time_beside(next(iter(chosen.values())), evidence) if has_time else None
    chosen |= {} if beside is None else {schema.TIMESTAMP: beside}
    order = (schema.TIMESTAMP, *schema.KEY_ROLES)
    options = " ".join(options_of(role, chosen[role]) for role in order if role in chosen)
    return Unread(NO_KEY, options, f"candidates by value: {', '.join(description for _, description in found)}")


def proposed_times(problems: Iterable[Unread]) -> set[str]:
    """The columns that are proposed as times: none of them can be a key as well."""
    typed = [word for each in problems for word in shlex.split(each.options)]
    return {name for asked, name in pairwise(typed) if asked == OPTIONS[schema.TIMESTAMP]}


def _time_beside(key: str, evidence: Evidence) -> str | None:
    """The time of an event that lies whole in an object of its row, as a message in a queue's record; None where none does."""
    inside, dot, _ = key.rpartition(".")
    leaves = evidence.leaves(inside.split(".")[0]) if dot and inside.split(".")[0] in evidence.types else []
    beside = {leaf: leaf.removeprefix(f"{inside}.") for leaf in leaves if leaf.startswith(f"{inside}.")}
    plain = {leaf: usual_role(name) for leaf, name in beside.items() if "." not in name}
    if not set(plain.values()) & set(OF_AN_EVENT):
        return None
    there = [leaf for leaf, role in plain.items() if role == schema.TIMESTAMP and times.holds_times(leaf, evidence)]
    return next(iter(there), None)
