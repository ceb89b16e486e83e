"""A real cluster of Spark on loopback: a master and workers, which end with the process that began them."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

START_S = 90
PARENT_DEATH = 1
"""PR_SET_PDEATHSIG."""


def missing() -> str | None:
    """Why there can be no cluster here; None where there can."""
    if find_spec("pyspark") is None or find_spec("pandas") is None:
        return "pyspark is not installed: pip install 'sessionize[spark]'"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "there is no Java"
    return None


class Standalone(NamedTuple):
    """A cluster that runs: the URL of its master, its workers' processes."""

    master: str
    workers: list[subprocess.Popen[bytes]]

    def kill_worker(self) -> None:
        """Kill a worker with all that it has begun."""
        os.killpg(self.workers[0].pid, signal.SIGKILL)
        self.workers[0].wait()


@contextmanager
def standalone(folder: Path, workers: int = 2) -> Iterator[Standalone]:
    """Begin a cluster, each worker with one core, and wait until all are there."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        log = folder / "master.log"
        processes.append(_begun(log, "master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"))
        url = _said(log, r"Starting Spark master at (spark://\S+)")
        ui = _said(log, r"(?:MasterUI|MasterWebUI).*?http://\S+?:(\d+)")
        for number in range(workers):
            place = (
                "--work-dir",
                str(folder / f"worker-{number}"),
                "--webui-port",
                "0",
                "--cores",
                "1",
                "--memory",
                "1g",
            )
            processes.append(
                _begun(folder / f"worker-{number}.log", "worker.Worker", *place, "--host", "127.0.0.1", url)
            )
        _wait_for(workers, ui)
        yield Standalone(url, processes[1:])
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment() -> dict[str, str]:
    """What the cluster and its drivers need to know."""
    return {
        **os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]),
    }  # fmt: skip


def _begun(log: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "bin" / "spark-class"
    with log.open("wb") as out:
        return subprocess.Popen(
            [program, f"org.apache.spark.deploy.{name}", *arguments], stdout=out, stderr=out, env=environment(),
            start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509 - only a system call
        )  # fmt: skip


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)


def _said(log: Path, pattern: str) -> str:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if (found := re.search(pattern, log.read_text())) is not None:
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"{log} does not say {pattern}: {log.read_text()[-2000:]}")


def _wait_for(workers: int, port: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/json/", timeout=5) as page:
            if sum(each["state"] == "ALIVE" for each in json.load(page)["workers"]) == workers:
                return
        time.sleep(0.2)
    raise TimeoutError("the workers did not come")
