"""Whether a file is a report that was written before: only such a file is replaced by a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sessionize.report.html import BEGINNING as PAGE
from sessionize.report.markdown import BEGINNING as TEXT

BEGINNINGS: Final = (PAGE.encode(), TEXT.encode())


def is_report(path: Path) -> bool:
    """Whether a file begins as a report does, or is empty.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(max(map(len, BEGINNINGS)))
    return not start or start.startswith(BEGINNINGS)
