"""How a CSV is laid out: its delimiter, its header, and the line on which its rows begin."""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.patterns import pattern
from sessionize.read import w3c
from sessionize.read.guess import is_data, likely_names
from sessionize.read.lines import blocks, each_line
from sessionize.read.piped import typed
from sessionize.read.source import Empty, Source
from sessionize.values import NamedTuple

DELIMITERS: Final = (",", ";", "\t", "|", "\x01")
QUOTE: Final = '"'
MOST_FIELDS: Final = 10_000
LONGEST_HEADER: Final = 1 << 20
LOOKED_AT: Final = 40
LONGEST_TYPED: Final = 200
"""Characters of names that are to be typed; of more, what kind of thing is typed is enough."""
"""Lines from which a layout is told."""
SEPARATOR_LINE: Final = pattern(r'(?i)"?sep=([^"\r\n])"?')
"""What spreadsheets write before the header."""
SINGLE_QUOTED: Final = pattern(
    rb"^'\w+'(?:[^\w'\"]'\w+')+\r?$|(?:^|[,;|\t])'[0-9]{4}-[0-9]{2}-[0-9]{2}[^'\"]*'(?:$|[,;|\t])"
    rb"|^'[^'\"]*'(?:[,;|\t](?:'[^'\"]*'|-?[0-9.]*))*[,;|\t]'[^'\"]*'(?:[,;|\t](?:'[^'\"]*'|-?[0-9.]*))*\r?$"
)
"""A header, a row with a time, or one of texts and numbers alone, in single quotes."""
KNOWN: Final = frozenset(schema.spelling(name) for names in schema.USUAL_NAMES.values() for name in names)


class Dialect(NamedTuple):
    """How one file is laid out.

    Attributes:
        delimiter: Between fields.
        names: Names of the columns, in order.
        first: Number of the line on which the rows begin.
        has_header: Whether the names stand in the file.
        quote: Around fields; empty where a quote is a character like any other.
        title: Numbers of the first and the last line before the header that are none of the log's; None without any.
        unnamed: How many fields more the header has, at its end, without a name; what a row has in them is passed over.
    """

    delimiter: str
    names: tuple[str, ...]
    first: int
    has_header: bool = True
    quote: str = QUOTE
    title: tuple[int, int] | None = None
    unnamed: int = 0

    def fits(self, fields: list[str] | None) -> bool:
        """Whether a row has as many fields as the header, or more of them with nothing in them."""
        width = len(self.names)
        return fields is not None and len(fields) >= width and not any(fields[width + self.unnamed :])


class NoHeader(UsageError):  # noqa: N818 - says what the file has
    """A file whose first line is a row.

    Attributes:
        path: Path of the file.
        width: How many fields its lines have.
    """

    def __init__(self, path: str, lines: Sequence[Sequence[str]], skipped: int) -> None:
        self.path, self.width = path, len(lines[0])
        skip = f"--skip-lines {skipped} " if skipped else ""
        super().__init__(
            f"{path}: no header line: its first line is a row of {self.width} fields, {', '.join(lines[0])[:200]!r}",
            hint=f"name them, for example {skip}--columns {shlex.quote(','.join(likely_names(lines)))}",
        )


class _Line(NamedTuple):
    """A line that is not blank, or several that are a record: the numbers of the first and the last, and the text."""

    first: int
    last: int
    text: bytes


