"""Columns that Parquet files hold as dictionaries: read as such or as texts, the same sessions come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import arrow_views
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from budget import quick_first
from polars.testing import assert_series_equal

from sessionize import Config, Output, run
from sessionize.errors import InputError
from sessionize.limits import Limits
from sessionize.preset import Preset
from sessionize.read import open_log, parquet_dictionaries
from sessionize.read.parquet_dictionaries import DictionaryColumn, Span, spans

ROWS = 2_000
GROUP = 300
PAGES = 11
KINDS = ("page-view", "", "purchase", "  ", None, "klick Ünïcode, and far longer than twelve bytes")


def log(rows: int = ROWS) -> pl.DataFrame:
    """Ids of which each is there a few times, kinds of which there are few; now and then a row that is no event."""
    return pl.DataFrame(
        {
            "user": [f"user-{row // 7 * 31 % 997}" for row in range(rows)],
            "time": pl.Series([None if row % 500 == 5 else row * 200_000_000 for row in range(rows)]).cast(
                pl.Datetime("us")
            ),
            "event": [KINDS[row * 7 // 3 % 6] for row in range(rows)],
            "page": [
                f"/never/{row}" if row % 500 == 5 else f"/page/{row % PAGES}?utm_source=s{row % 3}"
                for row in range(rows)
            ],
            "referrer": [None if row % 3 or row < 2 * GROUP else "https://example.org/" for row in range(rows)],
            "a.b": [KINDS[row % 6] for row in range(rows)],
            "note": [f"{row} is like no other" for row in range(rows)],
        }
    )


def limits(**fields: Any) -> Limits:
    """Limits of a small machine, but for some."""
    return replace(Limits.of(1), **{"partitions": (2, 2), **fields})


WORDS = limits(rows=GROUP, dictionary_rows=1, length_bytes=100)
"""By these, whatever is a dictionary in a file is read as one."""


def _by_polars(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, row_group_size=GROUP)


def _by_pyarrow(texts: pa.DataType, **options: Any) -> Callable[[pl.DataFrame, Path], None]:
    def write(frame: pl.DataFrame, path: Path) -> None:
        table = frame.to_arrow()
        types = [texts if pa.types.is_large_string(field.type) else field.type for field in table.schema]
        pq.write_table(
            table.cast(pa.schema(list(zip(table.column_names, types, strict=True)))),
            path,
            row_group_size=GROUP,
            **options,
        )

    return write


VIEWS = "pyarrow, views"
WRITERS = {
    "polars": _by_polars,
    "pyarrow": _by_pyarrow(pa.string()),
    "pyarrow, large": _by_pyarrow(pa.large_string(), compression="zstd"),
    VIEWS: _by_pyarrow(pa.string_view(), data_page_version="2.0", data_page_size=100),
    "pyarrow, dictionaries given up": _by_pyarrow(pa.string(), dictionary_pagesize_limit=20, data_page_size=100),
    "pyarrow, none": _by_pyarrow(pa.string(), use_dictionary=False),
}


@pytest.mark.parametrize(
    "write",
    [pytest.param(write, id=name, marks=[arrow_views.needed] * (name == VIEWS)) for name, write in WRITERS.items()],
)
def test_each_writers_dictionaries_hold_what_polars_reads(
    write: Callable[[pl.DataFrame, Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "log.parquet"
    write(log(), path)
    names = ["event", "page", "referrer"]
    found = spans(str(path), names, limits(rows=2 * GROUP))
    assert found is not None
    assert [(span.start, span.rows) for span in found] == [(0, 600), (600, 600), (1200, 600), (1800, 200)]
    read = [parquet_dictionaries.dictionaries(str(path), span, names) for span in found]
    for name in names:
        texts = pl.concat([held.each(held.texts) for part in read for held in part[name]])
        assert_series_equal(texts, pl.read_parquet(path)[name], check_names=False)


def test_what_takes_less_room_than_texts_is_held_as_a_dictionary(tmp_path: Path) -> None:
    path = str(tmp_path / "log.parquet")
    few = log(20 * ROWS).drop("a.b").with_columns(pl.struct(b="event").alias("a"))
    pq.write_table(few.to_arrow(), path)
    names = ["user", "event", "page", "referrer", "note"]
    assert spans(path, [*names, "a.b"], limits(rows=20 * ROWS)) == [
        Span(0, 20 * ROWS, range(1), frozenset({"user", "event", "page", "referrer"}))
    ]
    pq.write_table(few.to_arrow(), path, use_dictionary=["event"])
    assert spans(path, names, limits(rows=20 * ROWS)) == [Span(0, 20 * ROWS, range(1), frozenset({"event"}))]
    assert spans(path, names, limits(rows=10 * ROWS)) == [Span(0, 20 * ROWS, range(1), frozenset({"event"}))]
    assert spans(path, names, limits(rows=10 * ROWS - 1)) is None  # more than memory may have for a batch


def outcome(config: Config, folder: Path, allowed: Limits) -> dict[str, bytes]:
    """Every file of a run, but for the lock."""
    run(config, Output(directory=str(folder), events=True), limits=allowed)
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    quick_first([
        Config(),
        Config(where="event = 'purchase' or page like '%utm_source=s1'"),
        Config(columns={"event_type": ("a.b",)}),
        Config(columns={"session_id": ("referrer",)}),
        Config(columns={"event_type": ("referrer",), "referrer": ("referrer",)}, properties=("event", "note")),
    ]),
)  # fmt: skip
@pytest.mark.parametrize("event_bytes", quick_first([0, 10**9]), ids=["in files", "in memory"])
def test_a_log_read_by_its_dictionaries_gives_the_same_files(
    config: Config, event_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    for number, write in enumerate(write for name, write in WRITERS.items() if name != VIEWS or arrow_views.WRITTEN):
        write(log().with_columns(pl.col("time") + pl.duration(days=10 * number)), folder / f"{number}.parquet")
    # A column that the first file lacks and one that is no text there, so that it changes its type.
    log(50).drop("page").with_columns(event=pl.lit(7)).write_parquet(folder / "first.parquet")
    config = Config(**{**vars(config), "inputs": (str(folder),)})
    texts = outcome(config, tmp_path / "texts", limits(rows=GROUP, event_bytes=event_bytes))
    read: set[str] = set()
    dictionaries_of = parquet_dictionaries.dictionaries

    def watched(place: str, span: Span, names: Sequence[str]) -> dict[str, list[DictionaryColumn]]:
        read.update(names)
        return dictionaries_of(place, span, names)

    monkeypatch.setattr(parquet_dictionaries, "dictionaries", watched)
    assert outcome(config, tmp_path / "words", replace(WORDS, event_bytes=event_bytes)) == texts
    assert config.where is not None or {"page", "referrer"} & read


def test_texts_of_rejected_rows_do_not_change_how_those_of_events_are_written(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(log().to_arrow(), path)
    config = Config(inputs=(str(path),), columns={"page": ("note",)})
    few = ROWS - ROWS // 500  # as many notes as all events have
    texts = outcome(config, tmp_path / "texts", limits(few_texts=few))
    assert outcome(config, tmp_path / "words", replace(WORDS, rows=ROWS, few_texts=few)) == texts


def test_a_damaged_dictionary_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(log().to_arrow(), path, compression="none")
    content = path.read_bytes()
    assert content.count(b"purchase") >= 1
    path.write_bytes(content.replace(b"purchase", b"purch\xffse"))
    with pytest.raises(InputError, match=r"log\.parquet: damaged"):
        outcome(Config(inputs=(str(path),)), tmp_path / "out", limits(dictionary_rows=1))


def test_a_file_that_pyarrow_cannot_make_out_is_left_to_polars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(log().to_arrow(), path)

    def fails(*_: object, **__: object) -> None:
        raise pa.ArrowNotImplementedError("not yet")

    whole = outcome(Config(inputs=(str(path),)), tmp_path / "both", WORDS)
    monkeypatch.setattr(pq, "ParquetFile", fails)
    assert outcome(Config(inputs=(str(path),)), tmp_path / "pages", WORDS) == whole
    monkeypatch.setattr(pq, "read_metadata", fails)
    assert outcome(Config(inputs=(str(path),)), tmp_path / "footer", WORDS) == whole


def test_a_preset_that_changes_texts_gets_texts(tmp_path: Path) -> None:
    by_dictionaries = limits(rows=ROWS, dictionary_rows=1)
    path = tmp_path / "log.parquet"
    pq.write_table(log().to_arrow(), path)
    held = [batch.held for batch in open_log(Config(inputs=(str(path),))).batches(by_dictionaries)]
    assert held == [frozenset({"user", "event", "page", "referrer"})]
    preset = Preset(name="mine", title="a log in which a click is nothing", nulls={"event": (KINDS[-1] or "",)})
    config = Config(inputs=(str(path),), preset=preset)
    assert [batch.held for batch in open_log(config).batches(by_dictionaries)] == [frozenset()]
    done = run(config, Output(directory=str(tmp_path / "out")), limits=by_dictionaries)
    assert done.counts.events == ROWS - ROWS // 500
    assert KINDS[-1] not in pl.read_parquet(tmp_path / "out" / "metrics.parquet")["entry_event"].to_list()
