"""The one table of options: what it promises holds for every command, on the command line and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import SAMPLE, sessionize

from sessionize.cli import app
from sessionize.cli.options import OPTIONS, known, taken_by

COMMANDS = ("run", "check", "compare", "state")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_stands_in_its_help(command: str, tmp_path: Path) -> None:
    app.load_all()
    shown = sessionize(command, "--help", cwd=tmp_path).out
    names = {flag for row in taken_by(command) for flag in (row.flags or (f"--{row.name.replace('_', '-')}",))}
    assert {name for name in names if name not in shown} == set()


def test_every_option_that_takes_a_value_says_its_default_or_that_it_repeats() -> None:
    app.load_all()
    silent = {"batch", "output", "map", "property", "trait"}
    texts = [row for row in known().values() if row.kind != "flag" and row.name not in silent]
    assert [row.name for row in texts if "[default:" not in row.help and "Repeatable" not in row.help] == []


def test_no_two_options_share_a_name() -> None:
    app.load_all()
    for command in COMMANDS:
        names = [row.name for row in taken_by(command)]
        assert sorted(set(names)) == sorted(names)
    assert len({row.name for row in OPTIONS}) == len(OPTIONS)


@pytest.mark.slow
def test_a_file_for_several_commands_is_read_by_each_for_its_own_part(tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text('output-format = "concise"\nno-sessions = true\ntimeout = "45m"\n')
    ran = sessionize("run", SAMPLE / "events.csv", "-o", "out", cwd=tmp_path)
    checked = sessionize("check", SAMPLE / "events.csv", "--exit-zero", cwd=tmp_path)
    assert (ran.code, checked.code) == (0, 0)
    assert not (tmp_path / "out" / "sessions.parquet").exists()
    assert '"timeout_s": 2700.0' in (tmp_path / "out" / "manifest.json").read_text()


@pytest.mark.parametrize("command", [("run", "-o", "out"), ("check",)])
def test_an_option_that_no_command_has_is_refused_with_the_nearest_name(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "sessionize.toml").write_text('output-fromat = "concise"\n')
    found = sessionize(*command, SAMPLE / "events.csv", cwd=tmp_path)
    assert found.code == 2
    assert "no such option: output-fromat" in found.err
    assert "did you mean output-format?" in found.err
