"""Times that are asked of an earlier run's output are those of its days, and of its newest event."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from console import sessionize

import sessionize as package

LOG = """\
session_id,timestamp,page
a,2024-05-30T17:00:00Z,/a
b,2024-05-30T18:30:00Z,/a
c,2024-05-31T03:00:00Z,/b
"""
ZONE = ("--timezone", "Asia/Kathmandu")
"""In which the 31st begins at 18:15 UTC."""


def count(folder: Path, *typed: str) -> int:
    said = sessionize("summary", *typed, "--json", "-q", cwd=folder)
    assert said.code == 0, said.err
    return int(json.loads(said.out)["sessions"])


@pytest.fixture(scope="module", params=["a run", "nights"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zone")
    (folder / "log.csv").write_text(LOG)
    night = ("--state", "state", "--batch", "2024-05-31", "--until", "2024-06-03") if request.param == "nights" else ()
    assert sessionize("run", "log.csv", "-o", "out", "--events", *ZONE, *night, "-q", cwd=folder).code == 0
    return folder


def test_days_to_and_from_which_are_the_days_that_are_shown(folder: Path) -> None:
    (folder / "c.toml").write_text("timezone = 'America/New_York'\n")
    span = ("--since", "2024-05-31", "--until", "2024-06-01")
    assert count(folder, "out", *span) == count(folder, "log.csv", *span, *ZONE) == 2
    assert count(folder, "out", *span, "--config", "c.toml") == 2
    assert count(folder, "out", "--since", "2024-05-31T00:00:00Z") == 1
    said = sessionize("show", "out", "b", "--since", "2024-05-31", "-q", cwd=folder)
    assert said.code == 0, said.err


def test_days_are_the_runs_in_python_too(folder: Path) -> None:
    out = str(folder / "out")
    for since in ("2024-05-31", date(2024, 5, 31), datetime(2024, 5, 31)):  # noqa: DTZ001 - as it may be given
        assert package.summary(out, since=since).data["sessions"] == 2
        assert package.summary([out], until=since).data["sessions"] == 1


def test_the_command_that_is_proposed_for_a_day_finds_its_sessions(folder: Path) -> None:
    said = sessionize("summary", "out", "--by", "day", cwd=folder)
    following = said.out.partition("next: sessionize ")[2].split()
    assert following[:4] == ["summary", "out", "--since", "2024-05-31"]
    assert count(folder, *following[1:]) == 2


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_last_hours_are_those_before_the_newest_event(form: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    later = ("--until", "2024-06-03T00:00:00Z", "--events", "--format", form, "-q")
    sessionize("run", "log.csv", "-o", "out", *later, cwd=tmp_path)
    sessionize("run", "log.csv", "-o", "nights", "--state", "state", "--batch", "2024-05-31", *later, cwd=tmp_path)
    for name in ("log.csv", "out", "nights"):
        assert [count(tmp_path, name, "--last", hours) for hours in ("8h", "9h", "12h")] == [1, 2, 3]
    assert package.summary(str(tmp_path / "out"), last="9h").data["sessions"] == 2
    assert sessionize("show", "out", "--last", "1h", "-q", cwd=tmp_path).code == 0
