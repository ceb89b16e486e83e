"""Types of the metrics that a user adds: of texts that must be numbers, and of nights without a value to tell."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

AS_NUMBERS = {
    "count(*) FILTER (WHERE plan > 1)": 1, "count(*) FILTER (WHERE plan = 3)": 1,
    "count(*) FILTER (WHERE plan BETWEEN 2 AND 4)": 1, "sum(CASE WHEN plan = 3 THEN 1 ELSE 0 END)": 1,
    "count(*) FILTER (WHERE plan IN (1, 3))": 2, "max(plan) - min(plan)": 2, "count(*) FILTER (WHERE plan = '3')": 1,
}  # fmt: skip


@pytest.mark.parametrize(("metric", "found"), AS_NUMBERS.items())
def test_a_text_that_is_compared_with_a_number_is_read_as_one(metric: str, found: int, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("session_id,timestamp,plan\na,2024-05-27,3\na,2024-05-27,1\n")
    done = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "--metric", f"n={metric}", cwd=tmp_path)
    assert (done.code, json.loads(done.out)["n"]) == (0, found), done.err


ROWS = '{{"session_id":"c","timestamp":"2024-05-{day}T10:00:00Z","plan":{plan}}}\n'


@pytest.mark.parametrize("values", [("9", "10"), ('"9"', '"10"')], ids=["numbers", "texts"])
@pytest.mark.parametrize("quiet", ["27", "28"], ids=["the first night", "a later one"])
def test_a_night_without_a_value_changes_no_metrics_type(values: tuple[str, str], quiet: str, tmp_path: Path) -> None:
    kept = []
    for day in ("27", "28", "29"):
        rows = [ROWS.format(day=day, plan=value) for value in (("null",) if day == quiet else values)]
        (tmp_path / f"{day}.ndjson").write_text("".join(rows))
        asked = ("--state", "state", "--batch", f"2024-05-{day}", "--metric", "n=max(plan)", "--metric", "m=min(plan)")
        done = sessionize("run", f"{day}.ndjson", "-o", "out", "-q", *asked, cwd=tmp_path)
        assert done.code == 0, done.err
        kept.append(pl.read_parquet(tmp_path / f"out/batch=2024-05-{day}/metrics.parquet").select("n", "m"))
    assert [row for frame in kept for row in frame.rows() if row[0] is not None] == [(10, 9)] * 2


def test_the_first_values_of_a_column_may_all_be_null(tmp_path: Path) -> None:
    rows = "".join(f"b{n // 5},2024-05-27T10:00:00Z,\n" for n in range(1_000))
    for last, metric, found in (
        (("9", "10"), "max(plan)", 10.0), (("gold", "silver"), "max(CAST(plan AS VARCHAR))", "silver"),
    ):  # fmt: skip
        ends = "".join(f"c,2024-05-28T10:00:00Z,{each}\n" for each in last)
        (tmp_path / "log.csv").write_text(f"session_id,timestamp,plan\n{rows}{ends}")
        done = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "--metric", f"n={metric}", cwd=tmp_path)
        assert json.loads(done.out.splitlines()[-1])["n"] == found
    done = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "--metric", "n=max(plan)", cwd=tmp_path)
    assert (done.code, "max(CAST(x AS VARCHAR)) is that of texts" in done.err) == (2, True)
