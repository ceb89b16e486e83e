"""Times that are asked of an earlier run's output are those of its days, and of its newest event."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

import sessionize as package

LOG = """\
session_id,timestamp,page
a,2024-05-30T17:00:00Z,/a
b,2024-05-30T18:30:00Z,/a
c,2024-05-31T03:00:00Z,/b
"""
ZONE = ("--timezone", "Asia/Kathmandu")
"""In which the 31st begins at 18:15 UTC."""


def count(folder: Path, *typed: str) -> int:
    said = sessionize("summary", *typed, "--json", "-q", cwd=folder)
    assert said.code == 0, said.err
    return int(json.loads(said.out)["sessions"])


@pytest.fixture(scope="module", params=["a run", "nights"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zone")
    (folder / "log.csv").write_text(LOG)
    night = ("--state", "state", "--batch", "2024-05-31", "--until", "2024-06-03") if request.param == "nights" else ()
    assert sessionize("run", "log.csv", "-o", "out", "--events", *ZONE, *night, "-q", cwd=folder).code == 0
    return folder


def test_days_to_and_from_which_are_the_days_that_are_shown(folder: Path) -> None:
    (folder / "c.toml").write_text("timezone = 'America/New_York'\n")
    span = ("--since", "2024-05-31", "--until", "2024-06-01")
    assert count(folder, "out", *span) == count(folder, "log.csv", *span, *ZONE) == 2
    assert count(folder, "out", *span, "--config", "c.toml") == 2
    assert count(folder, "out", "--since", "2024-05-31T00:00:00Z") == 1
    said = sessionize("show", "out", "b", "--since", "2024-05-31", "-q", cwd=folder)
    assert said.code == 0, said.err


def test_days_are_the_runs_in_python_too(folder: Path) -> None:
    out = str(folder / "out")
    for since in ("2024-05-31", date(2024, 5, 31), datetime(2024, 5, 31)):  # noqa: DTZ001 - as it may be given
        assert package.summary(out, since=since).data["sessions"] == 2
        assert package.summary([out], until=since).data["sessions"] == 1


def test_the_command_that_is_proposed_for_a_day_finds_its_sessions(folder: Path) -> None:
    said = sessionize("summary", "out", "--by", "day", cwd=folder)
    following = said.out.partition("next: sessionize ")[2].split()
    assert following[:4] == ["summary", "out", "--since", "2024-05-31"]
    assert count(folder, *following[1:]) == 2


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_last_hours_are_those_before_the_newest_event(form: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    later = ("--until", "2024-06-03T00:00:00Z", "--events", "--format", form, "-q")
    sessionize("run", "log.csv", "-o", "out", *later, cwd=tmp_path)
    sessionize("run", "log.csv", "-o", "nights", "--state", "state", "--batch", "2024-05-31", *later, cwd=tmp_path)
    for name in ("log.csv", "out", "nights"):
        assert [count(tmp_path, name, "--last", hours) for hours in ("8h", "9h", "12h")] == [1, 2, 3]
    assert package.summary(str(tmp_path / "out"), last="9h").data["sessions"] == 2
    assert sessionize("show", "out", "--last", "1h", "-q", cwd=tmp_path).code == 0


DATES = (
    "CAST(start AS DATE) = '2024-05-31'", "CAST(start AS DATE) = DATE '2024-05-31'", "TRY_CAST(start AS DATE) = '2024-05-31'",
    "start::DATE = '2024-05-31'", "(start + INTERVAL '1 day')::DATE = '2024-06-01'", "day(start) = 31", "day(\"start\") = 31",
    "EXTRACT(day FROM start) = 31", "date_part('day', start) = 31", "strftime(start, '%Y-%m-%d') = '2024-05-31'",
    "EXTRACT(hour FROM start) IN (0, 8)", "CAST(start AS TIME) < TIME '12:00:00'", "dayofweek(start) = 5",
    "day(CASE WHEN start >= '2024-05-31' THEN start END) = 31", "CAST(start AS DATE) = CAST(end AS DATE) AND day(end) = 31",
    "CAST(GREATEST(start, end) AS DATE) = '2024-05-31'", "start >= '2024-05-31' AND minute(start) IN (15, 45)",
)  # fmt: skip
"""What holds of the two sessions of the 31st in the zone, each in words of its own."""


@pytest.mark.parametrize("condition", DATES)
def test_dates_that_sql_takes_out_of_times_are_those_of_the_zone(condition: str, folder: Path) -> None:
    for inputs in (("log.csv", *ZONE), ("out",)):
        assert count(folder, *inputs, "--session-where", condition) == 2


def test_what_is_no_date_of_a_time_stays_as_it_is(folder: Path) -> None:
    for condition in ("EXTRACT(epoch FROM start) > 1717093800", "date_part('epoch', start) > 1717093800"):
        assert count(folder, "out", "--session-where", condition) == 1


@pytest.mark.parametrize("by", ["CAST(start AS DATE)", "strftime(start, '%Y-%m-%d')"])
def test_groups_by_a_date_are_the_days_that_are_shown(by: str, folder: Path) -> None:
    for inputs in (("log.csv", *ZONE), ("out",)):
        said = [sessionize("summary", *inputs, "--by", each, "--json", "-q", cwd=folder) for each in ("day", by)]
        groups = [{row["name"]: row["sessions"] for row in json.loads(each.out)["groups"]} for each in said]
        assert groups == [{"2024-05-30": 1, "2024-05-31": 2}] * 2


def test_dates_of_events_are_those_of_the_zone_too(folder: Path) -> None:
    for inputs in (("log.csv", *ZONE), ("out",)):
        assert count(folder, *inputs, "--containing", "hour(timestamp) < 1") == 1


def test_conditions_on_a_log_take_dates_of_its_zone(tmp_path: Path) -> None:
    pl.read_csv(LOG.encode(), try_parse_dates=True).write_parquet(tmp_path / "log.parquet")
    typed = ("log.parquet", "--where", "CAST(timestamp AS DATE) = '2024-05-31'")
    assert (count(tmp_path, *typed), count(tmp_path, *typed, *ZONE)) == (1, 2)


@pytest.mark.parametrize(
    "condition", ["CAST(start AS DATE) = '2024-05-31'", "hour(s.start) IN (0, 8)", "start >= '2024-05-31'"]
)
@pytest.mark.parametrize("table", ["sessions", "(SELECT * FROM sessions)"])
def test_checks_of_ones_own_take_dates_of_the_zone(table: str, condition: str, folder: Path) -> None:
    query = f"SELECT count(*) FROM {table} AS s WHERE {condition}"
    (folder / "checks.toml").write_text(f'[[check.custom]]\nname = "mine"\nsql = "{query}"\nerror = 0\n')
    for inputs in (("log.csv", *ZONE), ("out",)):
        said = sessionize("check", *inputs, "--config", "checks.toml", cwd=folder)
        assert "2 by the query" in said.out, said
