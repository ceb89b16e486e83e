"""Beside ours on a cluster: what people write in Spark. `python tests/bench/on_spark.py LOG.parquet [MASTER]`.

The log has ``user_id`` and ``timestamp``. Each way runs twice in one session: the first run pays for the start of Python's
workers and of Java's compiler. Their times hold beside each other only: they are of one machine at one time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from sessionize import Config, Output
from sessionize.spark.cluster import SparkCluster, cluster
from sessionize.spark.job import run

GAP_S = 1800


def ours(log: str, out: str, found: SparkCluster) -> None:
    """All metrics, in order, and Session records."""
    run(Config(inputs=(log,)), Output(directory=out), found)


def lag_and_sum(log: str, out: str, session: Any) -> None:
    """A gap over the timeout begins a session: lag, a running sum, and a few metrics, in no order."""
    from pyspark.sql import Window  # noqa: PLC0415
    from pyspark.sql import functions as f  # noqa: PLC0415

    visits = Window.partitionBy("user_id").orderBy("timestamp")
    seconds = f.col("timestamp").cast("double")
    events = session.read.parquet(log).withColumn("new", (seconds - f.lag(seconds).over(visits) > GAP_S).cast("int"))
    events = events.withColumn("session", f.sum("new").over(visits))
    ends = (f.min("timestamp").alias("start"), f.max("timestamp").alias("end"), f.count("*").alias("events"))
    events.groupBy("user_id", "session").agg(*ends).write.parquet(out)


def session_window(log: str, out: str, session: Any) -> None:
    """Spark's own: a timeout, and nothing but one. It ends a session at the timeout itself, ours after it."""
    from pyspark.sql import functions as f  # noqa: PLC0415

    window = f.session_window("timestamp", f"{GAP_S} seconds 1 microsecond").alias("window")
    session.read.parquet(log).groupBy("user_id", window).agg(f.count("*").alias("events")).write.parquet(out)


def main(log: str, master: str = "local[*]") -> None:
    """Time each way, cold and warm."""
    with cluster(master) as found, TemporaryDirectory() as folder:
        ways: dict[str, Callable[[str], None]] = {
            "ours": lambda out: ours(log, out, found),
            "lag and running sum": lambda out: lag_and_sum(log, out, found.session),
            "session_window": lambda out: session_window(log, out, found.session),
        }
        for name, way in ways.items():
            for turn in ("cold", "warm"):
                began = monotonic()
                way(str(Path(folder) / f"{name}-{turn}".replace(" ", "-")))
                print(f"{name:20} {turn}  {monotonic() - began:6.1f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
