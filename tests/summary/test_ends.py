"""The commonest ends, long names and all, against a plain count; however the sessions come."""

from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sessionize.summary.ends import Ends
from sessionize.summary.long_names import LONG

LENGTHS = (1, LONG, LONG + 1)
NAMES = st.one_of(
    st.none(),
    st.builds(lambda letter, length: letter * length, st.sampled_from("ab\0ü"), st.sampled_from(LENGTHS)),
    st.builds(lambda number: f"{number:0{LONG + 1}}", st.integers(0, 30)),
)


def sessions(names: list[str | None]) -> pl.DataFrame:
    flags = pl.Series([True] * len(names), dtype=pl.Boolean)
    return pl.DataFrame({"entry_page": pl.Series(names, dtype=pl.String), "bounced": flags, "converted": ~flags})


@given(st.lists(st.lists(NAMES, max_size=12), min_size=1, max_size=12), st.sampled_from([0, 1_000, 1 << 20]))
def test_the_commonest_are_those_of_a_plain_count_though_most_long_names_are_let_go(
    batches: list[list[str | None]], most_waiting: int
) -> None:
    ends = Ends("entry_page", most_waiting=most_waiting, names_kept=3)
    for batch in batches:
        ends.add(sessions(batch))
    counted = Counter(name for batch in batches for name in batch if name is not None)
    commonest = sorted(counted.items(), key=lambda each: (-each[1], each[0].encode()))
    assert [(row["name"], row["sessions"]) for row in ends.rows(3)] == commonest[:3]
    assert ends.known() == counted.total()
