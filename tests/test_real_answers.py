"""Answers that others have published for real logs, by the rules their authors state."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize

DATA = Path(__file__).parent.parent.parent / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]


def metrics(folder: Path, *arguments: object) -> pl.DataFrame:
    done = sessionize("run", *arguments, "-o", "out", cwd=folder)
    assert done.code == 0, done.err
    return pl.read_parquet(folder / "out" / "metrics.parquet")


def counts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "manifest.json").read_text())["counts"]
    return found


def test_edgars_own_answer_from_its_own_file_with_date_and_time_apart(tmp_path: Path) -> None:
    folder = DATA / "edgar_insight" / "official_test_1"
    period = (folder / "inactivity_period.txt").read_text().strip()
    options = ("--session-id", "ip", "--timestamp", "date", "--timestamp", "time", "--timeout", f"{period}s")
    found = metrics(tmp_path, folder / "log.csv", *options)
    ours = sorted(
        f"{ip},{start:%Y-%m-%d %H:%M:%S},{end:%Y-%m-%d %H:%M:%S},{duration + 1:.0f},{events}"
        for ip, start, end, duration, events in found.select("source_id", "start", "end", "duration_s", "events").rows()
    )
    assert ours == sorted((folder / "sessionization.txt").read_text().split("\n")[:-1])


def test_the_secs_log_of_two_columns_for_the_time_gives_the_reference(tmp_path: Path) -> None:
    log = DATA / "edgar_insight" / "sec_2017_02_14" / "log.csv.gz"
    found = metrics(tmp_path, log, "--session-id", "ip", "--timestamp", "date", "--timestamp", "time")
    assert (found.height, int(found["duration_s"].sum()), found["events"].max()) == (312, 670, 114)


def test_datafus_published_figures_at_ten_minutes(tmp_path: Path) -> None:
    folder = DATA / "datafu_clicks"
    expected = json.loads((folder / "expected.json").read_text())
    found = metrics(tmp_path, folder / "clicks.csv", "--columns", "memberId,time,page", "--timeout", "10m")
    minutes = found["duration_s"] / 60
    assert found.height == expected["sessions"]
    assert minutes.mean() == pytest.approx(expected["average_min"], abs=1e-9)
    assert minutes.std(ddof=0) == pytest.approx(expected["population_standard_deviation_min"], abs=1e-9)
    assert minutes.median() == pytest.approx(expected["median_min"], abs=1e-9)
    ordered = minutes.sort()
    ranks = [ordered[-(-len(ordered) * share // 100) - 1] for share in (75, 90, 95)]
    assert ranks == pytest.approx(expected["quantiles_075_090_095_min"], abs=1e-9)


def test_similarwebs_sessions_and_medians_of_each_site(tmp_path: Path) -> None:
    folder = DATA / "similarweb_assignment"
    found = metrics(
        tmp_path, *sorted(folder.glob("input_*.csv.gz")), "--columns", "visitor,site,page,ts",
        "--session-id", "visitor", "--session-id", "site",
    )  # fmt: skip
    ours = (
        found.group_by(site=pl.col("source_id").str.split("|").list.last())
        .agg(sessions=pl.len().cast(pl.Int64), median_length_s=pl.col("duration_s").median())
        .sort("site")
    )
    assert ours.equals(pl.read_csv(folder / "expected_per_site.csv").sort("site"))


LATE = (
    "STRPTIME(dvce_sent_tstamp, '%Y-%m-%d %H:%M:%S%.f') <= "
    "STRPTIME(dvce_created_tstamp, '%Y-%m-%d %H:%M:%S%.f') + INTERVAL '3 days'"
)
"""Snowplow's first rule: what was sent over three days after it was made is left out."""
LONG = "ce997048-b49e-4bc4-be40-ed93729a54d3"
QUARANTINED = f"(session_id <> '{LONG}' OR collector_tstamp <= '2021-03-10 22:46:41.963')"
"""Its second rule looks at a whole session: of the one that is over three days long, the end of the third day."""


