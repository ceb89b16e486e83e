"""Codes mean the same throughout a run, in memory and in files."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize.kernel.dictionaries import ENTRY_BYTES, Dictionaries, alike, dictionary, occurrences


def _pages(*texts: str | None) -> pl.DataFrame:
    return pl.DataFrame({"page": texts}, schema={"page": pl.String})


def test_stored_codes_keep_their_meaning_when_no_column_has_them_any_more() -> None:
    with Dictionaries() as dictionaries:
        first = dictionaries.stored(dictionaries.coded(_pages("a", None, "b")))
        second = dictionaries.stored(dictionaries.coded(_pages("c", "b")))
        assert first["page"].dtype == pl.UInt32
        assert dictionaries.restored(first)["page"].to_list() == ["a", None, "b"]
        assert dictionaries.restored(second)["page"].to_list() == ["c", "b"]


def test_a_dictionary_that_outgrows_its_bound_gives_way_to_texts() -> None:
    with Dictionaries() as dictionaries:
        dictionaries.only_small(2 * (ENTRY_BYTES + 1))
        frames = [
            dictionaries.stored(dictionaries.coded(_pages(*texts))) for texts in (("a", "b"), ("b", "c"), ("c", "d"))
        ]
        assert [frame["page"].dtype for frame in frames] == [pl.UInt32, pl.String, pl.String]
        together = pl.concat(alike([dictionaries.restored(frame) for frame in frames]))
    assert together["page"].to_list() == ["a", "b", "b", "c", "c", "d"]


@pytest.mark.parametrize("dtype", [pl.String, dictionary()], ids=["texts", "codes"])
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=6), max_size=4))
@example([["a", "b"], ["b", "c", None, "b"], [], ["a"]])
def test_texts_are_counted_over_all_parts_of_a_column(
    dtype: pl.DataType | type[pl.String], parts: list[list[str | None]]
) -> None:
    texts = pl.concat([pl.Series(part, dtype=pl.String).cast(dtype) for part in [[], *parts]], rechunk=False)
    expected = Counter(text for part in parts for text in part if text is not None)
    assert sorted(occurrences(texts)) == sorted(expected.items())
