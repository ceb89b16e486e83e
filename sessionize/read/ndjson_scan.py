r"""Objects of one shape, one a line, found on the bytes of many lines at once: as a program writes the rows of a table.

Lines have one shape where they have the same keys in the same order, written alike, and values that are texts without a
backslash, numbers, true, false or null. Then a value stands between what the first line, too, has before it, its head,
and the next comma outside quotes. For example::

    {"id":"a,b","n":12}
    ^^^^^^     ^^^^^       heads: what all lines have before their values
               ^       ^   marks: commas outside quotes, and the end of the line; one more ends the line before
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from sessionize.kernel.texts import each_spelled
from sessionize.patterns import pattern
from sessionize.read.bits import Words, after, bits_of, odd, ones, places
from sessionize.read.seen import Seen, look
from sessionize.read.views import FEW, LEAD, Bytes, Flags, Places, is_utf8, nulls, padding, starting, texts_at
from sessionize.values import NamedTuple

NEWLINE, QUOTE, COMMA, CLOSE = b'\n",}'
NULL: Final = int.from_bytes(b"null", "little")
HEAD: Final = pattern(rb'[{ ]*"[^"]*" *: *')
BARE: Final = r"^(?:true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$"
"""What a value may be that is neither a text nor null."""
LEAST: Final = 1 << 18
"""Bytes of lines that are worth it."""
LOOKED_AT: Final = 8
"""Lines whose keys are compared before all others are looked at."""


def columns(
    text: bytes, wanted: Collection[str], seen: Seen | None = None, least: int = LEAST, few: int = FEW
) -> list[pl.Series] | None:
    """The wanted keys of each of many lines; None where they are few, or are not all of one shape.

    Args:
        text: Lines, each ended by a line feed.
        wanted: Keys; one that the lines have not is null.
        seen: What is in the text, if it was looked at.
        least: Bytes of lines that are worth it.
        few: Number of texts of a column up to which they are made one by one.

    Returns:
        Texts, numbers in their one spelling.
    """
    if len(text) < least or (seen := seen or look(text)).backslashes or not (keys := _keys(text)):
        return None
    if seen.lowest < 0 and not is_utf8(text):
        return None
    padded, data = padding(text)
    quotes, newlines, commas = bits_of(data, QUOTE, NEWLINE, COMMA)
    inside = odd(quotes)
    if seen.controls > seen.line_feeds or (inside & newlines).any():  # JSON has neither in texts
        return None
    marking = (commas | newlines) & ~inside
    marks = _marks(data, marking, len(keys), seen.line_feeds)
    fields = None if marks is None else _fields(padded, marks, len(keys))
    if fields is None or not _are_in_pairs(quotes, marking, fields):
        return None
    count = len(fields[0].starts)
    named = list(zip(keys, fields, strict=True))
    found = {key: field.texts(padded, few) for key, field in named if key in wanted or field.bare}
    if not all(field.is_sound(found[key]) for key, field in named if field.bare):
        return None
    found |= {key: field.spelled(found[key]) for key, field in named if field.bare and key in wanted}
    return [found[key].alias(key) if key in found else nulls(key, count, pl.String) for key in wanted]


def _keys(text: bytes) -> list[str]:
    """The keys that the first lines have in common, in order; none where they are no objects of one shape."""
    lines = text[: (text.find(b"\n") + 1) * 2 * LOOKED_AT].split(b"\n")[:-1][:LOOKED_AT]
    first = _keys_of(lines[0])
    return first if all(_keys_of(line) == first for line in lines) else []


def _keys_of(line: bytes) -> list[str]:
    """The keys of a line that is an object with each key once, and no object or array in it; else none."""
    try:
        pairs: Any = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return []
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return []
    keys = [key for key, _ in pairs]
    is_flat = not any(isinstance(value, list) for _, value in pairs)
    return keys if is_flat and len({*keys}) == len(keys) else []


def _marks(data: Bytes, marking: Words, width: int, line_feeds: int) -> Places | None:
    """Places of commas outside quotes, and of line ends; None where lines have others than they should.

    Args:
        data: The lines, behind the end of a line before them.
        marking: Which bytes they are.
        width: How many keys a line has.
        line_feeds: How many lines there are.

    Returns:
        Places, the first of which ends the line before the text (int64, ascending).
    """
    marks = places(marking)
    lines, rest = divmod(len(marks) - 1, width)
    return marks if not rest and lines == line_feeds and (data[marks[::width]] == NEWLINE).all() else None


class Field(NamedTuple):
    """The values of a key.

    Attributes:
        starts: Place of the first byte of each (int64).
        lengths: Bytes of each, 0 where it is null (int64).
        there: Which are not null.
        quoted: Which stand in quotes, which are none of their bytes.
        bare: Whether some are neither in quotes nor null.
    """

    starts: Places
    lengths: Places
    there: Flags
    quoted: Flags
    bare: bool

    def texts(self, padded: Bytes, few: int) -> pl.Series:
        """The values as texts.

        Returns:
            A String column, one value a line.
        """
        return texts_at(padded, self.starts, self.lengths, self.there, few)

    def is_sound(self, texts: pl.Series) -> bool:
        """Whether the values outside quotes are what JSON has there."""
        return bool(texts.filter(pl.Series(self.there & ~self.quoted)).str.contains(BARE).all())

    def spelled(self, texts: pl.Series) -> pl.Series:
        """The texts with their one spelling of numbers."""
        if not self.quoted.any():
            return each_spelled(texts)
        numbers = pl.Series(np.flatnonzero(self.there & ~self.quoted).astype(np.uint32))
        return texts.scatter(numbers, each_spelled(texts.gather(numbers)))


def _fields(padded: Bytes, marks: Places, width: int) -> Sequence[Field] | None:
    """The values of each of so many keys; None where a line has something else before one than the first line has.

    Of the last key's values those that begin with a quote end with one; of the others `_are_in_pairs` tells it.
    """
    ends = marks[1:].reshape(-1, width).T.copy()
    ends += len(LEAD) - 1
    ends[-1] -= 1  # a brace is between the last value and the line's end
    if not (padded[ends[-1]] == CLOSE).all():
        return None
    fields: list[Field] = []
    for at in range(width):
        starts = marks[at:-1:width] + len(LEAD)
        head = HEAD.match(padded[starts[0] : ends[at, 0]].tobytes())
        opening = None if head is None else _opening(padded, starts, head.end())
        if head is None or opening is None:
            return None
        fields.append(_field(padded, starts + head.end(), ends[at], opening))
    return fields if np.array_equal(padded[ends[-1] - 1] == QUOTE, fields[-1].quoted) else None


def _opening(padded: Bytes, starts: Places, size: int) -> Flags | None:
    """Whether a quote follows the bytes from each place on; None where these are not the same as from the first one."""
    if len(padded) < starts[-1] + size + 1:
        return None
    found = starting(padded, size + 1)[starts]
    if found.tobytes() == found[:1].tobytes() * len(found):
        return np.full(len(found), padded[starts[0] + size] == QUOTE)
    if not _same(padded, starts, size):
        return None
    each: Flags = found.view(np.uint8)[size :: size + 1] == QUOTE
    return each


def _same(padded: Bytes, starts: Places, size: int) -> bool:
    """Whether the bytes from each place on are the same as from the first one."""
    found = starting(padded, size)[starts]
    return found.tobytes() == found[:1].tobytes() * len(found)


def _field(padded: Bytes, starts: Places, ends: Places, quoted: Flags) -> Field:
    """The values between some places, of which some begin with a quote."""
    lengths = ends - starts
    if quoted.all():
        return Field(starts + 1, lengths - 2, quoted, quoted, bare=False)
    null = (lengths == len(b"null")) & (starting(padded, len(b"null"))[starts].view("<u4") == NULL)
    there = ~null
    lengths = np.where(null, 0, lengths - 2 * quoted)
    return Field(starts + quoted, lengths, there, quoted, bare=bool((there & ~quoted).any()))


def _are_in_pairs(quotes: Words, marking: Words, fields: Sequence[Field]) -> bool:
    """Whether there are no quotes but those around keys, and around values that begin with one.

    Between two marks quotes are even, so that each of these values has two at least: if there are no more, and as many
    stand before a comma as open a value there, each of them ends its value. Of a line's last values `_fields` tells it.
    """
    opened = [int(field.quoted.sum()) for field in fields]
    pairs = len(fields) * len(fields[0].starts) + sum(opened)
    return ones(quotes) == 2 * pairs and ones(quotes & after(marking)) == sum(opened[:-1])
