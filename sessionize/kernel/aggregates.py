"""The aggregates that the table of metrics calls by name. A session's rows lie side by side: no grouping is needed.

In NumPy, as what Polars does over groups takes several times as long. For example, rows of two sessions, one of three
events and one of two::

    row       0  1  2  3  4
    session   1  1  1  2  2      first = 0, 3    last = 2, 4
    value     5  1  2  4  4
    running   5  6  8 12 16      at the last rows 8, 16; apart 8, 8: the sums

"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.kernel.metrics import Count, First, Last, Max, Named, NUnique, Span, Sum
from sessionize.values import NamedTuple

NARROW_BITS: Final = 32
"""Numbers of so many bits are sorted twice as fast as those of 64."""


class _Sides(NamedTuple):
    """Where each session lies among the rows.

    Attributes:
        first: Position of its first row.
        last: Position of its last row.
        number: Number of each row's session, counted from 1.
    """

    first: pl.Series
    last: pl.Series
    number: pl.Series


def named(rows: pl.DataFrame, first: pl.Series, over: Mapping[str, object]) -> list[pl.Series]:
    """The metrics whose aggregate is called by name.

    Args:
        rows: Events in order of session and time; ``session`` counts from 1.
        first: Positions of the sessions' first rows (UInt32).
        over: Metric → its aggregate; those that are expressions are passed over.

    Returns:
        A column for each such metric, one value for each session, in order.

    Examples:
        >>> rows = pl.DataFrame({"session": [1, 1, 1, 2, 2], "value": [5, 1, 2, 4, 4]}, schema_overrides={"session": pl.UInt32})
        >>> over = {"total": Sum(pl.col("value")), "largest": Max(pl.col("value")), "size": Count()}
        >>> [(column.name, column.to_list()) for column in named(rows, pl.Series([0, 3], dtype=pl.UInt32), over)]
        [('total', [8, 8]), ('largest', [5, 4]), ('size', [3, 2])]
    """
    measures = {name: measure for name, measure in over.items() if isinstance(measure, Named)}
    values = rows.select(**{name: measure.of for name, measure in measures.items() if not isinstance(measure, Count)})
    sizes = np.diff(first.to_numpy(), append=np.uint32(rows.height))
    sides = _Sides(first, first + sizes - 1, rows["session"])
    return [
        pl.Series(name, _measured(measure, values[name] if name in values.columns else first, sides))
        for name, measure in measures.items()
    ]


def _measured(measure: Named, values: pl.Series, sides: _Sides) -> pl.Series | NDArray[Any]:
    found: pl.Series | NDArray[Any]
    match measure:
        case Count():
            found = sides.last - sides.first + 1
        case First():
            found = values.gather(sides.first)
        case Last():
            found = values.gather(sides.last)
        case Span():
            found = values.gather(sides.last) - values.gather(sides.first)
        case Sum():
            found = _totals(values, sides)
        case Max():
            found = np.maximum.reduceat(values.to_numpy(), sides.first.to_numpy())
        case NUnique():
            found = _differences(values, sides)
    return found


def positions(flags: pl.Series) -> pl.Series:
    """Positions at which a Boolean column is true, ascending (UInt32).

    Examples:
        >>> positions(pl.Series([True, False, True])).to_list()
        [0, 2]
    """
    return pl.Series(np.flatnonzero(flags.cast(pl.UInt8).to_numpy().view(np.bool_)).astype(np.uint32))


def running(flags: pl.Series) -> NDArray[np.uint32]:
    """How often a Boolean column has been true up to and with each row (uint32, one value a row).

    Examples:
        >>> running(pl.Series([True, False, True])).tolist()
        [1, 1, 2]
    """
    return np.cumsum(flags.cast(pl.UInt32).to_numpy(), dtype=np.uint32)


def _totals(values: pl.Series, sides: _Sides) -> NDArray[Any]:
    if values.dtype.is_float():
        return np.add.reduceat(values.to_numpy(), sides.first.to_numpy())
    # Of whole numbers the sum is exact as a difference of running sums, which is faster.
    return _parts(running(values) if values.dtype == pl.Boolean else np.cumsum(values.to_numpy()), sides)


def _parts(sums: NDArray[Any], sides: _Sides) -> NDArray[Any]:
    """What each session adds to running sums: those at its last row, less those at the last row of the session before.

    Args:
        sums: Running sums, one a row.
        sides: Where each session lies among the rows.

    Returns:
        One value a session, of the sums' dtype.
    """
    return np.diff(pl.Series(sums).gather(sides.last).to_numpy(), prepend=sums.dtype.type(0))


def _differences(codes: pl.Series, sides: _Sides) -> NDArray[np.uint32]:
    """How many different codes each session has; null is none.

    The rows' codes are sorted within their sessions: one is new where it differs from the one before. With the session's
    number in the upper bits and the code in the lower ones, one sort of numbers does it: of codes 5, 1, 5 in session 1
    and 1, 1 in session 2, with three bits for the code, ``8+5, 8+1, 8+5, 16+1, 16+1`` become ``9, 13, 13, 17, 17``, of
    which ``9, 13, 17`` are new: two in session 1, one in session 2.

    Args:
        codes: Codes of the rows (unsigned).
        sides: Where each session lies among the rows.

    Returns:
        One number a session (uint32).
    """
    numbers = ((codes + 1).fill_null(0) if codes.null_count() else codes).to_numpy()
    bits = int(numbers.max(initial=0)).bit_length()
    kind = np.uint64 if bits + len(sides.last).bit_length() > NARROW_BITS else np.uint32
    sessions = np.left_shift(sides.number.to_numpy().astype(kind), kind(bits))
    ordered = np.sort(np.bitwise_or(sessions, numbers))
    new = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    if codes.null_count():
        new &= np.bitwise_and(ordered, kind((1 << bits) - 1)) != 0
    return _parts(running(pl.Series(new)), sides)
