"""The narrow frame the kernel sorts: codes, times and flags in place of texts. Row-local."""

from __future__ import annotations

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.keys import coded, key_codes

DESCRIPTIVE = (schema.PROFILE_ID, schema.REFERRER, schema.CHANNEL, schema.IP, schema.USER_AGENT)
"""Roles of which a session takes the first non-null value."""


def numbers(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """One narrow row an event: ``key row time``, page and event type as codes, flags, ``has_<field>``."""
    columns = {
        "key": key_codes(events),
        "row": pl.int_range(events.height, dtype=pl.UInt32, eager=True),
        "time": events[schema.TIMESTAMP].to_physical(),
    }
    for role in (schema.PAGE, schema.EVENT_TYPE):
        if role in events.columns:
            columns[role] = events[role].to_physical()
    if schema.VALUE in events.columns:
        columns[schema.VALUE] = events[schema.VALUE]
    columns |= _flags(events, plan)
    for number, name in enumerate(plan.rules.split_on):
        columns[f"split_{number}"] = coded(events[schema.SPLIT_PREFIX + name]).to_physical()
    for field, among in sparse_fields(events).items():
        columns[f"has_{field}"] = events.select(pl.any_horizontal(pl.col(*among).is_not_null())).to_series()
    return pl.DataFrame(columns)


def fields(events: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Descriptive fields and the columns that are taken together: the utm fields come from one event."""
    prefixes = (schema.PROPERTY_PREFIX, schema.TRAIT_PREFIX)
    alone = [name for name in events.columns if name in DESCRIPTIVE or name.startswith(prefixes)]
    utm = tuple(name for name in schema.UTM if name in events.columns)
    return {name: (name,) for name in alone} | ({"utm": utm} if utm else {})


def sparse_fields(events: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """The fields that not every event has: the first event that has it must be looked for."""
    return {field: among for field, among in fields(events).items() if all(events[name].null_count() for name in among)}


def _flags(events: pl.DataFrame, plan: Plan) -> dict[str, pl.Series]:
    """Which events are page views, conversions, ends and starts."""
    never = pl.repeat(value=False, n=events.height, eager=True)
    if schema.EVENT_TYPE not in events.columns:
        has_page = events[schema.PAGE].is_not_null() if schema.PAGE in events.columns else never
        return {"is_view": has_page, "is_conversion": never, "is_end": never, "is_start": never}
    types = events[schema.EVENT_TYPE]
    there = types.unique().drop_nulls().cast(pl.String).to_list()
    meant = {
        "is_view": _named(there, plan.page_views, schema.PAGE_VIEWS),
        "is_conversion": _named(there, plan.conversions, schema.CONVERSIONS),
        "is_end": _named(there, plan.rules.end_events, ()),
        "is_start": _named(there, plan.rules.start_events, ()),
    }
    return {flag: types.is_in(names).fill_null(value=False) if names else never for flag, names in meant.items()}


def _named(there: list[str], given: tuple[str, ...] | None, usual: tuple[str, ...]) -> list[str]:
    """The event types that are meant: given names to the letter, the usual ones in any spelling."""
    if given is not None:
        return [name for name in there if name in given]
    spellings = {schema.spelling(name) for name in usual}
    return [name for name in there if schema.spelling(name) in spellings]
