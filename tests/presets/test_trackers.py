"""Each layout of a tracker: a small log made here in that system's exact form, its traps in it, and its sessions by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from console import sessionize
from preset_runs import ndjson, ran

from sessionize.presets import load

START = "2024-05-30T{}.000000Z"


def test_tracardi_sessions_are_its_own_and_end_at_visit_ended(tmp_path: Path) -> None:
    def event(number: int, time: str, kind: str, session: str | None, url: str | None = None) -> dict[str, Any]:
        return {
            "id": f"e{number}",
            "type": kind,
            "session": None if session is None else {"id": session},
            "profile": {"id": "p1"},
            "metadata": {"time": {"insert": f"2024-05-30T{time}+00:00"}, "ip": "203.0.113.7"},
            "context": {"page": {"url": url}},
            "utm": {"source": "news"},
        }

    events = [
        event(1, "09:00:00", "page-view", "s1", "https://shop.example/"),
        event(2, "11:00:00", "visit-ended", "s1"),  # two hours of silence do not end it
        event(3, "11:00:01", "page-view", "s1", "https://shop.example/again"),  # the end event does
        event(3, "11:00:01", "page-view", "s1", "https://shop.example/again"),  # stored twice
        event(4, "12:00:00", "order-completed", None),
    ]
    expected = [
        ("s1", "09:00:00", 2, 1, "ended"),
        ("s1", "11:00:01", 1, 1, "active"),
        (None, "12:00:00", 1, 0, "active"),
    ]
    fields = ("source_id", "start", "events", "page_views", "status")
    plain = ran(tmp_path, ndjson(tmp_path / "events.ndjson", *events), "--preset", "tracardi")
    assert plain.of(*fields) == expected
    assert plain.counts["duplicates"] == 1
    dumped = [{"_index": "tracardi-event", "_id": each["id"], "_source": each} for each in events]
    assert ran(tmp_path, ndjson(tmp_path / "dump.ndjson", *dumped), "--preset", "tracardi").of(*fields) == expected
    assert {row["utm_source"] for row in plain.sessions} == {"news"}


def enriched(**fields: str) -> str:
    columns = load("snowplow").layout.names
    assert set(fields) <= set(columns)
    return "\t".join(fields.get(name, "") for name in columns)


def test_snowplow_enriched_events_are_131_unquoted_columns(tmp_path: Path) -> None:
    one = {"event": "page_view", "event_name": "page_view", "domain_sessionid": "s1", "domain_userid": "u1"}
    lines = [
        enriched(**one, event_id="1", derived_tstamp="2024-05-30 09:00:00.123", page_url='https://x.example/?q="a'),
        enriched(**one, event_id="2", derived_tstamp="2024-05-30 09:10:00.000", page_url="https://x.example/b"),
        enriched(**one, event_id="2", derived_tstamp="2024-05-30 09:10:00.000", page_url="https://x.example/b"),
        enriched(**one, event_id="3", collector_tstamp="2024-05-30 11:00:00.000", page_url="https://x.example/c"),
        "\t".join(["cut", "short"]),
    ]
    log = tmp_path / "part-0.gz"
    log.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    found = ran(tmp_path, log, "--preset", "snowplow")
    assert found.of("source_id", "profile_id", "start", "end", "events", "page_views", "entry_page") == [
        ("s1", "u1", "09:00:00", "11:00:00", 3, 3, 'https://x.example/?q="a')
    ]
    assert (found.counts["duplicates"], found.counts["rejected_by_reason"]) == (1, {"malformed_row": 1})
    assert [(row["row"], row["raw"]) for row in found.rejected] == [(5, "cut\tshort")]


def test_the_131_columns_stand_where_snowplows_sdk_counts_them() -> None:
    columns = load("snowplow").layout.names
    places = {4: "collector_tstamp", 7: "event_id", 13: "user_id", 16: "domain_userid", 30: "page_url", 32: "page_referrer",
              48: "mkt_medium", 52: "mkt_campaign", 53: "contexts", 59: "unstruct_event", 78: "useragent", 98: "os_name",
              102: "dvce_type", 123: "derived_contexts", 124: "domain_sessionid", 125: "derived_tstamp",
              127: "event_name", 131: "true_tstamp"}  # fmt: skip
    assert {place: columns[place - 1] for place in places} == places
    assert len(set(columns)) == len(columns) == 131


def test_a_snowplow_table_with_a_header_is_read_by_its_names(tmp_path: Path) -> None:
    log = tmp_path / "events.csv"
    log.write_text(
        "event_id,event_name,domain_sessionid,domain_userid,derived_tstamp,page_url,mkt_source\n"
        '1,page_view,s1,u1,2024-05-30 09:00:00.000,"https://x.example/a,b",NULL\n'
    )
    found = ran(tmp_path, log, "--preset", "snowplow")
    assert found.of("source_id", "entry_page", "utm_source") == [("s1", "https://x.example/a,b", None)]
    assert found.columns["session_id"] == "domain_sessionid"


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_mobile_snowplow_sessions_are_inside_a_context(form: str, tmp_path: Path) -> None:
    context = "contexts_com_snowplowanalytics_snowplow_client_session_1_0_1"
    inside = [
        [{"session_id": "m1", "user_id": "u1"}],
        [],
        [{"session_id": "m1", "user_id": "u1"}, {"session_id": "no", "user_id": "no"}],
    ]
    log = pl.DataFrame(
        {
            "event_id": ["1", "2", "3"],
            "event_name": ["screen_view"] * 3,
            "domain_sessionid": pl.Series([None, "web1", None], dtype=pl.String),
            "network_userid": ["n"] * 3,
            "derived_tstamp": ["2024-05-30 09:00:00.000", "2024-05-30 09:01:00.000", "2024-05-30 11:00:00.000"],
            context: inside,
        }
    )
    path = tmp_path / f"events.{form}"
    if form == "parquet":
        log.write_parquet(path)
    else:
        log.with_columns(pl.Series(context, [json.dumps(each) for each in inside])).write_csv(path)
    assert ran(tmp_path, path, "--preset", "snowplow").of("source_id", "profile_id", "events", "page_views") == [
        ("m1", "u1", 2, 2), ("web1", "n", 1, 1),
    ]  # fmt: skip


def parameter(key: str, *, text: str | None = None, number: int | None = None) -> dict[str, Any]:
    return {"key": key, "value": {"string_value": text, "int_value": number, "float_value": None, "double_value": None}}


def ga4_event(at: str, name: str, visitor: str | None, session: int | None, url: str | None = None) -> dict[str, Any]:
    hour, minute = map(int, at.split(":"))
    return {
        "event_date": "20240530",
        "event_timestamp": 1717027200_000_000 + (hour * 60 + minute) * 60_000_000,
        "event_name": name,
        "event_params": [
            *([parameter("ga_session_id", number=session)] if session else []),
            *([parameter("page_location", text=url)] if url else []),
            parameter("engaged_session_event", number=1),
        ],
        "user_id": None,
        "user_pseudo_id": visitor,
        "collected_traffic_source": {"manual_source": "news", "manual_medium": "email", "manual_campaign_name": None,
                                     "manual_term": None, "manual_content": None},
        "ecommerce": {"purchase_revenue": 12.5 if name == "purchase" else None},
    }  # fmt: skip


GA4_EVENTS = [
    ga4_event("09:00", "page_view", "v1", 1717059600, "https://x.example/"),
    ga4_event("10:30", "purchase", "v1", 1717059600, "https://x.example/paid"),  # 90 minutes, still the same session
    ga4_event("09:00", "page_view", "v2", 1717059600, "https://x.example/"),  # another visitor, the same second
    ga4_event("23:50", "page_view", "v2", 1717112999, "https://x.example/"),
    ga4_event("23:59", "scroll", None, None),  # consent denied: neither id
]
GA4_EXPECTED = [
    ("v1|1717059600", "v1", "09:00:00", 2, 1, 1, 12.5, "news"),
    ("v2|1717059600", "v2", "09:00:00", 1, 1, 0, 0.0, "news"),
    ("v2|1717112999", "v2", "23:50:00", 1, 1, 0, 0.0, "news"),
]
GA4_FIELDS = ("source_id", "profile_id", "start", "events", "page_views", "conversions", "value", "utm_source")


def test_ga4_sessions_are_visitor_and_number_out_of_nested_parameters(tmp_path: Path) -> None:
    pl.DataFrame(GA4_EVENTS, infer_schema_length=None).write_parquet(tmp_path / "events_20240530.parquet")
    found = ran(tmp_path, tmp_path / "events_20240530.parquet", "--preset", "ga4")
    assert found.of(*GA4_FIELDS) == GA4_EXPECTED
    assert found.counts["rejected_by_reason"] == {"no_session_key": 1}


def test_ga4_as_ndjson_writes_integers_as_text_and_leaves_nulls_out(tmp_path: Path) -> None:
    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(inner) for key, inner in value.items() if inner is not None}
        return (
            [bare(each) for each in value]
            if isinstance(value, list)
            else str(value)
            if isinstance(value, int)
            else value
        )

    found = ran(tmp_path, ndjson(tmp_path / "events.json", *map(bare, GA4_EVENTS)), "--preset", "ga4")
    assert found.of(*GA4_FIELDS) == GA4_EXPECTED


def test_matomo_visits_are_sessions_and_pages_are_not_numbers(tmp_path: Path) -> None:
    (tmp_path / "actions.tsv").write_text(
        "idlink_va\tidvisit\tidvisitor\tuser_id\tserver_time\taction\turl\treferer_url\tlocation_ip\tidaction_url\n"
        "1\t7\t0A1B2C3D4E5F6071\tNULL\t2024-05-30 09:00:00\tpage\thttps://x.example/\tNULL\t203.0.113.0\t12\n"
        "2\t7\t0A1B2C3D4E5F6071\tNULL\t2024-05-30 09:29:00\tdownload\thttps://x.example/a.pdf\tNULL\t203.0.113.0\t13\n"
        "3\t8\t0A1B2C3D4E5F6071\tann\t2024-05-30 09:31:00\tpage\thttps://x.example/\tNULL\t203.0.113.0\t12\n"
    )
    found = ran(tmp_path, tmp_path / "actions.tsv", "--preset", "matomo")
    assert found.of("source_id", "profile_id", "events", "page_views", "exit_page", "referrer") == [
        ("7", "0A1B2C3D4E5F6071", 2, 1, "https://x.example/", None),
        ("8", "ann", 1, 1, "https://x.example/", None),
    ]


def test_matomo_visitors_of_eight_bytes_are_shown_as_hex(tmp_path: Path) -> None:
    pl.DataFrame(
        {"idvisit": [7], "idvisitor": [bytes.fromhex("0a1b2c3d4e5f6071")], "server_time": ["2024-05-30 09:00:00"]}
    ).write_parquet(tmp_path / "actions.parquet")
    found = ran(tmp_path, tmp_path / "actions.parquet", "--preset", "matomo")
    assert found.of("profile_id") == [("0a1b2c3d4e5f6071",)]


def posthog_event(number: int, time: str, name: str, session: str | None, **more: str) -> dict[str, Any]:
    inside = {"$current_url": f"https://x.example/{number}", "$ip": "203.0.113.7", **more}
    if session is not None:
        inside["$session_id"] = session
    return {"uuid": str(number), "event": name, "properties": json.dumps(inside), "distinct_id": "d1", "person_id": "p1",
            "timestamp": f"2024-05-30T{time}Z"}  # fmt: skip


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
def test_posthog_sessions_and_pages_are_inside_json_text(form: str, tmp_path: Path) -> None:
    events = [
        posthog_event(1, "09:00:00.500000", "$pageview", "s1", utm_source="news"),
        posthog_event(2, "09:20:00.000000", "$pageleave", "s1"),
        posthog_event(3, "09:21:00.000000", "$pageview", "s2"),
        posthog_event(4, "09:22:00.000000", "job_done", None),
        posthog_event(5, "12:00:00.000000", "job_done", None),
    ]
    log = tmp_path / f"events.{form}"
    if form == "parquet":
        pl.DataFrame(events).with_columns(pl.col("timestamp").str.to_datetime(time_zone="UTC")).write_parquet(log)
    else:
        ndjson(log, *({**each, "properties": json.loads(each["properties"])} for each in events))
    found = ran(tmp_path, log, "--preset", "posthog")
    assert found.of("source_id", "profile_id", "start", "events", "page_views", "entry_page", "utm_source") == [
        ("s1", "p1", "09:00:00", 2, 1, "https://x.example/1", "news"),
        ("s2", "p1", "09:21:00", 1, 1, "https://x.example/3", None),
        (None, "p1", "09:22:00", 1, 0, "https://x.example/4", None),
        (None, "p1", "12:00:00", 1, 0, "https://x.example/5", None),
    ]


def test_amplitudes_minus_one_is_no_session(tmp_path: Path) -> None:
    def event(number: int, time: str, user: int, session: int, kind: str = "click") -> dict[str, Any]:
        return {
            "$insert_id": f"i{number}", "uuid": f"u{number}", "amplitude_id": user, "user_id": f"user{user}",
            "session_id": session, "event_time": f"2024-05-30 {time}.000000", "event_type": kind,
            "client_event_time": "1999-01-01 00:00:00.000000", "ip_address": "203.0.113.7",
            "event_properties": {"[Amplitude] Page URL": f"https://x.example/{number}"},
        }  # fmt: skip

    began = 1717059600000
    log = ndjson(
        tmp_path / "a.json",
        event(1, "09:00:00", 1, began, "[Amplitude] Page Viewed"),
        event(2, "09:10:00", 1, began),
        event(2, "09:10:00", 1, began),  # uploaded twice
        event(3, "09:00:00", 2, began),  # another user, the same millisecond
        event(4, "09:05:00", 1, -1),  # pushed by a server, in the midst of the session
        event(5, "15:00:00", 1, -1),
        event(6, "15:00:00", 2, -1),
    )
    found = ran(tmp_path, log, "--preset", "amplitude")
    assert found.of("source_id", "profile_id", "start", "events", "page_views", "entry_page") == [
        (f"1|{began}", "user1", "09:00:00", 2, 1, "https://x.example/1"),
        (f"2|{began}", "user2", "09:00:00", 1, 0, "https://x.example/3"),
        (None, "user1", "09:05:00", 1, 0, "https://x.example/4"),
        (None, "user1", "15:00:00", 1, 0, "https://x.example/5"),
        (None, "user2", "15:00:00", 1, 0, "https://x.example/6"),
    ]
    assert found.counts["duplicates"] == 1


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_mixpanel_events_are_inside_properties(scale: int, tmp_path: Path) -> None:
    def event(number: int, minutes: int) -> dict[str, Any]:
        return {"event": "$mp_web_page_view",
                "properties": {"time": (1717059600 + 60 * minutes) * scale, "distinct_id": "d1", "$insert_id": f"i{number}",
                               "$current_url": f"https://x.example/{number}", "utm_source": "news"}}  # fmt: skip

    log = ndjson(tmp_path / "export.ndjson", event(1, 0), event(2, 30), event(2, 30), event(3, 61))
    found = ran(tmp_path, log, "--preset", "mixpanel")
    assert found.of("profile_id", "start", "events", "page_views", "entry_page", "utm_source") == [
        ("d1", "09:00:00", 2, 2, "https://x.example/1", "news"),
        ("d1", "10:01:00", 1, 1, "https://x.example/3", "news"),
    ]


def test_a_purchase_that_repeats_an_order_is_a_page_view(tmp_path: Path) -> None:
    names = (
        "post_visid_high", "post_visid_low", "visit_num", "visit_start_time_gmt", "hit_time_gmt", "exclude_hit", "hit_source",
        "post_page_event", "post_page_url", "post_event_list", "duplicate_purchase",
    )  # fmt: skip
    (tmp_path / "column_headers.tsv").write_text("\t".join(names) + "\n")
    hit = "1\t2\t1\t1717063200\t17170632{0}0\t0\t1\t0\thttps://e.com/t\t1,200=300\t{1}\n"
    (tmp_path / "hit_data.tsv").write_text(hit.format(6, 0) + hit.format(7, 1))
    assert ran(tmp_path, tmp_path / "hit_data.tsv").of("page_views", "conversions", "value") == [(2, 1, 300.0)]


def test_a_condition_on_an_object_holds_where_its_fields_are_columns(tmp_path: Path) -> None:
    row = {
        "ts": [1717063200.1],
        "logger": ["http.log.access"],
        "request.remote_ip": ["203.0.113.4"],
        "request.uri": ["/a"],
    }
    pl.DataFrame(row).write_parquet(tmp_path / "log.parquet")
    assert ran(tmp_path, tmp_path / "log.parquet", "--preset", "caddy").of("page_views") == [(1,)]


def test_lines_of_json_without_a_layouts_event_id_fail_no_check(tmp_path: Path) -> None:
    line = {
        "time_local": "30/May/2024:10:00:00 +0000",
        "remote_addr": "203.0.113.4",
        "request_uri": "/a",
        "http_user_agent": "M",
    }
    ndjson(tmp_path / "access.ndjson", *[line | {"status": 200}] * 3)
    said = sessionize("check", "access.ndjson", "--preset", "nginx-json", cwd=tmp_path)
    assert (said.code, "null-event-ids" in said.err) == (0, False), said.err


def test_a_record_of_opentelemetry_without_its_own_time_is_of_the_time_it_was_seen(tmp_path: Path) -> None:
    records = [
        {"timeUnixNano": own, "observedTimeUnixNano": "1717063200000000000",
         "attributes": [{"key": "session.id", "value": {"stringValue": "s1"}}]} for own in ("0", "1717063260000000000")
    ]  # fmt: skip
    log = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    found = ran(tmp_path, ndjson(tmp_path / "otlp.ndjson", log), "--preset", "otel")
    assert found.of("start", "events", "duration_s") == [("10:00:00", 2, 60.0)]
