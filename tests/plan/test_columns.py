"""Which column is which: by its name and by its values, or the words that say what to type."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from first_contact import Said, hinted, run

from sessionize.config import Config, Nightly, Output, Rules
from sessionize.errors import UsageError
from sessionize.nightly.job import run_night

NOON = datetime(2024, 5, 30, 12, tzinfo=UTC)


def csv(folder: Path, text: str, name: str = "log.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def visits(header: str, *columns: Any, rows: int = 100) -> str:
    """A CSV with a row a minute; a column is a function of the row's number."""
    lines = (",".join(str(column(number)) for column in columns) for number in range(rows))
    return header + "\n" + "".join(f"{line}\n" for line in lines)


def minute(number: int) -> str:
    return f"2024-05-30T{number // 60:02}:{number % 60:02}:00Z"


def columns(said: Said) -> dict[str, Any]:
    assert said.manifest is not None, said.text
    found: dict[str, Any] = said.manifest["columns"]
    return found


def notes(said: Said) -> list[str]:
    assert said.manifest is not None, said.text
    found: list[str] = said.manifest["notes"]
    return found


def starts(folder: Path) -> list[datetime]:
    return pl.read_parquet(folder / "out" / "metrics.parquet")["start"].to_list()


# --- ids of events -----------------------------------------------------------------------------


def test_a_number_of_a_template_is_no_event_id_and_that_is_said(tmp_path: Path) -> None:
    log = csv(
        tmp_path, visits("user_id,ts,EventId,text", lambda n: n % 3, lambda _: minute(0), lambda n: f"E{n % 7}", str)
    )
    said = run(log, folder=tmp_path)
    assert (said.counts[1], "event_id" in columns(said)) == (100, False)
    assert [note for note in notes(said) if "'EventId' is taken for no event id: its 7 values in 100 rows" in note]
    taken = run(log, "--event-id", "EventId", folder=tmp_path)
    assert taken.manifest is not None
    assert taken.manifest["counts"]["duplicates"] == 100 - 21


