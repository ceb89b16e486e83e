"""`run --check`: a run judged in its own pass, over a whole log and over nights; what a night says of nights before it."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from console import Outcome, sessionize
from junitparser import JUnitXml

HEAD = "time,user_id,event_type,page,value\n"
FIRST = date(2024, 5, 6)
STRICT = "[check.null-profile-ids]\nerror = 0\n[check.rejected]\nerror = '100%'\n"


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def write(place: Path, number: int, sessions: int = 60, value: str = "9.5", more: str = "") -> Path:
    """A night's log."""
    (place / "logs").mkdir(exist_ok=True)
    lines = [
        f"{day(number)}T{each * 22 // sessions:02}:{each % 60:02}:{5 + 10 * place_:02}Z,u{each},page-view,/{each % 5},{value}\n"
        for each in range(sessions)
        for place_ in range(3)
    ]
    path = place / "logs" / f"{day(number)}.csv"
    path.write_text(HEAD + "".join(lines) + more)
    return path


def night(place: Path, number: int, *more: str) -> Outcome:
    return sessionize(
        "run",
        f"logs/{day(number)}.csv",
        "-o",
        "out",
        "--state",
        "state",
        "--batch",
        day(number),
        "-q",
        *more,
        cwd=place,
    )


def tree(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path, 0)
    return tmp_path


WAYS = {"whole": (), "night": ("--state", "state", "--batch", day(0))}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return WAYS[request.param]


def run(place: Path, way: tuple[str, ...], *more: str) -> Outcome:
    return sessionize("run", f"logs/{day(0)}.csv", "-o", "out", "-q", *way, *more, cwd=place)


def folder(place: Path, way: tuple[str, ...]) -> Path:
    return place / "out" / f"batch={day(0)}" if way else place / "out"


def test_a_sound_run_is_silent_and_its_findings_lie_beside_its_outputs(place: Path, way: tuple[str, ...]) -> None:
    assert run(place, way, "--check") == (0, "", "")
    manifest = json.loads((folder(place, way) / "manifest.json").read_text())
    assert [each["path"] for each in manifest["outputs"]] == ["sessions.parquet", "metrics.parquet", "checks.json"]
    assert manifest["profile"]["day"] == day(0)
    assert json.loads((folder(place, way) / "checks.json").read_text())["passed"] is True


def test_a_run_finds_what_check_finds(place: Path, way: tuple[str, ...]) -> None:
    alone = json.loads(sessionize("check", f"logs/{day(0)}.csv", "--json", cwd=place).out)
    run(place, way, "--check")
    within = json.loads((folder(place, way) / "checks.json").read_text())
    verdicts = [{each["check"]: each["status"] for each in found["checks"]} for found in (alone, within)]
    assert verdicts[0] == verdicts[1]


def test_a_check_that_fails_is_exit_one_and_the_outputs_are_complete(place: Path, way: tuple[str, ...]) -> None:
    write(place, 0, more=f"{day(0)}T23:00:00Z,,page-view,/,\n{day(0)}T23:01:00Z,null,page-view,/,\n")
    (place / "sessionize.toml").write_text("[check.null-words]\nerror = 0\n[check.rejected]\nerror = 0\n")
    done = run(place, way, "--check")
    assert done.code == 1
    assert "fail rejected: 1 of 182 rows" in done.err
    assert done.err.splitlines()[-2].startswith("error: ")
    assert (folder(place, way) / "metrics.parquet").exists()


def test_check_first_publishes_nothing_when_a_check_fails_and_leaves_what_was_there(
    place: Path, way: tuple[str, ...]
) -> None:
    (place / "sessionize.toml").write_text("[check.rejected]\nerror = '100%'\n")
    assert run(place, way, "--check-first").code == 0
    before = tree(place / "out") | {f"state/{name}": each for name, each in tree(place / "state").items()}
    write(place, 0, more=f"{day(0)}T23:00:00Z,,page-view,/,\n")
    (place / "sessionize.toml").write_text("[check.rejected]\nerror = 0\n")
    done = run(place, way, "--check-first", *(("--redo",) if way else ()))
    assert done.code == 1
    assert "hint: nothing was published" in done.err
    after = tree(place / "out") | {f"state/{name}": each for name, each in tree(place / "state").items()}
    assert {name for name in after if before.get(name) != after[name]} == set()


