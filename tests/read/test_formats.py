"""A format of logs is one row of a table, and so is a way to read text: whatever asks for formats asks the tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import polars as pl
import pytest

from sessionize import schema
from sessionize.cli.complete import CHOICES
from sessionize.config import INPUT_FORMATS, Config, InputFormat
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.read import layouts, log, open_log, texts
from sessionize.read.formats import ENDINGS, FORMATS
from sessionize.read.lines import Block, blocks, each_line
from sessionize.read.opened import Opened, row_a_line
from sessionize.read.source import Source
from sessionize.read.texts import READERS, Reader

ROWS = pl.DataFrame({"id": ["a", "b"], "ts": ["1", "2"]})
WRITTEN: Mapping[str, Callable[[Path], None]] = {
    "csv": ROWS.write_csv,
    "parquet": ROWS.write_parquet,
    "ndjson": ROWS.write_ndjson,
}
LIMITS = Limits(event_bytes=1 << 20, rows=1_000)
SECOND_ROW = {"csv": "b,2", "parquet": '{"id": "b", "ts": "2"}', "ndjson": '{"id":"b","ts":"2"}'}
TEXTS = [name for name, form in FORMATS.items() if not form.mark]


def test_every_format_that_can_be_asked_for_has_its_row() -> None:
    assert tuple(FORMATS) == INPUT_FORMATS == CHOICES["input_format"] == tuple(WRITTEN)


def test_every_row_has_endings_that_no_other_has() -> None:
    endings = [ending for form in FORMATS.values() for ending in form.endings]
    assert all(form.endings for form in FORMATS.values())
    assert sorted(ENDINGS) == sorted(endings)
    assert [ending for ending in endings if ending != f".{ending[1:].lower()}"] == []


@pytest.mark.parametrize("name", INPUT_FORMATS)
def test_a_file_of_every_format_is_opened_scanned_batched_and_quoted(name: InputFormat, tmp_path: Path) -> None:
    path = tmp_path / f"log{FORMATS[name].endings[0]}"
    WRITTEN[name](path)
    found = open_log(Config(inputs=(str(path),)))
    numbers = [2, 3] if name == "csv" else [1, 2]
    placed = ROWS.select(pl.Series(schema.ROW, numbers, dtype=pl.UInt32), "id", "ts")
    assert [(file.format, file.digest is not None) for file in found.files] == [(name, bool(FORMATS[name].mark))]
    assert (found.passed_over, found.schema) == ((), dict(ROWS.schema))
    columns = [schema.ROW, "id", "ts"]
    assert found.scan().select(columns).collect().equals(placed)
    batches = [batch.frame.select(columns).collect() for batch in found.batches(LIMITS)]
    assert pl.concat(batches).equals(placed)
    places = pl.DataFrame({schema.FILE: [0], schema.ROW: numbers[1:]}, schema=[schema.FILE, schema.ROW]).cast(pl.UInt32)
    assert found.raw(places).equals(places.with_columns(raw=pl.lit(SECOND_ROW[name])))


@pytest.mark.parametrize("name", INPUT_FORMATS)
def test_what_fails_while_a_sound_log_is_read_is_raised_as_it_is(name: InputFormat, tmp_path: Path) -> None:
    path = tmp_path / f"log{FORMATS[name].endings[0]}"
    WRITTEN[name](path)
    with pytest.raises(OSError, match="no space"), open_log(Config(inputs=(str(path),))).reading():
        raise OSError("no space")


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.mark])
def test_a_file_that_is_named_as_a_format_with_a_mark_and_has_none_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.{name}"
    path.write_text("id,ts\n")
    with pytest.raises(InputError, match=f"not a {name.capitalize()} file, whatever its name says"):
        open_log(Config(inputs=(str(path),)))


def test_what_opens_a_log_asks_the_tables_and_names_no_format() -> None:
    code = inspect.getsource(log) + inspect.getsource(texts._opened)
    assert [name for name in INPUT_FORMATS if f'"{name}"' in code or f"is_{name}" in code] == []


def test_every_text_format_has_a_reader_and_no_other_format_has_one() -> None:
    assert sorted({reader.format for reader in READERS}) == sorted(TEXTS)
    assert len({reader.name for reader in READERS}) == len(READERS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_no_other_reader_takes_is_taken_by_the_last_of_its_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    WRITTEN[name](path)
    source = open_log(Config(inputs=(str(path),)))._content.sources[0]
    *others, last = [reader for reader in READERS if reader.format == name]
    assert [reader.opens(source, Config()) for reader in others] == [None] * len(others)
    assert (taken := last.opens(source, Config())) is not None
    assert taken.own == ("id", "ts")


def test_a_new_reader_of_text_is_one_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def opened(source: Source, _config: Config) -> Opened | None:
        if next(line for _, line in each_line(blocks(source))) != b"%pairs":
            return None
        return row_a_line(source, ("id", "ts"), pairs)

    def pairs(block: Block, wanted: Collection[str]) -> pl.DataFrame:
        lines = layouts.lines_of(block).filter(pl.col("line") != "%pairs")
        fields = lines["line"].str.split_exact("=", 1).struct.rename_fields(["id", "ts"]).struct.unnest()
        return lines.drop("line").hstack(fields.select(*wanted))

    monkeypatch.setattr(texts, "READERS", (Reader("pairs", "csv", opened), *READERS))
    (tmp_path / "day=1").mkdir()
    for name, text in {"a": "%pairs\na=1\nb=2\n", "b": "id,ts\nc,3\n"}.items():
        (tmp_path / "day=1" / f"{name}.log").write_text(text)
    found = open_log(Config(inputs=(str(tmp_path),)))
    assert found.scan().drop(schema.FAULT).collect().rows() == [
        (0, 2, "a", "1", "1"),
        (0, 3, "b", "2", "1"),
        (1, 2, "c", "3", "1"),
    ]
