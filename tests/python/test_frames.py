"""A frame of any library, with any of their types, is the log that the same rows are in a file."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from budget import examples
from console import SAMPLE
from engine import config_of, raw_frame
from hypothesis import given
from hypothesis import strategies as st
from oracle import Event, OracleRules
from polars.testing import assert_frame_equal
from strategies import logs, roles, rules

import sessionize
from sessionize import schema
from sessionize.limits import Limits
from sessionize.read.frame import open_frame

EVENTS = pl.read_parquet(SAMPLE / "events.parquet")


@cache
def of_file() -> sessionize.Frames:
    """What the command would make of the file."""
    return sessionize.sessionize(str(SAMPLE / "events.parquet"))


def test_a_frame_is_what_its_file_is() -> None:
    made = sessionize.sessionize(EVENTS)
    assert made.counts == of_file().counts
    for name in ("metrics", "sessions", "events"):
        assert_frame_equal(made.table(name), of_file().table(name))


class Stream:
    """Any library's frame: all that it has is Arrow's stream interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


ARROW = EVENTS.to_arrow()


def _with(name: str, change: Callable[[pa.ChunkedArray], Any]) -> pa.Table:
    place = ARROW.schema.get_field_index(name)
    return ARROW.set_column(place, name, change(ARROW[name]))


FRAMES: dict[str, Any] = {
    "a lazy frame": EVENTS.lazy(),
    "a frame that Polars reads from a file": pl.scan_parquet(SAMPLE / "events.parquet"),
    "a table of pyarrow": ARROW,
    "a reader of pyarrow, which can be read once": pa.RecordBatchReader.from_batches(ARROW.schema, ARROW.to_batches()),
    "a batch of pyarrow": ARROW.combine_chunks().to_batches()[0],
    "any frame with the stream interface": Stream(ARROW),
    "categories": EVENTS.with_columns(pl.col("event_type", "page_url", "session_id").cast(pl.Categorical)),
    "an enumeration": EVENTS.with_columns(
        pl.col("event_type").cast(pl.Enum(EVENTS["event_type"].drop_nulls().unique()))
    ),
    "nanoseconds": EVENTS.with_columns(pl.col("timestamp").dt.cast_time_unit("ns")),
    "milliseconds": EVENTS.with_columns(pl.col("timestamp").dt.cast_time_unit("ms")),
    "times without a zone, in UTC": EVENTS.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
    "times of another zone": EVENTS.with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo")),
    "times by an offset": _with("timestamp", lambda times: times.cast(pa.timestamp("us", "+02:00"))),
    "times of a zone without a known name": _with("timestamp", lambda times: times.cast(pa.timestamp("us", "CEST"))),
    "times as texts": EVENTS.with_columns(pl.col("timestamp").dt.to_string("iso:strict")),
    "seconds since 1970": EVENTS.with_columns(pl.col("timestamp").dt.epoch("s")),
    "milliseconds since 1970, as floats": EVENTS.with_columns(pl.col("timestamp").dt.epoch("ms").cast(pl.Float64)),
    "a dictionary of Arrow's": _with("page_url", lambda texts: texts.dictionary_encode()),
    "large texts": _with("page_url", lambda texts: texts.cast(pa.large_string())),
    "ids as bytes": _with("session_id", lambda texts: texts.cast(pa.binary())),
    "a column of objects beside": EVENTS.with_columns(pl.Series("odd", [object()] * EVENTS.height, dtype=pl.Object)),
    "a column of nothing beside": EVENTS.with_columns(nothing=pl.lit(None)),
    "several chunks": pl.concat([EVENTS[:1000], EVENTS[1000:]], rechunk=False),
}


@pytest.mark.parametrize("name", FRAMES)
def test_it_does_not_matter_what_a_frame_is_made_of(name: str) -> None:
    made = sessionize.sessionize(FRAMES[name])
    assert made.counts == of_file().counts
    assert_frame_equal(made.metrics, of_file().metrics)


PANDAS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda frame: frame,
    "nullable types": lambda frame: frame.convert_dtypes(),
    "types of Arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "texts as objects": lambda frame: frame.astype({"session_id": object, "user_id": object}),
    "categories": lambda frame: frame.astype({"event_type": "category", "page_url": "category"}),
    "the time as the index": lambda frame: frame.set_index("timestamp"),
    "two levels of an index": lambda frame: frame.set_index(["user_id", "timestamp"]),
    "an index without a name": lambda frame: frame.set_axis(range(7, 7 + len(frame))),
    "the index of another order": lambda frame: frame.set_axis(range(len(frame), 0, -1)),
}


