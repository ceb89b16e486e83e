"""`sessionize run` as a user calls it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
from console import SAMPLE, sessionize

CSV = SAMPLE / "events.csv"
PARQUET = SAMPLE / "events.parquet"
COUNTS = {
    "rows_read": 2947,
    "events": 2938,
    "rejected": 6,
    "rejected_by_reason": {"bad_timestamp": 1, "malformed_row": 3, "no_session_key": 1, "null_timestamp": 1},
    "duplicates": 3,
    "sessions": 658,
    "active_sessions": 6,
    "profiles": 88,
    "conversions": 27,
}


def counts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["counts"]
    return found


def validator(kind: str, folder: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads(sessionize("schema", kind, cwd=folder).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_the_sample_gives_the_counts_of_an_independent_loop(tmp_path: Path) -> None:
    done = sessionize("run", CSV, "-o", "out", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    found = counts(tmp_path / "out")
    assert {name: found[name] for name in COUNTS} == COUNTS
    assert "658" in done.err
    assert "profile_id = user_id" in done.err
    assert "malformed_row" in done.err


def test_csv_and_parquet_of_one_log_give_the_same_sessions(tmp_path: Path) -> None:
    for log, out in ((CSV, "a"), (PARQUET, "b")):
        assert sessionize("run", log, "-o", out, cwd=tmp_path).code == 0
    names = ("metrics.parquet", "sessions.parquet")
    one, other = ([pl.read_parquet(tmp_path / out / name) for name in names] for out in ("a", "b"))
    assert one[0].equals(other[0])
    assert one[1].equals(other[1])


@pytest.mark.slow
def test_json_records_and_metrics_are_valid_by_their_schemas(tmp_path: Path) -> None:
    options = ("--format", "json", "--events", "--property", "country", "--trait", "user_agent")
    assert sessionize("run", CSV, "-o", "out", *options, cwd=tmp_path).code == 0
    for kind in ("sessions", "metrics", "events"):
        check = validator(kind, tmp_path)
        rows = json.loads((tmp_path / "out" / f"{kind}.json").read_text())
        for row in rows:
            check.validate(row)
        assert len(rows) == (COUNTS["events"] if kind == "events" else COUNTS["sessions"])
    validator("manifest", tmp_path).validate(json.loads((tmp_path / "out" / "manifest.json").read_text()))


def test_each_format_holds_the_same_metrics(tmp_path: Path) -> None:
    for form in ("parquet", "json", "ndjson", "csv"):
        assert sessionize("run", CSV, "-o", form, "--format", form, cwd=tmp_path).code == 0
    expected = pl.read_parquet(tmp_path / "parquet" / "metrics.parquet")
    times = pl.col("start", "end").str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us").dt.replace_time_zone("UTC")
    schema: dict[str, pl.DataType] = {**expected.schema, "start": pl.String(), "end": pl.String()}
    for found in (
        pl.read_ndjson(tmp_path / "ndjson" / "metrics.ndjson", schema=schema),
        pl.read_json(tmp_path / "json" / "metrics.json", schema=schema),
        pl.read_csv(tmp_path / "csv" / "metrics.csv", schema=schema),
    ):
        assert found.with_columns(times).equals(expected)
    assert not (tmp_path / "csv" / "sessions.csv").exists()


def test_rows_are_ordered_by_start_and_session_id(tmp_path: Path) -> None:
    sessionize("run", CSV, "-o", "out", cwd=tmp_path)
    metrics = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    assert metrics.equals(metrics.sort("start", "session_id"))


@pytest.mark.parametrize("timeout", ["30m", "none"])
def test_sessions_of_one_start_are_ordered_by_id_and_not_by_key(tmp_path: Path, timeout: str) -> None:
    keys = [
        "a",
        "a-1",
        "a b",
        "a.5",
        "a.2",
        "1",
        "1.05",
        "Z",
        "é",
    ]  # "a-1.17…" is before "a.17…", though "a" is before "a-1"
    (tmp_path / "log.csv").write_text("session_id,ts\n" + "".join(f"{key},2024-01-01\n" for key in keys))
    assert sessionize("run", "log.csv", "-o", "out", "--timeout", timeout, cwd=tmp_path).code == 0
    ids = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["session_id"].to_list()
    assert ids == sorted(ids, key=str.encode)


def test_the_same_run_gives_the_same_bytes_and_the_manifest_their_digests(tmp_path: Path) -> None:
    for out in ("a", "b"):
        sessionize("run", CSV, "-o", out, "--events", cwd=tmp_path)
    names = sorted(path.name for path in (tmp_path / "a").iterdir() if not path.name.startswith("."))
    assert names == ["events.parquet", "manifest.json", "metrics.parquet", "rejected.ndjson", "sessions.parquet"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for output in json.loads((tmp_path / "a" / "manifest.json").read_text())["outputs"]:
        data = (tmp_path / "a" / output["path"]).read_bytes()
        assert (output["bytes"], output["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_annotated_events_are_all_events_with_their_place(tmp_path: Path) -> None:
    sessionize("run", CSV, "-o", "out", "--events", cwd=tmp_path)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    metrics = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    told = events.group_by("session_id").agg(
        events=pl.len(), places=pl.col("position").sort(), start=pl.col("timestamp").min()
    )
    joined = metrics.join(told, on="session_id", suffix="_told")
    assert joined.height == metrics.height
    assert (joined["events"] == joined["events_told"]).all()
    assert (joined["start"] == joined["start_told"]).all()
    assert all(row == list(range(1, len(row) + 1)) for row in joined["places"].to_list())


def test_rejected_rows_keep_file_line_reason_and_text(tmp_path: Path) -> None:
    sessionize("run", CSV, "-o", "out", cwd=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    lines = CSV.read_text().splitlines()
    assert [(row["row"], row["reason"]) for row in rows] == [
        (250, "null_timestamp"), (500, "no_session_key"), (750, "malformed_row"), (1000, "malformed_row"),
        (1250, "bad_timestamp"), (1500, "malformed_row"),
    ]  # fmt: skip
    assert [row["raw"] for row in rows] == [lines[row["row"] - 1] for row in rows]
    assert {row["file"] for row in rows} == {str(CSV)}


def test_stdin_to_stdout_is_metrics_and_nothing_else(tmp_path: Path) -> None:
    done = sessionize("run", "-", "-o", "-", "-q", cwd=tmp_path, stdin=CSV.read_bytes())
    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) == COUNTS["sessions"]
    check = validator("metrics", tmp_path)
    for row in rows:
        check.validate(row)


def test_json_prints_the_manifest_that_is_written(tmp_path: Path) -> None:
    done = sessionize("run", CSV, "-o", "out", "--json", "-q", cwd=tmp_path)
    assert json.loads(done.out) == json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_a_later_run_leaves_no_output_of_an_earlier_one(tmp_path: Path) -> None:
    sessionize("run", CSV, "-o", "out", "--events", cwd=tmp_path)
    sessionize("run", PARQUET, "-o", "out", "--format", "ndjson", "--no-sessions", cwd=tmp_path)
    names = {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")}
    assert names == {"metrics.ndjson", "manifest.json", "rejected.ndjson"}


@pytest.mark.slow
def test_a_limit_on_rejected_rows_is_exit_1_and_the_output_complete(tmp_path: Path) -> None:
    for limit, code in (("5", 1), ("6", 0), ("0.1%", 1), ("1%", 0)):
        done = sessionize("run", CSV, "-o", "out", "--max-rejected", limit, "-q", cwd=tmp_path)
        assert done.code == code
        assert counts(tmp_path / "out")["sessions"] == COUNTS["sessions"]


def test_on_bad_row_fail_names_the_row_and_writes_nothing(tmp_path: Path) -> None:
    done = sessionize("run", CSV, "-o", "out", "--on-bad-row", "fail", cwd=tmp_path)
    assert done.code == 3
    assert "row 250: null_timestamp" in done.err
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        (("--max-duration", "24h"), 661),
        (("--split-at-midnight",), 664),
        (("--split-on", "utm_campaign"), 659),
        (("--timeout", "none"), 607),
        (("--where", "ip <> '203.0.113.253'"), 657),
    ],
    ids=str,
)
def test_boundary_options_do_what_they_say(tmp_path: Path, options: tuple[str, ...], sessions: int) -> None:
    assert sessionize("run", CSV, "-o", "out", *options, cwd=tmp_path).code == 0
    assert counts(tmp_path / "out")["sessions"] == sessions


def test_options_come_from_a_configuration_file_and_what_is_typed_beats_it(tmp_path: Path) -> None:
    (tmp_path / "sessionize.toml").write_text('timeout = "none"\nproperty = ["country"]\nquiet = true\n')
    (tmp_path / "below").mkdir()
    done = sessionize("run", CSV, "-o", "out", cwd=tmp_path / "below")
    assert (done.code, done.err) == (0, "")
    manifest = json.loads((tmp_path / "below" / "out" / "manifest.json").read_text())
    assert (manifest["rules"]["timeout_s"], manifest["rules"]["properties"]) == (None, ["country"])
    sessionize("run", CSV, "-o", "out", "--timeout", "30m", cwd=tmp_path / "below")
    assert counts(tmp_path / "below" / "out")["sessions"] == COUNTS["sessions"]


USAGE = {
    "a column that does not exist": (("--page", "pageurl"), "did you mean 'page_url'?"),
    "an option that does not exist": (("--tiemout", "3m"), "--timeout"),
    "a duration that is none": (("--timeout", "soon"), "30m, 45s"),
    "a zone that is none": (("--timezone", "Mars/Base"), "Europe/Berlin"),
    "a role that is none": (("--map", "colour=ip"), "roles are session_id"),
    "a time format that is none": (("--time-format", "%Q"), "%Q"),
    "an expression that is none": (("--where", "nope = 1"), "nope"),
    "a format that is none": (("--format", "xml"), "parquet, json, ndjson, csv"),
}


@pytest.mark.parametrize(("options", "said"), USAGE.values(), ids=USAGE.keys())
def test_what_is_typed_wrong_is_exit_2_with_what_to_type_instead(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = sessionize("run", CSV, "-o", "out", *options, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_a_role_with_two_candidates_or_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("session_id,sessionId,ts\na,b,2024-01-01\n")
    (tmp_path / "none.csv").write_text("colour,size\nred,1\n")
    two = sessionize("run", "two.csv", "-o", "out", cwd=tmp_path)
    none = sessionize("run", "none.csv", "-o", "out", cwd=tmp_path)
    assert (two.code, none.code) == (2, 2)
    assert "'session_id' and 'sessionId'" in two.err
    assert "--session-id" in two.err
    assert "colour, size" in none.err
    assert "--timestamp" in none.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "empty"),
        ("cut.parquet", PARQUET.read_bytes()[:-100], "cut.parquet"),
        ("log.zip", b"PK\x03\x04" + b"x" * 100, "zip"),
    ],
)
def test_an_input_that_cannot_be_read_is_exit_3(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = sessionize("run", name, "-o", "out", cwd=tmp_path)
    assert done.code == 3, done.err
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_header_alone_is_a_log_without_events(tmp_path: Path) -> None:
    (tmp_path / "header.csv").write_text("session_id,ts,page\n")
    done = sessionize("run", "header.csv", "-o", "out", "--events", cwd=tmp_path)
    assert done.code == 0, done.err
    assert counts(tmp_path / "out")["rows_read"] == 0
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet").height == 0


def test_an_output_that_cannot_be_written_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = sessionize("run", CSV, "-o", "out", cwd=tmp_path)
    assert done.code == 4, done.err
    assert "out" in done.err
    assert "Traceback" not in done.err


def test_two_keys_that_look_the_same_are_two(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("session_id,user_id,ts\n42,1,2024-01-01\n,42,2024-01-01\np:42,,2024-01-01\n")
    sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    ids = pl.read_parquet(tmp_path / "out" / "metrics.parquet")["session_id"].to_list()
    assert ids == ["42.1704067200000000", "p:42.1704067200000000", "s:p:42.1704067200000000"]


def test_ids_keep_their_bytes(tmp_path: Path) -> None:
    ids = ["007", "7", " 7", "12345678901234567890123", "1e3", "Ä"]
    (tmp_path / "log.csv").write_text("session_id,ts\n" + "".join(f"{each},2024-01-01\n" for each in ids))
    sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    assert sorted(pl.read_parquet(tmp_path / "out" / "metrics.parquet")["source_id"]) == sorted(ids)


@pytest.mark.slow
def test_a_closed_pipe_ends_the_run_silently(tmp_path: Path) -> None:
    command = f"{sys.executable} -m sessionize run {CSV} -o - -q | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_nothing_half_written(tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "sessionize", "run", "-", "-o", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(CSV.read_bytes()[:10_000])
        process.stdin.flush()
        while int.from_bytes(fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
            time.sleep(0.01)
        time.sleep(0.2)  # it has begun, and waits for more of its input
        process.send_signal(number)
        assert process.wait(timeout=20) == code
    assert not [path for path in tmp_path.glob("out/*") if not path.name.startswith(".sessionize")]


@pytest.mark.slow
def test_help_and_version_load_no_engine(tmp_path: Path) -> None:
    for arguments in (["--version"], ["--help"], ["run", "--help"]):
        script = (
            "import sys, os; os._exit = lambda code: None\n"
            f"sys.argv = ['sessionize', *{arguments!r}]\n"
            "from sessionize.cli import main; main()\n"
            "print(sorted({'polars', 'numpy', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)
        assert done.stderr.decode().strip() == "[]"


def test_a_small_run_loads_no_checks_no_completion_and_no_devices(tmp_path: Path) -> None:
    script = (
        "import sys, os; os._exit = lambda code: None\n"
        f"sys.argv = ['sessionize', 'run', {str(SAMPLE / 'events.csv')!r}, '-o', 'out', '--no-sessions', '-q']\n"
        "from sessionize.cli import main; main()\n"
        "heavy = ('pyarrow', 'rich', 'pydantic', 'xml', 'email', 'sessionize.checks', 'sessionize.answers', 'sessionize.nightly', 'sessionize.engine.profile', 'sessionize.engine.sketch')\n"
        "found = {name for name in sys.modules for each in heavy if name == each or name.startswith(each + '.')}\n"
        "agents = sys.modules['sessionize.kernel.agents']\n"
        "print(sorted(found), agents._parsed.cache_info().currsize, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr.decode().strip() == "[] 0"


@pytest.mark.slow
def test_texts_are_taken_without_pydantic_which_typer_would_load_for_them(tmp_path: Path) -> None:
    script = (
        "import sys; from sessionize.cli.app import application; from sessionize.errors import InputError\n"
        "try: application()(['run', 'no.csv', 'none.csv', '-o', 'out', '--map', 'page=url', '--timeout', '5m'])\n"
        "except InputError as error: print(error.message, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "no.csv: no such file False"


def test_multiline_reads_a_record_over_lines_and_its_place_is_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        'session_id,timestamp,page\ns,2024-05-30T12:00:00Z,"/a\nb"\n"s","never\nso",/\nt,"2024-05-30,/\n'
    )
    assert sessionize("run", "log.csv", "-o", "out", "--multiline", cwd=tmp_path).code == 0
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet")["entry_page"].to_list() == ["/a\nb"]
    told = [json.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_text().splitlines()]
    assert [(row["row"], row["reason"], row["raw"]) for row in told] == [
        (4, "bad_timestamp", '"s","never\nso",/'), (6, "malformed_row", 't,"2024-05-30,/'),
    ]  # fmt: skip
    apart = sessionize("run", "log.csv", "-o", "out", cwd=tmp_path)
    assert apart.code == 3
    assert "none of 5 rows is an event (5 malformed_row)" in apart.err


def test_a_key_that_appears_late_is_a_property_where_it_is_asked_for(tmp_path: Path) -> None:
    early, late = (
        '{"session_id": "a", "timestamp": 1717070400}\n',
        '{"session_id": "b", "timestamp": 1717070400, "k": "v"}\n',
    )
    (tmp_path / "log.ndjson").write_text(early * 1200 + late)
    done = sessionize("run", "log.ndjson", "-o", "out", "--property", "k", "--format", "ndjson", cwd=tmp_path)
    assert done.code == 0
    assert "seconds since 1970" in done.err
    found = [json.loads(line) for line in (tmp_path / "out" / "sessions.ndjson").read_text().splitlines()]
    assert [record["properties"].get("k") for record in found] == [None, "v"]
    assert sessionize("run", "log.ndjson", "-o", "out", "--property", "kk", cwd=tmp_path).code == 2
