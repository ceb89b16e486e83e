"""A cluster's hold on where its output goes: a folder, or a prefix of an object store. The manifest comes last in both.

In a folder, parts are renamed in the end. A store has no rename: the tasks put the parts there themselves, each with the run
and the attempt in its name. So attempts never meet, an earlier run's parts stay as they are meanwhile, and what no manifest
names is nothing. It goes with the end of the run; if that is killed, with the next one, which knows the run's name from
`.sessionize.commit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

from sessionize.errors import OutputError
from sessionize.output.ownership import part_name
from sessionize.output.publish import Publisher
from sessionize.output.upload import SHARED, Declared, Uploader, declare, declared, sending, written_by
from sessionize.spark.lines import Made
from sessionize.spark.merging import Target
from sessionize.stores import StoreError, StorePath, path_of

NAME_LENGTH: Final = 12
"""Letters of a run's, and of an attempt's, name."""


class FolderParts(Publisher):
    """One run's hold on a folder that every machine sees."""

    @property
    def shared(self) -> str:
        """Folder for what the tasks leave for one another."""
        return str(self.scratch())

    @property
    def target(self) -> Target:
        """Where the tasks write parts."""
        return Target(self.shared)

    def keep_part(self, output: str, number: int, made: Made) -> str:
        """Take a part that a task has written; its name from now on.

        Args:
            output: Name of the output where it is one file.
            number: Number of the part.
            made: Path of the part, forced to disk.
        """
        name = part_name(output, number)
        self.adopt(name, Path(made.path), made.bytes, made.sha256)
        return name


class StoredParts(Uploader):
    """One run's hold on a prefix of a store; left without `commit`, an earlier run's files are there as before."""

    def __init__(self, target: StorePath) -> None:
        super().__init__(target)
        self._run = uuid4().hex[:NAME_LENGTH]
        self._before = Declared({}, ())
        self._is_declared = False

    def __enter__(self) -> Self:
        """Say in the store which run it is that is about to put parts there."""
        super().__enter__()
        with sending(self._target):
            self._before = declared(self._target)
            declare(self._target, self._before._replace(runs=(*self._before.runs, self._run)))
        self._is_declared = True
        return self

    def __exit__(self, *error: object) -> None:
        """Take away what is nobody's, if the run has not been committed; else the commit has."""
        with suppress(StoreError, OutputError):
            if self._is_declared:
                for name in written_by(self._target, (self._run,)):
                    (self._target / name).unlink()
                declare(self._target, self._before)
        super().__exit__(*error)

    @property
    def shared(self) -> str:
        """Prefix for what the tasks leave for one another."""
        return str(self._target / f"{SHARED}.{self._run}")

    @property
    def target(self) -> Target:
        """Where the tasks write parts."""
        return Target(str(self._target), self._run)

    def keep_part(self, output: str, number: int, made: Made) -> str:  # noqa: ARG002 - a folder's has them
        """Take a part that a task has put there; its name."""
        name = "/".join(path_of(made.path).parts[-2:])
        self._parts[name] = made.bytes
        return name

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:
        """As of any run; what no manifest names goes with it. If it breaks, the next run knows what lies there."""
        self._is_declared = False
        super().commit(earlier=earlier)
