"""What is digested behind its writer: the whole of it, whenever it was looked at; what the disk refuses is told."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path
from threading import current_thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionize import Config, Output, run
from sessionize.errors import OutputError
from sessionize.output import digests
from sessionize.output.digests import Followed, forced

LOG = "session_id,timestamp\n" + "".join(f"s{number % 9},2024-05-30T10:00:00Z\n" for number in range(50))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=2_000), st.sampled_from([0.0, 0.0, 0.002])), max_size=8), st.integers(1, 9)
)
def test_the_digest_is_that_of_all_bytes_however_they_came(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bytes, float]], block: int
) -> None:
    path = tmp_path_factory.mktemp("followed") / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "BLOCK", block)
        patch.setattr(digests, "OFTEN", 0.0005)
        patch.setattr(digests, "FORCED", 1)
        with Followed(path) as followed, path.open("wb") as file:
            for piece, pause in pieces:
                file.write(piece)
                file.flush()
                time.sleep(pause)
    whole = b"".join(piece for piece, _ in pieces)
    assert followed.digest == (len(whole), hashlib.sha256(whole).hexdigest()) == forced(path)


def test_a_file_is_read_and_forced_to_disk_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    forced_at: list[int] = []
    fsync = os.fsync

    def noted(file: int) -> None:
        forced_at.append(os.fstat(file).st_size)
        fsync(file)

    monkeypatch.setattr(digests, "FORCED", 1_000)
    monkeypatch.setattr(os, "fsync", noted)
    with Followed(path), path.open("wb") as file:
        file.write(b"x" * 1_000)
        file.flush()
        waited = time.monotonic() + 10
        while not forced_at and time.monotonic() < waited:
            time.sleep(0.001)
        file.write(b"y")
    assert forced_at == [1_000, 1_001]


@pytest.mark.parametrize("form", ["parquet", "ndjson"])
def test_what_the_disk_refuses_meanwhile_is_told_and_nothing_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "out"
    log.write_text(LOG)
    config = Config(inputs=(str(log),))
    output = Output(directory=str(out), form=form)
    run(config, output)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    fsync = os.fsync

    def refuse_once(file: int) -> None:
        if current_thread().name != here and "metrics" in Path(f"/proc/self/fd/{file}").readlink().name:
            monkeypatch.setattr(os, "fsync", fsync)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(file)

    monkeypatch.setattr(digests, "FORCED", 0)
    monkeypatch.setattr(digests, "OFTEN", 0)
    here = current_thread().name
    log.write_text(LOG + "s1,2024-05-30T11:00:00Z\n")
    monkeypatch.setattr(os, "fsync", refuse_once)
    with pytest.raises(OutputError, match=r"cannot write .*\.(parquet|ndjson)"):
        run(config, output)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
