"""What a preset says of the raw columns: lists cut into rows, texts that mean null, the visitor. Row-local."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, cast
from urllib.parse import unquote

import polars as pl

from sessionize import schema, sql
from sessionize.kernel.references import as_text, in_log, resolved
from sessionize.preset import VISITOR, Preset

VISITOR_BYTES: Final = 16


def shaped(
    raw: pl.LazyFrame, types: Mapping[str, pl.DataType], preset: Preset | None, nulls: Collection[str] = ()
) -> pl.LazyFrame:
    """The rows with null where the preset's texts mean it, decoded texts, and a ``visitor`` column if it names one.

    Args:
        raw: Rows as the reader gives them.
        types: Type of each of the log's columns.
        preset: Columns it names that the log has not are passed over.
        nulls: Texts that mean null in every column, whatever its type.
    """
    if preset is not None:
        raw, types = _exploded(raw, dict(types), preset.explode)
    if nulls:
        raw = raw.with_columns(_without(types, dict.fromkeys(types, nulls)))
    return raw if preset is None else _read_by(preset, raw, dict(types))


def _read_by(preset: Preset, raw: pl.LazyFrame, types: dict[str, pl.DataType]) -> pl.LazyFrame:
    raw, types = _with_named(raw, types, preset.where)
    everywhere = preset.nulls.get("*", ())
    own = {in_log(name, types): meant for name, meant in preset.nulls.items()}
    raw = raw.with_columns(_without(types, {name: (*everywhere, *own.get(name, ())) for name in types}))
    texts = [name for name, dtype in types.items() if dtype == pl.String]
    decoded = [name for each in preset.decode if (name := in_log(each, types)) in texts]
    if decoded:
        raw = raw.with_columns(_mapped(pl.col(name), _decoded) for name in decoded)
    found = [resolved(name, types) for name in preset.visitor]
    if VISITOR in types or not any(found):
        return raw
    # What the log has not is as what is null, so that a visitor is the same one in a night that has the column.
    nothing = pl.lit(None, dtype=pl.String)
    there = [nothing if each is None else as_text(each.column, each.dtype) for each in found]
    values = pl.concat_str(pl.format("{}:{}", part.fill_null("").str.len_bytes(), part.fill_null("")) for part in there)
    known = pl.any_horizontal(part.is_not_null() for part in there)
    return raw.with_columns(pl.when(known).then(_mapped(values, _digest)).alias(VISITOR))


def _exploded(
    raw: pl.LazyFrame, types: dict[str, pl.DataType], lists: Sequence[str]
) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """A row for each element of lists inside one another, each with its line's place; each element in a column."""
    inside = ""
    for name in lists:
        there = resolved(f"{inside}.{name}" if inside else name, types)
        if there is None:
            break
        is_list = isinstance(there.dtype, pl.List)
        values = there.column if is_list else there.column.map_batches(_elements, return_dtype=pl.List(pl.String))
        raw = raw.with_columns(values.alias(name)).explode(name, empty_as_null=False)
        types[name] = cast("pl.DataType", there.dtype.inner) if isinstance(there.dtype, pl.List) else pl.String()
        inside = name
    return raw, types


def _with_named(
    raw: pl.LazyFrame, types: dict[str, pl.DataType], where: str | None
) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """The columns that a condition asks for by other spellings than the log's; null where the log has none.

    Of an object whose fields are columns of their own (``request.uri``) it is known where there is one.
    """
    names = [] if where is None else sql.expression(where, "the preset's where").meta.root_names()
    for name in dict.fromkeys(names):
        own = in_log(name, types)
        if own is None:
            inside = [pl.col(each).is_not_null() for each in types if each.casefold().startswith(f"{name}.".casefold())]
            value = pl.when(pl.any_horizontal(inside)).then(pl.lit("{}")) if inside else pl.lit(None, dtype=pl.String)
            raw = raw.with_columns(value.alias(name))
        elif own != name:
            raw = raw.with_columns(pl.col(own).alias(name))
        types[name] = pl.String() if own is None else types[own]
    return raw, types


def _elements(texts: pl.Series) -> pl.Series:
    """The elements of JSON lists, each as it is written; what is no list is the only element of one."""
    return pl.Series(texts.name, [None if text is None else _cut(text) for text in texts], dtype=pl.List(pl.String))


def _cut(text: str) -> list[str]:
    decoder, found, at = json.JSONDecoder(), [], len(text) - len(text.lstrip())
    if text[at : at + 1] != "[":
        return [text]
    try:
        while (at := _next(text, at + 1)) < len(text) and text[at] != "]":
            _, end = decoder.raw_decode(text, at)
            found.append(text[at:end])
            at = _next(text, end)
    except ValueError:
        return [text]
    return found


def _next(text: str, at: int) -> int:
    """The place of the next character that is no blank."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _without(types: Mapping[str, pl.DataType], nulls: Mapping[str, Collection[str]]) -> Iterator[pl.Expr]:
    """The log's own columns in which such texts can stand, with null in place of them, or of the numbers they write."""
    for name, dtype in types.items():
        if name in (schema.FILE, schema.ROW, schema.FAULT):
            continue
        of_text = dtype in (pl.String, pl.Binary, pl.Categorical, pl.Enum)
        meant = [each for each in nulls[name] if of_text or (dtype.is_numeric() and _is_number(each))]
        if meant:
            yield pl.when(~as_text(pl.col(name), dtype).is_in(meant)).then(name).alias(name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _mapped(texts: pl.Expr, function: Callable[[str], str]) -> pl.Expr:
    return texts.map_batches(lambda values: distinctly(values, function), return_dtype=pl.String, is_elementwise=True)


def distinctly(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """A function of each text, called once for each different one; null stays null.

    Returns:
        A String column, one value for each text.
    """
    different = texts.unique().drop_nulls()
    found = pl.Series([function(text) for text in different], dtype=pl.String)
    return texts.replace_strict(different, found, default=None, return_dtype=pl.String)


def _decoded(text: str) -> str:
    # Some writers encode twice: what still holds %20 and no blank was one of them.
    once = unquote(text)
    return unquote(once) if "%20" in once and " " not in once else once


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=VISITOR_BYTES).hexdigest()
