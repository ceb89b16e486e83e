"""Whatever fails, and wherever: the directory shows the earlier run or this one, nothing else."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sessionize.errors import InputError, LockedError, OutputError, SessionizeError, UsageError
from sessionize.os_errors import map_os_errors
from sessionize.output.publish import INTENT, LOCK, Publisher, Staged, abandon_all

OLD = {"sessions.json": b"old", "metrics.parquet": b"old metrics", "manifest.json": b"old manifest"}
NEW = {"sessions.parquet": b"new", "metrics.parquet": b"new metrics", "manifest.json": b"new one"}
SIZES = {name: len(content) for name, content in OLD.items()}
STRANGER = {"notes.txt": b"not ours"}
STEPS = ("open", "fsync", "replace", "link", "unlink", "ftruncate", "pwrite", "mkdir", "fchmod", "chmod")
CRASH = 77


def publish(directory: Path, files: dict[str, bytes] = NEW, earlier: dict[str, int] | None = None) -> None:
    with Publisher(directory) as output:
        for name, content in files.items():
            output.path(name).write_bytes(content)
            output.seal(name)
        output.commit(earlier=listed(directory) if earlier is None else earlier)


def listed(directory: Path) -> dict[str, int]:
    """What a manifest of the run that is there would list."""
    shown = visible(directory)
    return {name: len(content) for name, content in shown.items() if content in (OLD.get(name), NEW.get(name))}


def start(directory: Path) -> None:
    with Publisher(directory):
        pass


def visible(directory: Path) -> dict[str, bytes]:
    found = directory.iterdir()
    return {path.name: path.read_bytes() for path in found if not path.name.startswith(".")}


def hidden(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name.startswith(".")}


BEFORE, AFTER = OLD | STRANGER, NEW | STRANGER


def earlier_run(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in (OLD | STRANGER).items():
        (directory / name).write_bytes(content)
    return directory


class Fault:
    """Counts the steps that reach the disk; acts at those of ``at``, before or after doing them."""

    def __init__(self, act: Callable[[], None], at: Container[int], *, late: bool) -> None:
        self.act, self.at, self.late = act, at, late
        self.count = 0

    def wrap(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            due = self.count in self.at
            if due and not self.late:
                self.act()
            try:
                return step(*args, **kwargs)
            finally:
                if due and self.late:
                    self.act()

        return stepping


def run_with_fault(
    work: Callable[[], None],
    act: Callable[[], None],
    at: Container[int],
    *,
    late: bool = False,
    links: bool = True,
) -> int:
    """Do the work with a fault at some steps; how many steps it took."""
    fault = Fault(act, at, late=late)
    with pytest.MonkeyPatch.context() as patch:
        if not links:
            patch.setattr(os, "link", raising(errno.EPERM))
        for step in STEPS:
            patch.setattr(os, step, fault.wrap(getattr(os, step)))
        patch.setattr(Path, "write_text", fault.wrap(torn_write(fault, Path.write_text)))
        try:
            work()
        finally:
            patch.undo()
    return fault.count


def torn_write(fault: Fault, write: Callable[..., int]) -> Callable[..., int]:
    """Leave half a file where the fault strikes after the step."""

    def writing(path: Path, text: str, encoding: str) -> int:
        torn = fault.late and fault.count in fault.at
        return write(path, text[: len(text) // 2] if torn else text, encoding=encoding)

    return writing


def raising(code: int) -> Callable[..., None]:
    def act(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return act


def interrupting() -> None:
    raise KeyboardInterrupt


def in_child(work: Callable[[], object]) -> int:
    """Do the work in a fork; its exit code, 1 for an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Polars has threads; the child no use
        pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # the child must never go on as a second pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def crashes_at(work: Callable[[], None], at: int, *, late: bool, links: bool) -> bool:
    """Die, without any clean-up, at one step of the work; say whether it got that far."""
    code = in_child(lambda: run_with_fault(work, lambda: os._exit(CRASH), [at], late=late, links=links))
    assert code in (0, CRASH)
    return code == CRASH


def until_done(attempt: Callable[[int], bool]) -> int:
    """Attempt with the fault at step 1, 2, …; how many steps there were."""
    return next(at for at in range(1, 200) if not attempt(at)) - 1


def assert_nothing_half_written(directory: Path) -> None:
    shown = visible(directory)
    for name, content in shown.items():
        assert content in (BEFORE.get(name), AFTER.get(name))
    if "manifest.json" in shown:
        assert shown in (BEFORE, AFTER)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# --- the usual way ------------------------------------------------------------------------------


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


