"""What the quick run, `python -m pytest -m "not slow"`, takes of what the whole one tries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

# No deadline: how long an example takes says how busy the machine is.
settings.register_profile("full", deadline=None)
settings.register_profile("quick", max_examples=10, deadline=None)


def load_profile(*, quick: bool) -> None:
    """Make one of the two what a property without settings of its own has."""
    settings.load_profile("quick" if quick else "full")


def turns(most: int) -> int:
    """How often something random is tried: so often, or in the quick run a thirtieth of it, but ten times at least."""
    return max(10, most // 30) if settings.get_current_profile_name() == "quick" else most


def examples(most: int = 100) -> settings:
    """Settings of a property that is tried on so many examples."""
    return settings(max_examples=turns(most))


def quick_first(cases: Iterable[Any]) -> list[Any]:
    """Values of one parameter, of which the quick run takes the first: the others show nearly the same, and take long."""
    first, *others = cases
    return [first, *(pytest.param(case, marks=pytest.mark.slow) for case in others)]
