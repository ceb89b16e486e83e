"""What a shell asks when TAB is pressed, as it asks it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from console import sessionize_process

NAMED = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
"""The options then take the name of the shell, in place of looking which one has called."""


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    asked = {"_SESSIONIZE_COMPLETE": "complete_bash", "COMP_WORDS": "sessionize ru", "COMP_CWORD": "1"}
    assert sessionize_process(cwd=tmp_path, env=asked) == (0, "run\n", "")
    asked |= {"COMP_WORDS": "sessionize run --max", "COMP_CWORD": "2"}
    assert sessionize_process(cwd=tmp_path, env=asked) == (
        0,
        "--max-late\n--max-early\n--max-rejected\n--max-duration\n--max-events\n",
        "",
    )


@pytest.mark.slow
def test_zsh_completes_commands_and_options(tmp_path: Path) -> None:
    asked = {"_SESSIONIZE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "sessionize run --time"}
    found = sessionize_process(cwd=tmp_path, env=asked)
    assert (found.code, found.err) == (0, "")
    assert [line.split('":"')[0].split('"')[1] for line in found.out.splitlines()] == [
        "--timestamp", "--time-format", "--timezone", "--timeout",
    ]  # fmt: skip
    nothing = {**asked, "_TYPER_COMPLETE_ARGS": "sessionize run events"}
    assert sessionize_process(cwd=tmp_path, env=nothing) == (0, "_files\n", "")


@pytest.mark.slow
def test_fish_completes_commands_and_options(tmp_path: Path) -> None:
    asked = {
        "_SESSIONIZE_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "sessionize run --t",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    found = sessionize_process(cwd=tmp_path, env=asked)
    assert (found.code, found.err) == (0, "")
    assert [line.split("\t")[0] for line in found.out.splitlines()] == [
        "--timestamp", "--time-format", "--timezone", "--timeout", "--trait",
    ]  # fmt: skip
    files = {**asked, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    assert sessionize_process(cwd=tmp_path, env=files) == (0, "", "")
    assert sessionize_process(cwd=tmp_path, env={**files, "_TYPER_COMPLETE_ARGS": "sessionize run events"}).code == 1


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown_and_installed(tmp_path: Path, shell: str) -> None:
    shown = sessionize_process("--show-completion", shell, cwd=tmp_path, env=NAMED)
    assert (shown.code, shown.err) == (0, "")
    assert f"complete_{shell}" in shown.out
    installed = sessionize_process("--install-completion", shell, cwd=tmp_path, env={**NAMED, "HOME": str(tmp_path)})
    assert (installed.code, installed.err) == (0, "")
    assert f"{shell} completion installed in {tmp_path}" in installed.out


@pytest.mark.slow
def test_the_script_that_is_shown_works_in_bash(tmp_path: Path) -> None:
    script = sessionize_process("--show-completion", "bash", cwd=tmp_path, env=NAMED).out
    (tmp_path / "sessionize").write_text('#!/bin/sh\nexec python -m sessionize "$@"\n')
    (tmp_path / "sessionize").chmod(0o755)
    asked = 'COMP_WORDS=(sessionize st); COMP_CWORD=1; _sessionize_completion ./sessionize; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f"{script}\n{asked}"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"state\n", b"")


def test_what_a_log_holds_is_quoted_for_the_shell_or_not_offered(tmp_path: Path) -> None:
    rows = "s,2024-05-01T10:00:00Z,x;touch PWNED\ns,2024-05-01T10:01:00Z,Order Completed\ns,2024-05-01T10:02:00Z,buy\n"
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,event_type\n{rows}")
    line = "sessionize funnel log.csv --step "
    asked = {"_SESSIONIZE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}
    assert sessionize_process(cwd=tmp_path, env=asked).out.split("\n") == [
        "'Order Completed'",
        "buy",
        "'x;touch PWNED'",
        "",
    ]
    asked = {"_SESSIONIZE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    found = sessionize_process(cwd=tmp_path, env=asked).out
    assert ("buy" in found, "PWNED" in found) == (True, False)
