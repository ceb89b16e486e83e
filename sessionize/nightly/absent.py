"""Columns that the nights before have had, and a night's log has not: they are null in it, as in one log of them all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.kernel.references import field_type, roots
from sessionize.nightly.state import Done
from sessionize.opening import Source
from sessionize.plan.named import by_name
from sessionize.preset_roles import from_preset
from sessionize.read import Log

KEYS: Final = (schema.SESSION_ID, schema.PROFILE_ID)
Types = Mapping[str, pl.DataType]


def with_absent(log: Log, config: Config, known: Done | None) -> Log:
    """The log with a column of nulls for each that was asked for, or played a role in the nights before, and is not there.

    Args:
        log: The night's log.
        config: What was asked for.
        known: The night before; None before the first, whose columns must be there.
    """
    if known is None:
        return log
    return log.with_nulls(config, _no_columns(config, known), _of_roles(config, log.schema, known))


def _no_columns(config: Config, known: Done) -> set[str]:
    """Names that rules and SQL may call, and that are no columns of the log: roles, and the user's own dimensions.

    A role whose column has its name was a column of the nights before.
    """
    own = {name for name, of in config.dimensions.items() if name != of}
    roles = {role for role in schema.ROLES if known.columns.get(role) != role}
    return {*roles, *own} - {*config.properties, *config.traits}


def _of_roles(config: Config, types: Types, known: Done) -> list[str]:
    """Columns of roles in the nights before that this log lacks, and has no other one for.

    A time, or all there is of a key, is not among them: without it no row is an event.
    """
    before = {role: columns_before(known, role) for role in known.columns}
    taken = {part for names in before.values() for name in names for part in (name, *roots(name))}
    there = {role for role, names in before.items() if any(_is_there(name, types) for name in names)}
    lacking = {role: names for role, names in before.items() if role not in there}
    if not there.intersection(KEYS):
        lacking = {role: names for role, names in lacking.items() if role not in KEYS}
    return [
        name
        for role, names in lacking.items()
        if role != schema.TIMESTAMP and not _has_another(role, config, types, taken)
        for name in names
    ]


def columns_before(known: Done, role: str) -> tuple[str, ...]:
    """The columns that play a role in the nights so far; none where it has none."""
    names = known.columns.get(role) or ()
    return (names,) if isinstance(names, str) else tuple(names)


def _is_there(name: str, types: Types) -> bool:
    return field_type(name, types) is not None


def _has_another(role: str, config: Config, types: Types, taken: Collection[str]) -> bool:
    """Whether the role is asked for otherwise, or the log has a column for it that is not that of the nights before."""
    asked = config.is_off(role) or config.chosen(role)
    return bool(asked or from_preset(config, role, types) or by_name(role, types, taken))


class AsFound:
    """A log without the columns that it has as nulls only, for checks that say which are gone.

    Args:
        log: The log, maybe with such columns.
        own: Its columns without them.
    """

    def __init__(self, log: Source, own: Types) -> None:
        self.schema = {name: dtype for name, dtype in log.schema.items() if name in own}
        self.files, self.passed_over, self.sources = log.files, log.passed_over, log.sources
        self.own_columns, self.reading, self.sample = log.own_columns, log.reading, log.sample
        self.raw, self.batches = log.raw, log.batches
