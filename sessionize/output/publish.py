"""The one place where files become visible: whole, on disk, and all of a run's files or none.

In come names; out go hidden temporary paths, to be filled, sealed and committed. A commit first
lists the sealed names in `.sessionize.output.commit`: **that list's appearance is the commit**. A crash
before it leaves the earlier run's files; after it, the next start completes the renames. The last
sealed file (the manifest) is withdrawn first and renamed last, so it never stands beside another
run's files, not even after a crash; every other name goes from old to new in one rename. An error
(no crash) puts the earlier files back: they keep a hidden name until the end.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from sessionize.errors import LockedError, OutputError, SessionizeError
from sessionize.scratch import remove_folder

LOCK: Final = ".sessionize.lock"  # never deleted; empty between runs, else the run's pid
INTENT: Final = ".sessionize.output.commit"  # there only while a commit is under way or was cut short
SCRATCH: Final = "scratch"  # a directory for what does not fit in memory
HELD: Final[set[AbstractContextManager[object]]] = set()  # what a signal makes the process let go of
COMMITTING: Final = threading.Lock()
_TEMP: Final = re.compile(r"\..+\.\d+\.partial(\.gone)*")
_TEXT: Final = re.compile(r"os error (\d+)\)?(?:: (.+))?|'(.+)' is a directory|No space left")
_CURES: Final = {
    errno.ENOSPC: "make limits", errno.EDQUOT: "make limits", errno.EFBIG: "raise the size limit",
    errno.EACCES: "make it writable", errno.EPERM: "make it writable", errno.EROFS: "remount it",
    errno.EISDIR: "move it away", errno.ENOTDIR: "move it away", errno.EEXIST: "move it away",
}  # fmt: skip


class Staged(NamedTuple):
    """A sealed file: on disk under its temporary path, visible after the commit."""

    name: str
    path: Path
    bytes: int
    sha256: str


class Publisher:
    """One run's hold on its output directory; left without `commit`, nothing visible changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._intent = directory / INTENT
        self._sealed: dict[str, Staged] = {}
        self._pid = os.getpid()

    def __enter__(self) -> Self:
        """Make and lock the directory, complete an interrupted commit, sweep what dead runs left.

        Raises:
            LockedError: Another run holds the directory.
            OutputError: The directory cannot be made or written.
        """
        with all_ours(self.directory), ExitStack() as failing:
            new = [path for path in (self.directory, *self.directory.parents) if not path.exists()]
            self.directory.mkdir(parents=True, exist_ok=True)
            for path in new:
                sync(path.parent)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._lock = os.open(self.directory / LOCK, flags, 0o666)
            failing.callback(os.close, self._lock)
            self._take_over()
            failing.pop_all()
        HELD.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was not committed; release the lock."""
        HELD.discard(self)
        with suppress(OSError), ExitStack() as last:
            last.callback(os.close, self._lock)
            if not self._intent.exists():
                self._sweep()
            os.ftruncate(self._lock, 0)

    def path(self, name: str) -> Path:
        """Give the temporary path to write file ``name`` to; no ``*.parquet`` glob sees it."""
        if (self.directory / _plain(name)).is_dir():
            raise _output_error(self.directory / name, errno.EISDIR)
        return self._temp(name, self._pid)

    def scratch(self) -> Path:
        """Make a directory for temporary files, which goes at the end of the run, or with the next run's start."""
        path = self._temp(SCRATCH, self._pid)
        with all_ours(path):
            path.mkdir(exist_ok=True)
        return path

    def seal(self, name: str) -> Staged:
        """Force the written file to disk; size and digest from one read."""
        path = self._temp(_plain(name), self._pid)
        with all_ours(self.directory / name), path.open("rb") as file:
            os.fsync(file.fileno())
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        self._sealed.pop(name, None)
        return self._sealed.setdefault(name, Staged(name, path, size, digest))

    def commit(self, *, remove: Collection[str] = ()) -> None:
        """Make all sealed files visible in the order sealed, or none; withdraw those to ``remove``.

        Raises:
            OutputError: It could not be done; the directory is as it was.
        """
        write, stale = [*self._sealed], sorted(set(map(_plain, remove)) - self._sealed.keys())
        stale = [name for name in stale if (self.directory / name).is_file()]
        with all_ours(self.directory), COMMITTING:
            try:
                self._declare(write, stale)
                self._place(self._pid, write, stale)
            except BaseException:
                with suppress(OSError):  # where even this fails, the next start rolls forward
                    if self._intent.exists():
                        self._put_back(write, stale)
                raise
        self._sealed.clear()

    def _declare(self, write: list[str], remove: list[str]) -> None:
        draft = self._temp(INTENT, self._pid)
        draft.write_text(json.dumps([self._pid, write, remove]), encoding="utf-8")
        for name in (*write, INTENT):
            sync(self._temp(name, self._pid))
        sync(self.directory)  # the temporary files' names, before the list that needs them
        draft.replace(self._intent)
        sync(self.directory)

    def _place(self, pid: int, write: list[str], remove: list[str]) -> None:
        """Do what was declared, from wherever it stopped: a temporary file there is yet to move."""
        waiting = [name for name in write if self._temp(name, pid).exists()]
        for name in (*waiting[-1:], *remove):  # while any waits, so does the last: the manifest
            with suppress(FileNotFoundError):
                (self.directory / name).replace(self._temp(f"{name}.old", pid))
        for name in waiting:
            final, old = self.directory / name, self._temp(f"{name}.old", pid)
            try:
                os.link(final, old, follow_symlinks=False)
            except OSError:  # none there, linked by an earlier attempt, or no hard links here
                with suppress(FileNotFoundError):
                    final.replace(old)
            self._temp(name, pid).replace(final)
        sync(self.directory)
        self._intent.unlink()

    def _put_back(self, write: list[str], remove: list[str]) -> None:
        """Undo `_place`, the record first out and last in; cut short, `_place` still works."""
        for name in reversed(write):
            if not self._temp(name, self._pid).exists():
                (self.directory / name).replace(self._temp(name, self._pid))
        for name in (*remove, *write):
            with suppress(FileNotFoundError):
                self._temp(f"{name}.old", self._pid).replace(self.directory / name)
        sync(self.directory)
        self._intent.unlink()

    def _temp(self, name: str, pid: int) -> Path:
        return self.directory / f".{name}.{pid}.partial"

    def _take_over(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(self._lock, 20, 0).decode("ascii", "replace") or "unknown"
            message = f"another run (pid {pid}) is writing to {self.directory}"
            raise LockedError(message, hint="wait for it, or choose another -o") from None
        os.ftruncate(self._lock, os.pwrite(self._lock, b"%d" % self._pid, 0))
        if not os.access(self.directory, os.R_OK | os.W_OK | os.X_OK):
            raise _output_error(self.directory, errno.EACCES)
        if self._intent.exists():
            try:
                pid, *names = json.loads(self._intent.read_bytes())
                write, remove = ([_plain(name) for name in part] for part in names)
                self._place(int(pid), write, remove)
            except (ValueError, TypeError) as error:
                raise OutputError(f"{self._intent} is damaged", hint="delete it, rerun") from error
        self._sweep()

    def _sweep(self) -> None:
        """Delete temporary files: under the lock, whoever wrote them is dead or done."""
        for path in self.directory.iterdir():
            if _TEMP.fullmatch(path.name):
                with suppress(OSError):
                    remove_folder(path) if path.name.startswith(f".{SCRATCH}.") else path.unlink()


def abandon_all() -> None:
    """Last act of a process ended by a signal: a commit under way is let finish, none begins."""
    if COMMITTING.acquire(timeout=0.5):  # never released
        for held in list(HELD):
            held.__exit__(None, None, None)


@contextmanager
def map_os_errors(path: Path | str) -> Iterator[None]:
    """Turn a full disk, a missing permission and the like into an `OutputError` about ``path``.

    Polars gives no number, its text tells; an error that names another path (an input) passes.
    """
    try:
        yield
    except BaseException as error:
        code = _code(error, Path(path))
        if isinstance(error, SessionizeError) or code not in _CURES:
            raise
        raise _output_error(Path(path), code) from error


@contextmanager
def all_ours(path: Path) -> Iterator[None]:
    """Turn anything the machine says into an `OutputError` about ``path``."""
    try:
        yield
    except OSError as error:
        raise _output_error(path, error.errno or errno.EIO) from error


def _code(error: BaseException, path: Path) -> int | None:
    """Error number, unless the error names neither ``path``, a parent, a hidden file beside, nor what a hidden one holds."""
    found = _TEXT.search(str(error))
    code, name = (error.errno, error.filename) if isinstance(error, OSError) else (None, None)
    if found:
        code = code or int(found[1] or (errno.EISDIR if found[3] else errno.ENOSPC))
        name = name or found[2] or found[3]
    named, mine = Path(str(name or path)).absolute(), path.absolute()
    hidden = named.name.startswith(".") and named.parent in (mine, mine.parent)
    hidden |= mine.name.startswith(".") and mine in named.parents
    return code if hidden or named in (mine, *mine.parents) else None


def _output_error(path: Path, code: int) -> OutputError:
    near = next(place for place in (path, *path.absolute().parents) if os.access(place, os.F_OK))
    free = shutil.disk_usage(near).free / 1e6
    hint = f"{_CURES.get(code, 'try again')}, or choose another -o; {free:,.1f} MB are free there"
    return OutputError(f"cannot write {path}: {os.strerror(code).lower()}", hint=hint)


def _plain(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"not the name of a file: {name!r}")
    return name


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
