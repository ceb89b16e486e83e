"""Sessions that contain something, and SQL as users write it: what is asked of events, and of times."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

ROWS = """session_id,user_id,timestamp,event_type,page_url,brand
a,u,2024-05-30 08:00:00,page-view,/x?q=1,
a,u,2024-05-30 08:01:00,cart,/cart,acme
a,u,2024-05-30 08:02:00,page-view,/end,
b,v,2024-05-31 00:30:00,page-view,/x,
b,v,2024-05-31 00:31:00,cart,/cart,other
c,w,2024-05-31 09:00:00,page-view,/x,acme
"""
HINT_OF_TIMES = "a time is compared with a text that is one: start >= '2024-05-31'"


@pytest.fixture(params=["csv", "ndjson", "parquet", "run"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same rows in every form, and as an earlier run's output."""
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    rows = pl.read_csv(tmp_path / "log.csv")
    if request.param == "ndjson":
        rows.write_ndjson(tmp_path / "log.ndjson")
    elif request.param == "parquet":
        rows.write_parquet(tmp_path / "log.parquet")
    elif request.param == "run":
        done = sessionize("run", "log.csv", "-o", "run", "--events", "--property", "brand", "-q", cwd=tmp_path)
        assert done.code == 0, done.err
        return str(tmp_path / "run")
    return str(tmp_path / f"log.{request.param}")


def entries(log: str, *typed: str, cwd: Path) -> list[object]:
    """Sessions, events and event types of those that are meant."""
    done = sessionize("summary", log, "--json", *typed, cwd=cwd)
    assert done.code == 0, done.err
    data = json.loads(done.out)
    return [data["sessions"], data["events"]]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("--containing", "cart"), [2, 5]),
        (("--containing", "cart", "--containing", "page:/end"), [1, 3]),
        (("--containing", "brand = 'acme'"), [2, 4]),
        (("--containing", "brand = 'acme' AND event_type = 'cart'"), [1, 3]),
        (("--containing", "page_url LIKE '/x%'", "--session-where", "events = 2"), [1, 2]),
        (("--containing", "timestamp >= '2024-05-31 09:00'"), [1, 1]),
    ],
)
def test_sessions_that_contain_an_event_keep_all_their_events(
    log: str, typed: tuple[str, ...], expected: list[int], tmp_path: Path
) -> None:
    assert entries(log, *typed, cwd=tmp_path) == expected


def test_where_cuts_events_out_of_sessions_and_its_help_says_so(log: str, tmp_path: Path) -> None:
    if not log.endswith("run"):
        assert entries(log, "--where", "event_type = 'cart'", cwd=tmp_path) == [2, 2]
    said = " ".join(sessionize("summary", "--help", cwd=tmp_path).out.split())
    assert "the others are cut out of their sessions, before these are made. Whole sessions: --containing." in said


@pytest.mark.parametrize("command", ["summary", "show", "funnel", "paths"])
def test_every_command_that_chooses_sessions_can_choose_by_what_they_contain(
    command: str, log: str, tmp_path: Path
) -> None:
    steps = ("--step", "page-view", "--step", "brand = 'acme'") if command == "funnel" else ()
    done = sessionize(command, log, *steps, "--containing", "page:/end", "--json", cwd=tmp_path)
    found = json.loads(done.out)
    sessions = found.get("total", found.get("sessions", 1 if "session" in found else None))
    assert (done.code, sessions) == (0, 1)


def test_a_report_of_sessions_that_contain_something_says_so(log: str, tmp_path: Path) -> None:
    typed = ("--containing", "brand = 'acme'", "--sections", "totals", "--format", "markdown")
    done = sessionize("report", log, *typed, cwd=tmp_path)
    assert (done.code, "only with an event brand = 'acme'" in done.out) == (0, True), done.err


def test_a_session_that_is_shown_by_what_it_contains_has_its_neighbours(tmp_path: Path) -> None:
    times = [f"2024-05-{day} 08:00:00" for day in (28, 29, 30)]
    rows = [f"u,{time},{kind}" for time, kind in zip(times, ("view", "cart", "view"), strict=True)]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,timestamp,event_type", *rows]), encoding="utf-8")
    found = json.loads(sessionize("show", "log.csv", "--containing", "cart", "--json", cwd=tmp_path).out)
    assert (found["number"], found["of"]) == (2, 3)


def test_what_no_event_is_says_the_nearest(log: str, tmp_path: Path) -> None:
    done = sessionize("summary", log, "--containing", "crat", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "error: --containing 'crat': no event of the log is that; did you mean 'cart'?",
    )
    done = sessionize("summary", log, "--containing", "brnd = 'acme'", cwd=tmp_path)
    assert done.code == 2
    assert "events have no column 'brnd'" in done.err
    assert "did you mean 'brand'?" in done.err


