"""Amounts as texts: a number, alone or with its currency. Row-local; the plan says how the column writes numbers.

``12,50`` is 12.5 only where the column has decimal commas: what is not unmistakable is null, and counted.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize.config import AmountStyle

BLANKS: Final = " \t\n\r\v\f"
BLANK: Final = r"\s\x{a0}\x{202f}"
SIGN: Final = r"[\p{Sc}--[¢￠₥₰]]"
"""A currency's sign; that of its hundredths or thousandths is none, as those would be read as whole ones."""
CURRENCY: Final = rf"(?:{SIGN}|[A-Z]{{3}}|[A-Z]{{1,2}}{SIGN})"
NUMBERS: Final[dict[AmountStyle, str]] = {
    "plain": r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?",
    "point": r"(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)",
    "comma": r"(?:\d{1,3}(?:[.'\x{a0}\x{202f} ]\d{3})+(?:,\d*)?|\d+(?:,\d*)?|,\d+)",
}


def written(style: AmountStyle) -> str:
    """What an amount looks like, as a regular expression with groups ``sign``, ``minus`` and ``number``."""
    return (
        rf"^[{BLANK}]*(?P<sign>[+-]?){CURRENCY}?[{BLANK}]*(?P<minus>[+-]?)(?P<number>{NUMBERS[style]})"
        rf"[{BLANK}]*{CURRENCY}?[{BLANK}]*$"
    )


def amount(texts: pl.Expr, style: AmountStyle) -> pl.Expr:
    """Texts as finite numbers (Float64); null where one is none in the column's style.

    Examples:
        >>> prices = pl.DataFrame({"price": ["1.234,00", "12,50 EUR", "€ -3", "12.50", "", None]})
        >>> prices.select(amount(pl.col("price"), "comma")).to_series().to_list()
        [1234.0, 12.5, -3.0, None, None, None]
    """
    return texts.map_batches(lambda values: _read(values, style), return_dtype=pl.Float64, is_elementwise=True)


def _read(texts: pl.Series, style: AmountStyle) -> pl.Series:
    if style == "comma":  # where 1.234 is over a thousand
        return _looked_at(texts, style)
    found = pl.select(_finite(pl.lit(texts.str.strip_chars(BLANKS).cast(pl.Float64, strict=False)))).to_series()
    rows = (found.is_null() & texts.is_not_null()).arg_true()
    return found.scatter(rows, _looked_at(texts.gather(rows), style)) if len(rows) else found


def _looked_at(texts: pl.Series, style: AmountStyle) -> pl.Series:
    pattern, number = written(style), pl.col("number")
    found = texts.str.extract_groups(pattern).struct.unnest()
    if style == "comma":
        number = number.str.replace_all(r"[^\d,]", "").str.replace(",", ".", literal=True)
    elif style == "point":
        number = number.str.replace_all(",", "", literal=True)
    value, signs = number.cast(pl.Float64, strict=False), pl.concat_str("sign", "minus")
    signed = pl.when(signs == "-").then(-value).when(signs.str.len_bytes() < 2).then(value)
    return found.select(_finite(signed)).to_series()


def _finite(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_finite()).then(value)
