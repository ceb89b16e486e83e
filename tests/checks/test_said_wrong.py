"""What a team writes into its checks and cannot mean is refused, and what cannot be held to a threshold fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console import sessionize

LOG = "session_id,timestamp,event_type\na,2024-05-27T10:00:00Z,click\n"
CUSTOM = '[[check.custom]]\nname = "x"\nsql = "{0}"\nerror = 0\n'


def checked(folder: Path, config: str) -> tuple[int, str]:
    (folder / "log.csv").write_text(LOG)
    (folder / "c.toml").write_text(config)
    said = sessionize("check", "log.csv", "--config", "c.toml", "-q", cwd=folder)
    return said.code, said.out + said.err


def test_two_checks_of_one_name_are_refused(tmp_path: Path) -> None:
    both = CUSTOM.format("SELECT count(*) FROM events") + CUSTOM.format("SELECT 0")
    code, said = checked(tmp_path, both)
    assert (code, "'x' is there twice" in said) == (2, True)


@pytest.mark.parametrize("sql", ["SELECT CAST('nan' AS DOUBLE)", "SELECT count(*) / 0.0 FROM events"])
def test_a_number_that_is_none_holds_no_threshold(sql: str, tmp_path: Path) -> None:
    code, said = checked(tmp_path, CUSTOM.format(sql))
    assert (code, "fail x: the query's number is" in said) == (1, True), said


def test_known_event_types_are_a_list(tmp_path: Path) -> None:
    code, said = checked(tmp_path, '[check.unknown-event-types]\nknown = "click"\n')
    assert (code, 'known = ["click"]' in said) == (2, True)


def test_only_the_first_night_has_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    night = ["run", "log.csv", "-o", "out", "--state", "st", "--batch", "2024-05-27", "--check", "-q"]
    mistyped = sessionize(*night, "--baseline", "typo/batch=*", cwd=tmp_path)
    assert (mistyped.code, "there is no run" in mistyped.err) == (2, True)
    assert sessionize(*night, "--baseline", "out/batch=*", cwd=tmp_path).code == 0


def test_init_keeps_what_a_file_says_of_a_check(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    said = 'timeout = "5m"\n\n[check]\nmidnight = false\nrejected = {error = "1%"}\n'
    (tmp_path / "sessionize.toml").write_text(said)
    for _ in range(2):
        assert sessionize("check", "log.csv", "--init", "--force", cwd=tmp_path).code == 0
    found = (tmp_path / "sessionize.toml").read_text()
    assert found.startswith(said)
    assert "\n[check.rejected]\n" not in found
    assert "\n[check.null-timestamp]\n" in found
    assert sessionize("check", "log.csv", "-q", cwd=tmp_path).code == 0


def test_init_hides_no_rules_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "pyproject.toml").write_text('[tool.sessionize]\ntimeout = "5m"\n')
    said = sessionize("check", "log.csv", "--init", cwd=tmp_path)
    assert (said.code, "would hide" in said.err, (tmp_path / "sessionize.toml").exists()) == (2, True, False)
    (tmp_path / "sessionize.toml").write_text('timeout = "5m"\n')
    assert sessionize("check", "log.csv", "--init", "--force", cwd=tmp_path).code == 0
    assert "timeout 5 min" in sessionize("check", "log.csv", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[check]\nerror-on-warning = "false"\n', "neither true nor false"),
        ('[check]\nbaseline = ["out"]\n', "is no text"),
        ("[check]\nmax-change = -5\n", "is no percentage"),
        ("[check.schema]\nfoo = 5\n", "[check.schema] foo = 5 is no text"),
        (CUSTOM.format("SELECT 0").replace('"x"', '"rejected"'), "is the name of a check that there is"),
        (CUSTOM.format("SELECT 0").replace('"x"', '" "'), "has no name"),
        (
            CUSTOM.format("SELECT 0").replace("error = 0", 'error = "abc"'),
            "[check.custom 'x'] error: 'abc' is no bound",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(config: str, said: str, tmp_path: Path) -> None:
    assert said in checked(tmp_path, config)[1]
    assert checked(tmp_path, config)[0] == 2


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson"])
def test_a_log_that_was_cut_in_its_last_row_passes_no_check(name: str, tmp_path: Path) -> None:
    rows = [f"u{n % 50},2024-05-27T10:00:{n % 60:02}Z,/a" for n in range(500)]
    lines = ["user_id,timestamp,page", *rows]
    if name == "log.ndjson":
        lines = [json.dumps(dict(zip(lines[0].split(","), row.split(","), strict=True))) for row in rows]
    whole = "\n".join([*lines, ""])
    (tmp_path / name).write_text(whole[:-12])
    said = sessionize("check", name, "-q", "--report", "junit=found.xml", cwd=tmp_path)
    assert (said.code, "cut short" in said.err, "cut short" in (tmp_path / "found.xml").read_text()) == (3, True, True)
    (tmp_path / name).write_text(whole[:-1])
    assert sessionize("check", name, "-q", cwd=tmp_path).code == 0


def test_a_percentage_is_no_bound_of_what_is_counted(tmp_path: Path) -> None:
    code, said = checked(tmp_path, '[check.rows]\nerror = "5%.."')
    assert (code, "[check.rows] error = '5%..' is a percentage" in said, "write error = '5..'" in said) == (
        2,
        True,
        True,
    )
    assert checked(tmp_path, '[check.rows]\nerror = "1.."')[0] == 0


def some_days(*numbers: int) -> str:
    """Thirty sessions of two events on each day of May 2024."""
    head, _ = LOG.split("\n", 1)
    lines = [
        f"s{day}-{each},2024-05-{day:02}T{each % 24:02}:07:{each:02}Z,{name}"
        for day in numbers
        for each in range(30)
        for name in ("view", "click")
    ]
    return "\n".join([head, *lines]) + "\n"


@pytest.mark.parametrize("is_learnt", [False, True])
def test_a_day_that_is_missing_in_the_middle_of_a_small_file_is_a_warning(tmp_path: Path, *, is_learnt: bool) -> None:
    (tmp_path / "whole.csv").write_text(some_days(27, 28, 29))
    (tmp_path / "log.csv").write_text(some_days(27, 29))
    if is_learnt:
        assert sessionize("check", "whole.csv", "--init", cwd=tmp_path).code == 0
    found = {
        each["check"]: each for each in json.loads(sessionize("check", "log.csv", "--json", cwd=tmp_path).out)["checks"]
    }
    assert found["sessions-per-day"]["status"] == "warned"
    assert "2024-05-28 (0)" in found["sessions-per-day"]["message"]
    assert found["hours-without-events"]["status"] == "not_measured"
    assert "too few hours have 50 events" in found["hours-without-events"]["message"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((27, 29), "most of the days that files are named for do not follow each other: 2024-05-27, 2024-05-29"),
        ((27,), "the files are named for one day, 2024-05-27"),
    ],
)
def test_why_no_day_is_known_to_be_missing_is_true(names: tuple[int, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for day in names:
        (tmp_path / "logs" / f"2024-05-{day}.csv").write_text(some_days(day))
    found = json.loads(sessionize("check", "logs", "--json", cwd=tmp_path).out)["checks"]
    (missing,) = (each for each in found if each["check"] == "missing-days")
    assert (missing["status"], missing["message"]) == ("not_measured", said)


WRONG = {
    "[check.bounse-rate]\nerror = 0\n": "[check] knows no 'bounse-rate'",
    '[[check.custom]]\nname = "x"\n': "[[check.custom]] has no name and sql",
    CUSTOM.format("SELECT foo FROM events"): "[[check.custom]] 'x': ",
    '[check.long-sessions]\nhours = "x"\n': "[check.long-sessions] hours = 'x' is no number",
}


@pytest.mark.parametrize("job", [("check",), ("run", "-o", "out", "--check")])
@pytest.mark.parametrize("config", WRONG)
def test_what_is_wrong_in_a_file_that_was_found_names_the_file(
    job: tuple[str, ...], config: str, tmp_path: Path
) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "log.csv").write_text(LOG)
    (tmp_path / "sessionize.toml").write_text(config)
    done = sessionize(*job, "log.csv", cwd=tmp_path / "deeper")
    said = f"error: {tmp_path / 'sessionize.toml'}: {WRONG[config]}"
    assert (done.code, done.err.startswith(said)) == (2, True), done.err


def test_what_is_wrong_in_a_file_that_is_to_be_learnt_into_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "c.toml").write_text("[check.bounse-rate]\nerror = 0\n")
    done = sessionize("check", "log.csv", "--init", "--force", "--config", "c.toml", cwd=tmp_path)
    assert (done.code, done.err.startswith("error: c.toml: [check] knows no 'bounse-rate'")) == (2, True), done.err


@pytest.mark.parametrize("text", [LOG, "[1, 2]", '{"figures": 5}', '{"a": 1}'])
def test_a_baseline_that_is_none_is_told_what_one_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "old.csv").write_text(text)
    for baseline in ("old.csv", "old.*"):
        done = sessionize("check", "log.csv", "--baseline", baseline, cwd=tmp_path)
        assert (done.code, done.err.startswith("error: --baseline old.csv: ")) == (2, True), done.err
        assert "check --output-format json" in done.err
        assert "Expecting value" not in done.err
        assert ("neither a run's output directory nor a file that" in done.err) is (not text.startswith("{"))
