"""Logs as they should not be, and are: pipes, folders in globs, types that hide what they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from console import SAMPLE, Outcome, sessionize

from sessionize.api import sessionize as frames_of
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.output import publish
from sessionize.read import files, folders, open_log

NOON = datetime(2024, 5, 30, 12, tzinfo=UTC)


def parquet(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def ran(folder: Path, *arguments: object) -> Outcome:
    done = sessionize("run", *arguments, "-o", "out", cwd=folder)
    assert done.code == 0, done.err
    return done


def metrics(folder: Path, *arguments: object) -> pl.DataFrame:
    ran(folder, *arguments)
    return pl.read_parquet(folder / "out" / "metrics.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [(), ("--columns", "session_id,ts")], ids=["header", "no header"])
def test_a_pipe_named_as_a_file_loses_no_row(tmp_path: Path, columns: tuple[str, ...]) -> None:
    rows = "".join(f"visit-{number},2024-05-30\n" for number in range(20_000))
    (tmp_path / "log.csv").write_text(rows if columns else f"session_id,ts\n{rows}")
    command = (
        f"{sys.executable} -m sessionize run <(cat log.csv) -o out --session-id session_id --json {' '.join(columns)}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout)["counts"]["events"] == 20_000


def test_a_glob_that_matches_folders_reads_what_is_in_them_once(tmp_path: Path) -> None:
    for day in ("2024-05-30", "2024-05-31"):
        parquet(tmp_path / f"day={day}" / "part-0.parquet", session_id=["a"], ts=[NOON])
        (tmp_path / f"day={day}" / "_SUCCESS").write_text("")
    for pattern in ("day=*", "**", "d*/*", "*"):
        found = files.find(Config(inputs=(str(tmp_path / pattern),))).sources
        assert [Path(each.file.path).parent.name for each in found] == ["day=2024-05-30", "day=2024-05-31"], pattern


def test_a_folder_that_holds_the_output_of_an_earlier_run_gives_the_same_again(tmp_path: Path) -> None:
    parquet(tmp_path / "logs" / "a.parquet", session_id=["a"], ts=[NOON])
    for _ in range(2):
        done = sessionize("run", "logs", "-o", "logs/out", "--json", cwd=tmp_path)
        assert [each["path"] for each in json.loads(done.out)["inputs"]] == ["logs/a.parquet"]
    assert folders.RUN_LOCK == publish.LOCK


def test_a_name_that_is_not_utf8_is_read_and_shown_with_escapes(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.csv")
    odd.write_text("session_id,ts\na,2024-05-30\n")
    log = open_log(Config(inputs=(str(odd),)))
    assert log.files[0].path.endswith(r"caf\xe9.csv")


@pytest.mark.parametrize("text", ['[{"session_id": "a"}]\n', '{\n"session_id": "a"\n}\n', '{"a":1}{"a":2}\n'])
def test_json_that_is_not_one_object_a_line_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(InputError, match="JSON") as raised:
        open_log(Config(inputs=(str(tmp_path / "log.json"),)))
    assert "jq -c" in (raised.value.hint or "")


def test_half_of_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    good = r'{"session_id": "\ud83d\ude00", "ts": "2024-05-30"}'
    (tmp_path / "log.ndjson").write_text(good + "\n" + good.replace(r"\ude00", "") + "\n")
    assert metrics(tmp_path, "log.ndjson")["source_id"].to_list() == ["😀"]
    assert json.loads((tmp_path / "out" / "rejected.ndjson").read_text())["reason"] == "bad_encoding"


def test_blank_ids_are_null_in_a_dictionary_and_in_bytes_too(tmp_path: Path) -> None:
    blank = pa.array(["a", "", " \t"])
    for ids in (blank.dictionary_encode(), blank.cast(pa.binary()).slice(0, 2)):
        parquet(tmp_path / "log.parquet", session_id=ids, user_id=["u", "v", "w"][: len(ids)], ts=[NOON] * len(ids))
        found = metrics(tmp_path, "log.parquet")
        assert found["source_id"].null_count() == len(ids) - 1


def test_a_time_in_a_dictionary_is_read_as_text(tmp_path: Path) -> None:
    times = pa.array(["2024-05-30T12:00:00Z", "", "soon"]).dictionary_encode()
    parquet(tmp_path / "log.parquet", session_id=["a", "b", "c"], ts=times)
    assert metrics(tmp_path, "log.parquet")["start"].to_list() == [NOON]
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert reasons == ["null_timestamp", "bad_timestamp"]


def test_a_number_that_is_none_is_no_id(tmp_path: Path) -> None:
    parquet(tmp_path / "log.parquet", session_id=[200.0, float("nan")], user_id=["u", "v"], ts=[NOON] * 2)
    assert set(metrics(tmp_path, "log.parquet")["source_id"]) == {"200", None}


def test_a_list_may_be_an_id(tmp_path: Path) -> None:
    parquet(tmp_path / "log.parquet", session_id=[["a", "b"], None], user_id=["u", "v"], ts=[NOON] * 2)
    assert set(metrics(tmp_path, "log.parquet")["source_id"]) == {'["a","b"]', None}


def test_whole_numbers_keep_their_digits_beside_a_file_with_fractions(tmp_path: Path) -> None:
    ids = [2**53, 2**53 + 1]
    parquet(tmp_path / "log" / "a.parquet", session_id=ids, ts=[NOON] * 2)
    parquet(tmp_path / "log" / "b.parquet", session_id=[1.5, None], user_id=["u", "v"], ts=[NOON] * 2)
    assert set(metrics(tmp_path, "log")["source_id"]) == {str(ids[0]), str(ids[1]), "1.5", None}


def test_times_keep_their_microseconds_beside_a_file_of_milliseconds(tmp_path: Path) -> None:
    for unit, at in (("ms", 1), ("us", 1001), ("ns", -1)):
        parquet(tmp_path / "log" / f"{unit}.parquet", session_id=[unit], ts=pa.array([at], pa.timestamp(unit, "UTC")))
    found = dict(metrics(tmp_path, "log").select("source_id", pl.col("start").dt.epoch("us")).iter_rows())
    assert found == {"ms": 1000, "us": 1001, "ns": -1}


def test_a_column_inside_a_struct_is_found_where_no_plain_one_is(tmp_path: Path) -> None:
    session = [{"id": "a", "number": 1}, {"id": "a", "number": 2}]
    parquet(tmp_path / "log.parquet", session=session, context=[{"user": {"id": "u"}}, None], ts=[NOON] * 2)
    assert "session_id = session.id" in ran(tmp_path, "log.parquet").err
    assert metrics(tmp_path, "log.parquet")["source_id"].to_list() == ["a"]
    parquet(tmp_path / "log.parquet", session=session, session_id=["x", "x"], ts=[NOON] * 2)
    assert metrics(tmp_path, "log.parquet")["source_id"].to_list() == ["x"]


def test_a_date_as_a_number_is_read_by_the_pattern_given(tmp_path: Path) -> None:
    parquet(tmp_path / "log.parquet", session_id=["a", "b"], ts=[20240530, 7])
    found = metrics(tmp_path, "log.parquet", "--time-format", "%Y%m%d")
    assert found["start"].to_list() == [datetime(2024, 5, 30, tzinfo=UTC)]
    refused = sessionize("run", "log.parquet", "-o", "other", "--time-format", "iso", cwd=tmp_path)
    assert (refused.code, "2 bad_timestamp" in refused.err) == (3, True)


def test_what_is_no_finite_amount_leaves_the_others_sum_as_it_is(tmp_path: Path) -> None:
    amounts = ["1.5", " 2 ", "nan", "inf", "much", ""]
    rows = "".join(f"a,2024-05-30,purchase,{amount}\n" for amount in amounts)
    (tmp_path / "log.csv").write_text(f"session_id,ts,event,value\n{rows}")
    assert metrics(tmp_path, "log.csv")["value"].to_list() == [3.5]
    typed = pa.array(["1.5", "nan"]).dictionary_encode()
    for column in ([1.5, float("nan")], typed):
        parquet(tmp_path / "log.parquet", session_id=["a"] * 2, ts=[NOON] * 2, event=["purchase"] * 2, value=column)
        assert metrics(tmp_path, "log.parquet")["value"].to_list() == [1.5]


NUMBERS = ("12345678901234567890123", "200.0", "-0", "1e3", "9007199254740993", '"007"', '"1.50"')


def test_a_number_inside_json_keeps_its_digits(tmp_path: Path) -> None:
    respelled = {"200.0": "200", "1e3": "1000"}
    expected = {respelled.get(number, number.strip('"')) for number in NUMBERS}
    objects = [f'{{"the id":{{"it\'s":{number}}}}}' for number in NUMBERS]
    (tmp_path / "log.csv").write_text("ts;p\n" + "".join(f"2024-05-30;{each}\n" for each in [*objects, "{broken"]))
    (tmp_path / "log.ndjson").write_text("".join(f'{{"ts":"2024-05-30","p":{each}}}\n' for each in objects))
    assert set(metrics(tmp_path, "log.csv", "--session-id", "p.the id.it's")["source_id"]) == expected
    of_nested = {"0" if number == "-0" else number for number in expected}
    assert set(metrics(tmp_path, "log.ndjson", "--session-id", "p.the id.it's")["source_id"]) == of_nested


def test_a_parquet_file_damaged_in_its_middle_is_an_input_error(tmp_path: Path) -> None:
    content = bytearray((SAMPLE / "events.parquet").read_bytes())
    content[200:3000] = bytes(each ^ 0x55 for each in content[200:3000])
    (tmp_path / "log.parquet").write_bytes(content)
    done = sessionize("run", "log.parquet", "-o", "out", cwd=tmp_path)
    assert (done.code, "damaged" in done.err) == (3, True), done.err


def test_a_frame_may_have_columns_named_row_and_reason() -> None:
    log = pl.DataFrame({"session_id": ["a", None, "b"], "ts": [NOON, NOON, None], "row": [7, 8, 9], "reason": "mine"})
    found = frames_of(log).rejected
    assert found["row"].to_list() == [8, 9]
    assert found["sessionize.row"].to_list() == [2, 3]
    assert found["sessionize.reason"].to_list() == ["no_session_key", "null_timestamp"]
    assert frames_of(log.head(1)).rejected.schema == found.schema


@pytest.mark.parametrize("names", [("README.txt", "b.csv"), ("README.txt", "b.csv", "c.csv"), ("a.md", "b.csv")])
def test_of_files_that_have_nothing_in_common_the_one_that_is_no_log_is_named(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    for name in names:
        text = (
            "user_id,time\na,2024-05-30T10:00:00Z\n"
            if name.endswith("csv")
            else f"These are the logs{', by day' * name.endswith('md')}.\n"
        )
        (tmp_path / "logs" / name).write_text(text)
    said = sessionize("run", *(f"logs/{name}" for name in names), "-o", "out", cwd=tmp_path)
    odd = next(name for name in names if not name.endswith("csv"))
    told = " ".join(said.err.split())
    assert (said.code, told.startswith(f"error: logs/{odd}: none of its columns")) == (3, True), said.err
    assert "is it no log? logs/*.csv names those that are" in told
    assert "that of logs/b.csv 'user_id, time'" in told


def test_of_two_logs_with_other_columns_the_later_is_named_with_the_columns_of_both(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,time\na,2024-05-30T10:00:00Z\n")
    (tmp_path / "b.csv").write_text("visitor,ts\na,2024-05-30T10:00:00Z\n")
    said = sessionize("run", "a.csv", "b.csv", "-o", "out", cwd=tmp_path)
    assert "error: b.csv: none of its columns" in said.err
    assert "is it no log?" not in said.err
