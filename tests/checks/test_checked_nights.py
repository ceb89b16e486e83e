"""What nights write is checked as one log, and CI systems are told, whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from console import Outcome, sessionize
from night_logs import name_of, write_log


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Four nights, the third left out."""
    write_log(tmp_path / "logs", 4)
    for day in (0, 1, 3):
        asked = (
            "-o",
            "out",
            "--state",
            "state",
            "--batch",
            name_of(day),
            "-q",
            "--max-late",
            "100%",
            "--max-early",
            "9",
        )
        assert sessionize("run", f"logs/{name_of(day)}.csv", *asked, "--allow-gap", cwd=tmp_path).code == 0
    return tmp_path


def check(place: Path, *arguments: str) -> Outcome:
    return sessionize("check", *arguments, cwd=place)


def findings(place: Path, *arguments: str) -> dict[str, dict[str, object]]:
    found = json.loads(check(place, *arguments, "--json").out)
    return {each["check"]: each for each in found["checks"]}


@pytest.mark.parametrize("typed", [["out"], ["out/batch=*"]])
def test_nights_are_checked_as_one_log_and_the_day_that_is_missing_fails(place: Path, typed: list[str]) -> None:
    told = check(place, *typed, "--json")
    found = json.loads(told.out)
    assert told.code == 1
    (missing,) = [each for each in found["checks"] if each["check"] == "missing-days"]
    assert (missing["number"], missing["message"]) == (1, "1 days have no folder: 2024-05-03")
    manifests = [json.loads(path.read_text()) for path in sorted((place / "out").glob("batch=*/manifest.json"))]
    counts = found["counts"]
    for name in ("rows_read", "events", "sessions", "rejected"):
        assert counts[name] == sum(each["counts"][name] for each in manifests)
    assert counts["profiles"] == 6
    assert counts["rows_read"] == sum(
        counts[name] for name in ("events", "rejected", "duplicates", "late", "early", "carried_out")
    )


def test_one_night_is_checked_alone(place: Path) -> None:
    assert json.loads(check(place, "out/batch=2024-05-02", "--json").out)["counts"]["sessions"] > 0


@pytest.mark.slow
def test_missing_days_are_told_from_the_names_of_files_but_not_of_weekly_ones(place: Path) -> None:
    (place / "logs/2024-05-03.csv").unlink()
    (finding,) = [each for name, each in findings(place, "logs").items() if name == "missing-days"]
    assert (finding["number"], finding["message"]) == (1, "1 days have no file: 2024-05-03")
    (place / "logs/2024-05-02.csv").rename(place / "logs/2024-05-09.csv")
    assert findings(place, "logs")["missing-days"]["status"] == "not_measured"
    assert findings(place, "logs/2024-05-01.csv")["missing-days"]["status"] == "not_measured"


def test_reports_are_written_beside_what_the_terminal_shows(place: Path) -> None:
    told = check(place, "out", "--report", "junit=checks.xml", "--report", "gitlab=codequality.json")
    assert told.code == 1
    assert "FAIL  missing-days" in told.out
    case = ET.parse(place / "checks.xml").getroot().find(".//testcase[@name='missing-days']")  # noqa: S314
    assert case is not None
    assert case.find("failure") is not None
    assert "missing-days" in [each["check_name"] for each in json.loads((place / "codequality.json").read_text())]


@pytest.mark.parametrize(
    "options", [["--report", "junit=c.xml"], ["--output-format", "junit", "--output-file", "c.xml"]]
)
def test_a_report_is_written_also_where_the_input_is_missing(place: Path, options: list[str]) -> None:
    assert check(place, "logs/none.csv", *options).code == 3
    suite = ET.parse(place / "c.xml").getroot()[0]  # noqa: S314
    assert suite.attrib["failures"] == "1"
    (failure,) = suite.iter("failure")
    assert "logs/none.csv: no such file" in failure.attrib["message"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["junit"], "for example --report junit=checks.xml"),
        (["xml=c.xml"], "choose from full, concise"),
        (["json=logs/2024-05-01.csv"], "is an input"),
        (["json=a", "--report", "full=./a"], "two reports go into one file"),
    ],
)
def test_reports_that_cannot_be_meant_are_exit_2(place: Path, options: list[str], told: str) -> None:
    before = (place / "logs/2024-05-01.csv").read_bytes()
    done = check(place, "logs/2024-05-01.csv", "--report", *options)
    assert (done.code, told in done.err) == (2, True), done.err
    assert (place / "logs/2024-05-01.csv").read_bytes() == before


