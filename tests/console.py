"""The command line as a user calls it: a process of its own, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data"


class Outcome(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def sessionize(*arguments: object, cwd: Path, stdin: bytes | None = None) -> Outcome:
    """Run the command line and wait for it."""
    done = subprocess.run(
        [sys.executable, "-m", "sessionize", *map(str, arguments)],
        cwd=cwd, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