# --- order on disk ------------------------------------------------------------------------------


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
    assert {f"sync .{name}.{pid}.partial" for name in (*NEW, INTENT)} <= set(steps[:commit])
    assert steps[commit - 1 : commit + 2 : 2] == ["sync out", "sync out"]
    assert steps[commit + 2 :] == [
        f"manifest.json > .manifest.json.old.{pid}.partial",
        f"sessions.json > .sessions.json.old.{pid}.partial",
        f".sessions.parquet.{pid}.partial > sessions.parquet",
        f".metrics.parquet.{pid}.partial > metrics.parquet",
        f".manifest.json.{pid}.partial > manifest.json",
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
    runs = [{"metrics.parquet": b"%d" % run, "manifest.json": b"%d" % run} for run in range(200)]
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


# --- a fault at every step ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_is_undone_or_completed_by_the_next_start(
    tmp_path: Path, *, late: bool, links: bool
) -> None:
    outcomes = []

    def crash(at: int) -> bool:
        directory = earlier_run(tmp_path / "out")
        crashed = crashes_at(lambda: publish(directory), at, late=late, links=links)
        assert_nothing_half_written(directory)
        committed = (directory / INTENT).exists()
        start(directory)
        assert visible(directory) in (BEFORE, AFTER)
        assert visible(directory) == AFTER or not committed
        assert hidden(directory) == {LOCK}
        outcomes.append(visible(directory) == AFTER)
        publish(directory)
        assert visible(directory) == AFTER
        return crashed

    assert until_done(crash) > 20
    assert outcomes == sorted(outcomes)
    assert {True, False} == set(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_second_crash_while_completing_the_first_does_no_harm(tmp_path: Path, *, links: bool) -> None:
    directory, kept = tmp_path / "out", tmp_path / "kept"

    def crash_twice(second: int) -> bool:
        shutil.rmtree(directory)
        shutil.copytree(kept, directory)
        crashed = crashes_at(lambda: start(directory), second, late=False, links=links)
        assert_nothing_half_written(directory)
        start(directory)
        assert visible(directory) == AFTER
        assert hidden(directory) == {LOCK}
        return crashed

    def crash(first: int) -> bool:
        earlier_run(directory)
        crashed = crashes_at(lambda: publish(directory), first, late=True, links=links)
        if (directory / INTENT).exists():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(directory, kept)
            until_done(crash_twice)
        return crashed

    assert until_done(crash) > 20


@pytest.mark.slow
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_an_error_at_any_step_leaves_what_was_there(tmp_path: Path, code: int, *, links: bool) -> None:
    raised = []

    def fail(at: int) -> bool:
        directory = earlier_run(tmp_path / "out")
        error: SessionizeError | None = None
        steps = at
        try:
            steps = run_with_fault(lambda: publish(directory), raising(code), [at], links=links)
        except OutputError as caught:
            error = caught
        raised.append(error)
        assert visible(directory) == (BEFORE if error else AFTER)
        assert not error or (error.exit_code == 4 and "MB are free" in str(error.hint))
        start(directory)
        assert visible(directory) == (BEFORE if error else AFTER)
        assert hidden(directory) == {LOCK}
        return steps >= at

    assert until_done(fail) > 20
    assert sum(error is not None for error in raised) > 10


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [raising(errno.EIO), interrupting], ids=["error", "Ctrl-C"])
def test_one_error_or_interrupt_at_any_step_leaves_the_old_or_the_new(
    tmp_path: Path, act: Callable[[], None], *, late: bool
) -> None:
    def fail(at: int) -> bool:
        directory = earlier_run(tmp_path / "out")
        steps = at
        with suppress(OutputError, KeyboardInterrupt):
            steps = run_with_fault(lambda: publish(directory), act, [at], late=late)
        assert visible(directory) in (BEFORE, AFTER)
        assert not (directory / INTENT).exists()
        shown = visible(directory)
        start(directory)
        assert visible(directory) == shown
        assert hidden(directory) == {LOCK}
        return steps >= at

    assert until_done(fail) > 20


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [raising(errno.EIO), interrupting], ids=["error", "Ctrl-C"])
def test_a_disk_that_fails_for_good_is_completed_when_it_is_back(
    tmp_path: Path, act: Callable[[], None], *, late: bool
) -> None:
    def fail(at: int) -> bool:
        directory = earlier_run(tmp_path / "out")
        steps = at
        with suppress(OutputError, KeyboardInterrupt):
            steps = run_with_fault(lambda: publish(directory), act, range(at, 999), late=late)
        assert_nothing_half_written(directory)
        committed = (directory / INTENT).exists()
        start(directory)
        assert visible(directory) in (BEFORE, AFTER)
        assert visible(directory) == AFTER or not committed
        assert hidden(directory) == {LOCK}
        return steps >= at

    assert until_done(fail) > 20


@pytest.mark.slow
@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_an_error_while_putting_back_is_mended_by_the_next_start(tmp_path: Path, *, links: bool) -> None:
    directory, act = tmp_path / "out", raising(errno.EIO)
    completed = set()

    def fail_twice(first: int, gap: int) -> bool:
        earlier_run(directory)
        steps = first + gap
        with suppress(OutputError):
            steps = run_with_fault(lambda: publish(directory), act, [first, steps], links=links)
        assert_nothing_half_written(directory)
        committed = (directory / INTENT).exists()
        start(directory)
        assert visible(directory) in (BEFORE, AFTER)
        assert visible(directory) == AFTER or not committed
        assert hidden(directory) == {LOCK}
        completed.add(committed)
        return gap < 25 and steps >= first

    def fail(first: int) -> bool:
        return until_done(lambda gap: fail_twice(first, gap)) > 0

    assert until_done(fail) > 20
    assert completed == {True, False}