def test_reports_are_written_of_a_run_that_fails_its_checks_and_of_one_without_a_log(place: Path) -> None:
    (place / "sessionize.toml").write_text("[check.rows]\nerror = '1000..'\n")
    reports = ("--report", "junit=a.xml", "--report", "markdown=a.md")
    assert run(place, (), "--check", *reports).code == 1
    assert {
        case.name for case in JUnitXml.fromfile(str(place / "a.xml")).__iter__().__next__() if not case.is_passed
    } >= {"rows"}
    assert "| FAIL | rows |" in (place / "a.md").read_text()
    (place / "logs" / f"{day(0)}.csv").write_text("")
    assert run(place, (), "--check", *reports).code == 3
    assert "| FAIL | input |" in (place / "a.md").read_text()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--baseline", "out/batch=*"), "error: --baseline needs --check"),
        (("--report", "junit=x.xml"), "error: --report needs --check"),
        (("--check", "--report", "yaml=x"), "error: invalid value 'yaml' for --report"),
    ],
)
def test_what_belongs_to_checks_needs_them(place: Path, typed: tuple[str, ...], said: str) -> None:
    done = run(place, (), *typed)
    assert (done.code, done.err.startswith(said)) == (2, True), done.err
    assert not (place / "out").exists()


def test_a_report_of_many_nights_would_be_written_over_by_each(place: Path) -> None:
    done = sessionize("run", "logs/*.csv", "-o", "out", "--state", "s", "--batch-from-name", "{date}.csv", "--check",
                      "--report", "junit=x.xml", cwd=place)  # fmt: skip
    assert (done.code, "each night would replace it" in done.err) == (2, True)


def test_the_row_of_a_dimension_that_a_run_does_not_carry_says_what_to_type(place: Path, way: tuple[str, ...]) -> None:
    text = (place / "logs" / f"{day(0)}.csv").read_text().splitlines()
    lines = [f"{line},{'device' if not number else 'phone'}" for number, line in enumerate(text)]
    (place / "logs" / f"{day(0)}.csv").write_text("\n".join(lines) + "\n")
    (place / "sessionize.toml").write_text('[check.days]\ndimensions = ["device"]\n')
    done = run(place, way, "--check")
    said = "[check.days] dimensions: the run does not carry 'device'\n  hint: --dimension device\n"
    assert (done.code, done.err) == (2, f"error: {place / 'sessionize.toml'}: {said}")
    assert run(place, way, "--check", "--dimension", "device").code == 0


@pytest.mark.slow
def test_nights_are_judged_by_the_nights_before_them(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path, number, 60 + number % 3)
        assert night(tmp_path, number, "--check", "--baseline", "out/batch=*") == (0, "", "")
    write(tmp_path, 6, value="950")
    done = night(tmp_path, 6, "--check-first", "--baseline", "out/batch=*")
    assert done.code == 1
    assert "fail daily-amount" in done.err
    assert not (tmp_path / f"out/batch={day(6)}").exists()
    write(tmp_path, 6)
    assert night(tmp_path, 6, "--check-first", "--baseline", "out/batch=*") == (0, "", "")


@pytest.mark.slow
def test_a_night_that_is_there_already_is_checked_by_the_nights_before_it(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path, number, 60 if number < 5 else 3)
        assert night(tmp_path, number) == (0, "", "")
    done = sessionize("check", f"out/batch={day(5)}", "--baseline", "out/batch=*", "-q", cwd=tmp_path)
    assert done.code == 1
    assert f"fail daily-volume: 3 of 3 figures are out of bounds: {day(5)}: number of " in done.out
    assert sessionize("check", f"out/batch={day(4)}", "--baseline", "out", "-q", cwd=tmp_path) == (0, "", "")
    log = sessionize("check", f"logs/{day(5)}.csv", "--baseline", "out/batch=*", "-q", cwd=tmp_path)
    assert "fail daily-volume" in log.out


