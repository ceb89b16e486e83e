"""Spark as the engine sees it: tasks over numbers, a shuffle, lines back. Public DataFrame functions only, as Connect has them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from sessionize.errors import MachineError, UsageError
from sessionize.spark.border import BATCH_ROWS, Types, spark_schema
from sessionize.spark.lines import LINE
from sessionize.values import NamedTuple

Task = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
INSTALL: Final = "pip install 'sessionize[spark]'"
SETTINGS: Final = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.session.timeZone": "UTC",
}
"""Settings of the session that are in force while a run goes on."""
OF_OUR_OWN: Final = {
    "spark.ui.showConsoleProgress": "false",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    "spark.python.worker.faulthandler.enabled": "true",
}
"""Settings of a session that is begun here, beside those of its defaults file."""
LONGEST: Final = 500
"""Characters of what Spark says that a message shows."""
NOT_INSTALLED: Final = "No module named 'sessionize"


class Line(NamedTuple):
    """What a task has said, and by which versions."""

    versions: str
    said: bytes


class Cluster(Protocol):
    """What runs tasks: `SparkCluster`, or in tests a loop."""

    def each(self, number: int | None, task: Task) -> list[Line]:
        """Run a task for each of so many numbers, from 0.

        Args:
            number: How many; None for as many as run side by side.
            task: Takes batches with a number in each row, gives lines.
        """

    def shuffled(self, number: int, read: Task, columns: Types, parts: int, cut: Task) -> list[Line]:
        """Run a task for each of so many numbers, and another one for each part of what comes.

        Args:
            number: How many numbers, from 0.
            read: Takes batches with a number in each row, gives rows.
            columns: Types of these rows' columns.
            parts: How many parts: rows that are equal in the first column are in the same one.
            cut: Takes the rows of a part, ordered by the first three columns; gives lines.
        """


class SparkCluster:
    """A session of Spark, classic or Connect.

    Attributes:
        session: A ``pyspark.sql.SparkSession``.
    """

    def __init__(self, session: Any) -> None:
        self.session = session

    def each(self, number: int | None, task: Task) -> list[Line]:
        """Run a task for each number, each in a partition of its own."""
        return self._lines(self._numbers(number).mapInArrow(task, spark_schema(LINE)))

    def shuffled(self, number: int, read: Task, columns: Types, parts: int, cut: Task) -> list[Line]:
        """Run both tasks. A numbered repartition keeps keys together, and Spark leaves it as it is."""
        rows = self._numbers(number).mapInArrow(read, spark_schema(columns))
        return self._lines(shuffled(rows, parts).mapInArrow(cut, spark_schema(LINE)))

    def _numbers(self, number: int | None) -> Any:
        return self.session.range(1 << 16) if number is None else self.session.range(0, number, 1, number)

    def _lines(self, frame: Any) -> list[Line]:
        with _translated():
            return [Line(str(row[0]), bytes(row[1])) for row in frame.collect()]


def shuffled(rows: Any, parts: int) -> Any:
    """A DataFrame with the rows of a key together, in order of key, time and place: its first three columns."""
    return rows.repartition(parts, "c0").sortWithinPartitions("c0", "c1", "c2")


@contextmanager
def cluster(master: str | None = None, remote: str | None = None) -> Iterator[SparkCluster]:
    """A session of Spark: the one that is there, as in a notebook, else one that ends with the block.

    Args:
        master: URL of a master; None for what Spark's own settings say, without any this machine alone.
        remote: URL of a server of Spark Connect.

    Raises:
        UsageError: If pyspark is missing.
        MachineError: If Spark cannot be started or reached.
    """
    check_installed(remote)
    with _translated():
        from pyspark.sql import SparkSession

        active = SparkSession.getActiveSession() if master is None and remote is None else None
        session = _begun(master, remote) if active is None else active
        before = {name: session.conf.get(name, None) for name in SETTINGS}
        for name, value in SETTINGS.items():
            session.conf.set(name, value)
    try:
        yield SparkCluster(session)
    finally:
        with suppress(Exception):  # the session may be what has failed
            session.stop() if active is None else _restored(session, before)


def check_installed(remote: str | None = None) -> None:
    """Refuse to go on without the packages, or without Java where it is needed.

    Raises:
        UsageError: If a package is missing.
        MachineError: If there is no Java.
    """
    missing = [name for name in ("pyspark", "pandas") if find_spec(name) is None]
    if missing:
        raise UsageError(f"--engine spark needs the package {missing[0]}", hint=INSTALL)
    is_remote = remote is not None or "SPARK_REMOTE" in os.environ
    home = os.environ.get("JAVA_HOME")
    java = home is not None and (Path(home) / "bin" / "java").is_file()
    if not is_remote and not java and shutil.which("java") is None:
        raise MachineError(
            "--engine spark needs Java 17 or later, and there is none in JAVA_HOME or PATH",
            hint="install it, or name a server of Spark Connect: --remote sc://HOST",
        )


def _begun(master: str | None, remote: str | None) -> Any:
    from pyspark.sql import SparkSession

    builder: Any = SparkSession.builder.appName("sessionize")
    if remote is not None:
        return builder.remote(remote).getOrCreate()
    if "SPARK_REMOTE" in os.environ and master is None:
        return builder.getOrCreate()
    # Spark runs whatever python3 is first in PATH: on this machine it should be the one that has the packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in OF_OUR_OWN.items():
        builder = builder.config(name, value)
    if master is not None:
        builder = builder.master(master)
    return builder.getOrCreate()


def _restored(session: Any, before: dict[str, str | None]) -> None:
    for name, value in before.items():
        session.conf.unset(name) if value is None else session.conf.set(name, value)


@contextmanager
def _translated() -> Iterator[None]:
    """Says in a line what Spark says in a hundred."""
    try:
        yield
    except (UsageError, MachineError):
        raise
    except Exception as error:
        kind = type(error).__module__.partition(".")[0]
        if kind not in {"pyspark", "py4j", "grpc"} and not isinstance(error, (ImportError, OSError, RuntimeError)):
            raise
        raise _said(error) from error


def _said(error: Exception) -> MachineError | UsageError:
    text = str(error)
    if NOT_INSTALLED in text:
        return MachineError(
            "the cluster's Python has no package sessionize",
            hint="install it on every node, or send a packed environment: see the manual's chapter on Spark",
        )
    if isinstance(error, ImportError) or type(error).__name__ == "PySparkImportError":
        return UsageError(
            f"--engine spark: {text[:LONGEST]}", hint=f"{INSTALL} 'pyspark[connect]', or see what is missing"
        )
    lines = [
        each.strip() for each in text.splitlines() if each.strip() and not each.lstrip().startswith(("at ", "File "))
    ]
    ours = [each for each in lines if "Error" in each.partition(":")[0]]
    return MachineError(
        f"Spark: {(ours or lines or [type(error).__name__])[-1 if ours else 0][:LONGEST]}",
        hint="the logs of the driver and of the tasks say more; --debug shows what Spark said",
    )