def dialect(source: Source, config: Config) -> Dialect:
    """The layout of a file, from its first lines.

    Raises:
        Empty: If there is no line in it.
        InputError: If the header cannot be read, or names a column twice.
        NoHeader: If there is none, and no names were given.
        UsageError: If ``--columns`` does not fit the file.
    """
    path, quote = source.file.path, QUOTE if config.quote is None else config.quote
    lines = _first_lines(source, quote.encode() if config.multiline else b"")
    if config.quote is None and any(SINGLE_QUOTED.search(line.text) for line in lines[:2]):
        quote = "'"
    told = SEPARATOR_LINE.fullmatch(lines[0].text.decode("utf-8", "replace")) if lines else None
    if told is not None:
        del lines[0]
    if not lines:
        raise Empty(f"{path}: nothing but blank lines")
    delimiter = config.delimiter or (told[1] if told else None)
    w3c.check_none([line.text for line in lines], path)
    title = 0 if config.csv_columns is not None else _title(lines, delimiter, quote)
    first, *others = lines[title:]
    text = _decoded(first, source)
    delimiter = delimiter or best_delimiter(text)
    fields = _whole(text, delimiter, quote, config, source)
    if config.csv_columns is not None:
        return _named(
            fields,
            config.csv_columns,
            Dialect(delimiter, config.csv_columns, first.first, has_header=False, quote=quote),
            path,
            text,
        )
    rows = [fields_of(line.text.decode("utf-8", "replace"), delimiter, quote) or [] for line in others]
    if is_data(fields, rows, has_known_name=_has_known_name(fields)):
        raise NoHeader(path, [fields, *rows], first.first - 1)
    names = _header(fields, rows, source, first.last)
    above = (lines[0].first, lines[title - 1].last) if title else None
    return Dialect(delimiter, names, first.last + 1, quote=quote, title=above, unnamed=len(fields) - len(names))


def _named(fields: list[str], names: tuple[str, ...], form: Dialect, path: str, text: str) -> Dialect:
    """The layout of a file whose columns were named; a first line that says the same names is no row."""
    width = len(names)
    if len(fields) < width or any(fields[width:]):
        raise UsageError(
            f"--columns has {width} names, but {path} has {len(fields)} fields",
            hint=f"its first line is {text[:200]!r}",
        )
    said = tuple(name.strip() for name in fields[:width]) == tuple(name.strip() for name in names)
    return form._replace(first=form.first + 1, has_header=True) if said else form


def _first_lines(source: Source, quote: bytes) -> list[_Line]:
    """The first lines that are not blank; with a quote, each to the end of the record that it begins."""
    found: list[_Line] = []
    held: list[bytes] = []
    quotes = size = first = 0
    for number, line in each_line(blocks(source)):
        if not held and not line.strip():
            continue
        first = first if held else number
        held.append(line)
        quotes, size = quotes + (line.count(quote) if quote else 0), size + len(line) + 1
        if quotes % 2 and size <= LONGEST_HEADER:
            continue
        found.append(_Line(first, number, b"\n".join(held)))
        held, quotes, size = [], 0, 0
        if len(found) == LOOKED_AT:
            return found
    return [*found, _Line(first, first, b"\n".join(held))] if held else found


def _title(lines: Sequence[_Line], delimiter: str | None, quote: str) -> int:
    """How many lines stand before the header that are none of the log's: remarks, the name of a report."""
    texts = [line.text.decode("utf-8", "replace") for line in lines]
    remarks = next((place for place, text in enumerate(texts) if not text.startswith("#")), 0)
    if remarks:
        between = delimiter or best_delimiter(texts[remarks])
        width = len(fields_of(texts[remarks], between, quote) or ())
        names = len(fields_of(texts[remarks - 1], between, quote) or ()) == width
        return 0 if width < 2 else remarks - names
    alone = fields_of(texts[0], delimiter or best_delimiter(texts[0]), quote) or []
    between = delimiter or best_delimiter(texts[0])
    narrow = _width(alone)
    if narrow > 1 and any(_fits(fields_of(text, between, quote), len(alone)) for text in texts[1:]):
        return 0
    return next((place for place in _wider(texts, delimiter, quote, narrow)), 0)


def _width(fields: Sequence[str]) -> int:
    """How many fields there are up to the last one that is not blank: spreadsheets fill up their titles, and blank rows."""
    return max((place for place, field in enumerate(fields, 1) if field.strip()), default=0)


