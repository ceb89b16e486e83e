"""The state of nightly runs on disk, and the moment a night becomes visible.

::

    STATE/lock          held by the run that is writing; the kernel frees it when its holder dies
    STATE/state.json    the one pointer; its rename is the commit
    STATE/carry-…       carried events of each night kept; never changed
    DIR/batch=NAME/     output of a night: staged under a hidden name, whole and on disk, before the commit

After the commit the staged output is renamed to its name, and nights that a redo made void are withdrawn. Whatever a
crash left undone the next start completes; whatever no commit names, it sweeps.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from sessionize.errors import LockedError, OutputError, StateError
from sessionize.nightly.state import Intent, State, parse, render, summary
from sessionize.output.publish import COMMITTING, HELD, Staged, all_ours, map_os_errors, sync
from sessionize.output.writers import ParquetWriter

LOCK: Final = "lock"
POINTER: Final = "state.json"
PARTIAL: Final = ".partial"
CHUNK: Final = 262_144
"""Carried events that are read at once."""


class Stage:
    """A hidden folder for a night's output; it becomes visible whole, by one rename."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, name: str) -> Path:
        """Where to write a file."""
        return self.directory / name

    def seal(self, name: str) -> Staged:
        """Force a written file to disk; size and digest from one read."""
        path = self.path(name)
        with all_ours(path), path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Staged(name, path, file.tell(), digest)

    def commit(self, *, remove: Collection[str] = ()) -> None:  # noqa: ARG002 - nothing is there but what was written
        """Force the folder to disk; `Store.commit` makes it visible."""
        with all_ours(self.directory):
            sync(self.directory)
            sync(self.directory.parent)


