"""The first minute with an unknown file: the column that is taken is the one that is meant, or it is asked for."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from console import refused, sessionize

from sessionize import UsageError, summary

DAYS = [f"2024-05-27 0{hour}:00:00" for hour in range(9)]


@pytest.mark.parametrize(
    ("names", "other"),
    [
        ("created,due_date", "2024-06-10"), ("created,expires_at", "2024-06-10 10:00:00"),
        ("start,end_time", "2024-06-10 10:00:00"), ("when,signup_time", "2024-01-10 10:00:00"),
    ],
)  # fmt: skip
def test_a_time_that_is_seldom_an_events_own_is_not_taken_unasked(names: str, other: str, tmp_path: Path) -> None:
    said = refused(tmp_path, f"user_id,{names}\n" + "".join(f"u{n % 4},{day},{other}\n" for n, day in enumerate(DAYS)))
    first = names.partition(",")[0]
    assert f"did you mean --timestamp {first}?" in said
    assert sessionize("run", "log.csv", "-o", "out", "--timestamp", first, cwd=tmp_path).code == 0


def test_a_column_of_times_that_is_mostly_blank_is_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},{day},{day if n < 2 else ''}\n" for n, day in enumerate(DAYS))
    assert "'logged'" in refused(tmp_path, f"user_id,logged,closed_at\n{rows}")


@pytest.mark.parametrize("names", ["created,response_time", "startedDateTime,time"])
def test_a_duration_is_not_proposed_where_a_column_holds_times(names: str, tmp_path: Path) -> None:
    said = refused(tmp_path, f"user,{names}\n" + "".join(f"u{n % 4},{day},0.{n}\n" for n, day in enumerate(DAYS)))
    assert f"did you mean --timestamp {names.partition(',')[0]}?" in said


@pytest.mark.parametrize("command", [["run", "-o", "out"], ["summary"]])
def test_session_ids_that_count_for_each_profile_are_told_of(command: list[str], tmp_path: Path) -> None:
    rows = "".join(
        f"u{user},{number},2024-05-{26 + number} 08:0{user}:0{step}\n"
        for user in range(6)
        for number in (1, 2)
        for step in (0, 5)
    )
    (tmp_path / "log.csv").write_text(f"user_id,session,timestamp\n{rows}")
    said = sessionize(command[0], "log.csv", *command[1:], cwd=tmp_path)
    hint = "--session-id user_id --session-id session --profile-id user_id"
    assert (said.code, hint in said.err) == (0, True), said.err
    right = sessionize("run", "log.csv", "-o", "out", *hint.split(), cwd=tmp_path)
    assert "12 of 6 profiles" in right.err


def test_a_login_in_every_session_shares_no_session_id(tmp_path: Path) -> None:
    rows = "".join(f"a{user},s{user},{DAYS[user]}\nu{user},s{user},{DAYS[user]}\n" for user in range(6))
    (tmp_path / "log.csv").write_text(f"user_id,session_id,timestamp\n{rows}")
    assert "profiles or more each" not in sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).err


@pytest.mark.parametrize("command", [["run", "-o", "out"], ["summary"], ["paths"], ["show", "--longest"]])
def test_a_word_for_null_is_told_of_by_every_command(command: list[str], tmp_path: Path) -> None:
    rows = "".join(f"-,u{n},{day},/\ns{n},v{n},{day},/\n" for n, day in enumerate(DAYS))
    (tmp_path / "log.csv").write_text(f"session_id,user_id,event_time,page\n{rows}")
    said = sessionize(command[0], "log.csv", *command[1:], cwd=tmp_path)
    assert (said.code, "--null -" in said.err) == (0, True), said.err


def test_an_advertising_id_that_is_switched_off_is_told_of(tmp_path: Path) -> None:
    none, one = "00000000-0000-0000-0000-000000000000", "6d92078a-8246-4ba4-ae5b-76104861e7dc"
    rows = "".join(f"{none},{day}\n{one},{day}\n" for day in DAYS)
    (tmp_path / "log.csv").write_text(f"user_id,event_time\n{rows}")
    said = sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    assert (said.code, f"--null {none}" in said.err) == (0, True), said.err
    assert none in json.loads((tmp_path / "out/manifest.json").read_text())["notes"][0]
    checked = sessionize("check", "log.csv", cwd=tmp_path)
    assert f"'{none}'" in checked.out


def test_what_is_no_number_is_no_amount(tmp_path: Path) -> None:
    base = {"session_id": ["a", "b", "c"], "ts": [1717063200] * 3, "event": ["purchase"] * 3}
    pl.DataFrame({**base, "value": [float("inf"), float("nan"), 1.5]}).write_parquet(tmp_path / "log.parquet")
    said = sessionize("run", "log.parquet", "-o", "out", cwd=tmp_path)
    assert "1 amounts in 'value' could not be read as numbers" in said.err
    pl.DataFrame({**base, "value": [[1.0], [2.0], [3.0]]}).write_parquet(tmp_path / "lists.parquet")
    assert sessionize("run", "lists.parquet", "-o", "out", cwd=tmp_path).code == 0
    refused_ones = sessionize("run", "lists.parquet", "-o", "out", "--map", "value=value", cwd=tmp_path)
    assert (refused_ones.code, "cannot be the value" in refused_ones.err) == (2, True)
    assert sessionize("run", "lists.parquet", "-o", "out", "--map", "value=value[0]", cwd=tmp_path).code == 0


def test_a_key_is_not_proposed_for_what_happened_or_when(tmp_path: Path) -> None:
    rows = [{"evt": ("start", "end", "buy")[n % 3], "pid": f"P{n % 5}", "ts": 1716797618000 + n} for n in range(30)]
    said = refused(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "log.ndjson")
    assert "did you mean --profile-id pid?" in said


def test_a_frame_without_columns_is_told_of_as_any_log_without_a_time() -> None:
    with pytest.raises(UsageError, match="no column looks like the timestamp"):
        summary(pl.DataFrame())


ROWS = pl.DataFrame({"user_id": ["a", "b"], "ts": ["2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z"]})


@pytest.mark.parametrize("written", ["csv", "parquet"])
def test_a_file_without_the_column_of_the_key_or_the_time_is_named(written: str, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for name, columns in (("a", {}), ("b", {"user_id": "visitor_id"}), ("c/c", {"ts": "noon"})):
        getattr(ROWS.rename(columns), f"write_{written}")(tmp_path / f"{name}.{written}")
    typed = ["run", f"a.{written}", f"b.{written}", "-o", "out", "-q"]
    said = sessionize(*typed, "--profile-id", "user_id", cwd=tmp_path).err
    assert f"b.{written} has no column 'user_id': its rows are rejected; " in said
    hint = said.rpartition("; ")[2].partition(" reads both")[0]
    assert hint == "--profile-id 'user_id ?? visitor_id'"
    assert sessionize(*typed, *shlex.split(hint), cwd=tmp_path).err == ""
    said = sessionize("run", f"a.{written}", f"c/c.{written}", "-o", "out", "-q", cwd=tmp_path).err
    assert f"c/c.{written} has no column 'ts': its rows are rejected; it has user_id, noon" in said


@pytest.mark.parametrize("written", ["csv", "parquet", "ndjson"])
def test_a_column_that_each_file_spells_in_its_own_way_is_read_in_all(written: str, tmp_path: Path) -> None:
    for name, spelt in (("a", "user_id"), ("b", "User_ID")):
        getattr(ROWS.rename({"user_id": spelt}), f"write_{written}")(tmp_path / f"{name}.{written}")
    typed = ["run", f"a.{written}", f"b.{written}", "-o", "out", "-q"]
    said = sessionize(*typed, cwd=tmp_path)
    assert (said.code, "--profile-id 'user_id ?? User_ID'" in said.err) == (2, True), said.err
    assert sessionize(*typed, "--profile-id", "user_id ?? User_ID", cwd=tmp_path) == (0, "", "")
    both = ROWS.with_columns(User_ID=pl.lit("other"))
    getattr(both, f"write_{written}")(tmp_path / f"b.{written}")
    assert "??" not in sessionize("run", f"b.{written}", "-o", "out", cwd=tmp_path).err


def test_where_no_event_type_is_a_page_view_it_is_said_and_what_to_type(tmp_path: Path) -> None:
    rows = [("u1", 0, "Viewed Page", "/a"), ("u1", 5, "Viewed Page", "/b"), ("u2", 9, "purchase", "/ok")]
    text = "".join(f"{user},2024-05-30T10:00:0{second}Z,{event},{page}\n" for user, second, event, page in rows)
    (tmp_path / "log.csv").write_text(f"user_id,time,event,url\n{text}")
    ran = ["run", "log.csv", "-o", "out"]
    said = sessionize(*ran, cwd=tmp_path).err
    assert "page views none: no event type is one" in said
    assert "types  Viewed Page 2, purchase 1; --page-view NAME says which is a page view\n" in said
    assert "no page views: --page-view NAME" in sessionize("summary", "log.csv", cwd=tmp_path).out
    for command in (ran, ["summary", "log.csv"]):
        typed = sessionize(*command, "--page-view", "Viewed Page", cwd=tmp_path)
        assert "no event type is one" not in typed.err
        assert "no page views" not in typed.out


@pytest.mark.parametrize("name", ["log.json", "log.jsonl", "log.ndjson", "log.json.gz"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_csv_is_one_whatever_its_name_says(name: str, delimiter: str, tmp_path: Path) -> None:
    text = "user_id,ts\nu,1717063200\n".replace(",", delimiter).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    said = sessionize("run", name, "-o", "-", "--no-sessions", "-q", cwd=tmp_path)
    assert (said.code, json.loads(said.out)["profile_id"]) == (0, "u"), said.err
    (tmp_path / "log.parquet").write_bytes(text)
    assert "--input-format csv reads it" in sessionize("run", "log.parquet", "-o", "out", cwd=tmp_path).err
    assert sessionize("run", "log.parquet", "-o", "out", "-q", "--input-format", "csv", cwd=tmp_path).code == 0


GATEWAY = '{{"requestId":"{0}","ip":"10.1.0.{1}","user":"{2}","requestTime":"30/May/2024:10:0{0}:00 +0000"}}\n'


@pytest.mark.parametrize("word", ["-", "NULL", "undefined", "0"])
def test_a_profile_id_that_is_but_a_word_for_null_makes_way_for_the_address(word: str, tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_text("".join(GATEWAY.format(n, n % 2, word) for n in range(4)))
    said = sessionize("run", "log.ndjson", "-o", "out", cwd=tmp_path)
    assert said.code == 0
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert (manifest["columns"]["profile_id"], manifest["counts"]["sessions"]) == ("ip", 2)
    assert manifest["notes"] == [
        f"'user' is '{word}' for all of 2 addresses: it is no profile id",
        "no other column is named for a session or a profile: 'ip', the address, is the profile id",
    ]


@pytest.mark.parametrize(("users", "options"), [(["-", "ann"], []), (["ann"], []), (["-"], ["--profile-id", "user"])])
def test_a_profile_id_of_somebody_or_that_was_asked_for_stays(
    users: list[str], options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "log.ndjson").write_text("".join(GATEWAY.format(n, n % 2, users[n % len(users)]) for n in range(4)))
    assert sessionize("run", "log.ndjson", "-o", "out", *options, cwd=tmp_path).code == 0
    assert json.loads((tmp_path / "out/manifest.json").read_text())["columns"]["profile_id"] == "user"


def test_a_column_is_not_proposed_as_a_time_and_as_a_profile_at_once(tmp_path: Path) -> None:
    rows = "".join(f"202405{10 + n // 3},{n % 4}x\n" for n in range(24))
    said = refused(tmp_path, f"date,eventName\n{rows}")
    assert "did you mean --timestamp date" in said
    assert "--profile-id date" not in said
