"""One file of a log, and what it is read by."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, cast

from sessionize.config import InputFormat
from sessionize.errors import InputError
from sessionize.limits import USUAL_TEXTS, TextLimits
from sessionize.stores import Stamp, StoreError, opened
from sessionize.values import dataclass


@dataclass(frozen=True)
class LogFile:
    """One file of a log, with what is needed to recognise it again.

    Attributes:
        path: As given or found; ``-`` for stdin.
        format: By its content, else its name.
        bytes: Bytes on disk.
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
        file: What is known of it.
        place: Path of its bytes.
        packed: ``gz`` or ``zst``; None where it is not compressed.
        named: Path as given, whose folders may name columns.
        skip: Lines at its start that are no rows and no header.
        comment: What a line begins with that is none of the log's; empty for nothing.
        limits: How much of it is read at once, and what is refused.
        stamp: What tells an object of a store from any that takes its place; None for a file of this machine.
    """

    file: LogFile
    place: str
    packed: str | None
    named: str = ""
    skip: int = 0
    comment: bytes = b""
    limits: TextLimits = USUAL_TEXTS
    stamp: Stamp | None = None

    def open(self) -> IO[bytes]:
        """The file's content, unpacked."""
        raw = opened(self.place, self.stamp)
        if self.packed == "gz":
            file = gzip.GzipFile(fileobj=raw)
            file.myfileobj = raw  # type: ignore[assignment]  # it is closed with the file
            return cast("IO[bytes]", file)
        if self.packed == "zst":
            import pyarrow as pa  # noqa: PLC0415 - takes a good part of the start, and few logs need it

            return cast("IO[bytes]", pa.CompressedInputStream(raw, "zstd"))
        return raw


class Empty(InputError):  # noqa: N818 - says what the file is
    """A file in which there is no line: among others an hour without events, alone an error."""


class unreadable:  # noqa: N801 - reads as a statement
    """Turns what a damaged compressed file raises into an InputError that names it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate what gzip, zstd and stores raise."""
        if isinstance(error, StoreError):  # it names the object as it is, not as it may be shown
            raise InputError(f"{self.path}: {error.what}", hint=error.hint) from None
        if isinstance(error, (EOFError, OSError, zlib.error)):
            raise InputError(
                f"{self.path}: damaged or cut short ({_reason(error)})", hint="fetch the file again"
            ) from None


def _reason(error: BaseException) -> str:
    """What an error says, without the path that an OSError may add."""
    told = error.strerror if isinstance(error, OSError) else None
    return told or next(iter(str(error).splitlines()), type(error).__name__)
