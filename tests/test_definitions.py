"""Other systems' definitions: each cuts a table made by hand where its neighbour does not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from console import sessionize

from sessionize import definitions

DAY = "2024-05-30"
HOURS = {
    "a gap of exactly 30:00": ["10:00:00", "10:30:00"],
    "a gap of 30:00.5": ["10:00:00", "10:30:00.5"],
    "a gap of 30:59": ["10:00:00", "10:30:59"],
    "a gap of 31:00": ["10:00:00", "10:31:00"],
    "a gap of 5:01": ["10:00:00", "10:05:01"],
    "a gap of 15:01": ["10:00:00", "10:15:01"],
    "a gap of 60:00": ["10:00:00", "11:00:00"],
    "30:01 in two gaps": ["10:00:00", "10:15:00", "10:30:01"],
    "midnight": ["23:55:00", "24:05:00"],
    "4 h and a second": [f"{h:02}:{m:02}:00" for h in range(8, 12) for m in range(0, 60, 10)] + ["12:00:01"],
    "12 h and a second": [f"{h:02}:{m:02}:00" for h in range(8, 20) for m in range(0, 60, 10)] + ["20:00:01"],
    "100 hits in 100 s then one": [f"10:01:{n / 2:06.3f}" for n in range(100)] + ["10:01:50"],
    "100 hits in 100 s then one later": [f"10:00:{n / 2:06.3f}" for n in range(100)] + ["10:01:40.001"],
}
"""What a visitor does → the times of it."""
SPLIT_BY = {
    "a gap of exactly 30:00": {"ua", "matomo", "otel-android", "datadog", "amplitude-mobile"},
    "a gap of 30:00.5": set(definitions.names()) - {"plausible", "awstats", "goaccess"},
    "a gap of 30:59": set(definitions.names()) - {"plausible", "awstats", "goaccess"},
    "a gap of 31:00": set(definitions.names()) - {"awstats", "goaccess"},
    "a gap of 5:01": {"amplitude-mobile"},
    "a gap of 15:01": {"amplitude-mobile", "otel-android", "datadog"},
    "a gap of 60:00": set(definitions.names()) - {"awstats", "goaccess"},
    "midnight": {"ua", "matomo", "mixpanel", "goaccess", "amplitude-mobile"},
    "30:01 in two gaps": {"umami", "amplitude-mobile", "datadog", "otel-android"},
    "4 h and a second": {"umami", "amplitude-mobile", "otel-web", "honeycomb", "otel-android", "datadog", "hotjar"},
    "12 h and a second": {
        "umami", "amplitude-mobile", "otel-web", "honeycomb", "otel-android", "datadog", "hotjar", "adobe",
    },
    "100 hits in 100 s then one": {"adobe"},
    "100 hits in 100 s then one later": set(),
}  # fmt: skip
"""The definitions by which that is more than one session."""
CAMPAIGNS = {
    "appears": ["/a", "/b?utm_source=x&utm_campaign=c"],
    "repeats": ["/a?utm_source=x&utm_campaign=c", "/b", "/a?utm_source=x&utm_campaign=c"],
    "changes": ["/a?utm_source=x&utm_campaign=c", "/b?utm_source=x&utm_campaign=d"],
    "changes its source": ["/a?utm_source=x&utm_campaign=c", "/b?utm_source=y&utm_campaign=c"],
    "is missing": ["/a?utm_source=x&utm_campaign=c", "/b"],
    "differs in case": ["/a?utm_source=x&utm_campaign=c", "/b?utm_source=X&utm_campaign=C"],
}
SPLIT_BY_CAMPAIGN = {
    "appears": {"ua", "matomo"},
    "repeats": set(),
    "changes": {"matomo"},
    "changes its source": {"ua", "matomo"},
    "is missing": set(),
    "differs in case": set(),
}


def log_of(visits: dict[str, list[tuple[str, str]]]) -> str:
    """A CSV in which each visitor has the times and pages."""
    lines = [f"{who},{_moment(time)},{page}" for who, events in visits.items() for time, page in events]
    return "user_id,time,page\n" + "\n".join(lines) + "\n"


def _moment(time: str) -> str:
    return f"2024-05-31 00{time[2:]}" if time.startswith("24") else f"{DAY} {time}"


def split(log: str, name: str, tmp_path: Path) -> set[str]:
    """The visitors who have more than one session by a definition."""
    (tmp_path / "log.csv").write_text(log)
    done = sessionize("run", "log.csv", "-o", "out", "--format", "csv", "--rules", name, cwd=tmp_path)
    assert done.code == 0, done.err
    found = pl.read_csv(tmp_path / "out" / "metrics.csv").group_by("profile_id").len()
    return set(found.filter(pl.col("len") > 1)["profile_id"])


@pytest.mark.parametrize("name", definitions.names())
def test_each_definition_cuts_where_its_system_says(name: str, tmp_path: Path) -> None:
    log = log_of({who: [(time, "/a") for time in times] for who, times in HOURS.items()})
    assert split(log, name, tmp_path) == {who for who, names in SPLIT_BY.items() if name in names}


@pytest.mark.parametrize("name", definitions.names())
def test_each_definition_sees_campaigns_as_its_system_does(name: str, tmp_path: Path) -> None:
    visits = {
        who: [(f"10:0{number}:00", page) for number, page in enumerate(pages)] for who, pages in CAMPAIGNS.items()
    }
    assert split(log_of(visits), name, tmp_path) == {who for who, names in SPLIT_BY_CAMPAIGN.items() if name in names}


@pytest.mark.slow
def test_matomo_s_visit_has_at_most_10_000_actions_and_adobe_s_2_500(tmp_path: Path) -> None:
    times = [f"10:{n // 1000:02}:{n % 1000 * 0.06:09.6f}" for n in range(10_001)]
    log = log_of({"slow": [(f"{10 + n // 1800}:{n // 30 % 60:02}:{n % 30 * 2:02}", "/a") for n in range(2_501)],
                  "fast": [(time, "/a") for time in times]})  # fmt: skip
    (tmp_path / "log.csv").write_text(log)
    found = {}
    for name in ("matomo", "adobe"):
        done = sessionize("run", "log.csv", "-o", "out", "--format", "csv", "--rules", name, cwd=tmp_path)
        assert done.code == 0, done.err
        metrics = pl.read_csv(tmp_path / "out" / "metrics.csv").sort("start")
        found[name] = {who: metrics.filter(profile_id=who)["events"].to_list() for who in ("slow", "fast")}
    assert found["matomo"] == {"slow": [2_501], "fast": [10_000, 1]}
    assert found["adobe"] == {"slow": [2_500, 1], "fast": [100] * 100 + [1]}


@pytest.mark.parametrize("name", ["amplitude", "amplitude-mobile", "mixpanel", "posthog"])
def test_an_event_that_merely_happens_to_a_user_is_passive_where_the_system_says_so(name: str, tmp_path: Path) -> None:
    rows = [
        ("10:00:00", "click"),
        ("10:04:00", "Message Received"),
        ("10:08:00", "Message Received"),
        ("12:00:00", "click"),
    ]
    text = "user_id,time,event_type\n" + "".join(f"u,{DAY} {time},{kind}\n" for time, kind in rows)
    (tmp_path / "log.csv").write_text(text)
    published = {"amplitude": ([3, 1], 0.0), "amplitude-mobile": ([2, 1], 0.0)}
    cases = [
        ((), published.get(name, ([3, 1], 480.0))),
        (("--passive", "Message Received"), published.get(name, ([3, 1], 0.0))),
    ]
    for args, (events, duration) in cases:
        done = sessionize("run", "log.csv", "-o", "out", "--format", "csv", "--rules", name, *args, cwd=tmp_path)
        assert done.code == 0, done.err
        assert "Push Notification" not in done.err.replace("passive Push Notification Sent | Message Received", "")
        metrics = pl.read_csv(tmp_path / "out" / "metrics.csv").sort("start")
        assert (metrics["events"].to_list(), metrics["duration_s"][0]) == (events, duration)


def test_what_is_typed_beats_the_definition_and_the_definition_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(log_of({"a": [("10:00:00", "/a")]}))
    (tmp_path / "sessionize.toml").write_text('timeout = "45m"\nend-event = ["bye"]\n')
    args = ("run", "log.csv", "-o", "out", "--rules", "matomo", "--max-events", "7")
    assert sessionize(*args, cwd=tmp_path).code == 0
    manifest = (tmp_path / "out" / "manifest.json").read_text()
    assert '"timeout_s": 1799.999999' in manifest
    assert '"end_events": []' in manifest
    assert '"max_events": 7' in manifest


def test_in_a_file_the_rules_beside_a_definition_beat_it(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(log_of({"a": [("10:00:00", "/a")]}))
    (tmp_path / "sessionize.toml").write_text('rules = "matomo"\ntimeout = "45m"\n')
    assert sessionize("run", "log.csv", "-o", "out", cwd=tmp_path).code == 0
    manifest = (tmp_path / "out" / "manifest.json").read_text()
    assert '"timeout_s": 2700.0' in manifest
    assert '"split_at_midnight": true' in manifest


def test_a_definition_of_one_s_own_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('title = "Ours"\n[rules]\ntimeout = "5m"\nsplit-on = ["plan"]\n')
    (tmp_path / "log.csv").write_text("user_id,time,plan\nu,2024-05-30 10:00:00,x\nu,2024-05-30 10:01:00,y\n")
    done = sessionize("check", "log.csv", "--rules", "ours.toml", "--exit-zero", cwd=tmp_path)
    assert "split on plan" in done.out
    (tmp_path / "log.csv").write_text("user_id,time\nu,2024-05-30 10:00:00\n")
    done = sessionize("run", "log.csv", "-o", "out", "--rules", "ours.toml", cwd=tmp_path)
    assert done.code == 2
    assert "the log has no column 'plan'" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rules]\nsplit = true\n", "no such entry: rules.split"),
        ("gap = 3\n", "no such entry: gap"),
        ("rules = 3\n", "rules is no table"),
        ("[rules]\nburst = 3\n", "burst is no number of events within a time"),
        ("[rules]\ntimeout = 'soon'\n", "--timeout 'soon' is no duration"),
        ("[rules\n", "definition bad.toml"),
    ],
)
def test_a_definition_that_is_none_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "log.csv").write_text(log_of({"a": [("10:00:00", "/a")]}))
    done = sessionize("run", "log.csv", "-o", "out", "--rules", "bad.toml", cwd=tmp_path)
    assert done.code == 2
    assert words in done.err


def test_a_definition_that_there_is_not_is_refused_with_the_nearest(tmp_path: Path) -> None:
    done = sessionize("run", "log.csv", "-o", "out", "--rules", "matomoo", cwd=tmp_path)
    assert done.code == 2
    assert "invalid value 'matomoo' for --rules" in done.err
    assert "did you mean matomo?" in done.err
