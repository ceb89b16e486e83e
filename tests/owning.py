"""What lies in a folder before and after a run."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from sessionize.output.publish import LOCK

ROWS = "time,user_id\n2024-05-01T09:00:00,ann\n2024-05-01T09:10:00,bob\n"


Typed = Callable[..., tuple[int, str]]


def tree(place: Path) -> dict[str, bytes | str]:
    """Every file and link, locks aside."""
    paths = [path for path in place.rglob("*") if path.name not in {"lock", LOCK}]
    found: dict[str, bytes | str] = {str(path): str(path.readlink()) for path in paths if path.is_symlink()}
    return found | {str(path): path.read_bytes() for path in paths if path.is_file() and not path.is_symlink()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def failing(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def hard_link(of: Path, to: Path) -> None:
    to.hardlink_to(of)


def soft_link(of: Path, to: Path) -> None:
    to.symlink_to(of)


def night(typed: Typed, *more: object, batch: str = "2024-05-01", log: str = "log.csv") -> tuple[int, str]:
    return typed("run", log, "-o", "out", "--state", "state", "--batch", batch, *more)
