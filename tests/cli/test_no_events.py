"""A log that has rows of which none becomes an event is refused; one without rows, or with rows left out, is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import quick_first
from console import SAMPLE
from console import sessionize as shell

import sessionize
from sessionize.cli.main import _run
from sessionize.errors import InputError
from sessionize.nightly import job

BAD = "user_id,event_time,page\nu1,5/30/2024 7:44 AM,/a\nu1,5/30/2024 7:50 AM,/b\nu2,5/30/2024 12:05 PM,/a\n"
GOOD = "user_id,event_time,page\nu1,2024-05-30T07:44:00Z,/a\nu1,2024-05-30T07:50:00Z,/b\n"
HEADER = "user_id,event_time,page\n"
NIGHT = ("--state", "state", "--batch", "2024-05-30")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text(BAD)
    Path("good.csv").write_text(GOOD)
    Path("header.csv").write_text(HEADER)
    rows = [line.split(",") for line in BAD.splitlines()[1:]]
    frame = pl.DataFrame(rows, schema=["user_id", "event_time", "page"], orient="row")
    frame.write_parquet("bad.parquet")
    frame.write_ndjson("bad.ndjson")


def contents(folder: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.mark.parametrize("log", quick_first(["bad.csv", "bad.parquet", "bad.ndjson"]))
@pytest.mark.parametrize(
    "options",
    [("run", "-o", "out"), ("run", "-o", "-"), ("run", "-o", "out", "--on-bad-row", "fail"), ("run", "-o", "out", *NIGHT), ("check",)],
    ids=" ".join,
)  # fmt: skip
def test_a_log_of_which_no_row_is_an_event_is_exit_3_with_its_first_row_and_what_to_type_even_if_quiet(
    log: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run([options[0], log, *options[1:], "-q"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    written = "; nothing was written" if options[0] == "run" else ""
    assert f"{log}: none of 3 rows is an event (3 bad_timestamp){written}; {log}, row" in err
    assert ("row 1, bad_timestamp" if log == "bad.parquet" else "row 2" if log == "bad.csv" else "row 1") in err
    assert "5/30/2024 7:44 AM" in err.replace("\\/", "/")
    assert "--timestamp COLUMN" in err
    assert "--time-format" in err
    assert not [each for each in contents(".") if each.endswith(("metrics.parquet", "manifest.json", "state.json"))]


def test_what_the_message_says_to_type_works() -> None:
    assert _run(["run", "bad.csv", "-o", "out", "--time-format", "%m/%d/%Y %I:%M %p"]) == 0


@pytest.mark.slow
def test_good_outputs_of_an_earlier_run_stay() -> None:
    assert _run(["run", "good.csv", "-o", "out", "-q"]) == 0
    before = contents("out")
    assert _run(["run", "bad.csv", "-o", "out", "-q"]) == 3
    assert contents("out") == before


@pytest.mark.slow
def test_a_night_of_such_a_log_leaves_the_state_as_it_was() -> None:
    assert _run(["run", "good.csv", "-o", "out", *NIGHT, "-q"]) == 0
    before = contents("state"), contents("out")
    again = ("--state", "state", "--batch", "2024-05-31")
    assert _run(["run", "bad.csv", "-o", "out", *again, "-q"]) == 3
    assert (contents("state"), contents("out")) == before
    corrected = ["run", "bad.csv", "-o", "out", *again, "--time-format", "%m/%d/%Y %I:%M %p", "-q"]
    assert _run([*corrected, "--max-late", "100%"]) == 0


@pytest.mark.slow
def test_python_raises_the_same() -> None:
    bad = sessionize.Config(inputs=("bad.csv",))
    with pytest.raises(InputError, match="none of 3 rows"):
        sessionize.run(bad, sessionize.Output(directory="out"))
    with pytest.raises(InputError, match="none of 3 rows"):
        sessionize.run_night(bad, sessionize.Output(directory="out"), sessionize.Nightly(state="state", batch="1"))
    with pytest.raises(InputError, match="none of 3 rows"):
        sessionize.check(bad)


def test_a_frame_without_events_gives_empty_frames_and_the_rows_with_their_reasons() -> None:
    found = sessionize.sessionize(pl.read_csv("bad.csv"))
    assert (found.metrics.height, found.rejected.height) == (0, 3)


def test_where_ids_are_private_the_text_of_the_row_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("key").write_text("0123456789abcdef0123456789abcdef")
    assert _run(["run", "bad.csv", "-o", "out", "--hash-ids", "key"]) == 3
    err = capsys.readouterr().err
    assert "(not shown, as ids are private)" in err
    assert "5/30" not in err
    assert "u1" not in err


@pytest.mark.parametrize("night", [(), NIGHT], ids=["whole", "night"])
def test_a_log_without_rows_is_a_quiet_hour(night: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["run", "header.csv", "-o", "out", *night, "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("log", ["good.csv", "good.parquet", "good.ndjson"])
def test_rows_left_out_by_where_are_counted_apart_and_said(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    pl.read_csv("good.csv").write_parquet("good.parquet")
    pl.read_csv("good.csv").write_ndjson("good.ndjson")
    assert _run(["run", log, "-o", "out", "--where", "page = '/zzz'"]) == 0
    assert "0 rows from" in (err := capsys.readouterr().err)
    assert "; 2 left out by --where\n" in err
    counts = json.loads(Path("out/manifest.json").read_text())["counts"]
    assert (counts["rows_read"], counts["left_out"], counts["events"]) == (0, 2, 0)
    assert _run(["run", log, "-o", "out", "--where", "page = '/a'"]) == 0
    counts = json.loads(Path("out/manifest.json").read_text())["counts"]
    assert (counts["rows_read"], counts["left_out"], counts["events"]) == (1, 1, 1)
    assert _run(["check", log, "--where", "page = '/zzz'", "-q", "--exit-zero"]) == 0


@pytest.mark.slow
def test_a_line_that_cannot_be_read_does_not_make_a_log_of_what_where_left_out_a_bad_one() -> None:
    Path("good.csv").write_text(GOOD + "torn\n")
    assert _run(["run", "good.csv", "-o", "out", "--where", "page = '/zzz'", "-q"]) == 0
    Path("bad.csv").write_text(BAD + "torn\n")
    assert _run(["run", "bad.csv", "-o", "out", "--where", "page = '/a'", "-q"]) == 3
    assert _run(["run", "bad.csv", "-o", "out", "-q"]) == 3


def test_events_of_bots_are_left_out_not_rejected() -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    Path("bots.csv").write_text(f"user_id,time,user_agent\nu1,2024-05-30T07:44:00Z,{agent}\nu1,never,{agent}\n")
    assert _run(["run", "bots.csv", "-o", "out", "--exclude-bots", "-q"]) == 0


def test_a_night_all_of_whose_rows_are_late_is_complete_but_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["run", "good.csv", "-o", "out", *NIGHT, "--until", "2024-06-01T00:00:00Z", "-q"]) == 0
    capsys.readouterr()
    late = ("--state", "state", "--batch", "2")
    assert _run(["run", "good.csv", "-o", "out", *late, "-q"]) == 1
    assert "2 of 2 rows came too late" in capsys.readouterr().err


def _accept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights as they were run before such logs were refused."""
    monkeypatch.setattr(job, "refuse_bad_rows", lambda *_: None)


