r"""Records of RFC 4180, one a line, found on the bytes of many lines at once.

Every delimiter, quote and line feed is located, and what separates fields follows from whether the quotes before it on
its line are even. A line is a record if each quote opens a field, closes one, or is one of two that mean one. Its
fields then need no parser: they are views of the bytes, and what is wanted of them is copied. For example::

    text         a , " b , c " \n         marks at -1 1 2 4 6 7   (the first is before the text)
    place        0 1 2 3 4 5 6 7          inside?  -  no yes yes no no
                                          separators -1 1 7: the comma at 4 is inside quotes
    fields       0 to 1, and 2 to 7 without its quotes: a  b,c
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]

NEWLINE, QUOTE, CARRIAGE_RETURN, NUL = 10, 34, 13, 0
STEP: Final = 1 << 18
"""Bytes looked at together: few enough that they and what is found stay in the processor's cache."""
INLINE: Final = 12
"""Bytes of a text that stand in an Arrow view itself; of a longer one, the first four and its place."""
FEW: Final = 1 << 12
"""Texts that are made one by one."""
KEPT: Final = np.array(
    [[0xFF] * length + [0] * (INLINE - length) for length in range(INLINE + 1)] + [[0xFF] * 4 + [0] * 8], dtype=np.uint8
).view("<i4")
"""Which of the bytes from a text's start on belong to its view, by the text's length; last, of all longer ones."""


class Records(NamedTuple):
    """The records among some lines.

    Attributes:
        text: The lines.
        lines: Number of each record's line, from 0 (int64, one a record).
        first: For each record, where among the separators the one before its first field is (int64, one a record).
        separators: Places in the text at which fields and lines end (int64, ascending); the first is before the text.
        escaped: Whether two quotes may stand for one.
        others: Number of each line that is neither a record nor blank → its start and end in the text.
    """

    text: bytes
    lines: Places
    first: Places
    separators: Places
    escaped: bool
    others: Mapping[int, tuple[int, int]]

    def columns(self, places: Mapping[str, int]) -> list[pl.Series]:
        """Fields of every record.

        Args:
            places: Name that a column shall have → place of its field in a record, from 0.

        Returns:
            Texts; null where there is nothing between two separators, not even quotes.
        """
        # Room for the bytes of a view behind the last text.
        padded = np.frombuffer(self.text + bytes(INLINE), dtype=np.uint8)
        return [self._column(padded, place).alias(name) for name, place in places.items()]

    def _column(self, padded: Bytes, place: int) -> pl.Series:
        starts = self.separators[self.first + place] + 1
        ends = self.separators[self.first + (place + 1)]
        there = starts < ends
        quoted = padded[starts] == QUOTE
        starts += quoted
        texts = _texts(padded, starts, ends - quoted - starts, there)
        return texts.str.replace_all('""', '"', literal=True) if self.escaped else texts


def records(text: bytes, delimiter: str, width: int) -> Records:
    r"""The records among the lines of a text.

    Args:
        text: Lines, each ended by a line feed.
        delimiter: One byte.
        width: How many fields a record has; further ones have nothing between their delimiters.

    Examples:
        >>> found = records(b'a,"b,c"\nno record "\n,d\n', ",", 2)
        >>> found.lines.tolist(), found.others
        ([0, 2], {1: (8, 19)})
        >>> [column.to_list() for column in found.columns({"first": 0, "second": 1})]
        [['a', None], ['b,c', 'd']]
    """
    if not text:
        return Records(text, np.empty(0, np.int64), np.empty(0, np.int64), np.array([-1]), escaped=False, others={})
    data = np.frombuffer(text, dtype=np.uint8)
    marks = _marks(data, ord(delimiter))
    kinds = data[marks]  # the one before the text is as the text's last byte: a line feed
    quote, newline = kinds == QUOTE, kinds == NEWLINE
    inside = _inside(quote, newline)
    separates = ~(quote | inside) | newline
    touch = np.diff(marks) == 1
    chosen = np.flatnonzero(separates)  # far faster than choosing by flags
    separators = marks[chosen]
    stops = np.flatnonzero(newline[chosen])
    ends = separators[stops]
    whole = _as_wide(separators, stops, width)
    for wrong in (_stray(quote, inside, separates, touch), np.flatnonzero(inside & newline)):
        whole[np.searchsorted(ends, marks[wrong]) - 1] = False
    whole[_damaged(text, data, ends)] = False
    length = np.diff(ends) - 1
    others = np.flatnonzero(~whole & (length > 0))
    found = np.flatnonzero(whole & (length > 0))
    return Records(
        text, found, stops[found], separators, bool((quote[:-1] & ~inside[:-1] & touch & quote[1:]).any()),
        dict(zip(others.tolist(), zip((ends[others] + 1).tolist(), ends[others + 1].tolist(), strict=True), strict=True)),
    )  # fmt: skip


def _marks(data: Bytes, delimiter: int) -> Places:
    """Places of delimiters, quotes and line feeds (int64, ascending), behind -1, the end of a line before the text."""
    found = [np.array([-1])]
    for start in range(0, len(data), STEP):
        part = data[start : start + STEP]
        marked = part == NEWLINE
        marked |= part == delimiter
        marked |= part == QUOTE
        found.append(np.flatnonzero(marked) + start)
    return np.concatenate(found)


