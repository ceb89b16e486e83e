"""Many nights at once: each file's batch by the file's name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.nightly.series import day
from sessionize.nightly.store import load
from sessionize.read.files import listed
from sessionize.read.probe import STDIN
from sessionize.read.shown import shown_path

DATE: Final = "{date}"
FORM: Final = r"(?P<y>\d{4})(?P<dash>-?)(?P<m>\d\d)(?P=dash)(?P<d>\d\d)"


def batches(pattern: str, config: Config) -> list[tuple[str, tuple[str, ...]]]:
    """Each batch and its files, the oldest first.

    Args:
        pattern: Pattern of a file's name, or of the end of its path: ``{date}`` for 2024-05-30 or 20240530, ``*`` for anything.
        config: Whose inputs are looked at.

    Raises:
        UsageError: If the pattern has no ``{date}``, or a file does not fit it.
    """
    if pattern.count(DATE) != 1:
        raise UsageError(
            f"invalid value {pattern!r} for --batch-from-name: it holds {DATE} once",
            hint="for example --batch-from-name '{date}.csv'; * stands for anything",
        )
    form = _compiled(pattern)
    found: dict[str, list[str]] = defaultdict(list)
    for path in listed(config):
        name = _batch(path, form)
        if name is None:
            raise UsageError(
                f"{shown_path(path, config)}: its name is not as --batch-from-name {pattern!r} says",
                hint="name the files more closely, or the pattern: * stands for anything, {date} for a day",
            )
        found[name].append(path)
    return [(name, tuple(paths)) for name, paths in sorted(found.items())]


def _compiled(pattern: str) -> re.Pattern[str]:
    before, _, after = (re.escape(part).replace(r"\*", "[^/]*") for part in pattern.partition(DATE))
    return re.compile(f"(?:.*/)?{before}{FORM}{after}")


def _batch(path: str, form: re.Pattern[str]) -> str | None:
    fits = None if path == STDIN else form.fullmatch(PurePath(path).as_posix())
    name = "" if fits is None else f"{fits['y']}-{fits['m']}-{fits['d']}"
    return None if day(name) is None else name


def left(found: Sequence[tuple[str, tuple[str, ...]]], state: str) -> list[tuple[str, tuple[str, ...]]]:
    """The batches without those that were run so long ago that they can be run no more.

    Args:
        found: Each batch and its files.
        state: Directory of the state.
    """
    known = load(Path(state))
    return [each for each in found if known is None or each[0] not in known.older]
