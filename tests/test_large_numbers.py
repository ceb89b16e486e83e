"""Whole numbers that only 64 bits without a sign hold, as hashes are: exact wherever they go, or refused with what works."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

import sessionize as package

LARGE, LARGEST = 2**63 + 5, 2**64 - 1
TIME = 1_714_550_400


def log(folder: Path, numbers: list[int | None], name: str = "log.parquet", start: int = TIME) -> Path:
    users = ["a" if place < 2 else f"u{place}" for place in range(len(numbers))]
    frame = pl.DataFrame({"user_id": users, "time": [start + 60 * place for place in range(len(numbers))]})
    frame.with_columns(x=pl.Series(numbers, dtype=pl.UInt64)).write_parquet(folder / name)
    return folder / name


def metrics(folder: Path, *arguments: object) -> list[dict[str, object]]:
    done = sessionize("run", "log.parquet", *arguments, "-o", "-", "--no-sessions", cwd=folder)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_dimension_has_all_digits_and_small_numbers_stay_numbers(tmp_path: Path) -> None:
    log(tmp_path, [LARGE, LARGEST, 3])
    assert [row["x"] for row in metrics(tmp_path, "--dimension", "x")] == [str(LARGE), "3"]
    made = package.sessionize(pl.read_parquet(tmp_path / "log.parquet"), dimension=["x"], property=["x"])
    assert made.metrics["x"].to_list() == [str(LARGE), "3"]
    assert made.events["property.x"].to_list() == [LARGE, LARGEST, 3]
    found = json.loads(sessionize("summary", "log.parquet", "--by", "x", "--json", cwd=tmp_path).out)
    assert str(LARGE) in json.dumps(found)
    log(tmp_path, [1, 2, 3])
    assert [row["x"] for row in metrics(tmp_path, "--dimension", "x")] == [1, 3]


EXACT = {
    "CAST(max(x) AS VARCHAR)": str(LARGEST), "CAST(sum(x) AS VARCHAR)": str(LARGE + LARGEST), "sum(x % 7)": (LARGE % 7) + (LARGEST % 7),
    "max(CAST(x AS DOUBLE))": float(LARGEST), "avg(x)": (LARGE + LARGEST) / 2, "max(x) - min(x)": LARGEST - LARGE,
    f"count(*) FILTER (WHERE x = {LARGEST})": 1, "count(*) FILTER (WHERE x > 5)": 2, "first(CAST(x AS VARCHAR))": str(LARGE),
}  # fmt: skip


@pytest.mark.parametrize("metric", EXACT)
def test_a_metric_is_exact_where_its_value_can_be_written(metric: str, tmp_path: Path) -> None:
    log(tmp_path, [LARGE, LARGEST, 3])
    assert metrics(tmp_path, "--metric", f"m={metric}")[0]["m"] == EXACT[metric]


@pytest.mark.parametrize("metric", ["max(x)", "sum(x)", "first(x)", "max(x) FILTER (WHERE x > 5)"])
def test_a_metric_whose_value_cannot_be_written_is_refused_with_two_that_can(metric: str, tmp_path: Path) -> None:
    log(tmp_path, [LARGE, LARGEST, 3])
    done = sessionize("run", "log.parquet", "--metric", f"m={metric}", "-o", "-", cwd=tmp_path)
    assert (done.code, "error: --metric m: a value of it is beyond" in done.err) == (2, True), done.err
    hint = " ".join(done.err.partition("hint: ")[2].split())
    texts = (hint.partition(" has all")[0], hint.partition("digits, ")[2].removesuffix(" is a number"))
    for text in texts:
        assert metrics(tmp_path, "--metric", f"m={text}")[0]["m"] is not None


def test_goals_and_conditions_compare_exactly(tmp_path: Path) -> None:
    log(tmp_path, [LARGE, LARGEST, 3])
    rows = metrics(tmp_path, "--goal", f"g=x = {LARGEST}", "--where", f"x <> {LARGE}")
    assert [(row["events"], row["g"]) for row in rows] == [(1, True), (1, False)]


def test_a_large_number_that_comes_late_names_the_dimension_and_what_has_its_digits(tmp_path: Path) -> None:
    log(tmp_path, [None, 1, *range(1_500), LARGE])
    done = sessionize("run", "log.parquet", "--profile-id", "user_id", "--dimension", "x", "-o", "-", cwd=tmp_path)
    assert (done.code, "error: --dimension x:" in done.err) == (2, True), done.err
    hint = " ".join(done.err.partition("hint: ")[2].split()).removesuffix(" in its place has all digits")
    rows = metrics(tmp_path, "--profile-id", "user_id", *shlex.split(hint))
    assert [each["x"] for each in (rows[0], rows[-1])] == ["1", str(LARGE)]


def test_a_night_of_small_numbers_goes_on_with_the_digits_of_the_nights_before(tmp_path: Path) -> None:
    for day, numbers in enumerate(([LARGE, LARGEST, 3], [3, 4, 5], [LARGE, 1, 2])):
        name = log(tmp_path, list(numbers), f"{day}.parquet", TIME + 86_400 * day).name
        night = ("--state", "state", "--batch", f"2024-05-0{day + 1}", "--dimension", "x", "--metric", "n=sum(x % 7)")
        done = sessionize("run", name, "-o", "out", "-q", *night, cwd=tmp_path)
        assert done.code == 0, done.err
    kept = pl.read_parquet(tmp_path / "out/batch=2024-05-02/metrics.parquet")
    assert kept.schema["x"] == pl.String
