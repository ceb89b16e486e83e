"""Names of logs without what a compression and a rotation put behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sessionize.patterns import pattern

PACKED: Final = (".gz", ".zst", ".zstd")
ROTATED: Final = pattern(
    r"[.](?P<number>0|[1-9][0-9]{0,2})$"
    r"|[._-](?P<date>(?:19|20)[0-9]{2}(?:-?[01][0-9](?:-?[0-3][0-9](?:[-_T.]?[0-9]{2}(?:[-:]?[0-9]{2}){0,2}Z?)?)?)?)$"
)
"""What a rotation puts behind a log's name: ``.1``, ``-20240529``, ``.2024-05-29-13``."""


def ending(name: str) -> str:
    """The ending of a file's name, that of a compression and of a rotation left out.

    Examples:
        >>> [ending(name) for name in ("logs/Today.CSV.gz", "access.log.2.gz", "access.log-20240529", "part-00000")]
        ['.csv', '.log', '.log', '']
    """
    return Path(unrotated(name.lower())).suffix


def unrotated(name: str, *, once: bool = False) -> str:
    """A file's name without what a compression and a rotation put behind it.

    Args:
        name: Name of the file.
        once: Whether only the last of these is taken off.

    Examples:
        >>> unrotated("access.log.1.gz"), unrotated("access.log.1.gz", once=True)
        ('access.log', 'access.log.1')
    """
    while True:
        path = Path(name)
        packed = path.suffix.lower() in PACKED
        shorter = name[: -len(path.suffix)] if packed else ROTATED.sub("", name)
        if shorter in {"", name}:
            return name
        name = shorter
        if once:
            return name
