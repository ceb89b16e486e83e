"""What one look at a text's bytes tells, so that they are not gone through for each question."""

from __future__ import annotations

from typing import Final

import numpy as np

from sessionize.values import NamedTuple

PIECE: Final = 1 << 20
"""Bytes that are looked at together: few enough to stay near the processor."""
LINE_FEED, CARRIAGE_RETURN, SPACE, BACKSLASH = b"\n\r \\"


class Seen(NamedTuple):
    """What is in a text.

    Attributes:
        line_feeds: How many there are.
        controls: How many bytes of ASCII's control characters there are, line feeds among them, but for DEL.
        lowest: The least byte as a signed number: below 0 some are not ASCII, above 0 none is NUL.
        carriage_returns: Whether there are any.
        backslashes: Whether there are any.
    """

    line_feeds: int
    controls: int
    lowest: int
    carriage_returns: bool
    backslashes: bool


def look(text: bytes) -> Seen:
    r"""Look at a text.

    NumPy looks, some times faster than ``bytes`` count and while other threads run; not Polars, for whose threads whoever
    reads would wait.

    Examples:
        >>> look(b"a\r\nb\n")
        Seen(line_feeds=2, controls=3, lowest=10, carriage_returns=True, backslashes=False)
    """
    data = np.frombuffer(text, dtype=np.uint8)
    room = np.empty(min(len(data), PIECE), dtype=np.bool_)
    line_feeds, controls, lowest, backslashes = 0, 0, 127, False
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        flags = room[: len(piece)]
        controls += int(np.count_nonzero(np.less(piece, SPACE, out=flags)))
        line_feeds += int(np.count_nonzero(np.equal(piece, LINE_FEED, out=flags)))
        lowest = min(lowest, int(piece.view(np.int8).min()))
        backslashes = backslashes or bool(np.equal(piece, BACKSLASH, out=flags).any())
    carriage_returns = controls > line_feeds and CARRIAGE_RETURN in text
    return Seen(line_feeds, controls, lowest, carriage_returns, backslashes)
