"""A text file as blocks of whole lines, so that a file of any size is read in the memory of a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from sessionize.errors import InputError
from sessionize.read.files import Source, unreadable

BLOCK: Final = 4 << 20
"""Bytes read at once: so few that memory is used again, as what is larger is given back and fetched anew."""
LONGEST_LINE: Final = 256 << 20
BOM: Final = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Some whole lines, each ended by a line feed.

    Attributes:
        text: The lines; carriage returns before line feeds are gone.
        first: Number of the first line in the file, from 1.
    """

    text: bytes
    first: int


def blocks(source: Source) -> Iterator[Block]:
    """The file's lines in order, without its byte order mark.

    Raises:
        InputError: If it is damaged, or a line is longer than any memory should hold.
    """
    first, rest = 1, b""
    with unreadable(source.file.path), source.open() as file:
        while chunk := file.read(BLOCK):
            if first == 1 and not rest:
                chunk = chunk.removeprefix(BOM)
            cut = chunk.rfind(b"\n") + 1
            if not cut:
                rest += chunk
                _check_length(len(rest), source, first)
                continue
            text = _unix(b"".join([rest, memoryview(chunk)[:cut]]))
            rest = chunk[cut:]
            yield Block(text, first)
            first += line_feeds(text)
    if rest:
        yield Block(_unix(rest + b"\n"), first)


def _unix(text: bytes) -> bytes:
    # One byte is found far faster than two.
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def line_feeds(text: bytes) -> int:
    """How many there are; told some times faster than ``text.count`` does."""
    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")))


def _check_length(length: int, source: Source, line: int) -> None:
    if length > LONGEST_LINE:
        raise InputError(
            f"{source.file.path}, line {line}: longer than {LONGEST_LINE >> 20} MiB", hint="is this a text file?"
        )
