"""One night of a new state, which is cleared first: ``python night.py LOG FOLDER``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

log, folder = sys.argv[1], Path(sys.argv[2])
for name in ("night-out", "night-state"):
    shutil.rmtree(folder / name, ignore_errors=True)
command = ["-m", "sessionize", "run", log, "-o", str(folder / "night-out"), "--state", str(folder / "night-state")]
os.execv(sys.executable, [sys.executable, *command, "--batch", "1", "--no-sessions", "-q"])  # noqa: S606 - no shell is needed
