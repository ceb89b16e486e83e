"""One run at a time writes into a directory, and a signal leaves nothing half-written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from publishing import AFTER, BEFORE, CRASH, NEW, SIZES, earlier_run, hidden, in_child, raising, start, visible

from sessionize.errors import LockedError, OutputError
from sessionize.output.publish import LOCK, Publisher, abandon_all


def holder(directory: Path) -> subprocess.Popen[bytes]:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sessionize.output.publish import Publisher\n"
        "with Publisher(Path(sys.argv[1])) as output:\n"
        "    output.path('metrics.parquet').write_bytes(b'half')\n"
        "    print('in', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, directory], stdout=subprocess.PIPE)
    assert child.stdout
    assert child.stdout.readline() == b"in\n"
    return child


def test_a_second_run_is_told_who_holds_the_directory_and_touches_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as child:
        before = hidden(tmp_path)
        with pytest.raises(LockedError, match=rf"\(pid {child.pid}\)") as caught:
            start(tmp_path)
        assert caught.value.exit_code == 5
        assert hidden(tmp_path) == before
        child.send_signal(signal.SIGKILL)
    assert len(hidden(tmp_path)) == 2
    start(tmp_path)
    assert hidden(tmp_path) == {LOCK}


def test_a_signal_while_writing_leaves_nothing(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")

    def work() -> None:
        with Publisher(directory) as output, Publisher(tmp_path / "other") as other:
            for name in NEW:
                for each in (output, other):
                    each.path(name).write_bytes(b"new")
                    each.seal(name)
            late = threading.Thread(target=output.commit, daemon=True)
            abandon_all()
            late.start()
            late.join(0.2)
            os._exit(CRASH)

    assert in_child(work) == CRASH
    assert visible(directory) == BEFORE
    assert hidden(directory) == hidden(tmp_path / "other") == {LOCK}
    start(directory)
    assert visible(directory) == BEFORE


def test_a_signal_while_temporary_files_are_written_leaves_none(tmp_path: Path) -> None:
    def work() -> None:
        with Publisher(tmp_path / "out") as output:
            folder = output.scratch()
            writing = threading.Event()

            def write() -> None:
                with suppress(OSError):
                    for number in range(1_000_000):
                        (folder / str(number)).write_bytes(b"rows")
                        writing.set()

            threads = [threading.Thread(target=write, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            writing.wait()
            abandon_all()
            os._exit(CRASH)

    assert in_child(work) == CRASH
    assert hidden(tmp_path / "out") == {LOCK}


def test_a_signal_does_not_touch_what_the_process_no_longer_holds(tmp_path: Path) -> None:
    start(tmp_path)

    def work() -> None:
        (tmp_path / ".metrics.parquet.4711.partial").write_bytes(b"another run's")
        abandon_all()

    assert in_child(work) == 0
    assert hidden(tmp_path) == {LOCK, ".metrics.parquet.4711.partial"}


def test_a_signal_while_committing_lets_the_commit_finish(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")
    sync = os.fsync

    def work() -> None:
        committing = threading.Event()

        def slow_sync(handle: int) -> None:
            committing.set()
            threading.Event().wait(0.03)
            sync(handle)

        def run() -> None:
            with Publisher(directory) as output:
                for name, content in NEW.items():
                    output.path(name).write_bytes(content)
                    output.seal(name)
                pytest.MonkeyPatch().setattr(os, "fsync", slow_sync)
                output.commit(earlier=SIZES)

        threading.Thread(target=run, daemon=True).start()
        assert committing.wait(10)
        abandon_all()
        os._exit(CRASH)

    assert in_child(work) == CRASH
    assert visible(directory) == AFTER
    start(directory)
    assert hidden(directory) == {LOCK}


def test_a_signal_does_not_wait_for_a_commit_that_hangs(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")

    def work() -> None:
        hanging = threading.Event()

        def hang(_handle: int) -> None:
            hanging.set()
            threading.Event().wait()

        def run() -> None:
            with Publisher(directory) as output:
                output.path("manifest.json").write_bytes(b"new one")
                output.seal("manifest.json")
                pytest.MonkeyPatch().setattr(os, "fsync", hang)
                output.commit(earlier=SIZES)

        threading.Thread(target=run, daemon=True).start()
        assert hanging.wait(10)
        abandon_all()
        os._exit(CRASH)

    assert in_child(work) == CRASH
    assert visible(directory) == BEFORE
    assert len(hidden(directory)) > 1
    start(directory)
    assert visible(directory) == BEFORE
    assert hidden(directory) == {LOCK}


def test_two_runs_in_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    with Publisher(tmp_path), pytest.raises(LockedError):
        start(tmp_path)
    start(tmp_path)


def test_the_lock_is_free_after_a_start_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", raising(errno.EIO))
        with pytest.raises(OutputError):
            start(tmp_path)
    start(tmp_path)


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / LOCK).symlink_to(outside)
    with pytest.raises(OutputError):
        start(directory)
    assert outside.read_bytes() == b"precious"
