"""The bench makes its logs and prints its table; how fast anything is, no test says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from budget import THOROUGH
from console import ROOT

BENCH = ROOT / "tests" / "bench"


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="takes a minute: THOROUGH=1")
def test_the_bench_prints_its_whole_table_from_a_small_log(tmp_path: Path) -> None:
    options = ["--events", "20000", "--rounds", "1", "--most-times", "1", "--no-peers", "--data", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, BENCH / "table.py", *options], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for row in (
        "ours, Parquet, log order",
        "floor / ours",
        "ours, Parquet, shuffled",
        "ours, CSV",
        "one key",
        "--help",
    ):
        assert f"| {row}" in done.stdout
    one = pl.read_parquet(tmp_path / "log-20000.parquet")
    text = pl.read_csv(tmp_path / "log-20000.csv", try_parse_dates=True)
    assert one.equals(text.cast({"ts": pl.Datetime("us")}))
    hot = pl.read_parquet(tmp_path / "hot-20000.parquet")["session_id"].value_counts(sort=True)
    assert hot["count"][0] == 6_000
    assert hot["count"].sum() == 20_000


@pytest.mark.slow
def test_the_bench_of_memory_prints_its_rows_from_small_logs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, BENCH / "memory.py", "--share", "0.002", "--data", tmp_path, "long", "one key"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith(("| long", "| one key"))]
    assert [row[0] for row in rows] == [
        "| long rows, csv", "| long rows, ndjson", "| long rows, parquet", "| long rows, all outputs", "| one key of 90 %",
    ]  # fmt: skip
    assert {row[4] for row in rows} == {"kept"}
    assert {row[-1] for row in rows} == {"the same bytes |"}
