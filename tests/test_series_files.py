"""The wrong file for a night: what goes wrong is said, and what the hints say to type works."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
from console import sessionize
from night_logs import name_of, write_log
from night_series import HEAD, done, night, run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Five days of a log."""
    write_log(tmp_path / "logs", 5)
    return tmp_path


def test_yesterdays_file_under_todays_name_is_exit_1_and_said(place: Path) -> None:
    done(place, 0)
    shutil.copy(place / "logs/2024-05-01.csv", place / "logs/2024-05-02.csv")
    told = night(place, 1, place / "logs/2024-05-02.csv", "--timeout", "2h")
    assert told.code == 1
    assert "rows late, over --max-late 5%" in told.err
    assert "is it the file of an earlier night?" in told.err
    assert (place / "out/batch=2024-05-02/manifest.json").exists()


def test_tomorrows_file_under_todays_name_is_exit_1_and_said(place: Path) -> None:
    shutil.copy(place / "logs/2024-05-02.csv", place / "logs/2024-05-01.csv")
    told = night(place, 0, place / "logs/2024-05-01.csv")
    assert told.code == 1
    assert "rows early, over --max-early 5%" in told.err
    assert "is it the file of a later night?" in told.err
    assert night(place, 0, place / "logs/2024-05-01.csv", "--max-early", "45", "--redo").code == 0


@pytest.mark.slow
def test_many_rejected_rows_are_exit_1_of_a_night_and_not_of_a_whole_log(place: Path) -> None:
    log = place / "logs/2024-05-01.csv"
    log.write_text(log.read_text() + "a,b\n" * 10)
    told = night(place, 0, log)
    assert (told.code, "10 of 56 rows rejected, over --max-rejected 5%" in told.err) == (1, True)
    assert night(place, 0, log, "--redo", "--max-rejected", "20%").code == 0
    assert sessionize("run", log, "-o", "one", "-q", cwd=place).code == 0


def test_a_file_that_ends_hours_before_its_night_is_said(place: Path) -> None:
    rows = "".join(f"2024-05-01T{n // 60:02}:{n % 60:02}:00,u{n % 7},click,/p\n" for n in range(1440))
    lines = rows.splitlines(keepends=True)
    for day in range(2):
        (place / f"logs/{name_of(day)}.csv").write_text(HEAD + rows.replace("2024-05-01", name_of(day)))
        done(place, day)
    (place / "logs/2024-05-03.csv").write_text(HEAD + "".join(lines[:90]).replace("2024-05-01", "2024-05-03"))
    told = run(place, 2)
    assert told.code == 0
    assert "the newest event is of 2024-05-03T01:29:00.000000Z, 22.5 hours before the night ends" in told.err


@pytest.mark.slow
def test_a_sparse_log_and_one_that_sleeps_at_night_are_silent(place: Path) -> None:
    sparse = "".join(f"2024-05-01T{hour:02}:00:00,u,click,/p\n" for hour in (1, 5, 9, 13))
    (place / "logs/2024-05-01.csv").write_text(HEAD + sparse)
    done(place, 0)
    shop = place.parent / "shop"
    (shop / "logs").mkdir(parents=True)
    for day in range(3):
        rows = "".join(
            f"{name_of(day)}T{8 + n // 60:02}:{n % 60:02}:00,u{n % 7},click,/p\n" for n in range(645 - day * 60)
        )
        (shop / f"logs/{name_of(day)}.csv").write_text(HEAD + rows)
        done(shop, day)


@pytest.mark.parametrize("rest", ["2024-05-01T23:59:00,zo", '2024-05-01T23:59:00,zoe,click,"/a'])
@pytest.mark.parametrize("packed", [False, True])
def test_a_csv_that_is_cut_in_its_last_line_is_exit_3_and_the_hints_lead_on(
    place: Path, rest: str, *, packed: bool
) -> None:
    text = (place / "logs/2024-05-01.csv").read_text() + rest
    log = place / ("logs/cut.csv.gz" if packed else "logs/cut.csv")
    log.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    told = night(place, 0, log)
    assert (told.code, "cut short: its last line, row 48, has no end" in told.err) == (3, True)
    assert not list((place / "out").glob("batch=*"))
    command = told.err.rpartition("end its last line: ")[2]
    assert command.startswith("echo | gzip >> " if packed else "echo >> ")
    subprocess.run(command, shell=True, check=True, cwd=place)  # noqa: S602
    assert night(place, 0, log).code == 0


def test_ndjson_that_is_cut_in_its_last_line_is_exit_3_and_a_whole_last_line_needs_no_end(place: Path) -> None:
    log = place / "logs/cut.ndjson"
    line = '{"time": "2024-05-01T12:00:00", "user_id": "a", "page": "/a"}'
    log.write_text("\n".join([line] * 30 + [line[:40]]))
    assert night(place, 0, log).code == 3
    log.write_text("\n".join([line] * 30))
    assert night(place, 0, log).code == 0


def test_limits_of_nights_need_a_state_and_are_read_before_the_log(place: Path) -> None:
    told = sessionize("run", "logs/2024-05-01.csv", "-o", "one", "--max-late", "1%", cwd=place)
    assert (told.code, "--max-late needs --state" in told.err) == (2, True)
    assert night(place, 0, place / "logs/2024-05-01.csv", "--max-early", "many").code == 2
    assert not (place / "out").exists()


def test_a_file_that_a_night_before_was_run_with_is_said_also_to_a_quiet_run(tmp_path: Path) -> None:
    header = "timestamp,user_id\n"
    texts = {"q": "2024-05-01T10:00:00Z,a\n", "copy": "2024-05-01T10:00:00Z,a\n", "new": "2024-05-01T10:20:00Z,a\n"}
    for name, text in {**texts, "header": "", "header2": ""}.items():
        (tmp_path / f"{name}.csv").write_text(header + text)
    kept = ("-o", "out", "--state", "st", "-q", "--batch")
    assert sessionize("run", "q.csv", "header.csv", *kept, "1000", cwd=tmp_path)[::2] == (0, "")
    code, _, said = sessionize("run", "copy.csv", *kept, "1015", cwd=tmp_path)
    assert (code, "copy.csv has the bytes of q.csv, which batch 1000 was run with" in said) == (0, True)
    assert sessionize("run", "new.csv", "header2.csv", *kept, "1015", "--redo", cwd=tmp_path)[::2] == (0, "")
