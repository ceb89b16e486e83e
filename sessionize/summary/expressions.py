"""SQL expressions over a frame's columns, tried on no rows before anything is read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize import sql
from sessionize.errors import UsageError

MISSING: Final = re.compile(r"unable to find column \"([^\"]*)\"")
Columns = Mapping[str, pl.DataType]


def as_sql(text: str, columns: Columns) -> pl.Expr | None:
    """The condition that a text is, over some of the columns; None where it is none."""
    try:
        found = sql.expression(text, "SQL")
        names = found.meta.root_names()
        if not names or not set(names) <= set(columns):
            return None
        kind = pl.LazyFrame(schema=dict(columns)).select(found.alias("it")).collect_schema()["it"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UsageError, ValueError):
        return None
    return found if kind == pl.Boolean else None


def expression(text: str, columns: Columns, option: str) -> pl.Expr:
    """What a SQL expression over the columns is.

    Args:
        text: As typed.
        columns: Names and types.
        option: Option that it was typed after.

    Raises:
        UsageError: If it is no SQL, or asks for what there is not.
    """
    found = sql.expression(text, option)
    try:
        pl.LazyFrame(schema=dict(columns)).select(found.alias("it")).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UsageError(f"{option} {text!r}: {_cause(error)}", hint=_cure(error, columns)) from None
    return found


def _cause(error: BaseException) -> str:
    return str(error).splitlines()[0].split("; valid columns", maxsplit=1)[0]


def _cure(error: BaseException, columns: Columns) -> str:
    """What there is, and how it is typed; the nearest name where one is not found."""
    missing = MISSING.search(str(error))
    near = difflib.get_close_matches(missing[1], list(columns), n=1) if missing else []
    return (
        (f"did you mean {near[0]}? " if near else "")
        + f"there are {', '.join(columns)}; a text stands in single quotes, a column named as a word of SQL in double "
        'quotes: "end"'
    )


def condition(text: str, columns: Columns, option: str) -> pl.Expr:
    """What a SQL condition over the columns is.

    Args:
        text: As typed.
        columns: Names and types.
        option: Option that it was typed after.

    Raises:
        UsageError: If it is no condition.
    """
    found = expression(text, columns, option)
    kind = pl.LazyFrame(schema=dict(columns)).select(found.alias("it")).collect_schema()["it"]
    if kind != pl.Boolean:
        raise UsageError(f"{option} {text!r} is no condition", hint=f'for example {option} "events > 1"')
    return found
