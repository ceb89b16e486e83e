"""References to what stands deeper in a row than in a column: rows of key and value, first of several, fixed texts.

``event_params[ga_session_id]`` is the value under a key, in a list of objects with ``key`` and ``value``;
``contexts[0].session_id`` a field of a list's first object; ``user_id ?? anonymous_id ?? 'nobody'`` the first that is
not null. Row-local.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

FIRST_OF: Final = " ?? "
KEYED: Final = re.compile(r"^(?P<list>.+)\[(?P<key>[^\[\]]+)\](?P<rest>(?:\..+)?)$")
FIXED: Final = re.compile(r"^'(.*)'$")
VALUE_FIELDS: Final = ("string_value", "int_value", "float_value", "double_value")
"""Fields of a GA4 parameter's value, of which one is set."""


def alternatives(name: str) -> list[str]:
    """The references of which the first that is not null counts; one for a plain reference."""
    return [part.strip() for part in name.split(FIRST_OF)]


def fixed(name: str) -> str | None:
    """The text of a quoted reference; None for any other.

    Examples:
        >>> fixed("'page'"), fixed("page")
        ('page', None)
    """
    found = FIXED.match(name)
    return found.group(1) if found else None


def keyed(name: str) -> tuple[str, str, str] | None:
    """Column, key and further path of a reference such as ``event_params[page].string_value``."""
    found = KEYED.match(name)
    return (found["list"], found["key"], found["rest"].removeprefix(".")) if found else None


def value_of(column: pl.Expr, dtype: pl.DataType, key: str, rest: str) -> pl.Expr | None:
    """The value under a key, or at a place counted from 0, as text; None where the type has no such thing.

    Args:
        column: A list of structs with ``key`` and ``value``, or JSON text of one.
        dtype: Type of the column.
        key: Key to look for, of which the first one counts; or a place, counted from 0.
        rest: A field of the value, where it is an object; empty: the first of VALUE_FIELDS that is set.
    """
    if dtype == pl.String:
        return _in_json(column, key, rest)
    if not isinstance(dtype, pl.List) or not isinstance(dtype.inner, pl.Struct):
        return None
    types = dtype.inner.to_schema()
    if key.isdigit():
        return column.list.get(int(key), null_on_oob=True).struct.field(rest).cast(pl.String) if rest in types else None
    if "key" not in types or "value" not in types:
        return None
    has_key = pl.element().struct.field("key") == key
    found = column.list.eval(pl.when(has_key).then(pl.element().struct.field("value")).drop_nulls()).list.first()
    if not isinstance(types["value"], pl.Struct):
        return found.cast(pl.String)
    inner = list(types["value"].to_schema())
    wanted = [rest] if rest else [name for name in VALUE_FIELDS if name in inner] or inner
    return pl.coalesce(found.struct.field(name).cast(pl.String) for name in wanted)


def _in_json(column: pl.Expr, key: str, rest: str) -> pl.Expr:
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    if key.isdigit():
        return column.str.json_path_match(f"$[{key}]['{rest}']" if rest else f"$[{key}]")
    root = f"$[?(@.key=='{quoted}')].value"
    if rest:
        return column.str.json_path_match(f"{root}.{rest}")
    return pl.coalesce(column.str.json_path_match(f"{root}.{name}") for name in VALUE_FIELDS)
