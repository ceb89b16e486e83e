"""CSV: every line is one whole record, or it is told by its number; not one is padded, cut or swallowed.

A block is first seen as lines. A line without a quote is whole if it has as many separators as the header, or more
of them with nothing between (RFC 4180 says nothing of these; NASA's log has them). A line with quotes is whole if it
is a record of RFC 4180, or else if Python's csv reads it strictly: there, a quote inside an unquoted field is a
character like any other. Only whole lines reach Polars' parser, which on others loses rows without a word. A quoted
field may hold a line break only where it was asked for (`multiline`).
"""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import AccountingError, InputError, UsageError
from sessionize.read.files import Source
from sessionize.read.lines import Block, blocks

DELIMITERS: Final = (",", ";", "\t", "|")
UNUSED: Final = "\x01"
"""A separator no line has: Polars then gives lines."""
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
    lines = _lines(block)
    if form.header and block.first == 1:
        lines = lines.with_row_index().filter(pl.col("index") > _header_at(lines)).drop("index")
    lines = lines.filter(pl.col("line") != "")
    lines = lines.with_columns(_judged(lines, form).alias("form"))
    whole = lines.filter(pl.col("form") != "odd")
    frames = []
    if whole.height:
        text = block.text if whole.height == block.text.count(b"\n") else _joined(whole["line"])
        quoted = bool((whole["form"] == "quoted").any())
        frames.append(_parsed(text, whole[schema.ROW], form, wanted, quoted=quoted))
    if whole.height < lines.height:
        frames.append(_one_by_one(lines.filter(pl.col("form") == "odd"), form, wanted))
    if not frames:
        return pl.DataFrame(schema=_types(wanted))
    return pl.concat(frames).sort(schema.ROW) if len(frames) > 1 else frames[0]


def _types(wanted: Collection[str]) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {schema.ROW: pl.UInt32, schema.FAULT: FAULTS, **dict.fromkeys(wanted, pl.String)}


def _header_at(lines: pl.DataFrame) -> int:
    """Place of the first line that is not blank."""
    found = (lines["line"].str.strip_chars() != "").arg_true()
    return int(found[0]) if len(found) else lines.height


def _lines(block: Block) -> pl.DataFrame:
    """One line a row, with its number; what is no UTF-8 has a replacement character and is marked."""
    if b"\r" not in block.text and UNUSED.encode() not in block.text and _is_utf8(block.text):
        # Blank lines at the end of the text are rows, too: Polars gives every line.
        lines = pl.read_csv(
            block.text, has_header=False, new_columns=["line"], separator=UNUSED, quote_char=None, infer_schema=False,
            empty_string_is_null=False, raise_if_empty=False,
        ).to_series()  # fmt: skip
        if len(lines) != block.text.count(b"\n"):
            raise AccountingError(f"from line {block.first} on, lines were lost: {len(lines)} seen")
        damaged = (
            lines.str.contains("\0", literal=True)
            if b"\0" in block.text
            else pl.repeat(value=False, n=len(lines), eager=True)
        )
    else:
        raw = block.text.split(b"\n")[:-1]
        lines = pl.Series([line.decode("utf-8", "replace") for line in raw], dtype=pl.String)
        damaged = pl.Series([b"\0" in line or not _is_utf8(line) for line in raw], dtype=pl.Boolean)
    numbers = pl.int_range(block.first, block.first + len(lines), dtype=pl.UInt32, eager=True)
    return pl.DataFrame({schema.ROW: numbers, "line": lines, "damaged": damaged})


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _judged(lines: pl.DataFrame, form: Dialect) -> pl.Series:
    """``bare``: whole and without a quote. ``quoted``: whole by RFC 4180. ``odd``: to be looked at one by one."""
    line, separators = pl.col("line"), len(form.names) - 1
    has_quote = line.str.contains('"', literal=True)
    count = line.str.count_matches(form.delimiter, literal=True)
    last_filled = line.str.strip_chars_end(form.delimiter).str.count_matches(form.delimiter, literal=True)
    kind = (
        pl.when(pl.col("damaged") | line.str.contains("\r", literal=True))
        .then(pl.lit("odd"))
        .when(~has_quote & (count >= separators) & (last_filled <= separators))
        .then(pl.lit("bare"))
        .when(has_quote & line.str.contains(_record(form)))
        .then(pl.lit("quoted"))
        .otherwise(pl.lit("odd"))
    )
    plain = ~has_quote & ~pl.col("damaged") & ~line.str.contains("\r", literal=True) & (count == separators)
    if lines.lazy().select(plain.all()).collect(engine="streaming").item():
        return pl.repeat("bare", lines.height, eager=True)
    return lines.select(kind).to_series()


def _record(form: Dialect) -> str:
    """Regular expression of a record of RFC 4180 with as many fields as the header."""
    delimiter = re.escape(form.delimiter)
    field = rf'(?:"(?:[^"]|"")*"|[^"{delimiter}]*)'
    return rf"^{field}(?:{delimiter}{field}){{{len(form.names) - 1}}}$"


def _joined(lines: pl.Series) -> bytes:
    text: str = lines.str.join("\n").item()
    return f"{text}\n".encode()


def _parsed(text: bytes, rows: pl.Series, form: Dialect, wanted: Collection[str], *, quoted: bool) -> pl.DataFrame:
    """Whole lines through Polars' parser."""
    fields = (
        pl.scan_csv(
            text, has_header=False, schema=dict.fromkeys(form.names, pl.String), separator=form.delimiter,
            quote_char='"' if quoted else None, extra_columns="ignore",
        )
        .select(*wanted, __rows=pl.len() if not wanted else pl.lit(0))
        .collect()
    )  # fmt: skip
    height = fields["__rows"].item() if not wanted else fields.height
    if height != len(rows):
        raise AccountingError(f"{len(rows)} whole lines, from line {rows[0]} on, parsed as {height} rows")
    fault = pl.lit(None, dtype=FAULTS).alias(schema.FAULT)
    return pl.select(rows).with_columns(fault).hstack(fields.select(wanted) if wanted else [])


def _one_by_one(lines: pl.DataFrame, form: Dialect, wanted: Collection[str]) -> pl.DataFrame:
    """Lines that are whole in some other way, or not: the rejected ones among them."""
    width = len(form.names)
    found: list[list[str | None]] = []
    for line, damaged in lines.select("line", "damaged").iter_rows():
        fields = None if damaged else _fields(line, form.delimiter)
        if fields is None or len(fields) < width or any(fields[width:]):
            found.append(["bad_encoding" if damaged else "malformed_row", *[None] * width])
        else:
            found.append([None, *fields[:width]])
    columns = pl.DataFrame(found, schema=dict.fromkeys((schema.FAULT, *form.names), pl.String), orient="row")
    return pl.select(lines[schema.ROW]).hstack(columns.select(pl.col(schema.FAULT).cast(FAULTS), *wanted))
