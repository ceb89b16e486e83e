"""A text file whose layout is known: what a reader of text makes of it. It can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from sessionize.read.dialect import Dialect
from sessionize.read.lines import Block, blocks
from sessionize.read.multiline import Records
from sessionize.read.source import Source
from sessionize.values import NamedTuple

Unit = Block | Records
Units = Callable[[], Iterator[Unit]]
Parse = Callable[[Any, Collection[str]], pl.DataFrame]
Lines = Callable[[], Iterator[tuple[Sequence[int], Sequence[bytes]]]]


class Opened(NamedTuple):
    """A text file whose layout is known.

    Attributes:
        source: The file.
        own: Columns of the file itself.
        units: Content of the file: blocks of lines, or of records over several lines.
        parse: Gives ROW, FAULT and the wanted ones of its columns of a unit.
        lines: Numbers and content of its lines, a block at a time.
        form: Layout of a CSV; None of another text.
        parts: Columns that its folders name; no reader's concern.
    """

    source: Source
    own: tuple[str, ...]
    units: Units
    parse: Parse
    lines: Lines
    form: Dialect | None = None
    parts: Mapping[str, str | None] = {}


def first_lines(unit: Unit, number: int) -> Unit | None:
    r"""So many lines of a unit; None where it has no more.

    Examples:
        >>> first_lines(Block(b"a\nb\nc\n", 7), 2)
        Block(text=b'a\nb\n', first=7, seen=None)
    """
    end = 0
    for _ in range(number):
        end = unit.text.find(b"\n", end) + 1
        if not end:
            return None
    if end == len(unit.text):
        return None
    text = unit.text[:end]
    return (
        unit._replace(text=text, numbers=unit.numbers[:number])
        if isinstance(unit, Records)
        else Block(text, unit.first)
    )


def row_a_line(source: Source, names: tuple[str, ...], parse: Parse) -> Opened:
    """A text file in which every line is a row, or told by its number.

    Args:
        source: The file.
        names: Names of its columns.
        parse: Gives ROW, FAULT and the wanted columns of a block of lines.
    """
    return Opened(source, names, partial(blocks, source), parse, partial(numbered, source))


def numbered(source: Source) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    """Numbers and content of a file's lines, a block at a time."""
    for block in blocks(source):
        lines = block.text.split(b"\n")[:-1]
        yield range(block.first, block.first + len(lines)), lines
