"""What a run does where a standard stream, or the terminal, is not what it should be."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from budget import every
from console import SAMPLE, sessionize

CSV = SAMPLE / "events.csv"
FULL = Path("/dev/full")
RUN = f"{sys.executable} -m sessionize"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "arguments", [f"run {CSV} -o - -q", f"run {CSV} -o out --json -q", "schema metrics", "--version"]
)
@pytest.mark.parametrize(("stdout", "said"), [("/dev/full", "no space left"), ("&-", "bad file descriptor")])
def test_a_stdout_that_takes_nothing_is_exit_4(tmp_path: Path, arguments: str, stdout: str, said: str) -> None:
    done = shell(f"{RUN} {arguments} >{stdout}", tmp_path)
    assert (done.returncode, said in done.stderr) == (4, True), done.stderr
    assert "bug" not in done.stderr
    assert "MB are free" not in done.stderr  # of what it leads to nothing is known


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(("log", "code"), [(CSV, 0), ("missing.csv", 3)])
@pytest.mark.parametrize("stderr", ["/dev/full", "&-"])
def test_a_stderr_that_takes_nothing_changes_no_exit_code(tmp_path: Path, log: object, code: int, stderr: str) -> None:
    assert shell(f"{RUN} run {log} -o out 2>{stderr}", tmp_path).returncode == code
    assert (tmp_path / "out" / "manifest.json").exists() == (code == 0)


@pytest.mark.slow
def test_a_closed_stdin_is_an_empty_log(tmp_path: Path) -> None:
    done = shell(f"{RUN} run - -o out <&-", tmp_path)
    assert done.returncode == 3, done.stderr
    assert "empty" in done.stderr


def test_without_a_command_the_help_is_shown_and_no_error(tmp_path: Path) -> None:
    done = sessionize(cwd=tmp_path)
    assert (done.code, done.err.startswith("Usage: sessionize")) == (2, True)


def shown(command: str, folder: Path, columns: int) -> list[str]:
    """What a terminal of so many columns gets to show, line by line."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": str(columns)}
    subprocess.run(command, shell=True, cwd=folder, stderr=follower, env=environment, check=False)  # noqa: S602
    os.close(follower)
    text = b""
    while select.select([leader], [], [], 0.1)[0]:
        try:
            text += os.read(leader, 100_000)
        except OSError:  # Linux says so where the other end is closed
            break
    os.close(leader)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode()).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 120][:: every(2)])
def test_lines_are_broken_between_words_and_fit_the_terminal(tmp_path: Path, columns: int) -> None:
    done = shown(f"{RUN} run {CSV} -o out", tmp_path, columns)
    wrong = shown(f"{RUN} run {CSV} -o out --page pageurl", tmp_path, columns)
    (tmp_path / "log.csv").write_bytes(CSV.read_bytes())
    short = shown(f"{RUN} run log.csv -o out", tmp_path, columns)
    assert max(map(len, short)) <= columns
    assert max(map(len, wrong)) <= columns
    assert "utm_campaign" in " ".join(done).replace(",", " ").split()
    further = [line for line in short if line.startswith(" " * 12)]
    assert further
    labels = [line[:12].strip() for line in short if line[:12].strip()]
    assert labels == ["read", "columns", "times", "rules", "sessions", "length", "rates", "bots", "wrote", "rejected"]


def test_ctrl_c_gives_the_terminal_its_cursor_back(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "sessionize", "run", "-", "-o", "out"]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=follower, env=environment) as process:
        shown = b""
        until = time.monotonic() + 20
        while b"\x1b[?25l" not in shown and time.monotonic() < until:
            if select.select([leader], [], [], 0.1)[0]:
                shown += os.read(leader, 10_000)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
    while select.select([leader], [], [], 0.1)[0]:
        shown += os.read(leader, 10_000)
    os.close(leader)
    os.close(follower)
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l") >= 0
