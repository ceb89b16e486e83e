"""A format is one row of a table: whatever asks for formats asks the table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from budget import quick_first
from console import SAMPLE, sessionize

from sessionize import Config, api
from sessionize.config import OUTPUT_FORMATS
from sessionize.output.writers import FORMATS


def test_every_format_that_can_be_asked_for_has_its_row() -> None:
    assert tuple(FORMATS) == OUTPUT_FORMATS


@pytest.mark.parametrize("form", quick_first(OUTPUT_FORMATS))
def test_a_later_run_takes_away_what_an_earlier_one_wrote_in_any_format(form: str, tmp_path: Path) -> None:
    other = next(each for each in OUTPUT_FORMATS if each != form)
    for each in (form, other):
        done = sessionize("run", SAMPLE / "events.csv", "-o", "out", "--format", each, "--events", cwd=tmp_path)
        assert done.code == 0, done.err
    assert not list((tmp_path / "out").glob(f"*s.{form}"))
    assert list((tmp_path / "out").glob(f"*s.{other}"))


def test_texts_of_few_kinds_are_written_as_codes_and_read_as_texts_within_objects_too(tmp_path: Path) -> None:
    done = sessionize("run", SAMPLE / "events.csv", "-o", "out", "--property", "event_type", cwd=tmp_path)
    assert done.code == 0, done.err
    path = tmp_path / "out" / "sessions.parquet"
    config = Config(inputs=(str(SAMPLE / "events.csv"),), properties=("event_type",))
    of_texts = tmp_path / "texts.parquet"
    api.sessionize(None, config).sessions.write_parquet(of_texts)
    assert pl.read_parquet(path).equals(pl.read_parquet(of_texts))
    assert pq.read_schema(path).equals(pq.read_schema(of_texts))
    found = pq.ParquetFile(path).metadata.row_group(0)
    columns = (found.column(number) for number in range(found.num_columns))
    encodings = {column.path_in_schema: column.encodings for column in columns}
    for name in ("metadata.status", "metadata.aux", "utm.source", "traits"):
        assert "RLE_DICTIONARY" in encodings[name], name
