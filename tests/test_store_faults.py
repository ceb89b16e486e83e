"""What goes wrong with stores is told by the URI, with the exit code of whoever must act, and without any secret."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import stores
from console import SAMPLE, sessionize

from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.locations import local_path, location, shown_uri
from sessionize.stores.connect import said

SIGNED = "X-Amz-Credential=AKID&X-Amz-Signature=abc123"


@pytest.fixture
def logs(tmp_path: Path) -> tuple[stores.Bucket, dict[str, Path]]:
    """A bucket and a folder with the same logs: of text, of more than a range; and of Parquet."""
    bucket = stores.bucket()
    (tmp_path / "e.csv").write_bytes((SAMPLE / "events.csv").read_bytes())
    pl.DataFrame(
        {"user_id": [f"u{n % 97}" for n in range(9000)], "time": range(1_717_059_600, 1_717_068_600)}
    ).write_parquet(tmp_path / "e.parquet", row_group_size=2000)
    found = {name: tmp_path / name for name in ("e.csv", "e.parquet")}
    for name, path in found.items():
        bucket.put(name, path.read_bytes())
    return bucket, found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["e.csv", "e.parquet"])
@pytest.mark.parametrize("how", ["cut", "503:SlowDown"])
def test_a_moment_of_trouble_is_not_noticed(
    tmp_path: Path, logs: tuple[stores.Bucket, dict[str, Path]], monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    bucket, here = logs
    assert sessionize("run", here[name], "-o", "here", "-q", cwd=tmp_path).code == 0
    with stores.proxy(lambda request: how if request.method == "GET" and request.number in {1, 4} else "") as (port, _):
        stores.environment(monkeypatch, port)
        done = sessionize("run", f"{bucket}/{name}", "-o", "there", "-q", cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "here/metrics.parquet").read_bytes() == (tmp_path / "there/metrics.parquet").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "how", "says"),
    [
        ("e.csv", "cut", "the store cannot be reached, or the connection broke"),
        ("e.parquet", "cut", "the store cannot be reached, or the connection broke"),
        ("e.csv", "500:InternalError", "the store failed, again and again"),
        ("e.parquet", "403:AccessDenied", "access denied"),
    ],
)
def test_trouble_that_lasts_is_exit_3_and_named(
    tmp_path: Path,
    logs: tuple[stores.Bucket, dict[str, Path]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    how: str,
    says: str,
) -> None:
    bucket, _ = logs
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    for first in (1, 2):  # at once; and once some of it has been read

        def rule(each: stores.Request, first: int = first) -> str:
            return how if each.method == "GET" and each.number >= first and each.path.endswith(f"/{name}") else ""

        with stores.proxy(rule) as (port, _):
            stores.environment(monkeypatch, port)
            done = sessionize("run", f"{bucket}/{name}", "-o", "out", cwd=tmp_path)
        assert (done.code, f"{bucket}/{name}: {says}" in done.err) == (3, True), done.err
        for secret in (stores.KEY, stores.SECRET, "Signature=ab"):
            assert secret not in done.err
    assert not (tmp_path / "out" / "metrics.parquet").exists()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("403:InvalidAccessKeyId", "the access key is not known there"),
        ("403:SignatureDoesNotMatch", "the secret key does not fit the access key"),
        ("400:ExpiredToken", "the session token has expired"),
    ],
)
def test_a_wrong_key_is_told_from_one_that_may_not(
    tmp_path: Path, logs: tuple[stores.Bucket, dict[str, Path]], monkeypatch: pytest.MonkeyPatch, how: str, says: str
) -> None:
    bucket, _ = logs
    with stores.proxy(lambda each: how if each.method == "GET" else "") as (port, _):
        stores.environment(monkeypatch, port)
        done = sessionize("run", f"{bucket}/*.csv", "-o", "out", cwd=tmp_path)
    assert (
        done.code,
        f"error: {bucket}/*.csv: {says}" in done.err or f"error: {bucket}: {says}" in done.err,
        stores.KEY in done.err,
    ) == (3, True, False), done.err


@pytest.mark.slow
def test_a_key_that_is_refused_for_every_request_is_exit_3_for_each_command(
    tmp_path: Path, logs: tuple[stores.Bucket, dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, _ = logs
    with stores.proxy(lambda _: "403:AccessDenied") as (port, _):
        stores.environment(monkeypatch, port)
        for command in (
            ["run", f"{bucket}/e.csv", "-o", "out"], ["summary", f"{bucket}/e.csv"], ["check", f"{bucket}/out"], [f"{bucket}/*.csv"],
            ["compare", f"{bucket}/"], ["presets", "--check", "ga4", f"{bucket}/e.csv"], ["run", f"{bucket}/e.csv", "-o", "o", "--dry-run"],
            ["run", f"{bucket}/e.csv", "-o", "out", "--state", "state", "--batch", "2024-05-30"],
        ):  # fmt: skip
            done = sessionize(*command, cwd=tmp_path)
            assert (done.code, f"error: {bucket}" in done.err, "access denied" in done.err) == (3, True, True), (
                command,
                done.err,
            )


def test_what_is_not_there_is_exit_3_with_the_nearest(
    tmp_path: Path, logs: tuple[stores.Bucket, dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, _ = logs
    stores.environment(monkeypatch, bucket.port)
    for name, says in (
        ("/f.csv", f"no such file hint: did you mean {bucket}/e.csv?"), ("-no/e.csv", "there is no such bucket"), ("-no/*.csv", "there is no such bucket"),
        ("/*.ndjson", f"no file matches hint: {bucket} has e.csv, e.parquet"), ("-no", "there is no such bucket"),
    ):  # fmt: skip
        done = sessionize("run", f"{bucket}{name}", "-o", "out", cwd=tmp_path)
        shown = name.removesuffix("/*.csv") if "bucket" in says else name
        assert (done.code, f"error: {bucket}{shown}: {says}" in " ".join(done.err.split())) == (3, True), done.err


def test_nobody_answers_is_exit_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    stores.environment(monkeypatch, 9)
    done = sessionize("run", "s3://logs/e.csv", "-o", "out", cwd=tmp_path)
    assert (done.code, "s3://logs/e.csv: the store cannot be reached" in done.err) == (3, True), done.err


def test_ids_in_the_names_of_folders_are_hashed_in_messages_too(
    tmp_path: Path, logs: tuple[stores.Bucket, dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, _ = logs
    monkeypatch.setenv("K", "0123456789abcdef")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for at in (9, bucket.port):
        stores.environment(monkeypatch, at)
        done = sessionize("run", f"{bucket}/user_id=BOB/e.csv", "-o", "out", "--hash-ids", "env:K", cwd=tmp_path)
        assert (done.code, "BOB" in done.err) == (3, False), done.err


@pytest.mark.parametrize("uri", ["s3://AKID:abc123@logs/e.csv", f"s3://logs/e.csv?{SIGNED}", "abfss://c:abc123@a.dfs.core.windows.net/e.csv",
                                 f"gs://logs/e.csv?{SIGNED}", f"https://a.org/e.csv?{SIGNED}", "https://ann:abc123@a.org/e.csv",
                                 "az://ann:abc123@x/e.csv", "hdfs://ann:abc123@x/e.csv", f"s3a://logs/e.csv?{SIGNED}"])  # fmt: skip
def test_a_secret_in_a_uri_is_refused_and_not_told_again(tmp_path: Path, uri: str) -> None:
    for command in (
        ["run", uri, "-o", "out"],
        ["run", "log.csv", "-o", uri],
        ["check", uri],
        ["compare", "log.csv", "-o", uri],
    ):
        done = sessionize(*command, cwd=tmp_path)
        assert (done.code, "abc123" in done.err) == (2, False), done.err
    with pytest.raises(UsageError) as caught:
        Config(inputs=(uri,))
    assert "abc123" not in f"{caught.value.message} {caught.value.hint}"
    assert not list(tmp_path.iterdir())


def test_a_uri_that_is_not_read_says_what_to_type() -> None:
    for uri, hint in (
        ("az://logs/e.csv", "an object of Azure is abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"),
        ("s3a://logs/e.csv", "type s3://logs/e.csv"), ("gcs://logs/e.csv", "type gs://logs/e.csv"),
        ("hdfs://node/e.csv", "copy it here first: hdfs dfs -get hdfs://node/e.csv ."),
        ("hf://datasets/a/b/e.csv", "copy it here first: hf download --repo-type dataset OWNER/NAME FILE --local-dir ."),
        ("https://a.org/e.csv", "curl -fsSL https://a.org/e.csv | sessionize run - -o DIR"),
        ("s3://", "for example s3://BUCKET/PATH"), ("s3:/logs/e.csv", "for example s3://BUCKET/PATH"), ("s3://*/e.csv", "for example s3://BUCKET/PATH"),
        ("abfss://logs/e.csv", "for example abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            location(uri, "INPUT", is_input=True)
        assert caught.value.hint == hint, uri


def test_a_state_and_nights_stay_on_this_machine_and_the_way_round_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,user_id\n2024-05-01T09:00:00,ann\n")
    night = ("run", "log.csv", "--batch", "2024-05-01")
    for options, hint in (
        (("-o", "out", "--state", "s3://b/state"),
         "hint: a state is a folder of this machine: aws s3 sync s3://b/state STATE before a night, aws s3 sync STATE s3://b/state after it"),
        (("-o", "s3://b/out", "--state", "state"), "hint: -o DIR, and then aws s3 sync DIR s3://b/out"),
    ):  # fmt: skip
        done = sessionize(*night, *options, cwd=tmp_path)
        assert (done.code, hint in " ".join(done.err.split())) == (2, True), done.err
    with pytest.raises(UsageError, match="gs://b/state: gs:// is not read or written"):
        local_path("gs://b/state", "--state")
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv"}


def test_a_store_in_words_that_are_not_known_is_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    for text, what in (
        ("odd s3cr3t thing https://x/y?sig=1 done\nmore", "odd … thing https://x/y… done"),
        ("AWS Error NO_SUCH_UPLOAD during UploadPart operation: s3cr3t", "AWS Error NO_SUCH_UPLOAD during UploadPart operation"),
        ("google::cloud::Status(PERMISSION_DENIED: x)", "access denied"),
        ("GetProperties failed: 404 ContainerNotFound", "there is no such bucket"),
    ):  # fmt: skip
        assert said("s3://b/x", "s3", text).message == f"s3://b/x: {what}"
    assert shown_uri("https://a.org/x?day=1&token=s3cr3t#y") == "https://a.org/x?day=1&token=…"
