"""An answer does not depend on where it is asked: of the log, or of what a run wrote, in whatever format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
from console import sessionize

from sessionize.cli.screens.text import cells, cut_middle

CAMPAIGNS = """\
session_id,timestamp,page,utm_source,utm_medium
s1,2024-05-30T10:00:00Z,/a,,cpc
s1,2024-05-30T10:01:00Z,/b,mail,
s2,2024-05-30T10:00:00Z,/a,mail,
"""
"""The first event of s1 that has any of the five fields has no source."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(CAMPAIGNS)
    sessionize("run", "log.csv", "-o", "out", "--events", "-q", cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize("asked", ["log.csv", "out"])
def test_fields_of_a_campaign_are_of_one_event_whichever_are_asked_for(asked: str, folder: Path) -> None:
    said = sessionize("summary", asked, "--by", "utm_source", "--csv", "-q", cwd=folder)
    assert [(row["name"], row["sessions"]) for row in csv.DictReader(io.StringIO(said.out))] == [
        ("mail", "1"),
        ("(none)", "1"),
    ]
    said = sessionize("summary", asked, "--session-where", "utm_source = 'mail'", "--json", "-q", cwd=folder)
    assert json.loads(said.out)["sessions"] == 1


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson", "json"])
def test_events_of_an_earlier_run_are_checked_and_counted_in_every_format(form: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("session_id,timestamp,event_type,value\ns1,2024-05-30T10:00:00Z,click,5\n")
    query = (
        '[[check.custom]]\nname = "large"\nsql = "SELECT * FROM events WHERE value > 3 AND position = 1"\nerror = 0\n'
    )
    (tmp_path / "c.toml").write_text(query)
    sessionize("run", "log.csv", "-o", "out", "--events", "--format", form, "-q", cwd=tmp_path)
    said = sessionize("check", "out", "--config", "c.toml", "-q", cwd=tmp_path)
    assert (said.code, "large: 1 rows by the query" in said.out) == (1, True), said
    told = sessionize("funnel", "out", "--step", "event_type = 'click' AND value > 1", "--json", "-q", cwd=tmp_path)
    assert json.loads(told.out)["steps"][0]["sessions"] == 1


@pytest.mark.parametrize(
    "sql",
    ["sum(CASE WHEN bounced THEN 1.0 ELSE 0.0 END) / count(*)", "count(*) FILTER (WHERE bounced) * 1.0 / count(*)"],
)
def test_a_share_that_a_check_computes_is_held_to_its_threshold(sql: str, tmp_path: Path) -> None:
    rows = "a,2024-05-30T10:00:00Z\nb,2024-05-30T11:00:00Z\nc,2024-05-30T12:00:00Z\nc,2024-05-30T12:01:00Z\n"
    (tmp_path / "log.csv").write_text(f"session_id,timestamp\n{rows}")
    (tmp_path / "c.toml").write_text(
        f'[[check.custom]]\nname = "bounces"\nsql = "SELECT {sql} FROM sessions"\nerror = 0.5\n'
    )
    said = sessionize("check", "log.csv", "--config", "c.toml", "-q", cwd=tmp_path)
    assert (said.code, "bounces: 0.666667 " in said.out) == (1, True), said


def test_numbers_with_a_point_keep_their_digits(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("session_id,timestamp\na,2024-05-30T10:00:00Z\n")
    metrics = ("x=count(*) * 1.0 / 30000000", "y=sum(.25) + 1.5e1 - 0.125")
    typed = [part for each in metrics for part in ("--metric", each)]
    said = sessionize("run", "log.csv", "-o", "-", "--no-sessions", "-q", *typed, cwd=tmp_path)
    found = json.loads(said.out)
    assert (found["x"], found["y"]) == (1 / 30_000_000, 15.125)


def test_of_copies_of_an_event_the_same_one_stays_for_timeouts_as_for_a_run(tmp_path: Path) -> None:
    rows = "e1,s1,2024-05-30T10:00:00Z,purchase,\ne1,s1,2024-05-30T10:00:00Z,refund,99\n"
    (tmp_path / "log.csv").write_text(f"event_id,session_id,timestamp,event_type,value\n{rows}")
    said = sessionize("timeout", "log.csv", "--passive", "refund", "--csv", "-q", cwd=tmp_path)
    assert {row["sessions"] for row in csv.DictReader(io.StringIO(said.out))} == {"0"}


def test_that_none_of_some_sessions_converts_says_nothing_of_the_log(tmp_path: Path) -> None:
    rows = "s1,2024-05-30T10:00:00Z,purchase\ns2,2024-05-30T10:00:00Z,click\n"
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,event_type\n{rows}")
    said = sessionize("summary", "log.csv", "--containing", "click", cwd=tmp_path)
    assert "no conversions among these sessions" in said.out


@pytest.mark.parametrize(
    "text", ["/製品/大阪城天守閣入場券", "売上データ分析用アクセスログ二〇二四年五月.csv", "abcdefghijklmnopqrst"]
)
@pytest.mark.parametrize("width", [8, 9, 15, 20])
def test_a_text_is_cut_to_its_width_however_wide_its_letters_are(text: str, width: int) -> None:
    found = cut_middle(text, width)
    assert cells(found) <= width
    begins, mark, ends = found.partition("…")
    assert not mark or (text.startswith(begins) and text.endswith(ends) and len(begins) + len(ends) < len(text))


@pytest.mark.parametrize("options", [(), ("--dimension", "plan"), ("--property", "plan"), ("--dimension", "p=plan")])
def test_a_step_over_a_column_is_asked_of_each_event_whatever_dimensions_there_are(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    rows = "s1,2024-05-30T10:00:00Z,free\ns1,2024-05-30T10:01:00Z,pro\n"
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,plan\n{rows}")
    said = sessionize("funnel", "log.csv", "--step", "plan = 'pro'", *options, "--json", "-q", cwd=tmp_path)
    assert json.loads(said.out)["steps"][0]["sessions"] == 1


@pytest.mark.parametrize(
    "rules",
    [["--split-on", "utm_campaign"], ["--split-on-arrival", "utm_campaign"], ["--rules", "matomo"], ["--rules", "ua"],
     ["--channels", "--split-on", "channel"]],
)  # fmt: skip
def test_sessions_that_what_a_row_tells_splits_are_as_many_at_a_timeout_as_in_a_run(
    rules: list[str], tmp_path: Path
) -> None:
    media = ["email", "cpc", "referral"]
    rows = [
        f"u{n % 2},{1717063200 + n * 150},/a?utm_campaign=c{n // 10}&utm_source=s{n // 20}&utm_medium={media[n // 30 % 3]}\n"
        for n in range(120)
    ]
    (tmp_path / "log.csv").write_text("user_id,ts,page\n" + "".join(rows))
    table = json.loads(sessionize("timeout", "log.csv", *rules, "--json", cwd=tmp_path).out)["table"]
    found = {each["timeout_s"]: each["sessions"] for each in table}
    for timeout in (300, 1800):
        typed = [
            "run",
            "log.csv",
            *rules,
            "--timeout",
            f"{timeout}s",
            "--max-duration",
            "none",
            "-o",
            "-",
            "--no-sessions",
        ]
        ran = sessionize(*typed, "-q", cwd=tmp_path)
        assert found[timeout] == len(ran.out.splitlines()) > 2, ran.err


@pytest.mark.parametrize("command", ["summary", "timeout", "show", "paths", "report"])
def test_every_answer_says_what_would_make_events_of_rejected_rows(command: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user_id,ts,note\nu,1717063200,"a\nb"\nu,1717063300,"c\nd"\nu,1717063400,x\n')
    (tmp_path / "a.csv").write_text("user_id,ts\nu,1717063200\n")
    (tmp_path / "b.csv").write_text("uid,ts\nu,1717063200\n")
    more = ["-o", "report.html"] if command == "report" else []
    assert "--multiline reads" in sessionize(command, "log.csv", *more, cwd=tmp_path).err
    assert "b.csv has no column 'user_id'" in sessionize(command, "a.csv", "b.csv", *more, cwd=tmp_path).err


@pytest.mark.parametrize("name", ["Betrag (EUR)", "Seite/Pfad", "100%", "Umsatz €", "Seite [Pfad]"])
def test_sessions_are_grouped_by_a_column_whatever_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"user_id,ts,{name}\nu,1717063200,x\nv,1717063200,y\nw,1717063200,y\n")
    said = sessionize("summary", "log.csv", "--by", name, "--json", cwd=tmp_path)
    assert said.code == 0, said.err
    assert {group["name"]: group["sessions"] for group in json.loads(said.out)["groups"]} == {"x": 1, "y": 2}


@pytest.mark.parametrize("preset", ["combined", "none"])
def test_the_next_command_has_the_preset_that_was_typed(preset: str, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text('1.2.3.4 - - [30/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "x"\n')
    (tmp_path / "log.csv").write_text("user_id,ts\nu,1717063200\n")
    log = "access.log" if preset == "combined" else "log.csv"
    said = sessionize("summary", log, "--preset", preset, cwd=tmp_path)
    assert said.out.endswith(f"next: sessionize show {log} --preset {preset} --longest\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [('top = "3"', "top is a whole number"), ("min = [1]", "min is a whole number"), ("preset = true", "preset is a text"),
     ("columns = [[1]]", "columns is a text"), ("null = [true]", "null is a text"), ("quiet = 1", "quiet is true or false")],
)  # fmt: skip
def test_a_value_of_another_kind_in_a_configuration_is_refused(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts\nu,1717063200\n")
    (tmp_path / "sessionize.toml").write_text(f"{line}\n")
    found = sessionize("summary", "log.csv", cwd=tmp_path)
    assert (found.code, said in found.err) == (2, True), found.err


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet"])
def test_goals_and_dimensions_of_events_have_their_types_in_every_format(form: str, tmp_path: Path) -> None:
    pl.DataFrame({
        "session_id": ["a", "a"], "timestamp": ["2024-05-30T10:00:00Z", "2024-05-30T10:01:00Z"], "n": [7, None], "ok": [True, None],
        "event_type": ["view", "buy"],
    }).write_parquet(tmp_path / "log.parquet")  # fmt: skip
    own = ("--goal", "g=event_type = 'buy'", "--dimension", "n", "--dimension", "ok", "--dimension", "kind=event_type")
    sessionize("run", "log.parquet", "-o", "out", "--events", "--format", form, *own, "-q", cwd=tmp_path)
    said = sessionize("show", "out", "--json", "-q", cwd=tmp_path)
    names = ("goal.g", "n", "ok", "kind")
    events = [[event[name] for name in names] for event in json.loads(said.out)["events"]]
    assert events == [[False, 7, True, "view"], [True, 7, True, "view"]]
    (tmp_path / "c.toml").write_text(
        '[[check.custom]]\nname = "bought"\nsql = "SELECT * FROM events WHERE \\"goal.g\\" AND ok AND n > 6"\nerror = 0\n'
    )
    checked = sessionize("check", "out", "--config", "c.toml", "-q", cwd=tmp_path)
    assert "1 rows by the query" in checked.out, checked


@pytest.mark.parametrize("command", ["summary", "timeout", "compare", "report", "show", "check"])
@pytest.mark.parametrize("inputs", [["log.csv", "out"], ["out", "log.csv"]])
def test_a_run_beside_a_log_is_told_apart_whichever_is_named_first(
    command: str, inputs: list[str], folder: Path
) -> None:
    said = sessionize(command, *inputs, cwd=folder)
    assert (said.code, said.err.startswith("error: out is the output of an earlier run")) == (2, True), said.err


def test_a_comparison_of_rules_needs_the_log(folder: Path) -> None:
    said = sessionize("compare", "out", cwd=folder)
    assert (said.code, "out is the output of an earlier run, no log" in said.err) == (2, True), said.err


def test_a_group_by_a_metric_says_how_the_column_of_its_name_is_asked(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,ts,status,utm_source\nu,1717063200,paid,x\nv,1717063200,free,\n")
    said = sessionize("summary", "log.csv", "--by", "status", cwd=tmp_path).err
    typed = "--dimension log_status=status --by log_status"
    assert typed in said
    found = json.loads(sessionize("summary", "log.csv", *typed.split(), "--json", cwd=tmp_path).out)
    assert {group["name"] for group in found["groups"]} == {"paid", "free"}
    assert "note" not in sessionize("summary", "log.csv", "--by", "utm_source", cwd=tmp_path).err