def _wider(texts: Sequence[str], delimiter: str | None, quote: str, narrow: int) -> Iterator[int]:
    """Places of lines that may be a header, though not the first: they are wider, and what follows is as wide.

    A first line of one field can be no header, as a log has a time and an id. One of several must be wrong beyond doubt.
    """
    for place, text in enumerate(texts[1:], 1):
        between = delimiter or best_delimiter(text)
        fields = fields_of(text, between, quote) or []
        fit = [_fits(fields_of(row, between, quote), len(fields)) for row in texts[place + 1 :][:3]]
        known = _has_known_name(fields)
        if _width(fields) > max(1, narrow) and (known or any(fit[:1])) and (narrow < 2 or (known and all(fit))):
            yield place


def _has_known_name(fields: Sequence[str]) -> bool:
    return any(schema.spelling(name) in KNOWN for name in fields)


def _fits(fields: list[str] | None, width: int) -> bool:
    return fields is not None and len(fields) >= width and not any(fields[width:])


def _decoded(line: _Line, source: Source) -> str:
    try:
        return line.text.decode()
    except UnicodeDecodeError:
        raise InputError(
            f"{source.file.path}: the header (line {line.first}) is not UTF-8",
            hint=_converted_by("iconv -f LATIN1 -t UTF-8 FILE", source),
        ) from None


def _converted_by(command: str, source: Source) -> str:
    return typed(f"convert it: {command}", source.file.path, source.packed)


def _whole(text: str, delimiter: str, quote: str, config: Config, source: Source) -> list[str]:
    path, fields = source.file.path, fields_of(text, delimiter, quote)
    if fields is None and "\r" in text:
        raise InputError(
            f"{path}: lines end in carriage returns alone", hint=_converted_by("tr '\\r' '\\n' < FILE", source)
        )
    if fields is None:
        if delimiter != " " and len(fields_of(text, " ", quote) or ()) > 1:
            raise InputError(
                f"{path}: the fields of its first line are apart by blanks", hint="--delimiter ' ' reads it"
            )
        hint = None if config.multiline else "is it over several lines? --multiline reads such records"
        raise InputError(f"{path}: a quote in the first line never closes", hint=hint)
    return fields


def best_delimiter(text: str) -> str:
    """The delimiter that a line has most of."""
    return max(DELIMITERS, key=lambda each: _outside_quotes(text, each))


def _outside_quotes(line: str, delimiter: str) -> int:
    return re.sub(r'"[^"]*"', "", line).count(delimiter)


def _header(fields: Sequence[str], rows: Sequence[Sequence[str]], source: Source, line: int) -> tuple[str, ...]:
    """Column names, of the line of this number; one without a name is called for its place, one after the last is a column only where rows have values."""
    width = _width(fields)
    further = [row[width : len(fields)] for row in rows if len(row) >= width]
    if any(map(any, further)) and all(len(each) == len(fields) - width for each in further):
        width = len(fields)
    if not 0 < width <= MOST_FIELDS:
        raise InputError(f"{source.file.path}: {width:,} columns", hint="is this a CSV with a header line?")
    names = [" ".join(name.split("\n")).strip() or f"column_{place}" for place, name in enumerate(fields[:width], 1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise InputError(
            f"{source.file.path}: the header names a column twice: {', '.join(twice)}",
            hint=typed(
                f"name them apart: tail -n +{line + 1} FILE | sessionize run - --columns {_apart(names)} …",
                source.file.path,
                source.packed,
            ),
        )
    return tuple(names)


def _apart(names: Sequence[str]) -> str:
    """The names as an option has them, those that were there before with a number; letters in place of many, or of odd ones."""
    numbered = [
        f"{name}_{among}" if (among := names[:place].count(name) + 1) > 1 else name for place, name in enumerate(names)
    ]
    is_short = len(",".join(numbered)) <= LONGEST_TYPED and not any("," in name or "FILE" in name for name in numbered)
    return shlex.quote(",".join(numbered)) if is_short and len({*numbered}) == len(numbered) else "A,B,C"


def fields_of(line: str, delimiter: str, quote: str = QUOTE) -> list[str] | None:
    """The line's fields; None where a quoted one does not end as it should, or a line break is inside."""
    if "\r" in line:
        return None
    how: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    try:
        return next(csv.reader([line], delimiter=delimiter, quotechar=quote or None, quoting=how, strict=True), [])
    except (csv.Error, StopIteration):
        return None
