"""What is typed, or written in a configuration, and cannot be meant."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import polars as pl
import pytest
from console import SAMPLE, sessionize

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
