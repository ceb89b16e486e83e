"""What lies in the objects of a row: taken by the names that it has there, or proposed by them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from console import refused, sessionize

from sessionize import sessionize as frame


def test_a_frame_with_objects_under_a_usual_name_is_read_as_any_other() -> None:
    rows = pl.DataFrame({"user_id": ["a"], "ts": [1717063200], "event": ["view"], "properties": [{"x": "1"}]})
    for each in (rows, rows.lazy()):
        assert frame(each).metrics.height == 1


OBJECTS = [
    {
        "ts": f"2024-05-30T10:0{n}:00Z", "session": {"id": "s1", "has_replay": bool(n)}, "user": {"id": "u1", "ip": f"1.1.1.{n}"},
        "page": {"url": "/a", "title": f"A ({n})"}, "event": {"name": "page_view", "created": n},
    }
    for n in range(3)
]  # fmt: skip


@pytest.mark.parametrize("written", ["ndjson", "parquet", "csv", "json"])
def test_of_an_object_with_a_usual_name_what_is_inside_is_taken_in_every_format(written: str, tmp_path: Path) -> None:
    log = tmp_path / f"log.{written}"
    if written == "csv":
        texts = [{name: value if name == "ts" else json.dumps(value) for name, value in row.items()} for row in OBJECTS]
        pl.DataFrame(texts).write_csv(log)
    elif written == "json":
        log.write_text("[" + ",\n".join(map(json.dumps, OBJECTS)) + "]\n")
    else:
        getattr(pl.DataFrame(OBJECTS), f"write_{written}")(log)
    said = sessionize("run", log.name, "-o", "-", "--no-sessions", cwd=tmp_path)
    (found,) = map(json.loads, said.out.splitlines())
    assert [found[name] for name in ("source_id", "profile_id", "events", "page_views", "entry_page")] == [
        "s1",
        "u1",
        3,
        3,
        "/a",
    ]
    checked = sessionize("check", log.name, cwd=tmp_path)
    assert checked.code == 0, checked.err
    if written == "parquet":
        assert frame(pl.DataFrame(OBJECTS)).metrics["page_views"].to_list() == [3]


NESTED = {
    "payload": {"session_id": "s{0}", "user_id": "u{0}", "ts": 1717063200000},
    "attributes": {
        "attributes": {"session": {"id": "s{0}"}, "user": {"id": "u{0}"}},
        "timestamp": "2024-05-30T10:00:00Z",
    },
}


RECORD = {"key": "u{0}", "topic": "t", "offset": 1, "timestamp": 1717070000000}


def lines(*rows: object) -> str:
    """Each row for one visitor, another and the first again, whose number stands where ``{0}`` does."""
    return "".join(json.dumps(row).replace("{0}", str(number % 2)) + "\n" for number in range(3) for row in rows)


@pytest.mark.parametrize(
    ("row", "typed"),
    [
        (
            {"payload": NESTED["payload"]},
            "--timestamp payload.ts --session-id payload.session_id --profile-id payload.user_id",
        ),
        (
            {"attributes": NESTED["attributes"]},
            "--timestamp attributes.timestamp"
            + "".join(
                f" --{key}-id attributes.attributes.{name}.id"
                for key, name in (("session", "session"), ("profile", "user"))
            ),
        ),
        (
            RECORD | {"value": {"session_id": "s{0}", "event_type": "page_view", "ts": 1717063200000}},
            "--timestamp value.ts --session-id value.session_id",
        ),
        (
            RECORD | {"event": {"user_id": "u{0}", "page": "/a", "time": "2024-05-30T10:00:00Z"}},
            "--timestamp event.time --profile-id event.user_id",
        ),
        (
            {"timestamp": 1717070000000, "who": {"user_id": "u{0}", "created_at": "2020-05-30T10:00:00Z"}},
            "--profile-id who.user_id",
        ),
    ],
)
def test_ids_that_lie_deeper_are_proposed_as_what_their_names_say_and_so_is_the_time_beside(
    row: object, typed: str, tmp_path: Path
) -> None:
    said = refused(tmp_path, lines(row), "log.ndjson")
    assert f"did you mean {typed}?" in said
    assert sessionize("run", "log.ndjson", "-o", "out", *shlex.split(typed), cwd=tmp_path).code == 0


@pytest.mark.parametrize("written", ["ndjson", "parquet"])
def test_an_object_of_one_value_under_a_usual_name_is_that_value(written: str, tmp_path: Path) -> None:
    rows = pl.DataFrame([
        {"session_id": {"$oid": f"5f0{n}"}, "user_id": "u", "ts": f"2024-05-30T10:0{n}:00Z", "url": {"string": f"/{n}"}}
        for n in range(2)
    ])  # fmt: skip
    getattr(rows, f"write_{written}")(tmp_path / f"log.{written}")
    said = sessionize("run", f"log.{written}", "-o", "-", "--no-sessions", cwd=tmp_path)
    found = [json.loads(line) for line in said.out.splitlines()]
    assert [(each["source_id"], each["entry_page"]) for each in found] == [("5f00", "/0"), ("5f01", "/1")], said.err


@pytest.mark.parametrize("written", ["csv", "ndjson", "parquet"])
def test_an_id_in_braces_is_no_object(written: str, tmp_path: Path) -> None:
    ids = [f"{{3F2504E0-4F89-11D3-9A0C-0305E82C330{n}}}" for n in range(2)]
    rows = pl.DataFrame([
        {"session_id": each, "user_id": f"{{{n}}}", "timestamp": "2024-05-30 10:00:00", "page": "{lang}/a", "event_type": "{buy}"}
        for n, each in enumerate(ids)
    ])  # fmt: skip
    getattr(rows, f"write_{written}")(tmp_path / f"log.{written}")
    asked = ("--conversion", "{buy}", "--page-view", "{buy}")
    said = sessionize("run", f"log.{written}", "-o", "-", "--no-sessions", *asked, cwd=tmp_path)
    found = [json.loads(line) for line in said.out.splitlines()]
    told = [[each[name] for name in ("source_id", "profile_id", "page_views", "conversions")] for each in found]
    assert told == [[each, f"{{{n}}}", 1, 1] for n, each in enumerate(ids)], said.err


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize("fields", [{"_seconds": 1, "_nanoseconds": 0}, {"nanos": 0, "seconds": 1}, {"$date": 1}])
def test_of_times_that_are_objects_the_seconds_are_proposed(fields: dict[str, int], form: str, tmp_path: Path) -> None:
    written = {name: value * 1717063200 for name, value in fields.items()}
    frame = pl.DataFrame({"user_id": ["u"], "timestamp": [written]})
    getattr(frame, f"write_{form}")(tmp_path / f"log.{form}")
    said = sessionize("run", f"log.{form}", "-o", "out", cwd=tmp_path)
    assert (said.code, "the times in 'timestamp' are objects" in said.err) == (2, True), said.err
    options = shlex.split(said.err.partition("did you mean ")[2].partition("? it has")[0])
    sessionize("run", f"log.{form}", "-o", "out", *options, cwd=tmp_path)
    starts = pl.read_parquet(tmp_path / "out/metrics.parquet")["start"]
    assert starts.dt.epoch("s").to_list() == [1717063200]
