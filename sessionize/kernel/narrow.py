"""The narrow frame the kernel sorts: codes, times and flags in place of texts. Row-local."""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.dictionaries import coded, texts_by_code
from sessionize.kernel.keys import key_codes
from sessionize.kernel.own import goals_of, is_goal_reached

ROOM: Final[dict[type[pl.DataType], int]] = {pl.UInt8: 1 << 8, pl.UInt16: 1 << 16}
"""How many numbers there are of a type."""
DESCRIPTIVE: Final = (schema.PROFILE_ID, schema.REFERRER, schema.CHANNEL, schema.IP, schema.USER_AGENT)
"""Roles of which a session takes the first non-null value."""


def narrow_rows(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """One narrow row for each event: what the boundaries and the metrics are computed from.

    Args:
        events: Canonical events; page and event type, where they are there, as codes.
        plan: The columns that split sessions.

    Returns:
        ``key`` (UInt32), ``time`` (Int64, microseconds since 1970 UTC), page and event type as codes (unsigned), value,
        ``split_<n>`` and ``arrival_<n>`` as codes (UInt32), these without regard to case, ``goal_<n>`` (Boolean), and
        ``has_<field>`` (Boolean) for each field that not every event has.
    """
    roles = [role for role in (schema.PAGE, schema.EVENT_TYPE) if role in events.columns]
    if plan.only_figured and schema.EVENT_TYPE in roles:  # which says what a page view is
        roles = [schema.EVENT_TYPE]
    codes = [pl.col(role).to_physical().cast(_narrowest(events[role])) for role in roles]  # side by side
    columns: list[pl.Expr | pl.Series] = [pl.col(schema.TIMESTAMP).to_physical().alias("time"), *codes]
    if schema.VALUE in events.columns:
        columns.append(pl.col(schema.VALUE))
    splits = {
        f"split_{number}": coded(events[schema.SPLIT_PREFIX + name]).to_physical()
        for number, name in enumerate(plan.rules.split_on)
    } | {
        f"arrival_{number}": coded(events[schema.SPLIT_PREFIX + name].cast(pl.String).str.to_lowercase()).to_physical()
        for number, name in enumerate(plan.rules.split_on_arrival)
    }
    goals = {f"goal_{number}": pl.col(schema.GOAL_PREFIX + name) for number, name in enumerate(goals_of(plan))}
    having = {
        f"has_{field}": pl.any_horizontal(pl.col(*among).is_not_null())
        for field, among in sparse_fields(events, plan).items()
    }
    return events.select(*columns, key=key_codes(events), **splits, **goals, **having)


def _narrowest(codes: pl.Series) -> type[pl.DataType]:
    """The type of the fewest bytes in which codes and one more fit: each row is moved twice."""
    highest = codes.to_physical().max()
    count = highest + 2 if isinstance(highest, int) else 0
    return next((dtype for dtype, room in ROOM.items() if count <= room), pl.UInt32)


def fields(events: pl.DataFrame, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The descriptive fields that the events have, each with its columns: the utm fields come from one event."""
    if plan.only_figured:
        return {name: (name,) for name in (schema.PROFILE_ID, schema.USER_AGENT) if name in events.columns}
    prefixes = (schema.PROPERTY_PREFIX, schema.TRAIT_PREFIX)
    alone = [name for name in events.columns if name in DESCRIPTIVE or name.startswith(prefixes)]
    utm = tuple(name for name in schema.UTM if name in events.columns)
    return {name: (name,) for name in alone} | ({"utm": utm} if utm else {})


def sparse_fields(events: pl.DataFrame, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The fields that not every event has, with their columns: the first event that has one must be looked for."""
    return {
        field: among
        for field, among in fields(events, plan).items()
        if all(events[name].null_count() for name in among)
    }


def flags(events: pl.DataFrame, plan: Plan) -> dict[str, pl.Expr]:
    """Which events are page views and conversions, and where a rule asks, which end or start a session.

    Args:
        events: Canonical events; their event type as codes.
        plan: Names of the event types that are meant.

    Returns:
        ``is_view``, ``is_conversion``, maybe ``is_end``, ``is_start`` and ``is_passive``: Boolean expressions over narrow rows.
    """
    asked = plan.rules
    rules = {"is_end": asked.end_events, "is_start": asked.start_events, "is_passive": asked.passive}
    named: dict[str, tuple[tuple[str, ...] | None, tuple[str, ...]]] = {
        "is_view": (plan.page_views, schema.PAGE_VIEWS),
        "is_conversion": (plan.conversions or (() if goals_of(plan) else plan.conversions), schema.CONVERSIONS),
        **{flag: (names, ()) for flag, names in rules.items() if names},
    }
    never = pl.lit(value=False)
    if schema.EVENT_TYPE not in events.columns:
        has_page = pl.col(schema.PAGE).is_not_null() if schema.PAGE in events.columns else never
        return _with_goals({**dict.fromkeys(named, never), "is_view": has_page}, plan)
    names = texts_by_code(events[schema.EVENT_TYPE]).to_list()
    codes = {name: code for code, name in enumerate(names)}
    meant = {flag: [codes[name] for name in _named(names, *each)] for flag, each in named.items()}
    return _with_goals({flag: _is_one_of(pl.col(schema.EVENT_TYPE), among) for flag, among in meant.items()}, plan)


def _with_goals(flags: dict[str, pl.Expr], plan: Plan) -> dict[str, pl.Expr]:
    """The flags, an event that reaches a goal being a conversion."""
    reached = is_goal_reached(plan)
    return flags if reached is None else {**flags, "is_conversion": flags["is_conversion"] | reached}


def _is_one_of(code: pl.Expr, among: list[int]) -> pl.Expr:
    return code.is_in(among).fill_null(value=False) if among else pl.lit(value=False)


def _named(there: list[str], given: tuple[str, ...] | None, usual: tuple[str, ...]) -> list[str]:
    """The event types that are meant: given names to the letter, the usual ones in any spelling."""
    if given is not None:
        return [name for name in there if name in given]
    spellings = {schema.spelling(name) for name in usual}
    return [name for name in there if schema.spelling(name) in spellings]
