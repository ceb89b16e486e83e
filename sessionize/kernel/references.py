"""References (`sessionize.reference`) as expressions over a log's rows: columns, structs, lists, JSON text. Row-local."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final, cast

import polars as pl

from sessionize.errors import UsageError
from sessionize.kernel.json_text import VALUE_FIELDS, in_json
from sessionize.kernel.texts import as_plain, duration_text, is_plain, joined, number_text, plain_type, time_text
from sessionize.reference import FIRST_OF, Call, Column, FirstOf, Fixed, Reference, Step, columns_of, parse
from sessionize.values import NamedTuple

BLANKS: Final = " \t\n\r\v\f"
REQUEST: Final = r"^\s*[A-Z][A-Z_-]* (\S.*?)(?: HTTP/[0-9.]+)?\s*$"
PORTED: Final = r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}:\d+|[0-9A-Fa-f:]*::[0-9A-Fa-f:]*:\d{5}"
"""An address of version 6 with a port behind it and no brackets: one group too many, or a digit."""
ADDRESS: Final = r"^\s*(?:\[([^\]]+)\](?::\d+)?|([^:\s]+):\d+|(\S+))\s*$"
Types = Mapping[str, pl.DataType]


class Resolved(NamedTuple):
    """What a reference means in a log.

    Attributes:
        column: Values of the reference.
        dtype: Type of the values.
        written: The reference with the log's own names, without what the log has not.
        fixed: Whether no column of the log is in it, so that it is the same in every log.
    """

    column: pl.Expr
    dtype: pl.DataType
    written: str
    fixed: bool = False


def resolved(name: str, types: Types) -> Resolved | None:
    """What a reference means in a log with these columns; None where the log has none of its columns.

    Raises:
        UsageError: If the text is no reference.
    """
    if name in types:
        return Resolved(pl.col(name), types[name], name)
    return _resolved(parse(name), types)


def field(name: str, types: Types) -> pl.Expr:
    """The values of a reference; a column that is not there, where the log has none of its columns."""
    there = resolved(name, types)
    return pl.col(name) if there is None else there.column


def field_type(name: str, types: Types) -> pl.DataType | None:
    """Type of what `field` finds; None where there is no such column."""
    there = resolved(name, types)
    return None if there is None else there.dtype


def text(name: str, types: Types) -> pl.Expr:
    """A reference's values as text, every digit and byte kept; a number that is none is null."""
    there = resolved(name, types)
    return pl.col(name) if there is None else as_text(there.column, there.dtype)


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column of any type as text."""
    if not is_plain(dtype):
        column, dtype = as_plain(column, dtype), plain_type(dtype)
    if isinstance(dtype, (pl.Struct, pl.List, pl.Array)):
        # Polars encodes only structs: take a list out of one.
        inside = pl.struct(column.alias("v")).struct.json_encode().str.slice(5).str.strip_suffix("}")
        return pl.when(column.is_not_null()).then(inside)
    if dtype.is_float() or dtype.is_decimal():
        return number_text(column, dtype)
    if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
        return time_text(column, dtype)
    if isinstance(dtype, pl.Duration):
        return duration_text(column)
    if dtype == pl.Time:
        return column.dt.to_string("iso")  # a cast cuts what is less than a second
    return column if dtype == pl.String else column.cast(pl.String)


def filled(texts: pl.Expr) -> pl.Expr:
    """Texts with blank ones as nulls."""
    return pl.when(texts.str.strip_chars(BLANKS) != "").then(texts)


def in_log(name: str, types: Types) -> str | None:
    """A column by its name in the log: to the letter, else the only one that differs in case alone."""
    if name in types:
        return name
    alike = [each for each in types if each.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def roots(name: str) -> list[str]:
    """Names of the columns that a reference may read, each with its further steps cut off one by one."""
    try:
        columns = columns_of(parse(name))
    except UsageError:  # a column may have any name at all
        return [name]
    return [part for column in columns for part in (*(step.written for step in reversed(column.steps)), column.name)]


def alternatives(name: str) -> list[str]:
    """The columns that a reference takes the first value of, each as it is written; any other reference by itself."""
    try:
        parsed = parse(name)
    except UsageError:  # a column may have any name at all
        return [name]
    terms = parsed.terms if isinstance(parsed, FirstOf) else ()
    return [term.steps[-1].written if term.steps else term.name for term in terms if isinstance(term, Column)] or [name]


def _resolved(reference: Reference, types: Types) -> Resolved | None:
    if isinstance(reference, Column):
        return _column(reference, types)
    if isinstance(reference, Fixed):
        # A bare literal would be one row, not one for each of the log's.
        first = pl.col(next(iter(types))).is_null()
        every = pl.when(first).then(pl.lit(reference.text)).otherwise(pl.lit(reference.text))
        return Resolved(every, pl.String(), _quoted(reference.text), fixed=True)
    return _first_of(reference, types) if isinstance(reference, FirstOf) else _call(reference, types)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_of(reference: FirstOf, types: Types) -> Resolved | None:
    """The first of several that is not null, of those that the log has."""
    there = [each for term in reference.terms if (each := _resolved(term, types)) is not None]
    if not there or (
        all(each.fixed for each in there) and not all(isinstance(each, Fixed) for each in reference.terms)
    ):
        return None
    written = f" {FIRST_OF} ".join(each.written for each in there)
    if len({each.dtype for each in there}) == 1 and there[0].dtype != pl.String:
        return Resolved(pl.coalesce(each.column for each in there), there[0].dtype, written)
    texts = [each.column if each.fixed else filled(as_text(each.column, each.dtype)) for each in there]
    return Resolved(pl.coalesce(texts), pl.String(), written)


def _call(reference: Call, types: Types) -> Resolved | None:
    first, *others = reference.arguments
    there = _resolved(first, types)
    if there is None:
        return None
    texts = filled(as_text(there.column, there.dtype))
    if reference.function == "both":
        return _both(there.written, texts, _resolved(others[0], types))
    if reference.function == "url":
        return _url(there.written, texts, _resolved(others[0], types))
    if reference.function == "when":
        return _when(there.written, texts, others, types)
    fixed = [each.text for each in others if isinstance(each, Fixed)]
    if reference.function == "match":
        _check_pattern(fixed[0])
    column = FUNCTIONS[reference.function](texts, fixed)
    return Resolved(column, pl.String(), f"{reference.function}({', '.join([there.written, *map(_quoted, fixed)])})")


def _url(written: str, stem: pl.Expr, query: Resolved | None) -> Resolved:
    if query is None:
        return Resolved(stem, pl.String(), written)
    behind = filled(as_text(query.column, query.dtype)).str.strip_prefix("?")
    whole = pl.when(behind.is_null()).then(stem).otherwise(pl.concat_str(stem, behind, separator="?"))
    return Resolved(whole, pl.String(), f"url({written}, {query.written})")


def _both(written: str, first: pl.Expr, other: Resolved | None) -> Resolved:
    if other is None:
        return Resolved(first, pl.String(), written)
    second = filled(as_text(other.column, other.dtype))
    together = pl.when(second.is_null()).then(first).otherwise(joined(first, second))
    return Resolved(together, pl.String(), f"both({written}, {other.written})")


def _when(written: str, texts: pl.Expr, others: list[Reference], types: Types) -> Resolved | None:
    value, other = others
    then = _resolved(other, types)
    if then is None or not isinstance(value, Fixed):
        return None
    column = pl.when(texts == value.text).then(as_text(then.column, then.dtype))
    return Resolved(column, pl.String(), f"when({written}, {_quoted(value.text)}, {then.written})")


def _check_pattern(pattern: str) -> None:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"match(): {pattern!r} is no regular expression: {str(error).splitlines()[0]}") from None


def _match(texts: pl.Expr, fixed: list[str]) -> pl.Expr:
    groups = pl.select(pl.lit("").str.extract_groups(fixed[0])).to_series().dtype
    assert isinstance(groups, pl.Struct)
    return texts.str.extract(fixed[0], 1 if groups.fields else 0)


def _address(texts: pl.Expr, _: list[str]) -> pl.Expr:
    ported = texts.str.extract(rf"^\s*({PORTED})\s*$").str.replace(r":\d+$", "")
    return pl.coalesce(ported, *(texts.str.extract(ADDRESS, group) for group in (1, 2, 3)))


def _first(texts: pl.Expr, _: list[str]) -> pl.Expr:
    return texts.str.extract(r"(?:^|,)\s*([^,\s-][^,]*?|-[^,]+?)\s*(?:,|$)", 1)


MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CLF_TIME: Final = r"^(\d{1,2})/([A-Za-z]{3})/(\d{4})[: ](\d\d:\d\d:\d\d)([.,]\d+)?(?: ?([+-]\d\d:?\d\d|Z))?$"


def iso_of_clf(times: pl.Expr) -> pl.Expr:
    """Times such as 30/May/2024:10:00:00.5 +0200 in ISO 8601; any other as it is."""
    numbers = {name: f"{number:02}" for number, name in enumerate(MONTHS, 1)}
    groups = times.str.extract_groups(CLF_TIME)
    day, month, year, clock, fraction, zone = (groups.struct.field(f"{group}") for group in range(1, 7))
    number = month.str.to_titlecase().replace_strict(numbers, default=None, return_dtype=pl.String)
    date = pl.concat_str(year, number, day.str.zfill(2), separator="-")
    exact = pl.concat_str(clock, fraction.fill_null(""), zone.fill_null(""))
    return pl.coalesce(pl.concat_str(date, exact, separator="T"), times)


FUNCTIONS: Final[dict[str, Callable[[pl.Expr, list[str]], pl.Expr]]] = {
    "target": lambda texts, _: texts.str.extract(REQUEST, 1),
    "host": _address,
    "first": _first,
    "if": lambda texts, fixed: pl.when(texts.is_not_null()).then(pl.lit(fixed[0])),
    "nullif": lambda texts, fixed: pl.when(~texts.is_in(fixed)).then(texts),
    "match": _match,
    "clf": lambda texts, _: iso_of_clf(texts),
    "unplus": lambda texts, _: texts.str.replace_all("+", " ", literal=True),
}


def _column(reference: Column, types: Types) -> Resolved | None:
    """The column with the longest name that the reference begins with, and what stands deeper in it."""
    longer = [] if reference.quoted else [step.written for step in reversed(reference.steps)]
    names = [*longer, reference.name]
    for name, size in zip(names, range(len(longer), -1, -1), strict=True):
        own = in_log(name, types)
        if own is not None:
            odd = any(letter in own for letter in "[](),?'")
            start = Resolved(pl.col(own), types[own], f'"{own}"' if reference.quoted and odd else own)
            return _deeper(start, reference.steps[size:])
    return None


def _deeper(start: Resolved, steps: tuple[Step, ...]) -> Resolved | None:
    for place, step in enumerate(steps):
        if start.dtype in (pl.String, pl.Binary):
            return _inside_json(start, steps[place:])
        there = _one_step(start, step)
        if there is None:
            return None
        in_list = isinstance(start.dtype, (pl.List, pl.Array))
        start = _set_value(there) if in_list and place == len(steps) - 1 else there
    return start


def _set_value(value: Resolved) -> Resolved:
    """Of a value that may be of several types, as GA4 and OpenTelemetry have them, the one that is set, as text."""
    fields = value.dtype.to_schema() if isinstance(value.dtype, pl.Struct) else {}
    typed = [name for name in VALUE_FIELDS if name in fields]
    if not typed:
        return value
    texts = (value.column.struct.field(name).cast(pl.String) for name in typed)
    return Resolved(pl.coalesce(texts), pl.String(), value.written)


def _written(start: str, step: Step) -> str:
    if step.kind == "name":
        return f"{start}.{step.key}"
    odd = step.kind == "key" and not step.key.replace("_", "").isalnum()
    return f"{start}[{_quoted(step.key) if odd else step.key}]"


def _one_step(start: Resolved, step: Step) -> Resolved | None:
    if isinstance(start.dtype, pl.Struct):
        fields = {each.name: each.dtype for each in start.dtype.fields}
        own = in_log(step.key, fields)  # type: ignore[arg-type]  # Polars' stubs allow a type's class, too
        if own is None:
            return None
        dtype = fields[own]
        return Resolved(start.column.struct.field(own), dtype, _written(start.written, Step(own, step.kind, "")))  # type: ignore[arg-type]
    if isinstance(start.dtype, pl.Array):
        start = Resolved(start.column.arr.to_list(), pl.List(start.dtype.inner), start.written)
    if not isinstance(start.dtype, pl.List):
        return None
    written, inner = _written(start.written, step), start.dtype.inner
    if step.kind == "place":
        return Resolved(start.column.list.get(int(step.key), null_on_oob=True), inner, written)  # type: ignore[arg-type]
    if isinstance(inner, pl.Struct):
        return _under_key(
            start.column, {each.name: cast("pl.DataType", each.dtype) for each in inner.fields}, step.key, written
        )
    return None


def _under_key(column: pl.Expr, types: Types, key: str, written: str) -> Resolved | None:
    """The value under a key, the first one, in a list of structs with ``key`` and ``value``."""
    if "key" not in types or "value" not in types:
        return None
    value = pl.element().struct.field("value")
    has_key = as_text(pl.element().struct.field("key"), types["key"]) == key
    return Resolved(column.list.eval(pl.when(has_key).then(value).drop_nulls()).list.first(), types["value"], written)


def _inside_json(start: Resolved, steps: tuple[Step, ...]) -> Resolved:
    column = start.column.cast(pl.String).map_batches(
        lambda texts: in_json(texts, steps), return_dtype=pl.String, is_elementwise=True
    )
    return Resolved(column, pl.String(), reduce(_written, steps, start.written))
