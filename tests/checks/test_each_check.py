"""Each check has a log that trips it and one that just does not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import sessionize
from sessionize.checks import CHECKS, OPTIONS, Checked, Finding, settings_of

HEADER = ("session_id", "user_id", "event_id", "timestamp", "event_type", "page")
START = datetime(2024, 5, 6, 9, 0, 7, tzinfo=UTC)
Row = tuple[str, ...]


def event(number: int, **changed: str) -> Row:
    """The events of a calm log: one every 61 seconds, two a session."""
    values = {
        "session_id": f"s{number // 2}",
        "user_id": f"u{number // 2}",
        "event_id": f"e{number}",
        "timestamp": at(61 * number),
        "event_type": "page",
        "page": "/",
    }
    return tuple((values | changed)[name] for name in HEADER)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def rows(count: int, changed: int, **values: str) -> list[Row]:
    """So many calm events, of which the last few are changed."""
    return [event(number, **(values if number >= count - changed else {})) for number in range(count)]


def written(folder: Path, lines: list[Row], header: Row = HEADER, name: str = "log.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(line) + "\n" for line in (header, *lines)))
    return path


def findings(inputs: Path, section: dict[str, Any], **config: Any) -> Checked:
    return sessionize.check(sessionize.Config(inputs=(str(inputs),), **config), settings_of(section, OPTIONS))


def found(checked: Checked, name: str) -> Finding:
    (finding,) = (each for each in checked.findings if each.check == name)
    return finding


class Case(NamedTuple):
    """A log, made of how much is wrong with it; and how much may be."""

    make: Callable[[int], list[Row]]
    allowed: int
    error: str
    options: Mapping[str, Any] = {}
    config: Mapping[str, Any] = {}


def steps(hours: int, seconds_at: Callable[[int], float], count: int) -> list[Row]:
    return [event(number, timestamp=at(hours * 3600 + seconds_at(number))) for number in range(count)]


def spread_sessions(longest: int) -> list[Row]:
    """Ten sessions of two events, so many of them an hour and a second long."""
    lines = []
    for number in range(10):
        begin = number * 100_000
        end = begin + (3601 if number < longest else 3600)
        lines += [event(2 * number, timestamp=at(begin)), event(2 * number + 1, timestamp=at(end))]
    return lines


def sized_sessions(large: int) -> list[Row]:
    """Ten sessions of three events, so many of them of four."""
    return [
        event(0, session_id=f"s{number}", event_id=f"e{number}-{place}", timestamp=at(number * 10 + place))
        for number in range(10)
        for place in range(4 if number < large else 3)
    ]


def singles(count: int) -> list[Row]:
    """Ten sessions, so many of them of one event; the others of two that are 11 s apart."""
    return [
        event(0, session_id=f"s{number}", event_id=f"e{number}-{place}", timestamp=at(number * 10 + 11 * place),
              event_type="click")
        for number in range(10)
        for place in range(1 if number < count else 2)
    ]  # fmt: skip


def hourly(empty: int) -> list[Row]:
    """Six days of 60 events an hour, but for some hours of the third."""
    gone = {2 * 24 + 5 + number for number in range(empty)}
    return [
        event(0, session_id=f"s{hour}", event_id=f"e{hour}-{place}", timestamp=at(hour * 3600 + place))
        for hour in range(6 * 24)
        if hour not in gone
        for place in range(60)
    ]


def daily(odd: int) -> list[Row]:
    """Fourteen days of 25 to 29 sessions, but for some in the middle that have five."""
    return [
        event(0, session_id=f"s{day}-{number}", event_id=f"e{day}-{number}", timestamp=at(day * 86_400 + number))
        for day in range(14)
        for number in range(5 if 5 <= day < 5 + odd else 25 + day % 5)
    ]


HALF = {"hours": 1}
CASES: dict[str, Case] = {
    "rows": Case(lambda n: rows(n, 0), 9, "9"),
    "empty-columns": Case(lambda n: rows(1000, 1000, **dict.fromkeys(("event_type", "page")[:n], "")), 1, "1"),
    "repeated-rows": Case(lambda n: [event(0, event_id=f"e{x}") for x in range(n + 1)] + rows(10, 0)[n + 1 :], 2, "20%"),
    "rejected": Case(lambda n: rows(10, n, timestamp=""), 2, "20%"),
    "malformed-row": Case(lambda n: [*rows(10 - n, 0), *[("a", "b")] * n], 2, "20%"),
    "null-timestamp": Case(lambda n: rows(10, n, timestamp=" "), 2, "20%"),
    "bad-timestamp": Case(lambda n: rows(10, n, timestamp="yesterday"), 2, "2"),
    "timestamp-out-of-range": Case(lambda n: rows(10, n, timestamp="0000-01-01T00:00:00Z"), 1, "1"),
    "id-too-long": Case(lambda n: rows(10, n, session_id="x" * 600), 3, "30%"),
    "no-session-key": Case(lambda n: rows(10, n, session_id="", user_id=" "), 3, "30%"),
    "null-session-ids": Case(lambda n: rows(10, n, session_id=" "), 5, "50%"),
    "null-profile-ids": Case(lambda n: rows(10, n, user_id=""), 1, "10%"),
    "null-event-ids": Case(lambda n: rows(10, n, event_id=""), 1, "1"),
    "duplicates": Case(lambda n: [event(0)] * (n + 1) + rows(10, 0)[n + 1 :], 2, "20%"),
    "out-of-order": Case(lambda n: [event(x, timestamp=at(-x)) for x in range(n + 1)] + rows(10, 0)[n + 1 :], 4, "40%"),
    "future-timestamps": Case(lambda n: rows(10, n, timestamp="2024-05-06T10:00:00.000001Z"), 0, "0",
                              config={"until": datetime(2024, 5, 6, 10, tzinfo=UTC)}),
    "ancient-timestamps": Case(lambda n: rows(10, n, timestamp="2024-05-05T23:59:59.999999Z"), 1, "10%",
                               {"before": "2024-05-06"}),
    "midnight": Case(lambda n: rows(10, n, timestamp="2024-05-07T00:00:00"), 5, "50%"),
    "one-second": Case(lambda n: [event(x, timestamp=f"2024-05-{10 + x}T03:15:00.{x}Z") if x < n else event(x)
                                  for x in range(10)], 4, "40%"),
    "one-minute": Case(lambda n: [event(x, timestamp=f"2024-05-07T{x:02}:{5 if x < n else 10 + x:02}:0{x}Z") for x in range(10)], 5, "50%"),
    "whole-minutes": Case(lambda n: rows(10, n, timestamp="2024-05-07T11:31:00.5"), 5, "50%"),
    "session-id-share": Case(lambda n: rows(10, n, session_id="NA"), 4, "40%"),
    "profile-id-share": Case(lambda n: [event(2 * x, user_id="NA" if x < n else f"u{x}") for x in range(10)], 4,
                             "40%"),
    "session-id-profiles": Case(lambda n: [event(2 * x, session_id="NA" if x < n else f"s{x}") for x in range(10)], 4,
                                "40%"),
    "long-sessions": Case(spread_sessions, 2, "20%", HALF, {"rules": sessionize.Rules(timeout=None)}),
    "large-sessions": Case(sized_sessions, 3, "30%", {"events": 3}),
    "bounce-rate": Case(singles, 6, "10%..60%"),
    "engagement-rate": Case(lambda n: singles(10 - n), 6, "..60%"),
    "conversion-rate": Case(lambda n: rows(20, 2 * n, event_type="purchase"), 3, "30%"),
    "moved-events": Case(
        lambda n: [event(0, event_id="e", timestamp=at(x)) for x in range(n + 1)] + rows(10, 0)[n + 1 :], 2, "20%"
    ),
    "null-words": Case(lambda n: rows(10, n, user_id="NULL"), 2, "20%"),
    "sessions-per-day": Case(daily, 1, "1", config={"columns": {"session_id": "session_id"}}),
    "hours-without-events": Case(hourly, 2, "2"),
    "unknown-event-types": Case(lambda n: rows(10, n, event_type="Page"), 2, "20%", {"known": ["page"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_check_fails_one_beyond_its_bound_and_not_at_it(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    for wrong, status in ((case.allowed, "passed"), (case.allowed + 1, "failed")):
        section = {name: {"warn": "none", "error": case.error, **case.options}}
        finding = found(findings(written(tmp_path, case.make(wrong)), section, **case.config), name)
        assert (finding.status, finding.number) == (status, wrong), finding.said


def test_every_check_is_tried() -> None:
    elsewhere = {
        "bad-encoding",
        "passive-alone",
        "missing-days",
        "missing-columns",
        "new-columns",
        "unread-files",
        "unreadable-values",
    }
    assert {check.name for check in CHECKS} == set(CASES) | elsewhere


def test_a_rate_fails_below_its_range_too(tmp_path: Path) -> None:
    log = written(tmp_path, singles(1))
    for error, status in (("10%..60%", "passed"), ("10.1%..60%", "failed")):
        assert found(findings(log, {"bounce-rate": {"error": error}}), "bounce-rate").status == status


def test_bytes_that_are_no_utf8_are_counted(tmp_path: Path) -> None:
    log = written(tmp_path, rows(10, 0))
    log.write_bytes(log.read_bytes().replace(b"/\n", b"/\xff\n", 2))
    for error, status in (("2", "passed"), ("1", "failed")):
        finding = found(findings(log, {"bad-encoding": {"error": error}}), "bad-encoding")
        assert (finding.status, finding.number) == (status, 2)


@pytest.mark.parametrize(
    ("names", "days"),
    [
        (["day=2024-05-06", "day=2024-05-07", "day=2024-05-08"], 0),
        (["day=2024-05-06", "day=2024-05-08"], 1),
        (["dt=20240506", "dt=20240510"], 3),
        (["year=2024/month=5/day=6", "year=2024/month=5/day=8"], 1),
        (["shop=1", "shop=3"], None),
    ],
)
def test_missing_days_are_those_that_no_folder_is_named_for(names: list[str], days: int | None, tmp_path: Path) -> None:
    for name in names:
        written(tmp_path / "logs", rows(4, 0), name=f"{name}/a.csv")
    finding = found(findings(tmp_path / "logs", {}), "missing-days")
    assert finding.number == days
    assert finding.status == ("not measured" if days is None else "failed" if days else "passed")


def test_files_that_are_passed_over_are_a_warning_but_for_markers(tmp_path: Path) -> None:
    written(tmp_path / "logs", rows(4, 0), name="00.csv")
    (tmp_path / "logs" / "_SUCCESS").touch()
    assert found(findings(tmp_path / "logs", {}), "unread-files").status == "passed"
    (tmp_path / "logs" / "01.csv").touch()
    (tmp_path / "logs" / "notes.md").write_text("what is here\n")
    finding = found(findings(tmp_path / "logs", {}), "unread-files")
    assert (finding.status, finding.number) == ("warned", 2)
    assert [example.text for example in finding.examples] == [
        f"{tmp_path}/logs/notes.md: .md is no log's ending", f"{tmp_path}/logs/01.csv: empty"
    ]  # fmt: skip


def test_a_column_that_is_gone_is_an_error_and_a_new_one_a_warning(tmp_path: Path) -> None:
    log = written(tmp_path, rows(4, 0))
    saved = dict.fromkeys(HEADER, "String")
    for schema, status in (
        (saved, ("passed", "passed")),
        (saved | {"country": "String"}, ("failed", "passed")),
        (saved | {"page": "Int64"}, ("failed", "passed")),
        ({name: saved[name] for name in HEADER[:-1]}, ("passed", "warned")),
    ):
        checked = findings(log, {"schema": schema})
        assert tuple(found(checked, name).status for name in ("missing-columns", "new-columns")) == status


def test_without_until_the_future_begins_a_day_after_the_newest_file(tmp_path: Path) -> None:
    log = written(tmp_path, [event(0, timestamp="2024-05-08T00:00:00Z"), event(1, timestamp="2024-05-08T00:00:01Z")])
    os.utime(log, (0, datetime(2024, 5, 7, tzinfo=UTC).timestamp()))
    finding = found(findings(log, {}), "future-timestamps")
    assert (finding.status, finding.number) == ("failed", 1)
    assert [(example.file, example.row) for example in finding.examples] == [(str(log), 3)]


def test_midnight_is_that_of_the_time_zone(tmp_path: Path) -> None:
    winter_and_summer = ["2024-01-09T23:00:00Z", "2024-05-09T22:00:00Z", "2024-05-10T00:00:00Z"]
    log = written(tmp_path, [event(number, timestamp=time) for number, time in enumerate(winter_and_summer)])
    for zone, midnights in (("UTC", 1), ("Europe/Berlin", 2), ("Asia/Kathmandu", 0)):
        assert found(findings(log, {"midnight": {"error": "100%"}}, timezone=zone), "midnight").number == midnights


def test_examples_name_the_line_of_each_row(tmp_path: Path) -> None:
    lines = [*rows(10, 2, timestamp="x"), event(3), event(3)]
    log = written(tmp_path, lines)
    section = {"rejected": {"error": 0}, "duplicates": {"error": 0}, "examples": 5}
    checked = findings(log, section)
    assert [each.place for each in found(checked, "rejected").examples] == [f"{log}:10", f"{log}:11"]
    assert [each.place for each in found(checked, "duplicates").examples] == [f"{log}:12", f"{log}:13"]
    (example,) = found(findings(log, section | {"examples": 1}), "rejected").examples
    assert example.row == 10


def test_a_check_can_be_switched_off(tmp_path: Path) -> None:
    checked = findings(written(tmp_path, rows(4, 0)), {"midnight": False})
    assert "midnight" not in {each.check for each in checked.findings}


def test_a_share_of_few_says_nothing_unless_a_bound_was_given(tmp_path: Path) -> None:
    log = written(tmp_path, rows(10, 10, timestamp="2024-05-07T00:00:00"))
    assert found(findings(log, {}), "midnight").status == "not measured"
    assert found(findings(log, {"midnight": {"error": "50%"}}), "midnight").status == "failed"


def test_a_log_without_rows_is_checked_too(tmp_path: Path) -> None:
    log = written(tmp_path, rows(3, 3, timestamp="x"))
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    checked = findings(log, {})
    assert checked.of("failed") == ()
    assert checked.counts["events"] == 0


@pytest.mark.parametrize(("same", "status"), [(12, "passed"), (13, "warned")])
def test_an_id_used_as_a_constant_is_a_warning_in_a_small_log_too(same: int, status: str, tmp_path: Path) -> None:
    log = written(tmp_path, rows(20, same, session_id="NA", user_id="NA"))
    checked = findings(log, {})
    assert [found(checked, name).status for name in ("session-id-share", "profile-id-share")] == [status, status]


def test_a_log_in_which_no_session_id_has_two_events_has_one_all_the_same(tmp_path: Path) -> None:
    log = written(tmp_path, [event(number, session_id=f"s{number}") for number in range(5)])
    share = found(findings(log, {"session-id-share": {"error": "10%"}}), "session-id-share")
    said = "no session_id has so many events that it could be a constant"
    assert (share.status, share.number, share.base, share.said) == ("passed", 0, 5, said)
    log = written(tmp_path, [event(number)[1:] for number in range(5)], HEADER[1:], "without.csv")
    without = found(findings(log, {}), "session-id-share")
    assert (without.number, without.said) == (None, "the log has no session_id")


def test_a_session_id_that_all_of_three_profiles_share_is_a_warning(tmp_path: Path) -> None:
    checked = findings(written(tmp_path, [event(2 * x, session_id="1.71706E+12") for x in range(3)]), {})
    assert found(checked, "session-id-profiles").status == "warned"


def test_amounts_that_are_no_numbers_are_a_warning_with_the_first_of_them(tmp_path: Path) -> None:
    lines = [(*event(number), amount) for number, amount in enumerate(["1.5", "", "free", "gratis"])]
    log = written(tmp_path, lines, header=(*HEADER, "value"))
    finding = found(findings(log, {}), "unreadable-values")
    assert (finding.status, finding.number) == ("warned", 2)
    assert [(each.text, each.row) for each in finding.examples] == [("amount 'free'", 4)]
