"""Temporary files go with the process that made them, or with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from console import SAMPLE

HOME = "import time; from sessionize import scratch; print(scratch.home(), flush=True); time.sleep({seconds})"


def _left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@contextmanager
def _holder(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process that has temporary files, and their folder."""
    command = [sys.executable, "-c", HOME.format(seconds=60)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folder)}) as child:
        assert child.stdout
        try:
            yield child, Path(child.stdout.readline().decode().strip())
        finally:
            child.kill()


@pytest.mark.slow
def test_a_piped_log_leaves_no_copy(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with (SAMPLE / "events.parquet").open("rb") as log:
        command = [sys.executable, "-m", "sessionize", "run", "-", "-o", str(tmp_path / "out")]
        subprocess.run(command, stdin=log, check=True, env={**os.environ, "TMPDIR": str(temporary)})
    assert _left(temporary) == []


def test_a_process_takes_away_what_the_dead_left_and_not_what_the_living_have(tmp_path: Path) -> None:
    stranger = tmp_path / "sessionize-bench"
    stranger.mkdir()
    with _holder(tmp_path) as (dead, its_folder), _holder(tmp_path) as (_, folder):
        (its_folder / "events.arrow").write_bytes(b"rows")
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        command = [sys.executable, "-c", HOME.format(seconds=0)]
        subprocess.run(command, check=True, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL)
        assert sorted(_left(tmp_path)) == sorted([stranger.name, folder.name])


def test_a_signal_leaves_no_temporary_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sessionize", "run", "-", "-o", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}) as child:
        assert child.stdin
        child.stdin.write(b"PAR1" + bytes(10_000_000))  # taken for Parquet, which is copied before it is read
        child.stdin.flush()
        assert _left(tmp_path)
        child.send_signal(signal.SIGINT)
        assert child.wait() == 130
    assert _left(tmp_path) == []
