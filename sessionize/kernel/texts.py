"""The one text of a value, whatever physical type holds it: ``101`` for the integer, the float and the decimal. Row-local.

An id has one spelling (semantics, section 2): so that a column that is an integer one night and, for a null among its
values, a float the next holds the same ids. Bytes that are valid UTF-8 are text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, cast

import polars as pl

from sessionize.patterns import pattern

TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
"""Types of text, whole or by a dictionary."""
WHOLE_BELOW: Final = float(2**63)
LONGEST: Final = 1e38
"""No decimal holds more digits, so that no id of such a size has another form."""
MOST_DIGITS: Final = 38
ODD_NUMBER: Final = pattern(r"^-?[0-9]+(?:\.0*$|(?:\.[0-9]*)?[eE])")
"""Numbers that may be whole, but are not written as integers."""
FARTHEST_DAY: Final = 90_000_000
"""Days from 1970 up to which Polars has a text of a date, and some more: 246,000 years."""
DAY_IN: Final = {"day": 1, "ms": 86_400_000, "us": 86_400_000_000}
"""Of units in which a date or a time may be further away."""
UTF8_IN_HEX: Final = (
    r"^(?:0[9ad]|[2-6].|7[0-9a-e]|(?:c[2-9a-f]|d.)[89ab].|(?:e0[ab].|e[1-9a-cef][89ab].|ed[89].)[89ab]."
    r"|(?:f0[9ab].|f[1-3][89ab].|f48.)[89ab].[89ab].)*$"
)
"""Bytes of well-formed UTF-8, two hexadecimal digits each: no overlong form, no surrogate, nothing over U+10FFFF; and no
control character but tab and line ends, as bytes that are none of a text, such as Matomo's visitors, may look like it."""
ID_SEPARATOR: Final = "|"
"""Between the texts that are an id together; escaped inside them, so that no two ids share a text."""
CONTROL: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


def number_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A float or decimal as text: a whole number as the integer, without trailing zeros else; NaN is null.

    Examples:
        >>> values = pl.DataFrame({"id": [101.0, 2.5, -0.0, 1e20, float("nan"), None]})
        >>> values.select(number_text(pl.col("id"), pl.Float64())).to_series().to_list()
        ['101', '2.5', '0', '100000000000000000000', None, None]
    """
    if dtype.is_decimal():
        written = column.cast(pl.String)
        trimmed = written.str.strip_chars_end("0").str.strip_chars_end(".")
        return pl.when(written.str.contains(".", literal=True)).then(trimmed.replace("-0", "0")).otherwise(written)
    if dtype == pl.Float16:  # Polars has no text of its fractions
        column, dtype = column.cast(pl.Float32), pl.Float32()
    value = column.cast(pl.Float64) if dtype == pl.Float32 else column
    is_whole = value.is_finite() & (value == value.floor())
    fits = is_whole & (value.abs() < WHOLE_BELOW)
    as_integer = pl.when(fits).then(value).cast(pl.Int64).cast(pl.String)
    larger = (
        pl.when(is_whole & ~fits & (value.abs() < LONGEST))
        .then(value)
        .map_batches(_digits, return_dtype=pl.String, is_elementwise=True)
    )
    return pl.coalesce(as_integer, larger, column.fill_nan(None).cast(pl.String))


def _digits(values: pl.Series) -> pl.Series:
    """All digits of floats that no 64-bit integer holds: there are few of them."""
    if values.null_count() == len(values):
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    return pl.Series(values.name, [None if value is None else f"{value:.0f}" for value in values], dtype=pl.String)


class JsonNumber(str):
    """A number of JSON as it stands in the text, told from a text by its type."""

    __slots__ = ()


def spelled(number: str) -> str:
    """A JSON number as it is written, but a whole one as the integer.

    Examples:
        >>> [spelled(each) for each in ("101.0", "-0.0", "2.50", "1e2", "12345678901234567890", "1.5e-7", "1e99")]
        ['101', '0', '2.50', '100', '12345678901234567890', '1.5e-7', '1e99']
    """
    if not ODD_NUMBER.search(number):
        return number
    value = Decimal(number)
    return str(int(value)) if value.adjusted() < MOST_DIGITS and value == value.to_integral_value() else number


def each_spelled(numbers: pl.Series) -> pl.Series:
    """JSON numbers, each as `spelled` has it; null stays null.

    Examples:
        >>> each_spelled(pl.Series(["101.0", "-0.0", None, "2.50", "1e2", "1.0e-1", "7"])).to_list()
        ['101', '0', None, '2.50', '100', '1.0e-1', '7']
    """
    rows = numbers.str.contains(ODD_NUMBER.pattern).arg_true()
    if not len(rows):
        return numbers
    whole = numbers.gather(rows).str.replace(r"\.0*$", "").replace("-0", "0")
    powers = whole.str.contains("[eE]").arg_true()
    if len(powers):
        whole = whole.scatter(powers, [spelled(each) for each in whole.gather(powers)])
    return numbers.scatter(rows, whole)


def time_text(column: pl.Expr, dtype: pl.DataType, form: str | None = None) -> pl.Expr:
    """A date or time as text; as its number where it is so far away that Polars has no text of it.

    Args:
        column: The dates or times.
        dtype: Type of the times.
        form: How they are written; as Polars does by itself where there is none.
    """
    known = near_time(column, dtype)
    written = known.cast(pl.String) if form is None else known.dt.to_string(form)
    return pl.coalesce(written, column.to_physical().cast(pl.String))


def near_time(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A date or time; null where it is so far away that Polars has no text of it."""
    unit = getattr(dtype, "time_unit", "day")
    if unit not in DAY_IN:
        return column
    most = FARTHEST_DAY * DAY_IN[unit]
    return pl.when(column.to_physical().is_between(-most, most)).then(column)


