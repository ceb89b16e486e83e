"""One session on the screen: what is printed can be typed back; and the charts of the summary."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

LOG = str(SAMPLE / "events.csv")
LONG = "user-with-a-very-long-name-" + "0123456789abcdef" * 4
ROWS = [
    f"{user},2024-05-{day:02}T08:{minute:02}:00Z"
    for user in (LONG, "anna", "anne", "bert")
    for day in (6, 7)
    for minute in (0, 5)
]


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Two sessions of five minutes of each of four people."""
    (tmp_path / "log.csv").write_text("\n".join(["user_id,timestamp", *ROWS]), encoding="utf-8")
    return "log.csv"


def session_of(*typed: str, cwd: Path) -> str:
    done = sessionize("show", *typed, "--json", cwd=cwd)
    assert done.code == 0, done.err
    return str(json.loads(done.out)["session"]["session_id"])


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_ids_are_never_cut(log: str, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    first, second = (f"p:{LONG}.17{start}000000" for start in ("14982400", "15068800"))
    out = sessionize("show", log, first, cwd=tmp_path).out
    *shown, _ = out.splitlines()
    assert first in "".join(shown)
    assert second in "".join(shown)
    assert "…" not in out
    assert max(map(len, shown)) <= columns
    assert session_of(log, second, cwd=tmp_path) == second


@pytest.mark.parametrize("typed", ["p:bert.1714982400000000", "p:bert", "bert", "ber"])
def test_a_session_is_named_by_its_id_its_profile_or_the_beginning_of_one(typed: str, log: str, tmp_path: Path) -> None:
    assert session_of(log, typed, cwd=tmp_path) == "p:bert.1714982400000000"


def test_a_profile_may_be_the_beginning_of_one_and_only_one(log: str, tmp_path: Path) -> None:
    assert session_of(log, "--profile", "be", cwd=tmp_path) == "p:bert.1714982400000000"
    assert session_of(log, "--profile", "anna", "--longest", cwd=tmp_path) == "p:anna.1714982400000000"
    done = sessionize("show", log, "--profile", "ann", cwd=tmp_path)
    assert (done.code, done.err) == (2, "error: --profile 'ann': 2 profiles begin so\n  hint: there are anna, anne\n")
    assert sessionize("show", log, "--profile", "zoe", cwd=tmp_path).code == 2


def test_sessions_that_are_as_long_are_counted(log: str, tmp_path: Path) -> None:
    assert "one of 8 with this length" in sessionize("show", log, "--longest", cwd=tmp_path).out
    assert json.loads(sessionize("show", log, "--longest", "--json", cwd=tmp_path).out)["tied"] == 8
    assert "with this length" not in sessionize("show", log, "anna", cwd=tmp_path).out


def test_the_hint_leads_to_all_events_then_to_their_rows_then_on(log: str, tmp_path: Path) -> None:
    def hint(*typed: str) -> list[str]:
        done = sessionize(*typed, cwd=tmp_path)
        assert done.code == 0, done.err
        return shlex.split(done.out.splitlines()[-1].removeprefix("next: sessionize "))

    first = hint("show", log, "anna")
    assert first == ["show", log, "p:anna.1714982400000000", "--raw"]
    assert hint(*first) == ["paths", log]
    assert hint("show", LOG, "--session-where", "events > 30", "--longest")[-1] == "--all"


def test_a_column_of_lengths_stands_above_its_label(tmp_path: Path) -> None:
    lines = sessionize("summary", LOG, cwd=tmp_path).out.splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("length   ") and "median" not in line)
    bars, labels = lines[place], lines[place + 1]
    starts = [at for at in range(18, len(labels)) if labels[at] != " " and labels[at - 1] == " "]
    assert [at for at in range(18, len(bars)) if bars[at] != " "] == starts


def test_days_have_their_first_and_last_date_and_one_day_is_no_chart(log: str, tmp_path: Path) -> None:
    out = sessionize("summary", log, cwd=tmp_path).out
    assert "2024-05-06 to 2024-05-07" in next(line for line in out.splitlines() if line.startswith("sessions a day"))
    assert "sessions a day" not in sessionize("summary", log, "--since", "2024-05-07", cwd=tmp_path).out


def test_the_summarys_help_says_what_its_words_mean(tmp_path: Path) -> None:
    said = sessionize("summary", "--help", cwd=tmp_path).out.split("Words:")[1]
    for word in ("engaged", "bounce", "profile", "visitor", "key", "role", "source_id", "watermark"):
        assert word in said
    assert "Words:" not in sessionize("summary", "-h", cwd=tmp_path).out


@pytest.mark.parametrize("width", ["50", "80", "200"])
def test_an_amount_is_shown_whole_whatever_has_to_give_way(
    width: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    amounts = {"1234567": "1,234,567", "19999999": "19,999,999", "123456.78": "123,456.78", "-0.005": "-0.005"}
    rows = "".join(f"s1,2024-05-01T10:0{n}:00Z,purchase,/b,{amount}\n" for n, amount in enumerate(amounts))
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,event_type,page,value\n{rows}")
    done = sessionize("show", "log.csv", "s1", cwd=tmp_path)
    lines = [line for line in done.out.splitlines() if "purchase" in line]
    assert [line.rpartition("value ")[2] for line in lines] == list(amounts.values())
    assert max(map(len, lines)) <= int(width)


@pytest.mark.parametrize("name", ["a[1]", "a?b", "a*b", "-abc", "s3://x/y", "http://x/y", "plain"])
def test_whatever_an_id_looks_like_the_hint_shows_its_session(name: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(f"session_id,timestamp,page\n{name},2024-05-01T10:00:00Z,/p\n")
    shown = sessionize("show", "log.csv", "--longest", cwd=tmp_path)
    hint = shown.out.rpartition("next: sessionize ")[2]
    done = sessionize(*shlex.split(hint), cwd=tmp_path)
    assert (done.code, "/p" in done.out) == (0, True), (hint, done.err)