def test_copies_of_events_do_not_speak_against_an_event_id_nor_do_copies_with_another_time(tmp_path: Path) -> None:
    log = csv(
        tmp_path,
        visits(
            "user_id,ts,event_id,page", lambda n: n // 10, lambda n: minute(n // 2), lambda n: n // 2, lambda n: n // 2
        ),
    )
    said = run(log, folder=tmp_path)
    assert said.manifest is not None
    assert (columns(said)["event_id"], said.manifest["counts"]["duplicates"]) == ("event_id", 50)
    later = csv(
        tmp_path, visits("user_id,ts,event_id,page", lambda n: n // 10, minute, lambda n: n // 2, lambda n: n // 2)
    )
    assert columns(run(later, folder=tmp_path))["event_id"] == "event_id"


def test_a_uuid_is_no_event_id_and_a_uid_no_profile_id(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("session_id,ts,uuid,uid", lambda n: n // 10, minute, str, str))
    assert columns(run(log, folder=tmp_path)) == {"session_id": "session_id", "timestamp": "ts"}


@pytest.mark.parametrize(
    ("typed", "role"),
    [
        (["--event-id", "none"], "event_id"),
        (["--session-id", "none"], "session_id"),
        (["--profile-id", "none"], "profile_id"),
        (["--page", "none"], "page"),
        (["--event-type", "none"], "event_type"),
        (["--map", "value=none"], "value"),
        (["--map", "utm_source=none"], "utm_source"),
    ],
)
def test_every_role_can_be_switched_off(typed: list[str], role: str, tmp_path: Path) -> None:
    log = csv(tmp_path, "session_id,user_id,event_id,ts,event,page,value,utm_source\ns,u,e,2024-05-30,view,/,1,x\n")
    assert role in columns(run(log, folder=tmp_path))
    said = run(log, *typed, folder=tmp_path)
    assert role not in columns(said)
    assert said.counts == (1, 1, 0)


def test_an_event_without_a_time_or_a_key_cannot_be_asked_for(tmp_path: Path) -> None:
    log = csv(tmp_path, "session_id,user_id,ts\ns,u,2024-05-30\n")
    assert run(log, "--timestamp", "none", folder=tmp_path).code == 2
    assert run(log, "--session-id", "none", "--profile-id", "none", folder=tmp_path).code == 2


# --- keys --------------------------------------------------------------------------------------


def test_a_key_in_which_every_value_differs_is_refused_and_typing_what_is_said_helps(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("session_id,user_id,ts", str, lambda n: n % 4, minute))
    said = run(log, folder=tmp_path)
    assert (said.code, hinted(said)) == (2, ["--session-id", "none"])
    assert "nearly every value of 'session_id' differs (100 of 100 rows)" in said.text
    assert run(log, *hinted(said), folder=tmp_path).counts == (4, 100, 0)
    assert run(log, "--session-id", "session_id", folder=tmp_path).counts == (100, 100, 0)


def test_a_key_that_comes_back_only_after_a_thousand_rows_is_one(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("user_id,ts", lambda n: n % 1500, lambda n: minute(n // 10), rows=4500))
    assert columns(run(log, folder=tmp_path))["profile_id"] == "user_id"


def test_few_rows_are_not_judged(tmp_path: Path) -> None:
    assert run(csv(tmp_path, visits("user_id,ts", str, minute, rows=49)), folder=tmp_path).counts == (49, 49, 0)
    assert run(csv(tmp_path, visits("user_id,ts", str, minute, rows=50)), folder=tmp_path).code == 2


def test_where_no_name_says_it_the_keys_that_could_be_are_proposed_with_an_example_each(tmp_path: Path) -> None:
    header = "n,uuid,plan,text,price,ts"
    log = csv(tmp_path, visits(header, str, lambda n: f"ab-{n % 9}", lambda n: "free" if n % 3 else "paid",
                               lambda n: f"a b c {n % 5}", lambda n: f"{n % 5}.5", minute))  # fmt: skip
    said = run(log, folder=tmp_path)
    assert said.code == 2
    assert (
        "did you mean --profile-id uuid? candidates by value: uuid ('ab-0', 9 different), plan ('paid', 2 different);"
        in said.text
    )
    assert run(log, *hinted(said), folder=tmp_path).counts == (9, 100, 0)


def test_no_example_is_shown_where_ids_are_private(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    log = csv(tmp_path, visits("n,uuid,ts", str, lambda n: f"ab-{n % 9}", minute))
    said = run(log, "--hash-ids", tmp_path / "key", folder=tmp_path)
    assert "uuid (9 different)" in said.text
    assert "ab-0" not in said.text


def test_the_address_is_the_visitor_where_no_column_is_named_for_one_and_that_is_said(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("ip,ts", lambda n: f"10.0.0.{n % 9}", minute))
    said = run(log, folder=tmp_path)
    assert columns(said) == {"profile_id": "ip", "timestamp": "ts"}
    assert notes(said) == ["no column is named for a session or a profile: 'ip', the address, is the profile id"]
    assert run(log, "--ip", "truncate", folder=tmp_path).code == 2


@pytest.mark.parametrize("word", ["NULL", "null", "(null)", "\\N", "-1", "0", "undefined"])
def test_a_word_for_null_that_profiles_share_is_said_and_typing_what_is_said_helps(word: str, tmp_path: Path) -> None:
    log = csv(
        tmp_path, visits("session_id,user_id,ts", lambda n: word if n % 2 else n // 10 + 1, lambda n: n % 4, minute)
    )
    said = run(log, folder=tmp_path)
    assert hinted(said) == ["--null", word]
    cured = run(log, *hinted(said), folder=tmp_path)
    assert (cured.counts[1], notes(cured)) == (100, [])
    assert cured.counts[2] == 0
    sources = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["source_id"]
    assert word not in sources.drop_nulls()


def test_a_null_text_that_is_a_number_of_a_row_or_file_leaves_rejected_rows_their_place(tmp_path: Path) -> None:
    said = run(
        csv(tmp_path, "session_id,ts\n0,2024-05-30\n1,2024-05-30\n"), "--null", "0", "--null", "2", folder=tmp_path
    )
    assert said.counts == (1, 1, 1)
    rejected = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert [(each["row"], each["reason"], each["raw"]) for each in rejected] == [(2, "no_session_key", "0,2024-05-30")]


def test_null_texts_are_null_in_every_column_and_type(tmp_path: Path) -> None:
    rows = {"session_id": [-1, 7], "user_id": ["u", "NULL"], "x": [-1.0, 2.5], "ts": [NOON, NOON]}
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    run(tmp_path / "log.parquet", "--null", "-1", "--null", "NULL", "--property", "x", "--events", folder=tmp_path)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet").sort("position", "session_id")
    assert events.select("source_id", "profile_id", "property.x").rows() == [("7", None, 2.5), (None, "u", None)]


def test_ids_in_scientific_notation_are_said(tmp_path: Path) -> None:
    log = csv(tmp_path, "session_id,ts\n1.71706E+12,2024-05-30\n")
    assert (
        "the session_id in 'session_id' is in scientific notation, such as 1.71706E+12"
        in notes(run(log, folder=tmp_path))[0]
    )


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
