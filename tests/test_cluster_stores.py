"""A cluster that reads from an object store and writes into one: the rows of one machine, nobody else's objects, the manifest last."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stores
from clustered import passive_text, sample
from console import SAMPLE, sessionize
from fake_cluster import FakeCluster
from polars.testing import assert_frame_equal

from sessionize import Config, Output, run
from sessionize.errors import InputError, MachineError, OutputError, UsageError
from sessionize.output.publish import INTENT
from sessionize.spark import job
from sessionize.spark.cluster import Task
from sessionize.spark.held import StoredParts
from sessionize.spark.merging import MergeSessions
from sessionize.spark.sizes import USUAL_SIZES, Sizes

CSV = SAMPLE / "events.csv"
SESSIONS = 40
"""Of the small log."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A small log, with a row that is rejected."""
    rows = [f"{1717063200 + 700 * n},u{n % 5}" for n in range(40)]
    (tmp_path / "log.csv").write_text("\n".join(["time,user_id", *rows, "soon,u1"]) + "\n")
    return Config(inputs=(str(tmp_path / "log.csv"),))


class Killed(FakeCluster):
    """A cluster whose driver is killed once all parts are written."""

    def each(self, number: int | None, task: Task) -> Any:
        found = super().each(number, task)
        if isinstance(task, MergeSessions):
            raise KeyboardInterrupt
        return found


def manifest(bucket: stores.Bucket) -> dict[str, Any]:
    """The manifest there, whose digests are those of what it lists; nothing else lies there."""
    found: dict[str, Any] = json.loads(bucket.get("out/manifest.json"))
    for each in found["outputs"]:
        assert hashlib.sha256(bucket.get(f"out/{each['path']}")).hexdigest() == each["sha256"]
    assert bucket.keys == sorted(["out/manifest.json", *(f"out/{each['path']}" for each in found["outputs"])])
    return found


def parts(bucket: stores.Bucket, name: str) -> pl.DataFrame:
    """All parts of an output that the manifest lists, in order."""
    names = [each["path"] for each in manifest(bucket)["outputs"] if each["path"].startswith(f"{name}/")]
    assert names == sorted(names)
    return pl.concat(pl.read_parquet(bucket.get(f"out/{each}")) for each in names)


def on_cluster(
    config: Config,
    bucket: stores.Bucket,
    cluster: FakeCluster | None = None,
    *,
    sizes: Sizes = USUAL_SIZES,
    **more: Any,
) -> Any:
    return job.run(config, Output(directory=f"{bucket}/out", **more), cluster or FakeCluster(2, 500), sizes=sizes)


@pytest.mark.slow
@pytest.mark.parametrize("log", [sample, passive_text])
def test_a_store_gets_the_rows_of_one_machine_however_often_tasks_were_tried(
    log: Any, tmp_path: Path, bucket: stores.Bucket
) -> None:
    (tmp_path / "log").mkdir()
    config = log(tmp_path / "log")
    one = run(config, Output(directory=str(tmp_path / "one"), events=True))
    sizes = Sizes(range_sessions=200, line_bytes=3000)
    many = on_cluster(config, bucket, FakeCluster(3, 500, retries=True), events=True, sizes=sizes)
    assert {**many.manifest, "outputs": 0} == {**one.manifest, "outputs": 0}
    for name in ("sessions", "metrics", "events"):
        assert_frame_equal(parts(bucket, name), pl.read_parquet(tmp_path / "one" / f"{name}.parquet"))
    assert bucket.get("out/rejected.ndjson") == (tmp_path / "one" / "rejected.ndjson").read_bytes()


