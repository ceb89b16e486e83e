"""A text file as blocks of whole lines, so that a file of any size is read in the memory of a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sessionize.errors import InputError
from sessionize.read.files import Source, unreadable

BLOCK: Final = 32 << 20
"""Bytes read at once."""
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
            text = _unix(rest + chunk[:cut])
            rest = chunk[cut:]
            yield Block(text, first)
            first += text.count(b"\n")
    if rest:
        yield Block(_unix(rest + b"\n"), first)


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n") if b"\r\n" in text else text


def _check_length(length: int, source: Source, line: int) -> None:
    if length > LONGEST_LINE:
        raise InputError(
            f"{source.file.path}, line {line}: longer than {LONGEST_LINE >> 20} MiB", hint="is this a text file?"
        )