@pytest.mark.slow
def test_after_an_empty_night_of_old_the_corrected_command_is_told_to_redo_and_that_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("log.csv").write_text("user_id,note,at\nu1,never,2024-05-30T07:44:00Z\nu1,never,2024-05-30T07:50:00Z\n")
    night = ["run", "log.csv", "-o", "out", *NIGHT, "-q"]
    with monkeypatch.context() as patched:
        _accept(patched)
        assert _run([*night, "--timestamp", "note", "--max-rejected", "100%"]) == 0
    capsys.readouterr()
    corrected = [*night, "--timestamp", "at"]
    assert _run(corrected) == 2
    assert "--redo runs the batch again" in capsys.readouterr().err
    next_night = ["run", "log.csv", "-o", "out", "--state", "state", "--batch", "2024-05-31", "--timestamp", "at", "-q"]
    assert _run(next_night) == 2
    assert "run it again first with the new ones, --batch 2024-05-30 --redo" in capsys.readouterr().err
    assert _run([*corrected, "--redo"]) == 0
    manifest: dict[str, Any] = json.loads(Path("out/batch=2024-05-30/manifest.json").read_text())
    assert manifest["counts"]["events"] == 2
    assert _run([*next_night, "--max-late", "100%"]) == 0


EVERYWHERE = [
    ("run", "-o", "out"), ("run", "-o", "out", "--state", "state", "--batch", "2024-05-29"), ("run", "-o", "out", "--check"),
    ("check",), ("summary",), ("funnel", "--step", "purchase"), ("paths",), ("timeout",), ("report", "-o", "r.html"),
]  # fmt: skip


@pytest.mark.parametrize("command", EVERYWHERE, ids=" ".join)
def test_a_condition_that_matches_no_row_is_told_by_every_command_also_quietly(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    said = shell(*command, SAMPLE / "events.csv", "-q", "--where", "event_type = 'x'", cwd=tmp_path)
    assert "--where matches none of the 2,9" in said.err, said.err