@pytest.mark.slow
def test_a_baseline_may_be_what_earlier_checks_have_written_and_must_be_something(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, number, 60 if number < 4 else 2)
        sessionize("check", f"logs/{day(number)}.csv", "--json", "--output-file", f"{number}.json", cwd=tmp_path)
    done = sessionize("check", f"logs/{day(4)}.csv", "--baseline", "[0-3].json", "-q", cwd=tmp_path)
    assert (done.code, "fail daily-volume" in done.out) == (1, True)
    done = sessionize("check", f"logs/{day(4)}.csv", "--baseline", "nothing/*", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[0]) == (2, "error: --baseline nothing/*: there is no run")


def test_a_run_of_which_no_night_is_there_yet_says_so_unless_it_is_quiet(place: Path) -> None:
    done = sessionize("run", f"logs/{day(0)}.csv", "-o", "out", *WAYS["night"], "--check", "--baseline", "out/batch=*",
                      cwd=place)  # fmt: skip
    assert (done.code, "there is no night yet to compare with" in " ".join(done.err.split())) == (0, True)


def test_a_summary_of_a_run_can_be_mailed(place: Path, way: tuple[str, ...]) -> None:
    assert run(place, way, "--summary-file", "night.md") == (0, "", "")
    text = (place / "night.md").read_text()
    assert text.startswith(f"# sessionize `{day(0)}`: done\n" if way else "# sessionize: done\n")
    assert "| rows read | 180 |\n" in text
    assert "| `metrics.parquet` |" in text
    (place / "sessionize.toml").write_text("[check.rows]\nerror = '1000..'\n")
    assert run(place, way, "--summary-file", "night.md", "--check", *(("--redo",) if way else ())).code == 1
    text = (place / "night.md").read_text()
    assert "someone should look at it (exit code 1)" in text.splitlines()[0]
    assert "| FAIL | rows |" in text
    assert "| pass |" not in text
    (place / "logs" / f"{day(0)}.csv").unlink()
    assert run(place, way, "--summary-file", "night.md").code == 3
    assert "failed, exit code 3" in (place / "night.md").read_text().splitlines()[0]
    (place / "night.md").write_text("dear diary\n")
    assert run(place, way, "--summary-file", "night.md").code == 2
    assert (place / "night.md").read_text() == "dear diary\n"


@pytest.mark.slow
def test_the_next_night_misses_the_output_of_one_before_it(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, number)
    for number in range(3):
        night(tmp_path, number)
    shutil.rmtree(tmp_path / f"out/batch={day(1)}")
    done = night(tmp_path, 3)
    assert (done.code, done.err.splitlines()[0]) == (1, f"error: the output of batch={day(1)} is not there any more")
    assert (tmp_path / f"out/batch={day(3)}/metrics.parquet").exists()
    for number in range(1, 4):  # as the hint says
        assert night(tmp_path, number, *(("--redo",) if number == 1 else ())).code == 0
    assert night(tmp_path, 4) == (0, "", "")


def test_the_second_night_misses_the_first_one(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path, number)
    night(tmp_path, 0)
    shutil.rmtree(tmp_path / f"out/batch={day(0)}")
    assert night(tmp_path, 1).code == 1


@pytest.mark.slow
def test_nights_that_were_cleared_away_or_are_kept_elsewhere_are_not_missed(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, number)
    for number in range(3):
        night(tmp_path, number)
    shutil.rmtree(tmp_path / f"out/batch={day(0)}")  # the oldest
    assert night(tmp_path, 3) == (0, "", "")
    shutil.rmtree(tmp_path / "out")  # all of them
    assert night(tmp_path, 4) == (0, "", "")
