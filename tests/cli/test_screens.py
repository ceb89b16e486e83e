"""What screens say: hints that keep what was typed and work, names that can be told apart, figures that were asked for."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

LOG = str(SAMPLE / "events.csv")


def screen(*typed: str, cwd: Path) -> list[str]:
    done = sessionize(*typed, cwd=cwd)
    assert done.code == 0, done.err
    return done.out.splitlines()


def hint(*typed: str, cwd: Path) -> list[str]:
    """The words of the next command, which works."""
    words = shlex.split(screen(*typed, cwd=cwd)[-1].removeprefix("next: sessionize "))
    assert sessionize(*words, cwd=cwd).code == 0
    return words


@pytest.mark.parametrize("command", ["summary", "show", "funnel", "paths", "timeout"])
def test_the_next_command_keeps_what_was_typed(command: str, tmp_path: Path) -> None:
    kept = ["--where", "value IS NULL OR value != 'it''s $5'", "--page-path", "--timezone", "Europe/Vienna",
            "--timestamp", "timestamp", "--property", "country"]  # fmt: skip
    chosen = [
        "--since",
        "2024-05-28",
        "--containing",
        "page:/",
        "--session-where",
        "events > 1",
        "--until",
        "2024-05-30",
    ]
    own = {"funnel": ["--step", "page:/", "--step", "page:/tea"], "show": ["--longest"]}.get(command, [])
    asked = kept if command == "timeout" else [*kept, *chosen]
    header = (SAMPLE / "events.csv").read_text(encoding="utf-8").splitlines()[0]
    asked = asked if "country" in header else [word for word in asked if word not in ("--property", "country")]
    found = hint(command, LOG, *asked, *own, cwd=tmp_path)
    for option, value in zip(asked, [*asked[1:], ""], strict=True):
        if option.startswith("--"):
            assert option in found
            assert value.startswith("--") or value in found
    assert not {"--longest"} & set(found) or command == "summary"


def test_an_option_that_the_next_command_has_another_value_of_is_not_kept(tmp_path: Path) -> None:
    found = hint("timeout", LOG, "--timeout", "5m", cwd=tmp_path)
    assert found.count("--timeout") == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ((), ["show", "--longest"]),
        (("--containing", "purchase"), ["paths", "--containing", "purchase"]),
        (("--by", "day"), ["summary", "--since", "2024-05-30", "--until", "2024-05-31"]),
        (("--by", "hour"), ["summary", "--by", "day"]),
        (("--by", "converted"), ["summary", "--session-where", "converted = false"]),
        (("--by", "utm_source"), ["summary", "--session-where", "utm_source = 'newsletter'"]),
        (("--by", "user_agent"), ["summary", "--containing"]),
        (("--by", "events > 3"), ["paths"]),
    ],
)
def test_the_summarys_hint_follows_from_what_was_asked(
    typed: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    found = [word for word in hint("summary", LOG, *typed, cwd=tmp_path) if word != LOG]
    assert found[: len(expected)] == expected


BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE = "Mozilla/5.0 (iPhone; like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def agents(tmp_path: Path) -> str:
    """A log of two crawlers, a browser, and a user without an agent."""
    pytest.importorskip("ua_parser")
    rows = [
        ("a", BOT),
        ("b", PHONE),
        ("c", "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"),
        ("d", ""),
    ]
    text = "\n".join(f'{user},2024-05-30T08:00:00Z,"{agent}"' for user, agent in rows)
    (tmp_path / "log.csv").write_text(f"user_id,timestamp,user_agent\n{text}\n", encoding="utf-8")
    return "log.csv"


@pytest.mark.slow
def test_bots_have_their_base_and_a_hint_that_leaves_them_out(agents: str, tmp_path: Path) -> None:
    assert "bots      66.7 %      of those with a user agent" in screen("summary", agents, cwd=tmp_path)
    assert hint("summary", agents, cwd=tmp_path) == ["summary", agents, "--exclude-bots"]
    assert "--exclude-bots" in hint("summary", agents, "--by", "user_agent", cwd=tmp_path)
    assert hint("summary", agents, "--exclude-bots", cwd=tmp_path)[0] == "show"


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
def test_no_two_groups_read_the_same(
    agents: str, columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    names = [line.split("  ")[0] for line in screen("summary", agents, "--by", "user_agent", cwd=tmp_path)[3:7]]
    assert len(set(names)) == 4
    assert not [name for name in names if name.startswith("www.google.com")]


@pytest.mark.slow
def test_a_path_says_that_any_query_string_counts(tmp_path: Path) -> None:
    note = "page:/… is a path with any query string"
    for typed in (("funnel", LOG, "--step", "page:/", "--step", "purchase"), ("paths", LOG, "--from", "page:/"),
                  ("summary", LOG, "--containing", "page:/")):  # fmt: skip
        assert note in " ".join(screen(*typed, cwd=tmp_path)), typed
    assert note not in " ".join(screen("funnel", LOG, "--step", "purchase", cwd=tmp_path))
    rows = ["session_id,timestamp,page_url", "a,2024-05-30 08:00:00,/?q=1", "b,2024-05-30 08:00:00,/"]
    (tmp_path / "log.csv").write_text("\n".join(rows), encoding="utf-8")
    for step, sessions in (("page:/", 2), ("page:/?q=1", 1), ("page = '/'", 1)):
        data = json.loads(sessionize("funnel", "log.csv", "--step", step, "--json", cwd=tmp_path).out)
        assert data["steps"][0]["sessions"] == sessions


@pytest.mark.slow
def test_a_comparison_that_is_not_given_is_said(tmp_path: Path) -> None:
    short = screen("summary", LOG, "--compare", "week", cwd=tmp_path)
    assert "no change: nothing lies in the 7 days before the last 7" in " ".join(short)
    assert not [line for line in short if line.rstrip().endswith("\u2013")]
    by = " ".join(screen("summary", LOG, "--compare", LOG, "--by", "utm_source", cwd=tmp_path))
    assert "in all, from it to this: sessions 0 %, bounce +0.0 pt; not by group" in by


@pytest.mark.slow
def test_a_filtered_screen_has_no_unfiltered_figures(tmp_path: Path) -> None:
    rows = [f"u{number},2024-05-{10 + number} 08:00:00,view" for number in range(5)]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,timestamp,event_type", *rows]), encoding="utf-8")
    assert "event types: view 5" in screen("summary", "log.csv", cwd=tmp_path)
    for typed in (("--last", "2d"), ("--session-where", "start >= '2024-05-13'"), ("--containing", "view"),
                  ("--since", "2024-05-12"), ("--until", "2024-05-12")):  # fmt: skip
        assert "event types of the whole log: view" in screen("summary", "log.csv", *typed, cwd=tmp_path)


LONG = [f"The status of the submission has been {word}" for word in ("viewed", "changed", "removed")]


@pytest.fixture
def long_names(tmp_path: Path) -> str:
    """Sessions of events with long names, on two Mondays and a Tuesday."""
    days = [(6, 3), (13, 2), (7, 1)]
    rows = [
        f"u{day}{number},2024-05-{day:02} 08:0{place}:00,{name},{'x' if number else ''}"
        for day, many in days
        for number in range(many)
        for place, name in enumerate(LONG[: 3 - number])
    ]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,timestamp,event_type,team", *rows]), encoding="utf-8")
    return "log.csv"


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120])
def test_a_funnel_cuts_no_share_however_narrow(
    long_names: str, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    steps = [word for name in LONG for word in ("--step", name)]
    lines = screen("funnel", long_names, *steps, cwd=tmp_path)
    left = [line for line in lines if "17 %" in line or "40 %" in line]
    assert [share for share in ("17 % end", "40 % end") if not any(share in line for line in left)] == []
    assert max(len(line) for line in lines[:-1]) <= columns


def test_a_funnels_csv_has_who_left_for_what(long_names: str, tmp_path: Path) -> None:
    steps = ("--step", LONG[0], "--step", LONG[1])
    done = sessionize("funnel", long_names, *steps, "--csv", cwd=tmp_path)
    assert done.out.splitlines()[1] == f"{LONG[0]},6,1.0,,60.0,end,1,0.16666666666666666,,,,,,"


def test_a_funnels_parts_of_time_are_in_their_order_and_the_group_of_none_has_a_name(
    long_names: str, tmp_path: Path
) -> None:
    done = sessionize("funnel", long_names, "--step", LONG[0], "--by", "weekday", "--csv", cwd=tmp_path)
    assert [line.split(",")[0] for line in done.out.splitlines()] == ["group", "1 Mon", "2 Tue"]
    done = sessionize("funnel", long_names, "--step", LONG[0], "--by", "team", "--csv", cwd=tmp_path)
    assert sorted(line.split(",")[0] for line in done.out.splitlines()[1:]) == ["(none)", "x"]
    done = sessionize("summary", long_names, "--by", "team", "--csv", cwd=tmp_path)
    assert sorted(line.split(",")[0] for line in done.out.splitlines()[1:]) == ["(none)", "x"]
    groups = json.loads(sessionize("summary", long_names, "--by", "team", "--json", cwd=tmp_path).out)["groups"]
    assert {group["name"] for group in groups} == {None, "x"}


def test_a_log_within_a_minute_has_its_seconds(tmp_path: Path) -> None:
    rows = ["user_id,timestamp", "u,2019-10-01 00:00:00", "v,2019-10-01 00:00:21"]
    (tmp_path / "log.csv").write_text("\n".join(rows), encoding="utf-8")
    assert "1 Oct 2019 00:00:00\u201300:00:21 UTC" in screen("summary", "log.csv", cwd=tmp_path)[0]


@pytest.mark.slow
def test_all_days_are_shown_unless_top_says_how_many(tmp_path: Path) -> None:
    rows = [f"u,2024-0{1 + day // 28}-{1 + day % 28:02} 08:00:00" for day in range(84)]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,timestamp", *rows]), encoding="utf-8")
    days = [line for line in screen("summary", "log.csv", "--by", "day", cwd=tmp_path) if line.startswith("2024-")]
    assert (len(days), days[0][:10]) == (88, "2024-01-01")  # four of them without a session
    few = [line for line in screen("summary", "log.csv", "--by", "day", "--top", "3", cwd=tmp_path) if "2024-" in line]
    assert [line[:10] for line in few[:-1]] == ["2024-03-26", "2024-03-27", "2024-03-28"]


@pytest.mark.parametrize("name", ["start", "end"])
def test_sessions_are_not_grouped_by_the_instant(name: str, tmp_path: Path) -> None:
    done = sessionize("summary", LOG, "--by", name, cwd=tmp_path)
    assert done.code == 2
    assert done.err.splitlines()[1] == "  hint: --by day, week, month, weekday or hour"


def test_rows_of_a_csv_are_the_groups_of_the_screen(tmp_path: Path) -> None:
    rows = "".join(f"{page}{number},2024-05-3{day}T10:00:00Z,/{page}\n"
                   for day, page, many in ((0, "a", 4), (0, "b", 3), (1, "c", 2), (1, "d", 1)) for number in range(many))  # fmt: skip
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,page\n{rows}")
    sessionize("run", "log.csv", "-o", "out", "-q", cwd=tmp_path)

    def groups(*typed: str) -> list[tuple[str, str, str]]:
        done = sessionize("summary", *typed, "--csv", "-q", cwd=tmp_path)
        return [(row["name"], row["sessions"], row["share"]) for row in csv.DictReader(io.StringIO(done.out))]

    for log in ("log.csv", "out"):
        assert groups(log, "--by", "entry_page", "--top", "1") == [("/a", "4", "0.4"), ("(other)", "6", "0.6")]
        assert groups(log, "--by", "entry_page", "--min", "3")[1:] == [("/b", "3", "0.3"), ("(other)", "3", "0.3")]
        assert groups(log, "--by", "day", "--top", "1") == [("2024-05-31", "3", "0.3"), ("(other)", "7", "0.7")]
        assert len(groups(log, "--by", "entry_page")) == 4
