"""A write that fails is told with its place, exit 4, and nothing that was there is touched: at each step on disk."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from budget import every
from night_logs import write_log

from sessionize.config import Config, Output
from sessionize.engine import partition
from sessionize.errors import InputError, OutputError
from sessionize.limits import Limits
from sessionize.one_shot import run
from sessionize.output.writers import writer
from sessionize.read.files import find

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands before the C library, and fails the n-th call that changes something below a folder."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("there is no C compiler here")
    found = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(found), str(HERE / "faults.c"), "-ldl"], check=True)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "steps", "stride"),
    [
        ("run parquet", 60, 1), ("run csv", 50, 2), ("run ndjson", 50, 2), ("run json", 50, 2),
        ("run on disk", 80, 2), ("night", 50, 1), ("redo", 50, 1), ("check", 5, 1),
    ],
)  # fmt: skip
def test_a_fault_at_any_step_is_exit_4_names_the_place_and_touches_nothing(
    tmp_path: Path, library: Path, work: str, steps: int, stride: int
) -> None:
    stride *= 1 if work == "check" else every(4)
    command = [sys.executable, str(HERE / "faulty.py"), str(tmp_path / "place"), work, str(stride)]
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["steps"] > steps
    assert found["told"] > steps / stride * 0.8
    assert (found["committed"] > 2) == (work in {"night", "redo"})


def test_a_log_whose_temporary_files_will_not_fit_is_refused_before_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (log,) = write_log(tmp_path / "logs", 1, 500)
    config = Config(inputs=(str(log),))
    limits = Limits(event_bytes=1, rows=100, partitions=(2, 2))
    needed: list[float] = []
    expected = partition._expected

    def noted(*found: Any) -> tuple[float, float]:
        rows, size = expected(*found)
        needed.append(size)
        return rows, size

    monkeypatch.setattr(partition, "_expected", noted)
    run(config, Output(directory=str(tmp_path / "out")), limits=limits)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert 500 * 10 < needed[0] < 500 * 500

    def usage(free: int) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))

    for output, elsewhere in ((str(tmp_path / "out"), "choose another -o"), ("-", "set TMPDIR to another disk")):
        usage(int(needed[0]) - 1)
        with pytest.raises(
            OutputError, match="GB of temporary files are needed to stay under the memory limit"
        ) as caught:
            run(config, Output(directory=output), limits=limits)
        hint = f"make room, raise --memory-limit, or {elsewhere}"
        assert (caught.value.exit_code, caught.value.hint) == (4, hint)
        assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    usage(int(needed[0]) + 1)
    run(config, Output(directory=str(tmp_path / "out")), limits=limits)


def test_a_log_that_cannot_be_read_is_exit_3_and_a_full_tmpdir_is_exit_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (log,) = write_log(tmp_path / "logs", 1, 500)

    class Failing(BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        def isatty(self) -> bool:
            return False

    with pytest.raises(InputError, match="damaged or cut short"):
        find(Config(inputs=("-",)), Failing())
    monkeypatch.setattr("sessionize.read.probe.home", lambda: Path("/dev/full/nowhere"))
    with pytest.raises(OutputError) as caught:
        find(Config(inputs=("-",)), BytesIO(log.read_bytes()))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_a_full_disk_under_any_writer_names_the_file(tmp_path: Path, form: Any) -> None:
    (tmp_path / "metrics").symlink_to("/dev/full")
    frame = pl.DataFrame({"a": range(200_000)})
    with (
        pytest.raises(OutputError, match=f"cannot write {tmp_path}/metrics: no space left"),
        writer(tmp_path / "metrics", form) as out,
    ):
        out.write(frame)
