"""The output in an object store: staged on this machine, sealed, uploaded; the manifest last.

A store has no rename and no lock. So the manifest is withdrawn first and written last: while it is absent, or its digests
do not match, the run is not there. `.sessionize.commit` lists, while an upload is under way, the sizes of what it replaces
and of what it writes: by it, the next run knows what a broken one left as its own, and writes it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from sessionize.errors import OutputError, UsageError
from sessionize.os_errors import writing
from sessionize.output.ownership import ELSEWHERE, MANIFEST, Identity, earlier_outputs, refuse_inputs
from sessionize.output.publish import INTENT, Publisher, Staged
from sessionize.scratch import Scratch
from sessionize.stores import AnyPath, StoreError, StorePath

CHUNK: Final = 10 << 20
"""Bytes that are sent at once: a part of a large object."""
BROKEN: Final = "run again: it writes anew what is missing"
Sizes = dict[str, set[int]]
"""Names of objects, and the sizes by which they are ours."""


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

    def seal(self, name: str) -> Staged:
        """Size and digest of a written file."""
        path = self.path(name)
        with writing(path, "read"), path.open("rb") as file:
            digest, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        self._sealed.pop(name, None)
        return self._sealed.setdefault(name, Staged(name, path, size, digest))

    def commit(self, *, earlier: Mapping[str, int] | None = None) -> None:  # noqa: ARG002 - the store tells what is there
        """Upload all sealed files in the order sealed; what an earlier run wrote, and this one does not, is deleted.

        Raises:
            UsageError: Something else than an earlier run's object lies where one is to go.
            OutputError: It could not be done: then the run is not there.
        """
        target, files = self._target, list(self._sealed.values())
        with sending(target):
            ours = _ours(target)
            _refuse_foreign(target, self._sealed, ours)
            sizes = {name: sorted(ours.get(name, set())) for name in {*ours, *self._sealed}}
            sizes |= {each.name: sorted({*sizes[each.name], each.bytes}) for each in files}
            _put(target / INTENT, [json.dumps(sizes).encode()])
        with sending(target, BROKEN):
            (target / MANIFEST).unlink()
            for each in files[:-1]:
                _send(each, target)
            for name in ours.keys() - self._sealed.keys():
                (target / name).unlink()
            _send(files[-1], target)
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
    with suppress(FileNotFoundError, ValueError, TypeError, AttributeError):
        for name, sizes in json.loads((directory / INTENT).read_bytes()).items():
            if "/" not in name:
                found.setdefault(name, set()).update(map(int, sizes))
    return {name: sizes for name, sizes in found.items() if _size(directory / name) in {None, *sizes}}


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


def _send(file: Staged, target: StorePath) -> None:
    """Upload a file, and see that all of it is there."""
    with file.path.open("rb") as content:
        _put(target / file.name, iter(lambda: content.read(CHUNK), b""))
    if (size := _size(target / file.name)) != file.bytes:
        raise StoreError(str(target / file.name), f"{size} bytes are there of {file.bytes}")


def _put(path: StorePath, content: Iterable[bytes]) -> None:
    """Write an object: it is there once all of it is, or not at all."""
    with path.writing() as stream:
        for chunk in content:
            stream.write(chunk)
