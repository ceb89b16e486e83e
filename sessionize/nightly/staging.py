"""A night's output on its way: in a hidden folder until the state is committed, then in its place, by one rename."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sessionize.errors import OutputError, SessionizeError, StateError, UsageError
from sessionize.nightly.state import Intent
from sessionize.os_errors import writing
from sessionize.output.digests import Digest, forced
from sessionize.output.locks import sync
from sessionize.output.ownership import is_folder, refuse_foreign_folder, remove_run
from sessionize.output.publish import Staged
from sessionize.patterns import pattern

STAGING: Final = ".staging-"
OLD: Final = ".old-"
CARRY: Final = pattern(r"carry-\d+-([0-9a-f]{12})\.parquet")


class Stage:
    """A hidden folder for a night's output, for its owner alone; it becomes visible whole, by one rename."""

    def __init__(self, directory: Path, mode: int) -> None:
        self.directory = directory
        self._mode = mode

    def path(self, name: str) -> Path:
        """Where to write a file."""
        return self.directory / name

    def seal(self, name: str, digest: Digest | None = None) -> Staged:
        """Take a written file as it is: forced to disk and digested, if whoever wrote it did not see to that."""
        path = self.path(name)
        with writing(path):
            return Staged(name, path, *(digest or forced(path)))

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:  # noqa: ARG002 - nothing was there before
        """Force the folder to disk, as the umask would have it; `Store.commit` makes it visible."""
        with writing(self.directory):
            self.directory.chmod(self._mode)
            sync(self.directory)
            sync(self.directory.parent)


def publish(output: Path, owner: str, intent: Intent) -> None:
    """Put a committed night in its place, and withdraw those it makes void, from wherever it stopped."""
    token = intent.staged.rpartition("-")[2]
    # Newest first: a reader sees nights 1 to n of one history at any time.
    moved = [(output / name, output / f"{OLD}{owner}-{name}-{token}") for name in reversed(intent.withdraw)]
    staged, final = output / intent.staged, output / intent.final
    for path, old in moved:
        _move_aside(path, old)
    moved.append((final, output / f"{OLD}{owner}-{intent.final}-{token}"))
    if is_folder(staged):
        _move_aside(*moved[-1])  # a folder cannot be renamed onto one that is not empty
        staged.replace(final)
    sync(output)
    for _, old in moved:
        remove_run(old)


def _move_aside(path: Path, old: Path) -> None:
    refuse_foreign_folder(path)
    if is_folder(path):
        path.replace(old)


def half_way(intent: Intent, error: OutputError | UsageError) -> SessionizeError:
    """What to say where a night is committed, but not yet in its place."""
    message = f"{intent.final} is committed, but not all of it is in its place: {error.message}"
    completes = "the next run with this --state puts the rest in place, before anything else; the same command will do"
    if isinstance(error, UsageError):
        return UsageError(message, hint=f"move it away: {completes}")
    return StateError(message, hint=completes)


def staged_in(held: bytes) -> Path | None:
    """The folder that a dead run was writing to, by what its lock holds."""
    path, whole, _ = held.partition(b"\n")[2].partition(b"\n")
    found = Path(os.fsdecode(path))
    return found if whole and found.is_absolute() and found.name.startswith(STAGING) else None


def is_carry(path: Path) -> bool:
    """Whether a file holds carried events: its name tells its content."""
    found = CARRY.fullmatch(path.name)
    if found is None or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(found[1])
