"""A real cluster gives what one machine gives: a master and two workers on loopback; thoroughly, one of which dies."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import polars as pl
import pytest
import stores
from budget import THOROUGH
from clustered import CSV, LOGS, both, ndjson, passive, ties
from polars.testing import assert_frame_equal
from standalone import Standalone, environment, missing, standalone

from sessionize import Config, Output, Rules, run, sessionize
from sessionize.errors import InputError
from sessionize.spark import job
from sessionize.spark.cluster import cluster
from sessionize.spark.sizes import Sizes

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a cluster and its driver."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("begun")
def test_a_cluster_gives_the_rows_of_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = stores.bucket() if find_spec("moto") is not None else None
    if bucket is not None:
        stores.environment(monkeypatch, bucket.port)
    sizes = Sizes(range_sessions=100)
    with standalone(tmp_path) as there, cluster(there.master) as found:
        for log in LOGS if THOROUGH else (ties, ndjson, passive):
            folder = tmp_path / log.__name__
            (folder / "log").mkdir(parents=True)
            both(log(folder / "log"), folder, found, events=log is passive, sizes=sizes)
        if bucket is not None:
            a_store_gives_and_gets_the_rows_of_one_machine(tmp_path / "store", found, bucket, sizes)
        a_damaged_file_is_named(tmp_path / "damaged", found)
        frames_are_those_of_one_machine(found.session)
        types_of_spark_are_read(found.session)


@pytest.mark.skipif(not THOROUGH, reason="takes minutes: THOROUGH=1")
@pytest.mark.usefixtures("begun")
def test_three_million_events_with_a_hot_key_give_the_rows_of_one_machine_though_a_worker_is_killed(
    tmp_path: Path,
) -> None:
    with standalone(tmp_path) as there, cluster(there.master) as found:
        both_though_a_worker_dies(tmp_path / "killed", found, there)


def a_store_gives_and_gets_the_rows_of_one_machine(
    folder: Path, found: Any, bucket: stores.Bucket, sizes: Sizes
) -> None:
    folder.mkdir()
    uri = bucket.put("log/events.csv", CSV.read_bytes())
    one = run(Config(inputs=(str(CSV),)), Output(directory=str(folder / "one"), events=True))
    many = job.run(Config(inputs=(uri,)), Output(directory=f"{bucket}/out", events=True), found, sizes=sizes)
    assert many.counts == one.counts
    for name in ("sessions", "metrics", "events"):
        names = [each["path"] for each in many.manifest["outputs"] if each["path"].startswith(f"{name}/")]
        whole = pl.concat(pl.read_parquet(bucket.get(f"out/{each}")) for each in names)
        assert_frame_equal(whole, pl.read_parquet(folder / "one" / f"{name}.parquet"))
    listed = {f"out/{each['path']}" for each in many.manifest["outputs"]}
    assert {*bucket.keys} == {"log/events.csv", "out/manifest.json", *listed}


def a_damaged_file_is_named(folder: Path, found: Any) -> None:
    folder.mkdir()
    pl.DataFrame({"user_id": ["a"] * 99, "time": pl.int_range(99, eager=True) + 1717063200}).write_parquet(
        folder / "a.parquet"
    )
    content = (folder / "a.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(content[:4] + b"\xff" * 60 + content[64:])
    with pytest.raises(InputError, match=r"a\.parquet: damaged"):
        job.run(Config(inputs=(str(folder / "a.parquet"),)), Output(directory=str(folder / "out")), found)
    assert not (folder / "out" / "manifest.json").exists()


def frames_are_those_of_one_machine(spark: Any) -> None:
    from sessionize.spark import sessionize as on_spark  # noqa: PLC0415

    plain = [(f"u{n % 7}", f"2024-05-{1 + n % 28:02} 1{n % 10}:00:00", f"/{n}", float(n)) for n in range(300)]
    rows = [(*row, "ping" if at % 3 else "view") for at, row in enumerate([*plain, ("u1", "soon", "/", 0.0)])]
    names = ["user.id", "time", "page", "x.y", "event_type"]
    config = Config(columns={"profile_id": "user.id"}, properties=("x.y",), rules=Rules(passive=("ping",)))
    one = sessionize(pl.DataFrame(rows, schema=names, orient="row"), config)
    many = on_spark(spark.createDataFrame(rows, names), config)
    metrics = _collected(many.metrics)
    assert_frame_equal(metrics, one.metrics, check_dtypes=False)
    sessions = (
        many.sessions.orderBy("metadata.time.insert", "id").select("id", "properties", "metadata.status").collect()
    )
    assert [tuple(row) for row in sessions] == [
        (row["id"], row["properties"], row["metadata"]["status"]) for row in one.sessions.to_dicts()
    ]
    rejected = one.rejected.select("row", "reason").rows()
    assert {reason for _, reason in rejected} == {"bad_timestamp", "passive_alone"}
    assert sorted(tuple(row) for row in many.rejected.collect()) == sorted(
        (*rows[row - 1], reason) for row, reason in rejected
    )


def types_of_spark_are_read(spark: Any) -> None:
    from sessionize.spark import sessionize as on_spark  # noqa: PLC0415

    made = spark.sql(
        "select 'ann' as user_id, timestamp '2024-05-30 10:00:00' as ts, date '2024-05-30' as day, 1.50BD as price, "
        "map('a', 1) as pairs, named_struct('x', array(1, 2)) as deep union all select null, null, null, null, null, null"
    )
    found = on_spark(made, Config(properties=("day", "price", "pairs", "deep"), columns={"timestamp": "ts"}))
    assert [row["session_id"][:6] for row in found.metrics.collect()] == ["p:ann."]
    (row,) = found.sessions.collect()
    assert '"day":"2024-05-30"' in row["properties"]
    assert [row["reason"] for row in found.rejected.collect()] == ["null_timestamp"]
    assert dict(found.rejected.dtypes)["day"] == "date"


def _collected(frame: Any) -> pl.DataFrame:
    rows = [row.asDict() for row in frame.orderBy("start", "session_id").collect()]
    found = pl.DataFrame(rows, infer_schema_length=None)
    # Spark gives times without a zone, in this process's own.
    return found.with_columns(pl.col("start", "end").dt.replace_time_zone("UTC"))


def both_though_a_worker_dies(folder: Path, found: Any, there: Standalone) -> None:
    (folder / "log").mkdir(parents=True)
    hot = pl.col("n") % 4 == 0
    events = pl.DataFrame({"n": pl.int_range(3_000_000, eager=True)}).select(
        user_id=pl.when(hot).then(pl.lit("hot")).otherwise(pl.format("u{}", pl.col("n") % 49_999)),
        time=pl.col("n") * 37 % 50_000_000 + 1_717_063_200,
        event_type=pl.when(pl.col("n") % 7 == 0).then(pl.lit("ping")).otherwise(pl.lit("view")),
        page=pl.format("/{}", "n"),
    )
    for number in range(8):
        events.slice(number * 375_000, 375_000).write_parquet(folder / "log" / f"{number}.parquet")
    killer = Thread(target=_once, args=(lambda: [*folder.glob("many/.scratch.*/sessions.*")], there.kill_worker))
    killer.start()
    both(
        Config(inputs=(str(folder / "log"),), rules=Rules(passive=("ping",))),
        folder,
        found,
        partitions=6,
        sizes=Sizes(range_sessions=50_000),
    )
    killer.join()
    assert there.workers[0].poll() is not None


def _once(there: Callable[[], list[Path]], act: Callable[[], None]) -> None:
    while not there():
        sleep(0.01)
    act()
