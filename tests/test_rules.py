"""Where a session ends by what the row tells, and by other systems' rules, as the command line asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

CAMPAIGNS = """user_id,event_time,page
u1,2024-05-30 10:00:00,/a?utm_source=n&utm_campaign=spring
u1,2024-05-30 10:05:00,/b
u1,2024-05-30 10:06:00,/c?utm_source=n&utm_campaign=summer
"""
CHANNELS = """user_id,event_time,page,referrer
u1,2024-05-30 10:00:00,https://me.org/a,
u1,2024-05-30 10:01:00,https://me.org/b,https://me.org/a
u1,2024-05-30 10:02:00,https://me.org/a,https://www.google.com/
u1,2024-05-30 10:03:00,https://me.org/a?utm_source=n&utm_medium=email,
"""


def events_of(*args: str, log: str, tmp_path: Path, form: str = "csv") -> list[int]:
    """Events of each session of a run, in order of their start."""
    text = tmp_path / "log.csv"
    text.write_text(log)
    path = tmp_path / f"log.{form}"
    frame = pl.read_csv(text, infer_schema=False)
    if form == "parquet":
        frame.write_parquet(path)
    elif form == "ndjson":
        frame.write_ndjson(path)
    done = sessionize("run", path, "-o", "out", "--format", "csv", *args, cwd=tmp_path)
    assert done.code == 0, done.err
    return pl.read_csv(tmp_path / "out" / "metrics.csv").sort("start")["events"].to_list()


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_a_campaign_in_the_page_splits(form: str, tmp_path: Path) -> None:
    assert events_of("--split-on", "utm_campaign", log=CAMPAIGNS, tmp_path=tmp_path, form=form) == [2, 1]


def test_a_check_sees_the_campaigns_in_the_pages_too(tmp_path: Path) -> None:
    rows = [line if line.startswith("user_id") else f"{line},page-view" for line in CAMPAIGNS.splitlines()]
    log = "\n".join([f"{rows[0]},event_type", *rows[1:]]) + "\n"
    (tmp_path / "log.csv").write_text(log)
    done = sessionize("check", "log.csv", "--split-on", "utm_campaign", "--json", "--exit-zero", cwd=tmp_path)
    assert json.loads(done.out)["figures"]["sessions"] == 2


@pytest.mark.parametrize(("option", "sessions"), [("--split-on", [1, 1, 1]), ("--split-on-arrival", [2, 1])])
def test_case_matters_to_a_change_and_not_to_an_arrival(option: str, sessions: list[int], tmp_path: Path) -> None:
    log = CAMPAIGNS.replace("10:05:00,/b", "10:05:00,/b?utm_campaign=SPRING")
    assert events_of(option, "utm_campaign", log=log, tmp_path=tmp_path) == sessions


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_a_role_splits_by_its_name(form: str, tmp_path: Path) -> None:
    log = "sid,who,when\nx,a,2024-05-30 10:00:00\nx,b,2024-05-30 10:01:00\n"
    columns = ("--session-id", "sid", "--profile-id", "who", "--timestamp", "when")
    assert events_of(*columns, "--split-on", "profile_id", log=log, tmp_path=tmp_path, form=form) == [1, 1]


def test_a_channel_splits_where_a_row_tells_one(tmp_path: Path) -> None:
    """The first two tell none: no referrer, and one of the site's own."""
    assert events_of("--channels", "--split-on", "channel", log=CHANNELS, tmp_path=tmp_path) == [3, 1]
    assert events_of("--channels", "--split-on-arrival", "channel", log=CHANNELS, tmp_path=tmp_path) == [2, 1, 1]


def test_a_channel_is_only_found_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(CHANNELS)
    done = sessionize("run", "log.csv", "-o", "out", "--split-on", "channel", cwd=tmp_path)
    assert done.code == 2
    assert "add --channels" in done.err


def test_a_name_that_nothing_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(CAMPAIGNS)
    done = sessionize("run", "log.csv", "-o", "out", "--split-on-arrival", "campain", cwd=tmp_path)
    assert done.code == 2
    assert "--split-on-arrival: the log has no column 'campain'" in done.err


def test_nights_split_on_the_page_s_campaign_as_one_run_does(tmp_path: Path) -> None:
    lines = CAMPAIGNS.splitlines(keepends=True)
    (tmp_path / "1.csv").write_text("".join(lines[:2]))
    (tmp_path / "2.csv").write_text("".join([lines[0], *lines[2:]]))
    rules = ("--split-on-arrival", "utm_campaign", "--max-events", "5", "--active-gap", "1m", "--format", "ndjson")
    for name in ("1", "2"):
        done = sessionize("run", f"{name}.csv", "-o", "out", "--state", "state", "--batch", name, *rules, cwd=tmp_path)
        assert done.code == 0, done.err
    done = sessionize(
        "run", "-o", "out", "--state", "state", "--batch", "3", "--flush", "--format", "ndjson", cwd=tmp_path
    )
    assert done.code == 0, done.err
    found = [
        json.loads(line)
        for path in (tmp_path / "out").glob("*/metrics.ndjson")
        for line in path.read_text().splitlines()
    ]
    found.sort(key=lambda row: row["start"])
    assert [(row["events"], row["end_reason"], row["active_s"]) for row in found] == [(2, "split", 60), (1, "open", 0)]


def test_a_night_with_other_new_rules_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(CAMPAIGNS)
    (tmp_path / "2.csv").write_text(CAMPAIGNS)
    nights = ("-o", "out", "--state", "state", "--batch")
    assert sessionize("run", "1.csv", *nights, "1", "--max-events", "5", cwd=tmp_path).code == 0
    done = sessionize("run", "2.csv", *nights, "2", "--max-events", "6", cwd=tmp_path)
    assert done.code == 2
    assert "max_events" in done.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--max-events", "0"), "invalid value 0 for --max-events (at least 1)"),
        (("--active-gap", "soon"), "--active-gap 'soon' is no duration"),
    ],
)
def test_what_cannot_be_meant_is_refused(args: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(CAMPAIGNS)
    done = sessionize("run", "log.csv", "-o", "out", *args, cwd=tmp_path)
    assert done.code == 2
    assert words in done.err
