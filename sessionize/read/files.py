"""From what was typed to files: paths, folders, globs, stdin."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Final, NamedTuple

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError, UsageError
from sessionize.os_errors import writing
from sessionize.read.detect import BLANK, ending, recognised
from sessionize.read.folders import in_order, is_beside, logs_in
from sessionize.read.formats import ENDINGS, FORMATS, MARKS
from sessionize.read.passed_over import EMPTY, PassedOver
from sessionize.read.shown import shown_folder, shown_path, written
from sessionize.read.source import Empty, LogFile, Source, unreadable
from sessionize.read.tables import check_in_no_table
from sessionize.scratch import home

STDIN: Final = "-"
CHUNK: Final = 1 << 20
HEAD: Final = 4096
"""Bytes from which a file's kind is told."""


class Found(NamedTuple):
    """What the inputs name.

    Attributes:
        sources: Files to be read, in input order.
        passed_over: What was found beside them and is not read.
    """

    sources: tuple[Source, ...]
    passed_over: tuple[PassedOver, ...]

    @property
    def format(self) -> InputFormat:
        """Of all the files, as a log is of one format."""
        return self.sources[0].file.format


def find(config: Config, stdin: IO[bytes] | None = None) -> Found:
    """Every file that the inputs name, in order; a folder or glob is sorted.

    Raises:
        InputError: If one is missing, unreadable or of a kind that is not read, a folder is a table's, or all are empty.
        UsageError: If no input was given.
    """
    if not config.inputs:
        raise UsageError("no input", hint="name a file, a folder, a glob, or - for stdin")
    passed: list[PassedOver] = []
    found: list[Source] = []
    empty: list[Empty] = []
    places = list(_places(config.inputs, config, passed))
    _refuse_twice(places, config, stdin)
    for place in places:
        try:
            found.append(_opened(place, config, stdin))
        except Empty as error:
            empty.append(error)
            passed.append(PassedOver(shown_path(place, config), EMPTY))
    if not found:
        raise empty[0]
    kinds = sorted({source.file.format for source in found})
    if len(kinds) > 1:
        names = {source.file.format: source.file.path for source in found}
        raise InputError(
            f"a log is of one format, not {' and '.join(f'{kind} ({names[kind]})' for kind in kinds)}",
            hint="run them apart, or name a glob that matches one kind",
        )
    return Found(tuple(found), tuple(passed))


def listed(config: Config) -> list[str]:
    """Path of every file that the inputs name, unopened; a folder or glob is sorted.

    Raises:
        InputError: If one names nothing, or a folder is a table's.
        UsageError: If no input was given.
    """
    if not config.inputs:
        raise UsageError("no input", hint="name a file, a folder or a glob")
    return list(_places(config.inputs, config, []))


def _places(inputs: Sequence[str], config: Config, passed: list[PassedOver]) -> Iterator[str]:
    """Every file, pipe and ``-`` that the inputs name; what lies beside them goes to the list."""
    for text in inputs:
        # A pipe (`<(zcat log.gz)`, /dev/stdin) is taken as it is: what is read once is gone.
        is_pipe = text == STDIN or Path(text).is_fifo()
        yield from [text] if is_pipe else map(str, _paths(text, config, passed))


def _refuse_twice(places: Sequence[str], config: Config, stdin: IO[bytes] | None) -> None:
    """Refuse to count a file's events twice, whatever two names it goes by."""
    names: dict[tuple[int, int], str] = {}
    for place in places:
        found = _identity(place, stdin)
        if found is not None and found in names:
            both = (
                shown_path(place, config)
                if names[found] == place
                else f"{shown_path(names[found], config)} and {shown_path(place, config)}"
            )
            raise UsageError(
                f"one input is given twice: {both}", hint="leave one out, or every event would count twice"
            )
        if found is not None:
            names[found] = place


def identities(inputs: Sequence[str], config: Config) -> dict[tuple[int, int], str]:
    """Names of all files that the inputs name, and of their folders, by device and inode; what is missing aside."""
    with suppress(InputError):
        inputs = [*inputs, *_places(inputs, config, [])]
    return {found: shown_path(place, config) for place in inputs if (found := _identity(place, None)) is not None}


def _identity(place: str, stdin: IO[bytes] | None) -> tuple[int, int] | None:
    """Device and inode of what is read, if it has any."""
    with suppress(OSError, ValueError, AttributeError):
        status = os.fstat((stdin or sys.stdin).fileno()) if place == STDIN else Path(place).stat()
        return status.st_dev, status.st_ino
    return None


def _opened(place: str, config: Config, stdin: IO[bytes] | None) -> Source:
    if place == STDIN:
        return _spooled(stdin or sys.stdin.buffer, config)
    if Path(place).is_fifo():
        with Path(place).open("rb") as pipe:
            return _spooled(pipe, config, place)
    return _source(place, shown_path(place, config), config)


def _paths(text: str, config: Config, passed: list[PassedOver]) -> list[Path]:
    """Files of a folder, of a glob (of the folders it matches, too), or the one that is named."""
    path = Path(text)
    check_in_no_table(path)
    if path.is_dir():
        paths = _logs_in(path, config, passed)
        if not paths:
            raise InputError(
                f"{shown_folder(text, config)}: no log in this folder",
                hint=f"logs end in {', '.join(ENDINGS)}, maybe with .gz or .zst",
            )
        return paths
    if not has_magic(text) or path.exists():
        return [path]
    paths = []
    for match in sorted(map(Path, glob(text, recursive=True))):  # noqa: PTH207 - a path's own takes no absolute pattern
        check_in_no_table(match)
        if match.is_dir():
            paths += _logs_in(match, config, passed)
        elif why := is_beside(match):
            passed.append(PassedOver(shown_path(str(match), config), why))
        else:
            paths.append(match)
    if not paths:
        raise InputError(
            f"{shown_folder(text, config)}: no file matches", hint=None if config.hash_key else _there_is(text)
        )
    return in_order(paths)


