"""What `sessionize compare` shows: columns that fit, dashes for what cannot be measured, rules as TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from console import SAMPLE, sessionize

LOG = str(SAMPLE / "events.csv")


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_is_no_wider_than_the_screen(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = sessionize("compare", LOG, "--as", "source-id", "--as", "ours", "--as", "ga4", cwd=tmp_path)
    assert max(map(len, done.out.splitlines())) <= columns
    assert ("profiles" in done.out) == (columns == 120)
    assert "what became of the sessions of source-id: equal, the same events; split" in done.err
    assert "whole: sessions of the log's own that lie in one of these" in done.err


def test_whose_bounce_it_is_is_said_where_it_is_not_ours(tmp_path: Path) -> None:
    for others, is_said in ((("ga4", "adobe"), True), (("source-id",), False)):
        named = [text for name in others for text in ("--as", name)]
        done = sessionize("compare", LOG, "--as", "ours", *named, cwd=tmp_path)
        assert ("bounce: by each system's own words, - where it has none" in " ".join(done.err.split())) is is_said
    assert "bounce" not in sessionize("compare", LOG, "--as", "ga4", "-q", cwd=tmp_path).err


def test_a_bounce_that_is_told_by_page_views_is_a_dash_where_there_are_none(tmp_path: Path) -> None:
    rows = [f"u{number},2024-05-30T08:00:00Z,{{}}" for number in range(3)]
    for name, kind, shown in (("without", "view it", "-"), ("with", "page_view", "100.0%")):
        text = "\n".join(["user_id,timestamp,event_type", *rows]).format(*[kind] * 3)
        (tmp_path / f"{name}.csv").write_text(text.replace("{}", kind), encoding="utf-8")
        done = sessionize("compare", f"{name}.csv", "--as", "ours", "--as", "ua", "--as", "adobe", cwd=tmp_path)
        head, ours, _, adobe = done.out.splitlines()
        ends = head.index("bounce") + len("bounce")
        assert (ours[:ends].split()[-1], adobe[:ends].split()[-1]) == ("100.0%", shown), done.out


def test_rules_are_explained_as_toml_and_ours_are_those_in_force(tmp_path: Path) -> None:
    done = sessionize("compare", "--explain", "adobe", cwd=tmp_path)
    rules = tomllib.loads(done.out.split("\nrules\n")[1].split("\n\n")[0])
    assert rules == {
        "timeout": "30m", "max-duration": "12h", "max-events": 2500, "burst": {"events": 100, "within": "100s"},
    }  # fmt: skip
    (tmp_path / "sessionize.toml").write_text('end-event = "logout"\n', encoding="utf-8")
    done = sessionize("compare", "--explain", "ours", "--timeout", "1h", cwd=tmp_path)
    assert tomllib.loads(done.out.split("\nrules\n")[1].split("\n\n")[0]) == {"timeout": "1h", "end-event": ["logout"]}
    assert sessionize("compare", "--explain", "source-id", cwd=tmp_path).code == 0
