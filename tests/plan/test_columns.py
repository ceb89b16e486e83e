"""Which column is the time or a value: by its name and by its values, or the words that say what to type."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import console
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chosen_columns import NOON, columns, csv, minute, notes, starts, visits
from first_contact import hinted, run

import sessionize as package
from sessionize.config import Config, Nightly, Output, Rules
from sessionize.errors import UsageError
from sessionize.nightly.job import run_night

# --- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["started_at", "eventDate", "Complete Timestamp", "tstamp", "hitTime", "x_ts", "log_time"]
)
def test_the_one_column_named_for_a_time_whose_values_are_times_is_it(name: str, tmp_path: Path) -> None:
    log = csv(tmp_path, f"user_id,{name},format,counts\nu,2024-05-30 12:00:00,a,7\nu,2024-05-30 12:01:00,b,8\n")
    said = run(log, folder=tmp_path)
    assert (columns(said)["timestamp"], starts(tmp_path)) == (name, [NOON])


def test_of_two_such_columns_both_are_named_and_the_events_own_is_proposed(tmp_path: Path) -> None:
    log = csv(
        tmp_path,
        "user_id,received_at,clicked_at\nu,2024-05-30,2024-05-30T01:00:00Z\n".replace("30,", "30T02:00:00Z,", 1),
    )
    said = run(log, folder=tmp_path)
    assert "'clicked_at' and 'received_at'" in said.text
    assert hinted(said) == ["--timestamp", "clicked_at"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_a_date_beside_a_time_of_day_is_one_time(kind: str, tmp_path: Path) -> None:
    rows = {"date": [date(2024, 5, 30)] * 2, "time": [time(12, 0), time(12, 5)], "user_id": ["u", "u"]}
    frame, path = pl.DataFrame(rows), tmp_path / f"log.{kind}"
    texts = frame.with_columns(pl.col("date", "time").cast(pl.String).str.slice(0, 10))
    if kind == "parquet":
        frame.write_parquet(path)
    elif kind == "csv":
        texts.write_csv(path)
    else:
        texts.write_ndjson(path)
    said = run(path, folder=tmp_path)
    assert columns(said)["timestamp"] == ["date", "time"]
    assert (said.counts, starts(tmp_path)) == ((1, 2, 0), [NOON])


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("20240530120000", ["--time-format", "%Y%m%d%H%M%S"]),
        ("202405301200", ["--time-format", "%Y%m%d%H%M"]),
        ("2024053012", ["--time-format", "%Y%m%d%H"]),
        ("20240530120000000", ["--time-format", "%Y%m%d%H%M%S%f"]),
        ("45442.5", ["--time-format", "excel"]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_that_are_written_dates_are_refused_and_typing_what_is_said_reads_them(
    written: str, options: list[str], kind: str, tmp_path: Path
) -> None:
    path = csv(tmp_path, f"user_id,ts\nu,{written}\n")
    if kind == "parquet":
        path = tmp_path / "log.parquet"
        pl.DataFrame({"user_id": ["u"], "ts": [json.loads(written)]}).write_parquet(path)
    said = run(path, folder=tmp_path)
    assert (said.code, hinted(said)) == (2, options)
    assert run(path, *options, folder=tmp_path).counts == (1, 1, 0)
    assert starts(tmp_path) == [NOON]


def test_a_clock_that_starts_at_0_is_refused_and_never_read_as_1970(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("session_id,ts", lambda n: n // 10, lambda n: n * 300))
    said = run(log, folder=tmp_path)
    assert (said.code, hinted(said)) == (2, ["--time-format", "s"])
    assert "--time-format s, ms, us or ns" in said.text


def test_a_unit_is_found_though_most_times_are_0(tmp_path: Path) -> None:
    log = csv(tmp_path, "user_id,ts\nu,0\nu,0\nu,1717070400\n")
    assert run(log, folder=tmp_path).counts == (1, 1, 2)


def test_a_time_whose_values_are_no_times_is_proposed_with_its_layout_and_the_key_in_one_message(
    tmp_path: Path,
) -> None:
    log = csv(tmp_path, visits("who,ts", lambda n: f"w{n % 3}", lambda n: f"30.05.2024 12:{n % 60:02}"))
    said = run(log, folder=tmp_path)
    assert hinted(said) == ["--profile-id", "who", "--time-format", "%d.%m.%Y %H:%M"]
    assert run(log, *hinted(said), folder=tmp_path).counts == (3, 100, 0)


@pytest.mark.parametrize(
    "written",
    [
        "2024/05/30 12:00:00",
        "30/May/2024:12:00:00 +0000",
        "Thu, 30 May 2024 12:00:00 GMT",
        "30 May 2024 12:00",
        "2024/05/30 12:00:00.000",
    ],
)
def test_a_layout_that_can_mean_one_thing_only_is_read_and_shown(written: str, tmp_path: Path) -> None:
    said = run(csv(tmp_path, f'user_id,ts\nu,"{written}"\n'), folder=tmp_path)
    assert (said.counts, starts(tmp_path)) == ((1, 1, 0), [NOON])
    assert said.manifest is not None
    assert "%" in said.manifest["rules"]["time_format"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "written", ["30/05/2024 12:00", "05/30/2024 12:00 PM", "30.05.2024 12:00", "20240530-12:0:0:6"]
)
def test_a_layout_that_could_mean_two_things_is_rejected_and_said(written: str, tmp_path: Path) -> None:
    log = csv(tmp_path, f"user_id,ts\nu,2024-05-30T12:00:00Z\nu,{written}\n")
    said = run(log, folder=tmp_path)
    assert said.counts == (1, 1, 1)
    cured = run(log, *hinted(said), folder=tmp_path)
    assert cured.counts == (1, 2, 0)
    assert cured.manifest is not None
    assert list(cured.manifest["counts"]["time_formats"].values()) == [1, 1]


def test_several_formats_are_counted_each_in_the_summary_and_the_manifest(tmp_path: Path) -> None:
    log = csv(tmp_path, "user_id,ts\nu,1717070400\nu,1717070400000\nu,2024-05-30T12:00:00Z\nu,soon\n")
    typed = [part for each in ("s", "ms", "iso") for part in ("--time-format", each)]
    said = run(log, *typed, folder=tmp_path)
    assert said.counts == (1, 3, 1)
    assert said.manifest is not None
    assert said.manifest["counts"]["time_formats"] == {"s": 1, "ms": 1, "iso": 1}
    assert said.manifest["rules"]["time_format"] == ["s", "ms", "iso"]
    assert "times 1 as s, 1 as ms, 1 as iso" in said.text


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "total", "bad"),
    [
        (['"12,50"', '"1.234,00"'], 1246.5, 0),
        (['"12,50"', "1.234"], 1246.5, 0),
        (["$12.50", '"$1,234.00"'], 1246.5, 0),
        (["12.50 EUR", "1 USD"], 13.5, 0),
        (["1.234", "2"], 3.234, 0),
        (['"1,234"', "2"], 2.0, 1),
        (["12.50", '"12,50"'], 12.5, 1),
        (["free", "2"], 2.0, 1),
        (["1250¢", "₡2"], 2.0, 1),
        (["US¢99", "2 US$"], 2.0, 1),
        (['"{""amount"": 12.5, ""currency"": ""EUR""}"', ""], 12.5, 0),
    ],
)
def test_amounts_are_read_where_unmistakable_else_counted(
    written: list[str], total: float, bad: int, tmp_path: Path
) -> None:
    rows = "".join(f"u,{minute(number)},purchase,{each}\n" for number, each in enumerate(written))
    said = run(csv(tmp_path, f"user_id,ts,event,value\n{rows}"), folder=tmp_path)
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["value"].to_list() == [total]
    assert said.manifest is not None
    assert said.manifest["counts"]["bad_values"] == bad
    assert len(notes(said)) == bad


@pytest.mark.slow
def test_an_id_is_one_whatever_type_holds_it_within_a_run_and_over_nights(tmp_path: Path) -> None:
    kinds = [pa.int64(), pa.float64(), pa.decimal128(38, 10), pa.int32(), pa.uint64(), pa.string(), pa.binary()]
    for day, kind in enumerate(kinds, 1):
        value = pa.array(["101"]).cast(kind) if kind in (pa.string(), pa.binary()) else pa.array([101]).cast(kind)
        table = pa.table({"session_id": value, "plan": value, "ts": [datetime(2024, 5, day, 12, tzinfo=UTC)]})
        pq.write_table(table, tmp_path / f"2024-05-{day:02}.parquet")
    options = ("--timeout", "2d", "--split-on", "plan", "--property", "plan")
    said = run(*sorted(tmp_path.glob("*.parquet")), *options, folder=tmp_path)
    assert said.counts == (1, 7, 0)
    rules = Rules(timeout=timedelta(days=2), split_on=("plan",))
    for path in sorted(tmp_path.glob("*.parquet")):
        config = Config(inputs=(str(path),), rules=rules, properties=("plan",))
        run_night(config, Output(directory=str(tmp_path / "on")), Nightly(state=str(tmp_path / "st"), batch=path.stem))
    config = Config(rules=rules, properties=("plan",))
    run_night(
        config, Output(directory=str(tmp_path / "on")), Nightly(state=str(tmp_path / "st"), batch="end", flush=True)
    )
    found = pl.concat([pl.read_parquet(each) for each in sorted((tmp_path / "on").glob("batch=*/metrics.parquet"))])
    assert found.select("source_id", "events").rows() == [("101", 7)]


def test_bytes_are_text_in_every_role_and_in_a_condition(tmp_path: Path) -> None:
    table = pa.table({
        "user_id": pa.array([b"u", b"u"], pa.binary()),
        "event": pa.array([b"purchase", b"view"], pa.binary()).dictionary_encode(),
        "page": pa.array([b"/a", b"/b"], pa.binary()),
        "deep": pa.array([{"plan": b"pro"}, {"plan": b"pro"}], pa.struct([("plan", pa.binary())])),
        "tags": pa.array([[b"x"], [b"y"]], pa.list_(pa.binary())),
        "ts": [NOON, NOON],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "log.parquet")
    options = ("--property", "deep.plan", "--property", "tags", "--where", "event = 'purchase' AND user_id = 'u'")
    said = run(tmp_path / "log.parquet", *options, "--events", folder=tmp_path)
    assert said.counts == (1, 1, 0)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events.select("profile_id", "event_type", "page", "property.deep.plan", "property.tags").rows() == [
        ("u", "purchase", "/a", "pro", ["x"])
    ]


# --- nights ------------------------------------------------------------------------------------


def test_what_the_first_night_found_of_the_columns_holds_for_the_next(tmp_path: Path) -> None:
    def night(day: int, text: str) -> dict[str, Any]:
        path = csv(tmp_path, text, f"2024-05-{day}.csv")
        nightly = Nightly(state=str(tmp_path / "st"), batch=path.stem)
        done = run_night(Config(inputs=(str(path),)), Output(directory=str(tmp_path / "on")), nightly)
        return dict(done.manifest)

    def at(day: int, number: int) -> str:
        return minute(number).replace("-30T", f"-{day}T")

    header = "user_id,ts,event_id,text,value"
    first = night(30, visits(header, lambda n: n % 5, lambda n: at(30, n), lambda n: n % 3, str, lambda _: '"12,50"'))
    second = night(31, visits(header, str, lambda n: at(31, n), lambda n: f"e{n}", str, lambda _: "1.234"))
    assert first["columns"] == second["columns"] == {"profile_id": "user_id", "timestamp": "ts", "value": "value"}
    assert (first["rules"]["amounts"], second["rules"]["amounts"]) == ("comma", "comma")
    with pytest.raises(UsageError, match="event_id"):
        run_night(
            Config(inputs=(str(csv(tmp_path, f"{header}\n1,2024-06-01,e,x,1\n")),), columns={"event_id": "event_id"}),
            Output(directory=str(tmp_path / "on")), Nightly(state=str(tmp_path / "st"), batch="2024-06-01"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (['{"$numberInt":"0"}', '{"$numberDouble":"25.5"}'], (25.5, 0)), (["0", '{"$numberDouble":"25.5"}'], (25.5, 0)),
        (['{"$numberLong":"1"}', "25.5"], (25.5, 0)), (['{"$numberInt":"1"}', '{"x":25.5}'], (0.0, 1)),
        (['{"amount":1}', '{"amount":25.5}'], (25.5, 0)),
    ],
)  # fmt: skip
def test_amounts_of_mongodb_are_read_whatever_type_each_has(
    amounts: list[str], expected: tuple[float, int], tmp_path: Path
) -> None:
    row = '{{"timestamp":"2024-05-30T10:0{}:00Z","user_id":"u1","event_type":"{}","value":{}}}\n'
    rows = zip((0, 1), ("page_view", "purchase"), amounts, strict=True)
    (tmp_path / "log.ndjson").write_text("".join(row.format(*each) for each in rows))
    found = package.sessionize(tmp_path / "log.ndjson")
    assert (found.metrics["value"].sum(), found.counts.bad_values) == expected


@pytest.mark.parametrize(
    ("header", "typed"),
    [
        ("{},user_id,event_time,page", ("session_id", "visit_id", "--session-id 'session_id ?? visit_id'")),
        ("user_id,event_time,event,{}", ("value", "amount", "--map 'value=value ?? amount'")),
    ],
)
def test_files_that_name_one_column_differently_are_read_with_both_names(
    tmp_path: Path, header: str, typed: tuple[str, str, str]
) -> None:
    first, second, hint = typed
    for number, name in enumerate((first, second)):
        rows = {"session_id": "7,u1,2024-05-30 10:00:00,/a", "value": "u1,2024-05-30 10:00:00,purchase,7"}[first]
        (tmp_path / "log").mkdir(exist_ok=True)
        (tmp_path / "log" / f"{number}.csv").write_text(f"{header.format(name)}\n{rows}\n")
    refused = console.sessionize("run", "log", "-o", "out", cwd=tmp_path)
    assert hint in refused.err
    done = console.sessionize("run", "log", "-o", "out", *shlex.split(hint), cwd=tmp_path)
    assert done.code == 0, done.err
    metrics = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    assert metrics["events"].to_list() == [2]
    assert metrics["value"].sum() == (14 if first == "value" else 0)
