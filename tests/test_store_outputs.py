"""The output in an object store: the files of the run, the manifest last, and nobody else's objects."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import stores
from console import SAMPLE, Outcome, sessionize

from sessionize.errors import OutputError
from sessionize.output.publish import INTENT
from sessionize.output.upload import Uploader, refuse_upload, send
from sessionize.stores import StorePath

ROWS = b"time,user_id\n2024-05-01T09:00:00,ann\n2024-05-01T09:10:00,bob\n"
BAD = ROWS + b"noon,ann\n"
WRITTEN = ["out/manifest.json", "out/metrics.parquet", "out/sessions.parquet"]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a log, and one with a row that is rejected."""
    (tmp_path / "log.csv").write_bytes(ROWS)
    (tmp_path / "bad.csv").write_bytes(BAD)
    return tmp_path


def ran(here: Path, bucket: stores.Bucket, log: str = "log.csv", *options: str) -> Outcome:
    done = sessionize("run", log, "-o", f"{bucket}/out", *options, cwd=here)
    assert stores.SECRET not in done.err
    assert stores.KEY not in done.err
    assert "Error ignored" not in done.err
    return done


def check_whole(bucket: stores.Bucket) -> None:
    """See that the digests of a manifest match what lies beside it."""
    manifest = json.loads(bucket.get("out/manifest.json"))
    for each in manifest["outputs"]:
        assert hashlib.sha256(bucket.get(f"out/{each['path']}")).hexdigest() == each["sha256"]


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--events", "--format", "ndjson"), ("--no-sessions", "--format", "csv")])
def test_a_store_gets_the_files_of_a_folder(here: Path, bucket: stores.Bucket, options: tuple[str, ...]) -> None:
    log = SAMPLE / "events.csv"
    assert sessionize("run", log, "-o", "out", "-q", *options, cwd=here).code == 0
    assert ran(here, bucket, str(log), *options).code == 0
    assert {key: bucket.get(key) for key in bucket.keys} == {
        f"out/{path.name}": path.read_bytes() for path in (here / "out").iterdir() if path.name[0] != "."
    }


@pytest.mark.slow
def test_a_run_replaces_and_withdraws_what_an_earlier_one_wrote(here: Path, bucket: stores.Bucket) -> None:
    assert ran(here, bucket, "bad.csv").code == 0
    assert bucket.keys == sorted([*WRITTEN, "out/rejected.ndjson"])
    bucket.put("out/notes.txt", b"mine")
    assert ran(here, bucket, "log.csv", "--no-sessions").code == 0
    assert bucket.keys == ["out/manifest.json", "out/metrics.parquet", "out/notes.txt"]
    check_whole(bucket)


@pytest.mark.parametrize("name", ["metrics.parquet", "manifest.json", "rejected.ndjson"])
def test_somebody_elses_object_is_exit_2_before_anything_is_read(here: Path, bucket: stores.Bucket, name: str) -> None:
    uri = bucket.put(f"out/{name}", b"mine")
    done = ran(here, bucket, "nowhere.csv")
    assert (done.code, f"{uri} is not of an earlier run" in done.err) == (2, True), done.err
    assert {key: bucket.get(key) for key in bucket.keys} == {f"out/{name}": b"mine"}


def test_an_output_that_would_fall_on_an_input_is_exit_2(here: Path, bucket: stores.Bucket) -> None:
    assert ran(here, bucket, "log.csv", "--format", "csv").code == 0
    uri = f"{bucket}/out/metrics.csv"
    done = ran(here, bucket, uri, "--format", "csv", "--timestamp", "start")
    assert (done.code, uri in done.err, "choose another -o" in done.err) == (2, True, True), done.err


@pytest.mark.slow
def test_files_come_first_and_the_manifest_last(
    here: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran(here, bucket, "bad.csv").code == 0
    with stores.proxy(lambda _: "") as (port, seen):
        stores.environment(monkeypatch, port)
        assert ran(here, bucket).code == 0
    changes = [
        (each.method, each.path.partition("?")[0].rpartition("/")[2])
        for each in seen
        if each.method in {"PUT", "DELETE"}
    ]
    assert [each for each in changes if each[1]] == [
        ("PUT", INTENT), ("DELETE", "manifest.json"), ("PUT", "sessions.parquet"), ("PUT", "metrics.parquet"),
        ("DELETE", "rejected.ndjson"), ("PUT", "manifest.json"), ("DELETE", INTENT),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "how"),
    [("sessions.parquet", "500:InternalError"), ("metrics.parquet", "cut"), ("manifest.json", "403:AccessDenied")],
)
def test_a_broken_upload_is_exit_4_and_no_run_until_the_next_one_heals_it(
    here: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch, broken: str, how: str
) -> None:
    assert ran(here, bucket, "bad.csv").code == 0
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")

    def rule(request: stores.Request) -> str:
        return how if request.method == "PUT" and request.path.partition("?")[0].endswith(broken) else ""

    with stores.proxy(rule) as (port, _):
        stores.environment(monkeypatch, port)
        done = ran(here, bucket)
        assert (done.code, f"cannot write {bucket}/out: " in done.err, "run again" in done.err) == (4, True, True), (
            done.err
        )
    stores.environment(monkeypatch, bucket.port)
    assert "out/manifest.json" not in bucket.keys
    for command in ("summary", "check"):
        read = sessionize(command, f"{bucket}/out", cwd=here)
        assert (read.code, "no log, and no run yet" in " ".join(read.err.split())) == (3, True), read.err
    assert ran(here, bucket).code == 0
    assert bucket.keys == WRITTEN
    check_whole(bucket)


