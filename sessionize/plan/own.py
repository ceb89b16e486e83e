"""What the columns that a user adds to the metrics mean for this log: which columns they take, and of which types they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

import polars as pl

from sessionize import sql
from sessionize.config import Config, Own, Plan
from sessionize.errors import UsageError
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.kernel.own import LARGEST, SESSION, TAKEN, exact, plain_type, used
from sessionize.kernel.privacy import is_address
from sessionize.kernel.references import field_type
from sessionize.own import OwnKind, OwnType
from sessionize.plan.evidence import Sample, Types
from sessionize.plan.named import check_exists
from sessionize.plan.names import listed

A_NUMBER: Final = r"^\s*[+-]?(?:0|[1-9]\d*)(?:\.\d+)?\s*$"
"""No number with zeros before it, which is a code: a postcode."""
FITS: Final = "a value that does not fit: TRY_CAST gives null in its place"


def own_of(config: Config, plan: Plan, types: Types, sample: Sample, known: Mapping[str, OwnType]) -> tuple[Own, ...]:
    """The columns that are asked for, dimensions first, then metrics, then goals.

    Args:
        config: What was asked for.
        plan: What it means for the log, but for these.
        types: Type of each of the log's columns.
        sample: Gives a column of the log's first rows.
        known: Name → type, as the nights before have found.

    Raises:
        UsageError: If a name is taken, the log lacks a column, or SQL is none that makes one value of a session's events.
    """
    kinds: tuple[tuple[OwnKind, Mapping[str, str]], ...] = (
        ("dimension", config.dimensions), ("metric", config.metrics), ("goal", config.goals),
    )  # fmt: skip
    for kind, asked in kinds:
        for name, text in asked.items():
            _check_name(kind, name, text, types)
    dimensions = tuple(_dimension(name, text, plan, types, sample) for name, text in config.dimensions.items())
    named = {own.name: own.uses[own.name] for own in dimensions}
    goals = tuple(_goal(name, text, plan, types, named) for name, text in config.goals.items())
    found = (*dimensions, *_metrics(config.metrics, plan, types, named, sample, known), *goals)
    _try(found, types, replace(plan, own=found), sample)
    return tuple(_as_known(own, known, types, plan, sample) for own in found)


def _check_name(kind: str, name: str, text: str, types: Types) -> None:
    if kind == "dimension" and text in METRIC_NAMES and field_type(text, types) is None:
        raise UsageError(f"--dimension {name}: the metrics have {text!r} without being asked", hint="leave it out")
    if name not in TAKEN:
        return
    raise UsageError(
        f"--{kind} {name}: the name is taken, by a column of the metrics or the events",
        hint=f"another name: --{kind} {shlex.quote(f'my_{name}={text}')}",
    )


def _dimension(name: str, text: str, plan: Plan, types: Types, sample: Sample) -> Own:
    origin = f"--dimension {name}"
    reference = _reference(text, plan, types, {})
    if reference is None:
        check_exists(text, types, "--dimension")
        reference = text
    _check_private(reference, plan, origin)
    dtype = _frame({name: used(reference, types, plan)}, types)[name]
    kind = plain_type(dtype)
    if dtype == pl.UInt64 and (sample(used(reference, types, plan)) > LARGEST).any():
        kind = "string"  # so that no digit is lost
    return Own(name=name, kind="dimension", text=text, dtype=kind, uses={name: reference})


def _reference(name: str, plan: Plan, types: Types, named: Mapping[str, str]) -> str | None:
    """What a name in SQL stands for: a column of the log, else a role or a dimension; None where it is none of these."""
    if field_type(name, types) is not None:
        return name
    role = plan.columns.get(name, ())
    return role[0] if len(role) == 1 else named.get(name)


def _check_private(reference: str, plan: Plan, origin: str) -> None:
    if plan.ip == "drop" and is_address(reference, plan):
        raise UsageError(
            f"{origin}: --ip drop leaves no address", hint="--ip truncate keeps its network; or leave the column out"
        )


def _frame(columns: Mapping[str, pl.Expr], types: Types) -> pl.Schema:
    return pl.LazyFrame(schema=dict(types)).select(**columns).collect_schema()


def _uses(roots: Iterable[str], plan: Plan, types: Types, named: Mapping[str, str], origin: str) -> dict[str, str]:
    found = {}
    for name in dict.fromkeys(roots):
        reference = _reference(name, plan, types, named)
        if reference is None:
            there = [*types, *plan.columns, *named]
            near = get_close_matches(name, there, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"{origin}: the log has no column {name!r}",
                hint=f"{hint}it has {listed(types)}; a text stands in single quotes",
            )
        _check_private(reference, plan, origin)
        found[name] = reference
    return found


def _goal(name: str, text: str, plan: Plan, types: Types, named: Mapping[str, str]) -> Own:
    origin = f"--goal {name}"
    told = sql.expression(text, origin)
    uses = _uses(told.meta.root_names(), plan, types, named, origin)
    columns = {each: pl.col(each) if each in types else used(uses[each], types, plan) for each in uses}
    there = pl.DataFrame(schema=_frame(columns, types))
    with sql.as_usage_error(origin, f"a condition over {listed(types)}; CSV columns are text"):
        dtype = there.lazy().select(told.alias("told")).collect().schema["told"]
    if dtype != pl.Boolean:
        raise UsageError(
            f"{origin}: {text!r} is no condition", hint=f"for example --goal {name}=\"event_type = 'signup'\""
        )
    return Own(name=name, kind="goal", text=text, dtype="boolean", uses=uses)


def _metrics(
    wanted: Mapping[str, str], plan: Plan, types: Types, named: Mapping[str, str], sample: Sample, known: Mapping[str, OwnType]
) -> list[Own]:  # fmt: skip
    """The metrics. A text column that one of them can only take as a number is a number in all of them.

    So is one of which the least or the most is wanted, if its first values are numbers.
    """
    expressions = {name: sql.aggregate(text, f"--metric {name}") for name, text in wanted.items()}
    uses = {
        name: _uses(each.meta.root_names(), plan, types, named, f"--metric {name}")
        for name, each in expressions.items()
    }
    numbers: frozenset[str] = frozenset()
    for name, each in expressions.items():
        numbers |= _numbers(each, uses[name], plan, types)
        if known.get(name, "number") != "string":
            numbers |= _ordered(wanted[name], uses[name], plan, types, sample)
    return [
        Own(
            name=name, kind="metric", text=wanted[name], uses=uses[name], numbers=numbers & frozenset(uses[name]),
            dtype=_type(name, each, uses[name], numbers, plan, types),
        )
        for name, each in expressions.items()
    ]  # fmt: skip


def _numbers(expression: pl.Expr, uses: Mapping[str, str], plan: Plan, types: Types) -> frozenset[str]:
    """The text columns that must be numbers, so that the metric means something; none where it does as it is."""
    there = _frame({each: used(reference, types, plan) for each, reference in uses.items()}, types)
    texts = [name for name, dtype in there.items() if dtype == pl.String]
    for chosen in ([], *([name] for name in texts), texts):
        if _result(expression, there | dict.fromkeys(chosen, pl.Float64())) is not None:
            return frozenset(chosen)
    return frozenset()


def _ordered(
    text: str, uses: Mapping[str, str], plan: Plan, types: Types, sample: Sample
) -> frozenset[str]:  # fmt: skip
    """The text columns of which the least or the most is wanted, and whose first values are all numbers; none is no text."""
    there = _frame({each: used(reference, types, plan) for each, reference in uses.items()}, types)
    wanted = [
        name for name, dtype in there.items()
        if dtype == pl.String and re.search(rf'(?i)\b(?:min|max)\s*\(\s*"?{re.escape(name)}"?\s*\)', text)
    ]  # fmt: skip
    values = {name: sample(used(uses[name], types, plan)).drop_nulls() for name in wanted}
    return frozenset(name for name, each in values.items() if each.str.contains(A_NUMBER).all())


def _result(expression: pl.Expr, types: Types) -> pl.DataType | None:
    try:
        return _of_groups(expression, types)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _of_groups(expression: pl.Expr, types: Types) -> pl.DataType:
    # Of one row, though of nulls: what types do not go together is seen only where something is computed.
    seen = {name: exact(dtype) for name, dtype in types.items()}
    frame = pl.DataFrame(schema={SESSION: pl.UInt32(), **seen}).clear(1)
    return frame.lazy().group_by(SESSION).agg(expression.alias("sessionize.value")).collect().schema["sessionize.value"]


def _type(
    name: str, expression: pl.Expr, uses: Mapping[str, str], numbers: frozenset[str], plan: Plan, types: Types
) -> OwnType:
    columns = {each: used(reference, types, plan, is_number=each in numbers) for each, reference in uses.items()}
    origin = f"--metric {name}"
    with sql.as_usage_error(origin, f"over {listed(types)}; a text is made a number by CAST(x AS DOUBLE)"):
        dtype = _of_groups(expression, _frame(columns, types))
    if dtype.is_nested():
        raise UsageError(
            f"{origin}: it has a value for each event, not one for the session",
            hint=f"an aggregate: {sql.AGGREGATES}",
        )
    return plain_type(dtype)


def _try(found: Iterable[Own], types: Types, plan: Plan, sample: Sample) -> None:
    """Try what is taken of the log on its first rows."""
    for own in found:
        numbers = {each: own.uses[each] for each in own.numbers}
        for name, reference in numbers.items():
            sample(used(reference, types, plan))  # what a damaged file says is not the metric's fault
            with sql.as_usage_error(
                f"--metric {own.name}: {name!r} is not always a number",
                f"TRY_CAST({name} AS DOUBLE) in its place gives null where it is none",
            ):
                sample(used(reference, types, plan, is_number=True))
        if own.kind == "goal" and all(each in types for each in own.uses):
            with sql.as_usage_error(f"--goal {own.name}", FITS):
                sample(sql.expression(own.text, f"--goal {own.name}"))


def _as_known(own: Own, known: Mapping[str, OwnType], types: Types, plan: Plan, sample: Sample) -> Own:
    """The column with the type that it had in the nights before, where it is a wider one, or there is no value to tell."""
    before = known.get(own.name, own.dtype)
    if before == own.dtype or (before, own.dtype) == ("number", "integer"):
        return replace(own, dtype=before)
    if own.kind == "dimension" and before == "string" and field_type(own.uses[own.name], types) == pl.UInt64:
        return replace(own, dtype=before)
    values = {name: sample(used(reference, types, plan)).drop_nulls() for name, reference in own.uses.items()}
    if not values or any(len(each) for each in values.values()):
        return own
    texts = frozenset(name for name, each in values.items() if each.dtype == pl.String)
    is_number = own.kind == "metric" and before in ("number", "integer")
    return replace(own, dtype=before, numbers=texts if is_number else own.numbers)
