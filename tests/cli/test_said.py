"""What is said of a run that went well but should be looked at, also to those who asked for quiet."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from console import DOCUMENTS, ROOT, sessionize

from sessionize.cli.main import _run
from sessionize.limits import Limits

TYPES = ("view", "view", "Add To Cart", "view", "sign-up")
LOG = "user_id,time,event_type,referrer\n" + "".join(
    f"u{number % 2},2024-05-30T07:{number:02}:00Z,{name},https://www.news.example/a\n"
    for number, name in enumerate(TYPES)
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text(LOG)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    """Lines on stderr of a command that ends with a code."""
    capsys.readouterr()
    assert _run([*arguments]) == code
    return [line.strip() for line in capsys.readouterr().err.splitlines()]


ABSENT = {
    "--conversion add_to_cart": "no event has this type; did you mean 'Add To Cart'?",
    "--conversion buy": "no event has this type; there are 'view', 'Add To Cart', 'sign-up'",
    "--page-view views": "no event has this type; did you mean 'view'?",
    "--end-event signup": "no event has this type; did you mean 'sign-up'?",
    "--start-event log-in": "no event has this type; there are 'view', 'Add To Cart', 'sign-up'",
}


@pytest.mark.parametrize(("option", "told"), ABSENT.items())
@pytest.mark.parametrize("way", ["in memory", "in files", "too many kinds", "check"])
def test_a_name_that_never_occurs_is_said_with_the_nearest_that_does(
    way: str, option: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Limits(
        event_bytes=1, rows=2, few_texts=0 if way == "too many kinds" else 10, dictionary_share=0, partitions=(2, 2)
    )
    if way in ("in files", "too many kinds"):
        monkeypatch.setattr(Limits, "of", lambda _: small)
    told = "no event has this type" if way == "too many kinds" else told
    command = ("check", "log.csv", "--exit-zero") if way == "check" else ("run", "log.csv", "-o", "out")
    assert said(capsys, *command, *option.split(), "-q") == [f"note  {option}: {told}"]
    if way != "check":
        assert json.loads(Path("out/manifest.json").read_text())["notes"] == [f"{option}: {told}"]


def test_a_name_that_occurs_is_not_said_be_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--conversion", "--page-view", "--end-event", "--start-event"):
        assert said(capsys, "run", "log.csv", "-o", "out", option, "sign-up", "-q") == []
    assert json.loads(Path("out/manifest.json").read_text())["notes"] == []


def test_names_are_said_of_a_log_without_event_types(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log.csv").write_text("user_id,time\nu1,2024-05-30T07:00:00Z\n")
    told = "the log has no event types; --event-type COLUMN says which column has them"
    assert said(capsys, "run", "log.csv", "-o", "out", "--conversion", "buy", "-q") == [
        f"note  --conversion buy: {told}"
    ]


@pytest.mark.slow
def test_an_own_host_that_no_referrer_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    run = ("run", "log.csv", "-o", "out", "--channels", "-q", "--own-host")
    assert said(capsys, *run, "News.example") == said(capsys, *run, "example") == []
    told = "no referrer has this host; did you mean news.example?"
    assert said(capsys, *run, "new.example") == [f"note  --own-host new.example: {told}"]
    run = ("run", "log.csv", "-o", "out", "-q", "--own-host", "news.example")
    assert said(capsys, *run) == ["note  --own-host news.example is not used: only --channels asks for hosts"]


def test_names_that_a_preset_brings_are_not_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ours.toml").write_text('title = "ours"\n[options]\nconversion = ["buy"]\npage-view = "see"\n')
    assert said(capsys, "run", "log.csv", "-o", "out", "--preset", "ours.toml", "-q") == []


def test_where_no_usual_conversion_occurs_the_event_types_are_shown_in_place_of_a_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = said(capsys, "run", "log.csv", "-o", "out")
    assert "rates  bounce 0.0%, engaged 100.0%, conversion none: no event type is one" in lines
    assert "types  view 3, Add To Cart 1, sign-up 1; --conversion NAME says which is a conversion" in lines
    lines = said(capsys, "run", "log.csv", "-o", "out", "--conversion", "sign-up")
    assert "rates  bounce 0.0%, engaged 100.0%, conversion 50.0%" in lines
    Path("log.csv").write_text(LOG.replace("sign-up", "Purchase"))
    lines = said(capsys, "run", "log.csv", "-o", "out")
    assert "rates  bounce 0.0%, engaged 100.0%, conversion 50.0%" in lines


@pytest.mark.slow
def test_of_nights_a_name_is_said_until_it_has_occurred(capsys: pytest.CaptureFixture[str]) -> None:
    def night(day: int, name: str) -> list[str]:
        Path("night.csv").write_text(f"user_id,time,event_type\nu1,2024-05-{day}T07:00:00Z,{name}\n")
        command = ("run", "night.csv", "-o", "out", "--state", "state", "--batch", f"2024-05-{day}")
        return said(capsys, *command, "--conversion", "sold", "-q")

    assert night(27, "view") == ["note  --conversion sold: no event has this type; there are 'view'"]
    assert night(28, "view") != []
    assert night(29, "sold") == []
    assert night(30, "view") == []


def test_a_rejected_share_over_5_percent_is_said_even_if_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    good = "".join(f"u1,2024-05-30T07:{minute:02}:00Z\n" for minute in range(19))
    Path("log.csv").write_text(f"user_id,time\n{good}u1,never\n")
    assert said(capsys, "run", "log.csv", "-o", "out", "-q") == []
    Path("log.csv").write_text(f"user_id,time\n{good}u1,never\nu1,never\n")
    assert said(capsys, "run", "log.csv", "-o", "out", "-q") == ["rejected  2 rows (9.52%): 2 bad_timestamp"]


def test_the_configuration_file_and_the_rules_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sessionize.toml").write_text('timeout = "45m"\nend-event = "sign-up"\nformat = "ndjson"\n')
    config, rules = f"config  {Path.cwd()}/sessionize.toml", "rules  timeout 45 min, ended by sign-up"
    assert {config, rules} <= {*said(capsys, "run", "log.csv", "-o", "out")}
    for log in ("log.csv", "out"):
        assert said(capsys, "check", log, "--exit-zero") == []
        assert _run(["check", log, "--exit-zero"]) == 0
        assert capsys.readouterr().out.startswith(f"{config}\n{rules}\n")


@pytest.mark.parametrize("size", ["2", "1MB", "127MB"])
def test_a_memory_limit_that_the_program_alone_takes_is_exit_2(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "run", "log.csv", "-o", "out", "--memory-limit", size, code=2)
    assert lines[0] == f"error: --memory-limit {size}: the program alone takes 128 MB"
    assert ("did you mean --memory-limit 2GB?" in lines[1]) == (size == "2")
    assert said(capsys, "run", "log.csv", "-o", "out", "--memory-limit", "128MB", "-q") == []


def test_a_timeout_of_nothing_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("run", "log.csv", "-o", "out"), ("check", "log.csv")):
        for text in ("0m", "0ms", "0h0m"):
            lines = said(capsys, *command, "--timeout", text, code=2)
            assert "--timeout none switches the rule off" in lines[1]


@pytest.mark.parametrize("form", ["parquet", "json", "csv"])
def test_a_format_that_stdout_does_not_have_is_exit_2(form: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(["run", "log.csv", "-o", "-", "--format", form]) == 2
    assert _run(["run", "log.csv", "-o", "-", "--format", "ndjson", "-q"]) == 0
    Path("sessionize.toml").write_text(f'format = "{form}"\n')  # of runs that write files
    assert _run(["run", "log.csv", "-o", "-", "-q"]) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 4


def test_a_damaged_parquet_file_is_named_by_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    Path("logs").mkdir()
    for name in ("a", "b"):
        rows = pl.DataFrame(
            {"user_id": [f"u{row}" for row in range(9_000)], "time": [1_717_000_000 + row for row in range(9_000)]}
        )
        rows.write_parquet(f"logs/{name}.parquet", statistics=False)
    content = bytearray(Path("logs/b.parquet").read_bytes())
    content[4:2_000] = b"\xff" * 1_996
    Path("logs/b.parquet").write_bytes(content)
    for command in (("run", "logs", "-o", "out"), ("check", "logs")):
        lines = said(capsys, *command, "-q", code=3)
        assert "logs/b.parquet" in lines[0]


@pytest.mark.parametrize(("minutes", "notes"), [(24 * 60, 0), (24 * 60 + 1, 1)])
def test_a_session_that_is_carried_for_over_a_day_is_told_of(
    minutes: int, notes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    start = datetime(2024, 5, 30, tzinfo=UTC)
    times = (start + timedelta(minutes=minute) for minute in range(0, minutes, 20))
    Path("log.csv").write_text("user_id,time\n" + "".join(f"crawler,{time.isoformat()}\n" for time in times))
    night = ("run", "log.csv", "-o", "out", "--state", "state", "--batch", "first", "--redo", "--until")
    note = "note  a session is open since 2024-05-30T00:00:00.000000Z: --max-duration 24h would end it (a crawler?)"
    lines = said(capsys, *night, (start + timedelta(minutes=minutes)).isoformat())
    assert lines.count(note) == notes
    ended = said(capsys, *night, (start + timedelta(minutes=minutes)).isoformat(), "--max-duration", "23h")
    assert [line for line in ended if "crawler" in line] == []


def test_a_bug_says_where_to_report_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no")

    monkeypatch.setattr("sessionize.one_shot.run", broken)
    lines = said(capsys, "run", "log.csv", "-o", "out", code=70)
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert lines[0] == "error: unforeseen ZeroDivisionError: no"
    assert urls["Issues"] in lines[1]
    assert urls["Issues"] in DOCUMENTS


def test_what_is_always_typed_cannot_stand_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sessionize.toml").write_text('output = "out"\n')
    for command in (("run", "log.csv", "-o", "out"), ("check", "log.csv")):
        lines = said(capsys, *command, code=2)
        assert lines == [
            f"error: {Path.cwd()}/sessionize.toml: output cannot stand in a file",
            "hint: type it: --output",
        ]


def test_a_state_in_a_store_is_told_to_be_copied_here_before_it_is_looked_at(tmp_path: Path) -> None:
    code, _, said = sessionize("state", "s3://b/st", cwd=tmp_path)
    assert code == 2
    assert "aws s3 sync s3://b/st STATE, and then sessionize state STATE" in said
