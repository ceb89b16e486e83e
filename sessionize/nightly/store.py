"""The state of nightly runs on disk, and the moment a night becomes visible.

::

    STATE/lock          held by the run that is writing; the kernel frees it when its holder dies. It says which
                        folder holds the night's output, so that the next start can take away what a dead run left
    STATE/state.json    the one pointer; its rename is the commit
    STATE/carry-…       carried events of each night kept; never changed
    DIR/batch=NAME/     output of a night: staged under a hidden name, whole and on disk, before the commit

After the commit the staged output is renamed to its name, and nights that a redo made void are withdrawn. Whatever a
crash left undone the next start completes; what a dead run left, it sweeps. Nothing else is touched: a folder is a
night's only if it holds what its manifest lists and nothing more (`ownership`). A state holds what a log holds, so only
its owner can read it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

import polars as pl

from sessionize.errors import OutputError, StateError, UsageError
from sessionize.nightly.series import missing
from sessionize.nightly.sound import ours, sound
from sessionize.nightly.staging import CARRY, STAGING, Stage, half_way, is_carry, publish, staged_in
from sessionize.nightly.state import Intent, State, parse, render, summary
from sessionize.os_errors import writing
from sessionize.output.digests import forced
from sessionize.output.locks import make_folder, make_private, pid_in, sync, take_lock, write_holder
from sessionize.output.ownership import is_folder, refuse_foreign_folder
from sessionize.output.publish import COMMITTING, HELD
from sessionize.output.writers import ParquetWriter
from sessionize.patterns import pattern

LOCK: Final = "lock"
ANOTHER_JOB: Final = "give a job on other logs a --state and an -o of its own"
"""In place of waiting: a second state for the same logs would count what the first one carries anew."""
POINTER: Final = "state.json"
DRAFT: Final = pattern(r"\.(?:carry-\d+|state\.json)\.(\d+)\.partial")
CHUNK: Final = 262_144
"""Carried events that are read at once, at most."""
CHUNK_BYTES: Final = 16 << 20
"""Bytes of events that are read at once, about, if all are as long as the first."""
FIRST_ROWS: Final = 1_000


class Store:
    """One run's hold on a state; left without `commit`, nothing changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state: State | None = None
        """What was found; None where there is none yet."""
        self._staged: Path | None = None
        self._pid = os.getpid()
        self._has_drafted = False

    def __enter__(self) -> Self:
        """Make and lock the directory, complete what a dead run had committed, sweep what it had not.

        Raises:
            LockedError: Another run holds the state.
            StateError: The state is damaged, or cannot be written.
        """
        with ours(self.directory), ExitStack() as failing:
            make_folder(self.directory, 0o700)
            does = f"holds the state {self.directory}"
            self._lock, before = take_lock(self.directory / LOCK, does, ANOTHER_JOB, 0o600)
            failing.callback(os.close, self._lock)
            self.state = load(self.directory)
            self._sweep_drafts(pid_in(before))
            staged = staged_in(before)
            write_holder(self._lock, "" if staged is None else f"{staged}\n")
            if self.state is not None and self.state.publish is not None:
                self.state = self._published(self.state, self.state.publish)
            self._drop(staged)
            self._sweep_carried()
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
                if self.state is None or self.state.publish is None:
                    self._drop(self._staged)
                self._sweep_carried()
                self._sweep_drafts(self._pid)
            os.ftruncate(self._lock, 0)

    def stage(self, output: Path, owner: str, final: str) -> Stage:
        """A fresh folder for a night's output.

        Args:
            output: Directory of the outputs.
            owner: Owner of this state.
            final: Name the folder is to have.
        """
        # No one can guess the name: whatever is found under it, this run has made.
        staged = output / f"{STAGING}{owner}-{final}-{secrets.token_hex(4)}"
        with ours(self.directory):
            write_holder(self._lock, f"{staged.absolute()}\n")
        with writing(staged):
            staged.mkdir()
            self._staged = staged
            mode = staged.stat().st_mode & 0o7777
            staged.chmod(0o700)
        return Stage(staged, mode)

    def carried(self, carry: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
        """Carried events, some at a time; at least one frame. The file is checked before anything is given.

        Raises:
            StateError: If it is not what was written.
        """
        return self._chunks(sound(self.directory, carry), carry["rows"])

    def _chunks(self, path: Path, rows: int) -> Iterator[pl.DataFrame]:
        def some(start: int, count: int) -> pl.DataFrame:
            with ours(path), writing(path, "read"):
                return pl.scan_parquet(path).slice(start, count).collect()

        first = some(0, FIRST_ROWS)
        size = max(1.0, first.estimated_size() / max(1, first.height))
        count = max(FIRST_ROWS, min(CHUNK, int(CHUNK_BYTES / size)))
        yield first
        for start in range(FIRST_ROWS, rows, count):
            yield some(start, count)

    def keep(self, generation: int, batches: Iterable[pl.DataFrame]) -> dict[str, Any]:
        """Write carried events; no state names them yet.

        Returns:
            Name, rows and digest of the file.
        """
        draft = self._draft(f"carry-{generation}")
        rows = 0
        with ours(self.directory):
            make_private(draft)
            with ParquetWriter(draft) as file:
                for events in batches:
                    rows += events.height
                    file.write(events)
            digest = forced(draft).sha256
            # Named for its content too: a redo must not write over what the state it goes back from still names.
            name = f"carry-{generation}-{digest[:12]}.parquet"
            self._refuse_other(name)
            draft.replace(self.directory / name)
        return {"path": name, "rows": rows, "sha256": digest}

    def _refuse_other(self, name: str) -> None:
        path = self.directory / name
        if os.path.lexists(path) and not is_carry(path):
            raise UsageError(f"{path} is not of this state", hint="move it away")

    def commit(self, state: State) -> None:
        """Make the staged night visible: first the state, by one rename, then the output.

        Args:
            state: State with the intent to publish.

        Raises:
            UsageError: If something else than a night lies where a folder is to be replaced or withdrawn.
            StateError: If it could not be done; if the state was renamed, the next start completes it.
        """
        assert state.publish is not None
        intent = state.publish
        with ours(self.directory), COMMITTING:
            for name in (intent.final, *intent.withdraw):
                refuse_foreign_folder(Path(intent.directory) / name)
            try:
                self._write(state)
            except OutputError as error:
                if self._is_committed(intent):
                    raise half_way(intent, error) from error
                raise
            self._staged = None
            self.state = self._published(state, intent)

    def _is_committed(self, intent: Intent) -> bool:
        """Whether the state on disk is the one with this intent."""
        with suppress(StateError):
            there = load(self.directory)
            return there is not None and there.publish == intent
        return False

    def _write(self, state: State) -> None:
        draft = self._draft(POINTER)
        with writing(self.directory / POINTER):
            if self._has_drafted:
                draft.unlink(missing_ok=True)  # of an attempt of this run that failed
            make_private(draft)
            self._has_drafted = True
            with draft.open("wb") as file:
                file.write(render(state))
                file.flush()
                os.fsync(file.fileno())
            sync(self.directory)
            draft.replace(self.directory / POINTER)
            sync(self.directory)

    def _draft(self, name: str) -> Path:
        return self.directory / f".{name}.{self._pid}.partial"

    def _published(self, state: State, intent: Intent) -> State:
        """Do what was intended, from wherever it stopped, and forget the intent."""
        output, done = Path(intent.directory), replace(state, publish=None)
        try:
            if output.is_dir():
                with writing(output):
                    publish(output, state.owner, intent)
            self._write(done)
        except (OutputError, UsageError) as error:
            raise half_way(intent, error) from error
        return done

    def _drop(self, staged: Path | None) -> None:
        """Delete a night's output that was not committed."""
        intent = None if self.state is None else self.state.publish
        if staged is not None and is_folder(staged) and (intent is None or intent.staged != staged.name):
            shutil.rmtree(staged, ignore_errors=True)

    def _sweep_drafts(self, pid: int | None) -> None:
        """Delete the drafts of a run, dead or done."""
        for path in self.directory.iterdir():
            draft = DRAFT.fullmatch(path.name)
            if draft is not None and int(draft[1]) == pid:
                path.unlink()

    def _sweep_carried(self) -> None:
        """Delete carried events that no night names any more."""
        nights = () if self.state is None else self.state.nights
        named = {night.carry["path"] for night in nights}
        for path in self.directory.iterdir():
            if path.name not in named and is_carry(path):
                path.unlink()


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
            _check_new(directory)
            return None
    return parse(content, str(path))


def _check_new(directory: Path) -> None:
    """Refuse a state whose pointer is gone: only the first night can have left carried events without one."""
    names = (path.name for path in directory.glob("carry-*") if CARRY.fullmatch(path.name))
    there = [name for name in names if not name.startswith("carry-1-")]
    if there:
        raise StateError(
            f"{directory / POINTER} is gone, though {max(there)} is there: what is open would be lost",
            hint=f"bring it back from a copy; or move {directory} away and type --redo, to begin anew without what is open",
        )


def state_files(directory: Path) -> list[Path]:
    """Every file of a state that a run may write, move or delete."""
    with ours(directory):
        there = list(directory.iterdir()) if directory.is_dir() else []
    return [path for path in there if path.name in {LOCK, POINTER} or CARRY.fullmatch(path.name)]


def held(directory: Path) -> dict[str, Any] | None:
    """What a state holds, in words and numbers; None where there is none.

    Raises:
        StateError: If it, or what a night has carried over, is missing, damaged or cannot be read.
    """
    state = load(directory)
    if state is None:
        return None
    try:
        for night in state.nights:
            sound(directory, night.carry)
    except StateError:
        if load(directory) == state:  # else a night has ended meanwhile, and has taken away what is no longer named
            raise
        return held(directory)
    size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
    return {**summary(state), "missing": list(missing(state)), "bytes": size}
