"""What `sessionize timeout` says of a timeout: one verdict, and no advice that its own table contradicts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

NINE = datetime(2024, 5, 6, 9, tzinfo=UTC)


def log_of(silences: list[float], folder: Path, *, key: str = "u") -> str:
    """A log of one key with these silences, in minutes."""
    times = [NINE]
    for minutes in silences:
        times.append(times[-1] + timedelta(minutes=minutes))
    rows = "\n".join(f"{key},{time.isoformat()}" for time in times)
    (folder / "log.csv").write_text(f"user_id,timestamp\n{rows}\n", encoding="utf-8")
    return "log.csv"


def said(log: str, *typed: str, cwd: Path) -> str:
    done = sessionize("timeout", log, *typed, cwd=cwd)
    assert done.code == 0, done.err
    return done.out


def test_few_silences_are_too_few_to_say_and_equal_rows_are_one(tmp_path: Path) -> None:
    found = said(log_of([1.5] * 20, tmp_path), "--timeout", "5m", cwd=tmp_path)
    assert "Too few silences to say which timeout is right: 20; it takes 100." in found
    found = said(log_of([0.1] * 20, tmp_path), cwd=tmp_path)
    assert "1 sessions at every timeout from 1 min to 2 h\n" in found
    assert "%" not in found
    assert found.splitlines()[-1] == "next: sessionize summary log.csv"


def test_a_timeout_on_the_plateau_is_as_good_as_any_there(tmp_path: Path) -> None:
    log = log_of([0.5] * 150 + [500.0] * 20, tmp_path)
    assert "Yes: 30 min is as good as any from 1 min to 2 h here" in " ".join(said(log, cwd=tmp_path).split())


def test_a_timeout_beside_the_plateau_is_not_and_the_hint_names_one_that_differs(tmp_path: Path) -> None:
    log = log_of([3.0, 500.0] * 80, tmp_path)
    found = said(log, "--timeout", "1m", cwd=tmp_path)
    assert "No: any timeout from 5 min to 2 h gives the same sessions to 1 %" in " ".join(found.split())
    assert found.splitlines()[-1] == "next: sessionize summary log.csv --timeout 5m"


def test_where_there_is_no_break_it_says_so(tmp_path: Path) -> None:
    log = log_of([1.0, 3.0, 7.0, 12.0, 17.0, 25.0, 40.0, 50.0, 80.0, 110.0, 300.0] * 20, tmp_path)
    found = " ".join(said(log, cwd=tmp_path).split())
    assert "No: there is no natural break" in found
    assert "30 min is a convention, to be stated beside the figures." in found


def test_a_clock_that_is_cut_to_a_minute_of_the_hour_cannot_say(tmp_path: Path) -> None:
    log = log_of([60.0, 120.0] * 60, tmp_path)
    assert "The log cannot say: every event is at minute 0 of its hour" in said(log, cwd=tmp_path)
    assert json.loads(said(log, "--json", cwd=tmp_path))["one_minute"] == 0
    assert "every session starts and ends at minute 0 of an hour" in " ".join(
        sessionize("summary", log, cwd=tmp_path).out.split()
    )
    assert json.loads(said(str(SAMPLE / "events.csv"), "--json", cwd=tmp_path))["one_minute"] is None


@pytest.mark.parametrize("typed", [(), ("--timeout", "1h"), ("--timeout", "none"), ("--timeout", "2m")])
def test_there_is_one_verdict_whatever_the_timeout(typed: tuple[str, ...], tmp_path: Path) -> None:
    found = " ".join(said(str(SAMPLE / "events.csv"), *typed, cwd=tmp_path).split())
    assert ("Yes: " in found) != ("No: " in found)
    assert "no plateau" not in found
