"""How a column writes its amounts: taken from its first values where these can mean one thing only."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from sessionize.config import AmountStyle
from sessionize.kernel.amounts import BLANK, CURRENCY
from sessionize.plan.evidence import SOME_ROWS, Evidence
from sessionize.reference import FIRST_OF

AROUND: Final = rf"^[{BLANK}]*[+-]?{CURRENCY}?[{BLANK}]*[+-]?(?:", rf")[{BLANK}]*{CURRENCY}?[{BLANK}]*$"
COMMA: Final = r"\d+,\d{1,2}|\d+,\d{4,}|,\d+|\d{1,3}(?:[.'\x{a0}\x{202f} ]\d{3})+,\d*|\d{1,3}(?:\.\d{3}){2,}"
"""Amounts that have a decimal comma for sure: ``12,50``, ``1.234,00``, ``1.234.567``."""
POINT: Final = r"\d{1,3}(?:,\d{3})+\.\d*|\d{1,3}(?:,\d{3}){2,}"
"""Amounts with commas between thousands for sure: ``1,234.50``, ``1,234,567``."""
PLAIN: Final = r"\d+\.\d{1,2}|\d+\.\d{4,}|\.\d+"
"""Amounts with a decimal point for sure."""
OF_MONGODB: Final = ("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")
"""What a number stands in, as mongoexport writes it."""
FIELDS: Final = ("amount", "value", "total", "price", "revenue")


def style(name: str, evidence: Evidence) -> tuple[AmountStyle, bool]:
    """With which marks the column's amounts are written, and whether one of them can mean this only."""
    values = evidence.texts(name).drop_nulls()
    if not len(values):
        values = evidence.texts(name, SOME_ROWS).drop_nulls()
    has = {kind: bool(values.str.contains(AROUND[0] + shape + AROUND[1]).any()) for kind, shape in _SHAPES.items()}
    if has["comma"] and not has["point"] and not has["plain"]:
        return "comma", True
    return "point" if has["point"] and not has["comma"] else "plain", any(has.values())


_SHAPES: Final = {"comma": COMMA, "point": POINT, "plain": PLAIN}


def inside(name: str, evidence: Evidence) -> str | None:
    """The reference to the amount inside an object, such as ``total.amount``; None where it is none, or has two."""
    dtype = evidence.types.get(name)
    if isinstance(dtype, pl.Struct):
        numbers = [field.name for field in dtype.fields]
    else:
        values = evidence.texts(name).drop_nulls() if dtype == pl.String else pl.Series([], dtype=pl.String)
        objects = values.filter(values.str.starts_with("{"))
        try:
            numbers = list(json.loads(next(iter(objects.head(1)), "{}")))
        except ValueError:
            return None
        if not numbers or (len(objects) < len(values) and numbers[0] not in OF_MONGODB):
            return None
    known = [field for field in numbers if field.lower() in FIELDS]
    found = known or (numbers if len(numbers) == 1 else [])
    if found and found[0] in OF_MONGODB:  # each number has the name of its own type, or none
        return f" {FIRST_OF} ".join([*(f"{name}.{each}" for each in OF_MONGODB), name])
    return f"{name}.{found[0]}" if found else None
