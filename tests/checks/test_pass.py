"""One pass answers everything, however the log is read: in memory, through files, or from an earlier run's output."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import SAMPLE

import sessionize
from sessionize.checks import OPTIONS, Checked, Finding, Settings, settings_of
from sessionize.checks import key_stats as parts_module
from sessionize.errors import InputError, UsageError
from sessionize.limits import Limits

LOG = SAMPLE / "events.csv"
STRICT = {name: {"error": 0} for name in OPTIONS if name not in ("conversion-rate", "bounce-rate", "engagement-rate")}
CUSTOM = [
    {"name": "no referrer", "sql": "SELECT * FROM events WHERE referrer IS NULL", "error": 0},
    {"name": "views", "sql": "SELECT SUM(page_views) FROM sessions", "error": "..10"},
    {"name": "shortest", "sql": "SELECT MIN(duration_s) FROM sessions"},
    {"name": "long", "sql": 'SELECT session_id, "end" FROM sessions WHERE duration_s > 7200 ORDER BY session_id'},
    {"name": "both", "sql": "SELECT COUNT(*) FROM sessions s WHERE s.profile_id IN (SELECT profile_id FROM events)"},
]


def check(section: dict[str, Any], *inputs: object, limits: Limits | None = None, **config: Any) -> Checked:
    asked = settings_of(section, OPTIONS)
    candidates_of = sessionize.Config(inputs=tuple(map(str, inputs or (LOG,))), **config)
    return sessionize.check(candidates_of, asked, limits=limits)


def found(checked: Checked, name: str) -> Finding:
    (finding,) = (each for each in checked.findings if each.check == name)
    return finding


@pytest.mark.slow
def test_files_by_key_give_the_same_findings_as_memory() -> None:
    section = {**STRICT, "custom": CUSTOM, "unknown-event-types": {"known": ["page"], "error": 0}}
    whole = check(section)
    split = check(section, limits=Limits(event_bytes=0, rows=1000, partitions=(3, 3)))
    assert split.findings == whole.findings
    assert (split.counts, split.learnt) == (whole.counts, whole.learnt)
    assert len(whole.of("failed")) > 10


@pytest.mark.slow
def test_the_measures_are_those_that_a_run_writes(tmp_path: Path) -> None:
    ran = sessionize.run(sessionize.Config(inputs=(str(LOG),)), sessionize.Output(directory=str(tmp_path)))
    checked = check({})
    assert checked.counts == ran.manifest["counts"]
    metrics = pl.read_parquet(tmp_path / "metrics.parquet")
    assert checked.figures["bounce_rate"] == metrics["bounced"].mean()
    assert checked.figures["active_sessions"] == (metrics["status"] == "active").sum()
    assert checked.figures["duration_s_mean"] == pytest.approx(metrics["duration_s"].mean())
    assert found(checked, "session-id-share").number == metrics.group_by("source_id").agg(pl.col("events").sum()).filter(
        pl.col("source_id").is_not_null()
    )["events"].max()  # fmt: skip


@pytest.mark.parametrize("form", ["parquet", "ndjson", "json", "csv"])
def test_an_earlier_run_says_the_same_but_of_events(tmp_path: Path, form: Any) -> None:
    config = sessionize.Config(inputs=(str(LOG),))
    sessionize.run(config, sessionize.Output(directory=str(tmp_path / "out"), form=form))
    log, run = check(STRICT), check(STRICT, tmp_path / "out")
    told = {finding.check: finding for finding in run.findings if finding.status != "not measured"}
    assert {"rejected", "duplicates", "session-id-share", "long-sessions", "bounce-rate"} <= set(told)
    for name, finding in told.items():
        assert (finding.status, finding.number, finding.base) == (
            found(log, name).status, found(log, name).number, found(log, name).base,
        )  # fmt: skip
    assert "log itself" in found(run, "midnight").said
    assert found(run, "midnight").status == "not measured"
    assert run.figures == log.figures
    places = [example.place for example in found(log, "rejected").examples]
    assert [example.place for example in found(run, "rejected").examples] == places


def test_a_damaged_run_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError):
        check({}, tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError):
        check({}, tmp_path)


def test_sql_is_asked_for_its_number_or_its_rows() -> None:
    parquet = SAMPLE / "events.parquet"
    checked = check({"custom": CUSTOM}, parquet)
    log = pl.read_parquet(parquet).with_row_index("row", offset=1)
    keyed = pl.col("session_id").is_not_null() | pl.col("user_id").is_not_null()
    without = log.filter(keyed, pl.col("timestamp").is_not_null(), pl.col("referrer").is_null())
    pages = found(checked, "no referrer")
    assert (pages.status, pages.number) == ("failed", without.height)
    expected = [(str(parquet), row) for row in without["row"].head(5)]
    assert [(example.file, example.row) for example in pages.examples] == expected
    assert found(checked, "views").number == checked.figures["page_views"]
    assert found(checked, "shortest").number == 0.0
    assert "session_id = " in found(checked, "long").examples[0].text


def test_sql_over_events_of_an_earlier_run_needs_its_events(tmp_path: Path) -> None:
    config = sessionize.Config(inputs=(str(LOG),))
    section = {"custom": [{"name": "n", "sql": "SELECT COUNT(*) FROM events"}]}
    sessionize.run(config, sessionize.Output(directory=str(tmp_path / "a")))
    assert found(check(section, tmp_path / "a"), "n").status == "not measured"
    sessionize.run(config, sessionize.Output(directory=str(tmp_path / "b"), events=True))
    assert found(check(section, tmp_path / "b"), "n").number == 2938


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nothing FROM events", "SELECT * FROM elsewhere", ""])
def test_what_is_no_query_is_told_before_anything_is_read(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module.KeyStats, "partition", None)
    with pytest.raises(UsageError, match="'mine'"):
        check({"custom": [{"name": "mine", "sql": sql}]})


@pytest.mark.parametrize(
    "section",
    [
        {"bounse-rate": {"warn": 1}},
        {"bounce-rate": {"warm": 1}},
        {"bounce-rate": {"warn": "many"}},
        {"bounce-rate": 5},
        {"custom": {"name": "a"}},
        {"custom": [{"name": "a"}]},
        {"custom": [{"name": "a", "sql": "b", "severity": 1}]},
        {"max-change": "fast"},
        {"examples": -1},
        {"schema": "no"},
    ],
)
def test_a_wrong_section_is_told(section: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        settings_of(section, OPTIONS)


@pytest.mark.parametrize(("name", "option", "value"), [("long-sessions", "hours", "x"), ("ancient-timestamps", "before", "x")])  # fmt: skip
def test_a_wrong_option_of_a_check_is_told(name: str, option: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        check({name: {option: value}})


@pytest.mark.slow
def test_figures_are_compared_with_a_baseline(tmp_path: Path) -> None:
    half = tmp_path / "half.csv"
    lines = LOG.read_bytes().splitlines(keepends=True)
    half.write_bytes(b"".join(lines[: len(lines) * 7 // 10]))
    config = sessionize.Config(inputs=(str(half),))
    sessionize.run(config, sessionize.Output(directory=str(tmp_path / "run")))
    checked = check({"baseline": str(tmp_path / "run"), "max-change": "30%"})
    old = json.loads((tmp_path / "run" / "manifest.json").read_text())["counts"]["events"]
    change = found(checked, "change-of-events")
    assert change.value == pytest.approx((2938 - old) / old)
    assert change.status == "failed"
    assert found(checked, "change-of-bounce-rate").status == "passed"
    assert (
        found(check({"baseline": str(tmp_path / "run"), "max-change": "none"}), "change-of-events").status == "warned"
    )
    assert found(check({"baseline": str(tmp_path / "run")}, half), "change-of-events").value == 0


def test_no_baseline_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    for name in ("x.json", "y.json", "."):
        with pytest.raises(UsageError, match="--baseline"):
            sessionize.check(sessionize.Config(inputs=(str(LOG),)), replace(Settings(), baseline=str(tmp_path / name)))
