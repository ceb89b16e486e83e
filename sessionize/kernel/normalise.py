"""Raw rows to canonical events, or to a reason why not (semantics, section 2). Row-local: any batch, any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize import schema, sql
from sessionize.config import Plan
from sessionize.kernel.amounts import amount
from sessionize.kernel.dictionaries import CODED
from sessionize.kernel.epochs import OUT_OF_RANGE
from sessionize.kernel.keys import key_text
from sessionize.kernel.own import own_columns, with_goals
from sessionize.kernel.privacy import is_hidden
from sessionize.kernel.references import BLANKS, field, field_type, filled, text
from sessionize.kernel.texts import TEXTS, joined
from sessionize.kernel.timestamps import by_layout, instant
from sessionize.sql_words import adapted

REASONS: Final = pl.Enum(schema.REASONS)
LONGEST_ADDED: Final = len("s:") + len(".-62135596800000000")
"""Bytes that a session's id may have beside its key's text: a mark, and a start of the year 1."""
ID_COLUMNS: Final = {schema.SESSION_ID: "source_id", schema.PROFILE_ID: schema.PROFILE_ID}
"""Names of a session's ids, by the roles that they come from."""
CLOCK: Final = r"^\s*\d{1,2}:\d\d"
MIDNIGHT: Final = r"[T ](?:00:00(?::00(?:[.,]0+)?)?|12:00(?::00)?\s*[Aa]\.?[Mm]\.?)\s*(?:Z|[+-]\d\d:?\d\d)?\s*$"
NO_DATE: Final = r"^\s*(?:1899-12-3[01]|1900-01-0[01]|1970-01-01|0001-01-01)[T ]"
"""A day that stands for none, before a time of day: Access, spreadsheets, JavaScript and .NET write it."""
"""What a table's column of times puts behind a date: nothing, where the time of day stands in a column of its own."""
Types = Mapping[str, pl.DataType]


def normalise(raw: pl.LazyFrame, types: Types, plan: Plan) -> pl.LazyFrame:
    """Canonical columns of every row, and why it is not an event.

    Args:
        raw: Rows as the reader gives them: FILE, ROW, FAULT and the log's columns.
        types: Type of each of the log's columns.
        plan: Which column plays which role, and how times are written.

    Returns:
        FILE, ROW, REASON (null: an event) and a column for each role the plan has, ``property.*``, ``trait.*`` and
        ``split.*``; UNREAD where amounts are texts, LAYOUT where several time formats are tried. Texts keep their bytes,
        but blank ones are null, in every one of these columns.
    """
    if plan.where is not None:
        where = sql.expression(adapted(plan.where, types, plan.timezone), "--where")
        raw = raw.filter(where | pl.col(schema.FAULT).is_not_null())
    columns = {role: _role(role, names, types) for role, names in plan.columns.items() if role != schema.TIMESTAMP}
    if schema.VALUE in columns and field_type(plan.columns[schema.VALUE][0], types) in TEXTS:
        written_amount = text(plan.columns[schema.VALUE][0], types)
        columns[schema.VALUE] = amount(written_amount, plan.amounts)
        columns[schema.UNREAD] = pl.when(columns[schema.VALUE].is_null()).then(filled(written_amount))
    elif schema.VALUE in columns and (field_type(plan.columns[schema.VALUE][0], types) or pl.Null()).is_float():
        endless = field(plan.columns[schema.VALUE][0], types).is_infinite()  # no amount; NaN stands for none
        columns[schema.UNREAD] = pl.when(endless).then(pl.lit("inf"))
    columns |= {schema.PROPERTY_PREFIX + name: _property(name, types, plan) for name in plan.properties}
    columns |= {schema.TRAIT_PREFIX + name: field(name, types) for name in plan.traits}
    columns |= _splits(types, plan)
    columns |= own_columns(types, plan)
    raw = with_goals(raw, types, plan)
    written, _ = time_text(plan.columns[schema.TIMESTAMP], types)
    chosen = raw.select(schema.FILE, schema.ROW, schema.FAULT, **columns, **{schema.TIMESTAMP: written})
    result = {name: dtype for name, dtype in chosen.collect_schema().items() if name != schema.FAULT}
    result |= {schema.TIMESTAMP: pl.Datetime("us", "UTC"), schema.REASON: REASONS}
    result |= {schema.LAYOUT: pl.UInt8()} if plan.time.formats else {}
    # A function of whole batches, as it can see cheaply that nothing in one is blank, unreadable or without a key.
    return chosen.map_batches(lambda rows: _normalised(rows, plan), streamable=True, schema=pl.Schema(result))


