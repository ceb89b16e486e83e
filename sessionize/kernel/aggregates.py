"""The measures that the table of metrics calls by name. A session's rows lie side by side: no grouping is needed.

In NumPy, as what Polars does over groups takes several times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.kernel.metrics import Count, First, Last, Max, Named, NUnique, Span, Sum

NARROW_BITS: Final = 32
"""Numbers of so many bits are sorted twice as fast as those of 64."""


class _Sides(NamedTuple):
    """Where each session lies among the rows.

    Attributes:
        first: Position of its first row.
        last: Position of its last row.
        number: Of each row's session, counted from 1.
    """

    first: pl.Series
    last: pl.Series
    number: pl.Series


def named(rows: pl.DataFrame, first: pl.Series, over: Mapping[str, object]) -> list[pl.Series]:
    """What is measured by name, one value a session.

    Args:
        rows: Events in order of session and time; ``session`` counts from 1.
        first: Positions of the sessions' first rows.
        over: How each metric is measured; what has no name is passed over.
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
    """Where a Boolean column is true."""
    return pl.Series(np.flatnonzero(flags.cast(pl.UInt8).to_numpy().view(np.bool_)).astype(np.uint32))


def running(flags: pl.Series) -> NDArray[np.uint32]:
    """How often a Boolean column has been true so far."""
    return np.cumsum(flags.cast(pl.UInt32).to_numpy(), dtype=np.uint32)


def _totals(values: pl.Series, sides: _Sides) -> NDArray[Any]:
    if values.dtype.is_float():
        return np.add.reduceat(values.to_numpy(), sides.first.to_numpy())
    # Of whole numbers the sum is exact as a difference of running sums, which is faster.
    return _parts(running(values) if values.dtype == pl.Boolean else np.cumsum(values.to_numpy()), sides)


def _parts(sums: NDArray[Any], sides: _Sides) -> NDArray[Any]:
    """What each session adds to running sums."""
    return np.diff(pl.Series(sums).gather(sides.last).to_numpy(), prepend=sums.dtype.type(0))


def _differences(codes: pl.Series, sides: _Sides) -> NDArray[np.uint32]:
    """How many different codes each session has; null is none.

    The rows' codes are sorted within their sessions: one is new where it differs from the one before.
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
