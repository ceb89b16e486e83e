"""CSV files side by side: whether one of them has a first line that is no header of this log's."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.read.dialect import KNOWN
from sessionize.read.opened import Opened
from sessionize.read.rotated import ending


def check_alike(files: Sequence[Opened], config: Config) -> None:
    """Refuse a CSV that has no column in common with any other, however spelt: what stands in its first line is no header.

    Raises:
        InputError: Names the file that looks least like a log of those that are so; of equals, the later one.
    """
    with_header = [file for file in files if file.form is not None and file.form.has_header]
    if len(with_header) < 2 or config.preset is not None:
        return
    odd = [file for file in with_header if _names_of(with_header, file).isdisjoint(_spelt(file))]
    if not odd:
        return
    file = min(reversed(odd), key=_likeness)
    others = [each for each in with_header if each is not file]
    other = max(others, key=_likeness)
    raise InputError(
        f"{file.source.file.path}: none of its columns is in another file: its first line is "
        f"{', '.join(file.own)[:200]!r}, that of {other.source.file.path} {', '.join(other.own)[:200]!r}",
        hint=f"has it no header line? --columns {shlex.quote(','.join(other.own))} names those of all files"
        f"{_without(file, others)}",
    )


def _likeness(file: Opened) -> tuple[int, bool]:
    """How much a file looks like a log: by the usual names that it has, and whether it has more than one column at all."""
    return len(KNOWN & _spelt(file)), len(file.own) > 1


def _without(file: Opened, others: Sequence[Opened]) -> str:
    """How the others are named alone, where their names have an ending of their own."""
    paths = [other.source.file.path for other in others]
    (folder, *more), (kind, *further) = ({each.rpartition("/")[0] for each in paths}, {ending(each) for each in paths})
    if more or further or not kind or kind == ending(file.source.file.path):
        return ""
    return f"; is it no log? {shlex.quote(f'{folder}/') if folder else ''}*{kind} names those that are"


def _names_of(files: Sequence[Opened], but: Opened) -> set[str]:
    return {name for file in files if file is not but for name in _spelt(file)}


def _spelt(file: Opened) -> set[str]:
    return {schema.spelling(name) for name in file.own}
