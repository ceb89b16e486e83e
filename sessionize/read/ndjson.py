"""NDJSON: one JSON object a line. A line that is none is told by its number; a column is a key of the objects.

Numbers keep their digits, a whole one with a point is the integer (semantics, section 2), and nested values are their
JSON text, as all columns are text here as they are in a CSV.
Polars parses whole blocks; where it refuses one, or would not read it to the letter, the block is cut ever smaller,
and what is left is read line by line. Of a key that an object has twice the first counts; deeper inside it the last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.kernel.texts import JsonNumber, each_spelled, spelled
from sessionize.patterns import pattern
from sessionize.read import ndjson_scan
from sessionize.read.lines import Block, blocks, each_line
from sessionize.read.opened import Opened, row_a_line
from sessionize.read.piped import typed
from sessionize.read.seen import Seen, look
from sessionize.read.source import Empty, Source
from sessionize.read.views import nulls

SAMPLED: Final = 1_000
CUTS: Final = (64, 16)
"""Lines that are not worth another cut, and parts that others are cut into."""
FAULTS: Final = pl.Enum(schema.REASONS)
SURROGATE: Final = pattern(rb"\\u[dD][89a-fA-F]")
"""What Polars reads as a NUL where it stands alone."""
UNUSED: Final = b"\x01"
"""A separator no line has: Polars then gives lines."""
NO_KEY: Final = "\0"
"""Of no object: an empty schema would ask Polars to find the keys."""
NUMBER: Final = r"^-?[0-9][0-9.eE+-]*$"
BEFORE: Final = pattern(rb"(?m)^[ \t]*(?:\xef\xbb\xbf)?[\[,]?[ \t]*(?=\{)")
BEHIND: Final = pattern(rb"(?m)(?<=\})[ \t]*[,\]][,\] \t]*$")
ALONE: Final = pattern(rb"(?m)^[ \t]*[\[\],][\[\], \t]*$")
"""What an array with an object a line has around its objects."""
NGINX: Final = pattern(rb"(?<!\\)((?:\\\\)*)((?:\\x[0-9a-fA-F]{2})+)")
"""Bytes as nginx writes them where it was not told ``escape=json``; its backslashes, too, are such bytes."""
WHITE: Final = " \t\r\n"
BETWEEN: Final = pattern(r"[ \t,]*")


def opened(source: Source, _config: Config) -> Opened:
    """A file of objects, a row a line, with the keys of its first lines as columns.

    Raises:
        Empty: If there is no line in it.
        InputError: If there is no object among the first ones.
    """
    return row_a_line(source, keys(source), parse)


def keys(source: Source) -> tuple[str, ...]:
    """Keys of the objects in the file's first lines, in order of first sight.

    Raises:
        Empty: If there is no line in it.
        InputError: If there is no object among them.
    """
    lines = list(islice((line for _, line in each_line(blocks(source)) if line.strip()), SAMPLED))
    if not lines:
        raise Empty(f"{source.file.path}: nothing but blank lines")
    _check_lines(lines, source)
    found = _keys_of(lines)
    if not found:
        raise InputError(
            f"{source.file.path}: none of its first lines is a JSON object with keys",
            hint=typed("NDJSON has one object a line: jq -c . FILE makes it so", source.file.path, source.packed),
        )
    return tuple(found)


def _check_lines(lines: Sequence[bytes], source: Source) -> None:
    """Refuse a file whose objects all stand on one line: no part of it could be read alone."""
    if len(lines) == 1 and len(_records(lines[0]) or ()) > 1:
        raise InputError(
            f"{source.file.path}: JSON objects with no line break between",
            hint=typed("an object a line is read: jq -c . FILE | sessionize run - …", source.file.path, source.packed),
        )


def later_keys(source: Source, wanted: Collection[str]) -> set[str]:
    """Which of the wanted keys any object of the file has: for those that its first lines have not."""
    found: set[str] = set()
    for block in blocks(source):
        for name in set(wanted) - found:
            written = json.dumps(name, ensure_ascii=False).encode()
            if written in block.text:
                lines = (line for line in block.text.split(b"\n") if written in line)
                found |= {name} & set(_keys_of(lines))
        if found == set(wanted):
            break
    return found


def _keys_of(lines: Iterable[bytes]) -> dict[str, None]:
    found: dict[str, None] = {}
    for line in lines:
        for record in _records(_tidied(line)) or ():
            found |= dict.fromkeys(key for key, _ in record.pairs)
    return found


def parse(block: Block, wanted: Collection[str], cuts: tuple[int, int] = CUTS) -> pl.DataFrame:
    """ROW, FAULT and the wanted keys of every line of a block that is not blank, in order; see CUTS."""
    seen = block.look()
    frame = _whole(block.text, wanted, seen)
    if frame is not None and frame.height == seen.line_feeds:
        return _placed(frame, pl.int_range(block.first, block.first + frame.height, dtype=pl.UInt32, eager=True))
    tidied = _tidied(block.text)
    if tidied != block.text:
        return parse(Block(tidied, block.first), wanted, cuts)
    lines = block.text.split(b"\n")[:-1]
    numbers = [number for number, line in enumerate(lines, block.first) if line.strip()]
    if frame is not None and frame.height == len(numbers):
        return _placed(frame, pl.Series(numbers, dtype=pl.UInt32))
    there = [line for line in lines if line.strip()]
    return pl.concat([_types(wanted).clear(), *_cut(there, numbers, wanted, cuts)])


def _tidied(text: bytes) -> bytes:
    """Lines without what is around an object: the brackets and commas of an array, nginx's way to write bytes."""
    if b"\\x" in text:
        text = NGINX.sub(_as_json, text)
    return ALONE.sub(b"", BEHIND.sub(b"", BEFORE.sub(b"", text)))