def _logs_in(folder: Path, config: Config, passed: list[PassedOver]) -> list[Path]:
    """Logs in a folder: a file whose name says nothing is one where its content looks like one."""
    found, beside = logs_in(folder)
    passed += [each._replace(path=shown_path(each.path, config)) for each in beside]
    named = {kind for path in found if (kind := ENDINGS.get(ending(path.name)))}
    paths = []
    for path in found:
        if ending(path.name) not in ENDINGS and (why := _why_no_log(path, config, named)):
            passed.append(PassedOver(shown_path(str(path), config), why))
        else:
            paths.append(path)
    return paths


def _why_no_log(path: Path, config: Config, named: set[InputFormat]) -> str:
    """Why a file without a log's ending is not read, by its content; empty where it may be a log."""
    try:
        source = _source(str(path), path.name, config)
        with unreadable(path.name), source.open() as file:
            head = file.read(HEAD).strip(BLANK)
    except Empty:
        return ""
    except InputError as error:
        return str(error).removeprefix(f"{path.name}: ")
    kind = source.file.format
    if named and kind not in named:
        return f"no {' or '.join(sorted(named))}, as the others are"
    has_rows = kind != "csv" or config.preset is not None or re.match(rb"[^\n]*[,;\t|\x01#]", head)
    return "" if has_rows or config.delimiter else "its first line has no separator"


def _spooled(stdin: IO[bytes], config: Config, named: str = STDIN) -> Source:
    """Stdin, or a pipe, as a file that goes with the process, as it must be read more than once."""
    if stdin.isatty():
        raise UsageError("nothing is piped into stdin", hint="cat events.csv | sessionize run - -o out")
    digest = hashlib.sha256()
    with writing(tempfile.tempdir or "TMPDIR"):
        folder = home()
        spool = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - closed below
    shown = shown_path(named, config)
    with unreadable(shown), spool:
        while chunk := stdin.read(CHUNK):
            with writing(spool.name):
                spool.write(chunk)
            digest.update(chunk)
        with writing(spool.name):
            spool.flush()
    source = _source(spool.name, shown, config)
    file = replace(source.file, path=shown, modified_ns=None, digest=digest.hexdigest())
    return replace(source, file=file, named=written(named))


def _source(place: str, shown: str, config: Config) -> Source:
    if not is_utf8(shown):
        raise InputError(f"{shown}: the name is not UTF-8", hint="rename it, or pipe it: … - < FILE")
    try:
        status = Path(place).stat()
        with Path(place).open("rb") as opened:
            head = opened.read(HEAD)
    except FileNotFoundError:
        raise _missing(place, config) from None
    except OSError as error:
        raise InputError(f"{shown}: {(error.strerror or str(error)).lower()}") from None
    if not head:
        if shown == STDIN:
            raise Empty("stdin is empty", hint="did what writes into the pipe fail? look at what it says")
        raise _empty(shown, "the file is empty", "was it cut short by a full disk?")
    packed = "gz" if head[:2] == b"\x1f\x8b" else "zst" if head[:4] == b"\x28\xb5\x2f\xfd" else None
    file = LogFile(shown, "csv", status.st_size, status.st_mtime_ns, None)
    draft = Source(file, place, packed, written(place), config.skip_lines, (config.comment or "").encode())
    head = head if packed is None else _unpacked_head(draft)
    if len(head) < HEAD and not head.strip(BLANK):
        raise _empty(shown, "nothing but blank lines" if head else "the file is empty")
    kind = recognised(_from_first_row(head, draft), shown, config.input_format)
    return replace(draft, file=replace(file, format=kind, digest=FORMATS[kind].digest(draft)))


def _empty(shown: str, message: str, hint: str | None = None) -> InputError:
    """Of a format with a mark never an hour without events: a file without rows has the mark, too."""
    kind = InputError if ENDINGS.get(ending(shown)) in MARKS else Empty
    return kind(f"{shown}: {message}", hint=hint)


def _from_first_row(head: bytes, source: Source) -> bytes:
    """A file's first bytes without the lines that are skipped, and the comments before the first other line."""
    if source.skip:
        head = head.split(b"\n", source.skip)[-1]
    while source.comment and head.startswith(source.comment):
        head = head.partition(b"\n")[2]
    return head


def is_utf8(name: str) -> bool:
    """Whether a name from the command line or a folder can be written down."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _missing(path: str, config: Config) -> InputError:
    near = _like(Path(path))
    hint = None if near is None else f"did you mean {shown_folder(str(near), config)}?"
    return InputError(f"{shown_folder(path, config)}: no such file", hint=hint)


def _like(path: Path) -> Path | None:
    """What there is of the nearest name, in a folder of the nearest name."""
    folder: Path | None = path.parent
    if not path.parent.is_dir():
        folder = _like(path.parent)
    if folder is None or not folder.is_dir():
        return None
    if (folder / path.name).exists():
        return folder / path.name
    near = difflib.get_close_matches(path.name, [each.name for each in folder.iterdir()], n=1)
    return folder / near[0] if near else None


def _unpacked_head(source: Source) -> bytes:
    with unreadable(source.file.path), source.open() as file:
        return file.read(HEAD)


def _there_is(pattern: str) -> str:
    """What there is in the folder in which a glob found nothing."""
    folder = Path(pattern).parent
    while any(letter in str(folder) for letter in "*?["):
        folder = folder.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    names = sorted(each.name + ("/" if each.is_dir() else "") for each in folder.iterdir() if each.name[:1] != ".")
    return f"{folder} has {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else f"{folder} is empty"