def _inside(quote: Flags, newline: Flags) -> Flags:
    r"""Whether the quotes up to and with each mark, on its line, are odd: then what follows is inside quotes.

    Args:
        quote: Whether each mark is a quote.
        newline: Whether each mark is a line feed.

    Returns:
        One flag a mark.

    Examples:
        >>> marks = np.frombuffer(b'\n"",""\n"', np.uint8)
        >>> _inside(marks == QUOTE, marks == NEWLINE).astype(int).tolist()
        [0, 1, 0, 0, 1, 0, 0, 1]
    """
    inside = np.bitwise_xor.accumulate(quote.view(np.uint8)).view(np.bool_)
    if (inside & newline).any():
        ends = np.flatnonzero(newline)
        inside[1:] ^= np.repeat(inside[ends[:-1]], np.diff(ends))
    return inside


def _stray(quote: Flags, inside: Flags, separates: Flags, touch: Flags) -> Places:
    """The quotes that neither open a field nor close one, nor stand beside another for one.

    Args:
        quote: Whether each mark is a quote.
        inside: Whether what follows each mark is inside quotes.
        separates: Whether each mark separates fields or lines.
        touch: Whether each mark but the last is followed by the next one at once.

    Returns:
        Their places among the marks (int64).
    """
    edge = separates | quote
    before, after = touch & edge[:-1], touch & edge[1:]
    sound = np.where(inside[1:-1], before[:-1], after[1:])
    return np.flatnonzero(quote[1:-1] & ~sound) + 1


def _as_wide(separators: Places, stops: Places, width: int) -> Flags:
    """Which lines have as many fields as they should, and nothing but delimiters behind them.

    Args:
        separators: Places in the text at which fields and lines end.
        stops: Which of the separators end a line; the first one ends the line before the text.
        width: How many fields a record has.

    Returns:
        One flag a line.
    """
    fields = np.diff(stops)
    if (fields == width).all():
        return np.ones(len(fields), dtype=bool)
    last = np.minimum(stops[:-1] + width, stops[1:])
    whole: Flags = (fields >= width) & (separators[stops[1:]] - separators[last] == fields - width)
    return whole


def _damaged(text: bytes, data: Bytes, ends: Places) -> Places:
    """Numbers of the lines that hold a carriage return, a NUL, or bytes that are no UTF-8 (int64)."""
    found = [_lines_of(data == byte, ends) for byte in (CARRIAGE_RETURN, NUL) if byte in text]
    if not is_utf8(text):
        beyond = _lines_of(data > 127, ends)
        lines = (text[start + 1 : end] for start, end in zip(ends[beyond], ends[beyond + 1], strict=True))
        found.append(beyond[[not is_utf8(line) for line in lines]])
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _lines_of(flagged: Flags, ends: Places) -> Places:
    return np.unique(np.searchsorted(ends, np.flatnonzero(flagged))) - 1


def is_utf8(text: bytes) -> bool:
    """Whether bytes are UTF-8; told some times faster than by decoding them, and while other threads run."""
    if text.isascii():
        return True
    try:
        pl.Series([text], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True


def _texts(data: Bytes, starts: Places, lengths: Places, there: Flags) -> pl.Series:
    """Texts that lie in the data, copied from it, so that a column that is kept does not keep all of it.

    Args:
        data: Bytes in which the texts lie, with INLINE more behind the last.
        starts: Place of each text's first byte.
        lengths: Number of each text's bytes.
        there: Whether there is a text; else the value is null.

    Returns:
        A String column, as long as ``starts``.
    """
    count, longest = len(starts), int(lengths.max(initial=0))
    if count <= FEW:
        text, places = data.tobytes(), zip(starts.tolist(), lengths.tolist(), there.tolist(), strict=True)
        return pl.Series(
            [text[at : at + size].decode() if is_text else None for at, size, is_text in places], dtype=pl.String
        )
    import pyarrow as pa  # noqa: PLC0415 - takes as long as all else of a small log, and only large ones need it

    if longest > INLINE and int(lengths.min()) == longest:  # ids and times, mostly: twice as fast as through views
        ends = np.arange(0, (count + 1) * longest, longest)
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(_starting(data, longest)[starts])]
        return pl.Series(pa.Array.from_buffers(pa.large_string(), count, buffers))
    views = np.empty(count, dtype=[("length", "<i4"), ("start", f"V{INLINE}")])
    views["length"] = lengths
    views["start"] = _starting(data, INLINE)[starts]
    words = views.view("<i4").reshape(-1, 4)
    words[:, 1:] &= KEPT[np.minimum(lengths, INLINE + 1)]
    words[:, 3] += np.where(lengths > INLINE, starts, 0)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    seen = pa.Array.from_buffers(pa.string_view(), count, [valid, pa.py_buffer(words), pa.py_buffer(data)])
    return pl.Series(seen.cast(pa.large_string()))


def _starting(data: Bytes, size: int) -> npt.NDArray[np.void]:
    """The ``size`` bytes from each place on, as a view: one value for each place that has so many behind it."""
    return np.ndarray((len(data) - size + 1,), dtype=f"V{size}", buffer=data, strides=(1,))
