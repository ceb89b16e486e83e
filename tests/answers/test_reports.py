"""The report's figures: those of the other answers, from one reading, and those of plain Polars on a run's output."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from console import SAMPLE

import sessionize
from sessionize.answers import Ask, FunnelAsk, PathsAsk, ReportAsk, funnel, paths, report, summary, timeout
from sessionize.config import Config, Output, Rules
from sessionize.engine.pipeline import sessionize_log
from sessionize.errors import UsageError
from sessionize.limits import Limits
from sessionize.summary.distributions import DEPTHS, lengths
from sessionize.summary.ends import Ends
from sessionize.summary.origins import site
from sessionize.summary.selection import Selection
from sessionize.summary.silences import Silences

LOG = Config(inputs=(str(SAMPLE / "events.csv"),))
STEPS = ("page:/", "page:/tea*", "purchase")
SOME = Selection(where="events > 1", last=timedelta(days=2))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    sessionize.run(LOG, Output(directory=str(folder), events=True))
    return folder


@pytest.fixture(params=["one batch", "batches of 50 sessions"])
def limits(request: pytest.FixtureRequest) -> Limits:
    return Limits.of() if request.param == "one batch" else replace(Limits.of(), session_rows=50)


@pytest.mark.slow
@pytest.mark.parametrize("selection", [Selection(), SOME], ids=["all sessions", "some"])
def test_a_report_says_what_summary_funnel_paths_and_timeout_say(limits: Limits, selection: Selection) -> None:
    data = report(LOG, ReportAsk(selection=selection, steps=STEPS, by="utm_source"), limits=limits).data
    whole = summary(LOG, Ask(selection=selection, by="utm_source"), limits=limits).data
    exits = [{name: value for name, value in row.items() if name != "exit_rate"} for row in data["exit_pages"]]
    assert {name: data[name] for name in whole} | {"exit_pages": exits} == whole
    assert (
        data["funnel"] == funnel(LOG, FunnelAsk(selection=selection, steps=STEPS, by="utm_source"), limits=limits).data
    )
    ways = paths(LOG, PathsAsk(selection=selection, steps=4), limits=limits).data
    assert {name: data["paths"][name] for name in ways} == ways
    measured = timeout(LOG, limits=limits).data
    assert {name: data["silences"][name] for name in measured} == measured


@pytest.mark.slow
def test_an_earlier_run_gives_the_report_of_its_log(limits: Limits, output: Path) -> None:
    ask = ReportAsk(steps=STEPS, by="entry_page")
    assert report(Config(inputs=(str(output),)), ask, limits=limits).data == report(LOG, ask, limits=limits).data


def test_the_log_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def counting(log: Any, *arguments: Any, **named: Any) -> Any:
        read.append(log)
        return sessionize_log(log, *arguments, **named)

    monkeypatch.setattr("sessionize.answers.source.sessionize_log", counting)
    report(LOG, ReportAsk(steps=STEPS, by="utm_source"))
    assert len(read) == 1


def test_distributions_are_what_plain_polars_says_of_the_metrics(limits: Limits, output: Path) -> None:
    metrics = pl.read_parquet(output / "metrics.parquet")
    data = report(LOG, ReportAsk(), limits=limits).data
    start = pl.col("start")
    hours = metrics.group_by(weekday=start.dt.weekday().cast(pl.Int64), hour=start.dt.hour().cast(pl.Int64)).agg(
        sessions=pl.len().cast(pl.Int64)
    )
    assert data["weekly"] == hours.sort("weekday", "hour").to_dicts()
    for row in data["depths"]:
        most = row["most"] or 10**9
        for name in ("events", "page_views"):
            assert row[f"by_{name}"] == metrics.filter(pl.col(name).is_between(row["least"], most)).height
    assert [row["least"] for row in data["depths"]] == list(DEPTHS)
    seconds = metrics["duration_s"]
    assert data["spread"]["zero"] == (seconds == 0).sum()
    for row in data["spread"]["classes"]:
        assert row["sessions"] == ((seconds > row["from_s"]) & (seconds <= row["to_s"])).sum()
    assert data["spread"]["zero"] + sum(row["sessions"] for row in data["spread"]["classes"]) == metrics.height
    assert 1800 in {row["to_s"] for row in data["spread"]["classes"]}
    waits = metrics["first_conversion_s"].drop_nulls()
    assert data["to_conversion"]["median"] == waits.median()
    assert sum(row["sessions"] for row in data["to_conversion"]["classes"]) == len(waits)


def test_a_session_as_long_as_the_edge_is_not_beyond_it() -> None:
    found = lengths(pl.Series([0.0, 0.0, 900.0, 1800.0, 1800.000001]), 1800)
    assert found["zero"] == 2
    assert [(round(row["from_s"]), round(row["to_s"]), row["sessions"]) for row in found["classes"]] == [
        (636, 900, 1), (1273, 1800, 1), (1800, 2546, 1),
    ]  # fmt: skip


def test_silences_part_at_the_timeout_to_a_64th_of_a_doubling() -> None:
    found = Silences()
    gaps = np.array([1, 60, 1700, 1800, 1830, 2400, 90_000])
    found.add(np.cumsum(np.append(0, gaps)) * 1_000_000, np.arange(len(gaps) + 1) == 0)
    classes = found.around(1800)
    assert sum(row["silences"] for row in classes) == len(gaps)
    assert sum(row["silences"] for row in classes if row["from_s"] >= 1800 * 0.999) == 3
    assert [row["silences"] for row in classes if row["to_s"] == pytest.approx(1800)] == [2]


def test_exit_rates_are_of_the_sessions_that_saw_the_page(limits: Limits, output: Path) -> None:
    events = pl.read_parquet(output / "events.parquet")
    metrics = pl.read_parquet(output / "metrics.parquet")
    saw = dict(events.drop_nulls("page").group_by("page").agg(pl.col("session_id").n_unique()).iter_rows())
    left = dict(metrics.group_by("exit_page").len().iter_rows())
    rows = report(LOG, ReportAsk(sections=("pages",)), limits=limits).data["exit_pages"]
    assert rows
    assert {row["name"]: row["exit_rate"] for row in rows} == {
        row["name"]: left[row["name"]] / saw[row["name"]] for row in rows
    }


def test_channels_are_what_plain_polars_says_of_the_metrics(limits: Limits, output: Path) -> None:
    metrics = pl.read_parquet(output / "metrics.parquet")
    kinds = {
        kind["kind"]: kind for kind in report(LOG, ReportAsk(sections=("channels",)), limits=limits).data["channels"]
    }
    assert list(kinds) == ["source / medium", "campaign", "referring site"]
    both = metrics.drop_nulls("utm_source").group_by("utm_source", "utm_medium").len().sort("len", descending=True)
    assert [(row["name"], row["sessions"]) for row in kinds["source / medium"]["rows"]] == [
        (f"{source} / {medium}", many) for source, medium, many in both.iter_rows()
    ]
    for kind, column in (
        ("source / medium", "utm_source"),
        ("campaign", "utm_campaign"),
        ("referring site", "referrer"),
    ):
        assert kinds[kind]["without"] == metrics[column].null_count()


def test_a_referring_site_is_the_host_in_lower_case_without_port_and_password() -> None:
    ends = Ends("referrer", name=site())
    texts = ["https://A.example/x?y", "http://u:p@a.example:8080/", "a.example", "android-app://b.example/", None]
    ends.add(pl.DataFrame({"referrer": texts, "bounced": [True] * 5, "converted": [False] * 5}))
    assert [(row["name"], row["sessions"]) for row in ends.rows(10)] == [("a.example", 3), ("b.example", 1)]
    assert ends.known() == 4


def test_every_session_goes_from_node_to_node_or_ends(limits: Limits, output: Path) -> None:
    events = pl.read_parquet(output / "events.parquet")
    data = report(LOG, ReportAsk(sections=("paths",)), limits=limits).data["paths"]
    nodes, links = data["flows"]["nodes"], data["flows"]["links"]
    for step in (1, 2, 3, 4):
        reach = events.group_by("session_id").len().filter(pl.col("len") >= step).height
        assert sum(node["sessions"] for node in nodes if node["step"] == step) == reach
        assert sum(link["sessions"] for link in links if nodes[link["target"]]["step"] == step) == (
            reach if step > 1 else 0
        )
        assert len([node for node in nodes if node["step"] == step]) <= 7
    assert all(nodes[link["target"]]["step"] == nodes[link["source"]]["step"] + 1 for link in links)
    rest = [node for node in nodes if node["name"] is None]
    assert rest
    assert all(node["names"] > 1 for node in rest)


def test_a_run_without_events_says_what_it_cannot_tell_and_refuses_what_was_named(tmp_path: Path) -> None:
    sessionize.run(LOG, Output(directory=str(tmp_path)))
    run = Config(inputs=(str(tmp_path),))
    data = report(run, ReportAsk()).data
    assert data["sessions"] == 658
    assert "--events" in data["paths"]["why"]
    assert "--events" in data["silences"]["why"]
    assert all(row["exit_rate"] is None for row in data["exit_pages"])
    for ask in (ReportAsk(sections=("paths",)), ReportAsk(steps=STEPS)):
        with pytest.raises(UsageError, match="without --events"):
            report(run, ask)


def test_silences_of_a_run_with_other_rules_are_not_shown(tmp_path: Path) -> None:
    config = replace(LOG, rules=Rules(end_events=("purchase",)))
    sessionize.run(config, Output(directory=str(tmp_path), events=True))
    assert "end_events" in report(Config(inputs=(str(tmp_path),)), ReportAsk()).data["silences"]["why"]
    assert report(config, ReportAsk()).data["silences"]["why"] is None


def test_a_section_that_needs_an_option_says_which() -> None:
    with pytest.raises(UsageError, match="--sections groups needs --by"):
        ReportAsk(sections=("totals", "groups"))
    with pytest.raises(UsageError, match="--sections funnel needs --step"):
        ReportAsk(sections=("funnel",))
