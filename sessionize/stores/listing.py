"""What was typed as paths, and what lies below them: of this machine by `os` and `glob`, of a store by its listing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from glob import escape, glob, has_magic
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Final

from sessionize.errors import may_not_be_read
from sessionize.scratch import home
from sessionize.stores.connect import DENIED, StoreError, asking
from sessionize.stores.content import Stamp, read_from
from sessionize.stores.content import stamp_of as stamp_of_object
from sessionize.stores.path import URI, StorePath, parsed

AnyPath = Path | StorePath
COPIED: Final = 8 << 20
"""Bytes that are copied at once."""


def path_of(text: str) -> AnyPath:
    """The path that a text is: in a store if it is the URI of one, else of this machine.

    Examples:
        >>> path_of("s3://logs/day=1/a.csv").parent, str(path_of("logs/a.csv"))
        (StorePath(scheme='s3', host='logs', key='day=1'), 'logs/a.csv')
    """
    return parsed(text) if URI.fullmatch(text) else Path(text)


def opened(place: str, stamp: Stamp | None = None) -> IO[bytes]:
    """The content of a file or an object.

    Args:
        place: Path or URI of the object.
        stamp: What `stamp_of` said of an object before.

    Raises:
        StoreError: While it is read, if it is not the same object any more, or the store fails.
    """
    path = path_of(place)
    return path.open("rb") if isinstance(path, Path) else read_from(path, stamp)


def stamp_of(path: AnyPath) -> Stamp | None:
    """What tells an object from any that takes its place; None for a file of this machine."""
    return None if isinstance(path, Path) else stamp_of_object(path)


def identity(path: AnyPath) -> tuple[int, int]:
    """Two numbers that no other file has, whatever it is called: of a file its device and inode, of an object its name's.

    Raises:
        OSError: If a file is not there; of an object, that is not asked.
    """
    if isinstance(path, Path):
        status = path.stat()
        return status.st_dev, status.st_ino
    return path.identity


def matches(text: str) -> list[AnyPath]:
    """What a glob matches, sorted; ``**`` is any number of folders. Names that begin with a dot match no star.

    Args:
        text: A path of this machine, or a URI, in which the bucket is no glob.

    Raises:
        InputError: If a folder on the way may not be read.
    """
    path = path_of(text)
    if isinstance(path, Path):
        _check_folders(text)
        return sorted(map(Path, glob(text, recursive=True)))  # noqa: PTH207 - a path's own takes no absolute pattern
    parts = path.key.split("/")
    fixed = next((place for place, part in enumerate(parts) if has_magic(part)), len(parts))
    folder = StorePath(path.scheme, path.host, "/".join(parts[:fixed]))
    pattern = _regex(path.key)
    there = folder.listed(recursive=fixed < len(parts) - 1)
    # A store may tell of objects only: their folders are there, too.
    found = {each for path, _ in there for each in (path, *path.parents)}
    return sorted(each for each in found if each.key and pattern.fullmatch(each.key))


def _check_folders(text: str) -> None:
    """Refuse a glob that goes through a folder that may not be read: what matches there would be missed in silence."""
    above, name = os.path.split(text)
    if not above or above == text:
        return
    _check_folders(above)
    needed = os.X_OK | os.R_OK if has_magic(name) else os.X_OK  # what is not looked through is only gone through
    for folder in glob(above, recursive=True):  # noqa: PTH207 - a path's own takes no absolute pattern
        if os.path.isdir(folder) and not os.access(folder, needed):  # noqa: PTH112
            raise may_not_be_read(folder)


def _raise(error: OSError) -> None:
    raise error


def _regex(pattern: str) -> re.Pattern[str]:
    parts = pattern.split("/")
    found = ""
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            found += r"(?:[^/.][^/]*/)*(?:[^/.][^/]*)?" if last else r"(?:[^/.][^/]*/)*"
        else:
            found += _segment(part) + ("" if last else "/")
    return re.compile(found, re.DOTALL)


def _segment(part: str) -> str:
    """One name of a pattern as a regular expression: ``*``, ``?``, ``[…]``."""
    found = "" if part.startswith(".") or not has_magic(part) else r"(?!\.)"
    for piece in re.findall(r"\[!?\]?[^\]]*\]|.", part, re.DOTALL):
        if piece in ("*", "?"):
            found += "[^/]" + piece.replace("?", "")
        elif len(piece) > 1:
            negated, inside = piece[1] == "!", piece[1:-1].removeprefix("!")
            each = "".join(letter if letter == "-" else re.escape(letter) for letter in inside)
            found += f"[^/{each}]" if negated else f"[{each}]"
        else:
            found += re.escape(piece)
    return found


def walk(folder: AnyPath) -> Iterator[tuple[AnyPath, list[str], list[str]]]:
    """Each folder with the names of the folders and files right in it; a name that is taken out is not gone into.

    A link to a folder is a name among the folders, and is not gone into.

    Raises:
        OSError: If a folder of this machine may not be read.
    """
    if isinstance(folder, Path):
        for place, folders, names in os.walk(folder, onerror=_raise):
            yield Path(place), folders, names
        return
    below: dict[StorePath, tuple[set[str], set[str]]] = {}
    for path, info in folder.listed(recursive=True):
        below.setdefault(path.parent, (set(), set()))[1 if info.is_file else 0].add(path.name)
        # A store may tell of objects only: the folders between are there, too.
        for each in path.parents[: len(path.parts) - len(folder.parts) - 1]:
            below.setdefault(each.parent, (set(), set()))[0].add(each.name)
    yield from _walked(folder, below)


def _walked(
    folder: StorePath, below: dict[StorePath, tuple[set[str], set[str]]]
) -> Iterator[tuple[AnyPath, list[str], list[str]]]:
    folders, names = map(list, below.get(folder, (set(), set())))
    yield folder, folders, names
    for name in sorted(folders):
        yield from _walked(folder / name, below)


def folders_among(paths: Iterable[AnyPath]) -> set[AnyPath]:
    """Which of some paths are folders; a store is asked about all of them at once. What may not be asked is none."""
    found: set[AnyPath] = set()
    asked: list[StorePath] = []
    for path in paths:
        if isinstance(path, StorePath):
            asked.append(path)
        elif path.is_dir():
            found.add(path)
    if asked:
        try:
            with asking(str(asked[0]), asked[0].scheme):
                told = asked[0].store.get_file_info([path.inner for path in asked])
        except StoreError as error:
            if error.what != DENIED:
                raise
            return found
        found.update(path for path, info in zip(asked, told, strict=True) if info.type.name == "Directory")
    return found


def fetched(path: AnyPath) -> Path:
    """A path of this machine with the same content: its own, or of a copy that goes with the process.

    Raises:
        FileNotFoundError: If there is no such object.
        StoreError: If it cannot be read.
    """
    if isinstance(path, Path):
        return path
    copy = Path(mkdtemp(dir=home())) / path.name
    with path.open() as file, copy.open("wb") as out:
        shutil.copyfileobj(file, out, COPIED)
    return copy


def below(folder: AnyPath, pattern: str) -> list[AnyPath]:
    """What matches a glob in a folder, sorted."""
    return matches(f"{escape(str(folder))}/{pattern}")
