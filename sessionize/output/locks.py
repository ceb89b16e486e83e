"""One run at a time: locks that also tell the next run what a dead one left; and files that are made to last."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sessionize.errors import LockedError, UsageError

HOLDER: Final = b"sessionize "
"""Before the pid in a lock: a file that begins otherwise is somebody else's."""
LONGEST: Final = 8192
"""Bytes of a lock: a pid and a path."""


def take_lock(path: Path, does: str, instead: str, mode: int = 0o666) -> tuple[int, bytes]:
    """Lock a file, made if need be, until its handle is closed.

    Args:
        path: Path of the file.
        does: What another run does that holds it, as ``holds the state``.
        instead: What can be done in place of waiting for it.
        mode: Mode of the file, less the umask.

    Returns:
        The handle; what the file holds: nothing, or what a run wrote that died.

    Raises:
        LockedError: Another run holds the lock.
        UsageError: The file is somebody else's.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, mode)
    with ExitStack() as failing:
        failing.callback(os.close, handle)
        held = os.pread(handle, LONGEST, 0) if stat.S_ISREG(os.fstat(handle).st_mode) else b"?"
        if not _is_ours(held):
            raise UsageError(f"{path} is not the lock of a run", hint=f"move it away, or {instead}")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another run (pid {pid_in(held) or 'unknown'}) {does}"
            raise LockedError(message, hint=f"wait for it, or {instead}") from None
        held = os.pread(handle, LONGEST, 0)
        failing.pop_all()
    return handle, held


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make a folder that lasts, with those above it.

    Args:
        path: Path of the folder; it may be there.
        mode: Mode of a folder that is made, less the umask.
    """
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=mode, exist_ok=True)
    for folder in new:
        sync(folder.parent)


def _is_ours(held: bytes) -> bool:
    """Whether a run wrote this, or a part of it that was on disk when the machine stopped."""
    found = held.rstrip(b"\0")
    return found.startswith(HOLDER) or HOLDER.startswith(found)


def write_holder(handle: int, more: str = "") -> None:
    """Put on disk who holds a lock, and what the next run is to know if this one dies."""
    content = HOLDER + f"{os.getpid()}\n{more}".encode(errors="surrogateescape")
    os.ftruncate(handle, os.pwrite(handle, content, 0))
    os.fsync(handle)


def pid_in(held: bytes) -> int | None:
    """The pid that a lock holds."""
    number = held.removeprefix(HOLDER).partition(b"\n")[0]
    return int(number) if held.startswith(HOLDER) and number.isdigit() else None


def make_private(path: Path) -> int:
    """Make an empty file that only its owner can read; the mode that it would have by the umask.

    Raises:
        OSError: If something is there: it is not ours to write into.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.fchmod(handle, 0o600)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(handle)
    return mode


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
