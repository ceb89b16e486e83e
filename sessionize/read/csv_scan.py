r"""Records of RFC 4180, one a line, found on the bytes of many lines at once.

What separates fields follows from whether the quotes before it on its line are even: `bits` tells that of 64 bytes at a
time. A line is a record if each quote opens a field, closes one, or is one of two that mean one. Its fields then need
no parser: they are views of the bytes, and what is wanted of them is copied. For example::

    text         a , " b , c " \n         with the end of a line before it, at 0
    place        1 2 3 4 5 6 7 8          inside?  from the quote at 3 to the comma at 5
                                          separators 0 2 8: the comma at 5 is inside quotes
    fields       1 to 2, and 3 to 8 without its quotes: a  b,c
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from sessionize.kernel.order import different
from sessionize.read.bits import Words, after, before, bits_at, bits_of, odd, ones, places, where
from sessionize.read.seen import CARRIAGE_RETURN, Seen, look
from sessionize.read.views import FEW, LEAD, is_utf8, padding, texts_at
from sessionize.values import NamedTuple

Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]

NEWLINE, QUOTE, NUL = 10, 34, 0


class Records(NamedTuple):
    """The records among some lines.

    Attributes:
        text: Lines, each ended by a line feed.
        padded: The lines with what `views` needs around them (uint8).
        lines: Number of each record's line, from 0 (int64, one a record).
        edges: Places at which each record's fields begin and end, counted from the end of a line before the text (int64,
            one row more than there are fields, one column a record).
        opened: Which fields begin with a quote, one row a field; None where there are no quotes.
        escaped: Whether two of the quotes may stand for one.
        others: Number of each line that is neither a record nor blank → its start and end in the text.
    """

    text: bytes
    padded: Bytes
    lines: Places
    edges: Places
    opened: Flags | None
    escaped: bool
    others: Mapping[int, tuple[int, int]]

    def columns(self, places: Mapping[str, int], few: int = FEW) -> list[pl.Series]:
        """Fields of every record.

        Args:
            places: Name that a column shall have → place of its field in a record, from 0.
            few: Number of texts of a column up to which they are made one by one.

        Returns:
            Texts; null where there is nothing between two separators, not even quotes.
        """
        return [self._column(place, few).alias(name) for name, place in places.items()]

    def _column(self, place: int, few: int) -> pl.Series:
        before, behind = self.edges[place], self.edges[place + 1]
        starts, lengths = before + len(LEAD), behind - before - 1
        there = lengths > 0
        if self.opened is not None:
            within = self.opened[place]
            if within.all():
                starts += 1
                lengths -= 2
            elif within.any():
                starts += within
                lengths -= 2 * within
        texts = texts_at(self.padded, starts, lengths, there, few)
        return texts.str.replace_all('""', '"', literal=True) if self.escaped else texts


def records(text: bytes, delimiter: str, width: int, seen: Seen | None = None) -> Records:
    r"""The records among the lines of a text.

    Args:
        text: Lines, each ended by a line feed.
        delimiter: One byte.
        width: How many fields a record has; further ones have nothing between their delimiters.
        seen: What is in the text, if it was looked at.

    Examples:
        >>> found = records(b'a,"b,c"\nno record "\n,d\n', ",", 2)
        >>> found.lines.tolist(), found.others
        ([0, 2], {1: (8, 19)})
        >>> [column.to_list() for column in found.columns({"first": 0, "second": 1})]
        [['a', None], ['b,c', 'd']]
    """
    padded, data = padding(text)
    quotes, newlines, delimiters = bits_of(data, QUOTE, NEWLINE, ord(delimiter))
    quoted = bool(quotes.any())
    inside, unclosed = _inside(quotes, newlines, len(data)) if quoted else (quotes, np.empty(0, dtype=np.int64))
    separating = (delimiters | newlines) & ~inside
    separators = places(separating)
    stops = _stops(data, newlines, separators, width)
    ends = separators[stops]
    whole = _as_wide(separators, stops, width)
    whole[unclosed] = False
    tidy = not quoted or _only_around_fields(quotes, separating)
    if not tidy:
        whole[np.searchsorted(ends, _stray(quotes, inside, separating)) - 1] = False
    whole[_damaged(text, data, ends, seen or look(text))] = False
    length = np.diff(ends) - 1
    others = np.flatnonzero(~whole & (length > 0))
    found = np.flatnonzero(whole & (length > 0))
    opening = data[1:][separators[:-1]] == QUOTE if quoted else None
    return Records(
        text, padded, found, *_by_field(separators, opening, stops[found], width),
        not tidy and bool((quotes & ~inside & after(quotes)).any()),
        dict(zip(others.tolist(), zip(ends[others].tolist(), (ends[others + 1] - 1).tolist(), strict=True), strict=True)),
    )  # fmt: skip


def _stops(data: Bytes, newlines: Words, separators: Places, width: int) -> Places:
    """Which of the separators end a line; the first one ends the line before the text.

    Args:
        data: The text behind the end of a line.
        newlines: Which bytes are line feeds; all of them are separators.
        separators: Places at which fields and lines end.
        width: How many fields a line should have.

    Returns:
        Numbers of separators (int64, ascending).
    """
    if len(separators) == width * (ones(newlines) - 1) + 1 and (data[separators[::width]] == NEWLINE).all():
        return np.arange(0, len(separators), width)
    return np.flatnonzero(data[separators] == NEWLINE)


def _by_field(separators: Places, opening: Flags | None, first: Places, width: int) -> tuple[Places, Flags | None]:
    """The separators around the fields of each record, and whether a quote follows, one row a field.

    Args:
        separators: Places at which fields and lines end.
        opening: Whether a quote follows each but the last; None where there are no quotes.
        first: For each record, which of the separators is the one before its first field.
        width: How many fields a record has.
    """
    count = len(first)
    if len(separators) == width * count + 1:  # there is nothing but records
        edges = np.empty((width + 1, count), dtype=np.int64)
        edges[:-1] = separators[:-1].reshape(count, width).T
        edges[-1] = separators[width::width]
        return edges, None if opening is None else opening.reshape(count, width).T.copy()
    at = first + np.arange(width + 1)[:, np.newaxis]
    return separators[at], None if opening is None else opening[at[:-1]]


def _only_around_fields(quotes: Words, separating: Words) -> bool:
    """Whether each quote stands beside a separator.

    Then none is a stray or stands for itself: of the quotes between two separators, which are even, there are two at most.
    """
    return not (quotes & ~(before(separating) | after(separating))).any()


def _inside(quotes: Words, newlines: Words, length: int) -> tuple[Words, Places]:
    """Whether the quotes up to and with each byte, on its line, are odd: then what follows is inside quotes.

    Args:
        quotes: Which bytes are quotes.
        newlines: Which bytes are line feeds, as the first is.
        length: How many bytes there are.

    Returns:
        A bit a byte (uint64, 64 to a word), and the numbers of the lines that end inside quotes, which end all the same
        (int64).
    """
    inside = odd(quotes)
    if not (inside & newlines).any():
        return inside, np.empty(0, dtype=np.int64)
    ends = places(newlines)
    unclosed = np.flatnonzero(np.diff(where(inside, ends)))
    return odd(quotes | bits_at(ends[unclosed + 1], length)), unclosed


def _stray(quotes: Words, inside: Words, separating: Words) -> Places:
    """Places of the quotes that neither open a field nor close one, nor stand beside another for one (int64).

    Args:
        quotes: Which bytes are quotes.
        inside: Whether what follows each byte is inside quotes.
        separating: Which bytes separate fields or lines.
    """
    edges = separating | quotes
    strays = quotes & ~((inside & before(edges)) | (~inside & after(edges)))
    return places(strays) if strays.any() else np.empty(0, dtype=np.int64)


def _as_wide(separators: Places, stops: Places, width: int) -> Flags:
    """Which lines have as many fields as they should, and nothing but delimiters behind them.

    Args:
        separators: Places in the text at which fields and lines end.
        stops: Which of the separators end a line; the first one ends the line before the text.
        width: How many fields a record has.

    Returns:
        One flag a line (bool).
    """
    fields = np.diff(stops)
    if (fields == width).all():
        return np.ones(len(fields), dtype=bool)
    last = np.minimum(stops[:-1] + width, stops[1:])
    whole: Flags = (fields >= width) & (separators[stops[1:]] - separators[last] == fields - width)
    return whole


def _damaged(text: bytes, data: Bytes, ends: Places, seen: Seen) -> Places:
    """Numbers of the lines that hold a carriage return, a NUL, or bytes that are no UTF-8 (int64)."""
    odd_ones = [CARRIAGE_RETURN] * seen.carriage_returns + [NUL] * (seen.lowest <= 0 and NUL in text)
    found = [_lines_of(data == byte, ends) for byte in odd_ones]
    if seen.lowest < 0 and not is_utf8(text):
        beyond = _lines_of(data > 127, ends)
        lines = (text[start : end - 1] for start, end in zip(ends[beyond], ends[beyond + 1], strict=True))
        found.append(beyond[[not is_utf8(line) for line in lines]])
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _lines_of(flagged: Flags, ends: Places) -> Places:
    return different(np.searchsorted(ends, np.flatnonzero(flagged))) - 1