@pytest.mark.parametrize("name", PANDAS)
def test_a_frame_of_pandas_is_what_its_file_is(name: str) -> None:
    pytest.importorskip("pandas")
    made = sessionize.sessionize(PANDAS[name](EVENTS.to_pandas()))
    assert made.counts == of_file().counts
    assert_frame_equal(made.metrics, of_file().metrics)


def test_whole_numbers_that_pandas_holds_as_floats_are_ids_like_others() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"user_id": [101.0, None, 7.0], "time": pd.to_datetime(["2024-05-01"] * 3)})
    made = sessionize.sessionize(frame)
    assert sorted(made.metrics["profile_id"]) == ["101", "7"]
    assert made.rejected["reason"].to_list() == ["no_session_key"]


def test_a_relation_of_duckdb_is_what_its_file_is() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql(f"SELECT * FROM read_parquet('{SAMPLE / 'events.parquet'}')")
    assert_frame_equal(sessionize.sessionize(relation).metrics, of_file().metrics)


def test_a_frame_in_memory_is_read_some_rows_at_a_time() -> None:
    log = open_frame(sessionize.Config(frame=EVENTS))
    batches = [rows.frame.collect() for rows in log.batches(replace(Limits.of(), rows=100))]
    assert [batch.height for batch in batches] == [100] * 29 + [43]
    together = pl.concat(batches)
    assert together[schema.ROW].to_list() == [*range(1, 2944)]
    assert_frame_equal(together.select(EVENTS.columns), EVENTS)


