"""The order of events (semantics, section 3): by key, then time, then input order.

The one leaf in NumPy. Codes are put in order digit by digit, which is a matter of counting; times that are nearly in
order, as those of a log are, by merging the runs that are. Of other times a stable order is found by sorting numbers that
hold the value in their upper bits and the row in their lower bits: every such number is different, so a sort that is not
stable, and therefore fast, gives the stable order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PACKED_BITS = 64
DIGIT_BITS = 16
"""Of numbers of so many bits and fewer NumPy finds a stable order by counting (radix sort)."""
MANY = 1 << 22
"""Of more rows the order of codes is not found by counting, which takes twice the memory of a sort."""
NEARLY = 6
"""Where fewer than one in so many values is less than the one before it, merging runs is faster than sorting."""


def in_order(keys: NDArray[np.uint32], times: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Row numbers by (key, time, input order).

    Args:
        keys: Code of each row's key.
        times: Instant of each row in microseconds.

    Returns:
        The rows' positions in that order: uint32, as long as ``keys``.

    Examples:
        >>> in_order(np.array([1, 0, 1, 0], "u4"), np.array([5, 9, 3, 9]))
        array([1, 3, 2, 0], dtype=uint32)
    """
    by_time = None if np.all(times[1:] >= times[:-1]) else stable_order(times)
    return _order_of_codes(keys, by_time)


def grouped(groups: NDArray[np.uint32], count: int) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Row numbers by (group, input order), and where each group ends among them.

    Args:
        groups: Number of each row's group, below ``count``.
        count: Number of groups.

    Returns:
        The rows' positions in that order (uint32, as long as ``groups``), and for each group the position among them
        behind its last row (intp, ``count`` of them).

    Examples:
        >>> order, ends = grouped(np.array([2, 0, 2], "u4"), 3)
        >>> order.tolist(), ends.tolist()
        ([1, 0, 2], [1, 1, 3])
    """
    return _order_of_codes(groups), np.cumsum(np.bincount(groups, minlength=count))


def different(ascending: NDArray[np.intp]) -> NDArray[np.intp]:
    """The different ones of ascending numbers; NumPy's ``unique`` puts them into a table first, and takes far longer.

    Examples:
        >>> different(np.array([2, 2, 7])).tolist()
        [2, 7]
    """
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return ascending[first]


def stable_order(values: NDArray[np.int64], bits: int | None = None) -> NDArray[np.uint32]:
    """Positions that put the values in order, equal ones in the order they came.

    Args:
        values: Any numbers; they are not changed.
        bits: Bits of a number that holds a value and its row; PACKED_BITS if None.

    Returns:
        Positions among the values: uint32, as long as ``values``.

    Examples:
        >>> stable_order(np.array([7, -1, 7, 0]))
        array([1, 3, 0, 2], dtype=uint32)
    """
    if len(values) == 0:
        return np.empty(0, np.uint32)
    if NEARLY * np.count_nonzero(values[1:] < values[:-1]) < len(values):
        return np.argsort(values, kind="stable").astype(np.uint32)
    lowest, highest = int(values.min()), int(values.max())
    value_bits = (PACKED_BITS if bits is None else bits) - _row_bits(len(values))
    step = 1
    if (highest - lowest).bit_length() > value_bits:
        step = _whole_milliseconds(values, lowest)
    if ((highest - lowest) // step).bit_length() > value_bits:
        return np.argsort(values, kind="stable").astype(np.uint32)
    # Unsigned and modular, so that a span over half of what an int64 holds does not overflow.
    packed = values.astype(np.uint64) - np.uint64(lowest % 2**64)
    if step > 1:
        packed //= np.uint64(step)
    return _packed_order(packed)


def _order_of_codes(codes: NDArray[np.uint32], order: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
    """The same for codes: they are put in order by their lowest digit, then by the next one, and so on (radix sort).

    Args:
        codes: Numbers of 32 bits. Bits that are the same in all of them cost nothing.
        order: Positions in which equal ones are to stand; None for the order in which they came.

    Returns:
        Positions among the codes: uint32, as long as ``codes``.

    Examples:
        >>> _order_of_codes(np.array([1 << 20, 3, 1 << 20, 2], "u4"))
        array([3, 1, 0, 2], dtype=uint32)
    """
    if len(codes) > MANY:
        packed = _packed_order((codes if order is None else codes.take(order)).astype(np.uint64))
        return packed if order is None else order.take(packed)
    differing = int(np.bitwise_or.reduce(codes) & ~np.bitwise_and.reduce(codes))
    lowest = (differing & -differing).bit_length() - 1
    found: NDArray[np.intp] | NDArray[np.uint32] | None = order
    for shift in range(max(0, lowest), differing.bit_length(), DIGIT_BITS):
        digits = (codes >> np.uint32(shift)).astype(np.uint16)
        if found is None:
            found = np.argsort(digits, kind="stable")
        else:
            found = found.take(np.argsort(digits.take(found), kind="stable"))
    return np.arange(len(codes), dtype=np.uint32) if found is None else found.astype(np.uint32, copy=False)


def _packed_order(values: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The same for values whose upper bits are free for a row's number.

    Of the values 5, 3, 5 at rows 0, 1, 2 are made, with two bits for the row, ``5·4+0, 3·4+1, 5·4+2``; sorted they are
    ``13, 20, 22``, and their lowest two bits say ``1, 0, 2``.

    Args:
        values: Numbers of at most ``64 - _row_bits(rows)`` bits; they are overwritten.

    Returns:
        Positions among the values: uint32, as long as ``values``.
    """
    bits = _row_bits(len(values))
    values <<= np.uint64(bits)
    values |= np.arange(len(values), dtype=np.uint64)
    values.sort()
    rows = values.astype(np.uint32)
    rows &= np.uint32((1 << bits) - 1)
    return rows


def _row_bits(count: int) -> int:
    return max(1, (count - 1).bit_length())


def _whole_milliseconds(values: NDArray[np.int64], lowest: int) -> int:
    """1000 if all values are a whole number of milliseconds apart, as ten bits then need no sorting; else 1."""
    return 1000 if not ((values - lowest) % 1000).any() else 1
