"""Text files: each as its columns and a way to read them, and what they say together."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.preset_roles import late_columns
from sessionize.read import delimited, layouts, multiline, ndjson, recognise, zeek
from sessionize.read.dialect import QUOTE, Dialect, NoHeader, dialect
from sessionize.read.files import EMPTY
from sessionize.read.folders import TITLE_ABOVE, PassedOver
from sessionize.read.lines import Block, blocks, from_line
from sessionize.read.parquet import partitions
from sessionize.read.source import Empty, Source

PLACE: Final = (schema.FILE, schema.ROW, schema.FAULT)
Unit = Block | multiline.Records
Units = Callable[[], Iterator[Unit]]
Parse = Callable[[Any, Collection[str]], pl.DataFrame]
Lines = Callable[[], Iterator[tuple[Sequence[int], Sequence[bytes]]]]


class Opened(NamedTuple):
    """A text file whose layout is known.

    Attributes:
        source: The file.
        parts: Columns that its folders name.
        own: Its own columns.
        units: Its content: blocks of lines, or of records over several lines.
        parse: Gives ROW, FAULT and the wanted ones of its columns of a unit.
        lines: Numbers and content of its lines, a block at a time.
        form: Layout of a CSV; None of another text.
    """

    source: Source
    parts: dict[str, str | None]
    own: tuple[str, ...]
    units: Units
    parse: Parse
    lines: Lines
    form: Dialect | None = None


def opened(sources: Sequence[Source], config: Config) -> tuple[list[Opened], list[PassedOver]]:
    """Text files with their layouts, and what of them is not read: those without a line, titles above headers.

    Raises:
        InputError: If a file cannot be read, all are empty, or one of several has no header, or a wholly other one.
        UsageError: If there is no header at all, or the configuration does not fit the files.
    """
    found: list[Opened] = []
    passed: list[PassedOver] = []
    nameless: list[NoHeader] = []
    empty: list[Empty] = []
    for source in sources:
        try:
            found.append(_opened(source, config))
        except NoHeader as error:
            nameless.append(error)
        except Empty as error:
            empty.append(error)
            passed.append(PassedOver(source.file.path, EMPTY))
    if nameless:
        raise _nameless(nameless, found)
    if not found:
        raise empty[0]
    _check_alike(found, config)
    passed += [_title(file.source, file.form.title) for file in found if file.form and file.form.title]
    return found, passed


def _nameless(files: Sequence[NoHeader], others: Sequence[Opened]) -> Exception:
    """What to say of files that have no header line, where others of the log have one, or none has."""
    if not others:
        return files[0]
    path, names = files[0].path, others[0].own
    fits = files[0].width == len(names) and all(file.own == names for file in others)
    hint = f"--columns {shlex.quote(','.join(names))} names them in all files"
    return InputError(
        f"{path}: no header line, though {others[0].source.file.path} has one; its first line is a row",
        hint=hint if fits else f"run it apart; {files[0].hint}",
    )


def _check_alike(files: Sequence[Opened], config: Config) -> None:
    """Refuse a CSV that has no column in common with any other: what stands in its first line is no header."""
    with_header = [file for file in files if file.form is not None and file.form.has_header]
    if len(with_header) < 2 or config.preset is not None:
        return
    odd = [file for file in with_header if _names_of(with_header, file).isdisjoint(file.own)]
    if odd:
        file = odd[-1]  # of two files, the later one is named
        first = next(other for other in with_header if other is not file)
        raise InputError(
            f"{file.source.file.path}: none of its columns is in another file: its first line is "
            f"{', '.join(file.own)[:200]!r}, that of {first.source.file.path} {', '.join(first.own)[:200]!r}",
            hint=f"has it no header line? --columns {shlex.quote(','.join(first.own))} names those of all files",
        )


def _names_of(files: Sequence[Opened], but: Opened) -> set[str]:
    return {name for file in files if file is not but for name in file.own}


def _title(source: Source, lines: tuple[int, int]) -> PassedOver:
    first, last = lines
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return PassedOver(source.file.path, f"{where}, {TITLE_ABOVE}")


def _opened(source: Source, config: Config) -> Opened:
    parts = partitions(source.named)
    if source.file.format == "ndjson":
        return Opened(
            source, parts, ndjson.keys(source), lambda: blocks(source), ndjson.parse, lambda: _numbered(source)
        )
    if (laid_out := zeek.opened(source) or layouts.opened(source, config)) is not None:
        if config.preset is not None:
            recognise.check_form(source, config.preset, laid_out[1])
        return Opened(source, parts, laid_out[0], lambda: blocks(source), laid_out[1], lambda: _numbered(source))
    form = dialect(source, config)
    if config.multiline and form.quote:
        return _over_lines(replace(source, comment=b""), parts, form, source.comment)
    parse: Parse = lambda block, wanted: delimited.parse(block, form, wanted)  # noqa: E731
    return Opened(
        source, parts, form.names, lambda: from_line(blocks(source), form.first), parse, lambda: _numbered(source), form
    )


def _over_lines(source: Source, parts: dict[str, str | None], form: Dialect, comment: bytes) -> Opened:
    """A CSV with records over several lines, in which a line inside a record is no comment."""
    read = form._replace(quote=QUOTE)

    def records() -> Iterator[multiline.Records]:
        found = from_line(blocks(source), form.first)
        if form.quote != QUOTE:
            found = (Block(delimited.swapped(block.text, form.quote), block.first) for block in found)
        return multiline.records(found, read)

    def parse(found: multiline.Records, wanted: Collection[str]) -> pl.DataFrame:
        rows = multiline.parse(found, read, wanted, comment)
        return rows if form.quote == QUOTE else delimited.swapped_back(rows, form.quote, wanted)

    def lines() -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
        for found in records():
            texts = found.lines()
            back = texts if form.quote == QUOTE else [delimited.swapped(text, form.quote) for text in texts]
            yield found.numbers, back

    return Opened(source, parts, form.names, records, parse, lines, form)


def _numbered(source: Source) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    for block in blocks(source):
        lines = block.text.split(b"\n")[:-1]
        yield range(block.first, block.first + len(lines)), lines


def with_all_keys(files: list[Opened], names: list[str], config: Config) -> list[Opened]:
    """NDJSON files with the keys of all of them, and the asked-for ones that only later lines have, or may have."""
    every = dict.fromkeys(key for file in files for key in file.own)
    for file in files:
        missing = [name for name in names if name not in every and name not in file.parts]
        later = ndjson.later_keys(file.source, missing) if missing else set()
        every |= dict.fromkeys(name for name in missing if name in later)
    every |= dict.fromkeys(late_columns(config, every))
    return [file._replace(own=tuple(every)) for file in files]


def parsed(
    ordinal: int, file: Opened, unit: Unit, columns: list[str], types: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """A unit with exactly the asked columns in their order; what the file has not is null."""
    own, parts = file.own, file.parts
    absent = [name for name in columns if name not in own and name not in parts and name not in PLACE]
    given = {schema.FILE: ordinal, **{name: value for name, value in parts.items() if name not in own}}
    return (
        file.parse(unit, [name for name in columns if name in own])
        .with_columns(
            *(pl.lit(value, dtype=types[name]).alias(name) for name, value in given.items() if name in columns),
            *(pl.lit(None, dtype=pl.String).alias(name) for name in absent),
        )
        .select(columns)
    )
