"""Which column is an event's id and which its key: by name and by values, or the words that say what to type."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from chosen_columns import NOON, columns, csv, minute, notes, visits
from first_contact import hinted, run

import sessionize


def words_for_null(log: Path) -> list[object]:
    """Events whose id is a word for null, as the check counts them."""
    return [each.number for each in sessionize.check(str(log)).findings if each.check == "null-words"]


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


@pytest.mark.parametrize("address", ["203.0.113.{}", "10.0.0.{}", "192.0.2.{}", "10.0.0.{}:443"])
def test_an_address_is_a_candidate_whatever_its_column_is_called_and_a_written_date_is_none(
    address: str, tmp_path: Path
) -> None:
    rows = visits("peer,day,dotted,ts", lambda n: address.format(n % 9), lambda n: f"30.05.20{n % 9 + 10}",
                  lambda n: f"30.5.{n % 9 + 10}. 10:00", minute)  # fmt: skip
    said = run(csv(tmp_path, rows), folder=tmp_path)
    assert hinted(said) == ["--profile-id", "peer"]
    assert f"candidates by value: peer ({address.format(0)!r}, 9 different);" in said.text


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


@pytest.mark.parametrize(
    "word", ["NULL", "null", "(null)", "\\N", "-1", "0", "undefined", "nan", "None", "N/A", "#N/A", "<null>", "<nil>"]
)
def test_a_word_for_null_that_profiles_share_is_said_and_typing_what_is_said_helps(word: str, tmp_path: Path) -> None:
    log = csv(
        tmp_path, visits("session_id,user_id,ts", lambda n: word if n % 2 else n // 10 + 1, lambda n: n % 4, minute)
    )
    said = run(log, folder=tmp_path)
    assert hinted(said) == ["--null", word]
    assert notes(said)[0].endswith(f"--null {shlex.quote(word)}")
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
    rows = {"session_id": [-1, 7], "user_id": [b"u", b"NULL"], "x": [-1.0, 2.5], "ts": [NOON, NOON]}
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    (tmp_path / "own.toml").write_text(
        'nulls = { "*" = ["NULL"], session_id = ["-1"], x = ["-1"] }\n'
        '[columns]\nsession_id = ["session_id"]\nprofile_id = ["user_id"]\ntimestamp = ["ts"]\n'
    )
    for options in (["--null", "-1", "--null", "NULL"], ["--preset", str(tmp_path / "own.toml")]):
        run(tmp_path / "log.parquet", *options, "--property", "x", "--events", folder=tmp_path)
        events = pl.read_parquet(tmp_path / "out" / "events.parquet").sort("position", "session_id")
        assert events.select("source_id", "profile_id", "property.x").rows() == [("7", None, 2.5), (None, "u", None)]


@pytest.mark.parametrize("written", ["1.71706E+12", '"1,71706E+12"'])
def test_ids_in_scientific_notation_are_said(written: str, tmp_path: Path) -> None:
    log = csv(tmp_path, f"session_id,ts\n{written},2024-05-30\n")
    said = "the session_id in 'session_id' is in scientific notation, such as "
    assert said + written.strip('"') in notes(run(log, folder=tmp_path))[0]


@pytest.mark.parametrize(("dtype", "largest"), [(pl.Float64, 2**53), (pl.Float32, 2**24)])
def test_ids_that_a_float_has_not_each_of_are_said(dtype: type[pl.DataType], largest: int) -> None:
    for ids, is_said in (([largest - 1, largest - 2], False), ([largest + 1, largest + 2], True)):
        log = pl.DataFrame({"user_id": pl.Series(ids).cast(dtype), "ts": ["2024-05-30", "2024-05-31"]})
        said = "".join(sessionize.sessionize(log).notes)
        assert ("'user_id' is a floating-point number too large for its last digits" in said) == is_said


def test_a_word_for_null_among_event_ids_is_said_and_typing_what_is_said_keeps_the_events(tmp_path: Path) -> None:
    rows = "u1,{0},NULL,/a\nu1,{0},NULL,/b\nu1,{0},e1,/c\nu1,{0},e2,/d\n".format("2024-05-30 10:01:00")
    log = csv(tmp_path, f"user_id,event_time,event_id,page\n{rows}")
    said = run(log, folder=tmp_path)
    assert hinted(said) == ["--null", "NULL"]
    assert run(log, *hinted(said), folder=tmp_path).counts[1] == 4


def test_an_event_id_0_of_several_events_stands_for_none_and_typing_what_is_said_keeps_the_events(
    tmp_path: Path,
) -> None:
    rows = "".join(f"u1,2024-05-30 10:0{n}:00,{n if n % 2 else 0},/{n}\n" for n in range(8))
    log = csv(tmp_path, f"user_id,event_time,event_id,page\n{rows}")
    said = run(log, folder=tmp_path)
    assert hinted(said) == ["--null", "0"]
    assert run(log, *hinted(said), folder=tmp_path).counts[1] == 8
    assert words_for_null(log) == [4]


@pytest.mark.parametrize(("word", "said_of"), [("NULL", 40), ("null", 40), ("-1", 40), ("undefined", 40), ("0", 0)])
def test_a_word_for_null_as_a_session_id_is_said_where_no_profile_can_share_it(
    word: str, said_of: int, tmp_path: Path
) -> None:
    log = csv(tmp_path, visits("session_id,ts", lambda n: word if n % 5 < 2 else f"s{n // 10}", minute))
    said = run(log, folder=tmp_path)
    assert hinted(said) == (["--null", word] if said_of else [])
    assert ["of several profiles" in note for note in notes(said)] == ([False] if said_of else [])
    assert words_for_null(log) == [said_of]


def test_an_event_with_two_words_for_null_is_one_event(tmp_path: Path) -> None:
    log = csv(tmp_path, visits("session_id,ts,event_id", lambda n: "NULL" if n < 90 else n, minute, lambda _: "NULL"))
    assert words_for_null(log) == [100]


def test_a_word_for_null_as_the_one_session_of_one_profile_is_its_session_id(tmp_path: Path) -> None:
    log = csv(tmp_path, "session_id,user_id,ts\n-1,u1,2024-05-30 10:00\n-1,u1,2024-05-30 10:01\ns,u2,2024-05-30\n")
    assert notes(run(log, folder=tmp_path)) == []


def test_what_is_said_of_the_first_rows_is_said_in_python_too(tmp_path: Path) -> None:
    log = csv(tmp_path, "user_id,event_time\nu1,2024-05-30 10:00:00\nu1,5/30/2024 7:44 AM\n")
    (note,) = sessionize.sessionize(log).notes
    assert note.endswith('time_format=["iso", "%m/%d/%Y %I:%M %p"]')


def test_googles_session_id_is_one_with_the_profile_that_it_is_of(tmp_path: Path) -> None:
    rows = "A,1673858394,2023-01-16 08:39:54\nA,1673858999,2023-01-16 08:40:00\nB,1673858999,2023-01-16 08:50:00\n"
    log = csv(tmp_path, f"user_pseudo_id,ga_session_id,ts\n{rows}")
    found = sessionize.sessionize(log)
    assert found.columns["session_id"] == ("user_pseudo_id", "ga_session_id")
    assert sorted(found.metrics["source_id"]) == ["A|1673858394", "A|1673858999", "B|1673858999"]
    alone = csv(tmp_path, "Ga Session Id,ts\n1673858394,2023-01-16 08:39:54\n1673858999,2023-01-16 08:40:00\n")
    with pytest.raises(sessionize.UsageError, match="no column looks like a session id"):
        sessionize.sessionize(alone)
