"""Raw rows to canonical events, or to a reason why not (semantics, section 2). Row-local: any batch, any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel import reach
from sessionize.kernel.keys import dictionary
from sessionize.kernel.timestamps import OUT_OF_RANGE, instant

REASONS: Final = pl.Enum(schema.REASONS)
BLANKS: Final = " \t\n\r\v\f"
ID_SEPARATOR: Final = "|"
"""Between the columns that are an id together; escaped inside them, so that no two ids share a text."""
Types = Mapping[str, pl.DataType]


def normalise(raw: pl.LazyFrame, types: Types, plan: Plan) -> pl.LazyFrame:
    """Canonical columns of every row, and why it is not an event.

    Args:
        raw: Rows as the reader gives them: FILE, ROW, FAULT and the log's columns.
        types: Type of each of the log's columns.
        plan: Which column plays which role, and how times are written.

    Returns:
        FILE, ROW, REASON (null: an event) and a column for each role the plan has, ``property.*``, ``trait.*`` and
        ``split.*``. Texts keep their bytes, but blank ones are null.
    """
    if plan.where is not None:
        raw = raw.filter(pl.sql_expr(plan.where) | pl.col(schema.FAULT).is_not_null())
    columns = {role: _role(role, names, types) for role, names in plan.columns.items() if role != schema.TIMESTAMP}
    columns |= {schema.PROPERTY_PREFIX + name: field(name, types) for name in plan.properties}
    columns |= {schema.TRAIT_PREFIX + name: field(name, types) for name in plan.traits}
    columns |= {schema.SPLIT_PREFIX + name: text(name, types) for name in plan.rules.split_on}
    written, written_type = time_text(plan.columns[schema.TIMESTAMP], types)
    time = written.map_batches(
        lambda values: instant(values, plan.time, plan.timezone), return_dtype=pl.Int64, is_elementwise=True
    )
    known = [pl.col(role).is_not_null() for role in (schema.SESSION_ID, schema.PROFILE_ID) if role in columns]
    return (
        raw.select(schema.FILE, schema.ROW, schema.FAULT, _blank=_is_blank(written, written_type),
                   **columns, **{schema.TIMESTAMP: time})
        .with_columns(_reason(pl.any_horizontal(known)).alias(schema.REASON))
        .with_columns(pl.col(schema.TIMESTAMP).cast(pl.Datetime("us", "UTC")))
        .drop(schema.FAULT, "_blank")
    )  # fmt: skip


def _is_blank(written: pl.Expr, dtype: pl.DataType | None) -> pl.Expr:
    if dtype != pl.String:
        return written.is_null()
    return written.is_null() | (written.str.strip_chars(BLANKS).str.len_bytes() == 0)


def _reason(has_key: pl.Expr) -> pl.Expr:
    time = pl.col(schema.TIMESTAMP)
    return pl.coalesce(
        pl.col(schema.FAULT),
        pl.when("_blank").then(_as_reason("null_timestamp")),
        pl.when(time.is_null()).then(_as_reason("bad_timestamp")),
        pl.when(time == OUT_OF_RANGE).then(_as_reason("timestamp_out_of_range")),
        pl.when(~has_key).then(_as_reason("no_session_key")),
    )


def _as_reason(name: str) -> pl.Expr:
    return pl.lit(name, dtype=REASONS)


def _role(role: str, names: tuple[str, ...], types: Types) -> pl.Expr:
    if role == schema.VALUE:
        return field(names[0], types).cast(pl.Float64, strict=False)
    found = text(names[0], types) if len(names) == 1 else _joined(names, types)
    return found.cast(dictionary()) if role in (schema.SESSION_ID, schema.PAGE, schema.EVENT_TYPE) else found


def _joined(names: tuple[str, ...], types: Types) -> pl.Expr:
    """Several columns as one id; null where one of them is."""
    escaped = (
        text(name, types)
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all(ID_SEPARATOR, f"\\{ID_SEPARATOR}", literal=True)
        for name in names
    )
    return pl.concat_str(*escaped, separator=ID_SEPARATOR)


def field(name: str, types: Types) -> pl.Expr:
    """A column by its name; ``a.b`` reaches into a struct or a column of JSON text; see `reach` for more."""
    if name in types:
        return pl.col(name)
    parts = reach.alternatives(name)
    if len(parts) > 1 or reach.fixed(name) is not None:
        return _first_of(parts, types)
    if (keyed := reach.keyed(name)) is not None and (dtype := field_type(keyed[0], types)) is not None:
        found = reach.value_of(field(keyed[0], types), dtype, *keyed[1:])
        if found is not None:
            return found
    root, *path = name.split(".")
    for size in range(len(path), 0, -1):
        root = ".".join([name.split(".", maxsplit=1)[0], *path[: size - 1]])
        if root in types:
            return _inside(pl.col(root), types[root], path[size - 1 :])
    return pl.col(name)


def _first_of(parts: list[str], types: Types) -> pl.Expr:
    """The first of several that is not null, those that the log has not left out."""
    there = [part for part in parts if reach.fixed(part) is None and field_type(part, types) is not None]
    fixed = [each for part in parts if (each := reach.fixed(part)) is not None]
    kinds = {field_type(part, types) for part in there}
    if len(kinds) == 1 and pl.String not in kinds and not fixed:
        return pl.coalesce(field(part, types) for part in there)
    if not there:
        # A bare literal would be one row, not one for each of the log's.
        first = pl.col(next(iter(types))).is_null()
        return pl.when(first).then(pl.lit(fixed[0])).otherwise(pl.lit(fixed[0])) if fixed else pl.col(parts[0])
    return pl.coalesce(*(text(part, types) for part in there), *(pl.lit(each) for each in fixed))


def time_text(names: tuple[str, ...], types: Types) -> tuple[pl.Expr, pl.DataType | None]:
    """The written time and its type; of several columns (a date and a time of day) one text, a blank between."""
    if len(names) == 1:
        return field(names[0], types), field_type(names[0], types)
    return pl.concat_str(*(text(name, types) for name in names), separator=" "), pl.String()


def _inside(column: pl.Expr, dtype: pl.DataType, path: list[str]) -> pl.Expr:
    if not isinstance(dtype, pl.Struct):
        return column.str.json_path_match("$" + "".join(f"['{step}']" for step in path))
    for step in path:
        column = column.struct.field(step)
    return column


def field_type(name: str, types: Types) -> pl.DataType | None:
    """Type of what `field` finds; None where there is no such column."""
    found = pl.DataFrame(schema=dict(types)).lazy().select(field(name, types).alias("found"))
    try:
        return found.collect_schema()["found"]
    except pl.exceptions.PolarsError:
        return None


def text(name: str, types: Types) -> pl.Expr:
    """A column as text, every digit and byte kept; blank is null."""
    dtype = field_type(name, types)
    column = field(name, types)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if dtype != pl.String:
        return column.cast(pl.String)
    return column.map_batches(_without_blanks, return_dtype=pl.String, is_elementwise=True)


def _without_blanks(texts: pl.Series) -> pl.Series:
    # Every blank text sorts before "!": one cheap comparison spares most columns the closer look.
    if not (texts < "!").any():
        return texts
    return pl.select(pl.when(texts.str.strip_chars(BLANKS) != "").then(texts)).to_series()
