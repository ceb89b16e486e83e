"""A night that was left out, or the same file again: what goes wrong is said, and what the hints say to type works."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from console import sessionize
from night_logs import folders, name_of, write_log
from night_series import HEAD, done, outputs, run, unbroken

from sessionize.nightly import state as states
from sessionize.nightly.store import load


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Five days of a log."""
    write_log(tmp_path / "logs", 5)
    return tmp_path


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


@pytest.fixture
def withdrawn(place: Path) -> Path:
    """Two nights, and one whose gap was allowed, withdrawn by a redo of the second."""
    done(place, 0, 1)
    assert run(place, 3, "--allow-gap").code == 0
    assert run(place, 1, "--redo").code == 0
    return place


@pytest.mark.slow
def test_a_night_before_a_withdrawn_one_can_still_be_put_in(withdrawn: Path) -> None:
    done(withdrawn, 2, 3, 4)
    assert outputs(withdrawn) == unbroken(withdrawn)


@pytest.mark.slow
def test_a_withdrawn_night_whose_gap_was_allowed_needs_no_second_word(withdrawn: Path) -> None:
    told = run(withdrawn, 3)
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
