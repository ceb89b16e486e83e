"""What a run may touch: the files that the manifest lying in a directory lists, by name and size, and nothing else.

A name proves nothing: a `metrics.csv` may be anybody's. Whatever is not listed is somebody else's, and an output that
would fall on it, or on an input, is refused before anything is read.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sessionize.config import OUTPUT_FORMATS
from sessionize.errors import OutputError, StdoutError, UsageError
from sessionize.patterns import pattern
from sessionize.stores import AnyPath, path_of
from sessionize.stores import identity as identity_of

MANIFEST: Final = "manifest.json"
REJECTED: Final = "rejected.ndjson"
LATE: Final = "late.ndjson"
FINDINGS: Final = "checks.json"
OURS: Final = (
    *(f"{name}.{form}" for name in ("sessions", "metrics", "events") for form in OUTPUT_FORMATS),
    REJECTED,
    LATE,
    FINDINGS,
)
"""Every name that a run may write beside the manifest: what a manifest lists under another name is not believed."""
PART: Final = pattern(r"(?:sessions|metrics|events)/part-\d{5,}(?:-([0-9a-f]{12})-[0-9a-f]{12})?\.(?:parquet|ndjson)")
"""Names of a run's files where it writes many: in the order of their names they are one. In a store, which has no rename,
the run and the attempt that wrote it are in the name, too."""
PART_FOLDERS: Final = ("sessions", "metrics", "events")
KEYS: Final = {"schema_version", "version", "inputs", "columns", "rules", "counts", "watermark", "outputs"}
"""What every manifest of a run has."""
ELSEWHERE: Final = "move it away, or choose another -o"

Identity = tuple[int, int]
"""Device and inode: what a file is, whatever it is called."""


def is_ours(name: str) -> bool:
    """Whether a run may write a file of this name beside its manifest."""
    return name in OURS or PART.fullmatch(name) is not None


def part_name(name: str, number: int, attempt: str = "") -> str:
    """Name of a part of an output.

    Args:
        name: Name of the output where it is one file.
        number: Number of the part.
        attempt: Who wrote it, where that is in the name.

    Examples:
        >>> part_name("metrics.parquet", 7)
        'metrics/part-00007.parquet'
    """
    stem, _, form = name.partition(".")
    return f"{stem}/part-{number:05}{attempt and f'-{attempt}'}.{form}"


def parts_there(directory: AnyPath) -> list[str]:
    """Names of all that lies in the folders of parts, whosever it is; of a folder that is none, its own.

    In a store, without those that have a run and an attempt in their names: no other run's can fall on them.
    """
    if not isinstance(directory, Path):
        found = [f"{folder}/{path.name}" for folder in PART_FOLDERS for path in (directory / folder).iterdir()]
        return [name for name in found if (part := PART.fullmatch(name)) is None or part[1] is None]
    folders = [directory / name for name in PART_FOLDERS if os.path.lexists(directory / name)]
    none = [folder.name for folder in folders if not is_folder(folder)]
    return [
        *none,
        *(f"{folder.name}/{path.name}" for folder in folders if is_folder(folder) for path in folder.iterdir()),
    ]


def earlier_outputs(directory: AnyPath) -> dict[str, int]:
    """Names and sizes of the files that the run whose manifest lies in a directory has written, the manifest itself last.

    Empty where no manifest of ours lies there.
    """
    path = directory / MANIFEST
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return {}
        content = path.read_bytes()
        found = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or not found.keys() >= KEYS or not isinstance(found["outputs"], list):
        return {}
    rows = [each for each in found["outputs"] if isinstance(each, dict) and isinstance(each.get("path"), str)]
    listed = {each["path"]: each.get("bytes") for each in rows}
    sizes = {name: size for name, size in listed.items() if is_ours(name) and isinstance(size, int)}
    return {**sizes, MANIFEST: len(content)}


def is_as_listed(path: AnyPath, size: int | None) -> bool:
    """Whether a regular file of just this size lies there; a link is none."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def refuse_foreign(directory: AnyPath, names: Iterable[str], listed: Mapping[str, int]) -> None:
    """Refuse to write where something lies that no run of ours made.

    Args:
        directory: Where the outputs go.
        names: Names of the outputs.
        listed: Names and sizes of what an earlier run wrote there.

    Raises:
        UsageError: If one of the names is somebody else's file, folder or link.
    """
    for name in names:
        path = directory / name
        if _is_there(path) and not is_as_listed(path, listed.get(name)):
            what = "the manifest there does not list it with this size" if listed else "no manifest of a run lists it"
            raise UsageError(f"{path} is not of an earlier run: {what}", hint=ELSEWHERE)


