"""The profile with the most events is the one that plain counting finds, however its sessions are cut into parts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from budget import examples
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize import schema
from sessionize.checks import profiles
from sessionize.checks.profiles import events_by_profile, most_events

SESSIONS = st.lists(st.tuples(st.none() | st.sampled_from("abcdefgh"), st.integers(1, 4)), max_size=20)


def frame(sessions: list[tuple[str | None, int]]) -> pl.DataFrame:
    return pl.DataFrame(sessions, schema={schema.PROFILE_ID: pl.String, "events": pl.UInt32}, orient="row")


@pytest.mark.parametrize("bits", [1, 20])
@examples(100)
@given(sessions=SESSIONS, cut=st.integers(0, 20))
@example(
    sessions=[("a", 1), ("b", 4), ("a", 2), ("c", 3), ("d", 3)], cut=2
)  # of two in one bucket neither has the most
@example(sessions=[(None, 4)], cut=0)
def test_the_profile_with_most_events_is_found_in_any_parts(
    sessions: list[tuple[str | None, int]], cut: int, bits: int
) -> None:
    counts: Counter[str] = Counter()
    for name, events in sessions:
        if name is not None:
            counts[name] += events
    expected = max(((number, name) for name, number in counts.items()), default=None)
    whole = frame(sessions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profiles, "BUCKET_BITS", np.uint64(bits))
        assert most_events([events_by_profile(whole, all_there=True)]) == expected
    parts = [events_by_profile(part, all_there=False) for part in (whole[:cut], whole[cut:])]
    assert most_events(parts) == expected


def test_of_all_sessions_only_profiles_that_may_have_the_most_events_are_told_of() -> None:
    whole = frame([(f"p{number}", 1 + (number == 7)) for number in range(1_000)])
    assert events_by_profile(whole, all_there=True)["id"].to_list() == ["p7"]
    assert events_by_profile(whole, all_there=False).height == 1_000
