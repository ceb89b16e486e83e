"""One file of what was typed: what it is by its first bytes; stdin and pipes are files once they have been read."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from typing import IO, Final

from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.os_errors import writing
from sessionize.read.detect import BLANK, NO_OBJECTS, PIPE, recognised
from sessionize.read.formats import ENDINGS, FORMATS, MARKS
from sessionize.read.nearest import missing
from sessionize.read.piped import typed
from sessionize.read.rotated import ending
from sessionize.read.shown import shown_path, written
from sessionize.read.source import Empty, LogFile, Source, unreadable
from sessionize.scratch import home
from sessionize.stores import path_of, stamp_of

STDIN: Final = "-"
CHUNK: Final = 1 << 20
HEAD: Final = 4096
"""Bytes from which a file's kind is told."""


def probed(place: str, shown: str, config: Config) -> Source:
    """A file and what it is.

    Args:
        place: Path of its bytes.
        shown: How it is named.
        config: What was said of its layout.

    Raises:
        InputError: If it is missing, empty, cannot be read or is of a kind that is not read.
    """
    if not is_utf8(shown):
        raise InputError(f"{shown}: the name is not UTF-8", hint="rename it, or pipe it: … - < FILE")
    path = path_of(place)
    try:
        with path.open("rb") as opened:
            head = opened.read(HEAD)
        status, stamp = path.stat(), stamp_of(path)
    except FileNotFoundError:
        raise missing(path, config) from None
    except OSError as error:
        raise InputError(f"{shown}: {(error.strerror or str(error)).lower()}") from None
    if not head:
        if shown == STDIN:
            raise Empty("stdin is empty", hint="did what writes into the pipe fail? look at what it says")
        raise _empty(shown, "the file is empty", "was it cut short by a full disk?")
    packed = "gz" if head[:2] == b"\x1f\x8b" else "zst" if head[:4] == b"\x28\xb5\x2f\xfd" else None
    file = LogFile(shown, "csv", status.st_size, status.st_mtime_ns, None)
    draft = Source(file, place, packed, written(place), config.skip_lines, (config.comment or "").encode(), stamp=stamp)
    head = head if packed is None else _unpacked_head(draft)
    if len(head) < HEAD and not head.strip(BLANK):
        raise _empty(shown, "nothing but blank lines" if head else "the file is empty")
    if len(head) < HEAD and NO_OBJECTS.fullmatch(_from_first_row(head, draft)):
        raise _empty(
            shown,
            "a JSON array with nothing in it, so no events",
            typed(f"of one that has some an object a line is read: jq -c '.[]' FILE {PIPE}", shown, packed),
        )
    kind = recognised(_from_first_row(head, draft), shown, config.input_format, packed)
    return replace(draft, file=replace(file, format=kind, digest=FORMATS[kind].digest(draft)))


def _empty(shown: str, message: str, hint: str | None = None) -> InputError:
    """Of a format with a mark never an hour without events: a file without rows has the mark, too."""
    kind = InputError if ENDINGS.get(ending(shown)) in MARKS else Empty
    return kind(f"{shown}: {message}", hint=hint)


def _from_first_row(head: bytes, source: Source) -> bytes:
    """A file's first bytes without the lines that are skipped, and the comments before the first other line.

    Raises:
        UsageError: If lines are to be skipped of what has none.
    """
    if (kind := next((name for name, mark in MARKS.items() if head.startswith(mark)), None)) is not None:
        if source.skip:
            raise UsageError(
                f"{source.file.path}: --skip-lines is for text files; this one is {kind.capitalize()}, and has no lines",
                hint="leave --skip-lines out; --where chooses rows",
            )
        return head
    if source.skip:
        head = head.split(b"\n", min(source.skip, len(head)))[-1]
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


def spooled(stdin: IO[bytes], config: Config, named: str = STDIN) -> Source:
    """Stdin, or a pipe, as a file that goes with the process, as it must be read more than once.

    Raises:
        InputError: If it is empty or of a kind that is not read.
        UsageError: If nothing is piped into it.
    """
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
    source = probed(spool.name, shown, config)
    file = replace(source.file, path=shown, modified_ns=None, digest=digest.hexdigest())
    return replace(source, file=file, named=written(named))


def _unpacked_head(source: Source) -> bytes:
    with unreadable(source.file.path), source.open() as file:
        return file.read(HEAD)
