"""A night is there or not there, whatever happened; and it can be run again."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from console import sessionize
from night_logs import folders, name_of, night, tree, write_log

from sessionize.config import Config, Nightly, Rules
from sessionize.errors import UsageError
from sessionize.nightly.series import end_of_batch
from sessionize.nightly.state import KEPT
from sessionize.nightly.store import held


def test_the_same_night_twice_changes_not_a_byte(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    for log in logs:
        again = night(tmp_path, log)
        assert again.run is None
        assert again.notes[0].startswith("nothing to do")
    assert tree(tmp_path) == before
    night(tmp_path, logs[1], redo=True)
    assert tree(tmp_path) == before


@pytest.mark.slow
def test_a_night_whose_output_was_deleted_is_made_again(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(UsageError, match="its output is not in -o"):
        night(tmp_path, logs[0])
    night(tmp_path, logs[1])
    assert before.items() >= tree(tmp_path).items()
    assert folders(tmp_path) == {f"batch={logs[1].stem}"}


def test_a_night_before_one_that_was_run_is_refused(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[1])
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="ends before batch 2024-05-02"):
        night(tmp_path, logs[0])
    assert tree(tmp_path) == before


@pytest.mark.slow
def test_a_redo_three_nights_ago_and_the_nights_after_it_are_as_if_the_file_had_always_been_there(
    tmp_path: Path,
) -> None:
    logs = write_log(tmp_path / "logs", 7)
    late = tmp_path / "logs" / "late.csv"
    late.write_text("time,user_id,event_type,page\n2024-05-04T12:00:00,a,click,/late\n")
    for log in logs:
        night(tmp_path / "redone", log)
        night(tmp_path / "always", log, *([late] if log is logs[3] else []))
    redone = night(tmp_path / "redone", logs[3], late)
    names = [log.stem for log in logs[4:]]
    assert redone.notes[0] == f"run again, in this order: {', '.join(f'--batch {name}' for name in names)}"
    assert folders(tmp_path / "redone") == {f"batch={log.stem}" for log in logs[:4]}
    found = held(tmp_path / "redone" / "state")
    assert found is not None
    assert found["again"] == names
    with pytest.raises(UsageError, match="must be run again before"):
        night(tmp_path / "redone", logs[5])
    for log in logs[4:]:
        night(tmp_path / "redone", log)
    assert tree(tmp_path / "redone") == tree(tmp_path / "always")


@pytest.mark.slow
def test_a_night_too_old_to_be_run_again_is_refused_and_the_message_says_how_far_back_is_possible(
    tmp_path: Path,
) -> None:
    logs = write_log(tmp_path / "logs", KEPT + 2, 4)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    for log in logs[:2]:
        with pytest.raises(UsageError, match="too old") as caught:
            night(tmp_path, log, redo=True)
        assert f"back to --batch {logs[2].stem}" in str(caught.value.hint)
    assert tree(tmp_path) == before
    night(tmp_path, logs[2], redo=True)


def test_a_late_event_goes_apart_as_it_came_and_a_redo_takes_it_in(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    late = tmp_path / "logs" / "late.csv"
    late.write_text("time,user_id,event_type,page\n2024-05-01T12:00:00,zoe,click,/late\n")
    night(tmp_path, logs[0])
    second = night(tmp_path, logs[1], late)
    assert second.manifest["counts"]["late"] == 1
    (line,) = (tmp_path / f"out/batch={logs[1].stem}/late.ndjson").read_text().splitlines()
    assert json.loads(line) == {
        "file": str(late), "row": 2, "reason": "late", "raw": "2024-05-01T12:00:00,zoe,click,/late",
    }  # fmt: skip
    assert night(tmp_path, logs[0], late).manifest["counts"]["late"] == 0
    night(tmp_path, logs[1])
    metrics = pl.read_parquet(str(tmp_path / "out/batch=*/metrics.parquet"))
    assert metrics.filter(pl.col("profile_id") == "zoe").height == 1


def test_an_event_at_the_very_end_of_a_batch_is_early_and_one_at_the_watermark_is_not_late(tmp_path: Path) -> None:
    """The end of 2 May is midnight, the watermark half an hour before it: each by one microsecond."""
    first, second = tmp_path / "2024-05-02.csv", tmp_path / "2024-05-03.csv"
    head = "time,user_id,event_type,page\n"
    first.write_text(f"{head}2024-05-02T23:59:59.999999Z,a,click,/in\n2024-05-03T00:00:00Z,b,click,/early\n")
    second.write_text(f"{head}2024-05-02T23:29:59.999999Z,c,click,/late\n2024-05-02T23:30:00Z,d,click,/in\n")
    counts = night(tmp_path, first).manifest["counts"]
    assert (counts["events"], counts["early"], counts["carried_out"], counts["late"]) == (0, 1, 1, 0)
    assert held(tmp_path / "state")["watermark"] == "2024-05-02T23:30:00.000000Z"  # type: ignore[index]
    counts = night(tmp_path, second).manifest["counts"]
    assert (counts["events"], counts["late"], counts["carried_in"]) == (3, 1, 2)
    (line,) = (tmp_path / "out/batch=2024-05-03/late.ndjson").read_text().splitlines()
    assert json.loads(line)["raw"].endswith("/late")


def test_an_empty_night_closes_what_fell_silent(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 1)
    empty = tmp_path / "logs" / "2024-05-02.csv"
    empty.write_text("time,user_id,event_type,page\n")
    carried = night(tmp_path, logs[0]).manifest["counts"]["carried_out"]
    counts = night(tmp_path, empty).manifest["counts"]
    assert (counts["rows_read"], counts["carried_in"], counts["events"], counts["carried_out"]) == (
        0,
        carried,
        carried,
        0,
    )
    assert carried > 0
    assert night(tmp_path, empty, batch="2024-05-03").manifest["counts"]["sessions"] == 0


def test_a_flush_is_final_until_it_is_taken_back(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    with pytest.raises(UsageError, match="nothing to flush"):
        night(tmp_path, batch="end", flush=True)
    night(tmp_path, logs[0], flush=True)
    with pytest.raises(UsageError, match="was flushed"):
        night(tmp_path, logs[1])
    night(tmp_path, logs[0])
    night(tmp_path, logs[1])


def test_other_rules_or_columns_are_refused_and_named(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[0])
    before = tree(tmp_path)
    rules = Rules(timeout=timedelta(hours=2))
    for config, told in (
        (Config(rules=Rules(timeout=timedelta(hours=1))), r"timeout_s: 7200\.0 → 3600\.0"),
        (Config(rules=rules, columns={"page": "event_type"}), "page: page → event_type"),
        (Config(rules=rules, timezone="Europe/Berlin"), "timezone: UTC → Europe/Berlin"),
    ):
        with pytest.raises(UsageError, match=told):
            night(tmp_path, logs[1], config=config)
    assert tree(tmp_path) == before


def test_a_column_that_comes_or_goes_with_a_night_is_null_in_the_others(tmp_path: Path) -> None:
    texts = ("time,user_id\n2024-05-01T23:50:00,a\n", "time,user_id,page\n2024-05-02T00:01:00,a,/x\n")
    for day, text in enumerate(texts):
        (tmp_path / f"{name_of(day)}.csv").write_text(text)
        night(tmp_path, tmp_path / f"{name_of(day)}.csv")
    night(tmp_path, tmp_path / "2024-05-01.csv", batch="2024-05-03")
    metrics = pl.read_parquet(str(tmp_path / "out/batch=*/metrics.parquet"))
    assert metrics.select("events", "entry_page").rows() == [(2, "/x")]


def test_sessions_of_no_end_are_refused(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path / "logs", 1)
    with pytest.raises(UsageError, match="no session ever ends"):
        night(tmp_path, log, config=Config(rules=Rules(timeout=None)))
    night(tmp_path, log, config=Config(rules=Rules(timeout=None, max_duration=timedelta(hours=24))))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2024-03-31", 23), ("Europe/Berlin", "2024-10-27", 25), ("UTC", "2024-02-29", 24)],
)
def test_a_date_ends_at_the_next_local_midnight(zone: str, day: str, hours: int) -> None:
    def end(batch: str) -> int:
        found = end_of_batch(Nightly(state="s", batch=batch), Config(timezone=zone), None)
        assert found is not None
        return found

    before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
    assert end(day) - end(before) == hours * 3_600_000_000


def test_a_midnight_that_does_not_exist_is_the_moment_the_clocks_go_forward() -> None:
    end = end_of_batch(Nightly(state="s", batch="2024-04-25"), Config(timezone="Africa/Cairo"), None)
    assert end == datetime(2024, 4, 25, 22, tzinfo=UTC).timestamp() * 1_000_000


def test_the_command_line_runs_nights_and_shows_the_state(tmp_path: Path) -> None:
    logs = write_log(tmp_path, 2)
    told = ""
    for log in logs:
        done = sessionize("run", log.name, "-o", "out", "--state", "st", "--batch", log.stem, cwd=tmp_path)
        assert done.code == 0, done.err
        told = done.err
    assert "events carried in" in told
    flushed = sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "--json", cwd=tmp_path)
    assert json.loads(flushed.out)["counts"]["carried_out"] == 0
    shown = json.loads(sessionize("state", "st", "--json", cwd=tmp_path).out)
    assert [batch["name"] for batch in shown["batches"]] == [*(log.stem for log in logs), "end"]
    assert shown["flushed"] is True
    plain = sessionize("state", "st", cwd=tmp_path)
    assert f"batch  {logs[0].stem}: " in plain.out


def test_what_is_typed_wrong_is_told(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path, 1)
    for arguments, told in (
        ([log.name, "--batch", "x"], "--batch needs --state"),
        ([log.name, "--state", "st"], "--state needs --batch"),
        ([log.name, "--state", "st", "--batch", "a/b"], "cannot be the name of a folder"),
        ([log.name, "--state", "st", "--batch", "2024-02-31"], "is no date there is"),
        (["--state", "st", "--batch", "x"], "no input"),
        ([], "no input"),
    ):
        done = sessionize("run", "-o", "out", *arguments, cwd=tmp_path)
        assert (done.code, told in done.err) == (2, True), done.err
    assert sessionize("state", "nowhere", cwd=tmp_path).code == 2
