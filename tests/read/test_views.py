"""Texts in the bytes of many lines are what they are, however long they are and whatever stands between them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize.read import views

TEXTS = st.one_of(st.none(), st.text("ä€😀a,", max_size=8), st.text("ab", min_size=12, max_size=16))
ALIKE = [*("2026-01-01 00:00:05.176", "2026-01-01 00:00:06") * 5, None]
UNLIKE = [*["a text longer than twelve bytes"] * 5, "and one that is €" + "far " * 50]


@pytest.mark.parametrize("few", [0, views.FEW])
@pytest.mark.parametrize("room", [0, views.ROOM, 100])
@given(st.lists(TEXTS, min_size=1, max_size=20), st.sampled_from(["\n", "€€€€\n", ""]))
@example(ALIKE, "\n")
@example(UNLIKE, "\n")
@example(ALIKE, "")  # there is not room for the longest behind the last
def test_texts_are_found_at_their_places(few: int, room: float, texts: list[str | None], between: str) -> None:
    parts = [(text or "").encode() for text in texts]
    ends = np.cumsum([len(part) + len(between.encode()) for part in parts])
    lengths = np.array([len(part) for part in parts])
    starts = ends - len(between.encode()) - lengths + len(views.LEAD)
    padded, _ = views.padding(b"".join(part + between.encode() for part in parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "ROOM", room)
        found = views.texts_at(padded, starts, lengths, np.array([text is not None for text in texts]), few)
    assert found.to_list() == texts
    assert found.cast(pl.Categorical).cast(pl.String).to_list() == texts


def test_texts_of_about_one_length_are_copied_with_room_for_the_longest_and_others_without() -> None:
    for texts, room in ((ALIKE[:-1], 23 * 10), (UNLIKE, None)):
        parts = [(text or "").encode() for text in texts]
        lengths = np.array([len(part) for part in parts])
        padded, _ = views.padding(b"\n".join(parts) + bytes(len(parts[0])))
        starts = np.cumsum(lengths + 1) - 1 - lengths + len(views.LEAD)
        found = views.texts_at(padded, starts, lengths, np.ones(len(parts), np.bool_), few=0)
        assert found.to_list() == texts
        assert found.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()[2].size == (room or sum(lengths))
