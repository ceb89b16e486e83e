"""A record over several lines, read line by line: what is said, and what comes of typing it."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import Outcome, sessionize

OPEN = 'user_id,time,note\nu1,2024-05-30 10:00:00,"first\nsecond"\nu1,2024-05-30 10:02:00,z\nu1,2024-05-30 10:03:00,z\n'
SAID = "a quote that opens in row 2 is closed in a later line: --multiline reads"


def commands() -> list[tuple[str, ...]]:
    return [
        ("run", "-o", "out"),
        ("run", "-o", "out", "-q"),
        ("run", "-o", "out", "--state", "state", "--batch", "2024-05-30"),
        ("check", "--exit-zero"),
    ]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_an_open_quote_that_a_later_line_closes_is_said_and_typing_it_helps(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text(OPEN)
    assert SAID in words(sessionize(command[0], "log.csv", *command[1:], cwd=tmp_path))
    done = sessionize("run", "log.csv", "-o", "whole", "--multiline", cwd=tmp_path)
    assert (done.code, "3 events" in done.err, "rejected" in done.err) == (0, True, False)


def test_a_quote_that_is_closed_nowhere_says_nothing_of_lines(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user_id,time,note\nu1,2024-05-30 10:00:00,"first\nu1,2024-05-30 10:02:00,z\n')
    assert "--multiline" not in words(sessionize("run", "log.csv", "-o", "out", cwd=tmp_path))


def words(done: Outcome) -> str:
    return " ".join(done.err.split())
