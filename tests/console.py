"""The command line as a user calls it, in a folder of its own: in this process, or where that matters in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import pytest

from sessionize.cli.app import application
from sessionize.cli.main import _run
from sessionize.manual import TOPICS, topic

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_data"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = {name: topic(name) for name in TOPICS}
DOCUMENTS = "\n".join((README, *MANUAL.values()))
"""All that users read."""


class Outcome(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def sessionize(*arguments: object, cwd: Path, stdin: bytes | None = None) -> Outcome:
    """Run a command line in this process: all but what `main` does about signals, allocators and closed streams."""
    with _streams(stdin) as (out, err), pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        if "COLUMNS" not in os.environ:
            patch.setenv("COLUMNS", "80")  # whatever terminal the tests are run in
        code = _run([str(each) for each in arguments])
        sys.stdout.flush()
        sys.stderr.flush()
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())


def refused(folder: Path, text: str, name: str = "log.csv") -> str:
    """What is said of a log that is not run as it stands."""
    (folder / name).write_text(text)
    said = sessionize("run", name, "-o", "out", cwd=folder)
    assert said.code != 0, said.err
    return said.err


def typed(arguments: Sequence[str]) -> None:
    """Run a command line in this process with the streams there are; its errors are raised."""
    application(arguments)(arguments, standalone_mode=False)


@contextmanager
def _streams(stdin: bytes | None) -> Iterator[tuple[BytesIO, BytesIO]]:
    """Let the standard streams begin and end in memory."""
    out, err = BytesIO(), BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin or b"")))
        patch.setattr(sys, "stdout", TextIOWrapper(out, encoding="utf-8"))
        patch.setattr(sys, "stderr", TextIOWrapper(err, encoding="utf-8"))
        yield out, err


def sessionize_process(
    *arguments: object, cwd: Path, stdin: bytes | None = None, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run a command line in a process of its own, and wait for it; ``env`` is added to the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "sessionize", *map(str, arguments)],
        cwd=cwd, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, check=False, timeout=120,
        env=None if env is None else {**os.environ, **env},
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
