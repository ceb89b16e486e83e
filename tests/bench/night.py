"""One night of a new state, which is cleared first: ``python night.py LOG FOLDER``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("log", help="an event log")
asked.add_argument("folder", type=Path, help="where the output and the state go, which are cleared first")
log, folder = vars(asked.parse_args()).values()
for name in ("night-out", "night-state"):
    shutil.rmtree(folder / name, ignore_errors=True)
command = ["-m", "sessionize", "run", log, "-o", str(folder / "night-out"), "--state", str(folder / "night-state")]
os.execv(sys.executable, [sys.executable, *command, "--batch", "1", "--no-sessions", "-q"])  # noqa: S606 - no shell is needed
