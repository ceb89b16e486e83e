"""Which layouts are proposed for a time, and which are taken."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from console import sessionize

from sessionize.plan.layouts import certain, proposed


@pytest.mark.parametrize(
    ("written", "layout"),
    [
        ("20240530-1215", "%Y%m%d-%H%M"), ("20240530 12", "%Y%m%d %H"), ("20240530-121559.5", "%Y%m%d-%H%M%S.%f"),
        ("30/05/2024 1215", "%d/%m/%Y %H%M"), ("30-May-24 10.00.00.123456 AM", "%d-%b-%y %I.%M.%S.%f %p"),
        ("2024/05/30 10:00:00 (UTC)", "%Y/%m/%d %H:%M:%S (%z)"),
    ],
)  # fmt: skip
def test_each_number_is_read_whole(written: str, layout: str) -> None:
    assert proposed(pl.Series([written])) == [layout]


def test_utc_in_brackets_is_utc_whatever_the_zone_of_naive_times(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts\nu1,2024/05/30 10:00:00 (UTC)\n")
    done = sessionize("run", "log.csv", "--timezone", "America/New_York", "-o", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    (start,) = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["start"]
    assert start.isoformat() == "2024-05-30T10:00:00+00:00"


def test_an_hour_alone_is_proposed_and_not_taken() -> None:
    texts = pl.Series(["2024/05/30-05"])
    assert certain(texts) is None
    assert proposed(texts) == ["%Y/%m/%d-%H"]


@pytest.mark.parametrize("zone", ["PDT", "CEST", "America/New_York"])
def test_a_zone_by_name_alone_is_no_layout(zone: str) -> None:
    texts = pl.Series([f"2024/05/30 10:00:00 ({zone})"])
    assert certain(texts) is None
    assert proposed(texts) == []


def test_times_whose_seconds_a_spreadsheet_has_lost_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user_id,ts\nu1,1.71706E+12\nu1,1.71707E+12\n")
    assert "its seconds were lost before" in sessionize("run", log, "-o", "out", cwd=tmp_path).err
    log.write_text("user_id,ts\nu1,1.71706E12\nu1,1.717063260E12\n")
    assert "lost" not in sessionize("run", log, "-o", "out-too", cwd=tmp_path).err
