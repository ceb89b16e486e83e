"""CSV records over several lines: their line breaks put out of the way, so that a record is one line for the rest.

A line with an odd number of quotes opens a field or closes one, in any record of RFC 4180; so the only place where a
record that a line opens can end is the next such line. Where the lines between the two are not one whole record, the
quote was a stray one: its line stands alone, to be rejected, and the next is looked at afresh. So one open quote costs
one line, and never the rest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.patterns import pattern
from sessionize.read import delimited
from sessionize.read.dialect import Dialect
from sessionize.read.lines import Block, uncommented
from sessionize.values import NamedTuple

WITH_RETURN: Final = pattern(rb"(?m)^[^\r\n]*+\r[^\n]*")
QUOTED: Final = pattern(rb'"(?:[^"]|"")*+"')
MARKS: Final = b"\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1c\x1d\x1e\x1f"
"""One that a block has not stands for its line breaks inside records, another for carriage returns inside quotes."""


class Records(NamedTuple):
    """Some whole records, one a line.

    Attributes:
        text: The records, line breaks inside as the mark.
        numbers: Numbers of each record's first line in the file, from 1.
        mark: Stands for a line break; empty where no record has one.
        carriage: Stands for a carriage return in quotes that no line break follows; empty where no record has one.
    """

    text: bytes
    numbers: Sequence[int]
    mark: bytes = b""
    carriage: bytes = b""

    def lines(self) -> list[bytes]:
        """Each record as it stands in the file."""
        found = self.text.split(b"\n")[:-1]
        for mark, meant in self.marks():
            found = [line.replace(mark, meant) for line in found]
        return found

    def marks(self) -> list[tuple[bytes, bytes]]:
        """Each of the marks that there are, with what it stands for."""
        return [(mark, meant) for mark, meant in ((self.mark, b"\n"), (self.carriage, b"\r")) if mark]


def records(blocks: Iterable[Block], form: Dialect, longest: int) -> Iterator[Records]:
    """The records of a file's blocks, in order.

    Args:
        blocks: Lines below the header.
        form: Form of the file.
        longest: Bytes of a record over several lines; what is longer is an open quote.
    """
    whole = _whole(form)
    held, first = b"", 1
    for block in blocks:
        start = first if held else block.first
        found, held = _joined(Block(held + block.text, start), whole, longest)
        if found.text or not block.text:
            yield found
        first = block.first + block.text.count(b"\n") - held.count(b"\n")
    while held:
        found, held = _joined(Block(held, first), whole, longest, last=True)
        yield found


def parse(found: Records, form: Dialect, wanted: Collection[str], comment: bytes = b"") -> pl.DataFrame:
    """ROW, FAULT and the wanted columns of every record that is not blank, in order.

    Args:
        found: Records below the header.
        form: Form of the file.
        wanted: Columns of the dialect.
        comment: What a record begins with that is none of the log's; empty for nothing.
    """
    block = Block(found.text, 1)
    frame = delimited.parse(uncommented(block, comment) if comment else block, form, wanted)
    numbers = pl.Series(found.numbers, dtype=pl.UInt32)
    frame = frame.with_columns(numbers.gather(frame[schema.ROW] - 1).alias(schema.ROW))
    for mark, meant in found.marks() if wanted else ():
        frame = frame.with_columns(pl.col(*wanted).str.replace_all(mark.decode(), meant.decode(), literal=True))
    return frame


def _whole(form: Dialect) -> re.Pattern[bytes]:
    """A record of RFC 4180 with as many fields as the header; further ones are empty."""
    delimiter = re.escape(form.delimiter.encode())
    field = rb'(?:"(?:[^"]|"")*+"|[^"\n%b]*+)' % delimiter
    least = len(form.names) - 1
    most = least + form.unnamed
    return re.compile(rb"%b(?:%b%b){%d,%d}%b*" % (field, delimiter, field, least, most, delimiter))


def _joined(block: Block, whole: re.Pattern[bytes], longest: int, *, last: bool = False) -> tuple[Records, bytes]:
    """A block's records, and what may be the beginning of one that ends after the block."""
    raw = block.text
    if b'"' not in raw:
        return Records(raw, range(block.first, block.first + raw.count(b"\n"))), b""
    ends = _line_ends(raw)
    odd = _odd_lines(raw, ends)
    spans: list[tuple[int, int]] = []
    at, held = 0, len(ends)
    while at < len(odd):
        line = odd[at]
        start = ends[line - 1] + 1 if line else 0
        if at + 1 == len(odd):
            if not last and len(raw) - start <= longest:
                held = line
            break
        close = odd[at + 1]
        long = ends[close] - start > longest
        if not long and whole.fullmatch(raw, start, ends[close]):
            spans.append((line, close))
            at += 1
        at += 1
    cut = ends[held - 1] + 1 if held else 0
    found = _records(Block(raw[:cut], block.first), ends[:held], spans)
    return _with_carriages(found, whole), raw[cut:]


def _with_carriages(found: Records, whole: re.Pattern[bytes]) -> Records:
    """The records with a mark in place of each carriage return in quotes: elsewhere one is no part of a record."""
    mark = next((bytes([mark]) for mark in MARKS if mark not in found.text), b"") if b"\r" in found.text else b""
    if not mark:
        return found

    def marked(line: re.Match[bytes]) -> bytes:
        if whole.fullmatch(line[0]) is None:
            return line[0]
        return QUOTED.sub(lambda field: field[0].replace(b"\r", mark), line[0])

    return found._replace(text=WITH_RETURN.sub(marked, found.text), carriage=mark)


def _line_ends(raw: bytes) -> list[int]:
    found: list[int] = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord("\n")).tolist()
    return found


def _odd_lines(raw: bytes, ends: list[int]) -> list[int]:
    """Lines with an odd number of quotes."""
    quotes = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord('"'))
    before = np.searchsorted(quotes, np.asarray(ends))
    found: list[int] = np.flatnonzero(np.diff(before, prepend=0) % 2).tolist()
    return found


def _records(block: Block, ends: list[int], spans: list[tuple[int, int]]) -> Records:
    mark = next((bytes([mark]) for mark in MARKS if mark not in block.text), b"")
    if not spans or not mark:
        return Records(block.text, range(block.first, block.first + len(ends)))
    text = np.frombuffer(block.text, dtype=np.uint8).copy()
    stays = np.ones(len(ends), dtype=bool)
    for line, close in spans:
        text[ends[line:close]] = ord(mark)
        stays[line + 1 : close + 1] = False
    return Records(text.tobytes(), (np.flatnonzero(stays) + block.first).tolist(), mark)
