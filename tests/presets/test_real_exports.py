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
from preset_runs import CASES, Ran, needs_cases, ran

from sessionize import Config, sessionize
from sessionize.errors import UsageError
from sessionize.presets import names
from sessionize.presets.recognise import by_columns

DATA: Final = ROOT.parent / "shared" / "data"
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
    "P-ZEEKJSON.log": ("zeek, JSON or CSV", 1, 1, 1, 0, 0, "/?utm_source=x"),
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


def flattened(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    """A row whose objects are columns of their own, as ``pandas.json_normalize`` makes them."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, str) and value.startswith("{"):
            value = json.loads(value)  # noqa: PLW2901 - the same, read
        found |= flattened(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("name", ["P-POSTHOG-DIRECT.jsonl", "P-SEGMENT-S3.ndjson", "P-TRACARDI.ndjson"])
def test_a_sample_whose_objects_were_made_flat_is_found_and_read_the_same(name: str, form: str, tmp_path: Path) -> None:
    rows = [flattened(json.loads(line)) for line in (CASES / name).read_text().splitlines()]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    getattr(frame, f"write_{form}")(tmp_path / f"log.{form}")
    assert ran(tmp_path, tmp_path / f"log.{form}").totals == SAMPLES[name]


@pytest.mark.parametrize(
    "names",
    [["LogAttributes.session.id", "Timestamp", "LogAttributes.user.id", "ServiceName", "TraceId", "Body"],
     ["proxy.timestamp", "deploymentId", "projectId", "proxy.host", "host", "id", "source"]],
)  # fmt: skip
def test_what_a_preset_could_not_read_flat_is_not_taken_for_its(names: list[str]) -> None:
    assert not by_columns(names, lambda each: each in names)


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
