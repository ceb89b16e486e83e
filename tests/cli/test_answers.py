"""The commands for a shell, as they are typed and as they look."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from budget import quick_first
from console import SAMPLE, sessionize

from sessionize.cli.app import application, as_meant
from sessionize.cli.screens.text import cells
from sessionize.errors import UsageError
from sessionize.summary.schemas import ANSWERS, answer_schema

LOG = str(SAMPLE / "events.csv")
TYPED = {
    "summary": ("summary", LOG),
    "groups": ("summary", LOG, "--by", "entry_page"),
    "show": ("show", LOG, "--longest"),
    "funnel": ("funnel", LOG, "--step", "page:/", "--step", "page:/tea*", "--step", "purchase"),
    "funnel by": ("funnel", LOG, "--step", "page:/", "--step", "purchase", "--by", "utm_source"),
    "paths": ("paths", LOG, "--steps", "4"),
    "around": ("paths", LOG, "--around", "add-to-cart"),
    "timeout": ("timeout", LOG),
}
Told = Callable[..., str]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """What a command prints on stdout, in this process."""

    def run(*arguments: str) -> str:
        typed = as_meant(arguments)
        application(typed)(typed, standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_a_file_alone_asks_for_its_summary(told: Told) -> None:
    assert told(LOG) == told("summary", LOG)
    assert told("--by", "day", LOG) == told("summary", LOG, "--by", "day")


def test_a_file_is_never_no_such_command(tmp_path: Path) -> None:
    done = sessionize("missing.csv", cwd=tmp_path)
    assert (done.code, done.err) == (3, "error: missing.csv: no such file\n")


@pytest.mark.parametrize(
    ("word", "meant"), [("sumary", "summary"), ("funel", "funnel"), ("Run", "run"), ("path", "paths")]
)
def test_a_command_that_is_nearly_right_is_asked_back_for(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match="no such command or file") as error:
        as_meant([word, LOG])
    assert error.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED.keys())
def test_json_has_the_form_that_the_schema_says(told: Told, typed: tuple[str, ...]) -> None:
    form = answer_schema(typed[0])
    jsonschema.Draft202012Validator.check_schema(form)
    data = json.loads(told(*typed, "--json"))
    jsonschema.validate(data, form)
    assert set(data) <= set(form["properties"])


def test_each_answer_has_a_schema_and_its_fixed_keys(told: Told) -> None:
    assert json.loads(told("schema", "funnel")) == answer_schema("funnel")
    fixed = {
        "summary": {"sessions", "events", "profiles", "bounce_rate", "engagement_rate", "conversion_rate", "duration_s", "groups"},
        "show": {"session", "events", "previous", "next"},
        "funnel": {"steps", "never_began", "converted_otherwise"},
        "paths": {"paths", "other", "total"},
        "timeout": {"table", "plateau", "fit", "why_no_fit", "share_15m_2h"},
    }  # fmt: skip
    assert {name: keys <= set(ANSWERS[name]["properties"]) for name, keys in fixed.items()} == dict.fromkeys(
        fixed, True
    )


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED.keys())
def test_csv_has_a_row_for_each_row_of_the_screen(told: Told, typed: tuple[str, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(told(*typed, "--csv"))))
    data = json.loads(told(*typed, "--json"))
    expected: dict[str, Any] = {
        "show": data.get("events"), "timeout": data.get("table"), "paths": [*data.get("paths", ()), "other", "total"],
        "funnel": [step for group in data.get("groups", ()) for step in group.get("steps", ())] or data.get("steps"),
    }  # fmt: skip
    if typed[0] == "summary" and not data["groups"]:
        assert {row["figure"]: row["value"] for row in rows}["sessions"] == str(data["sessions"])
    else:
        assert len(rows) == len(expected.get(typed[0]) or data["groups"])


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED.keys())
@pytest.mark.parametrize("width", quick_first([60, 80, 120]))
def test_a_screen_is_no_wider_than_the_terminal(
    told: Told, typed: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = [line for line in told(*typed).splitlines() if not line.startswith("next: ")]
    assert [line for line in lines if cells(line) > width] == []


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A log of three weeks whose names are long and begin alike, without a conversion."""
    names = ("Course viewed", "Course module viewed", "Course module instance list viewed")
    rows = [
        f"user{number % 7},2024-05-{1 + number // 3:02}T09:{7 * step:02}:00Z,{names[(number + step) % 3]}"
        for number in range(63)
        for step in range(3 + number % 2)
    ]
    log = tmp_path / "course.csv"
    log.write_text("user_id,timestamp,event_type\n" + "\n".join(rows) + "\n")
    return log