def _normalised(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Some rows with their chosen columns; texts not yet looked at, times as they are written."""
    written, fault = rows[schema.TIMESTAMP], rows[schema.FAULT]
    names = [name for name in plan.columns if name not in (schema.TIMESTAMP, schema.VALUE)]
    counted: list[pl.Series] = []
    names += [schema.SPLIT_PREFIX + name for name in plan.rules.split_names if name not in plan.derived_splits]
    names += [name for name in _carried(plan) if isinstance(rows.schema[name], TEXTS)]
    texts = {name: without_blanks(rows[name]) for name in names}
    if plan.time.formats:
        micros, *counted = by_layout(written, plan.time, plan.timezone)
    else:
        micros = instant(written, plan.time, plan.timezone)
    keys = [texts[role] for role in schema.KEY_ROLES if role in texts]
    reason = _reason(fault, written, micros, keys)
    if plan.hash_key is None:  # a digest is never too long
        reason = _too_long(reason, micros, {role: texts[role] for role in schema.KEY_ROLES if role in texts}, plan)
    time = micros.cast(pl.Datetime("us", "UTC")).alias(schema.TIMESTAMP)
    return rows.drop(schema.FAULT).with_columns(*texts.values(), time, reason, *counted)


def plain_texts(types: Types, plan: Plan) -> dict[str, str]:
    """Roles of which codes are held, with the column that plays each: those that a column of texts plays as it is.

    Not a session id: it has many different texts, and rows without one are rejected.
    """
    coded = {role: names for role, names in plan.columns.items() if role in CODED and role != schema.SESSION_ID}
    return {role: names[0] for role, names in coded.items() if len(names) == 1 and types.get(names[0]) == pl.String}


def _reason(fault: pl.Series, written: pl.Series, micros: pl.Series, keys: list[pl.Series]) -> pl.Series:
    """Why each row is no event; null where it is one."""
    keyed = any(not key.null_count() for key in keys)
    sound = not micros.null_count() and micros.min() != OUT_OF_RANGE
    if keyed and sound and fault.null_count() == len(fault):
        return fault.alias(schema.REASON)
    held = pl.DataFrame({"fault": fault, "written": written, "micros": micros}).with_columns(
        has_key=pl.Series(_any_there(keys))
    )
    time = pl.col("micros")
    return held.select(
        pl.coalesce(
            pl.col("fault"),
            pl.when(_is_blank(written.dtype)).then(_as_reason("null_timestamp")),
            pl.when(time.is_null()).then(_as_reason("bad_timestamp")),
            pl.when(time == OUT_OF_RANGE).then(_as_reason("timestamp_out_of_range")),
            pl.when(~pl.col("has_key")).then(_as_reason("no_session_key")),
        ).alias(schema.REASON)
    ).to_series()


def _too_long(reason: pl.Series, micros: pl.Series, keys: Mapping[str, pl.Series], plan: Plan) -> pl.Series:
    """The reasons, with that of rows that could begin a session whose id is longer than any may be."""
    most = max((int(key.str.len_bytes().max() or 0) for key in keys.values()), default=0)  # type: ignore[arg-type]
    if most + LONGEST_ADDED <= schema.LONGEST_ID:
        return reason
    nobody = pl.repeat(None, len(reason), dtype=pl.String, eager=True)
    ids = pl.DataFrame({name: keys.get(role, nobody) for role, name in ID_COLUMNS.items()})
    size = key_text(ids).str.len_bytes()
    if not plan.rules.none_in_force:
        size = size + 1 + micros.cast(pl.String).str.len_bytes()
    held = pl.DataFrame({"reason": reason, "long": size > schema.LONGEST_ID})
    found = pl.when(pl.col("long")).then(_as_reason("id_too_long"))
    return held.select(pl.coalesce("reason", found).alias(schema.REASON)).to_series()


def _carried(plan: Plan) -> list[str]:
    """Columns of properties and traits."""
    return [schema.PROPERTY_PREFIX + name for name in plan.properties] + [
        schema.TRAIT_PREFIX + name for name in plan.traits
    ]


def _any_there(columns: list[pl.Series]) -> pl.Series:
    there = [column.is_not_null() for column in columns]
    return there[0] if len(there) == 1 else there[0] | there[1]


def _is_blank(dtype: pl.DataType) -> pl.Expr:
    written = pl.col("written")
    if dtype not in TEXTS:
        return written.is_null()
    written = written.cast(pl.String)
    return written.is_null() | (written.str.strip_chars(BLANKS).str.len_bytes() == 0)


def _as_reason(name: str) -> pl.Expr:
    return pl.lit(name, dtype=REASONS)


def _role(role: str, names: tuple[str, ...], types: Types) -> pl.Expr:
    if role == schema.VALUE:
        number = field(names[0], types).cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    return text(names[0], types) if len(names) == 1 else _joined(names, types)


def _property(name: str, types: Types, plan: Plan) -> pl.Expr:
    """A property; as the text that is made private later, where it is one to be made so."""
    return filled(text(name, types)) if name in plan.guarded and is_hidden(name, plan) else field(name, types)


def _splits(types: Types, plan: Plan) -> dict[str, pl.Expr]:
    """The columns and roles whose values may split; what the row tells beside them is no matter here."""
    chosen = {name: plan.splits.get(name, (name,)) for name in plan.rules.split_names}
    return {
        schema.SPLIT_PREFIX + name: text(columns[0], types) if len(columns) == 1 else _joined(columns, types)
        for name, columns in chosen.items()
        if columns
    }


def _joined(names: tuple[str, ...], types: Types) -> pl.Expr:
    """Several columns as one id; null where one of them is null or blank."""
    return joined(*(filled(text(name, types)) for name in names))


def time_text(names: tuple[str, ...], types: Types) -> tuple[pl.Expr, pl.DataType | None]:
    """The written time and its type; of several columns (a date and a time of day) one text, a blank between."""
    if len(names) == 1 and not isinstance(dtype := field_type(names[0], types), pl.Duration):
        return field(names[0], types), dtype
    first, *others = (filled(text(name, types)) for name in names)
    if others:
        others[0] = others[0].str.replace(NO_DATE, "")
        first = pl.when(others[0].str.contains(CLOCK)).then(first.str.replace(MIDNIGHT, "")).otherwise(first)
    return pl.concat_str(first, *others, separator=" "), pl.String()


def without_blanks(texts: pl.Series) -> pl.Series:
    """The column with blank texts as nulls.

    Returns:
        A column of the same type and length.
    """
    # Every blank text sorts before "!": one cheap comparison spares most columns the closer look.
    plain = texts if texts.dtype == pl.String else texts.cast(pl.String)
    if not (plain < "!").any():
        return texts
    return pl.select(pl.when(plain.str.strip_chars(BLANKS) != "").then(texts).alias(texts.name)).to_series()
