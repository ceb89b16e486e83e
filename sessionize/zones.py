"""Zones of times that Polars has no name for: that it takes them all the same is a setting of the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

SETTING: Final = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"
"""Else a time whose zone is an offset, as Arrow's may be, makes Polars panic."""
_LOCK: Final = Lock()
_WITHIN: Final[list[bool]] = []
"""For each span that is not over, whether it has set it."""


@contextmanager
def any_zone() -> Iterator[None]:
    """A span in which Polars takes times of any zone. The process is left as it was: it may be somebody else's.

    Examples:
        >>> with any_zone(), any_zone():
        ...     inside = SETTING in os.environ
        >>> inside, SETTING in os.environ
        (True, False)
    """
    with _LOCK:
        _WITHIN.append(SETTING not in os.environ)
        os.environ.setdefault(SETTING, "1")
    try:
        yield
    finally:
        with _LOCK:
            if _WITHIN.pop():  # which the first has put there, so that the last takes it out, whichever that is
                os.environ.pop(SETTING, None)
