"""What real exports differ in from one another: names of columns, keys that come late, lists, tables that lie apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from budget import quick_first
from preset_runs import CASES, needs_cases, ran

from sessionize.errors import UsageError


@needs_cases
@pytest.mark.parametrize("preset", ["segment", "rudderstack"])
@pytest.mark.parametrize("order", [("tracks", "pages", "order_completed"), ("order_completed", "pages", "tracks")])
def test_revenue_stands_in_an_events_own_table_whichever_file_comes_first(
    order: tuple[str, ...], preset: str, tmp_path: Path
) -> None:
    tables = [CASES / "P-SEGMENT-TABLES" / f"{name}.csv" for name in order]
    found = ran(tmp_path, *tables, "--preset", preset)
    assert (found.totals[1:6], found.counts["duplicates"]) == ((1, 3, 1, 1, 25.5), 1)


SPELLINGS: Final = [
    f"contexts_com_snowplowanalytics_snowplow_client_session_{version}" for version in ("1", "1_0_0", "1_0_1", "1_0_2")
]


@pytest.mark.parametrize("upper", quick_first([False, True]))
@pytest.mark.parametrize("key", quick_first(["session_id", "sessionId"]))
@pytest.mark.parametrize("column", SPELLINGS)
def test_mobile_sessions_of_snowplow_are_found_in_every_spelling(
    column: str, key: str, *, upper: bool, tmp_path: Path
) -> None:
    user = "user_id" if key == "session_id" else "userId"
    frame = pl.DataFrame(
        {
            "event_id": ["1", "2", "3"],
            "event_name": ["screen_view"] * 3,
            "collector_tstamp": ["2024-05-30 10:00:00", "2024-05-30 10:01:00", "2024-05-30 10:02:00"],
            "derived_tstamp": ["2024-05-30 10:00:00", "2024-05-30 10:01:00", "2024-05-30 10:02:00"],
            "domain_userid": pl.Series([None] * 3, dtype=pl.String),
            "network_userid": ["n"] * 3,
            column: [[{key: "S1", user: "u"}], [{key: "S2", user: "u"}], [{key: "S1", user: "u"}]],
        }
    )
    frame = frame.rename(str.upper) if upper else frame
    frame.write_parquet(tmp_path / "log.parquet")
    found = ran(tmp_path, tmp_path / "log.parquet")
    assert found.of("source_id", "profile_id", "events") == [("S1", "u", 2), ("S2", "u", 1)]
    texts = [json.dumps(each) for each in frame[frame.columns[-1]].to_list()]
    frame.with_columns(pl.Series(frame.columns[-1], texts)).write_csv(tmp_path / "log.csv")
    assert ran(tmp_path, tmp_path / "log.csv").of("source_id", "profile_id", "events") == found.of(
        "source_id", "profile_id", "events"
    )


def test_amplitudes_revenue_and_referrer_are_properties(tmp_path: Path) -> None:
    base = {"amplitude_id": 1, "session_id": 5, "user_id": "u", "uuid": "", "user_properties": {"utm_source": "news"}}
    lines = [
        {**base, "uuid": "a", "event_time": "2024-05-30 10:00:00.1", "event_type": "[Amplitude] Page Viewed",
         "event_properties": {"referrer": "https://google.com/", "[Amplitude] Page URL": "https://x.example/"}},
        {**base, "uuid": "b", "event_time": "2024-05-30 10:01:00.1", "event_type": "revenue_amount",
         "event_properties": {"$revenue": 9.99}},
    ]  # fmt: skip
    log = tmp_path / "export.json"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (row,) = ran(tmp_path, log).sessions
    assert (row["value"], row["conversions"], row["referrer"]) == (9.99, 1, "https://google.com/")
    assert (row["utm_source"], row["entry_page"]) == ("news", "https://x.example/")


@needs_cases
def test_columns_are_named_by_a_file(tmp_path: Path) -> None:
    log = tmp_path / "data.tsv"  # no file beside it has its columns' names
    rows = (CASES / "P-ADOBE.hit_data.tsv").read_text().splitlines(keepends=True)
    log.write_text("".join(rows))
    header = CASES / "P-ADOBE.column_headers.tsv"
    found = ran(tmp_path, log, "--preset", "adobe", "--columns", f"@{header}")
    assert found.totals == (None, 2, 5, 4, 1, 25.5, "https://shop.example.com/home")
    with pytest.raises(UsageError, match="--columns @nowhere"):
        ran(tmp_path, log, "--columns", "@nowhere")


def test_elements_of_a_list_are_rows_with_the_number_of_their_line(tmp_path: Path) -> None:
    lines = [
        {"mpid": "1", "message_type": "events", "events": [
            {"event_type": "screen_view", "data": {"timestamp_unixtime_ms": 1717063200000, "screen_name": "Home"}},
            {"event_type": "screen_view", "data": {"timestamp_unixtime_ms": "never"}},
        ]},
        {"mpid": "1", "message_type": "events", "events": []},
        {"mpid": "1", "message_type": "events", "events": [
            {"event_type": "custom_event", "data": {"timestamp_unixtime_ms": 1717063260000, "event_name": "Tap"}}]},
    ]  # fmt: skip
    log = tmp_path / "batches.ndjson"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = ran(tmp_path, log)
    assert found.totals == ("mparticle", 1, 2, 1, 0, 0, "Home")
    rejected = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert [(row["row"], row["reason"]) for row in rejected] == [(1, "bad_timestamp")]


def test_live_visits_of_matomo_are_cut_into_their_actions(tmp_path: Path) -> None:
    visit = {"idVisit": "7", "visitorId": "v", "userId": None, "visitIp": "203.0.113.4", "actionDetails": [
        {"type": "action", "url": "https://x.example/", "timestamp": 1717063200},
        {"type": "goal", "revenue": 9.5, "timestamp": 1717063260},
    ]}  # fmt: skip
    (tmp_path / "visits.ndjson").write_text(json.dumps(visit) + "\n")
    assert ran(tmp_path, tmp_path / "visits.ndjson").totals == ("matomo, API", 1, 2, 1, 1, 9.5, "https://x.example/")


def test_keys_that_only_later_lines_have_are_a_presets_too(tmp_path: Path) -> None:
    def line(second: int, **more: Any) -> str:
        made = {"event_timestamp": str(1673858394_000000 + second * 1_000_000), "event_name": "page_view"}
        made |= {"user_pseudo_id": "A", "ga_session_id": "1"}
        return json.dumps({**made, **more}) + "\n"

    log = tmp_path / "flat.ndjson"
    log.write_text("".join(line(n) for n in range(1100)) + line(1100, user_id="ann"))
    (row,) = ran(tmp_path, log).sessions
    assert (row["profile_id"], row["events"]) == ("A", 1101)
    assert ran(tmp_path, log).manifest["columns"]["profile_id"] == "user_id ?? user_pseudo_id"


def test_a_column_may_have_a_name_that_is_no_reference(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("a[b,c ?? d,time\n1,x,2024-05-30 09:00\n")
    found = ran(tmp_path, log, "--session-id", "a[b", "--profile-id", "c ?? d")
    assert found.of("source_id", "profile_id") == [("1", "x")]
    with pytest.raises(UsageError, match="at character 2 "):
        ran(tmp_path, log, "--session-id", "c[d")


def test_references_work_wherever_a_column_is_named(tmp_path: Path) -> None:
    line = {"Timestamp": "2024-05-30 09:00", "LogAttributes": {"session.id": "s1", "plan.name": "pro", "a/b": "x"}}
    log = tmp_path / "log.ndjson"
    log.write_text(
        "".join(json.dumps(line) + "\n" for _ in range(2)) + json.dumps({**line, "late": {"k.l": "z"}}) + "\n"
    )
    found = ran(
        tmp_path, log, "--session-id", "LogAttributes['session.id']", "--map", "utm_source=LogAttributes['a/b']",
        "--property", "LogAttributes['plan.name']", "--trait", "late['k.l']", "--split-on", "LogAttributes['plan.name']",
    )  # fmt: skip
    assert found.of("source_id", "utm_source", "events") == [("s1", "x", 3)]
    (record,) = [json.loads(each) for each in (tmp_path / "out" / "sessions.ndjson").read_text().splitlines()]
    assert record["properties"] == {"LogAttributes['plan.name']": "pro"}
    assert record["traits"] == {"late['k.l']": "z"}
