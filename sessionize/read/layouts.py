"""Text that is no CSV: fields without quoting, W3C extended logs, web servers' access logs.

Every line is one whole row, or it is told by its number, as in a CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import AccountingError, InputError, UsageError
from sessionize.patterns import pattern
from sessionize.preset import Layout
from sessionize.read.access import COLUMNS as ACCESS_COLUMNS
from sessionize.read.access import access
from sessionize.read.lines import Block, blocks
from sessionize.read.opened import Opened, row_a_line
from sessionize.read.source import Source
from sessionize.reference import columns_of, parse
from sessionize.stores import path_of

FAULTS: Final = pl.Enum(schema.REASONS)
FIELDS: Final = pattern(rb"(?i)#fields:?\s+(.*)")
FIELD_UNSEEN: Final = r'(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^ ]+)'
FIELD: Final = f"({FIELD_UNSEEN})"
HIDDEN: Final = ("\x00\x01", "\x00\x02")
"""Stand for what is escaped while lines are cut; a line with a NUL of its own is refused before."""
Parse = Callable[[Block, Collection[str]], pl.DataFrame]


def opened(source: Source, config: Config) -> Opened | None:
    """A text file of a layout that the preset names; None where it is a CSV.

    Raises:
        UsageError: If a W3C log names no fields.
    """
    found = _names_and_parser(source, config)
    return None if found is None else row_a_line(source, *found)


def _names_and_parser(source: Source, config: Config) -> tuple[tuple[str, ...], Parse] | None:
    layout = config.preset.layout if config.preset is not None else Layout()
    if layout.kind == "csv":
        return None
    if layout.kind == "combined":
        as_written = bool(config.time_formats)
        return ACCESS_COLUMNS, partial(_access, as_written)
    if layout.kind == "w3c":
        marks = [mark.columns for mark in config.preset.recognise if mark.columns] if config.preset else []
        of_csv = config.csv_columns is None and any(_names_all(source, each) for each in marks)
        return None if of_csv else _w3c(source, config, layout)
    names = config.csv_columns or layout.names or _names_beside(source, layout)
    own = config.preset.own_columns if config.preset is not None else ()
    if config.csv_columns is None and has_header(source, names or own):
        return None
    if not names:
        raise UsageError(
            f"{source.file.path} names no columns, nor does the preset",
            hint="name them: --columns A,B,C, or --columns @FILE, where a file's first line has them",
        )
    if layout.kind == "spaced":
        return names, partial(_spaced, names, layout.least or len(names))
    return names, partial(_unquoted, names, config.delimiter or layout.delimiter or "\t", layout.escape)


def _access(as_written: bool, block: Block, wanted: Collection[str]) -> pl.DataFrame:  # noqa: FBT001
    return access(lines_of(block), wanted, as_written=as_written)


def _spaced(names: tuple[str, ...], least: int, block: Block, wanted: Collection[str]) -> pl.DataFrame:
    return spaced(lines_of(block), names, least, wanted)


def _unquoted(
    names: tuple[str, ...], delimiter: str, escape: str | None, block: Block, wanted: Collection[str]
) -> pl.DataFrame:
    """Fields between delimiters; a quote is a character."""
    if escape is not None and f"{escape}{delimiter}".encode() in block.text:
        return _split_escaped(lines_of(block), names, delimiter, escape, wanted)
    return _split(lines_of(block), names, delimiter, wanted, block.text)


def _names_beside(source: Source, layout: Layout) -> tuple[str, ...]:
    """Names of columns that stand in a file beside this one; none where there is no such file."""
    if not layout.beside:
        return ()
    path = path_of(source.place)
    header = path.with_name(path.name.replace(layout.beside[0], layout.beside[1]))
    if header == path or not header.is_file():
        return ()
    lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(next((line for line in lines if line.strip()), "").split("\t"))


def _w3c(source: Source, config: Config, layout: Layout) -> tuple[tuple[str, ...], Parse]:
    """Fields whose names stand in a line of their own, apart by tabs or blanks; quoted ones, in the latter, are whole."""
    names = config.csv_columns or _w3c_names(source)
    path = source.file.path if config.csv_columns is None else None
    return names, partial(_w3c_parsed, names, config.delimiter or layout.delimiter, path)


def _w3c_parsed(
    names: tuple[str, ...], given: str | None, path: str | None, block: Block, wanted: Collection[str]
) -> pl.DataFrame:
    lines = lines_of(block)
    if path is not None:
        _check_fields(lines, names, path)
    lines = lines.filter(~lines["line"].str.starts_with("#"))
    delimiter = given or ("\t" if lines["line"].str.contains("\t", literal=True).any() else " ")
    if delimiter == " " and lines["line"].str.contains('"', literal=True).any():
        return spaced(lines, names, len(names), wanted)
    return _split(lines, names, delimiter, wanted)


def has_header(source: Source, names: Collection[str]) -> bool:
    """Whether a file's first line holds names of columns: most of its fields are among those known."""
    known = {name.casefold() for name in names}
    return any(2 * sum(field in known for field in fields) > len(fields) for fields in _first_fields(source))