def as_utf8(column: pl.Expr) -> pl.Expr:
    """Bytes as text where they are valid UTF-8 without control characters, else as hexadecimal digits."""
    return column.map_batches(_utf8, return_dtype=pl.String, is_elementwise=True)


def _utf8(values: pl.Series) -> pl.Series:
    try:
        texts = values.cast(pl.String)
        if not texts.str.contains(CONTROL).any():
            return texts
    except pl.exceptions.PolarsError:  # one value that is no UTF-8 is enough
        pass
    digits = values.bin.encode("hex")
    rows = digits.str.contains(UTF8_IN_HEX).arg_true()
    return digits.scatter(rows, values.gather(rows).cast(pl.String)) if len(rows) else digits


def is_plain(dtype: pl.DataType) -> bool:
    """Whether a column neither is, nor holds, what `as_plain` makes something else of."""
    if isinstance(dtype, pl.Struct):
        return all(is_plain(cast("pl.DataType", inner.dtype)) for inner in dtype.fields)
    if isinstance(dtype, pl.List):
        return is_plain(cast("pl.DataType", dtype.inner))
    return dtype != pl.Binary and not isinstance(dtype, (pl.Array, pl.Map, pl.BaseExtension))


def as_plain(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The column with text in place of bytes, however deep they lie.

    So with lists of ``key`` and ``value`` in place of maps, lists of any length in place of those of one, and what stands
    for a value in place of types that a writer has made up, such as Arrow's JSON.
    """
    if is_plain(dtype):
        return column
    if isinstance(dtype, pl.Struct):
        fields = ((inner.name, cast("pl.DataType", inner.dtype)) for inner in dtype.fields)
        changed = [as_plain(column.struct.field(name), kind).alias(name) for name, kind in fields if not is_plain(kind)]
        return column.struct.with_fields(changed)
    if isinstance(dtype, pl.BaseExtension):
        column, dtype = column.ext.storage(), cast("pl.DataType", dtype.ext_storage())
        return as_plain(column, dtype)
    if isinstance(dtype, (pl.Map, pl.Array)):
        of_list = _entries(dtype) if isinstance(dtype, pl.Map) else pl.List(dtype.inner)
        return as_plain(column.cast(of_list), of_list)
    if isinstance(dtype, pl.List):
        return column.list.eval(as_plain(pl.element(), cast("pl.DataType", dtype.inner)))
    return as_utf8(column)


def plain_type(dtype: pl.DataType) -> pl.DataType:
    """The type of what `as_plain` makes of a column."""
    if is_plain(dtype):
        return dtype
    if isinstance(dtype, pl.BaseExtension):
        return plain_type(cast("pl.DataType", dtype.ext_storage()))
    if isinstance(dtype, pl.Struct):
        fields = ((inner.name, cast("pl.DataType", inner.dtype)) for inner in dtype.fields)
        return pl.Struct({name: plain_type(kind) for name, kind in fields})
    if isinstance(dtype, pl.Map):
        return plain_type(_entries(dtype))
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.List(plain_type(cast("pl.DataType", dtype.inner)))
    return pl.String()


def _entries(dtype: pl.Map) -> pl.List:
    return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))


def duration_text(column: pl.Expr) -> pl.Expr:
    """A duration in hours, minutes and seconds, as MySQL writes its TIME.

    Examples:
        >>> from datetime import timedelta
        >>> spans = pl.DataFrame({"d": [timedelta(hours=10, seconds=5), -timedelta(days=2), timedelta(milliseconds=1), None]})
        >>> spans.select(duration_text(pl.col("d"))).to_series().to_list()
        ['10:00:05', '-48:00:00', '00:00:00.001', None]
    """
    micros = column.dt.total_microseconds()
    seconds, fraction = micros.abs() // 1_000_000, micros.abs() % 1_000_000
    parts = [part.cast(pl.String).str.zfill(2) for part in (seconds // 3600, seconds // 60 % 60, seconds % 60)]
    digits = pl.concat_str(pl.lit("."), fraction.cast(pl.String).str.zfill(6).str.strip_chars_end("0"))
    sign = pl.when(micros < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    after = pl.when(fraction > 0).then(digits).otherwise(pl.lit(""))
    return pl.concat_str(sign, pl.concat_str(parts, separator=":"), after)


def joined(*ids: pl.Expr) -> pl.Expr:
    """Several texts as one id, of which no two are alike where one of theirs is another; null where one of them is null."""
    escaped = (
        each.str.replace_all("\\", "\\\\", literal=True).str.replace_all(
            ID_SEPARATOR, f"\\{ID_SEPARATOR}", literal=True
        )
        for each in ids
    )
    return pl.concat_str(*escaped, separator=ID_SEPARATOR)
