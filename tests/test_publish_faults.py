"""Whatever fails, and wherever: the directory shows the earlier run or this one, nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from budget import every
from publishing import (
    AFTER,
    BEFORE,
    NEW,
    assert_nothing_half_written,
    crashes_at,
    earlier_run,
    hidden,
    interrupting,
    publish,
    raising,
    run_with_fault,
    start,
    until_done,
    visible,
)

from sessionize.errors import OutputError, SessionizeError
from sessionize.output.publish import INTENT, LOCK


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

    assert until_done(crash, every(2)) > 20
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
            until_done(crash_twice, every(5))
        return crashed

    assert until_done(crash, every(3)) > 20


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

    assert until_done(fail, every(2)) > 20
    assert sum(error is not None for error in raised) > 10 / every(2)


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

    assert until_done(fail, every(2)) > 20


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

    assert until_done(fail, every(2)) > 20


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
        return until_done(lambda gap: fail_twice(first, gap), every(3)) > 0

    assert until_done(fail, every(3)) > 20
    assert completed == {True, False}


@pytest.mark.parametrize("blocked", list(NEW))
def test_a_name_that_cannot_be_replaced_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str
) -> None:
    directory, replace = earlier_run(tmp_path / "out"), os.replace

    def replacing(source: Path, target: Path) -> None:
        if target.name == Path(blocked).name and "old" not in source.name:
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
    for attempt in range(0, 12, every(2)):
        with subprocess.Popen([sys.executable, "-c", script, str(directory)], stdout=subprocess.PIPE) as child:
            assert child.stdout
            for _ in range(3 + 2 * attempt):
                child.stdout.readline()
            child.kill()
        start(directory)
        assert len(set(visible(directory).values())) == 1
        assert len(visible(directory)) == 2
        assert hidden(directory) == {LOCK}
