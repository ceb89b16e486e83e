"""Columns whose type differs from file to file: the one type that holds them all to the letter, or who disagrees.

Times of different units and zones become microseconds (in UTC, where they have a zone), whole numbers take the wider
type, they and fractions become doubles where these hold each of them, and whatever meets text becomes text: an id that is
a number in one file and text in the next is one id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl
from polars.datatypes import IntegerType

from sessionize.errors import InputError
from sessionize.kernel.texts import number_text, time_text

Types = Mapping[str, pl.DataType]
Change = Callable[[pl.Expr, pl.DataType], pl.Expr]
FARTHEST: Final = 2**63 - 1
DAY_US: Final = 86_400_000_000


def unified(
    paths: Sequence[str], types: Sequence[Types], are_small: Callable[[str], bool] = lambda _: False
) -> dict[str, Change]:
    """How a column is to be changed, for each that has not one type in all files that have it.

    Args:
        paths: Path of each file, for messages.
        types: For each file, the type of each of its columns.
        are_small: Whether a column's whole numbers are known to be no larger than a double holds to the last digit.

    Returns:
        Name of a column → what makes its one type of an expression over a column of a given type.

    Raises:
        InputError: If a column's types have nothing in common; names a file of each.

    Examples:
        >>> changes = unified(["monday", "tuesday"], [{"id": pl.Int64(), "at": pl.Date()}, {"id": pl.String(), "at": pl.Date()}])
        >>> list(changes)
        ['id']
        >>> pl.DataFrame({"id": [7]}).select(changes["id"](pl.col("id"), pl.Int64())).to_series().to_list()
        ['7']
    """
    found: dict[str, dict[pl.DataType, str]] = {}
    for path, columns in zip(paths, types, strict=True):
        for name, dtype in columns.items():
            if dtype != pl.Null:
                found.setdefault(name, {}).setdefault(dtype, path)
    changes = {}
    for name, kinds in found.items():
        if len(kinds) > 1 and (change := _change(name, kinds, are_small)) is not None:
            changes[name] = change
    return changes


def _change(name: str, kinds: Mapping[pl.DataType, str], are_small: Callable[[str], bool]) -> Change | None:
    if all(dtype.is_temporal() for dtype in kinds):
        return _of_times(name, kinds)
    if any(all(isinstance(dtype, of) for dtype in kinds) for of in (IntegerType, pl.Struct, pl.List)):
        return None
    if all(isinstance(dtype, IntegerType) or dtype == pl.Float64 for dtype in kinds) and are_small(name):
        return _as_double
    if any(dtype.is_temporal() for dtype in kinds) and any(dtype.is_numeric() for dtype in kinds):
        raise _disagree(name, kinds, "a time and a number are not told apart")
    if any(dtype == pl.Binary or isinstance(dtype, (pl.List, pl.Array)) for dtype in kinds):
        raise _disagree(name, kinds, "run them apart, or convert one")
    return _as_text


def _as_double(column: pl.Expr, _: pl.DataType) -> pl.Expr:
    """One null among whole numbers makes pandas write them as doubles."""
    return column.cast(pl.Float64)


def _of_times(name: str, kinds: Mapping[pl.DataType, str]) -> Change:
    if not all(isinstance(dtype, pl.Datetime) or dtype == pl.Date for dtype in kinds):
        raise _disagree(name, kinds, "run them apart, or convert one")
    zoned = {isinstance(dtype, pl.Datetime) and dtype.time_zone is not None for dtype in kinds}
    if len(zoned) > 1:
        raise _disagree(name, kinds, "times with a zone and times without: run them apart, or convert one")
    return _in_microseconds


def _in_microseconds(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Times in microseconds, those with a zone in UTC; one that does not fit is as far out of range as can be."""
    if not isinstance(dtype, pl.Datetime):
        return _scaled(column.to_physical().cast(pl.Int64), DAY_US).cast(pl.Datetime("us"))
    zone = "UTC" if dtype.time_zone else None
    value = column.to_physical()
    if dtype.time_unit == "ns":
        value = value // 1000
    if dtype.time_unit == "ms":
        value = _scaled(value, 1000)
    return value.cast(pl.Datetime("us")).dt.replace_time_zone(zone)


def _scaled(value: pl.Expr, scale: int) -> pl.Expr:
    fits = value.is_between(-FARTHEST // scale, FARTHEST // scale)
    return pl.when(fits | value.is_null()).then(pl.when(fits).then(value) * scale).otherwise(FARTHEST)


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(dtype, pl.Datetime):
        kind = pl.Datetime("us", "UTC" if dtype.time_zone else None)
        form = "%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if dtype.time_zone else "")
        return time_text(_in_microseconds(column, dtype), kind, form)
    if dtype == pl.Date:
        return time_text(column, dtype)
    if dtype.is_float() or dtype.is_decimal():
        return number_text(column, dtype)
    return column.cast(pl.String)


def _disagree(name: str, kinds: Mapping[pl.DataType, str], hint: str) -> InputError:
    (one, first), (other, second), *_ = kinds.items()
    return InputError(f"column {name!r} is {one} in {first}, but {other} in {second}", hint=hint)
