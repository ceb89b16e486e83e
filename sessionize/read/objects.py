"""NDJSON: one JSON object a line. A line that is none is told by its number; a column is a key of the first lines.

Numbers keep their digits and nested values their text, as all columns are text here as they are in a CSV.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.errors import InputError
from sessionize.read.files import Source
from sessionize.read.lines import Block, blocks

SAMPLED: Final = 1_000
FAULTS: Final = pl.Enum(schema.REASONS)


class _Number(str):
    """The digits of a number, as they stand in the line."""

    __slots__ = ()


def keys(source: Source) -> tuple[str, ...]:
    """Keys of the objects in the file's first lines, in order of first sight.

    Raises:
        InputError: If there is no object among them.
    """
    found: dict[str, None] = {}
    seen, records = 0, 0
    for block in blocks(source):
        for line in block.text.split(b"\n"):
            record = _record(line) if line.strip() else None
            found |= dict.fromkeys(record or ())
            records += record is not None
            seen += 1
            if seen > SAMPLED:
                break
        if seen > SAMPLED:
            break
    if not records:
        raise InputError(
            f"{source.file.path}: none of its first lines is a JSON object",
            hint="NDJSON has one object a line; an array or indented JSON becomes that by: jq -c '.[]?' FILE",
        )
    return tuple(found)


def parse(block: Block, wanted: Collection[str]) -> pl.DataFrame:
    """ROW, FAULT and the wanted keys of every line of a block that is not blank, in order."""
    rows: list[list[Any]] = []
    for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
        if line.strip():
            record = _record(line)
            fault = None if record is not None else "malformed_row" if _is_utf8(line) else "bad_encoding"
            rows.append([number, fault, *(_text((record or {}).get(key)) for key in wanted)])
    types = {schema.ROW: pl.UInt32(), schema.FAULT: FAULTS, **dict.fromkeys(wanted, pl.String())}
    return pl.DataFrame(rows, schema=types, orient="row")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _record(line: bytes) -> dict[str, Any] | None:
    """The line's object; None where it is not one whole JSON object."""
    try:
        record = json.loads(line.decode(), parse_int=_Number, parse_float=_Number)
        if b"\\u" in line:
            json.dumps(record, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str.__str__(value)
    return _json(value)


def _json(value: Any) -> str:
    """JSON of a nested value, each number in the digits it came in."""
    if isinstance(value, _Number):
        return str.__str__(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
