"""Real logs that nobody here wrote, against reference figures made by two independent methods."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize

SHARED = Path(__file__).parent.parent.parent / "shared"
DATA = SHARED / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]

OPTIONS: dict[str, list[str]] = {
    "retentioneering_simple_shop": [],
    "apache_access_log": ["--session-id", "ip"],
    "snowplow_mobile": [],
    "snowplow_mobile_by_device": ["--session-id", "device_user_id"],
    "snowplow_dbtlabs": ["--timestamp", "derived_tstamp", "--profile-id", "domain_userid", "--event-type", "event_name",
                         "--page", "page_urlpath"],
    "datafu_clicks": ["--columns", "memberId,time,page"],
    "edgar_official_test_1": ["--session-id", "ip"],
    "edgar_sec_2017_02_14": ["--session-id", "ip"],
    "yoochoose_100k_test": [],
    "similarweb_assignment": ["--columns", "visitor,site,page,ts", "--session-id", "visitor", "--session-id", "site"],
    "similarweb_by_visitor": ["--columns", "visitor,site,page,ts"],
    "nasa_http_1995_07_01": ["--session-id", "host"],
    "movielens_latest_small": [],
    "bitcoin_otc": ["--columns", "source,target,rating,time", "--session-id", "source"],
    "diginetica_sample": ["--timestamp", "timeframe", "--time-format", "ms"],
    "rees46_tiny": [],
    "loghub_healthapp": ["--session-id", "Component", "--time-format", "%Y%m%d-%H:%M:%S:%L"],
    "sepsis": ["--session-id", "Case ID", "--timestamp", "Complete Timestamp", "--time-format", "%Y/%m/%d %H:%M:%S.%f"],
    "weblog_quarter_hour": ["--columns", "id,other,ts,page,number", "--session-id", "id"],
    "moodle_la_course": [],
    "webtrackr_tracking": ["--session-id", "panelist_id"],
    "amplitude_seed": ["--session-id", "user_id", "--timestamp", "event_time", "--event-id", "_insert_id",
                       "--event-type", "event_type"],
    "mixpanel_seed": ["--session-id", "distinct_id", "--event-id", "insert_id"],
    "lifetimes_transactions": ["--session-id", "id", "--timestamp", "date"],
}  # fmt: skip


def references() -> dict[str, Any]:
    path = DATA / "reference_counts.json"
    found: dict[str, Any] = json.loads(path.read_text())["datasets"] if path.exists() else {}
    return found


def measured(folder: Path) -> dict[str, Any]:
    """The reference's figures, from a run's outputs."""
    metrics = pl.read_parquet(folder / "metrics.parquet")
    records = pl.read_parquet(folder / "sessions.parquet")
    counts = json.loads((folder / "manifest.json").read_text())["counts"]
    micro = (metrics["end"] - metrics["start"]).dt.total_microseconds()
    return {
        "rows": counts["rows_read"],
        "rejected": counts["rejected"],
        "events": counts["events"],
        "duplicates": counts["duplicates"],
        "sessions": metrics.height,
        "total_duration_us": micro.sum(),
        "total_whole_seconds": records["metadata"].struct.field("time").struct.field("duration").sum(),
        "first": metrics["start"].min(),
        "last": metrics["end"].max(),
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_a_real_log_gives_the_reference_figures(name: str, tmp_path: Path) -> None:
    reference = references()[name]
    done = sessionize("run", SHARED.parent / reference["path"], "-o", "out", *OPTIONS[name], cwd=tmp_path)
    assert done.code == 0, done.err
    found = measured(tmp_path / "out")
    expected = {key: reference.get(key, 0) if key == "duplicates" else reference[key] for key in found}
    for key in ("first", "last"):
        expected[key] = datetime.fromisoformat(expected[key]).astimezone(UTC)
    assert found == expected


def test_every_reference_is_tried() -> None:
    assert set(references()) == set(OPTIONS)


def test_an_unknown_time_layout_is_rejected_and_never_guessed_at(tmp_path: Path) -> None:
    log = DATA / "loghub" / "HealthApp_2k.log_structured.csv.gz"
    done = sessionize("run", log, "-o", "out", "--session-id", "Component", cwd=tmp_path)
    assert done.code == 3
    assert "none of 2,000 rows is an event (2,000 bad_timestamp)" in done.err
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert "--time-format" in done.err


def test_datafu_publishes_22_sessions_at_ten_minutes(tmp_path: Path) -> None:
    log = DATA / "datafu_clicks" / "clicks.csv"
    sessionize("run", log, "-o", "out", "--columns", "memberId,time,page", "--timeout", "10m", cwd=tmp_path)
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet").height == 22
