"""Nights in order, each by its own file: what goes wrong is said, and what the hints say to type works."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from console import Outcome, sessionize
from test_nightly import folders, name_of, tree, write_log

from sessionize.nightly import state as states
from sessionize.nightly.store import load

HEAD = "time,user_id,event_type,page\n"


def run(place: Path, day: int | str, *more: str, log: Path | None = None) -> Outcome:
    """A night as a scheduler would run it: quiet."""
    name = name_of(day) if isinstance(day, int) else day
    file = log or place / "logs" / f"{name}.csv"
    return sessionize(
        "run", file.relative_to(place), "-o", "out", "--state", "state", "--batch", name, "-q", "--max-late", "100%",
        "--timeout", "2h", *more, cwd=place,
    )  # fmt: skip


def done(place: Path, *days: int) -> None:
    """Nights that end well, without a word."""
    for day in days:
        assert run(place, day) == (0, "", "")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Five days of a log."""
    write_log(tmp_path / "logs", 5)
    return tmp_path


def outputs(place: Path) -> dict[str, bytes]:
    """Every file of the outputs and the state."""
    return {name: content for name, content in tree(place).items() if name.startswith(("out/", "state/"))}


def unbroken(place: Path, days: int = 5) -> dict[str, bytes]:
    """What all nights in order leave."""
    whole = place.parent / f"{place.name}-whole"
    shutil.copytree(place / "logs", whole / "logs")
    done(whole, *range(days))
    return outputs(whole)


# --- a night that was left out ------------------------------------------------------------------


def test_a_night_that_does_not_follow_the_one_before_it_is_exit_3_and_nothing_is_written(place: Path) -> None:
    done(place, 0, 1)
    before = outputs(place)
    told = run(place, 4)
    assert told.code == 3
    assert (
        "batch 2024-05-05 does not follow the one before it by a day: 2024-05-03 to 2024-05-04 was not run" in told.err
    )
    assert outputs(place) == before


@pytest.mark.slow
def test_the_hint_to_run_the_missing_night_first_leads_on(place: Path) -> None:
    done(place, 0, 1)
    assert "run --batch 2024-05-03 first" in run(place, 3).err
    done(place, 2, 3, 4)
    assert outputs(place) == unbroken(place)


@pytest.mark.slow
def test_a_gap_that_is_allowed_is_said_and_stays_in_the_manifest(place: Path) -> None:
    done(place, 0, 1)
    told = run(place, 3, "--allow-gap")
    assert (told.code, "2024-05-03 was not run (--allow-gap)" in told.err) == (0, True)
    manifest = json.loads((place / "out/batch=2024-05-04/manifest.json").read_text())
    assert any("2024-05-03 was not run" in note for note in manifest["notes"])
    done(place, 4)


@pytest.mark.slow
def test_a_night_can_be_put_where_it_belongs_and_the_later_ones_are_withdrawn_and_run_again(place: Path) -> None:
    done(place, 0, 1)
    for day in (3, 4):
        assert run(place, day, "--allow-gap").code == 0
    told = run(place, 2)
    assert told.code == 0
    assert "withdrawn: batch=2024-05-04, batch=2024-05-05" in told.err
    assert "run again, in this order: --batch 2024-05-04, --batch 2024-05-05" in told.err
    assert folders(place) == {f"batch={name_of(day)}" for day in range(3)}
    done(place, 3, 4)
    assert outputs(place) == unbroken(place)


@pytest.mark.slow
def test_a_night_before_a_withdrawn_one_can_still_be_put_in(place: Path) -> None:
    done(place, 0, 1)
    assert run(place, 3, "--allow-gap").code == 0
    assert run(place, 1, "--redo").code == 0
    done(place, 2, 3, 4)
    assert outputs(place) == unbroken(place)


@pytest.mark.slow
def test_a_withdrawn_night_whose_gap_was_allowed_needs_no_second_word(place: Path) -> None:
    done(place, 0, 1)
    assert run(place, 3, "--allow-gap").code == 0
    assert run(place, 1, "--redo").code == 0
    told = run(place, 3)
    assert (told.code, "2024-05-03 was not run" in told.err) == (0, True)


@pytest.mark.slow
def test_a_night_before_the_first_is_refused_and_redo_puts_it_there(place: Path) -> None:
    done(place, 1, 2)
    before = outputs(place)
    told = run(place, 0)
    assert (told.code, "--redo puts it before all others" in told.err) == (2, True)
    assert outputs(place) == before
    assert run(place, 0, "--redo").code == 0
    done(place, 1, 2, 3, 4)
    # The state's own name comes from its first night; what it holds is the same.
    found, whole = load(place / "state"), unbroken(place)
    assert found is not None
    assert {name: of for name, of in outputs(place).items() if not name.startswith("state/state")} == {
        name: of for name, of in whole.items() if not name.startswith("state/state")
    }


def test_names_that_are_no_dates_and_flushes_have_no_gap(place: Path) -> None:
    done(place, 0)
    assert run(place, "evening", log=place / "logs/2024-05-03.csv").code == 0
    assert (
        sessionize("run", "-o", "out", "--state", "state", "--batch", "2024-05-31", "--flush", "-q", cwd=place).code
        == 0
    )


