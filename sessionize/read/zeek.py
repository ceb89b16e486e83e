"""Zeek's logs: text between separators that its first lines name, with the fields' names among them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

import polars as pl

from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.patterns import pattern
from sessionize.read import delimited
from sessionize.read.dialect import Dialect
from sessionize.read.lines import Block, blocks, each_line, uncommented
from sessionize.read.opened import Opened, row_a_line
from sessionize.read.source import Source
from sessionize.values import NamedTuple

START: Final = b"#separator "
FIELDS: Final = b"#fields"
ESCAPE: Final = pattern(rb"\\x([0-9a-fA-F]{2})")


class _Header(NamedTuple):
    """What the first lines say: the separator, the fields' names, the texts that stand for null and for nothing."""

    separator: bytes
    names: tuple[str, ...]
    nulls: tuple[str, str]


def opened(source: Source, _config: Config) -> Opened | None:
    """A log of Zeek; None where it is none.

    Raises:
        InputError: If it names no fields.
    """
    if source.comment == b"#":
        return None
    first = next((line for _, line in each_line(blocks(source)) if line.strip()), b"")
    if not first.lower().startswith(START):
        return None
    header = _header(source, _unescaped(first[len(START) :].strip()))
    form = Dialect(header.separator.decode("latin-1"), header.names, first=1, quote="")
    return row_a_line(source, header.names, partial(_parsed, header, form, source.file.path))


def _parsed(header: _Header, form: Dialect, path: str, block: Block, wanted: Collection[str]) -> pl.DataFrame:
    if FIELDS in block.text.lower():
        _check_fields(block, header, path)
    rows = delimited.parse(uncommented(block, b"#"), form, wanted)
    return rows.with_columns(_shown(rows[name], header) for name in wanted)


def _header(source: Source, separator: bytes) -> _Header:
    said: dict[str, list[bytes]] = {}
    for _, line in each_line(blocks(source)):
        if not line.startswith(b"#"):
            break
        word, *rest = line.split(separator)
        said[word.decode("utf-8", "replace").lower()] = rest
    if not said.get("#fields") or len(separator) != 1:
        raise InputError(f"{source.file.path}: its first lines name no #fields", hint="fetch the log again")
    unset, empty = (
        said.get(name, [default])[0].decode()
        for name, default in (("#unset_field", b"-"), ("#empty_field", b"(empty)"))
    )
    return _Header(separator, tuple(name.decode("utf-8", "replace") for name in said["#fields"]), (unset, empty))


def _check_fields(block: Block, header: _Header, path: str) -> None:
    """Refuse a file whose fields change on the way."""
    for number, line in each_line([block]):
        word, *names = line.split(header.separator)
        if word.lower() == FIELDS and tuple(name.decode("utf-8", "replace") for name in names) != header.names:
            raise InputError(f"{path}, line {number}: other fields than in the first lines", hint="run the parts apart")


def _shown(values: pl.Series, header: _Header) -> pl.Series:
    """The field as it was logged: without the texts that stand for null, and what is escaped as itself."""
    values = values.set(values.is_in(header.nulls).fill_null(value=False), None)
    if not values.str.contains(r"\x", literal=True).any():
        return values
    texts = [text if text is None else _unescaped(text.encode()).decode("utf-8", "replace") for text in values]
    return pl.Series(values.name, texts, dtype=pl.String)


def _unescaped(text: bytes) -> bytes:
    return ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)
