"""Columns that a user adds to the metrics: dimensions, metrics in SQL, and goals.

Row-local up to the events' columns ``own.*``, ``use.*`` and ``goal.*``; key-local from there to one value a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize import schema, sql
from sessionize.config import Own, Plan
from sessionize.errors import UsageError
from sessionize.kernel.amounts import amount
from sessionize.kernel.metrics import METRIC_NAMES, UTC_INSTANT
from sessionize.kernel.privacy import is_id
from sessionize.kernel.references import as_text, field, field_type, filled
from sessionize.kernel.texts import TEXTS, near_time
from sessionize.own import OwnType

TYPES: Final[Mapping[OwnType, pl.DataType]] = {
    "integer": pl.Int64(), "number": pl.Float64(), "string": pl.String(), "boolean": pl.Boolean(), "time": UTC_INSTANT,
}  # fmt: skip
LARGEST: Final = 2**63 - 1
"""The largest whole number that the outputs have as a number."""
KEPT: Final = "sessionize.kept."
SESSION: Final = "sessionize.session"
TAKEN: Final = frozenset((*METRIC_NAMES, *schema.ROLES, "position"))
"""Names that a column of the metrics, or of the annotated events, has already."""
Types = Mapping[str, pl.DataType]


def plain_type(dtype: pl.DataType) -> OwnType:
    """What values of a type are in the outputs: numbers, truth values and instants stay so, all others are texts."""
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    return "time" if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None else "string"


def plain(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column of any type as one of TYPES; blank texts are null."""
    kind = plain_type(dtype)
    if kind == "string":
        return filled(as_text(column, dtype))
    if kind == "time":
        return near_time(column, dtype).dt.convert_time_zone("UTC").cast(UTC_INSTANT)
    return column if dtype == pl.UInt64 else column.cast(TYPES[kind])


def exact(dtype: pl.DataType) -> pl.DataType:
    """The type in which a metric sees a column: sums of numbers without a sign would begin anew at 0."""
    return pl.Int128() if dtype == pl.UInt64 else dtype


def as_exact(values: pl.Series) -> pl.Series:
    """The column in that type."""
    return values.cast(exact(values.dtype)) if values.dtype == pl.UInt64 else values


def own_columns(types: Types, plan: Plan) -> dict[str, pl.Expr]:
    """The events' columns that the user's own need: name → expression over a log's rows and `with_goals`.

    Args:
        types: Type of each of the log's columns.
        plan: What is asked for.
    """
    found: dict[str, pl.Expr] = {}
    numbers = frozenset(name for own in plan.own for name in own.numbers)
    for own in plan.own:
        if own.kind == "dimension":
            dtype = field_type(own.uses[own.name], types)
            value = used(own.uses[own.name], types, plan)
            found[schema.OWN_PREFIX + own.name] = value.cast(TYPES[own.dtype]) if dtype == pl.UInt64 else value
        elif own.kind == "metric":
            found |= {
                schema.USE_PREFIX + name: used(reference, types, plan, is_number=name in numbers)
                for name, reference in own.uses.items()
            }
        else:
            found[schema.GOAL_PREFIX + own.name] = pl.col(schema.GOAL_PREFIX + own.name)
    return found


def with_goals(raw: pl.LazyFrame, types: Types, plan: Plan) -> pl.LazyFrame:
    """Rows with a column for each goal: whether the row is one.

    A goal sees a column of the log as it is, but blank texts null; and, where the log has no column of that name, a role or
    a dimension.
    """
    goals = [own for own in plan.own if own.kind == "goal"]
    if not goals:
        return raw
    uses = {name: reference for own in goals for name, reference in own.uses.items()}
    texts = [name for name in uses if types.get(name) in TEXTS]
    kept = {KEPT + name: pl.col(name) for name in texts}
    seen = {name: filled(as_text(pl.col(name), types[name])) for name in texts}
    seen |= {name: used(reference, types, plan) for name, reference in uses.items() if name not in types}
    reached = {
        schema.GOAL_PREFIX + own.name: sql.expression(own.text, f"--goal {own.name}").fill_null(value=False)
        for own in goals
    }
    found = raw.with_columns(**kept, **seen).with_columns(**reached)
    return found.with_columns(pl.col(KEPT + name).alias(name) for name in texts).drop(kept)


