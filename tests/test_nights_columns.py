"""Columns that come and go from night to night: what was asked for once need not be in every night's log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize

WANTED = (
    "--property", "campaign", "--trait", "campaign", "--dimension", "plan", "--metric", "s=sum(plan)",
    "--goal", "g=campaign = 'x'", "--split-on", "campaign", "--where", "campaign IS NULL OR campaign <> 'z'",
)  # fmt: skip
"""Of each kind of option that names a column, one."""


def write(rows: dict[str, Any], path: Path) -> None:
    frame = pl.DataFrame(rows)
    getattr(frame, f"write_{path.suffix[1:]}")(path)


def night(path: Path, *options: str) -> tuple[int, str]:
    batch = ["--batch", path.stem, "--state", "st", "-o", "out"]
    said = sessionize("run", str(path), *batch, *options, "-q", cwd=path.parent)
    return said.code, said.err


def of_nights(folder: Path) -> pl.DataFrame:
    sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "-q", cwd=folder)
    parts = [pl.read_parquet(path) for path in folder.glob("out/batch=*/metrics.parquet")]
    return pl.concat(parts, how="vertical_relaxed").sort("session_id")


@pytest.mark.parametrize("ending", ["ndjson", "csv", "parquet"])
def test_a_column_that_a_night_lacks_is_null_in_it(ending: str, tmp_path: Path) -> None:
    users = ["u1", "u2"]
    first = {
        "user_id": users,
        "ts": [datetime(2024, 5, 30, 23, 50, tzinfo=UTC)] * 2,
        "campaign": ["x", "y"],
        "plan": [1, 2],
    }
    second = {"user_id": users, "ts": [datetime(2024, 5, 31, 0, 5, tzinfo=UTC)] * 2}
    paths = [tmp_path / f"2024-05-{day}.{ending}" for day in (30, 31)]
    for rows, path in zip((first, second), paths, strict=True):
        write(rows, path)
        assert night(path, *WANTED) == (0, "")
    sessionize("run", *map(str, paths), "-o", "one", *WANTED, "-q", cwd=tmp_path)
    one = pl.read_parquet(tmp_path / "one" / "metrics.parquet").sort("session_id")
    volatile = ("status", "end_reason")
    assert of_nights(tmp_path).drop(volatile).equals(one.drop(volatile))
    assert one["events"].to_list() == [2, 2]


def test_a_column_that_no_night_has_had_is_refused(tmp_path: Path) -> None:
    write({"user_id": ["u1"], "ts": [datetime(2024, 5, 30, tzinfo=UTC)]}, tmp_path / "2024-05-30.csv")
    code, said = night(tmp_path / "2024-05-30.csv", "--property", "campain")
    assert (code, "no column 'campain'" in said) == (2, True)


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1.0, None]), ([1.0, None], [1, 2]), ([1, 2], [None, None])])
def test_whole_numbers_with_a_null_among_them_are_as_good_as_whole_numbers(
    first: list[Any], second: list[Any], tmp_path: Path
) -> None:
    for day, plan in ((30, first), (31, second)):
        rows = {"user_id": ["u1", "u2"], "ts": [datetime(2024, 5, day, tzinfo=UTC)] * 2, "plan": plan}
        write(rows, tmp_path / f"2024-05-{day}.parquet")
        path = tmp_path / f"2024-05-{day}.parquet"
        assert night(path, "--dimension", "plan", "--metric", "m=max(plan)") == (0, "")
    found = of_nights(tmp_path)
    assert found.select("plan", "m").rows() == [
        (number, number) for number in (first[0], second[0], first[1], second[1])
    ]


def test_a_flush_takes_the_words_for_null_from_the_state(tmp_path: Path) -> None:
    (tmp_path / "2024-05-30.csv").write_text("session_id,user_id,event_time\nNULL,u1,2024-05-30 23:55:00\n")
    assert night(tmp_path / "2024-05-30.csv", "--null", "NULL") == (0, "")
    assert of_nights(tmp_path)["session_id"].to_list() == ["p:u1.1717113300000000"]
