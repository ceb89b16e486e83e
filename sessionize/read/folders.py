"""Which files of a folder are a log, and in which order they are read; what is passed over is told by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sessionize.read.detect import CHECKSUMS, ROTATED, ending, unrotated
from sessionize.read.formats import ENDINGS
from sessionize.read.passed_over import MARKER, OWN_OUTPUT, PassedOver
from sessionize.read.tables import check_no_table

RUN_LOCK: Final = ".sessionize.lock"
"""Lies in every folder that a run wrote."""
HIDDEN: Final = "hidden"
MARKERS: Final = re.compile(
    r"_(SUCCESS|metadata|common_metadata|committed_.*|started_.*)|\..*\.crc|\.DS_Store|\.git(keep|ignore)|\.nfs.*"
)
"""Names of files that Spark, Hive, Databricks and file managers lay beside data."""
TITLE: Final = re.compile(r"[A-Z0-9_-]*[A-Z]{3}[A-Z0-9_-]*")
"""A name in capitals alone: README, LICENSE, SHA256SUMS."""
LOG_WORD: Final = re.compile(r"(?i)[._-]logs?$")


def logs_in(folder: Path) -> tuple[list[Path], list[PassedOver]]:
    """Logs in a folder and those below in the order of `in_order`, and what lies beside them.

    Raises:
        InputError: If the folder, or one below, is a table of Delta Lake, Hudi or Iceberg.
    """
    found: list[Path] = []
    passed: list[PassedOver] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        check_no_table(here, folders)
        for name in sorted(folders):
            if why := _why_not_folder(here / name):
                passed.append(PassedOver(f"{here / name}/", why))
                folders.remove(name)
        for name in sorted(names):
            if (path := here / name).is_file() and not (why := why_not(name)):
                found.append(path)
            elif path.is_file() and name != RUN_LOCK:
                passed.append(PassedOver(str(path), why))
    return in_order(found), passed


def _why_not_folder(path: Path) -> str:
    if path.name.startswith((".", "_")):
        return HIDDEN
    return OWN_OUTPUT if (path / RUN_LOCK).exists() else ""


def why_not(name: str) -> str:
    """Why a file of a folder is not read, by its name; empty where it is a log."""
    if MARKERS.fullmatch(name):
        return MARKER
    if name.startswith((".", "_")):
        return HIDDEN
    if name.lower().endswith(CHECKSUMS):
        return "a checksum"
    bare, last = unrotated(name), ending(name)
    if last in ENDINGS or LOG_WORD.search(bare):
        return ""
    if last:
        return f"{last} is no log's ending"
    return "a title, no log" if TITLE.fullmatch(bare) else ""


def is_beside(path: Path) -> str:
    """Why a file that a glob matches is not read: what lies beside data and is none."""
    name = path.name
    if not path.is_file():
        return ""
    if MARKERS.fullmatch(name) or (name.startswith("_") and ending(name) not in ENDINGS):
        return MARKER
    return "a checksum" if name.lower().endswith(CHECKSUMS) else ""


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Paths sorted; the files of a rotated log from the oldest: by date, then by number downwards, then the live one.

    Examples:
        >>> names = ["access.log", "access.log.1", "access.log.10.gz", "access.log-20240529", "b.csv"]
        >>> [path.name for path in in_order(map(Path, names))]
        ['access.log-20240529', 'access.log.10.gz', 'access.log.1', 'access.log', 'b.csv']
    """
    return sorted(dict.fromkeys(paths), key=_age)


def _age(path: Path) -> tuple[tuple[str, ...], str, int, str, int, str]:
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
