"""Digests of what is written, and the way to the disk: at a file's end, or behind whoever still writes it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

from sessionize.os_errors import writing
from sessionize.values import NamedTuple

BLOCK: Final = 1 << 20
"""Bytes that are read at a time."""
OFTEN: Final = 0.01
"""Seconds between two looks at what was written meanwhile."""
FORCED: Final = 1 << 23
"""Bytes from which on what was written is forced to disk at once, so that little is left to be at the end."""


class Digest(NamedTuple):
    """What a file is told by.

    Attributes:
        bytes: Its size.
        sha256: In hexadecimal digits.
    """

    bytes: int
    sha256: str


def forced(path: Path) -> Digest:
    """Force a written file to disk; size and digest from one read."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Digest(file.tell(), digest)


class Followed:
    """A file that another one writes from its beginning to its end, digested and forced to disk on the way.

    What comes first is left for last where the disk is slow: the writer does not wait for it.

    Args:
        path: Path of the file.

    Attributes:
        digest: Size and SHA-256 of the whole file, once the block is left without an error.
    """

    digest: Digest

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole = hashlib.sha256()
        self._block = bytearray(BLOCK)
        self._size = self._forced = 0
        self._failed: list[OSError] = []
        self._ended = Event()
        self._thread = Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        with writing(self._path):
            self._path.touch()
            self._file = self._path.open("rb", buffering=0)
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Do what is left; after an error, nothing.

        Raises:
            OutputError: If what was written did not get to the disk.
        """
        self._ended.set()
        self._thread.join()
        with self._file, writing(self._path):
            if error is not None:
                return
            if self._failed:
                raise self._failed[0]  # the system tells of it once only
            self._catch_up()
            os.fsync(self._file.fileno())
        self.digest = Digest(self._size, self._whole.hexdigest())

    def _follow(self) -> None:
        try:
            while not self._ended.wait(OFTEN):
                self._catch_up()
                if self._size - self._forced >= FORCED:
                    self._forced = self._size
                    os.fsync(self._file.fileno())
        except OSError as error:
            self._failed.append(error)

    def _catch_up(self) -> None:
        while count := self._file.readinto(self._block):
            self._whole.update(memoryview(self._block)[:count])
            self._size += count
