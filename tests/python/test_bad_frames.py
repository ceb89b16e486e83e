"""A frame that cannot be read, or made, is an error of the package that says what of it is wrong, whoever raises it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from console import SAMPLE
from console import sessionize as typed

import sessionize
from sessionize import SessionizeError

CALLS = (sessionize.sessionize, sessionize.summary, sessionize.check, sessionize.compare, sessionize.paths)
EVENTS = pl.LazyFrame({"session_id": ["a"], "timestamp": [datetime(2024, 5, 1, 9)]})  # noqa: DTZ001


def with_column(values: pa.Array) -> pa.Table:
    return EVENTS.collect().to_arrow().append_column("odd", values)


def once(table: pa.Table) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


INTERVAL = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
UNREAD = {
    "an interval": with_column(INTERVAL),
    "an interval inside": with_column(pa.array([[(1, 2, 3)]], pa.list_(pa.month_day_nano_interval()))),
    "more digits than are read": with_column(pa.array([Decimal(1)], pa.decimal256(50, 2))),
    "run lengths": with_column(pa.RunEndEncodedArray.from_arrays([1], ["x"])),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_column_of_a_type_that_is_not_read_is_named(name: str) -> None:
    for data in (UNREAD[name], once(UNREAD[name])):
        with pytest.raises(SessionizeError, match=r"its column 'odd' is of type .*, which is not read") as raised:
            sessionize.sessionize(data)
        assert "leave it out" in str(raised.value.hint)


def test_a_query_of_duckdb_is_refused_in_the_package_s_own_errors() -> None:
    duckdb = pytest.importorskip("duckdb")
    event = "SELECT 'a' AS session_id, TIMESTAMP '2024-05-01 09:00:00' AS timestamp"
    with pytest.raises(SessionizeError, match="its column 'odd' is of type month_day_nano_interval"):
        sessionize.sessionize(duckdb.sql(f"{event}, INTERVAL 1 DAY AS odd"))
    with pytest.raises(SessionizeError, match="Could not convert string 'q'"):
        sessionize.sessionize(duckdb.sql(f"{event}, CAST(x AS INT) AS n FROM (VALUES ('q')) t(x)"))


SCANS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    "Parquet": lambda folder: pl.scan_parquet(folder / "nope.parquet"),
    "CSV": lambda folder: pl.scan_csv(folder / "nope.csv"),
    "NDJSON": lambda folder: pl.scan_ndjson(folder / "nope.ndjson"),
    "a function": lambda _: EVENTS.map_batches(lambda _: 1 / 0, schema=EVENTS.collect_schema()),  # type: ignore[arg-type, return-value]
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", SCANS)
def test_a_frame_that_polars_cannot_make_is_told_as_that(name: str, call: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(SessionizeError, match=r"the frame cannot be collected: (No such file|division by zero)"):
        call(SCANS[name](tmp_path))


def test_a_frame_or_file_without_rows_and_types_is_an_empty_log_in_every_call_and_night(tmp_path: Path) -> None:
    empty = pl.DataFrame({"session_id": [], "timestamp": [], "event_type": [], "value": []})
    empty.write_parquet(tmp_path / "empty.parquet")
    EVENTS.collect().write_parquet(tmp_path / "day.parquet")
    for data in (empty, empty.lazy(), tmp_path / "empty.parquet"):
        assert sessionize.sessionize(data).counts.rows_read == 0
        for call in CALLS:
            call(data)
    assert len(sessionize.sessionize(pl.DataFrame({"session_id": ["a"], "timestamp": [None]})).rejected) == 1
    for day, name in (("2024-04-30", "empty"), ("2024-05-01", "day"), ("2024-05-02", "empty")):
        night = ("--batch", day, "--state", "state")
        said = typed("run", f"{name}.parquet", "-o", "nights", *night, cwd=tmp_path)
        assert said.code == 0, said.err


def test_more_lines_than_any_log_has_are_not_skipped(tmp_path: Path) -> None:
    with pytest.raises(SessionizeError, match=r"skip_lines=10{30} is more than any log has"):
        sessionize.sessionize(SAMPLE / "events.csv", skip_lines=10**30)
    for lines, code in ((10**30, 2), (2**32 - 1, 3)):
        assert typed("run", SAMPLE / "events.csv", "--skip-lines", lines, "-o", "out", cwd=tmp_path).code == code


def test_lines_are_skipped_of_text_files_only(tmp_path: Path) -> None:
    said = typed("run", SAMPLE / "events.parquet", "--skip-lines", "1", "-o", "out", cwd=tmp_path)
    assert said.code == 2
    assert "--skip-lines is for text files; this one is Parquet" in " ".join(said.err.split())
    assert typed("run", SAMPLE / "events.parquet", "--comment", "P", "-o", "out", cwd=tmp_path).code == 0
