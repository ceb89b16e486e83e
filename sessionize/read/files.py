"""From what was typed to files: paths, folders, globs, stdin."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Final, cast

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError, UsageError
from sessionize.read.detect import ENDINGS, ending, recognised
from sessionize.read.shown import shown_folder, shown_path, written
from sessionize.scratch import home

STDIN: Final = "-"
CHUNK: Final = 1 << 20
RUN_LOCK: Final = ".sessionize.lock"
"""Lies in every folder that a run wrote."""
HEAD: Final = 4096
"""Bytes from which a file's kind is told."""


@dataclass(frozen=True)
class LogFile:
    """One file of a log, with what is needed to recognise it again.

    Attributes:
        path: As given or found; ``-`` for stdin.
        format: By its content, else its name.
        bytes: On disk.
        modified_ns: Modification time, nanoseconds since 1970; None for stdin and pipes.
        digest: SHA-256 of a Parquet file's footer, or of all of stdin or a pipe.
    """

    path: str
    format: InputFormat
    bytes: int
    modified_ns: int | None
    digest: str | None


@dataclass(frozen=True)
class Source:
    """A file and where its bytes lie: its path, but for stdin a temporary file.

    Attributes:
        file: As it may be shown.
        place: Where it is read.
        packed: How it is compressed, if it is.
        named: Path as given, whose folders may name columns.
    """

    file: LogFile
    place: str
    packed: str | None
    named: str = ""

    def open(self) -> IO[bytes]:
        """The file's content, unpacked."""
        if self.packed == "gz":
            return cast("IO[bytes]", gzip.open(self.place, "rb"))
        if self.packed == "zst":
            import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and few logs need it

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
    if Path(text).is_fifo():  # `<(zcat log.gz)`, /dev/stdin: what is read once is gone
        with Path(text).open("rb") as pipe:
            yield _spooled(pipe, config, text)
        return
    for each in _paths(text, shown_folder(text, config)):
        yield _source(str(each), shown_path(str(each), config), config)


def _paths(text: str, shown: str) -> Sequence[Path]:
    """Files of a folder, of a glob (of the folders it matches, too), or the one that is named."""
    path = Path(text)
    if path.is_dir():
        paths = _logs_in(path)
        if not paths:
            raise InputError(
                f"{shown}: no log in this folder", hint=f"logs end in {', '.join(ENDINGS)}, maybe with .gz or .zst"
            )
        return paths
    if not has_magic(text) or path.exists():
        return [path]
    matches = [Path(each) for each in sorted(glob(text, recursive=True)) if not _is_marker(Path(each))]  # noqa: PTH207
    paths = [each for match in matches for each in (_logs_in(match) if match.is_dir() else [match])]
    if not paths:
        raise InputError(f"{shown}: no file matches")
    return list(dict.fromkeys(paths))


def _logs_in(folder: Path) -> list[Path]:
    """Logs in a folder and those below; not what an earlier run wrote into a folder of its own below."""
    written = {lock.parent for lock in folder.rglob(RUN_LOCK)} - {folder}
    found = (path for path in folder.rglob("*") if _is_log(path, folder))
    return sorted(path for path in found if not written.intersection(path.parents))


def _is_marker(path: Path) -> bool:
    """Whether it is one of the files that Spark and Hive lay beside their data, such as ``_SUCCESS``."""
    return path.name.startswith("_") and ending(path.name) not in ENDINGS and path.is_file()


def _is_log(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and ending(path.name) in ENDINGS


def _spooled(stdin: IO[bytes], config: Config, named: str = STDIN) -> Source:
    """Stdin, or a pipe, as a file that goes with the process, as it must be read more than once."""
    if stdin.isatty():
        raise UsageError("nothing is piped into stdin", hint="cat events.csv | sessionize run - -o out")
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=home(), delete=False) as spool:
        while chunk := stdin.read(CHUNK):
            spool.write(chunk)
            digest.update(chunk)
    shown = shown_path(named, config)
    source = _source(spool.name, shown, config)
    file = LogFile(shown, source.file.format, source.file.bytes, None, digest.hexdigest())
    return Source(file, source.place, source.packed, written(named))


def _source(place: str, shown: str, config: Config) -> Source:
    if not is_utf8(shown):
        raise InputError(f"{shown}: the name is not UTF-8", hint="rename it, or pipe it: … - < FILE")
    try:
        status = Path(place).stat()
        with Path(place).open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        raise _missing(place, config) from None
    except OSError as error:
        raise InputError(f"{shown}: {(error.strerror or str(error)).lower()}") from None
    if not head:
        raise InputError(f"{shown}: the file is empty", hint="was it cut short by a full disk?")
    packed = "gz" if head[:2] == b"\x1f\x8b" else "zst" if head[:4] == b"\x28\xb5\x2f\xfd" else None
    draft = Source(LogFile(shown, "csv", status.st_size, status.st_mtime_ns, None), place, packed)
    head = head if packed is None else _unpacked_head(draft)
    kind = recognised(head, shown, config.input_format)
    digest = _footer_digest(draft) if kind == "parquet" else None
    return Source(LogFile(shown, kind, status.st_size, status.st_mtime_ns, digest), place, packed, written(place))


def is_utf8(name: str) -> bool:
    """Whether a name from the command line or a folder can be written down."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _missing(path: str, config: Config) -> InputError:
    folder = Path(path).parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(Path(path).name, names, n=1)
    hint = f"did you mean {shown_folder(str(folder / near[0]), config)}?" if near else None
    return InputError(f"{shown_folder(path, config)}: no such file", hint=hint)


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
                f"{self.path}: damaged or cut short ({_reason(error)})", hint="fetch the file again"
            ) from None


def _reason(error: BaseException) -> str:
    """What an error says, without the path that an OSError may add."""
    told = error.strerror if isinstance(error, OSError) else None
    return told or next(iter(str(error).splitlines()), type(error).__name__)


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
