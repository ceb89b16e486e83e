"""What is said of a slip names what was typed, and what is ignored is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console import sessionize

import sessionize as library
from sessionize import UsageError

HEAD = "user_id,event_id,timestamp,event_type,page_url\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A log of two events."""
    rows = "a,e1,2024-05-27T10:00:00Z,page-view,/a\nb,e2,2024-05-27T10:00:00Z,cart,/b\n"
    (tmp_path / "log.csv").write_text(HEAD + rows)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("show log.csv --longest --seed 4", "--longest and --seed cannot both", ""),
        ("show log.csv --longest --random --seed 4", "--longest and --random cannot both", ""),
        ("log.csv --by evnts", "--by 'evnts': neither", "did you mean 'events'? it has"),
        ("log.csv --by evetn_id", "--by 'evetn_id': neither", "did you mean 'event_id'? it has"),
        ("state log.csv", "log.csv is a file, and a state is a folder", "sessionize state DIR"),
        ("log.csv --config nix.toml", "nix.toml: no such file", "--config names a TOML file"),
        ("log.csv --config .", ".: is a directory", "--config names a TOML file"),
        ("log.csv --min 30", "--min is of groups, and there are none", "--by day --min 30"),
        ("log.csv --top 3", "--top is of groups, and there are none", "--by day --top 3"),
        ("check log.csv --max-change 20%", "--max-change is of a baseline", "--baseline RUN --max-change 20%"),
        ("check log.csv --force", "--force says what --init may do", "--init --force"),
    ],
)
def test_what_is_said_names_what_was_typed(typed: str, message: str, hint: str, place: Path) -> None:
    said = sessionize(*typed.split(), cwd=place)
    assert (said.code, said.out) == (2, "")
    assert f"error: {message}" in said.err
    assert not hint or f"hint: {hint}" in said.err


def test_what_a_configuration_file_says_for_other_commands_is_no_slip(place: Path) -> None:
    (place / "sessionize.toml").write_text("top = 5\nmax-change = '20%'\n")
    for command in ("summary", "check"):
        assert sessionize(command, "log.csv", cwd=place).code == 0


def test_max_change_without_a_baseline_is_refused_in_python_too(place: Path) -> None:
    with pytest.raises(UsageError, match="max_change is of a baseline"):
        library.check(place / "log.csv", max_change="20%")


@pytest.mark.parametrize(
    "command", ["summary", "show --longest", "timeout", "check", "compare --as ours", "report -o r.md"]
)
def test_a_command_that_writes_nothing_does_not_say_so(command: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"{HEAD}a,e1,yesterday,cart,/a\n")
    name, *options = command.split()
    said = sessionize(name, "log.csv", *options, cwd=tmp_path)
    assert (said.code, "none of 1 rows is an event" in said.err, "nothing was written" in said.err) == (3, True, False)
    assert "nothing was written" in sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).err


@pytest.mark.parametrize("typed", ["summary link.csv", "summary lin*.csv", "check link.csv", "run link.csv -o out"])
def test_a_link_that_leads_nowhere_is_told_as_that(typed: str, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    said = sessionize(*typed.split(), cwd=tmp_path)
    assert (said.code, said.err.splitlines()[-2:]) == (
        3,
        ["error: link.csv: a link that leads nowhere", "  hint: ls -l link.csv shows where it leads"],
    )


def test_a_report_of_sessions_of_one_event_calls_none_shorter_than_nothing(place: Path) -> None:
    page = sessionize("report", "log.csv", "-o", "-", cwd=place).out
    assert "At least half of the sessions last 0 s" in page
    assert "shorter than 0 s" not in page


@pytest.mark.parametrize("condition", ["TRUE", "1 = 1", "2 > 1"])
def test_sql_without_a_column_is_a_step_as_it_is_a_condition(condition: str, place: Path) -> None:
    steps = json.loads(sessionize("funnel", "log.csv", "--step", condition, "--json", cwd=place).out)["steps"]
    assert [step["sessions"] for step in steps] == [2]
    assert json.loads(sessionize("log.csv", "--containing", condition, "--json", cwd=place).out)["sessions"] == 2
    assert json.loads(sessionize("paths", "log.csv", "--from", condition, "--json", cwd=place).out)["total"] == 2
    none = sessionize("funnel", "log.csv", "--step", f"NOT ({condition})", "--json", cwd=place)
    assert json.loads(none.out)["steps"][0]["sessions"] == 0


def test_a_name_that_is_no_sql_is_still_an_event_type(place: Path) -> None:
    (place / "log.csv").write_text(f"{HEAD}a,e1,2024-05-27T10:00:00Z,404,/a\nb,e2,2024-05-27T10:00:00Z,'x',/b\n")
    for name in ("404", "'x'"):
        steps = json.loads(sessionize("funnel", "log.csv", "--step", name, "--json", cwd=place).out)["steps"]
        assert steps[0]["sessions"] == 1
