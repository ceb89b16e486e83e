"""Passive events: counted in the session that is open at their time, else rejected; they start and extend none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize
from nights import in_files
from test_rules import CAMPAIGNS

from sessionize.config import Config, Output, Rules
from sessionize.errors import UsageError
from sessionize.one_shot import run

PASSIVE = ("--passive", "ping")


def log_of(text: str) -> str:
    """A CSV of minutes: ``0 5p 5 40p`` are views at minutes 0 and 5, pings at 5 and 40, in this order; ``!`` is an end event."""
    kinds = {"p": "ping", "!": "bye", "*": "hello"}
    began = datetime(2024, 5, 30, 20, tzinfo=UTC)
    rows = [
        f"u,{began + timedelta(minutes=float(word.rstrip('p!*')))},{kinds.get(word[-1], 'view')}"
        for word in text.split()
    ]
    return "user_id,time,event_type\n" + "\n".join(rows) + "\n"


def sessions_of(text: str, *args: str, cwd: Path) -> tuple[list[tuple[Any, ...]], int]:
    """Events, minutes and end reason of each session; and how many events were alone."""
    (cwd / "log.csv").write_text(log_of(text))
    done = sessionize("run", "log.csv", "-o", "out", *PASSIVE, *args, "--json", cwd=cwd)
    assert done.code == 0, done.err
    metrics = pl.read_parquet(cwd / "out/metrics.parquet").sort("start")
    counts = json.loads(done.out)["counts"]
    assert counts["rows_read"] == counts["events"] + counts["rejected"]
    minutes = pl.col("duration_s") / 60
    return metrics.select("events", minutes, "end_reason").rows(), counts["rejected_by_reason"].get("passive_alone", 0)


@pytest.mark.parametrize(
    ("text", "args", "found", "alone"),
    [
        ("0 10p 20", (), [(3, 20, "open")], 0),
        ("0 30p", (), [(2, 0, "open")], 0),
        ("0 30.1p", (), [(1, 0, "timeout")], 1),
        ("0 20p 40", (), [(2, 0, "timeout"), (1, 0, "open")], 0),  # it does not extend
        ("0p 5", (), [(1, 0, "open")], 1),  # nor start
        ("0p 0", (), [(2, 0, "open")], 0),  # one instant
        ("0 0p", (), [(2, 0, "open")], 0),
        ("0 40p 40", (), [(1, 0, "timeout"), (2, 0, "open")], 0),  # of the session that starts there
        ("0 5! 6p 7", ("--end-event", "bye"), [(2, 5, "end_event"), (1, 0, "open")], 1),
        ("0 5! 5p 7", ("--end-event", "bye"), [(3, 5, "end_event"), (1, 0, "open")], 0),
        ("0 5p 6*", ("--start-event", "hello"), [(2, 0, "start_event"), (1, 0, "open")], 0),
        ("239 241p", ("--split-at-midnight",), [(1, 0, "open")], 1),
        ("239 239.5p", ("--split-at-midnight",), [(2, 0, "open")], 0),
        ("0 9 10p 11p", ("--max-duration", "10m"), [(3, 9, "open")], 1),
        ("0 1 2p 3", ("--max-events", "2"), [(2, 1, "max_events"), (1, 0, "open")], 1),
        ("0 1p 2p 3", ("--max-events", "2"), [(4, 3, "open")], 0),  # they do not count
        ("0 500p", ("--timeout", "none"), [(2, 0, "open")], 0),
        ("0p 500p 600", ("--timeout", "none"), [(1, 0, "open")], 2),
    ],
)
def test_a_passive_event_is_in_the_session_that_is_open_at_its_time(
    text: str, args: tuple[str, ...], found: list[tuple[Any, ...]], alone: int, tmp_path: Path
) -> None:
    expected = [(events, minutes, reason) for events, minutes, reason in found]
    sessions, rejected = sessions_of(text, *args, cwd=tmp_path)
    assert [row[:2] for row in sessions] == [row[:2] for row in expected]
    assert [row[2] for row in sessions[:-1]] == [row[2] for row in expected[:-1]]
    assert rejected == alone


def test_gaps_are_measured_between_the_other_events_and_all_else_over_all(tmp_path: Path) -> None:
    sessions_of("0 10p 20 25p", cwd=tmp_path)
    found = pl.read_parquet(tmp_path / "out/metrics.parquet")
    shown = ("events", "max_gap_s", "active_s", "entry_event", "exit_event", "bounced")
    assert found.select(shown).rows() == [(4, 1200, 300, "view", "ping", False)]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_what_is_alone_is_rejected_with_its_place_and_text(form: str, tmp_path: Path) -> None:
    frame = pl.read_csv(log_of("0p 100 200p").encode(), infer_schema=False)
    getattr(frame, f"write_{form}")(tmp_path / f"log.{form}")
    done = sessionize("run", f"log.{form}", "-o", "out", *PASSIVE, cwd=tmp_path)
    assert done.code == 0, done.err
    assert "2 passive_alone" in done.err
    rows = [json.loads(line) for line in (tmp_path / "out/rejected.ndjson").read_text().splitlines()]
    first = 2 if form == "csv" else 1
    assert [(row["file"], row["row"], row["reason"]) for row in rows] == [
        (f"log.{form}", first, "passive_alone"), (f"log.{form}", first + 2, "passive_alone"),
    ]  # fmt: skip
    assert "20:00:00" in rows[0]["raw"]


@pytest.mark.slow
def test_many_partitions_give_the_same(tmp_path: Path) -> None:
    lines = [
        f"u{who},2024-05-30 10:{minute:02}:00,{'ping' if minute % 3 else 'view'}"
        for minute in range(50)
        for who in range(9)
    ]
    (tmp_path / "log.csv").write_text("user_id,time,event_type\n" + "\n".join(reversed(lines)) + "\n")
    config = Config(inputs=(str(tmp_path / "log.csv"),), rules=Rules(passive=("ping",)))
    run(config, Output(directory=str(tmp_path / "one"), events=True))
    run(config, Output(directory=str(tmp_path / "many"), events=True), limits=in_files(tmp_path))
    for name in ("metrics.parquet", "events.parquet", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_over_nights_a_passive_event_waits_until_it_is_known_where_it_belongs(tmp_path: Path) -> None:
    """At 23:45 nobody knows of the view at 23:40 that comes late; at 23:50 of u2 nobody ever comes."""
    (tmp_path / "1.csv").write_text(
        "user_id,time,event_type\nu,2024-05-30 23:45:00,ping\nu2,2024-05-30 23:50:00,ping\nu3,2024-05-30 23:00:00,ping\n"
    )
    (tmp_path / "2.csv").write_text(
        "user_id,time,event_type\nu,2024-05-30 23:40:00,view\nu4,2024-05-31 12:00:00,view\n"
    )
    nights = ("-o", "out", "--state", "state", *PASSIVE, "--batch")
    first = sessionize("run", "1.csv", *nights, "2024-05-30", "--json", "--max-rejected", "9", cwd=tmp_path)
    counts = json.loads(first.out)["counts"]
    assert (counts["rejected"], counts["carried_out"]) == (1, 2)
    second = sessionize("run", "2.csv", *nights, "2024-05-31", "--json", "--max-rejected", "9", cwd=tmp_path)
    counts = json.loads(second.out)["counts"]
    assert (counts["carried_in"], counts["rejected"], counts["events"]) == (2, 1, 3), second.err
    rejected = json.loads((tmp_path / "out/batch=2024-05-31/rejected.ndjson").read_text())
    assert rejected == {"file": "1.csv", "row": 3, "reason": "passive_alone", "raw": None}
    metrics = pl.read_parquet(tmp_path / "out/batch=2024-05-31/metrics.parquet")
    assert metrics.select("profile_id", "events").rows() == [("u", 2), ("u4", 1)]
    other = sessionize("run", "2.csv", *nights[:-3], "--batch", "2024-06-01", cwd=tmp_path)
    assert (other.code, "passive" in other.err) == (2, True)


def test_a_flush_rejects_what_still_waits(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("user_id,time,event_type\nu,2024-05-30 10:00:00,ping\nu,2024-05-30 12:00:00,view\n")
    nights = ("-o", "out", "--state", "state", "--batch")
    sessionize("run", "1.csv", *nights, "1", *PASSIVE, "--until", "2024-05-30T10:15", cwd=tmp_path)
    done = sessionize("run", *nights, "2", "--flush", "--json", cwd=tmp_path)
    counts = json.loads(done.out)["counts"]
    assert (counts["carried_in"], counts["rejected"], counts["events"]) == (2, 1, 1)


@pytest.mark.slow
def test_the_timeout_s_table_is_the_run_with_each_timeout(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(log_of("0p 1 2p 10 20p 60 61p 100 140p 200 220 221p"))
    found = json.loads(sessionize("timeout", "log.csv", *PASSIVE, "--json", cwd=tmp_path).out)
    for row in found["table"]:
        timeout = "none" if row["timeout_s"] is None else f"{row['timeout_s']:.0f}s"
        done = sessionize("summary", "log.csv", *PASSIVE, "--timeout", timeout, "--json", cwd=tmp_path)
        told = json.loads(done.out)
        assert (row["sessions"], row["bounce_rate"]) == (told["sessions"], told["bounce_rate"])


def test_a_name_that_never_occurs_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(log_of("0 1p"))
    done = sessionize("run", "log.csv", "-o", "out", "-q", "--passive", "pingg", cwd=tmp_path)
    assert "--passive pingg: no event has this type; did you mean 'ping'?" in done.err


def test_an_event_that_starts_or_ends_a_session_is_not_passive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not passive"):
        Rules(passive=("x",), end_events=("x",))
    (tmp_path / "log.csv").write_text(CAMPAIGNS)
    done = sessionize("run", "log.csv", "-o", "out", "--passive", "x", "--start-event", "x", cwd=tmp_path)
    assert (done.code, "is not passive" in done.err) == (2, True)


def test_a_night_of_nothing_but_passive_events_is_a_log_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(log_of("0p 100p"))
    done = sessionize("run", "log.csv", "-o", "out", *PASSIVE, "--on-bad-row", "fail", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len((tmp_path / "out/rejected.ndjson").read_text().splitlines()) == 2
    night = ("-o", "nights", "--state", "state", "--batch", "2024-06-01", *PASSIVE)
    assert sessionize("run", "log.csv", *night, cwd=tmp_path).code == 0
    limit = sessionize("run", "log.csv", "-o", "out", *PASSIVE, "--max-rejected", "1", cwd=tmp_path)
    assert limit.code == 1


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_check_names_the_file_that_a_carried_passive_event_came_from(form: str, tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text("[check.passive-alone]\nwarn = 0\nerror = 'none'\n")
    logs = {
        "1": {"user_id": ["a", "b"], "time": ["2024-05-30T08:00:00Z", "2024-05-30T23:50:00Z"], "event_type": ["view", "ping"]},
        "2": {"user_id": ["c"], "time": ["2024-05-31T09:00:00Z"], "event_type": ["view"]},
    }  # fmt: skip
    for name, rows in logs.items():
        getattr(pl.DataFrame(rows), f"write_{form}")(tmp_path / f"{name}.{form}")
    nights = ("-o", "out", "--state", "state", *PASSIVE, "--check", "--json")
    first = sessionize("run", f"1.{form}", *nights, "--batch", "2024-05-30", cwd=tmp_path)
    assert first.code == 0, first.err
    second = sessionize("run", f"2.{form}", *nights, "--batch", "2024-05-31", cwd=tmp_path)
    assert second.code in (0, 1), second.err  # a third of the rows is rejected
    found = tmp_path / "out/batch=2024-05-31/checks.json"
    alone = next(each for each in json.loads(found.read_text())["checks"] if each["check"] == "passive-alone")
    assert [(each["file"], each["row"]) for each in alone["examples"]] == [(f"1.{form}", 3 if form == "csv" else 2)]


def test_what_is_named_passive_is_so_by_every_definition_that_is_compared(tmp_path: Path) -> None:
    minutes = {"page_view": (0, 40), "ping": (20,)}
    rows = sorted((minute, name) for name, times in minutes.items() for minute in times)
    text = "".join(f"u,2024-05-30T10:{minute:02}:00Z,{name}\n" for minute, name in rows)
    (tmp_path / "log.csv").write_text(f"user_id,timestamp,event_type\n{text}")
    names = ["mixpanel", "datadog", "posthog", "amplitude"]
    asked = [word for name in names for word in ("--as", name)]
    said = sessionize("compare", "log.csv", "--passive", "ping", *asked, "--json", cwd=tmp_path)
    found = {row["name"]: row["sessions"] for row in json.loads(said.out)["definitions"]}
    for name in names:
        ran = sessionize(
            "run", "log.csv", "--passive", "ping", "--rules", name, "-o", "-", "--no-sessions", "-q", cwd=tmp_path
        )
        assert found[name] == len(ran.out.splitlines()) == 2, ran.err


def test_passive_events_that_were_carried_and_lie_in_no_session_fail_no_night(tmp_path: Path) -> None:
    rows = {30: ["u1,2024-05-30T12:00:00Z,page-view,/a", "u2,2024-05-30T23:50:00Z,beat,/p", "u3,2024-05-30T23:51:00Z,beat,/p"],
            31: ["u1,2024-05-31T12:00:00Z,page-view,/a"]}  # fmt: skip
    for day, lines in rows.items():
        (tmp_path / f"{day}.csv").write_text("\n".join(["user_id,timestamp,event_type,page", *lines, ""]))
    night = ["run", "-o", "out", "--state", "st", "--passive", "beat"]
    for day in rows:
        said = sessionize(*night, f"{day}.csv", "--batch", f"2024-05-{day}", "--check", "-q", cwd=tmp_path)
        assert (said.code, said.err) == (0, "")
    told = sessionize(*night, "31.csv", "--batch", "2024-05-31", "--redo", cwd=tmp_path).err
    assert "2 rows (66.67%): 2 passive_alone" in told
    checked = sessionize("check", "out/batch=2024-05-31", "-q", cwd=tmp_path)
    assert checked.code == 0, checked.out
