"""Sessions that have an event of some kind: what is asked of events, told of sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.errors import UsageError
from sessionize.kernel.references import field_type
from sessionize.sql_words import names_in
from sessionize.summary.funnel import Spans
from sessionize.summary.names import Known, Step, never_there, step
from sessionize.summary.selection import CONTAINED
from sessionize.values import NamedTuple

Batches = Iterable[tuple[pl.DataFrame, pl.DataFrame | None]]
OPTION: Final = "--containing"


def contained(
    batches: Batches, steps: tuple[str, ...], timezone: str, names: Mapping[str, str], *, events: bool
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
    """The same sessions with CONTAINED: whether they have an event of each step.

    Args:
        batches: Sessions and their events, in order of session and position.
        steps: Event types, pages or SQL over the events, as typed.
        timezone: IANA zone of times that say none.
        names: What the log's own columns are called among the events' columns.
        events: Whether the events are handed on.

    Raises:
        UsageError: At the end, if a step is a name that no event of the log has.
    """
    known, seen, meant = Known(), set[str](), dict[str, Step]()
    for sessions, found in batches:
        if found is None:
            raise ValueError("sessions come with their events here")
        meant = meant or {text: step(text, found.schema, OPTION, timezone, names) for text in steps}
        starts = Spans.of(sessions["events"].to_numpy()).start
        there = np.ones(sessions.height, np.bool_)
        for text, each in meant.items():
            flags = found.select(each.matches.fill_null(value=False).alias("it"))["it"].to_numpy()
            seen |= {text} if flags.any() else set()
            there &= np.logical_or.reduceat(flags, starts) if len(starts) else there
        if len(seen) < len(meant):
            known.add(found)
        yield sessions.with_columns(pl.Series(CONTAINED, there)), found if events else None
    for text in meant.keys() - seen:
        never_there(meant[text], known, OPTION)


class Named(NamedTuple):
    """The columns of the log that steps name.

    Attributes:
        plan: The plan with those of them that are carried along.
        names: What each column of the log is called among the events' columns.
        roles: The roles that they play.
    """

    plan: Plan
    names: dict[str, str]
    roles: tuple[str, ...]


def with_columns_of(steps: Iterable[str], plan: Plan, types: Mapping[str, pl.DataType]) -> Named:
    """What of the log's columns is needed to tell which events steps mean.

    Args:
        steps: Steps as they were typed.
        plan: What the configuration means for the log.
        types: Types of the log's columns.
    """
    roles = {columns[0]: role for role, columns in plan.columns.items() if len(columns) == 1}
    named = [name for text in steps for name in names_in(text) if name not in plan.columns and _is_there(name, types)]
    names = {
        name: roles.get(name, schema.PROPERTY_PREFIX + name)
        for name in dict.fromkeys((*types, *named))
        if name not in plan.columns
    }
    carried = tuple(dict.fromkeys((*plan.properties, *(name for name in named if name not in roles))))
    played = tuple(roles[name] for name in named if name in roles)
    return Named(replace(plan, properties=carried), names, played)


def _is_there(name: str, types: Mapping[str, pl.DataType]) -> bool:
    try:
        return field_type(name, types) is not None
    except UsageError:  # a word of SQL, no column
        return False


def names_of_run(columns: Mapping[str, object]) -> dict[str, str]:
    """What the log's own columns are called in what a run wrote of it.

    Args:
        columns: Role to its column or columns, as a manifest has them.
    """
    return {name: role for role, name in columns.items() if isinstance(name, str)}
