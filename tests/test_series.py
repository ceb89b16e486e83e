"""Many nights at once, and what machines read of one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from console import Outcome, sessionize
from night_logs import folders, name_of, write_log
from night_series import HEAD, done, night, outputs, run, unbroken


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Five days of a log."""
    write_log(tmp_path / "logs", 5)
    return tmp_path


# --- many nights at once, and what would be done ------------------------------------------------


def many(place: Path, *more: str) -> Outcome:
    """All files of the folder, each as the batch of its name."""
    return sessionize(
        "run", "logs/*.csv", "-o", "out", "--state", "state", "--batch-from-name", "{date}.csv", "-q", "--max-late",
        "100%", "--max-early", "100%", "--timeout", "2h", *more, cwd=place,
    )  # fmt: skip


@pytest.mark.slow
def test_many_files_are_each_a_batch_in_order_and_as_if_they_had_come_one_by_one(place: Path) -> None:
    whole = unbroken(place)
    for _ in range(2):
        assert many(place) == (0, "", "")
        assert outputs(place) == whole


@pytest.mark.slow
def test_many_nights_stop_at_the_first_that_fails_and_go_on_from_there(place: Path) -> None:
    whole = unbroken(place)
    good = (place / "logs/2024-05-03.csv").read_bytes()
    (place / "logs/2024-05-03.csv").write_bytes(b"time,user_id\nnever,a\n")
    told = many(place)
    assert (told.code, "error: batch 2024-05-03: logs/2024-05-03.csv: none of 1 rows" in told.err) == (3, True)
    assert folders(place) == {"batch=2024-05-01", "batch=2024-05-02"}
    (place / "logs/2024-05-03.csv").write_bytes(good)
    os.utime(place / "logs/2024-05-03.csv", (1_700_000_000, 1_700_000_000))
    assert many(place) == (0, "", "")
    assert outputs(place) == whole


@pytest.mark.slow
def test_a_limit_that_does_not_hold_lets_the_nights_after_it_run_and_is_exit_1_at_the_end(place: Path) -> None:
    log = place / "logs/2024-05-02.csv"
    log.write_text(log.read_text() + "a,b\n" * 10)
    told = many(place)
    assert (told.code, "--max-rejected 5%" in told.err) == (1, True)
    assert len(folders(place)) == 5


def test_a_day_missing_among_many_files_is_exit_3(place: Path) -> None:
    (place / "logs/2024-05-03.csv").unlink()
    told = many(place)
    assert (told.code, "2024-05-03 was not run" in told.err) == (3, True)
    assert folders(place) == {"batch=2024-05-01", "batch=2024-05-02"}


@pytest.mark.slow
def test_batches_too_old_to_be_run_again_are_passed_over(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", 12)
    assert many(tmp_path) == (0, "", "")
    before = outputs(tmp_path)
    assert many(tmp_path) == (0, "", "")
    assert outputs(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("access-20240501.log.csv", "access-{date}.log.csv"), ("x/2024-05-01/part.csv", "{date}/*.csv")],
)
def test_a_name_may_write_its_date_in_either_way_and_in_a_folder(place: Path, name: str, pattern: str) -> None:
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(place / "logs/2024-05-01.csv", place / name)
    asked = ("run", name, "-o", "out", "--state", "state", "--batch-from-name", pattern, "-q", "--max-early", "9")
    assert sessionize(*asked, cwd=place) == (0, "", "")
    assert folders(place) == {"batch=2024-05-01"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--batch-from-name", "x.csv"), "it holds {date} once"),
        (("--batch-from-name", "day-{date}.csv"), "its name is not as --batch-from-name"),
        (("--batch-from-name", "{date}.csv", "--batch", "1"), "--batch-from-name and --batch do not go together"),
    ],
)
def test_patterns_that_do_not_fit_are_refused_before_anything_is_read(
    place: Path, options: tuple[str, ...], told: str
) -> None:
    done = sessionize("run", "logs/*.csv", "-o", "out", "--state", "state", *options, cwd=place)
    assert (done.code, told in done.err) == (2, True)
    assert not (place / "out").exists()