def used(reference: str, types: Types, plan: Plan, *, is_number: bool = False) -> pl.Expr:
    """What a reference gives, as the user's own columns see it: blank texts null, amounts as numbers.

    Args:
        reference: A column or reference of the log.
        types: Type of each of the log's columns.
        plan: Which column has the amounts, and which are ids that are to be hashed.
        is_number: Whether its texts are read as numbers; one that is none ends the run.
    """
    dtype = field_type(reference, types) or pl.String()
    column = field(reference, types)
    if plan.columns.get(schema.VALUE) == (reference,) and dtype == pl.String:
        return amount(column, plan.amounts)
    if plan.hash_key is not None and is_id(reference, plan):
        return filled(as_text(column, dtype))
    found = plain(column, dtype)
    return found.str.strip_chars().cast(pl.Float64) if is_number and plain_type(dtype) == "string" else found


def own_aggregates(rows: pl.DataFrame, events: pl.DataFrame, plan: Plan) -> list[pl.Series]:
    """The user's own columns, one value a session, in order.

    Args:
        rows: Rows of whole sessions in order of session and time: ``session``, ``row`` of the event, ``goal_<n>``.
        events: The canonical events that the rows count in.
        plan: What is asked for.
    """
    if not plan.own:
        return []
    names = [
        name for name in events.columns if name.startswith((schema.OWN_PREFIX, schema.USE_PREFIX, schema.GOAL_PREFIX))
    ]
    there = [as_exact(events[name].gather(rows["row"])).alias(name.removeprefix(schema.USE_PREFIX)) for name in names]
    frame = pl.DataFrame([rows["session"].alias(SESSION), *there])
    with sql.as_usage_error("--metric", "a value that does not fit: TRY_CAST gives null in its place"):
        found = (
            frame.lazy()
            .group_by(SESSION, maintain_order=True)
            .agg(_aggregate(own).alias(schema.OWN_PREFIX + own.name) for own in plan.own)
            .collect(engine="in-memory")
        )
    return [_cast(found[schema.OWN_PREFIX + own.name], own) for own in plan.own]


def _aggregate(own: Own) -> pl.Expr:
    if own.kind == "dimension":
        return pl.col(schema.OWN_PREFIX + own.name).first(ignore_nulls=True)
    if own.kind == "goal":
        return pl.col(schema.GOAL_PREFIX + own.name).any()
    return sql.aggregate(own.text, f"--metric {own.name}")


def _cast(values: pl.Series, own: Own) -> pl.Series:
    if own.dtype == "integer" and values.dtype == pl.Int128 and (values.abs() > LARGEST).any():
        raise UsageError(
            f"--metric {own.name}: a value of it is beyond {LARGEST:,}, the largest whole number that is written",
            hint=f"CAST({own.text} AS VARCHAR) has all its digits, CAST({own.text} AS DOUBLE) is a number",
        )
    column = plain(pl.col(values.name), values.dtype) if own.kind == "metric" else pl.col(values.name)
    return values.to_frame().select(column.cast(TYPES[own.dtype])).to_series()


def is_goal_reached(plan: Plan) -> pl.Expr | None:
    """Whether any goal is reached, over narrow rows (Boolean); None where there is no goal."""
    goals = [pl.col(f"goal_{number}") for number in range(len(goals_of(plan)))]
    return pl.any_horizontal(goals) if goals else None


def goals_of(plan: Plan) -> list[str]:
    """Names of the goals, in order."""
    return [own.name for own in plan.own if own.kind == "goal"]


def metric_columns(plan: Plan) -> list[pl.Expr]:
    """The columns of the metrics over wide rows: those of the table, then the user's own."""
    own = (pl.col(schema.OWN_PREFIX + each.name).alias(each.name) for each in plan.own)
    return [*map(pl.col, METRIC_NAMES), *own]


def dimensions(sessions: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The dimensions of wide rows, under their own names; one row a session."""
    return sessions.select(
        pl.col(schema.OWN_PREFIX + own.name).alias(own.name) for own in plan.own if own.kind == "dimension"
    )