class Store:
    """One run's hold on a state; left without `commit`, nothing changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state: State | None = None
        """What was found; None where there is none yet."""
        self._staged: Path | None = None

    def __enter__(self) -> Self:
        """Make and lock the directory, complete what a dead run had committed, sweep what it had not.

        Raises:
            LockedError: Another run holds it.
            StateError: It is damaged, or cannot be written.
        """
        with ours(self.directory), ExitStack() as failing:
            new = [path for path in (self.directory, *self.directory.parents) if not path.exists()]
            self.directory.mkdir(parents=True, exist_ok=True)
            for path in new:
                sync(path.parent)
            self._lock = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            failing.callback(os.close, self._lock)
            self._take_lock()
            self.state = load(self.directory)
            if self.state is not None and self.state.publish is not None:
                self.state = self._published(self.state, self.state.publish)
            self._sweep()
            failing.pop_all()
        HELD.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was not committed; release the lock."""
        HELD.discard(self)
        with suppress(OSError), ExitStack() as last:
            last.callback(os.close, self._lock)
            with suppress(StateError):
                # As it is on disk: an error may have come just after the state was renamed.
                self.state = load(self.directory)
                if self._staged is not None and (self.state is None or self.state.publish is None):
                    shutil.rmtree(self._staged, ignore_errors=True)
                self._sweep()
            os.ftruncate(self._lock, 0)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(self._lock, 20, 0).decode("ascii", "replace") or "unknown"
            raise LockedError(
                f"another run (pid {pid}) holds the state {self.directory}", hint="wait for it to end"
            ) from None
        os.ftruncate(self._lock, os.pwrite(self._lock, b"%d" % os.getpid(), 0))

    def stage(self, output: Path, owner: str, final: str) -> Stage:
        """A fresh folder for a night's output; what dead runs of this state left beside it goes.

        Args:
            output: Directory of the outputs.
            owner: Of this state.
            final: Name the folder is to have.
        """
        if (output / final).exists() and not (output / final).is_dir():
            raise OutputError(f"cannot write {output / final}: it is not a folder", hint="move it away")
        with map_os_errors(output):
            for path in (*output.glob(f".staging-{owner}-*"), *output.glob(f".old-{owner}-*")):
                shutil.rmtree(path)
            self._staged = output / f".staging-{owner}-{final}"
            self._staged.mkdir()
        return Stage(self._staged)

    def carried(self, carry: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
        """Carried events, some at a time; at least one frame. The file is checked before anything is given.

        Raises:
            StateError: If it is not what was written.
        """
        path = self.directory / carry["path"]
        with ours(path):
            if not path.is_file():
                raise StateError(f"{path} is missing", hint="put a copy of the whole state back; nothing was touched")
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != carry["sha256"]:
            raise StateError(f"{path} is damaged", hint="put a copy of the whole state back; nothing was touched")
        return (pl.scan_parquet(path).slice(start, CHUNK).collect() for start in range(0, max(1, carry["rows"]), CHUNK))

    def keep(self, generation: int, batches: Iterable[pl.DataFrame]) -> dict[str, Any]:
        """Write carried events; no state names them yet.

        Returns:
            Name, rows and digest of the file.
        """
        draft = self.directory / f".carry-{generation}{PARTIAL}"
        rows = 0
        with ours(self.directory):
            with ParquetWriter(draft) as file:
                for events in batches:
                    rows += events.height
                    file.write(events)
            with draft.open("rb") as written:
                os.fsync(written.fileno())
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            # Named for its content too: a redo must not write over what the state it goes back from still names.
            name = f"carry-{generation}-{digest[:12]}.parquet"
            draft.replace(self.directory / name)
        return {"path": name, "rows": rows, "sha256": digest}

    def commit(self, state: State) -> None:
        """Make the staged night visible: first the state, by one rename, then the output.

        Args:
            state: With the intent to publish.

        Raises:
            StateError: If it could not be done; if the state was renamed, the next start completes it.
        """
        assert state.publish is not None
        with ours(self.directory), COMMITTING:
            self._write(state)
            self._staged = None
            sync(self.directory)
            self.state = self._published(state, state.publish)

    def _write(self, state: State) -> None:
        draft = self.directory / f".{POINTER}{PARTIAL}"
        with draft.open("wb") as file:
            file.write(render(state))
            file.flush()
            os.fsync(file.fileno())
        sync(self.directory)
        draft.replace(self.directory / POINTER)

    def _published(self, state: State, intent: Intent) -> State:
        """Do what was intended, from wherever it stopped, and forget the intent."""
        output = Path(intent.directory)
        if output.is_dir():
            with map_os_errors(output):
                self._publish(output, state.owner, intent)
        state = replace(state, publish=None)
        self._write(state)
        sync(self.directory)
        return state

    def _publish(self, output: Path, owner: str, intent: Intent) -> None:
        # Newest first: a reader sees nights 1 to n of one history at any time.
        for name in reversed(intent.withdraw):
            _move_aside(output, owner, name)
        staged = output / intent.staged
        if staged.is_dir():
            _move_aside(output, owner, intent.final)  # a folder cannot be renamed onto one that is not empty
            staged.replace(output / intent.final)
        sync(output)
        for path in output.glob(f".old-{owner}-*"):
            shutil.rmtree(path)

    def _sweep(self) -> None:
        """Delete temporary files, and carried events that no night names any more."""
        nights = () if self.state is None else self.state.nights
        named = {night.carry["path"] for night in nights}
        for path in self.directory.iterdir():
            is_draft = path.name.startswith(".") and path.name.endswith(PARTIAL)
            if is_draft or (path.match("carry-*.parquet") and path.name not in named):
                path.unlink()


def _move_aside(output: Path, owner: str, name: str) -> None:
    if (output / name).is_dir():
        old = output / f".old-{owner}-{name}"
        if old.exists():
            shutil.rmtree(old)
        (output / name).replace(old)


def load(directory: Path) -> State | None:
    """The state in a directory; None where there is none.

    Raises:
        StateError: If it is damaged or cannot be read.
    """
    path = directory / POINTER
    with ours(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    return parse(content, str(path))


def held(directory: Path) -> dict[str, Any] | None:
    """What a state holds, in words and numbers; None where there is none.

    Raises:
        StateError: If it is damaged or cannot be read.
    """
    state = load(directory)
    if state is None:
        return None
    size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
    return {**summary(state), "bytes": size}


@contextmanager
def ours(path: Path) -> Iterator[None]:
    """Turn what the machine says about a state into a `StateError`."""
    try:
        with map_os_errors(path):
            yield
    except OutputError as error:
        hint = str(error.hint).replace("choose another -o", "choose another --state")
        raise StateError(error.message, hint=hint) from error
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO).lower()
        raise StateError(f"cannot use the state {path}: {reason}", hint="try again") from error
