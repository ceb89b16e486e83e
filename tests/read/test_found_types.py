"""Columns such as `type` and `action`, which may be the type of an event or another one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import console
import polars as pl
import pytest

ROWS = ("u1,2024-05-01T10:00:00Z,Page View,/a", "u1,2024-05-01T10:01:00Z,purchase,/b")
MOBILES = tuple(row.replace("Page View", "mobile") for row in ROWS)


def _found(log: Path, *options: str) -> str | None:
    out = log.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    code, _, err = console.sessionize("run", str(log), "-o", str(out), *options, cwd=log.parent)
    assert code == 0, err
    found: str | None = json.loads((out / "manifest.json").read_text())["columns"].get("event_type")
    return found


def _log(folder: Path, *rows: str, header: str = "user,ts,type,page") -> Path:
    path = folder / "log.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


@pytest.mark.parametrize("name", ["type", "action", "Activity", "eventAction"])
def test_a_column_in_which_page_views_are_is_the_event_type(tmp_path: Path, name: str) -> None:
    log = _log(tmp_path, *ROWS, header=f"user,ts,{name},page")
    assert _found(log) == name
    metrics = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    assert metrics["page_views"].to_list() == [1]
    assert metrics["conversions"].to_list() == [1]


def test_a_column_of_other_types_is_none(tmp_path: Path) -> None:
    assert _found(_log(tmp_path, *MOBILES)) is None
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["page_views"].to_list() == [2]


def test_without_pages_a_conversion_is_enough(tmp_path: Path) -> None:
    log = _log(tmp_path, "u1,2024-05-01T10:00:00Z,login", "u1,2024-05-01T10:01:00Z,purchase", header="user,ts,type")
    assert _found(log) == "type"


def test_what_is_given_or_named_comes_first(tmp_path: Path) -> None:
    log = _log(tmp_path, *(f"{row},x" for row in ROWS), header="user,ts,type,page,event")
    assert _found(log) == "event"
    log = _log(tmp_path, *ROWS)
    assert _found(log, "--event-type", "none") is None
    assert _found(_log(tmp_path, *MOBILES), "--page-view", "mobile") == "type"


def test_the_nights_keep_what_the_first_one_found(tmp_path: Path) -> None:
    for night, rows in enumerate((ROWS, MOBILES), 1):
        log = _log(tmp_path, *(row.replace("05-01", f"05-0{night}") for row in rows))
        state, out = str(tmp_path / "state"), str(tmp_path / "out")
        typed = ("run", str(log), "--state", state, "-o", out, "--batch", f"2024-05-0{night}")
        code, _, err = console.sessionize(*typed, cwd=tmp_path)
        assert code == 0, err
        (manifest,) = (tmp_path / "out").glob(f"*2024-05-0{night}*/manifest.json")
        assert json.loads(manifest.read_text())["columns"]["event_type"] == "type"
