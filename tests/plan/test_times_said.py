"""Times that are not read by themselves: typing what is said reads them, and as they are meant."""

from __future__ import annotations

import shlex
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

WRITTEN: dict[str, tuple[str, list[str], str]] = {
    "the month first, as a later date tells": (
        "event_time", ["5/6/2024 7:44 AM", "5/6/2024 7:50 AM", "5/30/2024 7:50 AM"], "2024-05-06 07:44:00",
    ),
    "two digits of a year, the month first": ("event_time", ["05/06/24 07:44", "05/30/24 07:44"], "2024-05-06 07:44:00"),
    "a date that could be read in two ways": ("event_time", ["05/06/2024 07:44"], "2024-06-05 07:44:00"),
    "a date that is not ISO beside a time of day": ("date,time", ["30/05/2024,10:00:00"], "2024-05-30 10:00:00"),
    "a time of day of 12 hours": ("date,time", ["05/30/2024,10:00 AM"], "2024-05-30 10:00:00"),
    "of 12 hours beside an ISO date": ("date,time", ["2024-05-30,10:00 PM"], "2024-05-30 22:00:00"),
    "midnight behind the date": ("date,time", ["2024-05-30 00:00:00,10:00:00"], "2024-05-30 10:00:00"),
    "an offset behind the time of day": ("date,time", ["2024-05-30,10:00:00+02:00"], "2024-05-30 08:00:00"),
}  # fmt: skip


def said_options(hint: str) -> list[str]:
    """The options that a hint names first, as a shell takes them."""
    for start, end in (("hint: ", " would read "), ("says no date; ", " take both")):
        if start in hint and end in hint:
            return shlex.split(hint.rpartition(start)[2].partition(end)[0])
    return []


@pytest.mark.parametrize("kind", WRITTEN)
def test_typing_what_is_said_of_times_reads_them(kind: str, tmp_path: Path) -> None:
    names, rows, first = WRITTEN[kind]
    (tmp_path / "log.csv").write_text(f"user_id,{names}\n" + "".join(f"u,{row}\n" for row in rows))
    options: list[str] = []
    said = sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    for _ in range(2):
        options += said_options(said.err) if said.code else []
        said = sessionize("run", "log.csv", "-o", "out", *options, cwd=tmp_path)
    assert said.code == 0, said.err
    starts = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["start"].sort()
    assert str(starts.dt.replace_time_zone(None)[0]) == first


def test_of_a_day_and_a_month_that_could_be_exchanged_both_are_said(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,event_time\nu,05/06/2024 07:44\n")
    said = sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    assert "(or %m/%d/%Y %H:%M: day and month could be exchanged)" in " ".join(said.err.split())


def test_a_typed_date_with_midnight_goes_with_the_time_of_day_beside_it(tmp_path: Path) -> None:
    clock = [timedelta(hours=10), timedelta(hours=10, minutes=5)]
    frame = pl.DataFrame(
        {"user_id": ["u", "u"], "date": [datetime.combine(date(2024, 5, 30), datetime.min.time())] * 2}
    )
    frame.with_columns(time=pl.Series(clock)).write_parquet(tmp_path / "log.parquet")
    sessionize("run", "log.parquet", "--timestamp", "date", "--timestamp", "time", "-o", "out", cwd=tmp_path)
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["duration_s"].to_list() == [300.0]


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_dates_that_a_column_of_floats_holds_are_read_as_the_hint_says(form: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": ["u", "u", "u"], "ts": [20240530100000.0, 20240530100500.0, None]})
    path = tmp_path / f"log.{form}"
    if form == "csv":
        path.write_text("user_id,ts\nu,20240530100000.0\nu,20240530100500.0\nu,\n")
    else:
        getattr(frame, f"write_{form}")(path)
    said = sessionize("run", path.name, "-o", "out", cwd=tmp_path)
    assert "did you mean --time-format '%Y%m%d%H%M%S'?" in said.err
    sessionize("run", path.name, "-o", "out", "--time-format", "%Y%m%d%H%M%S", cwd=tmp_path)
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["duration_s"].to_list() == [300.0]


@pytest.mark.parametrize("kind", [pl.Int64, pl.Float64, pl.String])
def test_epochs_of_two_units_are_told_with_what_reads_both(kind: type[pl.DataType], tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for name, number in (("a", 1_717_063_200), ("b", 1_717_063_260_123)):
        frame = pl.DataFrame({"user_id": ["u"], "ts": pl.Series([number]).cast(kind)})
        frame.write_parquet(tmp_path / "log" / f"{name}.parquet")
    said = sessionize("run", "log", "-o", "out", cwd=tmp_path).err
    assert "1 of the first 2 times in 'ts' are not read" in said
    options = said.rpartition("': ")[2].split()
    assert "1 of 1 profiles, 2 events" in sessionize("run", "log", "-o", "out", *options, cwd=tmp_path).err


def test_written_dates_in_floats_are_not_said_to_be_unread(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["u"], "ts": [20240530100000.0]}).write_parquet(tmp_path / "log.parquet")
    said = sessionize("run", "log.parquet", "-o", "out", "--time-format", "%Y%m%d%H%M%S", cwd=tmp_path)
    assert (said.code, "not read" in said.err) == (0, False), said.err


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("days", "like"),
    [([2460460.916667, 2460460.93], "look like Julian days"), ([739402.9, 739402.95], "are no times of")],
)
def test_days_are_never_taken_for_a_clock_that_starts_at_0(
    days: list[float], like: str, form: str, tmp_path: Path
) -> None:
    frame = pl.DataFrame({"user_id": ["u", "u"], "timestamp": days})
    getattr(frame, f"write_{form}")(tmp_path / f"log.{form}")
    said = sessionize("run", f"log.{form}", "-o", "out", cwd=tmp_path)
    assert (said.code, like in said.err, "did you mean" in said.err) == (2, True, False), said.err