@pytest.mark.parametrize("command", ["summary", "timeout"])
@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_screen_cuts_no_number(
    told: Told, course: Path, command: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = [line for line in told(command, str(course)).splitlines() if not line.startswith("next: ")]
    assert [line for line in lines if cells(line) > width] == []
    assert [line for line in lines if "…" in line and not line.startswith(("event types: ", "Course "))] == []


@pytest.mark.parametrize("width", [40, 50, 80])
def test_groups_keep_their_names_and_lose_figures_on_a_narrow_screen(
    told: Told, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = told("summary", LOG, "--by", "entry_page").splitlines()
    assert {"/coffee", "/tea/assam", "all"} <= {line.split()[0] for line in lines if line}


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_no_two_paths_read_the_same_however_narrow_the_screen(
    told: Told, course: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    data = json.loads(told("paths", str(course), "--json"))
    out = " ".join(told("paths", str(course)).split())
    for row in data["paths"]:
        assert " > ".join(row["steps"]).removesuffix(" > .") in out


@pytest.mark.parametrize("locale", quick_first([{"LC_ALL": "C"}, {"LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"}]))
@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED.keys())
def test_a_screen_is_ascii_where_the_locale_is(
    told: Told, typed: tuple[str, ...], locale: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    assert told(*typed).isascii()


@pytest.mark.slow
@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_nothing_in_a_log_steers_a_terminal(told: Told, tmp_path: Path, extra: tuple[str, ...]) -> None:
    evil = "\x1b[2J\x1b]0;x\x07[bold red]\u202e\u009b31m"
    log = tmp_path / "log.csv"
    rows = [f"{evil}{number},2024-05-01 09:0{minute},{evil}page,{evil}/x" for number in range(2) for minute in range(3)]
    log.write_text("user_id,timestamp,event_type,page\n" + "\n".join(rows) + "\n")
    for typed in (("summary",), ("summary", "--by", "event_type"), ("show", "--longest"), ("paths",), ("timeout",),
                  ("funnel", "--step", "timestamp IS NOT NULL")):  # fmt: skip
        out = told(typed[0], str(log), *typed[1:], *extra)
        assert not any(letter in out for letter in "\x1b\x07\u202e\u009b"), typed


@pytest.mark.slow
def test_a_closed_pipe_ends_the_answer_silently() -> None:
    line = f"{sys.executable} -m sessionize show {LOG} --longest --all | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_step_that_the_log_has_not_is_exit_2(tmp_path: Path) -> None:
    done = sessionize("funnel", LOG, "--step", "purchas", cwd=tmp_path)
    assert done.code == 2
    assert "did you mean 'purchase'?" in done.err


def test_a_log_of_which_no_row_is_an_event_is_exit_3_and_a_quiet_hour_is_none(tmp_path: Path) -> None:
    assert sessionize("-", cwd=tmp_path, stdin=b"user_id,timestamp\na,never\n").code == 3
    for command in (("summary",), ("paths",), ("timeout",), ("funnel", "--step", "x")):
        done = sessionize(*command, "-", cwd=tmp_path, stdin=b"user_id,timestamp,event_type\n")
        assert done.code == 0, (command, done.err)


def test_the_short_help_has_the_common_options_and_says_that_there_are_more(told: Told) -> None:
    short, whole = told("summary", "-h"), told("summary", "--help")
    assert "--by NAME|SQL" in short
    assert "--own-host" not in short
    assert "--help lists" in short
    assert "--own-host" in whole
    assert "DURATION  30m" in whole
    assert "<" not in short + whole


@pytest.mark.slow
def test_who_shows_a_session_may_name_it_by_its_beginning(told: Told) -> None:
    first = json.loads(told("show", LOG, "--longest", "--json"))["session"]["session_id"]
    assert json.loads(told("show", LOG, first[:6], "--json"))["session"]["session_id"] == first
    with pytest.raises(UsageError, match="no session begins with 'nobody'"):
        told("show", LOG, "nobody")


@pytest.mark.parametrize(
    "condition", ["page = 'https://example.com/tea' AND 1 = 1", "page LIKE 'https://example.com/t%' AND 2*3 = 6"]
)
def test_sql_with_an_address_in_it_is_no_page(condition: str, tmp_path: Path) -> None:
    told = [
        json.loads(sessionize(*command, "--json", cwd=tmp_path).out)
        for command in (("summary", LOG, "--containing", condition), ("funnel", LOG, "--step", condition))
    ]
    assert told[0]["sessions"] == told[1]["steps"][0]["sessions"] > 0


def test_pages_that_could_be_event_types_are_proposed_as_pages(tmp_path: Path) -> None:
    rows = "".join(f"s1,2024-05-01T10:0{n}:00Z,page-view,{page}\n" for n, page in enumerate(("home", "Sign up", "a=b")))
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,event_type,page\n{rows}")
    shown = sessionize("paths", "log.csv", cwd=tmp_path).out
    hint = shown.rpartition("next: sessionize ")[2].strip()
    assert hint == "funnel log.csv --step page:home --step 'page:Sign up' --step page:a=b"
    found = sessionize(*shlex.split(hint), "--json", cwd=tmp_path)
    assert [step["sessions"] for step in json.loads(found.out)["steps"]] == [1, 1, 1]
    refused = sessionize("funnel", "log.csv", "--step", "home", cwd=tmp_path)
    assert (refused.code, "did you mean 'page:home'?" in refused.err) == (2, True)


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_data_is_utf8_whatever_the_locale_is(form: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "session_id,timestamp,page\ns,2024-05-01T10:00:00Z,/caf\u00e9-\u5546\n", encoding="utf-8"
    )
    for encoding in ("latin-1", "ascii", "utf-8"):
        done = subprocess.run(
            [sys.executable, "-m", "sessionize", "summary", "log.csv", "--by", "entry_page", form],
            cwd=tmp_path, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert (done.returncode, "/caf\u00e9-\u5546" in done.stdout.decode()) == (0, True), done.stderr


def test_a_schema_is_offered_of_what_has_one(tmp_path: Path) -> None:
    assert sessionize("schema", "report", cwd=tmp_path).code == 2
    assert [sessionize("schema", name, cwd=tmp_path).code for name in ANSWERS] == [0] * len(ANSWERS)
