"""A text file as blocks of whole lines, so that a file of any size is read in the memory of a block."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import IO, Final

from sessionize.errors import InputError
from sessionize.read.seen import Seen, look
from sessionize.read.source import Source, unreadable
from sessionize.values import NamedTuple

BLANKS: Final = 64 << 10
"""Blank lines in a row that are worth a closer look."""
MOST_BLANKS: Final = 1 << 20
"""Blank lines in a row that are passed on: more than a record over several lines may hold. The others are counted."""
PEEK: Final = 64 << 10
BOM: Final = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Some whole lines, each ended by a line feed.

    Attributes:
        text: The lines; carriage returns before line feeds are gone.
        first: Number of the first line in the file, from 1.
        seen: What is in the text, if it was looked at.
    """

    text: bytes
    first: int
    seen: Seen | None = None

    def look(self) -> Seen:
        """What is in the text."""
        return self.seen or look(self.text)


def blocks(source: Source) -> Iterator[Block]:
    """The file's lines in order, without its byte order mark; lines may also end in carriage returns alone.

    Lines that are skipped are left out; comments are blank lines, so that the others keep their numbers.

    Raises:
        InputError: If it is damaged, or a line, or what it unpacks to, is longer than any log's.
    """
    found = _blocks(source)
    if source.skip:
        found = from_line(found, source.skip + 1)
    return (uncommented(block, source.comment) for block in found) if source.comment else found


def from_line(blocks: Iterable[Block], first: int) -> Iterator[Block]:
    """The blocks without the lines before the one of this number; one at least, be it empty."""
    given = False
    for block in blocks:
        start = 0
        for _ in range(block.first, first):
            start = block.text.find(b"\n", start) + 1 or len(block.text)
            if start == len(block.text):
                break
        if start < len(block.text) or not block.text:
            yield Block(block.text[start:], first) if start else block
            given = True
    if not given:
        yield Block(b"", first)


def each_line(blocks: Iterable[Block]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, without their ends; no more of a block is cut than is asked for."""
    for block in blocks:
        start, number = 0, block.first
        while start < len(block.text):
            end = block.text.find(b"\n", start)
            yield number, block.text[start:end]
            start, number = end + 1, number + 1


def uncommented(block: Block, mark: bytes) -> Block:
    """The block with a blank line in place of each that begins with the mark."""
    if not block.text.startswith(mark) and b"\n" + mark not in block.text:
        return block
    return Block(re.sub(rb"(?m)^" + re.escape(mark) + rb"[^\n]*", b"", block.text), block.first)


def _blocks(source: Source) -> Iterator[Block]:
    first, rest, size, run = 1, b"", 0, 0
    lone = _ends_in_carriage_returns(source)
    with unreadable(source.file.path), source.open() as file:
        whole = source.packed is None and source.stamp is None
        while chunk := _read(file, source.limits.block_bytes, whole_lines=whole):
            size += len(chunk)
            _check_size(size, source)
            if first == 1 and not rest:
                chunk = chunk.removeprefix(BOM)
            if lone:
                chunk = chunk.replace(b"\r", b"\n")
            cut = chunk.rfind(b"\n") + 1
            if not cut:
                rest += chunk
                _check_length(len(rest), source, first)
                continue
            text = b"".join([rest, memoryview(chunk)[:cut]]) if rest or cut < len(chunk) else chunk
            rest = chunk[cut:]
            whole_block = _unix(text, first)
            found, run = _thinned(whole_block, run)
            for block in found:
                yield from _batches(block, source.limits.block_lines)
            first += whole_block.look().line_feeds
    if rest:
        yield _unix(rest + b"\n", first)


def _read(file: IO[bytes], size: int, *, whole_lines: bool) -> bytes:
    """The next bytes of a file, at most so many.

    Args:
        file: Where to read on.
        size: How many.
        whole_lines: Whether to end with the last line feed among them, where it is near their end, so that nothing has to
            be put together; only for a file that is read as it lies on a disk.
    """
    if whole_lines:
        near = min(size, PEEK)
        found = os.pread(file.fileno(), near, file.tell() + size - near).rfind(b"\n") + 1
        size -= near - found if found else 0
    return file.read(size)


def _thinned(block: Block, run: int, most: int = MOST_BLANKS, looked_at: int = BLANKS) -> tuple[list[Block], int]:
    """The block without those of its blank lines that follow so many others.

    Args:
        block: Any lines.
        run: How many blank lines the file has just before it, as far as they are many.
        most: Blank lines in a row that are passed on.
        looked_at: Blank lines in a row that are worth a closer look; fewer are passed on as they are.

    Returns:
        What is left of it, in some blocks; and how many blank lines it ends with, as far as they are many.
    """
    text, first, kept = block.text, block.first, list[Block]()
    # So many blank lines in a row have two line feeds that far apart: few texts have, and are searched at length.
    if text and b"\n\n" not in text[:: looked_at // 2]:
        return [block], 0
    start = at = end = 0
    blanks = b"\n" * looked_at
    while (found := text.find(blanks, at)) >= 0:
        before = run if found == 0 else 0
        stop, end = found + max(0, most - before), _first_text(text, found, blanks)
        run, at = before + end - found, end
        if stop < end:
            kept.append(Block(text[start:stop], first))
            first, start = first + look(text[start:end]).line_feeds, end
    kept.append(Block(text[start:], first))
    return [block for block in kept if block.text], run if end == len(text) else 0


def _first_text(text: bytes, start: int, blanks: bytes) -> int:
    """Where the first byte from a place on stands that is no line feed."""
    while text.startswith(blanks, start):
        start += len(blanks)
    rest = text[start : start + len(blanks)]
    return start + len(rest) - len(rest.lstrip(b"\n"))


def _batches(block: Block, most: int) -> Iterator[Block]:
    """A block as blocks of not too many lines."""
    if block.look().line_feeds <= most:
        yield block
        return
    text, first, start = block.text, block.first, 0
    while start < len(text):
        end = text.find(b"\n", start + most) + 1 or len(text)
        yield Block(text[start:end], first)
        first += text.count(b"\n", start, end)
        start = end


def _ends_in_carriage_returns(source: Source) -> bool:
    """Whether lines end as on a Mac of old."""
    with unreadable(source.file.path), source.open() as file:
        head = file.read(PEEK)
    return b"\n" not in head and b"\r" in head[:-1]


def _unix(text: bytes, first: int) -> Block:
    """Lines of any kind as a block of those that end in line feeds; as many."""
    seen = look(text)
    if seen.carriage_returns:
        size, text = len(text), text.replace(b"\r\n", b"\n")
        seen = seen._replace(controls=seen.controls - size + len(text), carriage_returns=b"\r" in text)
    if seen.lowest < 0 and BOM[:1] in text:  # files with such marks may have been laid one behind the other
        text = text.removeprefix(BOM).replace(b"\n" + BOM, b"\n")
    return Block(text, first, seen)


def _check_size(size: int, source: Source) -> None:
    least, ratio = source.limits.unpacked
    if source.packed and size > least and size > ratio * source.file.bytes:
        raise InputError(
            f"{source.file.path}: unpacks to more than {ratio} times its size: no log does",
            hint="if you trust it, unpack it first",
        )


def _check_length(length: int, source: Source, line: int) -> None:
    longest = source.limits.line_bytes
    if length > longest:
        raise InputError(
            f"{source.file.path}, line {line}: longer than {longest >> 20} MiB", hint="is this a text file?"
        )
