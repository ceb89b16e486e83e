"""Which files of a folder are a log, and in which order they are read; what is passed over is told by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from sessionize.errors import InputError
from sessionize.patterns import pattern
from sessionize.read.detect import CHECKSUMS
from sessionize.read.formats import ENDINGS
from sessionize.read.passed_over import MARKER, OWN_OUTPUT, PassedOver
from sessionize.read.rotated import ROTATED, ending, unrotated
from sessionize.read.tables import check_no_table
from sessionize.stores import AnyPath, walk

RUN_LOCK: Final = ".sessionize.lock"
"""Lies in every folder that a run wrote."""
UNDER_WAY: Final = ".sessionize.commit"
"""Lies there while a run's files are put in place."""
HIDDEN: Final = "hidden"
A_CHECKSUM: Final = "a checksum"
A_TITLE: Final = "a title, no log"
LINK: Final = "a link to a folder"
MARKERS: Final = pattern(
    r"_(SUCCESS|metadata|common_metadata|committed_.*|started_.*)|\..*\.crc|\.DS_Store|\.git(keep|ignore)|\.nfs.*"
)
"""Names of files that Spark, Hive, Databricks and file managers lay beside data."""
TITLE: Final = pattern(r"[A-Z0-9_-]*[A-Z]{3}[A-Z0-9_-]*")
"""A name in capitals alone: README, LICENSE, SHA256SUMS."""
DOCUMENT: Final = pattern(r"(?i)(?:readme|licen[cs]e|copying|notice)(?:[._-].*)?\.txt")
"""What people lay beside data: a text to be read by them."""
TAGGED: Final = pattern(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[0-9]{2})?|[0-9]{10,13})"
    r"\.(?!bak|backup|old|orig|copy|tmp|part)(?:[0-9a-f]{6,}|(?=[A-Za-z]*[0-9])\w{4,})$"
)
"""A name that ends in a time and what makes it the only one of its time, as CloudFront and Segment name files."""
LOG_WORD: Final = pattern(r"(?i)[._-]logs?$")


def logs_in(folder: AnyPath) -> tuple[list[AnyPath], list[PassedOver]]:
    """Logs in a folder and those below in the order of `in_order`, and what lies beside them.

    Raises:
        InputError: If the folder, or one below, is a table of Delta Lake, Hudi or Iceberg, or the folder an unfinished output.
    """
    found: list[AnyPath] = []
    passed: list[PassedOver] = []
    for here, folders, names in walk(folder):
        if here == folder:
            _check_done(folder, names)
        elif _is_output(names, folders):
            passed.append(PassedOver(f"{here}/", OWN_OUTPUT))
            folders.clear()
            continue
        check_no_table(here, folders)
        passed += [PassedOver(f"{here / name}/", HIDDEN) for name in _taken_out(folders)]
        passed += [PassedOver(f"{here / name}/", LINK) for name in sorted(folders) if _is_link(here / name)]
        for name in sorted(names):
            if not (why := why_not(name) or _why_no_file(here / name)):
                found.append(here / name)
            elif name != RUN_LOCK:
                passed.append(PassedOver(str(here / name), why))
    return in_order(found), passed


def _is_link(path: AnyPath) -> bool:
    return isinstance(path, Path) and path.is_symlink()


def _why_no_file(path: AnyPath) -> str:
    """Why what a folder of this machine holds is no file that can be read; empty where it is one."""
    if not isinstance(path, Path) or path.is_file():
        return ""
    return "a link that leads nowhere" if path.is_symlink() else "no file"


def _taken_out(folders: list[str]) -> list[str]:
    """Hidden ones of some folders, which are none of them any more; so what a file system keeps for itself."""
    hidden = sorted(name for name in folders if name.startswith((".", "_")) or name == "lost+found")
    folders[:] = [name for name in folders if name not in hidden]
    return hidden


def _check_done(folder: AnyPath, names: Collection[str]) -> None:
    if UNDER_WAY in names:
        raise InputError(
            f"{folder}: a run's output is being put there, or that broke: it is no log, and no run yet",
            hint="wait for it, or run again what writes there",
        )


def _is_output(names: Collection[str], folders: Collection[str]) -> bool:
    """Whether a folder is what a run wrote: by its lock, and in a store, which has none, by its files."""
    is_whole = "manifest.json" in names and ("metrics" in folders or any(name.startswith("metrics.") for name in names))
    return RUN_LOCK in names or UNDER_WAY in names or is_whole


def why_not(name: str) -> str:
    """Why a file of a folder is not read, by its name; empty where it is a log."""
    if MARKERS.fullmatch(name):
        return MARKER
    if name.startswith((".", "_")):
        return HIDDEN
    if name.lower().endswith(CHECKSUMS):
        return A_CHECKSUM
    return _why_no_log(name)


def _why_no_log(name: str) -> str:
    """Why what has neither a marker's name nor a hidden one is not read; empty where it is a log."""
    bare, last = unrotated(name), ending(name)
    if DOCUMENT.fullmatch(name):
        return A_TITLE
    if last in ENDINGS or LOG_WORD.search(bare) or TAGGED.search(bare):
        return ""
    if last:
        return f"{last} is no log's ending"
    return A_TITLE if TITLE.fullmatch(bare) else ""


def is_beside(path: AnyPath) -> str:
    """Why a file that a glob matches is not read: what lies beside data and is none."""
    name = path.name
    is_marker = MARKERS.fullmatch(name) or (name.startswith("_") and ending(name) not in ENDINGS)
    why = MARKER if is_marker else A_CHECKSUM if name.lower().endswith(CHECKSUMS) else ""
    why = why or (A_TITLE if DOCUMENT.fullmatch(name) else "")
    return why if why and path.is_file() else ""


def in_order(paths: Iterable[AnyPath]) -> list[AnyPath]:
    """Paths sorted; the files of a rotated log from the oldest: by date, then by number downwards, then the live one.

    Examples:
        >>> names = ["access.log", "access.log.1", "access.log.10.gz", "access.log-20240529", "b.csv"]
        >>> from pathlib import Path
        >>> [path.name for path in in_order(map(Path, names))]
        ['access.log-20240529', 'access.log.10.gz', 'access.log.1', 'access.log', 'b.csv']
    """
    return sorted(dict.fromkeys(paths), key=_age)


def _age(path: AnyPath) -> tuple[tuple[str, ...], str, int, str, int, str]:
    bare = unrotated(path.name)
    turn = next(_turns(path.name), None)
    if turn is None:
        return path.parts[:-1], bare, 2, "", 0, path.name
    date = re.sub(r"[^0-9]", "", turn["date"] or "")
    return path.parts[:-1], bare, 0 if date else 1, date, -int(turn["number"] or 0), path.name


def _turns(name: str) -> Iterator[re.Match[str]]:
    """What a rotation put behind the name."""
    while (shorter := unrotated(name, once=True)) != name:
        if found := ROTATED.search(name):
            yield found
        name = shorter
