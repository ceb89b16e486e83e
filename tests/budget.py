"""How many examples a property is tried on: all of them, or a tenth in the quick run, `python -m pytest -m "not slow"`."""

from __future__ import annotations

import sys
from typing import Final

from hypothesis import settings

QUICK: Final = "not slow" in sys.argv


def examples(most: int = 100) -> settings:
    """Settings of a property. No deadline: how long an example takes says how busy the machine is."""
    return settings(max_examples=max(10, most // 10) if QUICK else most, deadline=None)