def test_a_log_in_a_store_gives_the_rows_of_the_same_log_in_a_folder(tmp_path: Path, bucket: stores.Bucket) -> None:
    for number in range(2):
        rows = pl.int_range(number * 900, number * 900 + 900, eager=True)
        events = pl.DataFrame(
            {"user_id": rows % 37, "time": rows * 191 % 90_000 + 1_717_063_200, "page": rows.cast(pl.String)}
        )
        events.write_parquet(tmp_path / f"{number}.parquet", row_group_size=100)
        bucket.put(f"logs/{number}.parquet", (tmp_path / f"{number}.parquet").read_bytes())
    bucket.put("text/events.csv", CSV.read_bytes())
    for uri, here in ((f"{bucket}/logs/", str(tmp_path / "*.parquet")), (f"{bucket}/text/*.csv", str(CSV))):
        one = run(Config(inputs=(here,)), Output(directory=str(tmp_path / "one")))
        many = job.run(Config(inputs=(uri,)), Output(directory=str(tmp_path / "many")), FakeCluster(3, 500))
        assert many.counts == one.counts
        for name in ("sessions", "metrics"):
            found = [pl.read_parquet(each) for each in sorted((tmp_path / "many" / name).iterdir())]
            assert_frame_equal(pl.concat(found), pl.read_parquet(tmp_path / "one" / f"{name}.parquet"))


@pytest.mark.slow
def test_a_run_replaces_one_of_a_cluster_or_of_one_machine_and_is_replaced_by_either(
    tmp_path: Path, bucket: stores.Bucket, config: Config
) -> None:
    bucket.put("out/notes.txt", b"mine")
    for place in (on_cluster, lambda *_: run(config, Output(directory=f"{bucket}/out")), on_cluster, on_cluster):
        place(config, bucket)
        bucket.delete("out/notes.txt")
        found = manifest(bucket)
        bucket.put("out/notes.txt", b"mine")
        assert found["counts"]["sessions"] == SESSIONS
    read = sessionize("summary", f"{bucket}/out", "--json", cwd=tmp_path)
    assert (read.code, json.loads(read.out)["sessions"]) == (0, SESSIONS), read.err


@pytest.mark.slow
def test_until_the_manifest_is_there_the_earlier_run_is_and_what_a_killed_one_left_goes_with_the_next(
    bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: Config
) -> None:
    on_cluster(config, bucket)
    before = {key: bucket.get(key) for key in bucket.keys}
    monkeypatch.setattr(StoredParts, "__exit__", lambda *_: None)  # a process that is killed does nothing more
    with pytest.raises(KeyboardInterrupt):
        on_cluster(config, bucket, Killed())
    assert {key: bucket.get(key) for key in before} == before
    assert len(bucket.keys) > len(before) + 2
    assert f"out/{INTENT}" in bucket.keys
    read = sessionize("summary", f"{bucket}/out", "--json", cwd=tmp_path)
    assert (read.code, json.loads(read.out)["sessions"]) == (0, SESSIONS), read.err
    monkeypatch.undo()
    stores.environment(monkeypatch, bucket.port)
    run(config, Output(directory=f"{bucket}/out"))
    manifest(bucket)


@pytest.mark.slow
def test_a_run_that_fails_takes_away_what_its_tasks_have_put_there(bucket: stores.Bucket, config: Config) -> None:
    with pytest.raises(KeyboardInterrupt):
        on_cluster(config, bucket, Killed())
    assert bucket.keys == []
    on_cluster(config, bucket)
    before = {key: bucket.get(key) for key in bucket.keys}
    with pytest.raises(KeyboardInterrupt):
        on_cluster(config, bucket, Killed())
    assert {key: bucket.get(key) for key in bucket.keys} == before


@pytest.mark.parametrize(
    "name", ["metrics/part-00000.parquet", "sessions/mine.txt", "manifest.json", "rejected.ndjson"]
)
def test_somebody_elses_object_is_refused_before_anything_is_read(name: str, bucket: stores.Bucket) -> None:
    uri = bucket.put(f"out/{name}", b"mine")
    with pytest.raises(UsageError, match=f"{uri} is not of an earlier run"):
        on_cluster(Config(inputs=("nowhere.csv",)), bucket)
    assert bucket.keys == [f"out/{name}"]


