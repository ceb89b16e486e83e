"""`sessionize check` as a user calls it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from console import SAMPLE, sessionize
from junitparser import JUnitXml

LOG = SAMPLE / "events.csv"
FAILS = ("--max-rejected", "5")


def test_a_sound_log_passes_and_says_so_on_stdout(tmp_path: Path) -> None:
    done = sessionize("check", LOG, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "pass  rejected" in done.out
    assert re.fullmatch(r"\d+ passed, \d+ not measured", done.out.splitlines()[-1])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (FAILS, 1),
        (("--max-rejected", "6"), 0),
        ((*FAILS, "--exit-zero"), 0),
        (("--until", "2024-05-30T23:30:00Z", "--error-on-warning"), 1),
        (("--output-format", "yaml"), 2),
        (("--session-id", "nothing"), 2),
        (("--output-file", "no/such/folder/x"), 4),
    ],
)
def test_the_exit_code_says_who_must_act(options: tuple[str, ...], code: int, tmp_path: Path) -> None:
    done = sessionize("check", LOG, *options, cwd=tmp_path)
    assert done.code == code, done.out + done.err
    assert "Traceback" not in done.err
    if code:
        assert done.err.startswith("error: ")


def test_a_log_that_cannot_be_read_is_three(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    for name in ("empty.csv", "absent.csv"):
        assert sessionize("check", name, cwd=tmp_path).code == 3


@pytest.mark.slow
def test_concise_names_file_and_line_and_quiet_says_nothing_of_what_passes(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(LOG.read_bytes())
    done = sessionize("check", "log.csv", *FAILS, "--output-format", "concise", cwd=tmp_path)
    assert done.out.splitlines()[0].startswith("log.csv:250: fail rejected: 6 of 2,947 rows")
    assert sessionize("check", "log.csv", *FAILS, "-q", cwd=tmp_path).out == done.out
    assert sessionize("check", "log.csv", "-q", cwd=tmp_path)[1:] == ("", "")


def test_the_findings_of_a_failed_check_are_written_whole_into_a_file(tmp_path: Path) -> None:
    done = sessionize("check", LOG, *FAILS, "--output-format", "junit", "--output-file", "x.xml", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert JUnitXml.fromfile(str(tmp_path / "x.xml")).failures == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.xml"]


def test_the_configuration_that_init_writes_passes_on_the_same_log(tmp_path: Path) -> None:
    options = ("--session-id", "session_id", "--timeout", "45m", "--split-at-midnight")
    made = sessionize("check", LOG, *options, "--init", cwd=tmp_path)
    assert made.code == 0, made.err
    text = (tmp_path / "sessionize.toml").read_text()
    assert 'session-id = ["session_id"]\n' in text
    assert 'timeout = "45m"\n' in text
    done = sessionize("check", LOG, "--error-on-warning", "--json", cwd=tmp_path)
    assert done.code == 0, done.out
    found = {each["check"]: each for each in json.loads(done.out)["checks"]}
    assert (found["missing-columns"]["status"], found["unknown-event-types"]["status"]) == ("passed", "passed")
    assert sessionize("run", LOG, "-o", "out", cwd=tmp_path).code == 0
    rules = json.loads((tmp_path / "out" / "manifest.json").read_text())["rules"]
    assert (rules["timeout_s"], rules["split_at_midnight"]) == (2700, True)


HEADER = "user_id,event_id,timestamp,event_type\n"


def rows(number: int, bad: int = 0, day: int = 27, repeated: int = 0) -> str:
    """Some events of a day, of which some have no time, and some are there twice."""
    lines = [
        f"u{each % 20},{day}-{each},{'x' if each < bad else f'2024-05-{day}T{each % 24:02}:{each // 24:02}:07Z'},view\n"
        for each in range(number)
    ]
    return "".join([*lines, *lines[number - repeated :]])


def test_init_does_not_bless_a_log_that_fails(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + rows(200, bad=120))
    before = sessionize("check", "log.csv", "--json", cwd=tmp_path)
    made = sessionize("check", "log.csv", "--init", "-q", cwd=tmp_path)
    assert (made.code, before.code) == (0, 1)
    assert "fails by the default bounds, which are kept there: rejected" in " ".join(made.err.split())
    assert "error" not in tomllib.loads((tmp_path / "sessionize.toml").read_text())["check"]["rejected"]
    done = sessionize("check", "log.csv", "-q", cwd=tmp_path)
    assert (done.code, "fail rejected: " in done.out) == (1, True)


def test_init_does_not_bless_the_one_day_that_fails(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for day in range(10, 20):
        (tmp_path / "logs" / f"2024-05-{day}.csv").write_text(HEADER + rows(200, 60 if day == 15 else 0, day))
    made = sessionize("check", "logs", "--init", "-q", cwd=tmp_path)
    assert (made.code, "kept there: rejected (in logs/2024-05-15.csv)" in " ".join(made.err.split())) == (0, True)
    assert sessionize("check", "logs", "-q", cwd=tmp_path).code == 0
    for day, code in ((14, 0), (15, 1)):
        assert sessionize("check", f"logs/2024-05-{day}.csv", "-q", cwd=tmp_path).code == code


def test_init_learns_no_bound_looser_than_the_default_error(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + rows(200, bad=8, repeated=30))
    assert sessionize("check", "log.csv", "--init", cwd=tmp_path).err.startswith("wrote sessionize.toml")
    section = tomllib.loads((tmp_path / "sessionize.toml").read_text())["check"]
    assert (section["rejected"]["error"], section["duplicates"]["error"]) == ("5%", "20%")
    assert sessionize("check", "log.csv", "--error-on-warning", "-q", cwd=tmp_path).code == 0


@pytest.mark.parametrize("typed", [(), ("--where", "user_id = 'nobody'")])
def test_init_learns_nothing_of_a_log_without_events(typed: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + (rows(20) if typed else ""))
    made = sessionize("check", "log.csv", "--init", *typed, cwd=tmp_path)
    assert (made.code, "there are no events in log.csv to learn bounds from" in made.err) == (2, True), made.err
    assert not (tmp_path / "sessionize.toml").exists()


@pytest.mark.slow
def test_a_log_that_differs_fails_by_the_learnt_configuration(tmp_path: Path) -> None:
    sessionize("check", LOG, "--init", cwd=tmp_path)
    other = LOG.read_bytes().replace(b",page_url,", b",page,", 1).replace(b"page-view", b"Page View")
    (tmp_path / "other.csv").write_bytes(other)
    done = sessionize("check", "other.csv", "--json", cwd=tmp_path)
    assert done.code == 1
    found = {each["check"]: each["status"] for each in json.loads(done.out)["checks"]}
    assert (found["missing-columns"], found["new-columns"], found["unknown-event-types"]) == (
        "failed",
        "warned",
        "failed",
    )


@pytest.mark.slow
def test_init_changes_no_file_that_is_there_unless_forced_and_then_only_what_it_wrote(tmp_path: Path) -> None:
    file = tmp_path / "sessionize.toml"
    mine = '# mine\ntimeout = "20m"\nformat = "ndjson"\n\n[[check.custom]]\nname = "x"\nsql = "SELECT COUNT(*) * 0 FROM events"\n'
    file.write_text(mine)
    refused = sessionize("check", LOG, "--init", cwd=tmp_path)
    assert (refused.code, file.read_text()) == (2, mine)
    assert "--force" in refused.err
    for _ in range(2):
        assert sessionize("check", LOG, "--init", "--force", cwd=tmp_path).code == 0
        text = file.read_text()
        assert text.startswith(mine)
        assert text.count("[check.rejected]") == text.count("# Data checks of") == 1
    assert sessionize("check", LOG, cwd=tmp_path).code == 0


def test_bounds_and_checks_of_ones_own_come_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text(
        "[check]\nexamples = 1\nwhole-minutes = false\n"
        '[check.bounce-rate]\nerror = "50%..60%"\n'
        '[[check.custom]]\nname = "robots"\nsql = "SELECT session_id FROM sessions WHERE events > 100"\nwarn = 0\n'
    )
    done = sessionize("check", LOG, "--json", cwd=tmp_path)
    assert done.code == 1
    found = {each["check"]: each for each in json.loads(done.out)["checks"]}
    assert found["bounce-rate"]["status"] == "failed"
    assert (found["robots"]["status"], len(found["robots"]["examples"])) == ("warned", 1)
    assert "whole-minutes" not in found


@pytest.mark.parametrize("section", ["bounse-rate = 1", "[check.bounce-rate]\nwarn = 'x'", "check = 5"])
def test_a_wrong_configuration_is_two(section: str, tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text(section if "check" in section else f"[check]\n{section}")
    assert sessionize("check", LOG, cwd=tmp_path).code == 2


@pytest.mark.slow
def test_a_baseline_is_a_file_of_findings_or_a_run(tmp_path: Path) -> None:
    assert sessionize("check", LOG, "--json", "--output-file", "before.json", "-q", cwd=tmp_path).code == 0
    sessionize("run", LOG, "-o", "out", "-q", cwd=tmp_path)
    for baseline in ("before.json", "out"):
        done = sessionize("check", "out", "--baseline", baseline, "--error-on-warning", cwd=tmp_path)
        assert done.code == 0, done.out
        assert "change-of-sessions" in done.out
        longer = sessionize(
            "check", LOG, "--baseline", baseline, "--timeout", "1s", "--max-change", "10%", cwd=tmp_path
        )
        assert longer.code == 1
        assert "FAIL  change-of-sessions" in longer.out


def test_stdin_is_checked_too(tmp_path: Path) -> None:
    done = sessionize("check", "-", "--json", cwd=tmp_path, stdin=LOG.read_bytes())
    found = {each["check"]: each for each in json.loads(done.out)["checks"]}
    assert (done.code, found["rejected"]["number"]) == (0, 6)
    assert "--until" in found["future-timestamps"]["message"]
