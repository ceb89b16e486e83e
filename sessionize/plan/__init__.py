"""From what was asked to what it means for this log: which column is which, how times are written. Log-global.

Columns are found by their names, and by what the log's first rows say of their values: the same every time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from sessionize import schema
from sessionize.config import AmountStyle, Config, Plan
from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.kernel.references import field_type
from sessionize.kernel.texts import TEXTS
from sessionize.own import OwnType
from sessionize.plan.amounts import inside, style
from sessionize.plan.checks import check_enrichment, check_zone, checked_where
from sessionize.plan.evidence import Evidence, Sample, Types
from sessionize.plan.named import check_exists, condition
from sessionize.plan.names import listed, option
from sessionize.plan.own import own_of
from sessionize.plan.roles import Roles
from sessionize.plan.splits import splits
from sessionize.values import NamedTuple

__all__ = ["Known", "condition", "listed", "option", "resolve", "told_by"]


class Known(NamedTuple):
    """What the nights before have found: it holds for this one too, whatever its own first rows look like.

    Attributes:
        columns: Role → its columns, or none where its name was found and its values did not bear it out.
        amounts: How amounts are written; None where they were in no way of their own.
        own: Column that a user adds → its type.
    """

    columns: Mapping[str, str | Sequence[str]]
    amounts: AmountStyle | None = None
    own: Mapping[str, OwnType] = {}


def resolve(config: Config, types: Types, sample: Sample, known: Known | None = None) -> Plan:
    """What the configuration means for a log with these columns.

    Args:
        config: What was asked for.
        types: Type of each of the log's columns.
        sample: Gives a column of the log's first rows.
        known: What the nights before have found.

    Raises:
        UsageError: If a column is missing or ambiguous, or its values are not what its name says; a zone or a time
            format is not known.
    """
    check_zone(config.timezone)
    evidence = Evidence(types, sample)
    found = Roles(config, types, evidence, {} if known is None else known.columns).choice()
    columns = dict(found.columns)
    check_enrichment(config, columns)
    addresses = columns.get(schema.IP, ())
    by_role = dict(columns)
    if config.ip == "drop" and config.geo_db is None:
        columns.pop(schema.IP, None)
    for name in config.properties:
        check_exists(name, types, "--property")
    for name in config.traits:
        check_exists(name, types, "--trait")
    told = enrichment_of(config, columns)
    plan = Plan(
        columns=columns,
        time=found.time,
        timezone=config.timezone,
        rules=config.rules,
        splits=splits(config.rules, by_role, types, channels=told["channels"], optional=config.optional_splits),
        page_views=config.page_views,
        conversions=config.conversions,
        properties=config.properties,
        traits=config.traits,
        addresses=addresses,
        where=checked_where(config, types, evidence.sample),
        until=config.until,
        off=found.off,
        notes=found.notes,
        time_hint=found.time_hint,
        time_more=found.time_more,
        **told,
    )
    held, given = None if known is None else known.amounts, bool(config.chosen(schema.VALUE))
    plan = _with_amounts(plan, types, evidence, held, given=given)
    return replace(plan, own=own_of(config, plan, types, evidence.sample, {} if known is None else known.own))


def enrichment_of(config: Config, columns: Collection[str]) -> dict[str, Any]:
    """The parts of a plan that say what rows tell beside their columns, by the names of its fields."""
    return {
        "preset": None if config.preset is None else config.preset.name,
        "layout": config.layout,
        "page_path": config.page_path,
        "channels": config.channels and schema.CHANNEL not in columns,
        "own_hosts": config.own_hosts,
        "agents": schema.USER_AGENT in columns and agents.installed(),
        "exclude_bots": config.exclude_bots,
        "ip": config.ip,
        "hash_key": config.hash_key,
        "nulls": config.nulls,
    }


def _with_amounts(plan: Plan, types: Types, evidence: Evidence, known: AmountStyle | None, *, given: bool) -> Plan:
    """The plan with how amounts are written, and where they stand in an object.

    Raises:
        UsageError: If the column was given, and holds no amounts.
    """
    name = plan.columns.get(schema.VALUE, ("",))[0]
    if not name:
        return plan
    if (found := inside(name, evidence)) is not None:
        name = found
        plan = replace(plan, columns={**plan.columns, schema.VALUE: (name,)})
    dtype = field_type(name, types)
    if dtype is not None and not (dtype.is_numeric() or dtype in (*TEXTS, pl.Boolean, pl.Null)):
        return _without_amounts(plan, name, dtype, given=given)
    found, sure = style(name, evidence) if dtype in TEXTS else (plan.amounts, False)
    return replace(plan, amounts=known or found, amounts_found=known is not None or sure)


def _without_amounts(plan: Plan, name: str, dtype: pl.DataType, *, given: bool) -> Plan:
    """The plan without a column that has the name of amounts, and holds none."""
    if given:
        first = (
            f"--map 'value={name}[0]' takes the first of each" if isinstance(dtype, pl.List) else option(schema.VALUE)
        )
        raise UsageError(f"column {name!r} cannot be the value: it holds {dtype}", hint=first)
    columns = {role: names for role, names in plan.columns.items() if role != schema.VALUE}
    return replace(plan, columns=columns, off=(*plan.off, schema.VALUE))