@pytest.mark.slow
def test_dry_run_says_what_would_be_read_written_and_withdrawn_and_does_nothing(place: Path) -> None:
    done(place, 0, 1, 2)
    before = outputs(place)
    late = place / "logs/2024-05-02-late.csv"
    late.write_text(f"{HEAD}2024-05-02T12:00:00,zoe,click,/late\n")
    size = (place / "logs/2024-05-02.csv").stat().st_size
    told = run(place, 1, str(late.relative_to(place)), "--dry-run")
    assert told == (
        0,
        f"batch 2024-05-02: would read logs/2024-05-02.csv ({size / 1000:.1f} kB), logs/2024-05-02-late.csv (65 B); write out/batch=2024-05-02; withdraw out/batch=2024-05-03\n",
        "",
    )
    assert run(place, 1, "--dry-run").out == "batch 2024-05-02: nothing to do\n"
    assert run(place, 4, "--dry-run").code == 3
    assert outputs(place) == before


def test_dry_run_of_many_takes_each_as_done_for_the_next(place: Path) -> None:
    done(place, 0)
    told = many(place, "--dry-run", "--json")
    found = [json.loads(line) for line in told.out.splitlines()]
    assert [each["nothing_to_do"] for each in found] == [True, False, False, False, False]
    assert [each["writes"] for each in found] == [None, *(f"out/batch={name_of(day)}" for day in range(1, 5))]
    assert folders(place) == {"batch=2024-05-01"}


def test_a_name_that_does_not_fit_shows_no_id_of_its_folders(place: Path) -> None:
    (place / "logs/user_id=SECRET").mkdir()
    (place / "logs/2024-05-01.csv").rename(place / "logs/user_id=SECRET/first.csv")
    (place / "key").write_text("0123456789abcdef0123456789abcdef")
    told = many(place, "logs/user_id=SECRET", "--hash-ids", "key")
    assert (told.code, "SECRET" in told.err, "first.csv: its name is not" in told.err) == (2, False, True)


def test_dry_run_without_nights_writes_nothing(place: Path) -> None:
    told = sessionize("run", "logs/2024-05-01.csv", "-o", "one", "--dry-run", cwd=place)
    assert (told.code, told.out.endswith("; write one\n")) == (0, True)
    assert not (place / "one").exists()


# --- what machines read of a night --------------------------------------------------------------


def test_log_format_json_is_a_line_an_event_and_a_quiet_good_night_has_none(place: Path) -> None:
    told = night(place, 0, place / "logs/2024-05-01.csv", "--log-format", "json")
    assert told == (0, "", "")
    asked = ("run", "logs/2024-05-02.csv", "-o", "out", "--state", "state", "--batch", "2024-05-02", "--max-early", "9")
    lines = [json.loads(line) for line in sessionize(*asked, "--log-format", "json", cwd=place).err.splitlines()]
    (last,) = [line for line in lines if line["event"] == "finished"]
    assert (last["level"], last["batch"], last["counts"]["rows_read"] > 30) == ("info", "2024-05-02", True)
    assert last["seconds"] >= 0
    told = sessionize(*asked, "--log-format", "json", cwd=place)
    assert json.loads(told.err)["event"] == "nothing_to_do"
    failed = night(place, 4, place / "logs/2024-05-05.csv", "--log-format", "json")
    line = json.loads(failed.err)
    assert (line["level"], line["event"], line["exit_code"], line["batch"]) == ("error", "failed", 3, "2024-05-05")
    assert "--allow-gap" in line["hint"]


def test_errors_are_json_on_stdout_with_json(place: Path) -> None:
    told = night(place, 0, place / "logs/none.csv", "--json")
    assert (told.code, json.loads(told.out)["error"]["exit_code"]) == (3, 3)
    assert "logs/none.csv: no such file" in json.loads(told.out)["error"]["message"]
    assert "no such file" in told.err
    log = place / "logs/2024-05-01.csv"
    log.write_text(log.read_text() + "a,b\n" * 10)
    told = night(place, 0, log, "--json")
    assert (told.code, json.loads(told.out)["counts"]["rejected"]) == (1, 10)