@pytest.mark.slow
def test_a_store_that_fails_for_a_moment_is_asked_again(
    here: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = {1: "500:InternalError", 2: "cut"}
    with stores.proxy(lambda request: rules.get(request.number, "") if request.method == "PUT" else "") as (port, _):
        stores.environment(monkeypatch, port)
        assert ran(here, bucket).code == 0
    check_whole(bucket)


@pytest.mark.slow
def test_a_key_that_may_not_write_leaves_the_earlier_run_as_it_was(
    here: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran(here, bucket, "bad.csv").code == 0
    before = {key: bucket.get(key) for key in bucket.keys}
    with stores.proxy(lambda request: "403:AccessDenied" if request.method in {"PUT", "POST"} else "") as (port, _):
        stores.environment(monkeypatch, port)
        done = ran(here, bucket)
    assert (done.code, "access denied" in done.err) == (4, True), done.err
    assert {key: bucket.get(key) for key in bucket.keys} == before


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "500:InternalError"])
def test_a_part_of_a_large_object_that_cannot_be_sent_leaves_no_object(
    tmp_path: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    content = bytes(range(256)) * (25 << 12)
    (tmp_path / "large").write_bytes(content)
    file, target = tmp_path / "large", StorePath("s3", bucket.name, "out/large")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    for always in (True, False):
        broken = lambda request: how if "partNumber=2" in request.path and (always or request.number == 1) else ""  # noqa: B023, E731
        with stores.proxy(broken) as (port, seen):
            stores.environment(monkeypatch, port)
            if always:
                with pytest.raises(Exception, match=f"{bucket}/out/large"):
                    send(file, target)
                assert bucket.keys == []
            else:
                send(file, target)
            assert sum("partNumber=2" in each.path for each in seen) > 1
    assert bucket.get("out/large") == content


def test_an_error_of_this_machine_in_the_middle_of_an_object_leaves_none(bucket: stores.Bucket) -> None:
    path = StorePath("s3", bucket.name, "half")
    for size in (10, 11 << 20):
        with pytest.raises(ZeroDivisionError), path.writing() as stream:  # noqa: PT012 - what is in the block is what fails
            stream.write(b"x" * size)
            raise ZeroDivisionError
        assert bucket.keys == []


def test_an_earlier_run_whose_files_are_not_those_of_its_manifest_is_not_there(
    here: Path, bucket: stores.Bucket
) -> None:
    assert ran(here, bucket).code == 0
    found = bucket.get("out/metrics.parquet")
    bucket.put("out/metrics.parquet", found[:-9] + b"x" + found[-8:])
    for command in (["summary"], ["check", "--exit-zero"], ["show", "--longest"]):
        done = sessionize(*command, f"{bucket}/out", cwd=here)
        assert (done.code, "the run is not there" in done.err) == (3, True), done.err


@pytest.mark.slow
def test_compare_writes_into_a_store(here: Path, bucket: stores.Bucket) -> None:
    options = ("compare", SAMPLE / "events.csv", "--as", "ours", "--as", "ga4", "-o", f"{bucket}/cut", "-q")
    assert sessionize(*options, cwd=here).code == 0
    assert bucket.keys == ["cut/metrics-ga4.parquet", "cut/metrics-ours.parquet"]
    assert sessionize(*options, cwd=here).code == 2
    assert not list(here.glob("s3*"))


@pytest.mark.slow
def test_a_missing_bucket_and_an_unreachable_store_are_told_before_anything_is_read(
    here: Path, bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = sessionize("run", "nowhere.csv", "-o", f"{bucket}-no/out", cwd=here)
    assert (done.code, f"{bucket}-no/out: there is no such bucket" in done.err) == (4, True), done.err
    stores.environment(monkeypatch, 9)
    with pytest.raises(OutputError, match="cannot be reached"):
        refuse_upload(StorePath("s3", bucket.name, "out"), ["metrics.csv"], {})


def test_a_run_that_ends_before_its_commit_leaves_nothing(bucket: stores.Bucket) -> None:
    with Uploader(StorePath("s3", bucket.name, "out")) as held:
        held.path("metrics.csv").write_bytes(b"x")
        held.seal("metrics.csv")
        folder = held.directory
    assert (bucket.keys, folder.exists()) == ([], False)


def test_stdin_goes_to_a_store_and_what_is_written_there_is_said(here: Path, bucket: stores.Bucket) -> None:
    done = sessionize("run", "-", "-o", f"{bucket}/out", "--json", cwd=here, stdin=ROWS)
    assert (done.code, bucket.keys) == (0, WRITTEN), done.err
    assert [each["path"] for each in json.loads(done.out)["outputs"]] == ["sessions.parquet", "metrics.parquet"]


def test_the_output_of_a_run_among_logs_is_passed_over(here: Path, bucket: stores.Bucket) -> None:
    bucket.put("log.csv", ROWS)
    assert ran(here, bucket, "log.csv", "--format", "csv").code == 0
    done = sessionize("run", f"{bucket}/", "-o", "again", "--json", cwd=here)
    assert json.loads(done.out)["passed_over"] == [{"path": f"{bucket}/out/", "why": "output of an earlier run"}], (
        done.err
    )