def test_snowplows_own_mobile_sessions(tmp_path: Path) -> None:
    folder = DATA / "snowplow_mobile"
    found = metrics(
        tmp_path, folder / "snowplow_mobile_events_flat.csv", "--preset", "snowplow", "--session-id", "session_id",
        "--profile-id", "device_user_id", "--where", f"{LATE} AND {QUARANTINED}",
    )  # fmt: skip
    expected = pl.read_csv(folder / "snowplow_mobile_sessions_expected.csv", infer_schema=False)
    times = pl.col("start_tstamp", "end_tstamp").str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC"
    )
    theirs = expected.select(
        "session_id", "device_user_id", times, "first_event_name", "last_event_name",
        duration=pl.col("session_duration_s").cast(pl.Int64),
    ).sort("session_id")  # fmt: skip
    whole = pl.col("end").dt.truncate("1s") - pl.col("start").dt.truncate("1s")
    ours = found.select(
        pl.col("source_id").alias("session_id"), pl.col("profile_id").alias("device_user_id"),
        pl.col("start").alias("start_tstamp"), pl.col("end").alias("end_tstamp"),
        pl.col("entry_event").alias("first_event_name"), pl.col("exit_event").alias("last_event_name"),
        duration=whole.dt.total_seconds(),
    ).sort("session_id")  # fmt: skip
    assert ours.rows() == theirs.rows()
    views = dict(expected.select("session_id", "screen_views").rows())
    shown = dict(found.filter(source_id=LONG).select("source_id", "page_views").rows())
    assert shown == {LONG: int(views[LONG])}


def test_snowplows_original_table_has_its_session_ids_inside_a_context(tmp_path: Path) -> None:
    folder = DATA / "snowplow_mobile"
    deep = metrics(tmp_path, folder / "snowplow_mobile_events.csv.gz", "--preset", "snowplow")
    assert counts(tmp_path)["rejected"] == 0
    flat = metrics(
        tmp_path, folder / "snowplow_mobile_events_flat.csv", "--preset", "snowplow", "--session-id", "session_id",
        "--profile-id", "device_user_id",
    )  # fmt: skip
    same = ("session_id", "profile_id", "start", "end", "events", "entry_event", "exit_event")
    assert deep.height == 8
    assert deep.select(same).equals(flat.select(same))


def test_the_snowplow_package_of_dbt_labs_over_two_nights(tmp_path: Path) -> None:
    folder = DATA / "snowplow_dbtlabs"
    found = metrics(
        tmp_path, *sorted(folder.glob("sp_event*.csv")), "--preset", "snowplow",
    )  # fmt: skip
    expected = pl.read_csv(folder / "snowplow_sessions_expected.csv", infer_schema=False, null_values="NULL")
    local = pl.col("session_start", "session_end").str.to_datetime("%Y-%m-%d %k:%M:%S", time_unit="us")
    utc = local.dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")
    theirs = expected.select("session_id", utc, "user_snowplow_domain_id").sort("session_id")
    ours = found.select("source_id", "start", "end", "profile_id").sort("source_id")
    assert ours.rows() == theirs.rows()
    visited = dict(expected.select("session_id", "marketing_source").rows())
    assert dict(found.select("source_id", "utm_source").rows()) == visited


def test_the_web_servers_own_lines_give_the_reference_of_the_converted_log(tmp_path: Path) -> None:
    log = DATA / "apache_access_log" / "apache_logs.log.gz"
    found = metrics(tmp_path, log, "--preset", "combined", "--session-id", "ip")
    assert counts(tmp_path)["rejected"] == 0
    reference = json.loads((DATA / "reference_counts.json").read_text())["datasets"]["apache_access_log"]
    assert (found.height, found["events"].sum()) == (reference["sessions"], reference["events"])
    assert (found["end"] - found["start"]).sum() == timedelta(microseconds=reference["total_duration_us"])


@pytest.mark.parametrize(
    ("name", "preset"),
    [("amplitude_event_data", "amplitude"), ("mixpanel_event", "mixpanel")],
    ids=["-1", "no session"],
)
def test_peers_seeds_by_their_presets_give_the_reference(name: str, preset: str, tmp_path: Path) -> None:
    found = metrics(tmp_path, DATA / "peer_seeds" / f"{name}.csv", "--preset", preset)
    reference = json.loads((DATA / "reference_counts.json").read_text())["datasets"][f"{preset}_seed"]
    assert (found.height, found["events"].sum()) == (reference["sessions"], reference["events"])
