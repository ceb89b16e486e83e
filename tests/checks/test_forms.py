"""What ids look like: told of many samples together as of each alone, and as Python counts it."""

from __future__ import annotations

import unicodedata
from statistics import fmean, pstdev

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize.engine.forms import forms

TEXTS = st.lists(st.text(st.sampled_from("aÉé1٣-_ß "), max_size=8), min_size=1, max_size=6)


@examples(100)
@given(samples=st.lists(TEXTS, max_size=5))
def test_each_sample_is_told_of_as_python_counts_it(samples: list[list[str]]) -> None:
    kinds = {"upper case": ("Lu",), "lower case": ("Ll",), "digits": ("Nd",)}
    found = forms([pl.Series(texts, dtype=pl.String) for texts in samples])
    assert len(found) == len(samples)
    for form, texts in zip(found, samples, strict=True):
        lengths = [len(text) for text in texts]
        assert (form.length.number, form.length.total) == (len(texts), sum(lengths))
        assert form.length.mean == pytest.approx(fmean(lengths))
        assert form.length.deviation == pytest.approx(pstdev(lengths), abs=1e-6)
        of_each = [{unicodedata.category(letter) for letter in text} for text in texts]
        for name, categories in kinds.items():
            assert form.with_each[name] == sum(not there.isdisjoint(categories) for there in of_each), name
        others = [any(each != "Nd" and each[0] != "L" for each in there) for there in of_each]
        assert form.with_each["other"] == sum(others)
