"""A place that cannot be written is named, with what to do, and what is there stays."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from publishing import in_child, start

from sessionize.errors import InputError, OutputError
from sessionize.os_errors import map_os_errors
from sessionize.output.publish import LOCK, Publisher


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    for place in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match=str(place)) as caught:
            start(place)
        assert "move it away, or write elsewhere" in str(caught.value.hint)
    assert (tmp_path / "out").read_bytes() == b"a file"


def test_a_directory_where_a_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with Publisher(tmp_path) as output, pytest.raises(OutputError, match="is a directory"):
        output.path("manifest.json")


@pytest.mark.parametrize("place", [".", "deeper", "deeper/still"])
def test_a_directory_that_may_not_be_written(reachable: Path, place: str) -> None:
    reachable.chmod(0o555)

    def work() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        with pytest.raises(OutputError, match="permission denied") as caught:
            start(reachable / place)
        assert "make it writable" in str(caught.value.hint)

    assert in_child(work) == 0
    assert list(reachable.iterdir()) == []


def test_a_directory_that_may_be_locked_but_not_written(reachable: Path) -> None:
    (reachable / LOCK).touch()
    (reachable / LOCK).chmod(0o666)
    reachable.chmod(0o555)

    def work() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        with pytest.raises(OutputError, match="permission denied"):
            start(reachable)

    assert in_child(work) == 0


def test_a_directory_behind_a_closed_door(reachable: Path) -> None:
    (reachable / "closed").mkdir(mode=0o700)
    (reachable / "closed").chmod(0o000)

    def work() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        with pytest.raises(OutputError, match="permission denied"):
            start(reachable / "closed" / "out")

    assert in_child(work) == 0


def test_nothing_written_under_the_temporary_name(tmp_path: Path) -> None:
    with Publisher(tmp_path) as output, pytest.raises(OutputError, match="no such file"):
        output.seal("metrics.parquet")


@pytest.mark.parametrize("sink", ["sink_parquet", "sink_ndjson", "sink_csv"])
def test_a_full_disk_under_polars(sink: str) -> None:
    frame = pl.LazyFrame({"a": range(50_000)})
    with (
        pytest.raises(OutputError, match="cannot write out/m: no space left") as caught,
        map_os_errors("out/m"),
    ):
        getattr(frame, sink)("/dev/full", engine="streaming")
    assert caught.value.exit_code == 4
    assert str(caught.value.hint).startswith("make room, or write elsewhere; ")
    assert str(caught.value.hint).endswith(" MB are free there")


def test_a_full_disk_under_python(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space left"), map_os_errors(tmp_path / "x"):
        Path("/dev/full").write_bytes(b"1")


@pytest.mark.parametrize("sink", ["sink_parquet", "sink_ndjson", "sink_csv"])
def test_a_directory_in_the_way_of_polars(tmp_path: Path, sink: str) -> None:
    with pytest.raises(OutputError, match="is a directory"), map_os_errors(tmp_path):
        getattr(pl.LazyFrame({"a": [1]}), sink)(tmp_path)


class PanicException(BaseException):
    """As Polars raises it."""


DENIED = "Permission denied (os error 13): "


@pytest.mark.parametrize(
    "error",
    [
        OSError("No space left on device (os error 28)"),
        OSError("failed: os error 28"),
        pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device"),
        PanicException("No space left on device (os error 28)"),
        OSError("Disk quota exceeded (os error 122)"),
        OSError(errno.EROFS, "Read-only file system", "out/.metrics.csv.1.partial"),
        PermissionError(DENIED + "out/.metrics.csv.1.partial"),
        PermissionError(DENIED + "out/metrics.csv"),
        PermissionError(DENIED + "out"),
        PermissionError(errno.EACCES, "Permission denied"),
    ],
    ids=str,
)
def test_a_fault_of_the_machine_is_an_output_error(error: BaseException) -> None:
    with (
        pytest.raises(OutputError, match=r"^cannot write out/metrics\.csv: ") as caught,
        map_os_errors("out/metrics.csv"),
    ):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(DENIED + "logs/secret.csv"),
        PermissionError(errno.EACCES, "Permission denied", "out/log.csv"),
        FileNotFoundError("No such file or directory (os error 2): nope.csv"),
        IsADirectoryError("expected a file path; 'logs' is a directory"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        OSError("Broken pipe (os error 32)"),
        pl.exceptions.ComputeError("invalid utf-8 sequence"),
        InputError("log.csv.gz: No space left on device (os error 28)"),
        KeyboardInterrupt(),
        ValueError("a bug"),
    ],
    ids=repr,
)
def test_anything_else_passes_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, map_os_errors(Path("out/metrics.csv")):
        raise error
    assert caught.value is error
