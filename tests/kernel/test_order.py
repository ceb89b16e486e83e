"""The order of events is a stable one, by whichever shortcut it is found."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize.kernel import order
from sessionize.kernel.order import PACKED_BITS, grouped, in_order, stable_order

A_DAY_US = 86_400_000_000
"""Of 40 days, 42 bits: with 23 more for the rows of 8.4 million they fit in 64 only as milliseconds."""


def expected(values: list[int]) -> list[int]:
    return sorted(range(len(values)), key=lambda place: (values[place], place))


@pytest.mark.parametrize(
    "values",
    [
        [40 * A_DAY_US, 3_000, 2_000, 2_000, 0, 1_000],
        [40 * A_DAY_US, 2_999, 2_001, 2_000, 0, 1],
        [40 * A_DAY_US + 500, 1_500, 500, 2_500, 500],
        [-40 * A_DAY_US, -1_000, -2_000, 7_000, 0],
        [40 * A_DAY_US + 1, 1, 0],
        [7, 7, 7],
        [5],
        [],
    ],
    ids=["whole milliseconds", "parts of one", "all as far behind one", "before 1970", "two by one", "equal", "one", "none"],
)  # fmt: skip
@pytest.mark.parametrize("bits", [PACKED_BITS, 42, 36, 35, 34, 20, 2, 0])
def test_times_are_in_order_however_few_bits_there_are_for_them(values: list[int], bits: int) -> None:
    assert stable_order(np.array(values, np.int64), bits).tolist() == expected(values)


@given(
    st.lists(st.integers(-3, 40), max_size=30), st.sampled_from((1, 10, 1_000, 1_001)), st.integers(-2_000, 2_000),
    st.integers(0, PACKED_BITS),
)  # fmt: skip
def test_any_values_are_in_order(steps: list[int], size: int, first: int, bits: int) -> None:
    values = [first + step * size for step in steps]
    assert stable_order(np.array(values, np.int64), bits).tolist() == expected(values)


@pytest.mark.parametrize("beside", [0, 1])
def test_a_span_that_leaves_no_room_for_the_rows_is_in_order(beside: int) -> None:
    longest = ((1 << 60) // 1_000 + 1) * 1_000  # a row's number would push its highest bit out
    values = [longest, 9_000, 3_000 + beside, 3_000, 0, 1_000 + beside, 1_000, 2_000, longest, 5_000]
    assert stable_order(np.array(values, np.int64)).tolist() == expected(values)


@pytest.mark.parametrize("late", [0, 1, 30])
def test_values_of_which_few_are_late_are_in_order(late: int) -> None:
    values = [place // 3 * 1_000 for place in range(200)]
    for place in range(late):
        values[place * 6 + 5] -= place * 777
    assert stable_order(np.array(values, np.int64)).tolist() == expected(values)


def test_no_code_is_in_order() -> None:
    assert in_order(np.empty(0, np.uint32), np.empty(0, np.int64)).tolist() == []


CODES = (0, 1, 2, 0xFFFF, 1 << 16, 1 << 20, (1 << 20) + 1, (1 << 31) + 5, (1 << 32) - 1)


@pytest.mark.parametrize("many", [0, order.MANY])
@given(
    st.lists(st.tuples(st.sampled_from(CODES), st.integers(-2, 2)), max_size=40), st.sampled_from((1, 16, 1 << 16)),
    st.sampled_from(("as they came", "by time")),
)  # fmt: skip
@example([(1 << 20, 0), (3, 0), ((1 << 20) + 1, 0), (3, 0), (1 << 20, 0)], 1, "as they came")  # by two digits
@example([(0xFFFF, 1), (1, 2), (0xFFFF, 0), (1, 1)], 16, "as they came")  # with bits that are the same in all
def test_any_codes_are_in_order_and_the_times_of_each(
    many: int, rows: list[tuple[int, int]], factor: int, log: str
) -> None:
    rows = sorted(rows, key=lambda row: row[1]) if log == "by time" else rows
    keys = [code * factor % (1 << 32) for code, _ in rows]
    with patch.object(order, "MANY", many):
        found = in_order(np.array(keys, np.uint32), np.array([time for _, time in rows], np.int64))
    assert found.dtype == np.uint32
    assert found.tolist() == sorted(range(len(rows)), key=lambda place: (keys[place], rows[place][1], place))


@given(st.lists(st.integers(0, 300), max_size=40))
def test_rows_by_their_group_are_as_they_came(groups: list[int]) -> None:
    places, ends = grouped(np.array(groups, np.uint32), 301)
    assert places.tolist() == expected(groups)
    assert ends.tolist() == [sum(each <= group for each in groups) for group in range(301)]


def test_by_key_then_time_then_as_they_came() -> None:
    keys, times = np.array([1, 0, 1, 0, 1], np.uint32), np.array([5, 9, 3, 9, 5], np.int64)
    assert in_order(keys, times).tolist() == [1, 3, 2, 0, 4]
    assert in_order(keys, np.sort(times)).tolist() == [1, 3, 0, 2, 4]
