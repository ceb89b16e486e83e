"""What is found beside a log, or in it, and is not read: it is told by name, with the reason."""

from __future__ import annotations

from typing import Final

from sessionize.values import NamedTuple

EMPTY: Final = "empty"
MARKER: Final = "a marker"
OWN_OUTPUT: Final = "output of an earlier run"
TITLE_ABOVE: Final = "a title above the header"


class PassedOver(NamedTuple):
    """A file, or a folder with all that is in it, that was found and not read.

    Attributes:
        path: Path as it was found.
        why: Why it is not read, in a few words.
    """

    path: str
    why: str


def is_harmless(why: str) -> bool:
    """Whether what is passed over for this reason holds no event for certain."""
    return why in {MARKER, OWN_OUTPUT} or why.endswith(TITLE_ABOVE)