@pytest.mark.slow
def test_a_warning_is_in_a_class_of_its_own(place: Path) -> None:
    (place / "logs/2024-05-05.csv").touch()
    assert "warn  unread-files" in check(place, "logs", "--report", "junit=c.xml").out
    cases = {case.attrib["name"]: case for case in ET.parse(place / "c.xml").iter("testcase")}  # noqa: S314
    assert cases["unread-files"].attrib["classname"] == "sessionize.check.warning"
    assert (cases["unread-files"].findtext("system-out") or "").startswith("warning: 1 files were found and not read")


def custom(place: Path, sql: str, bound: str = "error = 0") -> None:
    (place / "sessionize.toml").write_text(f"[[check.custom]]\nname = 'ours'\nsql = '''{sql}'''\n{bound}\n")


def test_a_custom_check_whose_number_is_null_fails(place: Path) -> None:
    custom(place, "SELECT SUM(value) FROM sessions WHERE session_id = 'none'")
    found = findings(place, "out/batch=2024-05-01")["ours"]
    assert (found["status"], "COALESCE" in str(found["message"])) == ("failed", True)
    custom(place, "SELECT SUM(value) FROM sessions WHERE session_id = 'none'", "warn = 0")
    assert findings(place, "out/batch=2024-05-01")["ours"]["status"] == "warned"
    custom(place, "SELECT COALESCE(SUM(value), 0) FROM sessions WHERE session_id = 'none'")
    assert findings(place, "out/batch=2024-05-01")["ours"]["status"] == "passed"


@pytest.mark.parametrize("name", ["{batch}", "{date}"])
@pytest.mark.parametrize("log", ["out/batch=2024-05-02", "logs/2024-05-02.csv"])
def test_a_query_may_ask_for_the_batch_and_its_day(place: Path, name: str, log: str) -> None:
    table, column = ("sessions", "start") if log.startswith("out") else ("events", "timestamp")
    custom(place, f"SELECT * FROM {table} WHERE CAST({column} AS DATE) > CAST('{name}' AS DATE) + INTERVAL '1 day'")
    assert findings(place, log)["ours"]["number"] == 0
    several = check(place, "out")
    assert (several.code, "it names several: 2024-05-01, 2024-05-02" in several.err) == (2, True)


@pytest.mark.slow
def test_gitlab_is_told_paths_from_the_repository(place: Path) -> None:
    (place / ".git").mkdir()
    log = place / "logs/2024-05-01.csv"
    log.write_text(log.read_text() + "a,b\n" * 10)
    for cwd, typed in (
        (place, str(log)),
        (place / "logs", "2024-05-01.csv"),
        (place / "out", "../logs/2024-05-01.csv"),
    ):
        told = sessionize("check", typed, "--output-format", "gitlab", cwd=cwd)
        assert {each["location"]["path"] for each in json.loads(told.out)} == {"logs/2024-05-01.csv"}


def test_a_night_that_is_not_run_again_is_judged_as_it_was(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", 1)
    (tmp_path / "x.toml").write_text('[check.rows]\nerror = "100000.."\n')
    typed = ("run", f"logs/{name_of(0)}.csv", "-o", "out", "--state", "state", "--max-early", "100%", "-q", "--check")
    batch = ("--batch", name_of(0), "--config", "x.toml")
    first = sessionize(*typed, *batch, "--report", "junit=1.xml", "--report", "json=1.json", cwd=tmp_path)
    again = sessionize(*typed, *batch, "--report", "junit=2.xml", "--report", "json=2.json", cwd=tmp_path)
    assert (first.code, again.code) == (1, 1)
    assert again.err == first.err
    assert "checks failed: rows" in again.err
    for ending in ("xml", "json"):
        assert (tmp_path / f"1.{ending}").read_text() == (tmp_path / f"2.{ending}").read_text()
    compact = ("--batch", name_of(0).replace("-", ""), "--config", "x.toml")
    assert sessionize(*typed, *compact, cwd=tmp_path).code == 1
    many = ("--batch-from-name", "{date}.csv", "--config", "x.toml")
    assert sessionize(*typed, *many, cwd=tmp_path).code == 0


def test_a_night_that_was_run_without_checks_and_is_not_run_again_is_said_not_to_be_checked(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", 1)
    typed = ("run", f"logs/{name_of(0)}.csv", "-o", "out", "--state", "state", "--max-early", "100%", "-q")
    sessionize(*typed, "--batch", name_of(0), cwd=tmp_path)
    code, _, said = sessionize(*typed, "--batch", name_of(0), "--check", cwd=tmp_path)
    assert (code, "was run before without --check, and is not checked now" in said) == (0, True)