def test_the_metrics_file_has_the_figures_of_the_run_and_of_a_failed_one_its_exit_code(place: Path) -> None:
    assert night(place, 0, place / "logs/2024-05-01.csv", "--metrics-file", "night.prom").code == 0
    text = (place / "night.prom").read_text()
    assert 'sessionize_rows{kind="rows_read"} 46\n' in text
    assert 'sessionize_last_batch_info{batch="2024-05-01"} 1\n' in text
    assert "sessionize_exit_code 0\n" in text
    assert "sessionize_watermark_timestamp_seconds 1714606200.0\n" in text
    assert text.endswith("# EOF\n")
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) > 8
    assert night(place, 4, place / "logs/2024-05-05.csv", "--metrics-file", "night.prom").code == 3
    assert "sessionize_exit_code 3\n" in (place / "night.prom").read_text()
    before = (place / "logs/2024-05-02.csv").read_bytes()
    assert night(place, 1, place / "logs/2024-05-02.csv", "--metrics-file", "logs/2024-05-02.csv").code == 2
    assert (place / "logs/2024-05-02.csv").read_bytes() == before


@pytest.mark.slow
def test_state_max_age_is_exit_1_where_the_newest_night_is_too_old_or_one_is_missing(place: Path) -> None:
    done(place, 0, 1)
    told = sessionize("state", "state", "--max-age", "36h", cwd=place)
    assert (told.code, "error: the newest night, 2024-05-02, ended at 2024-05-03T00:00:00.000000Z" in told.err) == (
        1,
        True,
    )
    assert sessionize("state", "state", "--max-age", "36500d", cwd=place).code == 0
    assert run(place, 3, "--allow-gap").code == 0
    told = sessionize("state", "state", "--max-age", "36500d", "--json", cwd=place)
    assert (told.code, "2024-05-03 was not run" in told.err) == (1, True)
    assert json.loads(told.out)["missing"] == ["2024-05-03"]
    assert run(place, 2).code == 0
    told = sessionize("state", "state", "--max-age", "36500d", cwd=place)
    assert (told.code, "2024-05-04 must be run again" in told.err) == (1, True)
    assert sessionize("state", "state", "--max-age", "old", cwd=place).code == 2


def test_a_new_state_behind_nights_that_lie_there_is_refused_until_it_is_meant(tmp_path: Path) -> None:
    for day in (1, 2):
        log = f"user,ts\na,2024-05-0{day}T23:50:00Z\n"
        (tmp_path / f"2024-05-0{day}.csv").write_text(log)
    night = ["run", "2024-05-01.csv", "-o", "out", "--batch", "2024-05-01", "-q", "--state"]
    assert sessionize(*night, "state", cwd=tmp_path).code == 0
    typed = ["run", "2024-05-02.csv", "-o", "out", "--state", "stat", "--batch", "2024-05-02", "-q"]
    for dry in ([], ["--dry-run"]):
        said = sessionize(*typed, *dry, cwd=tmp_path)
        assert (said.code, "--state stat is new, and out holds batch=2024-05-01" in said.err) == (2, True), said.err
    flush = ["run", "2024-05-02.csv", "-o", "out", "--state", "stat", "-q", "--batch"]
    assert sessionize(*flush, "end", "--flush", cwd=tmp_path).code == 2
    assert sessionize(*flush[:1], "2024-05-01.csv", *flush[2:], "20240501", cwd=tmp_path).code == 2
    assert sessionize(*typed, "--redo", cwd=tmp_path).code == 0
    assert sessionize(*night, "fresh", cwd=tmp_path).code == 0  # the first of them: nothing before it is lost
    assert sessionize("run", *night[2:-1], "--state", "fresh", "--flush", "--batch", "end", cwd=tmp_path).code == 0
    assert sessionize(*night, "fresher", cwd=tmp_path).code == 2  # what was flushed would stay beside it
