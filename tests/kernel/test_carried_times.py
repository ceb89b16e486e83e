"""Dates and times that a log's own columns carry are the same text in every format of the outputs."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

NOON = datetime(2024, 5, 1, 12)  # noqa: DTZ001 - naive, as it stands in a log
ROWS = pl.DataFrame({
    "session_id": ["a"], "timestamp": [NOON], "day": [date(2024, 5, 1)], "clock": [time(1, 2)], "fine": [time(23, 59, 59, 5)],
    "naive": [NOON], "zoned": pl.Series([NOON]).dt.replace_time_zone("Asia/Tokyo"), "span": [timedelta(days=1, seconds=1.5)],
})  # fmt: skip
CARRIED = {
    "day": "2024-05-01", "clock": "01:02:00", "fine": "23:59:59.000005", "naive": "2024-05-01T12:00:00.000000",
    "zoned": "2024-05-01T03:00:00.000000Z", "span": "P1DT1.5S",
}  # fmt: skip


@pytest.mark.parametrize("form", ["parquet", "ndjson", "json", "es-bulk"])
@pytest.mark.parametrize("nights", [False, True])
def test_a_time_carried_along_is_one_text_in_every_format(form: str, nights: bool, tmp_path: Path) -> None:  # noqa: FBT001
    ROWS.write_parquet(tmp_path / "log.parquet")
    asked = [word for name in CARRIED for word in ("--property", name, "--trait", name)]
    asked += ["--dimension", "d=fine", "--metric", "m=max(fine)", "--timezone", "Europe/Berlin", "--format", form]
    at = ["--state", "state", "--batch", "2024-05-01"] if nights else []
    done = sessionize("run", "log.parquet", "-o", "out", "-q", *asked, *at, cwd=tmp_path)
    assert done.code == 0, done.err
    (records,) = tmp_path.glob("out/**/sessions.*")
    if form == "parquet":
        found = pl.read_parquet(records).row(0, named=True)
        told = [json.loads(found["properties"]), json.loads(found["traits"])]
    else:
        lines = records.read_text().splitlines()
        found = json.loads("".join(lines)) if form == "json" else json.loads(lines[-1])
        told = [(found[0] if form == "json" else found)[name] for name in ("properties", "traits")]
    assert told == [CARRIED, CARRIED]
    (metrics,) = tmp_path.glob("out/**/metrics.*")
    if form == "parquet":
        assert pl.read_parquet(metrics).select("d", "m").row(0) == (CARRIED["fine"], CARRIED["fine"])
