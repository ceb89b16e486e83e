"""A known layout that a log has, found before it is read: by its lines, the fields it names, or its columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Sequence
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.preset import Preset
from sessionize.preset_roles import with_preset
from sessionize.presets import load
from sessionize.presets.recognise import Fit, by_columns, by_fields, by_file_beside, by_lines, only
from sessionize.read.access import ADDRESS
from sessionize.read.lines import Block
from sessionize.read.source import Source, unreadable
from sessionize.stores import path_of

AS_CSV: Final = "--preset none reads it as a CSV"
HEAD: Final = 64 << 10
"""Bytes of a file that are looked at."""
MOST_LINES: Final = 50
BEHIND_A_TEXT: Final = rf'^[^"].*\s{ADDRESS} \S+ \S+ \['
"""Where the client of an access log begins, behind what something else has put in front."""
GREP: Final = {"gz": "zgrep", "zst": "zstdgrep"}
CUT_OFF: Final = r"-oE '[^ ]+ [^ ]+ [^ ]+ \[.*'"
FIELDS: Final = pattern(r"(?i)^#fields:?\s+(.*)")


class NoSuchForm(UsageError):  # noqa: N818 - says what the file is not
    """A text file of which no line has the form of the layout.

    Attributes:
        path: Path of the file.
    """

    def __init__(self, path: str, preset: str, hint: str) -> None:
        self.path = path
        super().__init__(f"{path}: no line is of the layout {preset}", hint=hint)


def is_wanted(config: Config) -> bool:
    """Whether a layout is to be looked for."""
    return config.preset is None and config.recognise


def in_text(sources: Sequence[Source], config: Config) -> Config:
    """The configuration with the preset whose form the first file's lines have; as it is where they have none's."""
    first = sources[0]
    if first.file.format != "csv" or config.csv_columns is not None or config.multiline:
        return config
    lines = _first_lines(first)
    names = next((found[1].split() for line in lines if (found := FIELDS.match(line))), None)
    if names is not None:
        return _with(config, only(by_fields(names)))
    beside = _beside(first)
    return _with(config, only(beside or by_lines([line for line in lines if not line.startswith("#")])))


def in_columns(config: Config, names: Collection[str], has_value: Callable[[str], bool]) -> Config:
    """The configuration with the preset that fits the log's columns; as it is where none does.

    Args:
        config: Without a preset.
        names: Names of the log's columns.
        has_value: Whether a reference finds a value in the log's first rows.

    Raises:
        UsageError: If more than one fits.
    """
    return _with(config, only(by_columns(names, has_value)))


def check_form(source: Source, preset: Preset, parse: Callable[[Block, Collection[str]], pl.DataFrame]) -> None:
    """Refuse a text file of which no line has the form of a shipped preset's layout.

    Raises:
        NoSuchForm: If so; it names the layout that fits.
    """
    lines = _first_lines(source)
    if not preset.recognise or not lines:
        return
    faults = parse(Block("\n".join([*lines, ""]).encode(), 1), ())[schema.FAULT]
    fits = (faults.cast(pl.String) != "malformed_row").fill_null(value=True).any()
    if preset.layout.kind == "spaced":  # lines of many a text are fields apart by blanks
        fits = any(
            mark.lines is not None and re.search(mark.lines, line) for mark in preset.recognise for line in lines
        )
    if not len(faults) or fits:
        return
    fitting = [*by_lines(lines), *by_columns(re.split(r"[,;|\t]", lines[0]), lambda _: False)]
    others = [each for each in fitting if each.preset != preset.name]
    hint = AS_CSV
    if others:
        hint = f"it looks like {others[0].layout}: --preset {others[0].preset}"
    elif preset.layout.kind == "combined" and all(re.search(BEHIND_A_TEXT, line) for line in lines):
        grep = GREP.get(source.packed or "", "grep")
        hint = (
            f"a text stands before the address: {grep} {CUT_OFF} {shlex.quote(source.file.path)} | sessionize run - …"
        )
    raise NoSuchForm(source.file.path, preset.name, hint)


def _with(config: Config, fit: Fit | None) -> Config:
    return config if fit is None else with_preset(config, load(fit.preset), fit.layout)


def _first_lines(source: Source) -> list[str]:
    with unreadable(source.file.path), source.open() as file:
        head = file.read(HEAD)
    lines = head.decode("utf-8", "replace").splitlines()
    whole = lines[:-1] if len(head) == HEAD else lines
    return [line for line in whole if line.strip()][:MOST_LINES]


def _beside(source: Source) -> list[Fit]:
    """Presets whose columns' names stand in a file beside this one."""
    path = path_of(source.place)
    found = []
    for fit, name in by_file_beside(path.name):
        header = path.with_name(name)
        if header.is_file():
            names = {each.casefold() for each in header.read_text(encoding="utf-8", errors="replace").split()}
            found += [fit] if names.issuperset(each.casefold() for each in fit.mark.columns) else []
    return found