def test_a_date_that_ends_before_another_batch_goes_with_that_one_as_the_hint_says(place: Path) -> None:
    assert run(place, "evening", log=place / "logs/2024-05-03.csv").code == 0
    told = run(place, 1)
    assert (told.code, "--batch evening, with its own files and this one" in told.err) == (2, True)
    assert run(place, "evening", "logs/2024-05-02.csv", log=place / "logs/2024-05-03.csv").code == 0


@pytest.mark.slow
def test_a_flush_without_input_is_taken_back_as_the_hint_says(place: Path) -> None:
    done(place, 0, 1)
    flush = ("run", "-o", "out", "--state", "state", "--batch", "end", "--flush", "-q")
    assert sessionize(*flush, cwd=place).code == 0
    told = run(place, 2)
    assert (told.code, "run --batch 2024-05-02 --redo, with its own input" in told.err) == (2, True)
    assert run(place, 1, "--redo").code == 0
    done(place, 2, 3, 4)
    assert outputs(place) == unbroken(place)


# --- the same bytes are the same file -----------------------------------------------------------


@pytest.mark.slow
def test_a_night_whose_file_has_only_another_modification_time_or_name_has_nothing_to_do(place: Path) -> None:
    done(place, 0, 1, 2)
    before = outputs(place)
    os.utime(place / "logs/2024-05-02.csv", (1, 1))
    done(place, 1)
    (place / "copy").mkdir()
    shutil.copy(place / "logs/2024-05-02.csv", place / "copy/other.csv")
    told = run(place, 1, "--json", log=place / "copy/other.csv")
    assert (told.code, json.loads(told.out)["nothing_to_do"]) == (0, True)
    assert outputs(place) == before


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_other_bytes_under_its_old_name_is_refused_until_redo_is_typed(place: Path, *, packed: bool) -> None:
    name = "2024-05-02.csv.gz" if packed else "2024-05-02.csv"
    log = place / "logs" / name
    text = (place / "logs/2024-05-02.csv").read_bytes()
    log.write_bytes(gzip.compress(text) if packed else text)
    done(place, 0)
    assert run(place, 1, log=log).code == 0
    done(place, 2)
    before = outputs(place)
    text += b"2024-05-02T12:00:00,zoe,click,/x\n"
    log.write_bytes(gzip.compress(text) if packed else text)
    told = run(place, 1, log=log)
    assert told.code == 2
    assert f"{name}: not the bytes that batch 2024-05-02 was run with" in told.err
    assert "--redo runs it again with them; 2024-05-03 must then be run again too" in told.err
    assert outputs(place) == before
    assert run(place, 1, "--redo", log=log).code == 0
    assert folders(place) == {"batch=2024-05-01", "batch=2024-05-02"}


def test_a_large_text_is_told_by_its_ends(place: Path) -> None:
    log = place / "logs/2024-05-01.csv"
    rows = "".join(f"2024-05-01T00:{n // 60 % 60:02}:{n % 60:02},u{n % 900},click,/p\n" for n in range(9_000))
    log.write_text(HEAD + rows)
    assert log.stat().st_size > 200_000
    assert run(place, 0).code == 0
    os.utime(log, (1, 1))
    assert run(place, 0).code == 0
    log.write_text(HEAD + rows[:-2] + "q\n")
    assert run(place, 0).code == 2


@pytest.mark.slow
def test_a_night_that_misses_one_of_its_files_is_refused_and_a_new_file_is_taken_in(place: Path) -> None:
    late = place / "logs/late.csv"
    late.write_text(f"{HEAD}2024-05-02T12:00:00,zoe,click,/late\n")
    done(place, 0, 1, 2)
    told = run(place, 1, "logs/late.csv")
    assert (told.code, "withdrawn: batch=2024-05-03" in told.err) == (0, True)
    told = run(place, 1)
    assert (told.code, "was run with logs/late.csv too, and has it no more" in told.err) == (2, True)
    told = run(place, 1, "--redo", "--json")
    assert told.code == 0
    assert any("was run with logs/late.csv before" in note for note in json.loads(told.out)["notes"])
    done(place, 2, 3, 4)
    assert outputs(place) == unbroken(place)


def test_an_old_night_is_not_flushed_and_its_followers_withdrawn_unasked(place: Path) -> None:
    done(place, 0, 1)
    told = run(place, 0, "--flush")
    assert (told.code, "--batch end --flush" in told.err) == (2, True)
    assert folders(place) == {"batch=2024-05-01", "batch=2024-05-02"}


@pytest.mark.slow
def test_a_state_that_knows_only_when_texts_were_written_is_still_read(place: Path) -> None:
    done(place, 0, 1)
    found = load(place / "state")
    assert found is not None
    old = [
        {**vars(night), "inputs": tuple({k: v for k, v in file.items() if k != "digest"} for file in night.inputs)}
        for night in found.nights
    ]
    nights = tuple(states.Done(**{**night, "usual_silence": None}) for night in old)
    (place / "state/state.json").write_bytes(states.render(states.State(owner=found.owner, nights=nights)))
    assert "digest" not in (place / "state/state.json").read_text()
    done(place, 0, 1, 2)
    os.utime(place / "logs/2024-05-02.csv", (1, 1))
    assert run(place, 1).code == 2
    assert run(place, 1, "--redo").code == 0


# --- the wrong file -----------------------------------------------------------------------------


def night(place: Path, day: int, log: Path, *more: str) -> Outcome:
    """A night with the usual limits."""
    return sessionize(
        "run", log.relative_to(place), "-o", "out", "--state", "state", "--batch", name_of(day), "-q", *more, cwd=place
    )


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
