"""Times as other clocks, typed columns and exports write them: read, or asked about with what to type."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from console import refused, sessionize

from sessionize import sessionize as frame


@pytest.mark.parametrize(
    ("first", "step", "whose", "typed"),
    [
        (638_524_062_180_000_000, 10**7, "ticks of .NET", "dotnet"),
        (13_361_283_018_000_000, 10**6, "those of WebKit", "webkit"),
        (133_612_830_180_000_000, 10**7, "those of Windows", "windows"),
    ],
)
@pytest.mark.parametrize("written", ["csv", "ndjson", "parquet"])
def test_a_clock_that_does_not_count_since_1970_is_named(
    first: int, step: int, whose: str, typed: str, written: str, tmp_path: Path
) -> None:
    times = [first + minute * 60 * step for minute in (0, 40, 80)]
    rows = pl.DataFrame({"user_id": ["u1"] * 3, "timestamp": times})
    log = tmp_path / f"log.{written}"
    getattr(rows, f"write_{written}")(log)
    said = sessionize("run", log.name, "-o", "out", cwd=tmp_path)
    assert said.code == 2
    assert whose in said.err
    assert f"did you mean --time-format {typed}?" in said.err
    ran = sessionize("run", log.name, "-o", "-", "--no-sessions", "-q", "--time-format", typed, cwd=tmp_path)
    found = datetime.fromisoformat(json.loads(ran.out.splitlines()[0])["start"])
    start = datetime(1 if typed == "dotnet" else 1601, 1, 1, tzinfo=UTC)
    assert found == start + timedelta(microseconds=first * 1_000_000 // step)


def test_seconds_since_2001_are_asked_about_where_they_have_fractions(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,visit_time\nu1,738703218.25\nu1,738703278.5\n")
    said = sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    assert "--time-format apple" in said.err
    typed = ("-q", "--time-format", "apple")
    ran = sessionize("run", "log.csv", "-o", "-", "--no-sessions", *typed, cwd=tmp_path)
    assert datetime.fromisoformat(json.loads(ran.out)["start"]) == datetime(2024, 5, 29, 19, 20, 18, 250_000, UTC)
    (tmp_path / "log.csv").write_text("user_id,visit_time\nu1,738703218\nu1,738703278\n")
    assert "apple" not in sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).err


def test_no_unit_is_proposed_by_which_a_clock_would_have_run_for_no_time(tmp_path: Path) -> None:
    assert "did you mean" not in refused(tmp_path, "user_id,ts\nu1,171706320000\nu1,171706380000\n")


def test_numbers_after_blanks_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id, ts, page\nu1, 1717063200, /a\nu1, 1717063500, /b\n")
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", cwd=tmp_path)
    assert json.loads(said.out)["duration_s"] == 300.0


def test_days_of_one_digit_may_stand_behind_two_blanks(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts\nu1,Fri May 31 23:55:00 2024\nu1,Sat Jun  1 00:05:00 2024\n")
    typed = ("--time-format", "%a %b %d %H:%M:%S %Y")
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", *typed, cwd=tmp_path)
    assert json.loads(said.out)["duration_s"] == 600.0


def test_only_an_exchange_of_day_and_month_is_called_one(tmp_path: Path) -> None:
    said = refused(tmp_path, "user_id,day\nu1,27.05.2024\nu1,28.05.2024\n")
    assert "exchanged" not in said
    assert "exchanged" in refused(tmp_path, "user_id,event_time\nu1,05/06/2024 10:00\nu1,06/06/2024 11:00\n")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("date,time", "2024-05-{0} 00:00:00,1899-12-30 10:00:00"), ("date,time", "2024-05-{0}T00:00:00.000Z,10:00:00"),
        ("date,time", "2024-05-{0},1970-01-01T10:00:00Z"),
    ],
)  # fmt: skip
def test_a_day_that_stands_for_none_is_none(header: str, row: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"user_id,{header}\nu1,{row.format(30)}\nu1,{row.format(31)}\n")
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", cwd=tmp_path)
    assert [json.loads(line)["start"][:16] for line in said.out.splitlines()] == [
        "2024-05-30T10:00",
        "2024-05-31T10:00",
    ]


@pytest.mark.parametrize("day", [date(1899, 12, 30), date(1970, 1, 1), date(1900, 1, 1)])
def test_a_time_that_is_typed_with_a_day_that_is_none_is_a_time_of_day(day: date, tmp_path: Path) -> None:
    times = [datetime.combine(day, time(10, minute), UTC) for minute in (0, 5)]
    dates = [date(2024, 5, 30), date(2024, 5, 31)]
    rows = pl.DataFrame({"date": dates, "time": times, "user_id": ["u", "u"]})
    rows.write_parquet(tmp_path / "log.parquet")
    said = sessionize("run", "log.parquet", "-o", "-", "--no-sessions", cwd=tmp_path)
    starts = [json.loads(line)["start"][:16] for line in said.out.splitlines()]
    assert starts == ["2024-05-30T10:00", "2024-05-31T10:05"], said.err
    assert frame(rows).metrics["start"].dt.date().to_list() == dates


def test_a_date_that_is_typed_as_midnight_is_one_time_with_the_time_of_day_beside_it(tmp_path: Path) -> None:
    rows = {"date": [datetime(2024, 5, 30)] * 2, "time": [time(10), time(10, 5)], "user_id": ["u", "u"]}  # noqa: DTZ001
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    said = sessionize("run", "log.parquet", "-o", "-", "--no-sessions", cwd=tmp_path)
    assert json.loads(said.out)["duration_s"] == 300.0, said.err


@pytest.mark.parametrize(
    "name", ["time_on_page", "timeSpent", "response_time", "load_time", "elapsed_time", "time-taken"]
)
def test_how_long_something_took_is_no_time_of_an_event(name: str, tmp_path: Path) -> None:
    rows = "".join(f"u{n % 2},2024-05-{30 + n % 2},/a,{n * 7}\n" for n in range(4))
    (tmp_path / "log.csv").write_text(f"user_id,date,page,{name}\n{rows}")
    assert sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).code == 0
    assert json.loads((tmp_path / "out/manifest.json").read_text())["columns"]["timestamp"] == "date"
    alone = refused(tmp_path, f"user_id,page,{name}\nu1,/a,12\nu1,/b,30\n", "alone.csv")
    assert f"--timestamp {name}" not in alone


def test_a_clock_beside_a_date_is_still_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 2},2024-05-{30 + n % 2},{n * 7}\n" for n in range(4))
    assert "did you mean --timestamp time_ms --time-format s?" in refused(tmp_path, f"user_id,date,time_ms\n{rows}")


@pytest.mark.parametrize("name", ["timestamp", "datetime", "date"])
@pytest.mark.parametrize("day", ["2024-05-30", "30/05/2024"])
def test_a_date_beside_a_time_of_day_is_one_time_with_it_whatever_the_two_are_called(
    name: str, day: str, tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text(f"session_id,{name},time\ns,{day},10:00:00\ns,{day},11:05:00\n")
    asked = () if day.startswith("2024") else ("--time-format", "%d/%m/%Y %H:%M:%S")
    if asked:
        assert shlex.join(asked) in refused(tmp_path, (tmp_path / "log.csv").read_text())
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", *asked, cwd=tmp_path)
    starts = [json.loads(line)["start"][11:16] for line in said.out.splitlines()]
    assert starts == ["10:00", "11:05"], said.err