def test_a_column_of_events_in_a_condition_on_sessions_hints_at_what_contains_it(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    done = sessionize("summary", "log.csv", "--session-where", "brand = 'acme'", cwd=tmp_path)
    hint = """--containing "brand = 'acme'\""""
    assert (done.code, done.err.splitlines()[1].endswith(hint)) == (2, True)
    assert entries("log.csv", "--containing", "brand = 'acme'", cwd=tmp_path) == [2, 4]


@pytest.mark.parametrize("name", ["brand", "property.brand", '"property.brand"'])
def test_a_property_is_named_with_its_dot_or_without(name: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    typed = ("--property", "brand", "--session-where", f"{name} = 'acme'")
    assert entries("log.csv", *typed, cwd=tmp_path) == [2, 4]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("start >= '2024-05-31'", 2),
        ("start >= timestamp '2024-05-31'", 2),
        ("start >= date '2024-05-31'", 2),
        ("start >= '2024-05-31'::timestamp", 2),
        ("'2024-05-31 09:00' <= start", 1),
        ("start >= '2024-05-31T11:00+02:00'", 1),
        ("start BETWEEN '2024-05-30' AND '2024-05-31'", 1),
        ("start IN ('2024-05-31 09:00', '2024-05-31 00:30')", 2),
        ("start > '2024-06-01' - INTERVAL '1 day'", 2),
        ("end - start > INTERVAL '90 seconds'", 1),
        ("duration_s > INTERVAL '1 minute'", 1),
        ("CASE WHEN bounced THEN 1 ELSE 0 END = 1", 1),
        ("true", 3),
    ],
)
def test_times_are_compared_with_texts_and_intervals(condition: str, expected: int, log: str, tmp_path: Path) -> None:
    assert entries(log, "--session-where", condition, cwd=tmp_path)[0] == expected


def test_a_time_without_a_zone_is_one_in_the_time_zone(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    typed = ("--timezone", "Europe/Vienna", "--session-where", "start >= '2024-05-31 00:30'")
    assert entries("log.csv", *typed, cwd=tmp_path)[0] == 2
    utc = ("--timezone", "Europe/Vienna", "--session-where", "start >= '2024-05-31T00:30Z'")
    assert entries("log.csv", *utc, cwd=tmp_path)[0] == 1


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Vienna"])
@pytest.mark.parametrize("written", ["at >= '2024-05-31'", "at >= timestamp '2024-05-31'", "'2024-05-31' <= at"])
def test_the_logs_own_times_are_compared_too(unit: str, zone: str | None, written: str, tmp_path: Path) -> None:
    at = pl.Series(["2024-05-30T23:30:00", "2024-05-31T00:30:00"]).str.to_datetime(time_unit=unit, time_zone=zone)  # type: ignore[arg-type]
    pl.DataFrame({"user_id": ["u", "v"], "at": at}).write_parquet(tmp_path / "log.parquet")
    typed = ("--timestamp", "at", "--timezone", zone or "UTC", "--where", written)
    assert entries("log.parquet", *typed, cwd=tmp_path) == [1, 1]


@pytest.mark.parametrize("option", ["--session-where", "--by", "--where", "--containing", "--step"])
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("{time} > 'x'", "a time is compared with a text"),
        ("{time} >= now()", "a time is compared with a text"),
        ("{text} > 3", "a text is compared with a text in single quotes"),
        ("CAST({text} AS INT) > 3", "TRY_CAST gives null in its place"),
    ],
)
def test_sql_that_does_not_go_together_is_the_users_to_mend(option: str, wrong: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    pl.read_csv(tmp_path / "log.csv", try_parse_dates=True).with_columns(
        pl.col("timestamp").dt.replace_time_zone("UTC")
    ).write_parquet(tmp_path / "log.parquet")
    time = "start" if option in ("--session-where", "--by") else "timestamp"
    text = "entry_event" if option in ("--session-where", "--by") else "event_type"
    command = ("funnel", "--step", "cart") if option == "--step" else ("summary",)
    done = sessionize(*command, "log.parquet", option, wrong.format(time=time, text=text), cwd=tmp_path)
    assert (done.code, hint in done.err, done.err.count("error:")) == (2, True, 1), done.err


def test_sql_of_definitions_and_checks_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "own.toml").write_text(
        'title = "x"\nbounce = "CAST(entry_event AS INT) > 3"\n[rules]\ntimeout = "3m"\n'
    )
    done = sessionize("compare", "log.csv", "--as", "own.toml", cwd=tmp_path)
    assert (done.code, "TRY_CAST" in done.err) == (2, True)
    check = '[[check.custom]]\nname = "a"\nsql = "SELECT * FROM events WHERE timestamp > now()"\nerror = 0\n'
    (tmp_path / "check.toml").write_text(check)
    done = sessionize("check", "log.csv", "--config", "check.toml", cwd=tmp_path)
    assert (done.code, "a time is compared with a text" in done.err) == (2, True)
    (tmp_path / "check.toml").write_text(check.replace("> now()", "> '2024-05-31 08:00'"))
    done = sessionize("check", "log.csv", "--config", "check.toml", "--csv", cwd=tmp_path)
    assert "1 rows by the query" in sessionize("check", "log.csv", "--config", "check.toml", cwd=tmp_path).out
