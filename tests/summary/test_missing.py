"""A day without a session is a row of a table over time, as it is a gap in a chart."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from console import sessionize
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize.summary.missing import LONGEST, filled

TIMES = {
    "day": (["2024-05-27", "2024-05-29"], ["2024-05-27", "2024-05-28", "2024-05-29"]),
    "week": (["2024-12-23", "2025-01-08"], ["2024-W52", "2025-W01", "2025-W02"]),
    "month": (["2023-11-30", "2024-01-31"], ["2023-11", "2023-12", "2024-01"]),
}


def write(folder: Path, days: list[str]) -> None:
    rows = "".join(f"u{number},{day}T10:00:00Z,cart\n" for number, day in enumerate(days))
    (folder / "log.csv").write_text(f"user_id,timestamp,event_type\n{rows}")


def answered(folder: Path, *typed: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sessionize(*typed, "--json", cwd=folder).out)
    return found


@pytest.mark.parametrize("unit", TIMES)
def test_what_no_session_starts_in_is_a_group_of_none(unit: str, tmp_path: Path) -> None:
    days, names = TIMES[unit]
    write(tmp_path, days)
    groups = answered(tmp_path, "summary", "log.csv", "--by", unit)["groups"]
    assert [group["name"] for group in groups] == names
    empty = groups[1]
    assert (empty["sessions"], empty["profiles"], empty["events"], empty["share"]) == (0, 0, 0, 0.0)
    assert (empty["bounce_rate"], empty["conversion_rate"], empty["duration_s"]["median"]) == (None, None, None)
    assert empty.keys() == groups[0].keys()
    rows = csv.DictReader(StringIO(sessionize("log.csv", "--by", unit, "--csv", cwd=tmp_path).out))
    assert [(row["name"], row["sessions"]) for row in rows] == list(zip(names, ["1", "0", "1"], strict=True))
    screen = sessionize("log.csv", "--by", unit, cwd=tmp_path).out.splitlines()
    assert [line.split()[0] for line in screen if line.startswith("20")] == names
    steps = answered(tmp_path, "funnel", "log.csv", "--step", "cart", "--by", unit)["groups"]
    assert [(group["name"], group["sessions"]) for group in steps] == list(zip(names, [1, 0, 1], strict=True))


def test_the_sessions_of_each_day_have_the_days_without_any(tmp_path: Path) -> None:
    write(tmp_path, TIMES["day"][0])
    rows = answered(tmp_path, "summary", "log.csv")["per_day"]
    assert [(row["day"], row["sessions"]) for row in rows] == list(zip(TIMES["day"][1], [1, 0, 1], strict=True))


def test_days_without_sessions_are_no_groups_that_are_counted_together(tmp_path: Path) -> None:
    write(tmp_path, TIMES["day"][0])
    assert "(other)" not in sessionize("log.csv", "--by", "day", "--csv", "--min", "1", cwd=tmp_path).out


def test_a_stray_clock_makes_no_thousands_of_rows(tmp_path: Path) -> None:
    write(tmp_path, ["1970-01-01", "2024-05-27", "9999-12-31"])
    assert len(answered(tmp_path, "summary", "log.csv", "--by", "day")["groups"]) == 3


@given(st.dates(max_value=date(9990, 1, 1)), st.sets(st.integers(0, 1000), min_size=1, max_size=9))
@example(date(999, 12, 30), {0, 5})
def test_between_two_days_lie_all_or_none(first: date, later: set[int]) -> None:
    days = [first + timedelta(days=number) for number in sorted(later)]
    names = [day.isoformat() for day in days]
    found = filled(names, "day")
    assert set(names) <= set(found)
    assert found == sorted(set(found))
    for before, after in pairwise(days):
        between = [name for name in found if before.isoformat() < name < after.isoformat()]
        apart = (after - before).days - 1
        assert len(between) == (apart if apart <= LONGEST else 0)


def test_names_that_are_no_dates_have_nothing_between_them() -> None:
    assert filled(["a", "b"], "day") == ["a", "b"]
    assert filled(["08", "11"], "hour") == ["08", "11"]
