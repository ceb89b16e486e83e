"""Parquet columns of types that few logs have: each means what it says, or is refused by its name."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from console import sessionize, sessionize_process

import sessionize as package

SECONDS = 1_714_550_400
EVENTS = {"user_id": ["a", "a", "b"], "time": pa.array([SECONDS, SECONDS + 60, SECONDS], pa.timestamp("s", "UTC"))}


def written(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(EVENTS | columns), folder / "log.parquet")
    return folder / "log.parquet"


PAIRS = [["a", "b"], ["c", "d"], None]


@pytest.mark.parametrize("asked", ["y[1] = 'a'", "y[2] = 'b'", "array_contains(y, 'b')", "array_length(y) = 2"])
def test_a_list_of_fixed_length_is_asked_as_any_other_is(asked: str, tmp_path: Path) -> None:
    found = []
    for kind in (pa.list_(pa.string()), pa.list_(pa.string(), 2)):
        path = written(tmp_path, y=pa.array(PAIRS, kind))
        goal = sessionize("run", path, "--where", asked, "--goal", f"g={asked}", "-o", "-", cwd=tmp_path)
        assert goal.code == 0, goal.err
        in_python = package.sessionize(pq.read_table(path), where=asked).metrics["events"].sum()
        found.append((goal.out, in_python))
    assert found[0] == found[1]
    assert found[0][1] > 0


@pytest.mark.parametrize("form", ["frame", "file"])
def test_seconds_that_are_decimals_are_exact_to_the_microsecond(form: str, tmp_path: Path) -> None:
    texts = ["1714550400.123457", "95617584000.123457", "1714550400.9999999"]
    times = pa.array([Decimal(each) for each in texts], pa.decimal128(20, 7))
    table = pa.table({"user_id": ["a", "b", "c"], "time": times})
    pq.write_table(table, tmp_path / "log.parquet")
    given = table if form == "frame" else tmp_path / "log.parquet"
    made = package.sessionize(given, time_format="s").metrics.sort("profile_id")["start"].dt.epoch("us")
    assert made.to_list() == [1714550400123457, 95617584000123457, 1714550400999999]


def _twins(kind: str) -> pa.Array:
    both = pa.StructArray.from_arrays([pa.array(["x"] * 3), pa.array([1, 2, 3])], names=["id", "id"])
    if kind == "inside":
        return pa.StructArray.from_arrays([both], names=["of"])
    return pa.ListArray.from_arrays([0, 1, 2, 3], both) if kind == "in a list" else both


@pytest.mark.parametrize("kind", ["plain", "inside", "in a list"])
def test_a_struct_with_two_fields_of_one_name_is_refused_by_its_column_without_a_panic(
    kind: str, tmp_path: Path
) -> None:
    path = written(tmp_path, odd=_twins(kind))
    said = sessionize_process("run", path.name, "-o", "out", cwd=tmp_path, env={"COLUMNS": "2000"})
    assert (said.code, "two fields called 'id': its column 'odd'" in said.err) == (3, True), said.err
    assert "panicked" not in said.err
    command = said.err.partition("leave it out: python ")[2].strip()
    subprocess.run([sys.executable, *shlex.split(command)], cwd=tmp_path, check=True)
    again = sessionize("run", "log-without.parquet", "-o", "again", cwd=tmp_path)
    assert again.code == 0, again.err
    with pytest.raises(package.SessionizeError, match="two fields called 'id': its column 'odd'"):
        package.sessionize(pq.ParquetFile(path).read())


def test_a_zone_without_a_name_is_read_by_each_way_in(tmp_path: Path) -> None:
    for zone in ("+05:30", "Mars/Base"):
        table = pa.table(EVENTS | {"time": EVENTS["time"].cast(pa.timestamp("us", zone))})
        pq.write_table(table, tmp_path / "log.parquet")
        typed = json.loads(sessionize("summary", "log.parquet", "--json", cwd=tmp_path).out)
        assert typed["first"] == "2024-05-01T08:00:00.000000Z"
        for given in (table, tmp_path / "log.parquet", pl.LazyFrame({"user_id": ["a"], "time": [SECONDS]})):
            first = package.sessionize(given).metrics["start"].min()
            assert str(first) == "2024-05-01 08:00:00+00:00"
