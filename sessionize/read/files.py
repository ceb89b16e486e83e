"""From what was typed to files: paths, folders, globs, stdin."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Final, cast

import pyarrow as pa

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError, UsageError
from sessionize.read.kinds import ENDINGS, ending, recognised

STDIN: Final = "-"
CHUNK: Final = 1 << 20
HEAD: Final = 4096
"""Bytes from which a file's kind is told."""


@dataclass(frozen=True)
class LogFile:
    """One file of a log, with what is needed to recognise it again.

    Attributes:
        path: As given or found; ``-`` for stdin.
        format: By its content, else its name.
        bytes: On disk.
        modified_ns: Modification time, nanoseconds since 1970; None for stdin.
        digest: SHA-256 of a Parquet file's footer, or of all of stdin.
    """

    path: str
    format: InputFormat
    bytes: int
    modified_ns: int | None
    digest: str | None


@dataclass(frozen=True)
class Source:
    """A file and where its bytes lie: its path, but for stdin a temporary file."""

    file: LogFile
    place: str
    packed: str | None

    def open(self) -> IO[bytes]:
        """The file's content, unpacked."""
        if self.packed == "gz":
            return cast("IO[bytes]", gzip.open(self.place, "rb"))
        if self.packed == "zst":
            return cast("IO[bytes]", pa.CompressedInputStream(pa.OSFile(self.place), "zstd"))
        return Path(self.place).open("rb")


def sources(config: Config, stdin: IO[bytes] | None = None) -> tuple[Source, ...]:
    """Every file that the inputs name, in order; a folder or glob is sorted.

    Raises:
        InputError: If one is missing, unreadable, empty or of a kind that is not read.
        UsageError: If no input was given.
    """
    if not config.inputs:
        raise UsageError("no input", hint="name a file, a folder, a glob, or - for stdin")
    found = [source for text in config.inputs for source in _named(text, config, stdin)]
    kinds = sorted({source.file.format for source in found})
    if len(kinds) > 1:
        names = {source.file.format: source.file.path for source in found}
        raise InputError(
            f"a log is of one format, not {' and '.join(f'{kind} ({names[kind]})' for kind in kinds)}",
            hint="run them apart, or name a glob that matches one kind",
        )
    return tuple(found)


def _named(text: str, config: Config, stdin: IO[bytes] | None) -> Iterator[Source]:
    if text == STDIN:
        yield _spooled(stdin or sys.stdin.buffer, config)
        return
    path = Path(text)
    if path.is_dir():
        paths = sorted(each for each in path.rglob("*") if _is_log(each, path))
        if not paths:
            raise InputError(
                f"{text}: no log in this folder", hint=f"logs end in {', '.join(ENDINGS)}, maybe with .gz or .zst"
            )
    elif has_magic(text) and not path.exists():
        paths = [Path(each) for each in sorted(glob(text, recursive=True)) if Path(each).is_file()]  # noqa: PTH207
        if not paths:
            raise InputError(f"{text}: no file matches")
    else:
        paths = [path]
    for each in paths:
        yield _source(str(each), _shown(str(each)), config)


def _shown(path: str) -> str:
    """The path as text that can be written: bytes of a name that are no UTF-8 as escapes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _is_log(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and ending(path.name) in ENDINGS


def _spooled(stdin: IO[bytes], config: Config) -> Source:
    """Stdin as a file that vanishes with the process, as it must be read more than once."""
    if stdin.isatty():
        raise UsageError("nothing is piped into stdin", hint="cat events.csv | sessionize run - -o out")
    digest = hashlib.sha256()
    spool = tempfile.NamedTemporaryFile(prefix="sessionize-")  # noqa: SIM115 - lives as long as the process
    while chunk := stdin.read(CHUNK):
        spool.write(chunk)
        digest.update(chunk)
    spool.flush()
    _KEPT.append(spool)
    source = _source(spool.name, STDIN, config)
    file = LogFile(STDIN, source.file.format, source.file.bytes, None, digest.hexdigest())
    return Source(file, source.place, source.packed)


_KEPT: list[object] = []


def _source(place: str, shown: str, config: Config) -> Source:
    try:
        status = Path(place).stat()
        with Path(place).open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        raise _missing(shown) from None
    except OSError as error:
        raise InputError(f"{shown}: {(error.strerror or str(error)).lower()}") from None
    if not head:
        raise InputError(f"{shown}: the file is empty", hint="was it cut short by a full disk?")
    packed = "gz" if head[:2] == b"\x1f\x8b" else "zst" if head[:4] == b"\x28\xb5\x2f\xfd" else None
    draft = Source(LogFile(shown, "csv", status.st_size, status.st_mtime_ns, None), place, packed)
    head = head if packed is None else _unpacked_head(draft)
    kind = recognised(head, shown, config.input_format)
    digest = _footer_digest(draft) if kind == "parquet" else None
    return Source(LogFile(shown, kind, status.st_size, status.st_mtime_ns, digest), place, packed)


def _missing(path: str) -> InputError:
    folder = Path(path).parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(Path(path).name, names, n=1)
    hint = f"did you mean {folder / near[0]}?" if near else None
    return InputError(f"{path}: no such file", hint=hint)


def _unpacked_head(source: Source) -> bytes:
    with unreadable(source.file.path), source.open() as file:
        head = file.read(HEAD)
    if not head:
        raise InputError(f"{source.file.path}: the file is empty")
    return head


class unreadable:  # noqa: N801 - reads as a statement
    """Turns what a damaged compressed file raises into an InputError that names it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate what gzip and zstd raise."""
        if isinstance(error, (EOFError, OSError, zlib.error)):
            raise InputError(
                f"{self.path}: damaged or cut short ({str(error).splitlines()[0]})", hint="fetch the file again"
            ) from None


def _footer_digest(source: Source) -> str:
    """SHA-256 of the footer: it holds the place and size of every column, so no other file has it."""
    if source.packed is not None:
        raise InputError(
            f"{source.file.path}: a compressed Parquet file", hint="unpack it first; Parquet is compressed inside"
        )
    path, size = Path(source.place), source.file.bytes
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or length + 12 > size:
            raise InputError(
                f"{source.file.path}: cut short: the Parquet footer is missing", hint="fetch the file again"
            )
        file.seek(size - 8 - length)
        return hashlib.sha256(file.read(length)).hexdigest()
