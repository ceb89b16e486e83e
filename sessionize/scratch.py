"""Temporary files outside the output directory: all in one folder a process, which goes with the process.

A process that was killed leaves its folder behind. The next one that needs one takes it away: a lock tells the living.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from threading import Lock
from typing import Final, Self

PREFIX: Final = "sessionize-"
LOCK: Final = ".sessionize.scratch"
"""Of a name that no other folder has a file of: what a folder is called proves nothing."""
_HOME: Final[list[Path]] = []
_MAKING: Final = Lock()


def home() -> Path:
    """The process's folder in TMPDIR, made when it is first asked for."""
    with _MAKING:
        if not _HOME:
            _sweep()
            folder = Path(mkdtemp(prefix=PREFIX))
            _HOME.append(folder)
            atexit.register(remove)
            # Never closed: the lock lasts as long as the process.
            handle = os.open(folder / f"{LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with suppress(OSError):  # a file system without locks: there nobody can take it for dead either
                fcntl.flock(handle, fcntl.LOCK_EX)
            (folder / f"{LOCK}.new").rename(folder / LOCK)  # locked before another process can see it
        return _HOME[0]


def is_home(folder: Path) -> bool:
    """Whether a folder for temporary files lies in TMPDIR, not where the output goes."""
    return any(home in folder.parents for home in _HOME)


class Scratch:
    """A folder for temporary files of one run, made when it is first asked for, gone with the end of the block."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        """Nothing to make yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the folder away."""
        if self._folder is not None:
            with suppress(OSError):
                remove_folder(self._folder)

    def __call__(self) -> Path:
        """The folder."""
        if self._folder is None:
            self._folder = Path(mkdtemp(dir=home()))
        return self._folder


def remove() -> None:
    """Take the folder away with all that is in it."""
    while _HOME:
        with suppress(OSError):
            remove_folder(_HOME.pop())


def remove_folder(folder: Path) -> None:
    """Take a folder away, under another name: a thread that still writes into it then finds no way in.

    Raises:
        OSError: The folder could not be removed.
    """
    shutil.rmtree(folder.replace(folder.with_name(f"{folder.name}.gone")))


def _sweep() -> None:
    for lock in Path(gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            _remove_dead(lock)


def _remove_dead(lock: Path) -> None:
    if lock.parent.is_symlink() or lock.parent.stat().st_uid != os.getuid():
        return
    handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a living process holds it: then an OSError
        remove_folder(lock.parent)
    finally:
        os.close(handle)
