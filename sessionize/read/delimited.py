"""CSV: every line is one whole record, or it is told by its number; not one is padded, cut or swallowed.

A line is whole if it is a record of RFC 4180 with as many fields as the header, or more of them with nothing between
(RFC 4180 says nothing of these; NASA's log has them): `records` finds these on the bytes. Of the other lines, those are
whole that Python's csv reads strictly: there, a quote inside an unquoted field is a character like any other. What is
whole only with a backslash before the quotes in it, as Spark, MySQL and Redshift write them, is read so. Parsers
made for whole files, Polars' among them, lose rows of such lines without a word. A quoted field may hold a line break
only where it was asked for (`multiline`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.read.csv_scan import Records, records
from sessionize.read.dialect import QUOTE, Dialect, fields_of
from sessionize.read.lines import Block
from sessionize.read.views import nulls

FAULTS: Final = pl.Enum(schema.REASONS)
UNUSED: Final = "\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1c\x1d\x1e\x1f"
"""Characters of which some text may have none: one stands for what is put out of the way."""


def parse(block: Block, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """ROW, FAULT and the wanted columns of every line of a block that is not blank, in order.

    Args:
        block: Lines below the header.
        form: Form of the file.
        wanted: Columns of the dialect.
    """
    if form.quote != QUOTE:
        return _otherwise_quoted(block, form, wanted)
    found = records(block.text, form.delimiter, len(form.names), block.look())
    places = {name: form.names.index(name) for name in wanted}
    fault = nulls(schema.FAULT, len(found.lines), FAULTS)
    frame = pl.DataFrame([_numbers(found.lines, block.first), fault, *found.columns(places)], schema=_types(wanted))
    if not found.others:
        return frame
    return pl.concat([frame, _one_by_one(found, block.first, form, wanted)]).sort(schema.ROW)


def _otherwise_quoted(block: Block, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """The same of a file with another quote, which changes places with ``"``; without one, ``"`` gets out of the way."""
    stands = form.quote or next((mark for mark in UNUSED if mark.encode() not in block.text), UNUSED[-1])
    frame = parse(Block(swapped(block.text, stands), block.first), form._replace(quote=QUOTE), wanted)
    return swapped_back(frame, stands, wanted)


def swapped(text: bytes, quote: str) -> bytes:
    """A text in which a quote of another kind and ``"`` changed places; twice, it is as it was."""
    return text.translate(bytes.maketrans(f'{quote}"'.encode(), f'"{quote}'.encode()))


def swapped_back(rows: pl.DataFrame, quote: str, wanted: Collection[str]) -> pl.DataFrame:
    """The rows of a text that was `swapped`, with both quotes where they were."""
    if not wanted:
        return rows
    back = pl.col(*wanted).str.replace_many([quote, QUOTE], [QUOTE, quote])
    return rows.with_columns(back)


def _types(wanted: Collection[str]) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {schema.ROW: pl.UInt32, schema.FAULT: FAULTS, **dict.fromkeys(wanted, pl.String)}


def _numbers(places: Any, first: int) -> pl.Series:
    return pl.Series(schema.ROW, np.add(places, first, dtype=np.int64).astype(np.uint32))


def _one_by_one(found: Records, first: int, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """Lines that are whole in some other way, or not: the rejected ones among them."""
    width = len(form.names)
    rows: list[list[str | None]] = []
    for start, end in found.others.values():
        line, damaged = _decoded(found.text[start:end])
        fields = None if damaged else _whole(line, form)
        if fields is None:
            rows.append(["bad_encoding" if damaged else "malformed_row", *[None] * width])
        else:
            rows.append([None, *fields[:width]])
    columns = pl.DataFrame(rows, schema=dict.fromkeys((schema.FAULT, *form.names), pl.String), orient="row")
    numbers = _numbers(list(found.others), first)
    return columns.select(numbers, pl.col(schema.FAULT).cast(FAULTS), *wanted)


def _whole(line: str, form: Dialect) -> list[str] | None:
    """The line's fields; those of a line that is no record as it stands, but is one with backslash escapes, so read."""
    fields = fields_of(line, form.delimiter)
    if form.fits(fields):
        return fields
    fields = _unescaped(line, form.delimiter) if '\\"' in line else None
    return fields if form.fits(fields) else None


def _unescaped(line: str, delimiter: str) -> list[str] | None:
    r"""The fields of a line where a backslash stands before each quote, and each backslash, that is text.

    Examples:
        >>> _unescaped(r'u1,"say \"hi\", ok",C:\dir', ",")
        ['u1', 'say "hi", ok', 'C:\\dir']
    """
    meant = '\\"'
    marks = [mark for mark in UNUSED if mark not in line][: len(meant)]
    hidden = dict(zip(meant, marks, strict=False))
    fields = fields_of(re.sub(r'\\([\\"])', lambda found: hidden.get(found[1], found[0]), line), delimiter)
    shown = str.maketrans(dict(zip(marks, meant, strict=False)))
    return None if fields is None else [field.translate(shown) for field in fields]


def _decoded(line: bytes) -> tuple[str, bool]:
    """A line as text, and whether it is damaged."""
    try:
        return line.decode(), b"\0" in line
    except UnicodeDecodeError:
        return "", True
