"""`sessionize demo`: a first try without a log."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from console import SAMPLE, sessionize


def next_commands(out: str) -> list[list[str]]:
    """The commands that are told, as a shell would take them."""
    return [shlex.split(line)[1:] for line in re.findall(r"^  (sessionize .*?)   +\S.*$", out, re.MULTILINE)]


@pytest.mark.slow
@pytest.mark.parametrize("folder", [(), ("elsewhere/for a try",)], ids=["here", "elsewhere"])
def test_each_of_the_next_three_commands_works(tmp_path: Path, folder: tuple[str, ...]) -> None:
    done = sessionize("demo", *folder, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    written = tmp_path / (folder or ("demo",))[0] / "events.csv"
    assert written.read_bytes() == (SAMPLE / "events.csv").read_bytes()
    told = next_commands(done.out)
    assert [command[0] for command in told[1:]] == ["show", "run"]
    assert len(told) == 3
    for command in told:
        ran = sessionize(*command, cwd=tmp_path)
        assert ran.code == 0, ran.err
    assert (written.parent / "out" / "manifest.json").is_file()
    assert "658" in sessionize(*told[0], cwd=tmp_path).out


def test_it_can_be_asked_for_again(tmp_path: Path) -> None:
    first, second = (sessionize("demo", cwd=tmp_path) for _ in range(2))
    assert first == second


def test_it_writes_over_nobodys_file(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "events.csv").write_text("mine")
    done = sessionize("demo", cwd=tmp_path)
    assert done.code == 2
    assert "was not written by this command" in done.err
    assert (tmp_path / "demo" / "events.csv").read_text() == "mine"


def test_where_a_file_lies_there_is_no_folder_to_make(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    assert sessionize("demo", cwd=tmp_path).code == 4
    assert (tmp_path / "demo").read_text() == "mine"


@pytest.mark.parametrize("folder", ["", "s3://bucket/demo"])
def test_a_folder_is_one_of_this_machine(tmp_path: Path, folder: str) -> None:
    done = sessionize("demo", folder, cwd=tmp_path)
    assert done.code == 2
    assert list(tmp_path.iterdir()) == []