def _names_all(source: Source, references: Collection[str]) -> bool:
    """Whether a file's first line holds the names of these columns, among others."""
    names = {column.name.casefold() for each in references for column in columns_of(parse(each))}
    return any(names.issubset(fields) for fields in _first_fields(source))


def _first_fields(source: Source) -> Iterator[list[str]]:
    """Fields of a file's first line, by each delimiter that it has."""
    first = next((line for block in blocks(source) for line in block.text.split(b"\n") if line.strip()), b"")
    text = first.decode("utf-8", "replace").replace("\r", "")
    for delimiter in (",", ";", "\t", "|"):
        fields = next(csv.reader([text], delimiter=delimiter), [])
        if len(fields) > 1:
            yield [field.strip().casefold() for field in fields]


def _w3c_names(source: Source) -> tuple[str, ...]:
    for block in blocks(source):
        for line in block.text.split(b"\n"):
            if (found := FIELDS.match(line)) is not None:
                return tuple(found[1].decode("utf-8", "replace").split())
            if line.strip() and not line.startswith(b"#"):
                break
        break
    raise UsageError(
        f"{source.file.path}: no #Fields: line at the start, as the preset's logs have",
        hint="--preset none finds its columns by their own names; where it is such a log cut in parts, --columns date,time,… "
        "names its fields",
    )


def lines_of(block: Block) -> pl.DataFrame:
    """ROW, line and FAULT (bad_encoding or null) of every line that is not blank."""
    faulty = b"\0" in block.text
    try:
        texts = pl.Series([block.text.decode()], dtype=pl.String).str.split("\n").explode()[:-1]
    except UnicodeDecodeError:
        faulty = True
        texts = pl.Series([line.decode("utf-8", "replace") for line in block.text.split(b"\n")[:-1]], dtype=pl.String)
    bad = texts.str.contains("[\0\ufffd]") if faulty else pl.repeat(value=False, n=len(texts), eager=True)
    numbers = pl.int_range(block.first, block.first + len(texts), dtype=pl.UInt32, eager=True)
    fault = pl.select(pl.when(bad).then(pl.lit("bad_encoding", dtype=FAULTS))).to_series()
    lines = pl.DataFrame({schema.ROW: numbers, schema.FAULT: fault, "line": texts})
    return lines.filter(pl.col("line").str.contains(r"\S"))


def _check_fields(lines: pl.DataFrame, names: tuple[str, ...], path: str) -> None:
    """Refuse a file whose fields change on the way."""
    again = lines.filter(pl.col("line").str.starts_with("#"))
    for row, line in again.select(schema.ROW, "line").iter_rows():
        found = FIELDS.match(line.encode())
        if found is not None and tuple(found[1].decode().split()) != names:
            raise InputError(f"{path}, line {row}: other fields than in the first line", hint="run the parts apart")


