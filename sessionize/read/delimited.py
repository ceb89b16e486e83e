"""CSV: every line is one whole record, or it is told by its number; not one is padded, cut or swallowed.

A line is whole if it is a record of RFC 4180 with as many fields as the header, or more of them with nothing between
(RFC 4180 says nothing of these; NASA's log has them): `records` finds these on the bytes. Of the other lines, those are
whole that Python's csv reads strictly: there, a quote inside an unquoted field is a character like any other. Parsers
made for whole files, Polars' among them, lose rows of such lines without a word. A quoted field may hold a line break
only where it was asked for (`multiline`).
"""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.read.csv_scan import Records, records
from sessionize.read.files import Source
from sessionize.read.lines import Block, blocks

DELIMITERS: Final = (",", ";", "\t", "|")
FAULTS: Final = pl.Enum(schema.REASONS)
MOST_FIELDS: Final = 10_000
LONGEST_HEADER: Final = 1 << 20


class Dialect(NamedTuple):
    """How one file is laid out.

    Attributes:
        delimiter: Between fields.
        names: Of the columns, in order.
        header: Whether the first line holds them.
    """

    delimiter: str
    names: tuple[str, ...]
    header: bool


def dialect(source: Source, config: Config) -> Dialect:
    """The layout of a file, from its first lines.

    Raises:
        InputError: If the header cannot be read, or names a column twice.
        UsageError: If ``--columns`` does not fit the file.
    """
    path = source.file.path
    first = _first_record(source, multiline=config.multiline)
    if first is None:
        raise InputError(f"{path}: nothing but blank lines")
    try:
        line = first.decode()
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: the header (line 1) is not UTF-8",
            hint=f"convert it: iconv -f LATIN1 -t UTF-8 {shlex.quote(path)}",
        ) from None
    delimiter = config.delimiter or max(DELIMITERS, key=lambda each: _outside_quotes(line, each))
    fields = _fields(line, delimiter)
    if fields is None and "\r" in line:
        raise InputError(f"{path}: lines end in carriage returns alone", hint="convert it: tr '\\r' '\\n' < FILE")
    if fields is None:
        hint = None if config.multiline else "is it over several lines? --multiline reads such records"
        raise InputError(f"{path}: a quote in the first line never closes", hint=hint)
    if config.csv_columns is None:
        return Dialect(delimiter, _header(fields, path), header=True)
    width = len(config.csv_columns)
    if len(fields) < width or any(fields[width:]):
        raise UsageError(
            f"--columns has {width} names, but {path} has {len(fields)} fields",
            hint=f"its first line is {line[:200]!r}",
        )
    return Dialect(delimiter, config.csv_columns, header=False)


def _first_record(source: Source, *, multiline: bool) -> bytes | None:
    """The first line that is not blank; with ``multiline``, to the end of the record that it begins."""
    first = b""
    for line in (line for block in blocks(source) for line in block.text.split(b"\n")):
        if not first and not line.strip():
            continue
        first = b"\n".join([first, line]) if first else line
        if not multiline or first.count(b'"') % 2 == 0 or len(first) > LONGEST_HEADER:
            return first
    return first or None


def _outside_quotes(line: str, delimiter: str) -> int:
    return re.sub(r'"[^"]*"', "", line).count(delimiter)


def _header(fields: Sequence[str], path: str) -> tuple[str, ...]:
    """Column names; one without a name is called for its place, an unnamed one after the last is none."""
    width = max((place for place, name in enumerate(fields, 1) if name.strip()), default=0)
    if not 0 < width <= MOST_FIELDS:
        raise InputError(f"{path}: {width:,} columns", hint="is this a CSV with a header line?")
    names = [" ".join(name.split("\n")).strip() or f"column_{place}" for place, name in enumerate(fields[:width], 1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise InputError(
            f"{path}: the header names a column twice: {', '.join(twice)}",
            hint=f"name them apart: tail -n +2 {shlex.quote(path)} | sessionize run - --columns A,B,C …",
        )
    return tuple(names)


def _fields(line: str, delimiter: str) -> list[str] | None:
    """The line's fields; None where a quoted one does not end as it should, or a line break is inside."""
    if "\r" in line:
        return None
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except (csv.Error, StopIteration):
        return None


def parse(block: Block, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """ROW, FAULT and the wanted columns of every line of a block that is not blank, in order.

    Args:
        block: Lines; the first of the file is left out where it is the header.
        form: Of the file.
        wanted: Columns of the dialect.
    """
    header = _header_ends(block.text) if form.header and block.first == 1 else 0
    skipped = block.first + block.text.count(b"\n", 0, header)
    found = records(block.text[header:] if header else block.text, form.delimiter, len(form.names))
    places = {name: form.names.index(name) for name in wanted}
    fault = pl.repeat(None, len(found.lines), dtype=FAULTS, eager=True)
    frame = pl.DataFrame(
        [_numbers(found.lines, skipped), fault.alias(schema.FAULT), *found.columns(places)], schema=_types(wanted)
    )
    if not found.others:
        return frame
    return pl.concat([frame, _one_by_one(found, skipped, form, wanted)]).sort(schema.ROW)


def _types(wanted: Collection[str]) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {schema.ROW: pl.UInt32, schema.FAULT: FAULTS, **dict.fromkeys(wanted, pl.String)}


def _header_ends(text: bytes) -> int:
    """Where the first line that is not blank ends."""
    start = len(text) - len(text.lstrip())
    return text.find(b"\n", start) + 1 or len(text)


def _numbers(places: Any, first: int) -> pl.Series:
    return pl.Series(schema.ROW, places).cast(pl.UInt32) + first


def _one_by_one(found: Records, first: int, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """Lines that are whole in some other way, or not: the rejected ones among them."""
    width = len(form.names)
    rows: list[list[str | None]] = []
    for start, end in found.others.values():
        line, damaged = _decoded(found.text[start:end])
        fields = None if damaged else _fields(line, form.delimiter)
        if fields is None or len(fields) < width or any(fields[width:]):
            rows.append(["bad_encoding" if damaged else "malformed_row", *[None] * width])
        else:
            rows.append([None, *fields[:width]])
    columns = pl.DataFrame(rows, schema=dict.fromkeys((schema.FAULT, *form.names), pl.String), orient="row")
    numbers = _numbers(list(found.others), first)
    return columns.select(numbers, pl.col(schema.FAULT).cast(FAULTS), *wanted)


def _decoded(line: bytes) -> tuple[str, bool]:
    """A line as text, and whether it is damaged."""
    try:
        return line.decode(), b"\0" in line
    except UnicodeDecodeError:
        return "", True
