"""The numbers by other systems' definitions that the manual shows, and those of real logs: each is to be had by `run --rules`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import MANUAL, SAMPLE, sessionize
from test_real_logs import DATA

from sessionize import definitions
from sessionize.cli.compare import COLUMNS, _shown

SIX = ("ours", "ga4", "matomo", "adobe", "umami", "datadog")
FIGURES = [name for name in COLUMNS if name not in ("difference", "equal", "split", "merged", "moved")]
REAL = {
    "retentioneering_simple_shop/simple-onlineshop.csv.gz": (),
    "apache_access_log/apache_access.csv.gz": ("--profile-id", "ip"),
    "snowplow_dbtlabs/sp_event.csv": (
        "--timestamp", "derived_tstamp", "--session-id", "none", "--profile-id", "domain_userid", "--event-type", "event_name",
    ),
}  # fmt: skip


def by_a_run(log: Path, name: str, *args: str, cwd: Path) -> dict[str, Any]:
    """The figures of one definition, from nothing but the metrics that a run by it writes."""
    rules = () if name == "ours" else ("--rules", name)
    done = sessionize("run", log, "-o", name, "--no-sessions", "--json", "-q", *rules, *args, cwd=cwd)
    assert done.code == 0, done.err
    counts = json.loads(done.out)["counts"]
    metrics = pl.read_parquet(cwd / name / "metrics.parquet")
    bounce = "bounced" if name == "ours" else definitions.load(name).bounce
    return {
        "sessions": metrics.height,
        "profiles": counts["profiles"],
        "duration_s_mean": metrics["duration_s"].mean(),
        "duration_s_median": metrics["duration_s"].median(),
        "bounce_rate": _bounce_rate(metrics, bounce),
        "conversion_rate": metrics["converted"].mean(),
    }


def _bounce_rate(metrics: pl.DataFrame, bounce: str | None) -> Any:
    """None where the system has no such word, or tells it by page views and the log has none."""
    if bounce is None or ("page_views" in bounce and "duration_s" not in bounce and not metrics["page_views"].sum()):
        return None
    return metrics.select(pl.sql_expr(bounce).mean()).item()


@pytest.mark.slow
def test_each_number_of_the_manuals_comparison_is_that_of_a_run_with_those_rules(tmp_path: Path) -> None:
    (table,) = re.findall(r"```sh\nsessionize compare .*?\n```\n\n```\n(.*?)```", MANUAL["definitions"], re.DOTALL)
    head, *rows = table.splitlines()
    figures = [figure for name in head.split() for figure, heading in COLUMNS.items() if heading == name]
    figures = [figure for figure in figures if figure in ("difference", *FIGURES)]
    lines = {line.split()[0]: line for line in rows}
    assert tuple(lines) == SIX
    ours = by_a_run(SAMPLE / "events.csv", "ours", cwd=tmp_path)["sessions"]
    for name, line in lines.items():
        row = by_a_run(SAMPLE / "events.csv", name, cwd=tmp_path)
        row["difference"] = row["sessions"] - ours
        row["difference_share"] = row["difference"] / ours
        shown = re.split(r"\s{2,}", line)[1 : len(figures) + 1]
        assert shown == [_shown(row, each) for each in figures]


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine")
@pytest.mark.parametrize(("log", "args"), REAL.items(), ids=REAL)
def test_each_number_of_a_real_log_is_that_of_a_run_with_those_rules(
    log: str, args: tuple[str, ...], tmp_path: Path
) -> None:
    asked = [text for name in SIX for text in ("--as", name)]
    done = sessionize("compare", DATA / log, *asked, *args, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    found = {row["name"]: row for row in json.loads(done.out)["definitions"]}
    for name, row in found.items():
        expected = by_a_run(DATA / log, name, *args, cwd=tmp_path)
        assert {each: row[each] for each in expected} == pytest.approx(expected)
