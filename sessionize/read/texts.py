"""Text files: each as its columns and a way to read them, and what they say together."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config, InputFormat
from sessionize.errors import AccountingError, InputError
from sessionize.preset_roles import late_columns
from sessionize.read import csv_text, layouts, ndjson, recognise, zeek
from sessionize.read.alike import check_alike
from sessionize.read.dialect import NoHeader
from sessionize.read.hive import partitions
from sessionize.read.opened import Opened, Unit
from sessionize.read.passed_over import EMPTY, TITLE_ABOVE, PassedOver
from sessionize.read.recognise import AS_CSV, NoSuchForm
from sessionize.read.rotated import unrotated
from sessionize.read.source import Empty, Source
from sessionize.values import NamedTuple

MOST_NAMED: Final = 4
"""Logs that are named in a message."""
PLACE: Final = (schema.FILE, schema.ROW, schema.FAULT)


class Reader(NamedTuple):
    """A way to read text.

    Attributes:
        name: What it reads.
        format: Format of the files that it is asked about.
        opens: Opens a file; None where the file is not of this reader's kind.
        is_presets: Whether its layouts are presets', of which a file's first lines must have the form.
    """

    name: str
    format: InputFormat
    opens: Callable[[Source, Config], Opened | None]
    is_presets: bool = False


READERS: Final = (
    Reader("NDJSON", "ndjson", ndjson.opened),
    Reader("logs of Zeek", "csv", zeek.opened, is_presets=True),
    Reader("layouts of presets", "csv", layouts.opened, is_presets=True),
    Reader("CSV", "csv", csv_text.opened),
)
"""Of a format's readers the first that opens a file reads it, and the last one opens any: a new one is a row above it."""


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
    odd: list[NoSuchForm] = []
    for source in sources:
        try:
            found.append(_opened(source, config))
        except NoSuchForm as error:
            odd.append(error)
        except NoHeader as error:
            nameless.append(error)
        except Empty as error:
            empty.append(error)
            passed.append(PassedOver(source.file.path, EMPTY))
    if odd:
        raise _of_another_form(odd, found)
    if nameless:
        raise _nameless(nameless, found)
    if not found:
        raise empty[0]
    check_alike(found, config)
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


def _of_another_form(files: Sequence[NoSuchForm], others: Sequence[Opened]) -> NoSuchForm:
    """What to say of files that are not of the layout, where others of the log are: a server keeps its errors beside."""
    logs = dict.fromkeys(_with_rotated(file.source.file.path) for file in others)
    if logs and not any(fnmatchcase(file.path, each) for file in files for each in logs):
        few = " ".join(map(shlex.quote, list(logs)[:MOST_NAMED]))
        more = ", …" if len(logs) > MOST_NAMED else ""
        own = "" if files[0].hint == AS_CSV else f"; {files[0].hint}"
        files[0].hint = f"name those that are: {few}{more}{own}"
    return files[0]


def _with_rotated(path: str) -> str:
    """A pattern for a log and what a rotation has made of it: ``logs/access.log*``."""
    folder, slash, name = path.rpartition("/")
    return f"{escape(folder)}{slash}{escape(unrotated(name))}*"


def _title(source: Source, lines: tuple[int, int]) -> PassedOver:
    first, last = lines
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return PassedOver(source.file.path, f"{where}, {TITLE_ABOVE}")


def _opened(source: Source, config: Config) -> Opened:
    """A text file by the first reader that takes it."""
    for reader in READERS:
        if reader.format != source.file.format or (found := reader.opens(source, config)) is None:
            continue
        if reader.is_presets and config.preset is not None:
            recognise.check_form(source, config.preset, found.parse)
        return found._replace(parts=partitions(source.named))
    raise AccountingError(f"{source.file.path}: no reader of {source.file.format}")


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
    absent = (name for name in columns if name not in own and name not in parts and name not in PLACE)
    given = {schema.FILE: ordinal, **{name: value for name, value in parts.items() if name not in own}}
    given |= dict.fromkeys(absent)
    rows = file.parse(unit, [name for name in columns if name in own])
    # Column by column: Polars' threads, for which an expression would wait, do what takes long.
    found = rows.to_dict()
    for name in given.keys() & {*columns}:
        found[name] = pl.Series(name, [given[name]], dtype=types[name]).new_from_index(0, rows.height)
    return pl.DataFrame([found[name] for name in columns])
