"""Whether a file is the one that a night was run with: by its size and some of its bytes, wherever it lies now.

A copy, a sync or a fresh container gives a file another modification time and the same bytes: it is the same file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any, Final

from sessionize.read.source import Source
from sessionize.stores import opened
from sessionize.values import NamedTuple

File = Mapping[str, Any]
BLOCK: Final = 65_536
"""Bytes at a file's start, and at its end, that are looked at; a file of no more than two blocks is looked at whole."""


def known(source: Source) -> dict[str, Any]:
    """What is needed to recognise a file, as the state keeps it."""
    found = {key: value for key, value in asdict(source.file).items() if value is not None}
    found.setdefault("digest", _ends(source))
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def _ends(source: Source) -> str:
    """SHA-256 of the first and the last block."""
    with opened(source.place, source.stamp) as file:
        digest = hashlib.sha256(file.read(BLOCK))
        file.seek(max(BLOCK, source.file.bytes - BLOCK))
        digest.update(file.read())
    return digest.hexdigest()


class Difference(NamedTuple):
    """What is not as it was between the files of two runs of a night.

    Attributes:
        changed: Paths of files that have the name of one before, and other bytes.
        missing: Paths of files before that are not there now, under any name.
        added: Paths of files that are new to the night.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]


def difference(before: Sequence[File], now: Sequence[File]) -> Difference:
    """What is not as it was; all empty where the files are the same ones, in whatever order.

    Args:
        before: Files of the night as it was run.
        now: Files that it is to be run with.
    """
    gone, fresh = list(before), []
    for file in now:
        same = next((each for each in gone if is_same(each, file)), None)
        if same is None:
            fresh.append(file)
        else:
            gone.remove(same)
    names, fresh_names = {_name(file) for file in gone}, {_name(file) for file in fresh}
    return Difference(
        changed=tuple(file["path"] for file in fresh if _name(file) in names),
        missing=tuple(file["path"] for file in gone if _name(file) not in fresh_names),
        added=tuple(file["path"] for file in fresh if _name(file) not in names),
    )


def is_same(one: File, other: File) -> bool:
    """Whether two files are one: by digest; of texts older states know but when they were last written."""
    if "digest" in one and "digest" in other:
        return (one["bytes"], one["digest"]) == (other["bytes"], other["digest"])
    return [_name(one), one["bytes"], one.get("modified_ns")] == [
        _name(other), other["bytes"], other.get("modified_ns"),
    ]  # fmt: skip


def _name(file: File) -> str:
    return PurePath(file["path"]).name
