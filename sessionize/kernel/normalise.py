"""Raw rows to canonical events, or to a reason why not (semantics, section 2). Row-local: any batch, any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
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
    (time_column,) = plan.columns[schema.TIMESTAMP]
    written = field(time_column, types)
    time = written.map_batches(
        lambda values: instant(values, plan.time, plan.timezone), return_dtype=pl.Int64, is_elementwise=True
    )
    known = [pl.col(role).is_not_null() for role in (schema.SESSION_ID, schema.PROFILE_ID) if role in columns]
    return (
        raw.select(schema.FILE, schema.ROW, schema.FAULT, _blank=_is_blank(written, types.get(time_column)),
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
    """A column by its name; ``a.b`` reaches into a struct or a column of JSON text."""
    if name in types:
        return pl.col(name)
    root, *path = name.split(".")
    for size in range(len(path), 0, -1):
        root = ".".join([name.split(".", maxsplit=1)[0], *path[: size - 1]])
        if root in types:
            return _inside(pl.col(root), types[root], path[size - 1 :])
    return pl.col(name)


def _inside(column: pl.Expr, dtype: pl.DataType, path: list[str]) -> pl.Expr:
    kind: object = dtype
    for place, step in enumerate(path):
        if not isinstance(kind, pl.Struct):
            return column.str.json_path_match("$" + "".join(map(_step, path[place:])))
        column, kind = column.struct.field(step), dict(kind).get(step)
    return column


def _step(key: str) -> str:
    """A key as a step of a JSON path."""
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


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