@pytest.mark.parametrize("blocked", list(NEW))
def test_a_name_that_cannot_be_replaced_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str
) -> None:
    directory, replace = earlier_run(tmp_path / "out"), os.replace

    def replacing(source: Path, target: Path) -> None:
        if target.name == blocked and "old" not in source.name:
            raise OSError(errno.EBUSY, "Device or resource busy", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", replacing)
    with pytest.raises(OutputError, match="resource busy"):
        publish(directory)
    assert visible(directory) == BEFORE
    assert hidden(directory) == {LOCK}


@pytest.mark.slow
def test_killed_at_random_moments_the_directory_shows_one_run(tmp_path: Path) -> None:
    directory = tmp_path / "out"
    script = (
        "import itertools, sys; from pathlib import Path\n"
        "from sessionize.output.publish import Publisher\n"
        "for run in itertools.count():\n"
        "    with Publisher(Path(sys.argv[1])) as output:\n"
        "        for name in ('metrics.parquet', 'manifest.json'):\n"
        "            output.path(name).write_text(str(run)); output.seal(name)\n"
        "        output.commit(earlier={path.name: path.stat().st_size for path in Path(sys.argv[1]).glob('m*')})\n"
        "        print(run, flush=True)\n"
    )
    for attempt in range(12):
        with subprocess.Popen([sys.executable, "-c", script, str(directory)], stdout=subprocess.PIPE) as child:
            assert child.stdout
            for _ in range(3 + 2 * attempt):
                child.stdout.readline()
            child.kill()
        start(directory)
        assert len(set(visible(directory).values())) == 1
        assert len(visible(directory)) == 2
        assert hidden(directory) == {LOCK}


# --- what dead runs left ------------------------------------------------------------------------


def test_temporary_files_of_the_dead_run_are_swept_and_no_others(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(b"sessionize 4711\n")
    for name in (".metrics.parquet.4711.partial", f".{INTENT}.4711.partial", ".a.old.4711.partial"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".scratch.4711.partial").mkdir()
    kept = {".metrics.parquet.partial", ".a.b.partial", ".hidden", ".a.1.partial~", "a.1.partial", ".a.1.partial"}
    for name in kept:
        (tmp_path / name).write_bytes(b"someone's")
    (tmp_path / ".folder.4711.partial").mkdir()
    start(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept | {".folder.4711.partial", LOCK}


def test_a_listed_commit_is_completed_by_the_next_start(tmp_path: Path) -> None:
    directory = earlier_run(tmp_path / "out")
    for name, content in NEW.items():
        (directory / f".{name}.4711.partial").write_bytes(content)
    (directory / INTENT).write_text(json.dumps([4711, list(NEW), SIZES]))
    start(directory)
    assert visible(directory) == AFTER
    assert hidden(directory) == {LOCK}


@pytest.mark.parametrize(
    "intent",
    ["", "[", "1", "[1]", "{}", '["x", [], {}]', '[1, ["../a"], {}]', '[1, [], {"/a": 1}]', "[1, [], [2]]", "[1,2,3]"],
)
def test_a_damaged_list_is_never_followed(tmp_path: Path, intent: str) -> None:
    directory = earlier_run(tmp_path / "out")
    (directory / INTENT).write_text(intent)
    (directory / ".metrics.parquet.1.partial").write_bytes(b"new")
    with pytest.raises(OutputError, match="is damaged") as caught:
        start(directory)
    assert "delete it" in str(caught.value.hint)
    assert visible(directory) == BEFORE
    assert ".metrics.parquet.1.partial" in hidden(directory)
    (directory / INTENT).unlink()
    publish(directory)
    assert visible(directory) == AFTER


# --- one run at a time --------------------------------------------------------------------------


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


# --- places that cannot be written --------------------------------------------------------------


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    for place in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match=str(place)) as caught:
            start(place)
        assert "move it away, or choose another -o" in str(caught.value.hint)
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


# --- what the machine says, in any of its words -------------------------------------------------


@pytest.mark.parametrize("sink", ["sink_parquet", "sink_ndjson", "sink_csv"])
def test_a_full_disk_under_polars(sink: str) -> None:
    frame = pl.LazyFrame({"a": range(50_000)})
    with (
        pytest.raises(OutputError, match="cannot write out/m: no space left") as caught,
        map_os_errors("out/m"),
    ):
        getattr(frame, sink)("/dev/full", engine="streaming")
    assert caught.value.exit_code == 4
    assert str(caught.value.hint).startswith("make room, or choose another -o; ")
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