@pytest.mark.parametrize(("kind", "engine"), [(pl.LazyFrame, "streaming"), (pl.DataFrame, "in-memory")])
def test_of_a_query_whose_rows_nobody_has_counted_no_more_is_held_than_of_its_events(
    kind: type[pl.LazyFrame | pl.DataFrame], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines: list[Any] = []
    collect = pl.LazyFrame.collect

    def noted(self: pl.LazyFrame, **options: Any) -> Any:
        if schema.REASON in self.collect_schema():
            engines.append(options.get("engine"))
        return collect(self, **options)

    monkeypatch.setattr(pl.LazyFrame, "collect", noted)
    sessionize.sessionize(EVENTS.lazy() if kind is pl.LazyFrame else EVENTS)
    assert set(engines) - {None} == {engine}


def test_bytes_are_texts_wherever_they_are_carried() -> None:
    of_bytes = EVENTS.with_columns(pl.col("country").cast(pl.Binary))
    asked = {"property": "country", "trait": "country", "where": "country = 'US'"}
    found, wanted = (sessionize.sessionize(each, **asked) for each in (of_bytes, EVENTS))  # type: ignore[arg-type]
    assert_frame_equal(found.sessions, wanted.sessions)
    assert 0 < found.counts.sessions < 658


PATHS: dict[str, Any] = {
    "a text": str(SAMPLE / "events.parquet"),
    "a path": SAMPLE / "events.parquet",
    "a glob": str(SAMPLE / "*.parquet"),
    "a list": [SAMPLE / "events.parquet"],
    "a tuple": (str(SAMPLE / "events.parquet"),),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_log_is_named_by(name: str) -> None:
    assert_frame_equal(sessionize.sessionize(PATHS[name]).metrics, of_file().metrics)


def test_several_files_are_one_log(tmp_path: Path) -> None:
    EVENTS[:1000].write_parquet(tmp_path / "1.parquet")
    EVENTS[1000:].write_parquet(tmp_path / "2.parquet")
    both = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    assert_frame_equal(sessionize.sessionize(both).metrics, of_file().metrics)


def test_the_rejected_rows_of_a_frame_come_as_they_were_and_of_a_file_with_their_text() -> None:
    rejected = sessionize.sessionize(EVENTS).rejected
    assert rejected.columns == ["row", *EVENTS.columns, "reason"]
    assert_frame_equal(rejected.drop("row", "reason"), EVENTS[(rejected["row"] - 1).to_list()])
    of_a_csv = sessionize.sessionize(SAMPLE / "events.csv").rejected
    assert of_a_csv.columns == ["file", "row", "reason", "raw"]
    assert of_a_csv["reason"].value_counts(sort=True)["count"].to_list() == [3, 1, 1, 1]


def test_rejected_rows_can_be_given_back() -> None:
    taken = EVENTS.rename({"country": "row"}).with_columns(reason=pl.lit("x"))
    rejected = sessionize.sessionize(taken).rejected
    again = sessionize.sessionize(rejected)
    assert (again.metrics.height, again.rejected.height) == (0, 2)
    assert again.notes[-1].startswith("the frame: none of 2 rows is an event")


def test_a_file_without_events_is_refused(tmp_path: Path) -> None:
    EVENTS.filter(pl.col("timestamp").is_null()).write_parquet(tmp_path / "log.parquet")
    with pytest.raises(sessionize.InputError, match=r"none of 1 rows is an event .1 null_timestamp."):
        sessionize.sessionize(tmp_path / "log.parquet")


@pytest.mark.slow
@given(logs(), roles(), rules(), st.randoms(use_true_random=False))
@examples(40)
def test_a_frame_a_parquet_file_and_a_csv_of_the_same_rows_make_the_same_sessions(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[Event],
    roles: frozenset[str],
    rules: OracleRules,
    chance: random.Random,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    frame = raw_frame(events, roles, rules)
    config = config_of(rules, roles, time_format="iso")
    frame.write_parquet(folder / "log.parquet")
    quoted = frame.with_columns(pl.col(pl.String).str.replace_all(r"[\n]", " "))  # a line is a record, in a CSV
    quoted.write_csv(folder / "log.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ", null_value="")
    shuffled = [*range(frame.height)]
    chance.shuffle(shuffled)
    order = sorted(shuffled, key=lambda row: frame["timestamp"][row])  # events of one instant keep theirs
    order.sort(key=lambda row: (frame["timestamp"][row], row))
    if not sessionize.sessionize(frame, config).counts.sessions:
        return  # of files, that is an error
    made = [
        sessionize.sessionize(log, config)
        for log in (frame, frame.lazy(), frame.to_arrow(), folder / "log.parquet", folder / "log.csv", frame[order])
    ]
    for other in made[1:]:
        assert other.counts == made[0].counts
        assert_frame_equal(other.metrics, made[0].metrics)


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_different_times_may_come_in_any_order(seed: int) -> None:
    frame = EVENTS.filter(pl.col("timestamp").is_first_distinct()).filter(pl.col("timestamp").is_not_null())
    made = sessionize.sessionize(frame.sample(fraction=1, shuffle=True, seed=seed))
    assert_frame_equal(made.metrics, sessionize.sessionize(frame).metrics, rel_tol=1e-12)


NO_LOGS: dict[str, tuple[Any, str, str]] = {
    "a number": (5, "data is no log, but of type int", "it is a path or several, or a frame"),
    "nothing": (None, "data is no log, but of type NoneType", "it is a path or several, or a frame"),
    "an empty path": ("", "data is an empty path", "is a variable not set?"),
    "an empty list": ([], "data is empty", "it is a path or several, or a frame"),
    "a dict": ({"user_id": ["a"]}, "data is no log, but of type dict", "polars.DataFrame(data) makes a frame of it"),
    "rows": ([{"user_id": "a"}], "data is no log, but of type list", "polars.DataFrame(data) makes a frame of it"),
    "bytes": (b"x", "data is no log, but of type bytes", "it is a path or several, or a frame"),
    "a column": (EVENTS["page_url"], "data is no log, but of type Series", "data.to_frame() makes a frame of it"),
    "an address": (
        "https://example.org/a.csv",
        "https://example.org/a.csv: nothing is fetched from the web",
        "curl -sS",
    ),
    "two columns of one name": (
        pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
        "data, a pyarrow.lib.Table, cannot be read as a frame",
        "give each column a name of its own",
    ),
}


@pytest.mark.parametrize("name", NO_LOGS)
def test_what_is_no_log_is_refused_with_what_would_be_one(name: str) -> None:
    data, message, hint = NO_LOGS[name]
    with pytest.raises(sessionize.UsageError) as raised:
        sessionize.sessionize(data)
    assert raised.value.message.startswith(message)
    assert hint in (raised.value.hint or "")


def test_a_query_that_fails_is_the_frames_fault() -> None:
    lazy = EVENTS.lazy().with_columns(pl.col("page_url").cast(pl.Int64, strict=True))
    with pytest.raises(sessionize.SessionizeError, match="the frame cannot be collected"):
        sessionize.sessionize(lazy)
    with pytest.raises(sessionize.InputError, match="the frame cannot be collected"):
        sessionize.sessionize(lazy.with_columns(pl.col("nowhere")))


def test_a_known_layout_is_found_in_a_frame_as_in_a_file() -> None:
    frame = pl.DataFrame({
        "event": ["$pageview", "$pageview"], "distinct_id": ["a", "a"], "uuid": ["1", "2"], "person_id": ["p", "p"],
        "timestamp": ["2024-05-01T09:00:00Z", "2024-05-01T09:05:00Z"], "team_id": [1, 1],
        "properties": ['{"$session_id": "s", "$current_url": "/a"}'] * 2,
    })  # fmt: skip
    made = sessionize.sessionize(frame)
    assert made.columns["page"] == ("properties.$current_url",)
    assert made.metrics["entry_page"].to_list() == ["/a"]
