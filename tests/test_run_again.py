"""Outputs of a run, read again some rows at a time: the same rows, whatever their format and however few at a time."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from console import sessionize
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sessionize.config import OutputFormat
from sessionize.kernel.record import json_rows
from sessionize.limits import Limits
from sessionize.output.reading import FIRST_ROWS
from sessionize.output.writers import FORMATS, writer

ODD = ['"', "a\nb", '",\n"', "},", "[", "]", "\r\n", "ü" * 300]
TEXTS = st.one_of(st.none(), st.text(max_size=5), st.sampled_from(ODD))
ROWS = st.lists(st.tuples(TEXTS, st.one_of(st.none(), st.integers(-3, 3))), min_size=1, max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, form=st.sampled_from(["parquet", "json", "ndjson", "csv"]), some=st.sampled_from([1, 40, 1 << 20]))
@example(rows=[(text, 1) for text in ODD], form="csv", some=1)
@example(rows=[(text, 1) for text in ODD], form="json", some=1)
def test_rows_come_back_as_they_were_written(
    tmp_path: Path, rows: list[tuple[str | None, int | None]], form: OutputFormat, some: int
) -> None:
    frame = pl.DataFrame(rows, schema={"page": pl.String, "number": pl.Int64}, orient="row")
    frame = frame.with_columns(id=pl.int_range(frame.height).cast(pl.String))
    with writer(tmp_path / "out", form, json_rows) as out:
        out.write(frame)
    known = {} if form == "json" else dict(frame.schema)
    found = [*FORMATS[form].read(tmp_path / "out", known, Limits(event_bytes=1 << 20, rows=1, made_bytes=some))]
    as_text = frame.cast(pl.String) if form == "csv" else frame
    assert_frame_equal(pl.concat(found).select(frame.columns).cast(as_text.schema), as_text)


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_column_without_values_at_first_has_the_type_of_those_that_come(tmp_path: Path, form: OutputFormat) -> None:
    columns = {"late": [None] * 200 + [0.5], "whole": [1] * 200 + [1.5], "none": [None] * 201}
    frame = pl.DataFrame(columns, schema={"late": pl.Float64, "whole": pl.Float64, "none": pl.String})
    with writer(tmp_path / "out", form, json_rows) as out:
        out.write(frame)
    found = [*FORMATS[form].read(tmp_path / "out", {}, Limits(event_bytes=1 << 20, rows=1, made_bytes=100))]
    assert len(found) > 1
    assert_frame_equal(pl.concat(found), frame)


def test_parquet_is_read_so_many_rows_at_a_time_as_their_bytes_allow(tmp_path: Path) -> None:
    frame = pl.DataFrame({"page": ["x" * 1_000] * 5_000})
    with writer(tmp_path / "out", "parquet") as out:
        out.write(frame)
    found = [*FORMATS["parquet"].read(tmp_path / "out", {}, Limits(event_bytes=1 << 20, rows=1, made_bytes=1 << 20))]
    assert max(rows.height for rows in found) <= 1.1 * FIRST_ROWS
    assert_frame_equal(pl.concat(found), frame)


@pytest.mark.slow
def test_a_night_without_a_session_is_read_in_every_format(tmp_path: Path) -> None:
    told = {}
    for form in ("parquet", "csv", "json", "ndjson"):
        for day, minute in ((1, "23:50"), (2, "10:50")):
            rows = f"session_id,timestamp,event_type\na,2026-01-0{day}T{minute}:00Z,page-view\n"
            (tmp_path / f"{day}.csv").write_text(rows)
            night = ("-o", form, "--state", f"{form}-state", "--batch", f"2026-01-0{day}", "--format", form, "--events")
            assert sessionize("run", f"{day}.csv", *night, cwd=tmp_path).code == 0
        answers = [sessionize("paths", place, "--json", cwd=tmp_path) for place in (form, f"{form}/batch=2026-01-01")]
        assert [answer.code for answer in answers] == [0, 0], answers
        told[form] = [json.loads(answer.out)["total"] for answer in answers]
    assert [*told.values()] == [[2, 0]] * 4
