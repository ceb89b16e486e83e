"""Measures by name, where their numbers are large."""

from __future__ import annotations

import polars as pl

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
