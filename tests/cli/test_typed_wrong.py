"""What is typed, or written in a configuration, and cannot be meant."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import polars as pl
import pytest
from console import SAMPLE, sessionize, sessionize_process

from sessionize import sessionize as sessionize_call
from sessionize.api import sessionize as sessions_of
from sessionize.cli import parse
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.plan import checks

CSV = SAMPLE / "events.csv"

TYPED = {
    "a duration beyond all time": ("--timeout", "99999999999d"),
    "a duration too long for a number": ("--timeout", "9" * 5000 + "s"),
    "a time before all time": ("--until", "0001-01-01T00:00:00+14:00"),
    "a zone only one of two lists has": ("--timezone", "localtime"),
    "two things on stdout": ("-o", "-", "--json"),
    "a format that stdout has not": ("-o", "-", "--format", "csv"),
    "events that stdout has not": ("-o", "-", "--events"),
    "an output without a name": ("-o", ""),
    "an output whose name is no text": ("-o", os.fsdecode(b"o\xe9")),
}


@pytest.mark.parametrize("options", TYPED.values(), ids=TYPED.keys())
def test_what_cannot_be_meant_is_exit_2_and_writes_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = sessionize("run", CSV, "-o", "out", *options, cwd=tmp_path)
    assert (done.code, done.out) == (2, ""), done.err
    assert "unforeseen" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ['split-at-midnight = "false"', 'quiet = "no"', "events = 1", 'inputs = ["log.csv"]',
                                  'output = "out"', "debug = true"])  # fmt: skip
def test_a_configuration_that_would_not_be_followed_is_exit_2(tmp_path: Path, line: str) -> None:
    (tmp_path / "sessionize.toml").write_text(line + "\n")
    done = sessionize("run", CSV, "-o", "out", cwd=tmp_path)
    assert (done.code, line.split(" ", maxsplit=1)[0] in done.err) == (2, True), done.err


def test_utc_needs_no_list_of_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(checks, "ZoneInfo", none_here)
    monkeypatch.setattr(parse, "ZoneInfo", none_here)
    log = pl.DataFrame({"session_id": ["a"], "ts": ["2024-05-30"]})
    assert sessions_of(log, Config()).counts.sessions == 1
    assert parse.moment("2024-05-31", "UTC", "--until") == datetime(2024, 5, 31, tzinfo=UTC)
    with pytest.raises(UsageError):
        sessions_of(log, Config(timezone="Europe/Berlin"))


EMPTY = (
    "hash-ids",
    "rules",
    "until",
    "max-duration",
    "page",
    "event-type",
    "state",
    "memory-limit",
    "conversion",
    "timeout",
)


@pytest.mark.parametrize("option", EMPTY)
def test_an_option_without_a_value_is_refused_typed_written_down_or_in_python(option: str, tmp_path: Path) -> None:
    said = sessionize("run", CSV, "-o", "out", f"--{option}", "", cwd=tmp_path)
    assert (said.code, said.err.splitlines()[0]) == (2, f"error: --{option} is empty")
    (tmp_path / "c.toml").write_text(f'{option} = ""\n')
    said = sessionize("run", CSV, "-o", "out", "--config", "c.toml", cwd=tmp_path)
    durations = f"error: c.toml: {option} '' is no duration"
    assert (said.code, said.err.splitlines()[0] in {f"error: --{option} is empty", durations}) == (2, True)
    call: Callable[..., object] = sessionize_call
    if option != "state":
        with pytest.raises(UsageError, match="is empty"):
            call(CSV, **{option.replace("-", "_"): ""})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ['timeout = "5m"', '[check]\nrows = { error = "1.." }'])
def test_a_configuration_may_come_through_a_pipe_which_is_read_once(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(text)
    for command in (("check", CSV), ("summary", CSV), ("run", CSV, "-o", "-", "--check", "--no-sessions")):
        files = sessionize_process(*command, "--config", "c.toml", cwd=tmp_path)
        piped = sessionize_process(*command, "--config", "/dev/stdin", cwd=tmp_path, stdin=text.encode())
        assert (piped.code, (piped.out + piped.err).replace("/dev/stdin", "c.toml")) == (0, files.out + files.err)
        assert "5 min" in files.out + files.err or "timeout" not in text


NO_FILES = [
    (("check", "--report", "junit=-"), "junit=/dev/stdout", "--report - names no file"),
    (("run", "-o", "out", "--summary-file", "-"), "/dev/stdout", "--summary-file - names no file"),
    (("run", "-o", "out", "--metrics-file", "-"), "/dev/stdout", "--metrics-file - names no file"),
    (("report", "-o", "may.pdf"), "may.html", "a report is a page of HTML, or Markdown"),
]


@pytest.mark.parametrize(
    ("words", "instead", "said"), NO_FILES, ids=[words[-2] + words[-1] for words, _, _ in NO_FILES]
)
def test_a_file_that_would_not_be_what_its_name_says_is_refused_with_what_to_type(
    words: tuple[str, ...], instead: str, said: str, tmp_path: Path
) -> None:
    done = sessionize(*words, CSV, cwd=tmp_path)
    assert (done.code, said in done.err, instead.removeprefix("junit=") in done.err) == (2, True, True), done.err
    assert list(tmp_path.iterdir()) == []
    assert sessionize_process(*words[:-1], instead, CSV, cwd=tmp_path).code == 0


@pytest.mark.parametrize("option", ["--property", "--trait"])
def test_a_column_that_is_not_there_is_told_with_the_option_it_was_typed_after(option: str, tmp_path: Path) -> None:
    done = sessionize("run", CSV, "-o", "out", option, "contry", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[0]) == (2, f"error: {option}: the log has no column 'contry'")


@pytest.mark.parametrize("sign", [",", "\t", "|"])
def test_a_delimiter_that_is_not_the_logs_is_told_with_the_one_that_seems_to_be(sign: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(
        sign.join(["user_id", "time", "page"]) + "\n" + sign.join(["u", "2024-05-30", "/"])
    )
    typed = sign.replace("\t", "\\t")
    done = sessionize("summary", "log.txt", "--delimiter", ";", cwd=tmp_path)
    assert (done.code, f"--delimiter '{typed}'" in done.err) == (2, True), done.err
    assert sessionize("summary", "log.txt", "--delimiter", typed, cwd=tmp_path).code == 0
