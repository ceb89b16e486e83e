"""The answers against plain Polars on a run's output, and against runs with other timeouts."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import quick_first
from console import SAMPLE
from console import sessionize as typed

import sessionize
from sessionize.answers import Ask, FunnelAsk, PathsAsk, ShowAsk, funnel, paths, show, summary, timeout
from sessionize.config import Config, Output, Rules
from sessionize.errors import UsageError
from sessionize.instants import microseconds
from sessionize.limits import Limits
from sessionize.summary.selection import Selection

LOG = Config(inputs=(str(SAMPLE / "events.csv"),))
MINUTE = timedelta(minutes=1)
FEW = replace(Limits.of(), session_rows=50)
"""Answers then add up what many batches tell."""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    sessionize.run(LOG, Output(directory=str(folder), events=True))
    return folder


def metrics_of(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "metrics.parquet")


def test_the_summary_is_what_plain_polars_says_of_the_metrics(output: Path) -> None:
    metrics = metrics_of(output)
    data = summary(LOG, Ask(by="entry_page"), limits=FEW).data
    assert data["sessions"] == metrics.height
    assert data["events"] == metrics["events"].sum()
    assert data["profiles"] == metrics["profile_id"].drop_nulls().n_unique()
    assert data["bounce_rate"] == pytest.approx((metrics["events"] == 1).mean())
    assert data["engagement_rate"] == pytest.approx(metrics["engaged"].mean())
    assert data["conversion_rate"] == pytest.approx(metrics["converted"].mean())
    seconds = metrics["duration_s"]
    assert data["duration_s"] == pytest.approx(
        {"median": seconds.median(), "mean": seconds.mean(), "p95": seconds.quantile(0.95), "max": seconds.max()}
    )
    assert (data["rejected"], data["duplicates"], data["late"]) == (6, 3, 0)
    plain = metrics.group_by(name="entry_page").agg(
        sessions=pl.len(), bounce_rate=(pl.col("events") == 1).mean(), median=pl.col("duration_s").median()
    )
    expected = sorted(plain.rows(), key=lambda row: (-row[1], row[0]))
    found = [(row["name"], row["sessions"], row["bounce_rate"], row["duration_s"]["median"]) for row in data["groups"]]
    assert found == expected
    days = metrics.group_by(day=pl.col("start").dt.strftime("%Y-%m-%d")).agg(sessions=pl.len()).sort("day")
    assert data["per_day"] == days.to_dicts()


def test_groups_may_be_a_column_of_the_log_or_sql(output: Path) -> None:
    by_column = summary(LOG, Ask(by="utm_source")).data["groups"]
    metrics = metrics_of(output)
    counted = metrics.group_by("utm_source").len().sort("len", "utm_source", descending=[True, False])
    assert [(row["name"], row["sessions"]) for row in by_column] == counted.rows()
    by_sql = summary(LOG, Ask(by="events > 3")).data["groups"]
    assert {row["name"]: row["sessions"] for row in by_sql} == {
        "true": metrics.filter(pl.col("events") > 3).height, "false": metrics.filter(pl.col("events") <= 3).height,
    }  # fmt: skip


@pytest.mark.slow
def test_only_the_sessions_that_are_meant_count(output: Path) -> None:
    metrics = metrics_of(output)
    noon = datetime(2024, 5, 29, 12, tzinfo=UTC)
    meant = Selection(where="converted AND events > 2", since=microseconds(noon))
    assert summary(LOG, Ask(selection=meant), limits=FEW).data["sessions"] == metrics.filter(
        pl.col("converted"), pl.col("events") > 2, pl.col("start") >= noon
    ).height  # fmt: skip
    newest = metrics["end"].max()
    assert isinstance(newest, datetime)
    last = summary(LOG, Ask(selection=Selection(last=timedelta(days=1)))).data["sessions"]
    assert last == metrics.filter(pl.col("start") >= newest - timedelta(days=1)).height


@pytest.mark.slow
@pytest.mark.parametrize("asked", quick_first(["summary", "show", "funnel", "paths"]))
def test_an_earlier_run_gives_the_answers_of_its_log(asked: str, output: Path) -> None:
    def answered(config: Config) -> Any:
        steps = ("page:/", "page:/tea*", "purchase")
        return {
            "summary": lambda: summary(config, Ask(by="entry_page"), limits=FEW),
            "show": lambda: show(config, ShowAsk(longest=True), limits=FEW),
            "funnel": lambda: funnel(config, FunnelAsk(steps=steps, by="entry_page", within=10 * MINUTE), limits=FEW),
            "paths": lambda: paths(config, PathsAsk(steps=4), limits=FEW),
        }[asked]().data

    assert answered(Config(inputs=(str(output),))) == answered(LOG)


def test_an_earlier_run_without_events_says_what_to_run(tmp_path: Path) -> None:
    sessionize.run(LOG, Output(directory=str(tmp_path)))
    with pytest.raises(UsageError, match="without --events"):
        paths(Config(inputs=(str(tmp_path),)), PathsAsk())


@pytest.mark.slow
def test_paths_are_what_plain_polars_says_of_the_events(output: Path) -> None:
    events = pl.read_parquet(output / "events.parquet")
    name = pl.when(pl.col("event_type") == "page-view").then("page").otherwise("event_type")
    first = events.sort("session_id", "position").filter(pl.col("position") <= 3)
    lines = first.group_by("session_id", maintain_order=True).agg(name).with_columns(
        path=pl.col("page").list.join(" > ") + pl.when(pl.col("page").list.len() < 3).then(pl.lit(" .")).otherwise(pl.lit(""))
    )  # fmt: skip
    expected = sorted(lines.group_by("path").len().rows(), key=lambda row: (-row[1], row[0]))
    data = paths(LOG, PathsAsk(steps=3, fold=False, repeats=True, most=1000), limits=FEW).data
    assert [(row["path"], row["sessions"]) for row in data["paths"]] == expected
    assert (data["total"], data["other"]) == (lines.height, 0)
    few = paths(LOG, PathsAsk(steps=3, fold=False, repeats=True, most=5), limits=FEW).data
    assert few["other"] == sum(number for _, number in expected[5:])


def test_paths_begin_end_and_lie_around_an_event(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [("a", "home cart pay"), ("b", "cart cart home"), ("c", "home"), ("d", "home cart")]
    lines = [
        f"{user},2024-05-01 09:0{minute},{kind}" for user, kinds in rows for minute, kind in enumerate(kinds.split())
    ]
    log.write_text("user_id,timestamp,event_type\n" + "\n".join(lines) + "\n")
    config = Config(inputs=(str(log),))

    def found(**more: Any) -> list[tuple[str, int]]:
        return [(row["path"], row["sessions"]) for row in paths(config, PathsAsk(**more)).data["paths"]]

    assert found(begin="cart", steps=2) == [("cart .", 1), ("cart > pay", 1), ("cart ×2", 1)]  # noqa: RUF001
    assert found(end="cart", steps=2) == [("home > cart", 2), ("^ > cart", 1)]
    assert found(around="cart") == [("^ > cart ×2", 1), ("home > cart .", 1), ("home > cart > pay", 1)]  # noqa: RUF001
    assert found(begin="home", end="pay", steps=5) == [("home > cart > pay", 1)]
    assert paths(config, PathsAsk(begin="cart")).data["without"] == 1


RULES = {
    "the timeout alone": Rules(),
    "an end event": Rules(end_events=("purchase",)),
    "midnight": Rules(split_at_midnight=True),
    "a column that splits": Rules(split_on=("utm_source",)),
    "a longest session": Rules(max_duration=timedelta(hours=1)),
    "no timeout": Rules(timeout=None),
}


@pytest.mark.slow
@pytest.mark.parametrize("rules", quick_first(RULES.values()), ids=RULES.keys())
def test_each_row_of_the_timeouts_is_the_run_with_that_timeout(rules: Rules) -> None:
    config = Config(inputs=(str(SAMPLE / "events.parquet"),), rules=rules)
    rows = timeout(config).data["table"]
    frame = pl.read_parquet(SAMPLE / "events.parquet")
    for row in rows:
        limit = None if row["timeout_s"] is None else timedelta(seconds=row["timeout_s"])
        again = Config(rules=Rules(**{**rules.__dict__, "timeout": limit}))
        metrics = sessionize.sessionize(frame, again).metrics
        assert row["sessions"] == metrics.height
        assert row["bounce_rate"] == pytest.approx(metrics["bounced"].mean())
        assert row["duration_s"]["mean"] == pytest.approx(metrics["duration_s"].mean())
        assert row["duration_s"]["median"] == pytest.approx(metrics["duration_s"].median())
    assert [row["in_force"] for row in rows].count(True) == 1


def test_the_timeouts_of_an_earlier_run_are_those_of_its_log(output: Path) -> None:
    assert timeout(Config(inputs=(str(output),))).data == timeout(LOG).data


def test_one_session_is_shown_with_its_neighbours(output: Path) -> None:
    metrics = metrics_of(output)
    key = metrics["source_id"].drop_nulls().value_counts().filter(pl.col("count") == 2)["source_id"].sort()[0]
    both = metrics.filter(pl.col("source_id") == key).sort("start")
    data = show(LOG, ShowAsk(session=key)).data
    assert data["session"]["session_id"] == both["session_id"][0]
    assert data["previous"] is None
    gap = (both["start"][1] - both["end"][0]).total_seconds()
    assert data["next"]["session_id"] == both["session_id"][1]
    assert data["next"]["gap_s"] == gap
    assert (data["number"], data["of"]) == (1, 2)
    events = pl.read_parquet(output / "events.parquet").filter(pl.col("session_id") == both["session_id"][0])
    assert [event["event_type"] for event in data["events"]] == events["event_type"].to_list()
    offsets = (events["timestamp"] - events["timestamp"][0]).dt.total_microseconds() / 1e6
    assert [event["offset_s"] for event in data["events"]] == offsets.to_list()
    assert show(LOG, ShowAsk(session=both["session_id"][1])).data["previous"]["session_id"] == both["session_id"][0]


def test_a_step_that_the_log_has_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'purchase'"):
        funnel(LOG, FunnelAsk(steps=("purchas",)))
    nobody = Selection(where="events > 100000")
    assert funnel(LOG, FunnelAsk(steps=("purchase",), selection=nobody)).data["steps"][0]["sessions"] == 0


def test_the_last_week_is_compared_with_the_one_before_in_points(tmp_path: Path) -> None:
    days = pl.datetime_range(
        datetime(2024, 5, 1, 12, tzinfo=UTC), datetime(2024, 5, 20, 12, tzinfo=UTC), "1d", eager=True
    )
    log = pl.DataFrame(
        {"user_id": [f"u{number}" for number in range(len(days))], "timestamp": days.dt.strftime("%Y-%m-%d %H:%M:%S")}
    )
    again = log.tail(3).with_columns(pl.col("timestamp").str.replace("12:00", "12:01"))
    pl.concat([log, again]).write_csv(tmp_path / "log.csv")
    compare = summary(Config(inputs=(str(tmp_path / "log.csv"),)), Ask()).data["compare"]
    assert (compare["this"]["sessions"], compare["that"]["sessions"]) == (7, 7)
    assert compare["change"]["bounce_rate_points"] == pytest.approx(100 * (4 / 7 - 1), abs=1e-5)


def test_the_rows_of_a_session_are_shown_as_they_stand_in_the_log(output: Path) -> None:
    data = show(LOG, ShowAsk(session="1853956", raw=True)).data
    lines = (SAMPLE / "events.csv").read_bytes().decode("utf-8", "backslashreplace").splitlines()
    assert [lines[row["row"] - 1] for row in data["rows"]] == [row["raw"] for row in data["rows"]]
    assert all("1853956" in row["raw"] for row in data["rows"])
    assert len(data["rows"]) == data["session"]["events"]
    assert not any(name.startswith("sessionize.") for event in data["events"] for name in event)
    with pytest.raises(UsageError, match="needs the log itself"):
        show(Config(inputs=(str(output),)), ShowAsk(longest=True, raw=True))


@pytest.mark.parametrize("by", ["country", '"my col"', "my col"])
def test_what_is_piped_in_is_grouped_by_a_column_of_its_own(by: str, tmp_path: Path) -> None:
    log = (SAMPLE / "events.csv").read_bytes().replace(b"event_type", b"my col", 1)
    (tmp_path / "log.csv").write_bytes(log)
    expected = typed("summary", "log.csv", "--by", by, "--csv", cwd=tmp_path)
    assert expected.code == 0, expected.err
    assert typed("summary", "-", "--by", by, "--csv", cwd=tmp_path, stdin=log).out == expected.out
    assert typed("report", "-", "--by", by, "-o", "page.html", cwd=tmp_path, stdin=log).code == 0
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cp", "log.csv", "pipe"], cwd=tmp_path):
        assert typed("summary", "pipe", "--by", by, "--csv", cwd=tmp_path).out == expected.out


@pytest.mark.parametrize("by", ["my col", '"my col"', '"a-b"', "a-b", '"3x"'])
def test_sessions_are_grouped_by_a_column_whatever_its_name(by: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "session_id,timestamp,my col,a-b,3x\na,2024-05-30T10:00:00Z,red,red,red\nb,2024-05-30T11:00:00Z,red,red,red\n"
    )
    found = summary(Config(inputs=(str(tmp_path / "log.csv"),)), Ask(by=by))
    assert [row["name"] for row in found.data["groups"]] == ["red"]
