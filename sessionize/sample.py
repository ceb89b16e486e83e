"""The sample log, for a first try: in the package, or in a checkout where its maker is."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

IN_PACKAGE: Final = "sample.csv"
"""Under this name a wheel holds it."""
IN_CHECKOUT: Final = Path(__file__).parent.parent / "sample_data" / "events.csv"


def sample() -> bytes:
    """The log's bytes; there is one copy of it, which is put into the wheel as that is built."""
    with as_file(files("sessionize") / IN_PACKAGE) as path:
        return (path if path.is_file() else IN_CHECKOUT).read_bytes()