def _as_json(found: re.Match[bytes]) -> bytes:
    meant = bytes.fromhex(found[2].replace(b"\\x", b"").decode())
    try:
        return found[1] + json.dumps(meant.decode())[1:-1].encode()
    except UnicodeError:  # as they are, so that the line is told: different bytes would become one id
        return found[1] + meant


def _types(wanted: Collection[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={schema.ROW: pl.UInt32, schema.FAULT: FAULTS, **dict.fromkeys(wanted, pl.String)})


def _placed(frame: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    return frame.insert_column(0, numbers.alias(schema.ROW))


def _cut(
    lines: Sequence[bytes], numbers: Sequence[int], wanted: Collection[str], cuts: tuple[int, int]
) -> list[pl.DataFrame]:
    few, parts = cuts
    if len(lines) <= few:
        return [_one_by_one(lines, numbers, wanted)] if lines else []
    size = max(few, -(-len(lines) // parts))
    frames: list[pl.DataFrame] = []
    for start in range(0, len(lines), size):
        part, places = lines[start : start + size], numbers[start : start + size]
        text = b"\n".join(part) + b"\n"
        frame = _whole(text, wanted, look(text))
        if frame is not None and frame.height == len(part):
            frames.append(_placed(frame, pl.Series(places, dtype=pl.UInt32)))
        else:
            frames += _cut(part, places, wanted, cuts)
    return frames


def _whole(text: bytes, wanted: Collection[str], seen: Seen) -> pl.DataFrame | None:
    """FAULT and the wanted keys of lines that are all objects; None where one is not, or cannot be read exactly."""
    of_one_shape = ndjson_scan.columns(text, wanted, seen)
    if of_one_shape:
        return pl.DataFrame([nulls(schema.FAULT, len(of_one_shape[0]), FAULTS), *of_one_shape])
    if SURROGATE.search(text):
        return None
    try:
        frame = pl.read_ndjson(text, schema=dict.fromkeys((*wanted, NO_KEY), pl.String))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    numbers = [name for name in wanted if _has_numbers(frame[name])]
    exact = _with_digits(frame, text, numbers) if numbers else frame
    if exact is None:
        return None
    return exact.select(nulls(schema.FAULT, exact.height, FAULTS), *wanted)


def _has_numbers(values: pl.Series) -> bool:
    return bool(values.str.contains(NUMBER).any())


def _with_digits(frame: pl.DataFrame, text: bytes, numbers: Sequence[str]) -> pl.DataFrame | None:
    """Real numbers as they are written, which Polars gives in its own way; None where lines and rows differ."""
    line = _lines(text)
    if len(line) != frame.height:
        line = line.filter(line.str.contains(r"\S"))
    if len(line) != frame.height:
        return None
    for name in numbers:
        key = rf"[{{,]\s*{re.escape(json.dumps(name, ensure_ascii=False))}\s*:\s*"
        rows = line.str.contains(rf"{key}-?(?:[0-9]+[.eE]|0)").arg_true()
        if len(rows):
            written = line[rows].str.extract(rf"{key}(-?[0-9][0-9.eE+-]*)")
            read = frame[name][rows]
            same = written.cast(pl.Float64, strict=False) == read.cast(pl.Float64, strict=False)
            exact = pl.select(pl.when(same).then(each_spelled(written)).otherwise(read)).to_series()
            frame = frame.with_columns(frame[name].scatter(rows, exact))
    return frame


def _lines(text: bytes) -> pl.Series:
    if UNUSED in text:
        return pl.Series(text.split(b"\n")[:-1], dtype=pl.Binary).cast(pl.String)
    return pl.read_csv(
        text, has_header=False, new_columns=["line"], separator=UNUSED.decode(), quote_char=None, infer_schema=False,
        empty_string_is_null=False,
    ).to_series()  # fmt: skip


def _one_by_one(lines: Sequence[bytes], numbers: Sequence[int], wanted: Collection[str]) -> pl.DataFrame:
    """The same of a few lines: a row an object, and one for a line that is none.

    What is one object Polars reads, as it does in whole blocks: so its values never depend on what other lines hold.
    """
    records = [_records(line) for line in lines]
    single = [place for place, found in enumerate(records) if found is not None and len(found) == 1]
    frames, left = _whole_parts(lines, numbers, single, wanted)
    rows: list[list[int | str | None]] = []
    for place in sorted({*range(len(lines))} - {*single} | {*left}):
        found = records[place]
        fault = None if found is not None else "malformed_row" if _is_text(lines[place]) else "bad_encoding"
        rows += [[numbers[place], fault, *(_text(each.get(key)) for key in wanted)] for each in found or [_Object([])]]
    frames.append(pl.DataFrame(rows, schema=_types(wanted).schema, orient="row"))
    return pl.concat(frames).sort(schema.ROW, maintain_order=True)


def _whole_parts(
    lines: Sequence[bytes], numbers: Sequence[int], places: Sequence[int], wanted: Collection[str]
) -> tuple[list[pl.DataFrame], list[int]]:
    """ROW, FAULT and the wanted keys of the lines at some places; and which of them Polars does not read to the letter."""
    if not places:
        return [], []
    text = b"".join(lines[place] + b"\n" for place in places)
    frame = _whole(text, wanted, look(text))
    if frame is not None and frame.height == len(places):
        return [_placed(frame, pl.Series([numbers[place] for place in places], dtype=pl.UInt32))], []
    half = len(places) // 2
    if not half:
        return [], [*places]
    first, second = (_whole_parts(lines, numbers, part, wanted) for part in (places[:half], places[half:]))
    return first[0] + second[0], first[1] + second[1]


def _records(line: bytes) -> list[_Object] | None:
    """The line's objects; None where it has anything but whole JSON objects of Unicode text."""
    try:
        records = _decoded(line.decode().strip(WHITE))
        if SURROGATE.search(line):
            json.dumps(records, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return records if all(isinstance(record, dict) for record in records) else None


def _decoded(text: str) -> list[Any]:
    """The values of a text, of which there is more than one where writers forgot the line break."""
    found: list[Any] = []
    at = 0
    while at < len(text) or not found:
        value, end = _DECODER.raw_decode(text, at)
        found.append(value)
        separator = BETWEEN.match(text, end)
        at = end if separator is None else separator.end()
    return found


def _is_text(line: bytes) -> bool:
    """Whether a line that is no record has only characters: no byte that is no UTF-8, no half of a surrogate pair."""
    try:
        text = line.decode()
        if SURROGATE.search(line):
            json.dumps(_decoded(text.strip(WHITE)), ensure_ascii=False).encode()
    except UnicodeError:
        return False
    except (ValueError, RecursionError):
        return True
    return True


class _Object(dict[str, Any]):
    """An object, of each key the first value; inside a value it is written with all of them, as Polars writes it."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(reversed(pairs))
        self.pairs = pairs


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(
    parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_no_number, object_pairs_hook=_Object
)


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not isinstance(value, JsonNumber)):
        return value
    return _json(value)


def _json(value: Any) -> str:
    """JSON text with its numbers' own digits, spaced as Polars spaces it."""
    if isinstance(value, JsonNumber):
        return spelled(str.__str__(value))
    if isinstance(value, _Object):
        return f"{{{', '.join(f'{_json(key)}: {_json(inner)}' for key, inner in value.pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    return json.dumps(value, ensure_ascii=False)
