"""Names, times and files that are nearly right, in the commands for a shell: each says what was meant."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

LOG = str(SAMPLE / "events.csv")
ANSWERS = {"summary": (), "show": ("--longest",), "funnel": ("--step", "page:/"), "paths": ()}


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
def test_a_conversion_that_never_occurs_is_said(command: str, form: tuple[str, ...], tmp_path: Path) -> None:
    done = sessionize(command, LOG, *ANSWERS[command], "--conversion", "purchas", *form, cwd=tmp_path)
    said = "      note  --conversion purchas: no event has this type; did you mean 'purchase'?\n"
    rejected = "  rejected  6 rows (0.20%): 1 bad_timestamp, 3 malformed_row, 1 no_session_key, 1 null_timestamp\n"
    assert (done.code, done.err) == (0, f"{rejected if form else ''}{said}")  # a screen says it at its foot
    if form == ("--json",):
        json.loads(done.out)


def test_a_condition_that_matches_nothing_is_said_and_one_that_leaves_rows_out(tmp_path: Path) -> None:
    done = sessionize("summary", LOG, "--where", "event_type = 'nothing'", cwd=tmp_path)
    assert "--where matches none of the 2," in done.out
    assert "note  --where matches none of the 2," in done.err
    done = sessionize("summary", LOG, "--where", "event_type = 'purchase'", cwd=tmp_path)
    assert " rows left out by --where" in " ".join(done.out.split())
    assert done.err == ""


def test_a_span_without_sessions_says_when_there_are_some(tmp_path: Path) -> None:
    done = sessionize("summary", LOG, "--since", "2030-01-01", cwd=tmp_path)
    assert "no sessions; the log has some, 27 \u2013 30 May 2024 UTC" in done.out.splitlines()


def test_a_number_of_last_is_one_of_days(tmp_path: Path) -> None:
    done = sessionize("summary", LOG, "--last", "7", cwd=tmp_path)
    assert done.err.splitlines()[1] == "  hint: did you mean --last 7d, or --last 7h?"
    done = sessionize("summary", LOG, "--timeout", "30", cwd=tmp_path)
    assert done.err.splitlines()[1] == "  hint: did you mean --timeout 30m, or --timeout 30s?"


def test_a_file_that_is_missing_is_guessed_only_where_it_is_near(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "october.csv").write_text("user_id,timestamp\n", encoding="utf-8")
    for name, near in (("logs/october.cvs", True), ("log/october.csv", True), ("log/octobre.csv", False),
                       ("logs/november.csv", False)):  # fmt: skip
        done = sessionize("summary", name, cwd=tmp_path)
        assert (done.code, "did you mean logs/october.csv?" in done.err) == (3, near), done.err


def test_a_log_in_the_place_of_a_preset_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(b"\x1f\x8b\x08")
    done = sessionize("presets", "log.gz", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[0]) == (2, "error: log.gz is no preset, which is a TOML file")
    assert sessionize("presets", "--check", "access-log", LOG, cwd=tmp_path).code in (0, 2, 3)


@pytest.mark.parametrize("command", ["summary", "show", "funnel", "paths", "timeout", "report"])
@pytest.mark.parametrize("typed", [(), ("--timeout", "30m")])
def test_a_command_without_a_log_says_that(command: str, typed: tuple[str, ...], tmp_path: Path) -> None:
    done = sessionize(command, *typed, cwd=tmp_path)
    usage = f"  hint: sessionize {command} INPUT...; sessionize {command} -h tells the options"
    assert (done.code, done.out, done.err.splitlines()) == (2, "", ["error: INPUT is missing", usage])


def test_columns_are_listed_once(tmp_path: Path) -> None:
    for typed in (("--where", "nope = 1"), ("--session-where", "nope = 1"), ("--by", "nope"), ("--session-id", "nope")):
        done = sessionize("summary", LOG, *typed, cwd=tmp_path)
        assert (done.code, done.err.count("referrer")) == (2, 1), done.err


@pytest.mark.parametrize(
    "words",
    [
        ("-q", "paths", LOG),
        ("--no-progress", "-q", "show", LOG, "--longest"),
        ("--json", "funnel", LOG, "--step", "purchase"),
    ],
)
def test_options_before_the_command_are_told_where_they_stand(words: tuple[str, ...], tmp_path: Path) -> None:
    said = sessionize(*words, cwd=tmp_path)
    assert (said.code, said.err.splitlines()[0]) == (2, f"error: {words[0]} stands before the command")
    typed = shlex.split(said.err.partition("hint: sessionize ")[2])
    assert sessionize(*typed, cwd=tmp_path).code == 0


def test_no_hint_holds_what_cannot_be_typed(tmp_path: Path) -> None:
    rows = "".join(f"s\t1,2024-05-01T10:0{n}:00Z,page-view,/x\u200b{n},spring\tsale\n" for n in range(2))
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,event_type,page,utm_source\n{rows}", encoding="utf-8")
    for command in (("summary", "--by", "utm_source"), ("paths",), ("show", "--longest"), ("summary", "--by", "page")):
        done = sessionize(command[0], "log.csv", *command[1:], cwd=tmp_path)
        hint = done.out.partition("next: sessionize ")[2].strip()
        assert "\\" not in hint, hint
        assert not hint or sessionize(*shlex.split(hint), cwd=tmp_path).code == 0, hint
