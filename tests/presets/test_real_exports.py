"""Every system's real exports: found by themselves, in every form and spelling that people hold; and none taken by accident."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from budget import in_turn, quick_first
from console import ROOT, typed

from sessionize import Config, sessionize
from sessionize.errors import UsageError
from sessionize.presets import load, names, tails
from sessionize.presets.recognise import COLUMNS, by_columns

CASES: Final = ROOT.parent / "shared" / "cases"
DATA: Final = ROOT.parent / "shared" / "data"
needs_cases: Final = pytest.mark.skipif(not CASES.is_dir(), reason="samples are not here")
VISITOR: Final = 32
"""Characters of a visitor's digest."""


class Ran:
    """What a run wrote."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.counts = self.manifest["counts"]
        self.layout = self.manifest["layout"]
        lines = (folder / "metrics.ndjson").read_text().splitlines()
        self.sessions = [json.loads(line) for line in lines]

    def of(self, *fields: str) -> list[tuple[Any, ...]]:
        return [tuple(row[field] for field in fields) for row in self.sessions]

    @property
    def totals(self) -> tuple[Any, ...]:
        """Layout, sessions, events, page views, conversions, value, first entry page."""
        rows = self.sessions
        sums = [sum(row[name] for row in rows) for name in ("events", "page_views", "conversions")]
        value = sum(row["value"] or 0 for row in rows)
        return (self.layout, len(rows), *sums, value, rows[0]["entry_page"] if rows else None)


def ran(folder: Path, *arguments: object, command: str = "run") -> Ran:
    out = folder / "out"
    typed([command, *map(str, arguments), "-o", str(out), "--format", "ndjson", "-q"])
    return Ran(out)


SAMPLES: Final[dict[str, tuple[Any, ...]]] = {
    "P-ADOBE.hit_data.tsv": ("adobe", 2, 5, 4, 1, 25.5, "https://shop.example.com/home"),
    "P-ALB.log": ("alb", 1, 2, 2, 0, 0, "http://www.example.com:80/?utm_source=x"),
    "P-CADDY.log": ("caddy", 1, 1, 1, 0, 0, "/?utm_source=x"),
    "P-CLAUDECODE.jsonl": ("claude-code", 2, 3, 0, 0, 0, None),
    "P-CLOUDFLARE.ndjson": ("cloudflare", 1, 1, 1, 0, 0, "/?utm_source=x"),
    "P-CLOUDFRONT-QUERY.log": ("cloudfront", 3, 3, 3, 0, 0, "/index.html?utm_source=x&utm_medium=cpc"),
    "P-COUNTLY.ndjson": ("countly", 1, 3, 1, 1, 25.5, "Home"),
    "P-DEBEZIUM.ndjson": ("debezium", 1, 2, 1, 0, 0, "https://example.com/"),
    "P-FASTLY.ndjson": ("fastly", 1, 1, 1, 0, 0, "/?utm_source=x"),
    "P-GA4-FLAT-TWO-VISITORS.csv": ("ga4, flat", 2, 4, 3, 1, 0, "https://shop.example.com/"),
    "P-HEAP.csv": (None, 1, 2, 2, 0, 0, "/"),
    "P-IIS.log": ("iis", 1, 2, 2, 0, 0, "/index.aspx?utm_source=x"),
    "P-MATOMO-API-ACTIONS.ndjson": ("matomo, actions", 1, 2, 1, 0, 0, "http://www.example.org/page"),
    "P-MPARTICLE.ndjson": ("mparticle", 1, 2, 1, 1, 25.5, "Home"),
    "P-NGINXJSON.log": ("nginx-json", 1, 2, 2, 0, 0, "/?utm_source=x"),
    "P-OTEL-FLAT.ndjson": ("otel, ClickHouse", 1, 2, 1, 0, 0, "https://example.com/"),
    "P-OTLP.ndjson": ("otel, OTLP", 1, 1, 1, 0, 0, "https://example.com/"),
    "P-PENDO.ndjson": ("pendo", 1, 2, 1, 0, 0, "https://app.example.com/"),
    "P-PIWIKPRO.csv": ("piwik-pro", 1, 2, 1, 1, 25.5, "https://example.com/"),
    "P-PLAUSIBLE.csv": ("plausible", 1, 3, 1, 1, 25.5, "/"),
    "P-POSTHOG-DIRECT.jsonl": ("posthog", 2, 5, 1, 1, 5.0, None),
    "P-RUDDERSTACK-DATALAKE-TRACKS.csv": ("rudderstack", 1, 2, 0, 1, 0, "https://s.example.com/p"),
    "P-SEGMENT-S3.ndjson": ("segment-json", 1, 3, 1, 1, 25.5, "https://example.com/?utm_source=x"),
    "P-SEGMENT-TABLES": ("rudderstack", 1, 5, 1, 1, 25.5, "https://s.example.com/"),
    "P-SEGMENT-UPPER-TRACKS.csv": ("rudderstack", 1, 2, 0, 1, 0, "https://s.example.com/p"),
    "P-SHOPIFY.csv": ("shopify", 1, 2, 0, 2, 31.0, "/"),
    "P-SNOWPLOW-MICRO.ndjson": ("snowplow-micro", 1, 1, 1, 0, 0, "https://example.com/"),
    "P-SNOWPLOW-SESSION-SNAKE.ndjson": ("snowplow, events table", 2, 2, 2, 0, 0, None),
    "P-TRACARDI.ndjson": ("tracardi", 2, 4, 1, 1, 25.5, "https://shop.example.com/?utm_source=news"),
    "P-UMAMI.csv": ("umami", 2, 4, 3, 0, 0, "/?utm_source=x"),
    "P-VERCEL.ndjson": ("vercel", 1, 1, 1, 0, 0, "/dynamic/some-value.json?route=some-value"),
    "P-VHOST.log": ("combined", 1, 2, 2, 0, 0, "/?utm_source=x"),
    "P-ZEEK.log": ("zeek", 1, 2, 2, 0, 0, "/?utm_source=x"),
    "P-ZEEKJSON.log": ("zeek, JSON", 1, 1, 1, 0, 0, "/?utm_source=x"),
}
"""Sample → layout, sessions, events, page views, conversions, value, first entry page."""


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_rightly_with_no_option(name: str, tmp_path: Path) -> None:
    assert ran(tmp_path, CASES / name).totals == SAMPLES[name]


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, told in SAMPLES.items() if told[0] is not None])
def test_a_sample_is_read_the_same_with_its_preset_named(name: str, tmp_path: Path) -> None:
    layout = SAMPLES[name][0].split(",")[0]
    assert ran(tmp_path, CASES / name, "--preset", layout).totals == (None, *SAMPLES[name][1:])


@needs_cases
def test_every_sample_is_looked_at() -> None:
    there = {path.name for path in CASES.glob("P-*")}
    assert there - set(SAMPLES) == {"P-ADOBE.column_headers.tsv", "P-MATOMO-RAW-ACTIONS.csv"}


def inside(types: list[pl.DataType]) -> list[Any]:
    """Types, and those inside them."""
    deeper = [inner.dtype for dtype in types if isinstance(dtype, pl.Struct) for inner in dtype.fields]
    deeper += [dtype.inner for dtype in types if isinstance(dtype, pl.List)]
    return [*types, *inside(deeper)] if deeper else list(types)  # type: ignore[arg-type]


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "form"),
    [
        *in_turn([name for name in SAMPLES if name.endswith(".csv")], ["gz", "parquet", "upper"]),
        *in_turn([name for name in SAMPLES if name.endswith(("ndjson", "jsonl"))], ["gz", "parquet"]),
    ],
)
def test_a_sample_is_read_the_same_in_other_forms(name: str, form: str, tmp_path: Path) -> None:
    source = CASES / name
    is_csv = name.endswith(".csv")
    if form == "gz":
        log = tmp_path / f"{name}.gz"
        log.write_bytes(gzip.compress(source.read_bytes()))
    elif form == "parquet":
        log = tmp_path / "log.parquet"
        frame = pl.read_csv(source, infer_schema=False) if is_csv else pl.read_ndjson(source)
        empty = any(isinstance(dtype, pl.Struct) and not dtype.fields for dtype in inside(frame.schema.dtypes()))
        if empty:  # Parquet has no empty structs: a loader writes nested values as JSON text
            frame = pl.read_ndjson(source, schema=dict.fromkeys(frame.columns, pl.String))
        frame.write_parquet(log)
    else:
        log = tmp_path / "upper.csv"
        header, _, rows = source.read_text().partition("\n")
        log.write_text(f"{header.upper()}\n{rows}")
    found = ran(tmp_path, log)
    assert (found.layout, *found.totals[1:]) == SAMPLES[name]


PLAIN: Final = {
    "events.csv": ROOT / "sample_data" / "events.csv",
    "events.parquet": ROOT / "sample_data" / "events.parquet",
    **{path.relative_to(DATA).as_posix(): path for path in sorted(DATA.rglob("*")) if path.is_file() and (
        not path.is_relative_to(DATA / "snowplow_mobile") or "flat" in path.name)
        and path.name.endswith((".csv", ".parquet", ".csv.gz", ".tsv.gz", ".txt.gz"))
        and not path.name.startswith(("sp_event", "amplitude_event", "mixpanel_event"))},
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_a_log_of_no_vendor_is_taken_for_none(name: str) -> None:
    from sessionize.read import open_log  # noqa: PLC0415

    if not PLAIN[name].is_file():
        pytest.skip("the log is not here")
    try:
        log = open_log(Config(inputs=(str(PLAIN[name]),)))
    except UsageError as error:
        assert "layout" not in str(error), error  # noqa: PT017 - any other refusal is one of the log itself
        return
    except Exception:  # a log without a header, or with one that is refused: no layout all the same
        return
    assert log.config.preset is None


@pytest.mark.parametrize(
    "columns",
    [
        "session_id user_id timestamp event_type page referrer value",
        "session_id visitor_id event_id time url",
        "event_timestamp event_name user_id ga_session_id",
        "id user_id timestamp event name properties",
        "ip time request status user_agent",
        "ts uid host uri",
        "timestamp name user_id session_id",
        "type timestamp context properties userId",
        "visitId page action timestamp",
        "events mpid",
    ],
)
def test_usual_names_make_no_vendor(columns: str) -> None:
    assert by_columns(columns.split(), lambda _: False) == []


def test_two_layouts_that_fit_are_a_question(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "website_id,visit_id,session_id,url_path,created_at,visitorId,accountId,browserTime\n"
        "w,v,s,/,2024-05-30 10:00:00,x,y,1717063200123\n"
    )
    with pytest.raises(UsageError, match="could be of pendo or of umami") as told:
        ran(tmp_path, log)
    assert "--preset none" in str(told.value.hint)
    assert ran(tmp_path, log, "--preset", "umami").totals[:3] == (None, 1, 1)


@needs_cases
def test_actions_of_matomo_that_are_not_joined_are_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be joined"):
        ran(tmp_path, CASES / "P-MATOMO-RAW-ACTIONS.csv")
    assert len(ran(tmp_path, CASES / "P-MATOMO-RAW-ACTIONS.csv", "--preset", "none").sessions) == 1


@pytest.mark.parametrize("name", quick_first(names()))
def test_a_preset_on_another_log_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"layout|#Fields|names no columns"):
        ran(tmp_path, ROOT / "sample_data" / "events.csv", "--preset", name)
    assert not (tmp_path / "out" / "manifest.json").exists()


@needs_cases
@pytest.mark.parametrize(
    ("log", "preset", "fits"),
    [
        ("P-UMAMI.csv", "segment", "--preset umami"),
        ("P-GA4-FLAT-TWO-VISITORS.csv", "amplitude", "--preset ga4"),
        ("P-GA4-FLAT-TWO-VISITORS.csv", "combined", "--preset ga4"),
        ("P-VHOST.log", "alb", "--preset combined"),
        ("P-CADDY.log", "traefik", "--preset caddy"),
    ],
)
def test_the_refusal_of_a_preset_names_the_one_that_fits(log: str, preset: str, fits: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        ran(tmp_path, CASES / log, "--preset", preset)
    assert fits in str(told.value.hint)


def test_a_role_that_a_preset_names_is_never_found_by_a_usual_name(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("at,who,value,page\n2024-05-30 09:00,ann,1,/a\n")
    (tmp_path / "own.toml").write_text(
        'title = "x"\n[columns]\ntimestamp = ["at"]\nprofile_id = ["who"]\nvalue = ["worth"]\nevent_type = ["kind ?? \'page\'"]\n'
    )
    found = ran(tmp_path, log, "--preset", tmp_path / "own.toml")
    assert found.manifest["columns"] == {"profile_id": "who", "timestamp": "at", "page": "page"}


FLAT_GA4: Final = (
    "event_timestamp,event_name,user_pseudo_id,ga_session_id,page_location\n"
    "1673858394000000,page_view,A.1,1673858394,/\n"
    "1673858394500000,page_view,B.2,1673858394,/b\n"
    "1673865594000000,page_view,A.1,1673858394,/c\n"
)


def test_check_stdin_a_folder_and_python_find_the_same_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text(FLAT_GA4)
    assert ran(tmp_path, tmp_path / "logs").totals[:3] == ("ga4, flat", 2, 3)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FLAT_GA4.encode())))
    assert ran(tmp_path, "-").totals[:3] == ("ga4, flat", 2, 3)
    frames = sessionize(pl.read_csv(io.StringIO(FLAT_GA4)))
    assert frames.metrics["source_id"].to_list() == ["A.1|1673858394", "B.2|1673858394"]
    capsys.readouterr()
    typed(["check", str(tmp_path / "logs"), "--exit-zero"])
    assert "layout  ga4, flat (found); --preset none switches it off" in capsys.readouterr().err


def test_what_is_typed_and_configured_beats_a_layout_that_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "a.csv"
    log.write_text(FLAT_GA4)
    assert len(ran(tmp_path, log, "--timeout", "30m").sessions) == 3
    (tmp_path / "sessionize.toml").write_text('timeout = "30m"\n')
    assert len(ran(tmp_path, log).sessions) == 3
    found = ran(tmp_path, log, "--preset", "none")
    assert (found.layout, found.manifest["columns"]["profile_id"]) == (None, "user_pseudo_id")


def test_nights_keep_the_layout_of_the_first_and_its_columns_in_parts(tmp_path: Path) -> None:
    def night(day: int, text: str, *more: str) -> Ran:
        log = tmp_path / f"{day}.ndjson"
        log.write_text(text)
        state = ("--state", str(tmp_path / "state"), "--batch", f"2024-05-{day}", *more)
        out = tmp_path / "out" / f"batch=2024-05-{day}"
        arguments = ["run", str(log), "-o", str(tmp_path / "out"), "--format", "ndjson", "-q", *state]
        typed(arguments)
        return Ran(out)

    def call(day: int, number: int, **more: Any) -> str:
        made = {"messageId": f"m{number}", "type": "page", "context": {"ip": "203.0.113.4"}, "anonymousId": "a"}
        return json.dumps({**made, "timestamp": f"2024-05-{day}T10:0{number}:00Z", **more}) + "\n"

    first = night(29, call(29, 0, receivedAt="x") + call(29, 1, receivedAt="x", event="Order Completed", type="track"))
    assert (first.layout, first.sessions[0]["events"]) == ("segment-json", 2)
    second = night(30, call(30, 2))  # has no receivedAt, no event: by itself it would be of no layout
    assert (second.layout, second.sessions[0]["page_views"]) == ("segment-json", 1)


def test_a_night_without_a_layout_stays_without_one(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    log.write_text(FLAT_GA4)
    again = ["--state", str(tmp_path / "state"), "-q", "-o", str(tmp_path / "out"), "--max-duration", "24h"]
    typed(["run", str(log), "--preset", "none", "--batch", "a", *again])
    log.write_text(FLAT_GA4.replace("16738", "16748"))
    typed(["run", str(log), "--batch", "b", *again])
    manifest = json.loads((tmp_path / "out" / "batch=b" / "manifest.json").read_text())
    assert (manifest["layout"], manifest["rules"]["preset"]) == (None, None)


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


def test_an_access_log_may_have_hosts_lists_of_addresses_and_other_times(tmp_path: Path) -> None:
    lines = [
        'shop.example:443 203.0.113.1 - - [30/May/2024:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "A"',
        'shop.example client.example - - [30/May/2024:10:00:01 +0000] "GET /b HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.2, 10.0.0.1 - - [30/May/2024:10:00:02.500 +0000] "GET /c HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.3 - ann lee [30/May/2024:12:00:03 +0200] "GET /d HTTP/1.1" 200 1 "-" "A"',
        '127.0.0.1 - - [30/May/2024 10:00:04] "GET /e HTTP/1.1" 200 -',
        '2001:db8::1 - - [2024-05-30T10:00:05+00:00] "GET /f HTTP/1.1" 200 1 "-" "A"',
        '203.0.113.1 - - [30/May/2024:10:00:06 +0000] "" 400 0 "-" "A"',
    ]
    (tmp_path / "access.log").write_text("\n".join(lines) + "\n")
    found = ran(tmp_path, tmp_path / "access.log")
    assert (found.layout, found.counts["rejected"]) == ("combined", 0)
    assert [(row["start"][11:23], row["entry_page"]) for row in found.sessions] == [
        ("10:00:00.000", "/a"), ("10:00:01.000", "/b"), ("10:00:02.500", "/c"), ("10:00:03.000", "/d"),
        ("10:00:04.000", "/e"), ("10:00:05.000", "/f"),
    ]  # fmt: skip
    assert found.sessions[0]["events"] == 2  # a host in front makes no other visitor


S3_LINE: Final = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - "
    '3E57427F3EXAMPLE REST.GET.OBJECT a.html "GET /bucket/a.html?x=1 HTTP/1.1" 200 - 113 - 7 - "-" "S3 \\"C\\"/0.4" -'
)


def test_s3_logs_have_times_in_brackets_and_grew_over_the_years(tmp_path: Path) -> None:
    old, new = (
        S3_LINE,
        f"{S3_LINE} abc= SigV4 ECDHE AuthHeader b.s3.amazonaws.com TLSV1.2 - - us-east-1".replace("38 +", "39 +"),
    )
    (tmp_path / "2019-02-06-00").write_text(f"{old}\n{new}\n{old[:80]}\n".replace("3E57427F3", "3E5", 1))
    found = ran(tmp_path, tmp_path / "2019-02-06-00", "--input-format", "csv", "--preset", "s3-access")
    assert (found.totals[1:], found.counts["rejected_by_reason"]) == (
        (1, 2, 2, 0, 0, "/bucket/a.html?x=1"), {"malformed_row": 1},
    )  # fmt: skip
    assert len(found.sessions[0]["profile_id"]) == VISITOR


def test_w3c_logs_may_have_tabs_quotes_and_fields_in_any_case(tmp_path: Path) -> None:
    head = "#software: x\n#fields: date time c-ip cs-uri-stem cs-uri-query cs(User-Agent)\n"
    (tmp_path / "a.log").write_text(
        head + '2024-05-30 10:00:00 203.0.113.4 /a q=1 "Mozilla 5"\n2024-05-30 10:01:00 203.0.113.4 /b - "Mozilla 5"\n'
    )
    found = ran(tmp_path, tmp_path / "a.log", "--trait", "unplus(cs(User-Agent))")
    assert found.totals == ("iis", 1, 2, 2, 0, 0, "/a?q=1")
    (tmp_path / "b.log").write_text((head + "2024-05-30 10:00:00 203.0.113.4 /a - x+y\n").replace(" ", "\t"))
    assert ran(tmp_path, tmp_path / "b.log").totals == ("iis", 1, 1, 1, 0, 0, "/a")


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


def test_an_own_preset_is_checked_role_by_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.ndjson").write_text(
        '{"at": "2024-05-30 09:00", "who": {"id": "ann"}, "url": "/a"}\n'
        '{"at": "2024-05-30 09:01", "who": {"id": "bob"}, "url": null}\n'
    )
    own = tmp_path / "own.toml"
    own.write_text('title = "x"\n[columns]\ntimestamp = ["at"]\nprofile_id = ["who.id"]\nvalue = ["worth"]\n')
    typed(["presets", "--check", str(own), str(tmp_path / "log.ndjson")])
    told = capsys.readouterr().out
    assert "on the first 2 rows (times: text)" in told
    for line in ("profile_id  who.id: ann, bob (100% of the rows)", "page        url (by its usual name): /a (50% of the rows)",
                 "value       worth: no value (0% of the rows)"):  # fmt: skip
        assert line in told
    own.write_text('title = "x"\n[columns]\ntimestamp = ["at"]\nprofile_id = ["whom"]\n')
    with pytest.raises(UsageError, match=r"no session id or profile id \(whom\)"):
        typed(["presets", "--check", str(own), str(tmp_path / "log.ndjson")])
    with pytest.raises(UsageError, match="needs a preset and a log"):
        typed(["presets", "--check", str(own)])


@pytest.mark.parametrize("name", names())
def test_a_shipped_preset_says_where_it_is_documented_what_it_covers_and_how_it_is_found(name: str) -> None:
    preset = load(name)
    assert preset.documented.startswith("https://")
    assert preset.covers
    assert preset.lacks
    assert preset.recognise
    assert tails()[name].count("columns = [") == len(COLUMNS.findall(tails()[name]))  # each on a line of its own
    assert preset.options.get("timeout", "none") == "none"  # all that a layout that is found can set
