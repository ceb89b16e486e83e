"""CSV: a text file by its dialect, a row a line, or with quoted fields over several lines where that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from sessionize.config import Config
from sessionize.read import delimited, multiline
from sessionize.read.dialect import QUOTE, Dialect, dialect
from sessionize.read.lines import Block, blocks, from_line
from sessionize.read.opened import Opened, numbered
from sessionize.read.source import Source


def opened(source: Source, config: Config) -> Opened:
    """Any text as a CSV.

    Raises:
        InputError: If no dialect fits its first lines.
        UsageError: If it has no header, or the configuration does not fit it.
    """
    form = dialect(source, config)
    if config.multiline and form.quote:
        return _over_lines(replace(source, comment=b""), form, source.comment)
    return Opened(
        source, form.names, partial(_rows, source, form), partial(_parsed, form), partial(numbered, source), form
    )


def _rows(source: Source, form: Dialect) -> Iterator[Block]:
    return from_line(blocks(source), form.first)


def _parsed(form: Dialect, block: Block, wanted: Collection[str]) -> pl.DataFrame:
    return delimited.parse(block, form, wanted)


def _over_lines(source: Source, form: Dialect, comment: bytes) -> Opened:
    """A CSV with records over several lines, in which a line inside a record is no comment."""
    parse = partial(_parsed_records, form, comment)
    return Opened(source, form.names, partial(_records, source, form), parse, partial(_lines, source, form), form)


def _records(source: Source, form: Dialect) -> Iterator[multiline.Records]:
    found = from_line(blocks(source), form.first)
    if form.quote != QUOTE:
        found = (Block(delimited.swapped(block.text, form.quote), block.first) for block in found)
    return multiline.records(found, form._replace(quote=QUOTE), source.limits.record_bytes)


def _parsed_records(form: Dialect, comment: bytes, found: multiline.Records, wanted: Collection[str]) -> pl.DataFrame:
    rows = multiline.parse(found, form._replace(quote=QUOTE), wanted, comment)
    return rows if form.quote == QUOTE else delimited.swapped_back(rows, form.quote, wanted)


def _lines(source: Source, form: Dialect) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    for found in _records(source, form):
        texts = found.lines()
        back = texts if form.quote == QUOTE else [delimited.swapped(text, form.quote) for text in texts]
        yield found.numbers, back