def _is_there(path: AnyPath) -> bool:
    """Whether anything has the name, be it a link that leads nowhere."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse to replace, or to withdraw, a night's folder that holds anything but what its manifest lists.

    Raises:
        UsageError: If it is no folder, or something in it is somebody else's.
    """
    if not os.path.lexists(folder):
        return
    if not is_folder(folder):
        raise UsageError(f"{folder} is no folder of an earlier run", hint=ELSEWHERE)
    refuse_foreign(folder, sorted(path.name for path in folder.iterdir()), earlier_outputs(folder))


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def remove_run(folder: Path) -> None:
    """Delete a night's folder: what its manifest lists, the manifest last, and the folder, if nothing else is in it."""
    if not is_folder(folder):
        return
    for name, size in earlier_outputs(folder).items():
        if is_as_listed(folder / name, size):
            (folder / name).unlink()
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:  # else somebody put something in: it stays
            raise


def identity(path: AnyPath | str) -> Identity | None:
    """Device and inode of what a path leads to; None where there is nothing."""
    try:
        return identity_of(path_of(str(path)))
    except (OSError, ValueError):
        return None


def refuse_inputs(paths: Iterable[AnyPath], inputs: Mapping[Identity, str], hint: str) -> None:
    """Refuse to write over, move or remove what is read.

    Args:
        paths: Paths that would be touched.
        inputs: Names of what is read.
        hint: What to type instead.

    Raises:
        UsageError: If one of the paths is an input, whatever it is called there.
    """
    for path in paths:
        found = identity(path)
        if found is not None and found in inputs:
            raise UsageError(f"{path} is an input ({inputs[found]}), and nothing is written over it", hint=hint)


def refuse_stdout(inputs: Mapping[Identity, str]) -> None:
    """Refuse to print into a file that is read (`>> log.ndjson`).

    Raises:
        UsageError: If stdout leads to an input.
    """
    with suppress(OSError, ValueError):
        found = os.fstat(sys.stdout.fileno())
        name = inputs.get((found.st_dev, found.st_ino))
        if name is not None and stat.S_ISREG(found.st_mode):
            raise StdoutError(f"stdout leads into the input {name}", hint="send it to another file")


def refuse_output(directory: Path, names: Collection[str], inputs: Mapping[Identity, str]) -> None:
    """Refuse an output directory in which a run would touch what is not ours, before anything is read.

    Args:
        directory: Where the outputs go; it need not be there yet.
        names: Names of all files that the run may write.
        inputs: Names of what is read.

    Raises:
        UsageError: If an output would fall on an input, or on somebody else's file.
    """
    refuse_no_folder(directory, inputs)
    listed = earlier_outputs(directory)
    withdrawn = [name for name, size in listed.items() if is_as_listed(directory / name, size)]
    refuse_inputs((directory, *(directory / name for name in (*names, *withdrawn))), inputs, "choose another -o")
    refuse_foreign(directory, names, listed)


def refuse_night(directory: Path, folders: Iterable[str], inputs: Mapping[Identity, str]) -> None:
    """Refuse to replace or withdraw nights' folders that hold what is not ours, or what is read.

    Args:
        directory: Where the nights' folders are.
        folders: Names of those that would be moved away.
        inputs: Names of what is read.

    Raises:
        UsageError: If a folder holds what no run of ours made, or an input.
    """
    refuse_no_folder(directory, inputs)
    for name in folders:
        refuse_foreign_folder(directory / name)
        refuse_inputs_in(directory / name, inputs, "copy it elsewhere first, or choose another -o")


def refuse_inputs_in(folder: Path, inputs: Mapping[Identity, str], hint: str) -> None:
    """Refuse to read what lies in a folder that is not to stay as it is.

    Raises:
        UsageError: If an input lies in it, or is it.
    """
    if folder.is_dir():
        refuse_inputs([folder, *folder.iterdir()], inputs, hint)


def refuse_no_folder(directory: Path, inputs: Mapping[Identity, str], instead: str = "choose another -o") -> None:
    """Refuse a directory that cannot be made, as a file lies where it, or one above it, would be.

    Raises:
        UsageError: If that file is an input.
        OutputError: If it is another one.
    """
    there = next((path for path in (directory, *directory.absolute().parents) if os.path.lexists(path)), None)
    if there is not None and not there.is_dir():
        refuse_inputs([there], inputs, instead)
        raise OutputError(f"cannot write {directory}: {there} is no folder", hint=f"move it away, or {instead}")
