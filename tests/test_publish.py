"""A commit replaces the earlier run and nothing else, in an order that holds if the machine stops."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from budget import turns
from publishing import BEFORE, NEW, OLD, SIZES, STRANGER, earlier_run, hidden, publish, visible

from sessionize.errors import InputError, OutputError, UsageError
from sessionize.output.publish import INTENT, LOCK, Publisher, Staged


def test_a_commit_replaces_the_earlier_run_and_nothing_else(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")
    publish(directory)
    assert visible(directory) == NEW | STRANGER
    assert hidden(directory) == {LOCK}
    assert (directory / LOCK).read_bytes() == b""


def test_nothing_is_visible_before_the_commit(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "out"
    with Publisher(directory) as output:
        path = output.path("sessions.parquet")
        path.write_bytes(b"new")
        staged = output.seal("sessions.parquet")
        assert visible(directory) == {}
        assert list(directory.glob("*.parquet")) == []
        assert path.name == f".sessions.parquet.{os.getpid()}.partial"
        assert staged == Staged(path.name[1:17], path, 3, hashlib.sha256(b"new").hexdigest())
        assert (directory / LOCK).read_bytes() == b"sessionize %d\n" % os.getpid()


@pytest.mark.parametrize("error", [None, InputError("corrupt"), KeyboardInterrupt()])
def test_without_a_commit_the_directory_is_as_it_was(tmp_path: Path, error: BaseException | None) -> None:
    directory = earlier_run(tmp_path / "out")

    def abandoned() -> None:
        with Publisher(directory) as output:
            output.path("manifest.json").write_bytes(b"new one")
            output.seal("manifest.json")
            output.path("metrics.parquet").write_bytes(b"half")
            if error:
                raise error

    if error:
        with pytest.raises(type(error)):
            abandoned()
    else:
        abandoned()
    assert visible(directory) == BEFORE
    assert hidden(directory) == {LOCK}


def test_a_file_sealed_again_is_renamed_last(tmp_path: Path) -> None:
    with Publisher(tmp_path) as output:
        for name in ("manifest.json", "metrics.parquet", "manifest.json"):
            output.path(name).write_bytes(b"1")
            output.seal(name)
        assert list(output._sealed) == ["metrics.parquet", "manifest.json"]
        output.commit()


def test_a_link_under_the_final_name_is_neither_replaced_nor_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(OLD["manifest.json"])
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / "manifest.json").symlink_to(outside)
    with pytest.raises(UsageError, match="is not of an earlier run"):
        publish(directory)
    assert (directory / "manifest.json").readlink() == outside
    assert visible(directory) == {"manifest.json": OLD["manifest.json"]}
    assert hidden(directory) == {LOCK}


def test_a_directory_named_as_stale_stays(tmp_path: Path) -> None:
    (tmp_path / "sessions.json").mkdir()
    publish(tmp_path, NEW, {"sessions.json": (tmp_path / "sessions.json").stat().st_size})
    assert (tmp_path / "sessions.json").is_dir()


def test_one_hold_may_commit_twice(tmp_path: Path) -> None:
    with Publisher(tmp_path) as output:
        for name, content in NEW.items():
            output.path(name).write_bytes(content)
            output.seal(name)
            output.commit()
        output.path("metrics.parquet").write_bytes(b"newest")
        output.seal("metrics.parquet")
        output.commit(earlier={"metrics.parquet": len(NEW["metrics.parquet"])})
    assert visible(tmp_path) == NEW | {"metrics.parquet": b"newest"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\0"])
def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path, name: str) -> None:
    with Publisher(tmp_path) as output:
        for refused in (output.path, output.seal, lambda name: output.commit(earlier={name: 1})):
            with pytest.raises(ValueError, match="not the name of a file"):
                refused(name)


def test_sealing_and_making_the_directory_reach_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    sync = os.fsync

    def syncing(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    monkeypatch.setattr(os, "fsync", syncing)
    with Publisher(tmp_path / "new" / "out") as output:
        assert set(synced) == {tmp_path, tmp_path / "new", tmp_path / "new" / "out" / LOCK}
        path = output.path("metrics.parquet")
        path.write_bytes(b"1")
        output.seal("metrics.parquet")
        assert synced[-1] == path


def test_all_is_on_disk_before_the_commit_and_the_manifest_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = earlier_run(tmp_path / "out")
    steps: list[str] = []
    sync, replace = os.fsync, os.replace

    def syncing(handle: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        sync(handle)

    def replacing(source: Path, target: Path) -> None:
        replace(source, target)
        steps.append(f"{source.name} > {target.name}")

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)
    publish(directory)
    pid = os.getpid()
    commit = steps.index(f".{INTENT}.{pid}.partial > {INTENT}")
    assert {f"sync .{name.replace('/', '~')}.{pid}.partial" for name in (*NEW, INTENT)} <= set(steps[:commit])
    assert steps[commit - 1 : commit + 2 : 2] == ["sync out", "sync out"]
    assert steps[commit + 2 :] == [
        f"manifest.json > .manifest.json.old.{pid}.partial",
        f"sessions.json > .sessions.json.old.{pid}.partial",
        f"part-00000.ndjson > .sessions~part-00000.ndjson.old.{pid}.partial",
        f".sessions.parquet.{pid}.partial > sessions.parquet",
        f".metrics.parquet.{pid}.partial > metrics.parquet",
        f".metrics~part-00000.parquet.{pid}.partial > part-00000.parquet",
        f".manifest.json.{pid}.partial > manifest.json",
        "sync metrics",
        "sync sessions",
        "sync out",
    ]


def test_a_sealed_file_that_vanished_stops_the_commit(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")
    with Publisher(directory) as output:
        for name in NEW:
            output.path(name).write_bytes(b"1")
            output.seal(name)
        output.path("metrics.parquet").unlink()
        with pytest.raises(OutputError, match="no such file"):
            output.commit(earlier=SIZES)
    assert visible(directory) == BEFORE


@pytest.mark.slow
def test_a_reader_beside_always_finds_whole_files_that_fit_the_manifest(tmp_path: Path) -> None:
    runs = [{"metrics.parquet": b"%d" % run, "manifest.json": b"%d" % run} for run in range(turns(200))]
    publish(tmp_path, runs[0])
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            try:
                first = (tmp_path / "manifest.json").read_bytes()
                metrics = (tmp_path / "metrics.parquet").read_bytes()
                again = (tmp_path / "manifest.json").read_bytes()
            except FileNotFoundError as error:
                if "manifest" not in error.filename:
                    wrong.append(error.filename)
                continue
            if first == again != metrics:
                wrong.append(f"{metrics!r} beside {first!r}")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for files in runs:
            publish(tmp_path, files, {path.name: path.stat().st_size for path in tmp_path.glob("[m]*")})
    finally:
        done.set()
        reader.join()
    assert wrong == []