def _split(
    lines: pl.DataFrame, names: tuple[str, ...], delimiter: str, wanted: Collection[str], text: bytes = b""
) -> pl.DataFrame:
    """Lines as fields; one with too few, or with more that are not empty, is malformed.

    Args:
        lines: ROW, FAULT and line.
        names: Names of the fields.
        delimiter: Between them.
        wanted: Names of those to give.
        text: Text of the same lines, where there are no others in it.
    """
    separators = len(names) - 1
    count = lines["line"].str.count_matches(delimiter, literal=True)
    if lines[schema.FAULT].null_count() == lines.height and (count == separators).all():
        text = text if text.count(b"\n") == lines.height else _joined(lines["line"])
        return lines.select(schema.ROW, schema.FAULT).hstack(_fields(text, lines.height, names, delimiter, wanted))
    filled = lines["line"].str.strip_chars_end(delimiter).str.count_matches(delimiter, literal=True)
    odd = pl.when((count < separators) | (filled > separators)).then(pl.lit("malformed_row", dtype=FAULTS))
    lines = lines.with_columns(pl.coalesce(schema.FAULT, odd).alias(schema.FAULT))
    whole, bad = lines.filter(pl.col(schema.FAULT).is_null()), lines.filter(pl.col(schema.FAULT).is_not_null())
    fields = _fields(_joined(whole["line"]), whole.height, names, delimiter, wanted)
    missing = fields.clear(bad.height)
    placed = pl.concat([whole, bad]).select(schema.ROW, schema.FAULT)
    return placed.hstack(pl.concat([fields, missing])).sort(schema.ROW)


def _split_escaped(
    lines: pl.DataFrame, names: tuple[str, ...], delimiter: str, escape: str, wanted: Collection[str]
) -> pl.DataFrame:
    """The same, where a delimiter behind the escape character is part of its field, and the character itself as well."""
    marks = [(escape * 2, HIDDEN[0], escape), (escape + delimiter, HIDDEN[1], delimiter)]
    line = pl.col("line")
    for written, mark, _ in marks:
        line = line.str.replace_all(written, mark, literal=True)
    found = _split(lines.with_columns(line), names, delimiter, wanted)
    for _, mark, meant in marks:
        found = found.with_columns(pl.col(wanted).str.replace_all(mark, meant, literal=True))
    return found


def spaced(lines: pl.DataFrame, names: tuple[str, ...], least: int, wanted: Collection[str]) -> pl.DataFrame:
    """Lines of fields apart by single blanks, ``"…"`` and ``[…]`` one field each; further fields are passed over.

    Args:
        lines: ROW, FAULT and line.
        names: Names of the fields.
        least: Fields that a line must have; the others are null where it ends.
        wanted: Names of those to give.
    """
    places = [place for place, name in enumerate(names) if name in wanted]
    groups = [FIELD if place in places else FIELD_UNSEEN for place in range(len(names))]
    rest = "".join(f"(?: {group}" for group in groups[least:]) + ")?" * (len(names) - least)
    form = f"^{' '.join(groups[:least])}{rest}(?: .*)?$"
    found = lines["line"].str.extract_groups(form) if places else None
    fits = lines["line"].str.contains(form)
    odd = pl.when(~pl.lit(fits)).then(pl.lit("malformed_row", dtype=FAULTS))
    placed = lines.select(schema.ROW, pl.coalesce(schema.FAULT, odd).alias(schema.FAULT))
    if found is None:
        return placed
    fields = found.struct.unnest()
    fields.columns = [names[place] for place in places]
    return placed.hstack(fields.select(_bare(name) for name in wanted))


def _bare(name: str) -> pl.Expr:
    """A field without the marks around it; inside quotes, what is escaped is itself again."""
    column = pl.col(name)
    quoted = column.str.starts_with('"') & column.str.ends_with('"') & (column.str.len_bytes() > 1)
    bracketed = column.str.starts_with("[") & column.str.ends_with("]")
    inside = column.str.slice(1, column.str.len_chars() - 2)
    texts = inside.str.replace_all(r'\\(["\\])', "${1}")
    return pl.when(quoted).then(texts).when(bracketed).then(inside).otherwise(column).alias(name)


def _joined(lines: pl.Series) -> bytes:
    text: str = lines.str.join("\n").item() or ""
    return f"{text}\n".encode()


def _fields(text: bytes, height: int, names: tuple[str, ...], delimiter: str, wanted: Collection[str]) -> pl.DataFrame:
    if not wanted or not height:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    fields = (
        pl.scan_csv(
            text, has_header=False, schema=dict.fromkeys(names, pl.String), separator=delimiter, quote_char=None,
            extra_columns="ignore",
        )
        .select(*wanted)
        .collect()
    )  # fmt: skip
    if fields.height != height:
        raise AccountingError(f"{height} whole lines parsed as {fields.height} rows")
    return fields
