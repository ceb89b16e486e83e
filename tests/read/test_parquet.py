"""Parquet as it comes: by any writer, drifting from file to file, damaged."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import arrow_views
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from console import sessionize

from sessionize import schema
from sessionize import sessionize as sessionize_frame
from sessionize.config import Config, Plan, TimeFormat
from sessionize.errors import InputError
from sessionize.kernel import normalise
from sessionize.plan import resolve
from sessionize.read import Log, open_log
from sessionize.zones import any_zone

NOON = datetime(2024, 5, 30, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
IDS = ["007", "b", "c"]


def log(*inputs: Path | str, **more: Any) -> Log:
    return open_log(Config(inputs=tuple(map(str, inputs)), **more))


def events(found: Log, **more: Any) -> list[tuple[Any, ...]]:
    """Row, reason, session id and time of each row, as the kernel sees them."""
    plan = resolve(Config(**more), found.schema, found.sample)
    rows = normalise(found.scan(), found.schema, plan).collect(engine="streaming")
    return rows.select(
        schema.ROW, pl.col(schema.REASON).cast(pl.String), pl.col("session_id").cast(pl.String), "timestamp"
    ).rows()


EXPECTED = [(place, None, name, NOON + timedelta(seconds=place - 1)) for place, name in enumerate(IDS, 1)]
MOMENTS = [NOON + timedelta(seconds=second) for second in range(3)]

WRITERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "int96, as Spark": {"use_deprecated_int96_timestamps": True},
    "a row group a row": {"row_group_size": 1},
    "version 1.0": {"version": "1.0"},
    "pages of version 2": {"data_page_version": "2.0"},
    "no dictionary": {"use_dictionary": False},
    "gzip": {"compression": "gzip"},
    "brotli": {"compression": "brotli"},
    "lz4": {"compression": "lz4"},
    "checksums": {"write_page_checksum": True},
}


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
def test_files_by_arrow(tmp_path: Path, options: dict[str, Any]) -> None:
    table = pa.table({"session_id": IDS, "timestamp": pa.array(MOMENTS, pa.timestamp("us", "UTC"))})
    pq.write_table(table, tmp_path / "a.parquet", **options)
    assert events(log(tmp_path / "a.parquet", verify=True)) == EXPECTED


TYPES = {
    "large_string": pa.array(IDS, pa.large_string()),
    "string_view": pa.array(IDS, pa.string_view()),
    "dictionary": pa.array(IDS).dictionary_encode(),
}


@pytest.mark.parametrize(
    "ids",
    [pytest.param(ids, id=name, marks=[arrow_views.needed] * (name == "string_view")) for name, ids in TYPES.items()],
)
def test_texts_of_any_type(tmp_path: Path, ids: pa.Array) -> None:
    pq.write_table(pa.table({"session_id": ids, "timestamp": MOMENTS}), tmp_path / "a.parquet")
    assert events(log(tmp_path / "a.parquet")) == EXPECTED


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        (pa.array([7, 2**63 - 1, -1], pa.int64()), ["7", "9223372036854775807", "-1"]),
        (pa.array([7, 2**64 - 1, 0], pa.uint64()), ["7", "18446744073709551615", "0"]),
        (pa.array([7, 100, -1], pa.int8()), ["7", "100", "-1"]),
        (pa.array([Decimal(10**20), Decimal(7), Decimal(0)], pa.decimal128(21)), ["100000000000000000000", "7", "0"]),
        (pa.array([b"\x00\xff", b"a", b"b"], pa.binary()), ["00ff", "a", "b"]),
    ],
    ids=str,
)
def test_ids_keep_every_digit(tmp_path: Path, ids: pa.Array, texts: list[str]) -> None:
    pq.write_table(pa.table({"session_id": ids, "timestamp": MOMENTS}), tmp_path / "a.parquet")
    assert [row[2] for row in events(log(tmp_path / "a.parquet"))] == texts


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "+05:30", "CEST", "W. Europe Standard Time", "Mars/Base"])
def test_times_of_each_unit_and_zone(tmp_path: Path, unit: str, zone: str | None) -> None:
    times = pa.array(MOMENTS if zone else [each.replace(tzinfo=None) for each in MOMENTS], pa.timestamp(unit, zone))
    pq.write_table(pa.table({"session_id": IDS, "timestamp": times}), tmp_path / "a.parquet")
    with any_zone():
        assert events(log(tmp_path / "a.parquet")) == EXPECTED


def test_a_zone_of_no_known_name_is_utc_however_deep_it_lies_and_in_every_use(tmp_path: Path) -> None:
    times, more = pa.timestamp("us", "CEST"), {"session_id": ["a", "b"], "timestamp": [*MOMENTS[:1], None]}
    columns = {
        "plain": pa.array([NOON, None], times),
        "inside": pa.array([{"at": NOON, "n": 1}, None], pa.struct([("at", times), ("n", pa.int64())])),
        "many": pa.array([[NOON], None], pa.list_(times)),
        "two": pa.array([[NOON, NOON], None], pa.list_(times, 2)),
        "by_name": pa.array([[("k", {"at": NOON})], [("k", None)]], pa.map_(pa.string(), pa.struct([("at", times)]))),
    }
    table = pa.table(more | columns)
    pq.write_table(table, tmp_path / "a.parquet")
    for given in (table, str(tmp_path / "a.parquet")):
        made = sessionize_frame(given, property=[*columns], split_on=["plain", "inside.at"])
        found = {
            name: value for name, value in made.events.to_dicts()[0].items() if name.startswith(schema.PROPERTY_PREFIX)
        }
        assert len(found) == len(columns)
        assert all("2024, 5, 30, 12" in repr(value) for value in found.values()), found
    options = ("--property", "inside.at", "--dimension", "at=plain", "--events")
    assert sessionize("run", "a.parquet", *options, "-o", "out", cwd=tmp_path).code == 0
    assert "2024-05-30" in sessionize("show", "a.parquet", "a", "--raw", cwd=tmp_path).out


def test_far_years_in_int96_do_not_wrap(tmp_path: Path) -> None:
    far = [datetime(9999, 12, 31), datetime(2300, 1, 1), datetime(1, 1, 1)]  # noqa: DTZ001
    table = pa.table({"session_id": IDS, "timestamp": pa.array(far, pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    assert [row[3] for row in events(log(tmp_path / "a.parquet"))] == [each.replace(tzinfo=UTC) for each in far]


def test_a_column_of_nulls_alone_rejects_its_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"session_id": pa.nulls(3), "user_id": IDS, "timestamp": MOMENTS}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"session_id": IDS, "user_id": IDS, "timestamp": MOMENTS}), tmp_path / "2.parquet")
    found = events(log(tmp_path / "*.parquet"))
    assert found == [(row, None, None, at) for row, _, _, at in EXPECTED] + EXPECTED
    pq.write_table(pa.table({"session_id": pa.nulls(1), "timestamp": MOMENTS[:1]}), tmp_path / "3.parquet")
    assert [row[1] for row in events(log(tmp_path / "3.parquet"))] == ["no_session_key"]


def test_row_numbers_go_on_across_row_groups_and_start_anew_in_each_file(tmp_path: Path) -> None:
    for name, size in (("1", 4), ("2", 1000)):
        table = pa.table({"session_id": [f"{name}.{n}" for n in range(1, 31)], "timestamp": [NOON] * 30})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=size)
    found = log(tmp_path / "*.parquet")
    rows = found.scan().select(schema.FILE, schema.ROW, "session_id").collect(engine="streaming")
    assert rows.rows() == [(file, n, f"{file + 1}.{n}") for file in range(2) for n in range(1, 31)]
    kept = found.scan().filter(pl.col("session_id").str.ends_with("9")).select(schema.ROW).collect(engine="streaming")
    assert kept.to_series().to_list() == [9, 19, 29] * 2


def test_files_by_duckdb(tmp_path: Path) -> None:
    duckdb: Any = pytest.importorskip("duckdb")
    duckdb.sql(
        f"""COPY (SELECT * FROM (VALUES ('007', TIMESTAMPTZ '2024-05-30 12:00:00+00'), ('b', '2024-05-30 12:00:01+00'),
        ('c', '2024-05-30 12:00:02+00')) t(session_id, timestamp)) TO '{tmp_path}/a.parquet' (FORMAT parquet)"""
    )
    assert events(log(tmp_path / "a.parquet", verify=True)) == EXPECTED


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("times", ["int64", "int96"])
def test_files_by_fastparquet(tmp_path: Path, times: str) -> None:
    fastparquet: Any = pytest.importorskip("fastparquet")
    pandas: Any = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"session_id": IDS, "timestamp": pandas.to_datetime(MOMENTS)})
    # In nanoseconds, as fastparquet takes any other unit for them when it writes int96.
    frame["timestamp"] = frame["timestamp"].dt.tz_localize(None).astype("datetime64[ns]")
    fastparquet.write(str(tmp_path / "a.parquet"), frame, times=times, row_group_offsets=[0, 2])
    assert events(log(tmp_path / "a.parquet")) == EXPECTED


DRIFT: dict[str, tuple[list[pl.Series], list[Any]]] = {
    "int widths": ([pl.Series([1], dtype=pl.Int8), pl.Series([2**40])], [1, 2**40]),
    "signs": ([pl.Series([-1]), pl.Series([2**64 - 1], dtype=pl.UInt64)], [-1, 2**64 - 1]),
    "number and text": ([pl.Series([7]), pl.Series(["007"])], ["7", "007"]),
    "whole and real": ([pl.Series([2**60 + 1]), pl.Series([7.0, 1.5, None])], [str(2**60 + 1), "7", "1.5", None]),
    "whole and real, all small": ([pl.Series([1, 2]), pl.Series([7.0, 1.5, None])], [1.0, 2.0, 7.0, 1.5, None]),
    "real and text": ([pl.Series([7.0, 1.25, 1e300]), pl.Series(["x"])], ["7", "1.25", "1e+300", "x"]),
    "float widths": ([pl.Series([0.5], dtype=pl.Float32), pl.Series([0.25])], ["0.5", "0.25"]),
    "truth and text": ([pl.Series([True]), pl.Series(["x"])], ["true", "x"]),
    "categories and text": ([pl.Series(["a"], dtype=pl.Categorical), pl.Series(["x"])], ["a", "x"]),
    "nulls and numbers": ([pl.Series([None, None]), pl.Series([7])], [None, None, 7]),
    "decimal and text": ([pl.Series([Decimal("1.10")]), pl.Series(["x"])], ["1.1", "x"]),
    "struct and JSON text": ([pl.Series([{"a": 1}]), pl.Series(['{"a":2}'])], ['{"a":1}', '{"a":2}']),
    "structs": ([pl.Series([{"a": 1}]), pl.Series([{"b": "x"}])], [{"a": 1, "b": None}, {"a": None, "b": "x"}]),
    "days and times": ([pl.Series([date(2024, 5, 30)]), pl.Series([NAIVE])], [datetime(2024, 5, 30), NAIVE]),  # noqa: DTZ001
    "time and text": ([pl.Series([NOON]), pl.Series(["x"])], ["2024-05-30T12:00:00.000000Z", "x"]),
}


@pytest.mark.parametrize(("columns", "expected"), DRIFT.values(), ids=DRIFT.keys())
def test_a_column_whose_type_drifts_keeps_what_it_says(
    tmp_path: Path, columns: list[pl.Series], expected: list[Any]
) -> None:
    for order in (1, -1):
        for place, column in enumerate(columns[::order]):
            column.alias("x").to_frame().write_parquet(tmp_path / f"{place}.parquet")
        found = log(tmp_path / "*.parquet").scan().select("x").collect().to_series().to_list()
        assert found == (expected if order == 1 else expected[len(columns[0]) :] + expected[: len(columns[0])])


def test_whole_numbers_in_one_file_and_doubles_in_the_next_are_numbers_and_one_id(tmp_path: Path) -> None:
    rows = {"user_id": [1, 2], "ts": ["2024-05-30T10:00:00Z"] * 2, "plan": [1, 0]}
    for name, dtype in (("a", pl.Int64), ("b", pl.Float64)):
        pl.DataFrame(rows).cast({"user_id": dtype, "plan": dtype}).write_parquet(tmp_path / f"{name}.parquet")
    typed = ["run", "a.parquet", "b.parquet", "-o", "-", "--no-sessions", "-q", "--metric", "most=max(plan)"]
    said = sessionize(*typed, "--where", "plan > 0", cwd=tmp_path)
    assert said.code == 0, said.err
    (found,) = map(json.loads, said.out.splitlines())
    assert (found["profile_id"], found["events"], found["most"]) == ("1", 2, 1.0)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_of_different_units_lose_no_digit_and_do_not_wrap(tmp_path: Path, zone: str | None) -> None:
    exact = NAIVE + timedelta(microseconds=123_456)
    zones = [zone and "Asia/Tokyo", zone, zone and "America/New_York"]
    for place, (unit, other) in enumerate(zip(("ms", "us", "ns"), zones, strict=True)):
        times = pl.Series("ts", [exact]).dt.replace_time_zone(zone).cast(pl.Datetime("us", zone))
        times = times.dt.convert_time_zone(other) if other else times
        times.dt.cast_time_unit(unit).to_frame().write_parquet(tmp_path / f"{place}.parquet")  # type: ignore[arg-type]
    pl.Series("ts", [2**62, -(2**62)]).cast(pl.Datetime("ms", zone)).to_frame().write_parquet(tmp_path / "9.parquet")
    found = log(tmp_path / "*.parquet").scan().collect()["ts"]
    assert found.dtype == pl.Datetime("us", zone)
    first = (exact.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert found.to_physical().to_list() == [first // 1000 * 1000, first, first, 2**63 - 1, 2**63 - 1]


NOT_TOLD_APART: dict[str, tuple[pl.Series, pl.Series]] = {
    "a time and a number": (pl.Series([NAIVE]), pl.Series([1717070400])),
    "zoned and naive": (pl.Series([NOON]), pl.Series([NAIVE])),
    "a list and text": (pl.Series([[1]]), pl.Series(["a"])),
}


@pytest.mark.parametrize("columns", NOT_TOLD_APART.values(), ids=NOT_TOLD_APART.keys())
def test_a_column_whose_types_mean_different_things_is_named_with_a_file_of_each(
    tmp_path: Path, columns: tuple[pl.Series, pl.Series]
) -> None:
    for place, column in enumerate(columns):
        column.alias("x").to_frame().write_parquet(tmp_path / f"{place}.parquet")
    with pytest.raises(InputError, match=r"'x' is .*0\.parquet, but .*1\.parquet"):
        log(tmp_path / "*.parquet")


def test_missing_extra_and_reordered_columns_are_one_log(tmp_path: Path) -> None:
    pl.DataFrame({"session_id": ["a"], "timestamp": [NOON]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"more": [1], "timestamp": [NOON], "session_id": ["b"]}).write_parquet(tmp_path / "2.parquet")
    pl.DataFrame({"session_id": ["c"]}).write_parquet(tmp_path / "3.parquet")
    found = log(tmp_path / "*.parquet")
    assert list(found.schema) == ["session_id", "timestamp", "more"]
    assert events(found) == [(1, None, "a", NOON), (1, None, "b", NOON), (1, "null_timestamp", "c", None)]


@pytest.mark.parametrize("pattern", ["", "*/*/*.parquet", "**/*.parquet"])
def test_hive_folders_are_columns_however_deep(tmp_path: Path, pattern: str) -> None:
    for day, shop in (("2024-05-01", "a%2Fb"), ("2024-05-02", "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"day={day}" / f"shop={shop}"
        folder.mkdir(parents=True)
        pl.DataFrame({"session_id": ["x"], "timestamp": [NOON]}).write_parquet(folder / "0.parquet")
        (folder / "_SUCCESS").touch()
        (folder / ".0.parquet.crc").touch()
    found = log(tmp_path / pattern if pattern else tmp_path).scan().select("day", "shop").collect()
    assert found.rows() == [("2024-05-01", "a/b"), ("2024-05-02", None)]


def test_names_with_a_point_reach_into_structs_and_json_text(tmp_path: Path) -> None:
    pl.DataFrame({
        "who": [{"id": "a", "deep": {"x": 7}, "text": '{"k": "v", "n": 12345678901234567}'}],
        "props": ['{"$session_id": "s1", "n": {"m": [1, 2]}, "it\'s": "q"}'],
        "timestamp": [NOON],
    }).write_parquet(tmp_path / "a.parquet")  # fmt: skip
    found = log(tmp_path / "a.parquet")
    names = ("who.deep.x", "props.$session_id", "props.n.m", "who.text.k", "who.text.n", "props.it's")
    plan = Plan(
        columns={"session_id": ("who.id",), "timestamp": ("timestamp",)}, time=TimeFormat(kind="datetime"),
        properties=names,
    )  # fmt: skip
    row = normalise(found.scan(), found.schema, plan).collect().row(0, named=True)
    assert [row[schema.PROPERTY_PREFIX + name] for name in names] == [7, "s1", "[1,2]", "v", "12345678901234567", "q"]


def flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def written(folder: Path, **options: Any) -> Path:
    seeded = np.random.default_rng(7)
    table = pa.table({
        "session_id": [f"s{n}" for n in seeded.integers(0, 100, 2000)],
        "timestamp": pa.array(seeded.integers(0, 10**9, 2000), pa.timestamp("s")),
    })  # fmt: skip
    pq.write_table(table, folder / "b.parquet", compression="none", **options)
    pq.write_table(table, folder / "a.parquet")
    pq.write_table(table, folder / "c.parquet")
    return folder / "b.parquet"


@pytest.mark.slow
def test_verify_finds_every_flipped_bit_that_changes_what_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, write_page_checksum=True)
    whole, read = path.read_bytes(), events(log(path, verify=True))
    last = pq.ParquetFile(path).metadata.row_group(0).column(1)
    found = 0
    for at in np.linspace(4, last.dictionary_page_offset + last.total_compressed_size - 1, 150).astype(int):
        path.write_bytes(whole)
        flipped(path, int(at))
        try:
            assert events(log(tmp_path / "*.parquet", verify=True))[2000:4000] == read
        except InputError as error:
            assert "b.parquet: damaged" in error.message  # noqa: PT017 - a flip in what is not used may go unseen
            found += 1
    assert found > 130


DAMAGE = {
    "cut short": lambda whole: whole[: len(whole) // 2],
    "empty": lambda _: b"",
    "its middle missing": lambda whole: whole[:2000] + whole[3000:],
    "zeros": lambda whole: whole[:4] + bytes(len(whole) - 2000) + whole[-1996:],
    "text": lambda _: b"session_id,timestamp\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_in_a_glob_is_named_and_nothing_is_published(tmp_path: Path, damage: Any) -> None:
    path = written(tmp_path)
    assert sessionize("run", "*.parquet", "-o", "out", cwd=tmp_path).code == 0
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    path.write_bytes(damage(path.read_bytes()))
    done = sessionize("run", "*.parquet", "-o", "out", cwd=tmp_path)
    assert done.code == 3, done.err
    assert "error: b.parquet: " in done.err
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before


def test_rejected_rows_keep_their_place_and_content(tmp_path: Path) -> None:
    times = [NOON, None, datetime(9999, 1, 1, tzinfo=UTC)]
    pl.DataFrame({"session_id": ["a", "b", None], "timestamp": times}).write_parquet(tmp_path / "1.parquet")
    assert sessionize("run", "1.parquet", "-o", "out", cwd=tmp_path).code == 0
    told = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert [(row["file"], row["row"], row["reason"]) for row in told] == [
        ("1.parquet", 2, "null_timestamp"), ("1.parquet", 3, "no_session_key"),
    ]  # fmt: skip
    assert json.loads(told[0]["raw"]) == {"session_id": "b", "timestamp": None}


MAP = pa.map_(pa.string(), pa.string())
ODD: dict[str, pa.Array] = {
    "map": pa.array([[("plan", "gold")], [("plan", "free")]], MAP),
    "bytes in a map": pa.array([[(b"plan", b"gold")], [(b"plan", b"free")]], pa.map_(pa.binary(), pa.binary())),
    "map of typed values": pa.array(
        [[("plan", {"string_value": "gold"})], [("plan", {"string_value": "free"})]],
        pa.map_(pa.string(), pa.struct([("string_value", pa.string()), ("int_value", pa.int64())])),
    ),
    "map in a list": pa.array([[[("plan", "gold")]], [[("plan", "free")]]], pa.list_(MAP)),
    "map in an object": pa.array([{"x": [("plan", "gold")]}, {"x": [("plan", "free")]}], pa.struct([("x", MAP)])),
    "a type of Arrow's": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"plan":"gold"}', '{"plan":"free"}'])),
}
INSIDE = {"map in a list": "c[0][plan]", "map in an object": "c.x[plan]"}


@pytest.mark.parametrize("kind", ODD)
def test_what_stands_inside_a_map_or_a_type_that_a_writer_made_up_is_found(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"user_id": ["u", "u"], "ts": ["2024-05-30", "2024-05-30"], "c": ODD[kind]}), path)
    plain = log(path)
    assert events(plain, columns={"session_id": "c"})[0][1] is None  # all of it is one text
    found = events(plain, columns={"session_id": INSIDE.get(kind, "c[plan]"), "profile_id": "user_id"})
    assert [each[2] for each in found] == ["gold", "free"]
    of_frame = sessionize_frame(pl.read_parquet(path), session_id=INSIDE.get(kind, "c.plan"))
    assert sorted(of_frame.metrics["source_id"]) == ["free", "gold"]


def test_a_duration_beside_a_date_is_the_time_of_day_and_alone_no_time(tmp_path: Path) -> None:
    clock = [timedelta(hours=10), timedelta(hours=10, minutes=5, milliseconds=500)]
    frame = pl.DataFrame({"user_id": ["u", "u"], "date": [NAIVE.date()] * 2, "time": clock})
    frame.write_parquet(tmp_path / "log.parquet")
    sessionize("run", "log.parquet", "-o", "out", "--property", "time", cwd=tmp_path)
    (row,) = pl.read_parquet(tmp_path / "out" / "metrics.parquet").iter_rows(named=True)
    assert (row["start"].isoformat(), row["duration_s"]) == ("2024-05-30T10:00:00+00:00", 300.5)
    assert sessionize("run", "log.parquet", "--timestamp", "time", "-o", "no", cwd=tmp_path).code == 3
