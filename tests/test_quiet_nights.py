"""Nights in which nothing was written: of NDJSON, which has no header, that is a file without a byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize

OPTIONS = ("--property", "plan", "--exclude-bots", "--dimension", "plan", "--metric", "m=sum(value)", "--events")
"""Options that need columns, of which such a night has none."""

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"


def row(time: str, **more: Any) -> str:
    told = {
        "timestamp": time,
        "user_id": "a",
        "event_type": "purchase",
        "user_agent": AGENT,
        "plan": "p",
        "value": "1,5",
    }
    return json.dumps({**told, **more}) + "\n"


def night(folder: Path, name: str, batch: str, *options: str) -> tuple[int, str]:
    kept = ("-o", "out", "--state", "st", "--batch", batch, "-q")
    said = sessionize("run", name, *kept, *(options or OPTIONS), cwd=folder)
    return said.code, said.err


def _nothing(path: Path) -> None:
    path.touch()


def _blank(path: Path) -> None:
    path.write_text("\n \n")


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "part.ndjson").touch()


def _packed(path: Path) -> None:
    path.write_bytes(gzip.compress(b""))


@pytest.mark.parametrize(
    ("name", "made"),
    [("2.ndjson", _nothing), ("2.ndjson", _blank), ("2", _folder), ("2.ndjson.gz", _packed)],
)
def test_a_file_without_a_line_is_an_empty_night_where_the_nights_before_were_ndjson(
    name: str, made: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "1.ndjson").write_text(row("2024-05-01T23:50:00Z"))
    (tmp_path / "3.ndjson").write_text(row("2024-05-03T00:10:00Z"))
    made(tmp_path / name)
    assert night(tmp_path, "1.ndjson", "2024-05-01") == (0, "")
    code, said = night(tmp_path, name, "2024-05-02")
    assert (code, "no line is in it, and no event in the night" in said) == (0, True)
    assert night(tmp_path, name, "2024-05-02") == (0, "")
    assert night(tmp_path, "3.ndjson", "2024-05-03") == (0, "")
    sessionize("run", *OPTIONS, "--state", "st", "-o", "out", "--batch", "end", "--flush", "-q", cwd=tmp_path)
    sessionize("run", "1.ndjson", "3.ndjson", "-o", "one", *OPTIONS, "-q", "--until", "2024-06-01", cwd=tmp_path)
    parts = [pl.read_parquet(path) for path in sorted(tmp_path.glob("out/batch=*/metrics.parquet"))]
    one = pl.read_parquet(tmp_path / "one" / "metrics.parquet")
    assert pl.concat(parts).select(one.columns).to_dicts() == one.to_dicts()
    assert one["value"].to_list() == [1.5, 1.5]
    counts = json.loads((tmp_path / "out" / "batch=2024-05-02" / "manifest.json").read_text())["counts"]
    assert [counts[name] for name in ("rows_read", "carried_in", "sessions")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("first", "second"), [("1.csv", "2.csv"), ("1.ndjson", "2.csv"), ("1.ndjson", "-"), (None, "2.ndjson")]
)
def test_else_a_file_without_a_line_is_an_error_that_says_how_to_go_on(
    first: str | None, second: str, tmp_path: Path
) -> None:
    (tmp_path / "1.csv").write_text("timestamp,user_id\n2024-05-01T23:50:00Z,a\n")
    (tmp_path / "1.ndjson").write_text(row("2024-05-01T23:50:00Z"))
    (tmp_path / "2.csv").touch()
    (tmp_path / "2.ndjson").touch()
    if first is not None:
        night(tmp_path, first, "2024-05-01", "--timezone", "UTC")
    typed = ("-o", "out", "--state", "st", "--batch", "2024-05-02")
    said = sessionize("run", second, *typed, cwd=tmp_path, stdin=b"")
    assert (said.code, "leave batch 2024-05-02 out: the next one goes on with --allow-gap" in said.err) == (3, True)


def test_a_night_without_a_line_has_the_rules_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "1.ndjson").write_text(row("2024-05-01T23:50:00Z"))
    (tmp_path / "2.ndjson").touch()
    night(tmp_path, "1.ndjson", "2024-05-01")
    code, said = night(tmp_path, "2.ndjson", "2024-05-02", "--timeout", "10m")
    assert (code, "timeout_s: 1800.0 → 600.0" in said, "begin a new --state" in said) == (2, True, True)
