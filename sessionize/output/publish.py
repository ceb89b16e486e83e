"""The one place where files become visible: whole, on disk, and all of a run's files or none.

In come names; out go hidden temporary paths, to be filled, sealed and committed. A commit first
lists the sealed names in `.sessionize.commit`: **that list's appearance is the commit**. A crash
before it leaves the earlier run's files; after it, the next start completes the renames. The last
sealed file (the manifest) is withdrawn first and renamed last, so it never stands beside another
run's files, not even after a crash; every other name goes from old to new in one rename. An error
(no crash) puts the earlier files back: they keep a hidden name until the end.

What an earlier run wrote is told by its names and sizes (`ownership`); anything else is never replaced, moved or
deleted. Temporary files are made anew, for their owner alone, and have the run's pid in their names, which the lock
holds too: the next start knows by it which ones a dead run left.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Final, Self

from sessionize.errors import OutputError, UsageError
from sessionize.os_errors import output_error, writing
from sessionize.output.digests import Digest, forced
from sessionize.output.locks import make_folder, make_private, pid_in, sync, take_lock, write_holder
from sessionize.output.ownership import MANIFEST, PART, is_as_listed, is_ours, refuse_foreign
from sessionize.patterns import pattern
from sessionize.scratch import remove_folder
from sessionize.values import NamedTuple

LOCK: Final = ".sessionize.lock"  # never deleted; empty between runs, else who holds it
INTENT: Final = ".sessionize.commit"  # there only while a commit is under way or was cut short
SCRATCH: Final = "scratch"  # a directory for what does not fit in memory
HELD: Final[set[AbstractContextManager[object]]] = set()  # what a signal makes the process let go of
COMMITTING: Final = threading.Lock()
_TEMP: Final = pattern(r"\..+\.(\d+)\.partial(\.gone)*")


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
        self._modes: dict[str, int] = {}  # of each temporary file that was made, those it is to have in the end
        self._pid = os.getpid()

    def __enter__(self) -> Self:
        """Make and lock the directory, complete an interrupted commit, sweep what dead runs left.

        Raises:
            LockedError: Another run holds the directory.
            OutputError: The directory cannot be made or written.
        """
        with writing(self.directory), ExitStack() as failing:
            make_folder(self.directory)
            self._lock, before = take_lock(
                self.directory / LOCK, f"is writing to {self.directory}", "choose another -o"
            )
            failing.callback(os.close, self._lock)
            if not os.access(self.directory, os.R_OK | os.W_OK | os.X_OK):
                raise output_error(self.directory, errno.EACCES)
            self._sweep({pid_in(before), self._completed()})
            write_holder(self._lock)
            failing.pop_all()
        HELD.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was not committed; release the lock."""
        HELD.discard(self)
        with suppress(OSError), ExitStack() as last:
            last.callback(os.close, self._lock)
            if not self._intent.exists() and self._sweep({self._pid}):
                os.ftruncate(self._lock, 0)

    def path(self, name: str) -> Path:
        """Give the temporary path to write file ``name`` to; it is there, empty, and no ``*.parquet`` glob sees it."""
        if (self.directory / _plain(name)).is_dir():
            raise output_error(self.directory / name, errno.EISDIR)
        path = self._temp(name, self._pid)
        if name not in self._modes:
            with writing(path):
                self._modes[name] = make_private(path)
        return path

    def scratch(self) -> Path:
        """Make a directory for temporary files, which goes at the end of the run, or with the next run's start."""
        path = self._temp(SCRATCH, self._pid)
        with writing(path):
            if SCRATCH not in self._modes:
                path.mkdir(mode=0o700)
                self._modes[SCRATCH] = 0o700
        return path

    def seal(self, name: str, digest: Digest | None = None) -> Staged:
        """Take a written file as it is: forced to disk and digested, if whoever wrote it did not see to that."""
        path = self._temp(_plain(name), self._pid)
        with writing(self.directory / name):
            if name in self._modes:
                path.chmod(self._modes[name])
            found = digest or forced(path)
        self._sealed.pop(name, None)
        return self._sealed.setdefault(name, Staged(name, path, *found))

    def adopt(self, name: str, made: Path, size: int, sha256: str) -> Staged:
        """Take a file that another process wrote on this file system, forced to disk and digested.

        Args:
            name: Name that it is to have.
            made: Path of the file that was made.
            size: Bytes of the file.
            sha256: Digest of the file.
        """
        path = self.path(name)
        with writing(self.directory / name):
            made.replace(path)
            path.chmod(self._modes[name])
        return self._sealed.setdefault(name, Staged(name, path, size, sha256))

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:
        """Make all sealed files visible in the order sealed, or none.

        Args:
            earlier: Names and sizes of what an earlier run wrote here. What is not written anew is withdrawn.

        Raises:
            UsageError: Something else than an earlier run's file lies where a file is to go.
            OutputError: The outputs could not be made visible. The directory is then as it was.
        """
        write = [*self._sealed]
        there = {_plain(name): size for name, size in (earlier or {}).items()}
        there = {name: size for name, size in there.items() if is_as_listed(self.directory / name, size)}
        with writing(self.directory), COMMITTING:
            try:
                refuse_foreign(self.directory, write, there)
                self._declare(write, there)
                self._place(self._pid, write, there)
            except BaseException:
                with suppress(OSError):  # where even this fails, the next start rolls forward
                    if self._intent.exists():
                        self._put_back(write, there)
                    self._let_go(self._folders(write))
                raise
        self._sealed.clear()
        self._modes = {name: mode for name, mode in self._modes.items() if name in {SCRATCH, INTENT}}

    def _declare(self, write: list[str], there: Mapping[str, int]) -> None:
        for folder in self._folders(write):
            folder.mkdir(exist_ok=True)
        draft = self._temp(INTENT, self._pid)
        if INTENT in self._modes:
            draft.unlink(missing_ok=True)  # of an earlier commit of this run that failed
        self._modes[INTENT] = mode = make_private(draft)
        draft.write_text(json.dumps([self._pid, write, there]), encoding="utf-8")
        draft.chmod(mode)
        for name in (*write, INTENT):
            sync(self._temp(name, self._pid))
        sync(self.directory)  # the temporary files' names, before the list that needs them
        draft.replace(self._intent)
        sync(self.directory)

    def _place(self, pid: int, write: list[str], there: Mapping[str, int]) -> None:
        """Do what was declared, from wherever it stopped: a temporary file there is yet to move.

        Only what was there when it was declared is moved: somebody may have put a file there since.
        """
        waiting = [name for name in write if self._temp(name, pid).exists()]
        remove = [name for name in there if name not in write and is_as_listed(self.directory / name, there[name])]
        refuse_foreign(self.directory, waiting, there)
        for name in (*waiting[-1:], *remove):  # while any waits, so does the last: the manifest
            with suppress(FileNotFoundError):
                (self.directory / name).replace(self._temp(f"{name}.old", pid))
        for name in waiting:
            refuse_foreign(self.directory, [name], there)
            final, old = self.directory / name, self._temp(f"{name}.old", pid)
            final.parent.mkdir(exist_ok=True)
            try:
                os.link(final, old, follow_symlinks=False)
            except OSError:  # none there, linked by an earlier attempt, or no hard links here
                with suppress(FileNotFoundError):
                    final.replace(old)
            self._temp(name, pid).replace(final)
        self._settled((*write, *there))

    def _folders(self, names: Iterable[str]) -> list[Path]:
        """Folders of parts that names lie in."""
        found = {(self.directory / name).parent for name in names if "/" in name}
        return sorted(found)

    def _settled(self, names: Iterable[str]) -> None:
        """Force names to disk, and let go of the list; only then of the folders in which nothing is left."""
        folders = self._folders(names)
        for folder in folders:
            if folder.exists():
                sync(folder)
        sync(self.directory)
        self._intent.unlink()
        self._let_go(folders)

    @staticmethod
    def _let_go(folders: Iterable[Path]) -> None:
        """Remove the folders of parts in which nothing is."""
        for folder in folders:
            with suppress(OSError):  # something is in it, or it is no longer there
                folder.rmdir()

    def _put_back(self, write: list[str], there: Mapping[str, int]) -> None:
        """Undo `_place`, the record first out and last in; cut short, `_place` still works."""
        for name in reversed(write):
            if not self._temp(name, self._pid).exists():
                (self.directory / name).replace(self._temp(name, self._pid))
        for name in (*(name for name in there if name not in write), *write):
            with suppress(FileNotFoundError):
                self._temp(f"{name}.old", self._pid).replace(self.directory / name)
        self._settled((*write, *there))

    def _temp(self, name: str, pid: int) -> Path:
        return self.directory / f".{name.replace('/', '~')}.{pid}.partial"

    def _completed(self) -> int | None:
        """Complete a commit that was cut short; the pid of whoever began it, None where there was none."""
        if not self._intent.exists():
            return None
        try:
            found, write, there = json.loads(self._intent.read_bytes())
            pid, names = int(found), [_plain(name) for name in write]
            sizes = {_plain(name): int(size) for name, size in there.items()}
            if names[-1] != MANIFEST or not all(name == MANIFEST or is_ours(name) for name in sizes):
                raise ValueError("no run commits this")  # noqa: TRY301 - one of the ways to be damaged
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise OutputError(f"{self._intent} is damaged", hint="delete it, rerun") from error
        try:
            self._place(pid, names, sizes)
        except UsageError as error:
            raise UsageError(
                f"{error.message}; it came there while the earlier run's files were being put in place",
                hint="move it away: then the next run puts the rest in place",
            ) from None
        return pid

    def _sweep(self, pids: Collection[int | None]) -> bool:
        """Delete the temporary files of some runs, dead or done; whether none is left."""
        left = 0
        for path in self.directory.iterdir():
            found = _TEMP.fullmatch(path.name)
            if found is not None and int(found[1]) in pids:
                try:
                    remove_folder(path) if path.name.startswith(f".{SCRATCH}.") else path.unlink()
                except OSError:
                    left += 1
        return not left


def abandon_all() -> None:
    """Last act of a process ended by a signal: a commit under way is let finish, none begins."""
    if COMMITTING.acquire(timeout=0.5):  # never released
        for held in list(HELD):
            held.__exit__(None, None, None)


def _plain(name: str) -> str:
    if name in ("", ".", "..") or ("/" in name and not PART.fullmatch(name)) or "\0" in name:
        raise ValueError(f"not the name of a file: {name!r}")
    return name
