"""Where configuration files are looked for: known before anything else is loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

PYPROJECT: Final = "pyproject.toml"
FILE_NAMES: Final = ("sessionize.toml", PYPROJECT)


def places() -> Iterator[Path]:
    """Where one may lie, the nearest first: in this folder, and those above up to that of the repository."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        yield from (folder / name for name in FILE_NAMES)
        if (folder / ".git").exists():
            return
