"""How much each run tries: the quick one, `python -m pytest -m "not slow"`; the whole one; and `THOROUGH=1`, which takes all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import settings

THOROUGH: Final = bool(os.environ.get("THOROUGH"))
"""Whether every step of every sweep is taken, and every property tried as often as it says."""

# No deadline: how long an example takes says how busy the machine is.
settings.register_profile("full", max_examples=100 if THOROUGH else 16, deadline=None)
settings.register_profile("quick", max_examples=6, deadline=None)


def load_profile(*, quick: bool) -> None:
    """Make one of the two what a property without settings of its own has."""
    settings.load_profile("quick" if quick else "full")


def is_quick() -> bool:
    """Whether this is the quick run."""
    return settings.get_current_profile_name() == "quick"


def first_cases(tests: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Of each test that is not slow the first case, and all the others."""
    first: dict[str, pytest.Item] = {}
    others: list[pytest.Item] = []
    for test in tests:
        name = test.nodeid.partition("[")[0]
        if test.get_closest_marker("slow") or name in first:
            others.append(test)
        else:
            first[name] = test
    return [*first.values()], others


def turns(most: int, fewest: int = 16) -> int:
    """How often something random is tried: so often if THOROUGH, else a twelfth of it, or in the quick run a fiftieth.

    Args:
        most: How often it is worth to be tried.
        fewest: How often at least; less of what takes a second each.
    """
    if is_quick():
        return max(6, most // 50)
    return most if THOROUGH else min(most, max(fewest, most // 12))


def every(step: int) -> int:
    """Of the steps of a sweep every so manieth is taken; each one if THOROUGH."""
    return 1 if THOROUGH else step


def examples(most: int = 100, fewest: int = 16) -> settings:
    """Settings of a property that is tried on so many examples, as `turns` has it."""
    return settings(max_examples=turns(most, fewest))


def in_turn(*lists: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Combinations of which each value of the longest list is in one, and those of the others come in turn; all if THOROUGH."""
    values = [list(each) for each in lists]
    if THOROUGH:
        return list(product(*values))
    return [tuple(each[place % len(each)] for each in values) for place in range(max(map(len, values)))]


def quick_first(cases: Iterable[Any]) -> list[Any]:
    """Values of one parameter, of which the quick run takes the first: the others show nearly the same, and take long."""
    first, *others = cases
    return [first, *(pytest.param(case, marks=pytest.mark.slow) for case in others)]
