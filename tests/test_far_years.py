"""Times at the edges of the years 1 to 9999, and beyond: rejected by name, shown with four digits, never a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from console import sessionize as command

import sessionize
from sessionize.checks.days import holes
from sessionize.engine.profile import MOST_DAYS
from sessionize.read.raw_rows import far_day, far_time, rows_as_json

MAY = 1_716_940_800_000_000
DAY = 86_400_000_000
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
HOURS_TO_MAY = MAY // (DAY // 24)
STRAY = "user_id,timestamp,event_type\na,0001-01-01T00:00:00Z,p\nb,2024-05-29T00:00:00Z,p\nb,2024-05-30T00:00:00Z,p\n"
BEYOND: dict[str, tuple[int, str]] = {
    "year 0": (FIRST - 1, "0000-12-31 23:59:59.999999"),
    "year 10000": (LAST + 1, "+10000-01-01 00:00:00"),
    "the largest number": (2**63 - 1, "+294247-01-10 04:00:54.775807"),
    "the smallest number": (-(2**63), "-290308-12-21 19:59:05.224192"),
}


def log(times: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"user_id": ["a"] * len(times), "timestamp": times, "event_type": ["page"] * len(times)})


def typed(kind: str, beyond: int) -> pl.Series:
    """A time in May 2024, and one that is beyond; as far as the unit reaches."""
    name, _, zone = kind.partition(" ")
    if name == "date":
        day = max(-(2**31), min(2**31 - 1, beyond // DAY))
        return pl.Series([MAY // DAY, day], dtype=pl.Int32).cast(pl.Date)
    if name == "ms" and abs(beyond) < 2**62:
        beyond //= 1_000
    return pl.Series([MAY // (1_000 if name == "ms" else 1), beyond]).cast(pl.Datetime(name, zone or None))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["date", "us", "us UTC", "us America/New_York", "us Asia/Tokyo", "ms", "ms UTC"])
@pytest.mark.parametrize("beyond", BEYOND)
def test_a_typed_time_that_no_year_holds_is_rejected_as_out_of_range(tmp_path: Path, kind: str, beyond: str) -> None:
    frame = log(typed(kind, BEYOND[beyond][0]))
    frame.write_parquet(tmp_path / "log.parquet")
    done = command("run", "log.parquet", "-o", "out", cwd=tmp_path)
    assert (done.code, "1 timestamp_out_of_range" in done.err) == (0, True), done.err
    rejected = json.loads((tmp_path / "out/rejected.ndjson").read_text())
    assert (rejected["row"], rejected["reason"]) == (2, "timestamp_out_of_range")
    if kind.startswith("us"):
        zone = "+00:00" if " " in kind else ""
        assert json.loads(rejected["raw"])["timestamp"] == BEYOND[beyond][1] + zone
    made = sessionize.sessionize(frame)
    assert made.rejected["reason"].to_list() == ["timestamp_out_of_range"]
    assert made.metrics["events"].to_list() == [1]


@pytest.mark.parametrize("job", [("check", "log.parquet"), ("summary", "log.parquet"), ("timeout", "log.parquet"),
                                 ("run", "log.parquet", "-o", "out", "--state", "st", "--batch", "1", "--check")])  # fmt: skip
def test_no_command_falls_over_a_typed_time_that_no_year_holds(tmp_path: Path, job: tuple[str, ...]) -> None:
    log(pl.Series([MAY, *(far for far, _ in BEYOND.values())]).cast(pl.Datetime("us", "UTC"))).write_parquet(
        tmp_path / "log.parquet"
    )
    done = command(*job, cwd=tmp_path)
    assert done.code in (0, 1), done.err


@pytest.mark.parametrize("form", ["ndjson", "csv", "json", "parquet"])
@pytest.mark.parametrize("kind", ["date", "us", "us UTC", "ms Asia/Tokyo"])
def test_a_column_of_far_times_is_carried_into_every_format(tmp_path: Path, kind: str, form: str) -> None:
    frame = log(pl.Series([MAY, MAY]).cast(pl.Datetime("us", "UTC"))).with_columns(until=typed(kind, 2**63 - 1))
    frame.write_parquet(tmp_path / "log.parquet")
    done = command("run", "log.parquet", "-o", "out", "--property", "until", "--dimension", "until", "--events", "--format",
                   form, cwd=tmp_path)  # fmt: skip
    assert done.code == 0, done.err


def test_dates_that_are_carried_are_written_as_dates(tmp_path: Path) -> None:
    frame = log(pl.Series([MAY]).cast(pl.Datetime("us", "UTC"))).with_columns(
        until=pl.Series([19_872], dtype=pl.Int32).cast(pl.Date),
        local=pl.Series([MAY]).cast(pl.Datetime("us", "America/New_York")),
    )
    frame.write_parquet(tmp_path / "log.parquet")
    done = command("run", "log.parquet", "-o", "out", "--property", "until", "--property", "local", "--format", "ndjson",
                   cwd=tmp_path)  # fmt: skip
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out/sessions.ndjson").read_text())
    assert record["properties"] == {"until": "2024-05-29", "local": "2024-05-29T00:00:00.000000Z"}


def test_rows_of_nested_far_times_are_kept_as_json() -> None:
    days = pl.Series([19_872, 2_932_897, None], dtype=pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"n": [1, 2, 3], "day": days}).with_columns(
        inside=pl.struct("day"), several=pl.concat_list("day", "day")
    )
    assert [json.loads(row) for row in rows_as_json(frame.with_columns(last=pl.lit("x")))] == [
        {"n": n, "day": day, "inside": {"day": day}, "several": [day, day], "last": "x"}
        for n, day in ((1, "2024-05-29"), (2, "+10000-01-01"), (3, None))
    ]


def test_far_days_and_times_are_those_of_polars() -> None:
    for day in (-80_000_000, -719_529, -719_528, -1, 0, 2_932_896, 2_932_897, 80_000_000):
        one = pl.Series([day], dtype=pl.Int32).cast(pl.Date)
        assert far_day(day) == one.dt.to_string("iso").item()
        micros = day * DAY + 45_296_000_007
        expected = pl.Series([micros]).cast(pl.Datetime("us")).dt.to_string("iso").item()
        assert far_time(micros) == expected


@pytest.mark.parametrize(
    ("time", "zone"),
    [("0001-01-01T00:00:00Z", "UTC"), ("0001-01-01T00:00:00Z", "America/New_York"),
     ("9999-12-31T23:59:59.999999Z", "UTC"), ("9999-12-31T23:59:59.999999Z", "Asia/Tokyo")],
)  # fmt: skip
@pytest.mark.parametrize(
    "job",
    [("summary", "log.csv"), ("summary", "log.csv", "--by", "day"), ("summary", "log.csv", "--by", "week", "--compare", "week"),
     ("show", "log.csv", "--longest"), ("report", "log.csv", "-o", "page.html"), ("check", "log.csv"),
     ("check", "log.csv", "--init"), ("run", "log.csv", "-o", "out", "--check"),
     ("run", "log.csv", "-o", "out", "--state", "st", "--batch", "1", "--check"),
     ("funnel", "log.csv", "--step", "p", "--by", "month")],
    ids=" ".join,
)  # fmt: skip
def test_every_command_takes_the_first_and_the_last_instant_there_is(
    tmp_path: Path, job: tuple[str, ...], time: str, zone: str
) -> None:
    (tmp_path / "log.csv").write_text(STRAY.replace("0001-01-01T00:00:00Z", time))
    done = command(*job, "--timezone", zone, cwd=tmp_path)
    assert done.code in (0, 1), done.err
    alone = f"user_id,timestamp,event_type\na,{time},p\n"
    (tmp_path / "log.csv").write_text(alone)
    done = command(*(each.replace("st", "st2") if each == "st" else each for each in job), "--timezone", zone,
                   *(["--force"] if "--init" in job else []), cwd=tmp_path)  # fmt: skip
    assert done.code in (0, 1), done.err


def test_years_have_four_digits(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(STRAY)
    answer = json.loads(command("summary", "log.csv", "--json", cwd=tmp_path).out)
    assert answer["first"] == "0001-01-01T00:00:00.000000Z"
    assert [row["day"] for row in answer["per_day"]] == ["0001-01-01", "2024-05-29", "2024-05-30"]
    shown = json.loads(command("show", "log.csv", "a", "--json", cwd=tmp_path).out)
    assert (shown["session"]["start"], shown["events"][0]["time"]) == ("0001-01-01T00:00:00.000000Z",) * 2
    assert "1 Jan 0001 \N{EN DASH} 30 May 2024" in command("summary", "log.csv", cwd=tmp_path).out
    assert "log.csv:2: 0001-01-01T00:00:00Z" in command("check", "log.csv", cwd=tmp_path).out
    found = command("summary", "log.csv", "--session-where", "start < '0001-02-03'", "--json", cwd=tmp_path)
    assert json.loads(found.out)["sessions"] == 1, found.err


def test_the_screen_draws_no_line_over_two_thousand_years(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(STRAY)
    assert "sessions a day" not in command("summary", "log.csv", cwd=tmp_path).out
    (tmp_path / "log.csv").write_text(STRAY.replace("0001-01-01", "2024-05-27"))
    assert "sessions a day" in command("summary", "log.csv", cwd=tmp_path).out


def _hours(days: int, each: int) -> Any:
    return np.arange(HOURS_TO_MAY, HOURS_TO_MAY + 24 * days), np.full(24 * days, each)


@pytest.mark.parametrize("days", [2, 10, 40])
def test_a_stray_event_of_the_year_1_hides_no_hole_and_makes_none(days: int) -> None:
    hours, counts = _hours(days, 90)
    hole = 24 * days // 2 + 3
    there = np.delete(hours, hole), np.delete(counts, hole)
    assert holes(*there) == [hours[hole]]
    stray = FIRST // (DAY // 24)
    # A tenth of the events, so that they belong to the core.
    many = int(there[1].sum()) // 10
    with_stray = np.insert(there[0], 0, stray), np.insert(there[1], 0, many)
    assert holes(*with_stray) == [hours[hole]]
    assert holes(np.insert(hours, 0, stray), np.insert(counts, 0, many)) == []


@pytest.mark.slow
def test_holes_of_a_log_that_is_spread_over_all_years_are_found_in_no_time() -> None:
    hours = np.arange(FIRST // (DAY // 24), LAST // (DAY // 24), 2_000)
    assert holes(hours, np.full(len(hours), 60)) == []


@pytest.mark.slow
def test_a_log_of_as_many_days_as_events_is_checked_in_no_time(tmp_path: Path) -> None:
    days = (datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=365 * number) for number in range(9_000))
    lines = [f"u,{day.isoformat()},p\n" for day in days]
    (tmp_path / "log.csv").write_text("user_id,timestamp,event_type\n" + "".join(lines))
    done = command("check", "log.csv", "--output-format", "json", cwd=tmp_path)
    assert done.code == 1, done.err  # ancient, and in the future
    assert len(json.loads(done.out)["days"]) <= MOST_DAYS
