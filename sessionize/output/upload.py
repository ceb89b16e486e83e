"""The output in an object store: staged on this machine, sealed, uploaded; the manifest last.

A store has no rename and no lock. So the manifest is withdrawn first and written last: while it is absent, or its digests
do not match, the run is not there. `.sessionize.commit` lists, while an upload is under way, the sizes of what it replaces
and of what it writes, and which runs of a cluster have begun to write parts: by it, the next run knows what a broken one
left as its own, and writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from sessionize.errors import OutputError, UsageError
from sessionize.os_errors import writing
from sessionize.output.digests import Digest, forced
from sessionize.output.ownership import (
    ELSEWHERE,
    MANIFEST,
    PART,
    PART_FOLDERS,
    Identity,
    earlier_outputs,
    is_ours,
    refuse_inputs,
)
from sessionize.output.publish import INTENT, Publisher, Staged
from sessionize.scratch import Scratch
from sessionize.stores import AnyPath, StoreError, StorePath
from sessionize.values import NamedTuple

CHUNK: Final = 10 << 20
"""Bytes that are sent at once: a part of a large object."""
BROKEN: Final = "run again: it writes anew what is missing"
RUNS: Final = "/runs"
"""In the list, which runs of a cluster write parts: no object has this name."""
SHARED: Final = ".sessionize.scratch"
"""Begins the folder of what the tasks of a run leave for one another."""
Sizes = dict[str, set[int]]
"""Names of objects, and the sizes by which they are ours."""


class Declared(NamedTuple):
    """What a run that has not ended, or broke, has said of itself.

    Attributes:
        sizes: Sizes of the objects that it replaces, and of those that it writes, by name.
        runs: Runs of a cluster whose parts and scratch may lie there.
    """

    sizes: Sizes
    runs: tuple[str, ...]


def publisher(directory: AnyPath) -> Publisher | Uploader:
    """What holds an output directory, of this machine or of a store."""
    return Publisher(directory) if isinstance(directory, Path) else Uploader(directory)


def refuse_upload(directory: StorePath, names: Collection[str], inputs: Mapping[Identity, str]) -> None:
    """Refuse a folder of a store in which a run would touch what is not ours, before anything is read.

    Args:
        directory: Where the outputs go.
        names: Names of all files that the run may write.
        inputs: Names of what is read.

    Raises:
        UsageError: If an output would fall on an input, or on somebody else's object.
        OutputError: If the store cannot be reached, or refuses.
    """
    with sending(directory):
        if not directory.exists():
            directory.check_bucket()
        ours = _ours(directory)
        refuse_inputs((directory, *(directory / name for name in {*names, *ours})), inputs, "choose another -o")
        _refuse_foreign(directory, names, ours)


class Uploader:
    """One run's output to a folder of a store; left without `commit`, nothing there changes.

    Attributes:
        directory: Folder of this machine in which the files are made.
    """

    def __init__(self, target: StorePath) -> None:
        self._target = target
        self._scratch = Scratch()
        self._sealed: dict[str, Staged] = {}
        self._parts: dict[str, int] = {}  # names and bytes of what others have put there

    def __enter__(self) -> Self:
        """Make a folder for the files."""
        with writing("TMPDIR"):
            self.directory = self._scratch()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._scratch.__exit__(None, None, None)

    def path(self, name: str) -> Path:
        """Where to write a file."""
        return self.directory / name

    def scratch(self) -> Path:
        """A folder for temporary files, which goes at the end of the run."""
        folder = self.directory / "scratch"
        with writing(folder):
            folder.mkdir(exist_ok=True)
        return folder

    def seal(self, name: str, digest: Digest | None = None) -> Staged:
        """Take a written file as it is, with its digest."""
        path = self.path(name)
        with writing(path, "read"):
            found = digest or forced(path)
        self._sealed.pop(name, None)
        return self._sealed.setdefault(name, Staged(name, path, *found))

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:  # noqa: ARG002 - the store tells what is there
        """Upload all sealed files in the order sealed; what an earlier run wrote, and this one does not, is deleted.

        Raises:
            UsageError: Something else than an earlier run's object lies where one is to go.
            OutputError: The upload could not be ended: then the run is not there.
        """
        target, files = self._target, list(self._sealed.values())
        with sending(target):
            ours = _ours(target)
            _refuse_foreign(target, self._sealed, ours)
            sizes = {name: set(ours.get(name, ())) for name in {*ours, *self._sealed}}
            for each in files:
                sizes[each.name].add(each.bytes)
            declare(target, Declared(sizes, declared(target).runs))
        with sending(target, BROKEN):
            (target / MANIFEST).unlink()
            for each in files[:-1]:
                send(each.path, target / each.name)
            for name in ours.keys() - self._sealed.keys() - self._parts.keys():
                (target / name).unlink()
            for name, size in self._parts.items():
                _check_there(target / name, size)
            send(files[-1].path, target / files[-1].name)
            (target / INTENT).unlink()
        self._sealed.clear()


@contextmanager
def sending(target: StorePath, hint: str | None = None) -> Iterator[None]:
    """Turn what a store says into an `OutputError`.

    Args:
        target: Where the output goes.
        hint: What to do next, if that is more than the store's own error says.
    """
    try:
        yield
    except StoreError as error:
        cures = "; ".join(each for each in (error.hint, hint) if each)
        raise OutputError(f"cannot write {target}: {error.what}", hint=cures or "choose another -o") from None


def _ours(directory: StorePath) -> Sizes:
    """What an earlier run wrote there, and what one whose upload broke may have left."""
    found: Sizes = {name: {size} for name, size in earlier_outputs(directory).items()}
    broken = declared(directory)
    for name, sizes in broken.sizes.items():
        found.setdefault(name, set()).update(sizes)
    for name, size in written_by(directory, broken.runs).items():
        found.setdefault(name, set()).add(size)
    return {name: sizes for name, sizes in found.items() if _size(directory / name) in {None, *sizes}}


def declared(directory: StorePath) -> Declared:
    """What a run that has not ended has said of itself; nothing where none has."""
    with suppress(FileNotFoundError, ValueError, TypeError, AttributeError):
        found = json.loads((directory / INTENT).read_bytes())
        runs = tuple(map(str, found.pop(RUNS, ())))
        ours = {name: set(map(int, sizes)) for name, sizes in found.items() if name == MANIFEST or is_ours(name)}
        return Declared(ours, runs)
    return Declared({}, ())


def declare(directory: StorePath, said: Declared) -> None:
    """Say what a run is about to do; if that is nothing, take back what was said."""
    if said == Declared({}, ()):
        (directory / INTENT).unlink()
        return
    sizes = {name: sorted(each) for name, each in said.sizes.items()}
    _put(directory / INTENT, [json.dumps({**sizes, **({RUNS: said.runs} if said.runs else {})}).encode()])


def written_by(directory: StorePath, runs: Collection[str]) -> dict[str, int]:
    """Names and bytes of the parts, and of the scratch, that runs of a cluster have left there."""
    if not runs:
        return {}
    found = {}
    for folder in PART_FOLDERS:
        for path, info in (directory / folder).listed(recursive=False):
            part = PART.fullmatch(f"{folder}/{path.name}")
            if part is not None and part[1] in runs:
                found[f"{folder}/{path.name}"] = int(info.size or 0)
    for run in runs:
        for path, info in (directory / f"{SHARED}.{run}").listed(recursive=False):
            found[f"{SHARED}.{run}/{path.name}"] = int(info.size or 0)
    return found


def _size(path: StorePath) -> int | None:
    """Bytes of an object; None where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _refuse_foreign(directory: StorePath, names: Iterable[str], ours: Sizes) -> None:
    for name in names:
        size = _size(directory / name)
        if size is not None and size not in ours.get(name, set()):
            raise UsageError(
                f"{directory / name} is not of an earlier run: no manifest of a run lists it with this size",
                hint=ELSEWHERE,
            )


def send(file: Path, path: StorePath) -> None:
    """Upload a file, and see that all of it is there."""
    with file.open("rb") as content:
        _put(path, iter(lambda: content.read(CHUNK), b""))
        size = content.tell()
    _check_there(path, size)


def _check_there(path: StorePath, size: int) -> None:
    if (found := _size(path)) != size:
        raise StoreError(str(path), f"{found} bytes are there of {size}")


def _put(path: StorePath, content: Iterable[bytes]) -> None:
    """Write an object: it is there once all of it is, or not at all."""
    with path.writing() as stream:
        for chunk in content:
            stream.write(chunk)
