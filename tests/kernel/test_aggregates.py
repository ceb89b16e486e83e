"""Measures by name, where their numbers are large."""

from __future__ import annotations

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

import sessionize
from sessionize.kernel.aggregates import named
from sessionize.kernel.metrics import NUnique


def test_codes_that_leave_no_room_for_a_session_beside_them_are_told_apart() -> None:
    high = 2**32 - 2
    rows = pl.DataFrame(
        {"session": [1, 1, 1, 2, 2, 3], "code": [high, 0, high, 0, None, None]},
        schema={"session": pl.UInt32, "code": pl.UInt32},
    )
    first = pl.Series([0, 3, 5], dtype=pl.UInt32)
    (found,) = named(rows, first, {"kinds": NUnique(pl.col("code"))})
    assert found.to_list() == [2, 1, 0]


@examples(200)
@given(st.lists(st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=9), st.booleans())
def test_different_codes_are_counted_whether_or_not_they_fit_in_32_bits_with_the_session(
    sessions: list[list[int | None]],
    high: bool,  # noqa: FBT001
) -> None:
    more = 2**32 - 5 if high else 0
    numbers = [number for number, codes in enumerate(sessions, 1) for _ in codes]
    codes = [None if code is None else code + more for each in sessions for code in each]
    rows = pl.DataFrame({"session": numbers, "code": codes}, schema={"session": pl.UInt32, "code": pl.UInt32})
    first = pl.Series([numbers.index(number) for number in range(1, len(sessions) + 1)], dtype=pl.UInt32)
    (found,) = named(rows, first, {"kinds": NUnique(pl.col("code"))})
    assert found.to_list() == [len({*each} - {None}) for each in sessions]


@pytest.mark.parametrize("pages", [1, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537])
def test_as_many_pages_as_just_fit_into_a_byte_or_two_are_told_apart_and_from_none(pages: int) -> None:
    made = sessionize.sessionize(
        pl.DataFrame(
            {
                "user_id": ["a"] * (pages + 1),
                "timestamp": pl.Series(range(1_700_000_000, 1_700_000_001 + pages)),
                "page": [None, *(f"/{number}" for number in range(pages))],
            }
        )
    )
    row = made.metrics.row(0, named=True)
    assert (row["events"], row["unique_pages"]) == (pages + 1, pages)
    assert (row["entry_page"], row["exit_page"]) == ("/0", f"/{pages - 1}")
