"""Text that is no CSV: fields without quoting, W3C extended logs, web servers' access logs.

Every line is one whole row, or it is told by its number, as in a CSV.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import AccountingError, InputError, UsageError
from sessionize.preset import Layout
from sessionize.read.files import Source
from sessionize.read.lines import Block, blocks

FAULTS: Final = pl.Enum(schema.REASONS)
FIELDS: Final = b"#Fields:"
QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
ACCESS: Final = (
    r"^(?P<ip>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    rf"{QUOTED.replace('((', '(?P<request>(')} (?P<status>[0-9]{{3}}|-) (?P<bytes>[0-9]+|-)"
    rf"(?: {QUOTED.replace('((', '(?P<referrer>(')} {QUOTED.replace('((', '(?P<user_agent>(')})?(?: .*)?$"
)
"""A line in Apache's or nginx's ``combined`` format, or ``common``; what a server adds behind it is passed over."""
REQUEST: Final = r"^([A-Z]+) (\S.*?)(?: (HTTP/[0-9.]+))?$"
ESCAPE: Final = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|(["\\/])|([nrtbfv]))')
ACCESS_COLUMNS: Final = (
    "ip", "ident", "user", "time", "request", "method", "page", "protocol", "status", "bytes", "referrer", "user_agent",
)  # fmt: skip
CONTROL: Final = dict(zip("nrtbfv", "\n\r\t\b\f\v", strict=True))
Parse = Callable[[Block, Collection[str]], pl.DataFrame]


def opened(source: Source, config: Config) -> tuple[tuple[str, ...], Parse] | None:
    """Column names and parser of a text file; None where it is a CSV.

    Raises:
        InputError: If a W3C log names no fields.
    """
    layout = config.preset.layout if config.preset is not None else Layout()
    if layout.kind == "combined":
        return ACCESS_COLUMNS, _access
    if layout.kind == "csv" or source.file.format != "csv":
        return None
    delimiter = config.delimiter or layout.delimiter or "\t"
    if layout.kind == "w3c":
        told = config.csv_columns is None
        names = config.csv_columns or _w3c_names(source)

        def w3c(block: Block, wanted: Collection[str]) -> pl.DataFrame:
            lines = _lines(block)
            if told:
                _check_fields(lines, names, source.file.path)
            return _split(lines.filter(~lines["line"].str.starts_with("#")), names, delimiter, wanted)

        return names, w3c
    names = config.csv_columns or layout.names
    if config.csv_columns is None and has_header(source, names):
        return None
    if not names:
        raise UsageError("the preset names no columns", hint="give them as layout.names, or with --columns")
    return names, lambda block, wanted: _split(_lines(block), names, delimiter, wanted, block.text)


def has_header(source: Source, names: Collection[str]) -> bool:
    """Whether a file's first line holds names of columns: most of its fields are among those known."""
    first = next((line for block in blocks(source) for line in block.text.split(b"\n") if line.strip()), b"")
    text = first.decode("utf-8", "replace")
    known = set(names)
    for delimiter in (",", ";", "\t", "|"):
        fields = next(csv.reader([text.replace("\r", "")], delimiter=delimiter), [])
        if len(fields) > 1 and 2 * sum(field.strip() in known for field in fields) > len(fields):
            return True
    return False


def _w3c_names(source: Source) -> tuple[str, ...]:
    for block in blocks(source):
        for line in block.text.split(b"\n"):
            if line.startswith(FIELDS):
                return tuple(line.removeprefix(FIELDS).decode("utf-8", "replace").split())
            if line.strip() and not line.startswith(b"#"):
                break
        break
    raise InputError(
        f"{source.file.path}: no #Fields: line at the start", hint="its fields can be named: --columns date,time,…"
    )


def _lines(block: Block) -> pl.DataFrame:
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
    again = lines.filter(pl.col("line").str.starts_with(FIELDS.decode()))
    for row, line in again.select(schema.ROW, "line").iter_rows():
        if tuple(line.removeprefix(FIELDS.decode()).split()) != names:
            raise InputError(f"{path}, line {row}: other fields than in the first line", hint="run the parts apart")


def _split(
    lines: pl.DataFrame, names: tuple[str, ...], delimiter: str, wanted: Collection[str], text: bytes = b""
) -> pl.DataFrame:
    """Lines as fields; one with too few, or with more that are not empty, is malformed.

    Args:
        lines: ROW, FAULT and line.
        names: Of the fields.
        delimiter: Between them.
        wanted: Names of those to give.
        text: The same lines, where there are no others in it.
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


def _access(block: Block, wanted: Collection[str]) -> pl.DataFrame:
    """Lines of an access log; ``-`` is null, what is escaped inside quotes is itself again."""
    lines = _lines(block)
    found = lines["line"].str.extract_groups(ACCESS).struct.unnest()
    request = pl.col("request").str.extract_groups(REQUEST)
    parts = ("method", "page", "protocol")
    fields = found.with_columns(
        request.struct.rename_fields(list(parts)).struct.unnest(),
        fits=pl.col("ip").is_not_null(),
    )
    escaped = ("user", "request", "page", "referrer", "user_agent")
    fields = fields.with_columns(pl.when(pl.col(name) != "-").then(name).alias(name) for name in ACCESS_COLUMNS)
    fields = fields.with_columns(_unescaped(fields[name]) for name in escaped if name in wanted)
    fault = pl.coalesce(
        lines[schema.FAULT], pl.when(~fields["fits"]).then(pl.lit("malformed_row", dtype=FAULTS))
    ).alias(schema.FAULT)
    return pl.select(lines[schema.ROW], fault).hstack(fields.select(wanted))


def _unescaped(texts: pl.Series) -> pl.Series:
    if not texts.str.contains("\\", literal=True).any():
        return texts
    return pl.Series(
        texts.name, [text if text is None or "\\" not in text else _unescape(text) for text in texts], dtype=pl.String
    )


def _unescape(text: str) -> str:
    r"""The text as it was before the server escaped it; bytes that are no UTF-8 become replacement characters.

    Examples:
        >>> _unescape(r"say \"caf\xc3\xa9\"")
        'say "café"'
    """
    return _bytes(text).decode("utf-8", "replace")


def _bytes(text: str) -> bytes:
    def byte(found: re.Match[bytes]) -> bytes:
        number, itself, control = found.groups()
        if number:
            return bytes([int(number, 16)])
        return itself or CONTROL[control.decode()].encode()

    return ESCAPE.sub(byte, text.encode())