@pytest.mark.slow
def test_files_come_first_and_the_manifest_last(
    bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    on_cluster(config, bucket)
    with stores.proxy(lambda _: "") as (port, seen):
        stores.environment(monkeypatch, port)
        on_cluster(config, bucket)
    changes = [
        (each.method, each.path.partition("?")[0].partition("/out/")[2].partition("-")[0])
        for each in seen
        if each.method in {"PUT", "DELETE"} and not each.path.partition("?")[0].endswith("/")
    ]
    last = [each for each in changes if ".scratch." not in each[1]]
    assert (last[0], sorted(last[1:3])) == (("PUT", INTENT), [("PUT", "metrics/part"), ("PUT", "sessions/part")])
    assert last[3:5] == [("PUT", INTENT), ("DELETE", "manifest.json")]
    assert sorted(last[5:-2]) == [("DELETE", "metrics/part"), ("DELETE", "sessions/part"), ("PUT", "rejected.ndjson")]
    assert last[-2:] == [("PUT", "manifest.json"), ("DELETE", INTENT)]


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["sessions.", "metrics/part-00000", "manifest.json"])
def test_a_broken_upload_is_no_run_and_the_next_one_heals_it(
    bucket: stores.Bucket, monkeypatch: pytest.MonkeyPatch, broken: str, config: Config
) -> None:
    on_cluster(config, bucket)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")

    def rule(request: stores.Request) -> str:
        return "500:InternalError" if request.method == "PUT" and f"/{broken}" in request.path else ""

    with stores.proxy(rule) as (port, _):
        stores.environment(monkeypatch, port)
        with pytest.raises(OutputError, match=f"cannot write {bucket}/out"):
            on_cluster(config, bucket)
    stores.environment(monkeypatch, bucket.port)
    if broken == "manifest.json":
        assert "out/manifest.json" not in bucket.keys
    else:
        manifest(bucket)
    on_cluster(config, bucket)
    manifest(bucket)


@pytest.mark.slow
def test_a_part_that_another_run_took_away_is_no_run(bucket: stores.Bucket, config: Config) -> None:
    class Robbed(FakeCluster):
        def each(self, number: int | None, task: Task) -> Any:
            found = super().each(number, task)
            for key in bucket.keys if isinstance(task, MergeSessions) else ():
                if "/metrics/" in key:
                    bucket.delete(key)
            return found

    with pytest.raises(OutputError, match="None bytes are there of"):
        on_cluster(config, bucket, Robbed())
    assert "out/manifest.json" not in bucket.keys


@pytest.mark.slow
def test_a_machine_that_a_store_refuses_is_named_before_anything_is_read(bucket: stores.Bucket, tmp_path: Path) -> None:
    uri = bucket.put("events.csv", CSV.read_bytes())

    class Refused(FakeCluster):
        def each(self, number: int | None, task: Task) -> Any:
            with stores.proxy(lambda _: "403:AccessDenied") as (port, _), pytest.MonkeyPatch.context() as patch:
                stores.environment(patch, port)
                return super().each(number, task)

    with pytest.raises(MachineError, match=f"{bucket}: access denied, says the machine") as caught:
        job.run(Config(inputs=(uri,)), Output(directory=str(tmp_path / "out")), Refused())
    assert "spark.executorEnv" in str(caught.value.hint)


def test_an_object_that_is_replaced_while_the_cluster_reads_is_exit_3(bucket: stores.Bucket, tmp_path: Path) -> None:
    uri = bucket.put("events.csv", CSV.read_bytes())

    class Late(FakeCluster):
        def shuffled(self, *args: Any) -> Any:
            bucket.put("events.csv", CSV.read_bytes() + b"\n")
            return super().shuffled(*args)

    with pytest.raises(InputError, match="it changed while it was read"):
        job.run(Config(inputs=(uri,)), Output(directory=str(tmp_path / "out")), Late())
