"""A night that is stopped at any step: it was, or it was not, and the next start says which."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import every
from night_logs import folders, night, tree, write_log

from sessionize.config import Config, Output, Rules
from sessionize.errors import MachineError
from sessionize.nightly.store import held
from sessionize.one_shot import run

STEPS = ("fsync", "replace", "unlink", "rmdir", "mkdir", "ftruncate", "pwrite")


class Crash(BaseException):
    """The machine stops: nothing after it reaches the disk."""


class Fault:
    """Stops the machine before a step that reaches the disk, or lets that step fail.

    Args:
        at: Number of the step, from 1.
        error: Of that step alone; None: the machine stops, and half of what is just being written is lost.
    """

    def __init__(self, at: int, error: int | None) -> None:
        self.at, self.error, self.count, self.dead = at, error, 0, False

    def wrap(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.dead:
                raise OSError(errno.EIO, "the machine has stopped")
            if self.count == self.at:
                self.strike(step.__name__, args[0])
            return step(*args, **kwargs)

        return stepping

    def strike(self, step: str, of: Any) -> None:
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        self.dead = True
        if step == "fsync":
            _tear(of)
        raise Crash


def crashing(work: Callable[[], object], at: int, *, error: int | None = None) -> bool:
    """Do the work with a fault at a step; whether it came so far."""
    fault = Fault(at, error)
    with pytest.MonkeyPatch.context() as patch:
        for step in STEPS:
            patch.setattr(os, step, fault.wrap(getattr(os, step)))
        try:
            work()
        except (Crash, MachineError):
            return True
    return fault.count >= at


def _tear(handle: int) -> None:
    """Lose half of a file that was not yet on disk."""
    path = Path(f"/proc/self/fd/{handle}")
    if path.is_file() and path.readlink().suffix != ".parquet":
        os.truncate(path, path.stat().st_size // 2)


class Scene:
    """A history of nights, and the night that is to be disturbed."""

    def __init__(self, place: Path, act: Callable[[Path], object]) -> None:
        self.base, self.act = place, act
        self.before = tree(place)
        undisturbed = self.copy()
        act(undisturbed)
        self.after = tree(undisturbed)
        assert self.after != self.before

    def copy(self) -> Path:
        place = self.base.parent / "copy"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.base, place)
        return place


@pytest.fixture(params=["second night", "redo with a refilled file"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    logs = write_log(tmp_path / "logs", 3, 12)
    place = tmp_path / "place"
    night(place, logs[0])
    if request.param == "second night":
        return Scene(place, lambda place: night(place, logs[1]))
    more = tmp_path / "logs" / "more.csv"
    more.write_text("time,user_id,event_type,page\n2024-05-02T03:00:00,late,click,/\n")
    for log in logs[1:]:
        night(place, log)
    return Scene(place, lambda place: night(place, logs[1], more))


@pytest.mark.slow
def test_a_crash_before_any_step_leaves_the_night_before_and_the_next_start_completes_it(scene: Scene) -> None:
    steps = 0
    for at in range(1, 200, every(5)):
        place = scene.copy()
        crashed = crashing(lambda place=place: scene.act(place), at)  # type: ignore[misc]
        shown = {name: content for name, content in tree(place).items() if name.startswith("out/batch=")}
        assert not {path for path in shown if shown[path] not in (scene.before.get(path), scene.after.get(path))}
        scene.act(place)
        assert tree(place) == scene.after, at
        assert folders(place) == {Path(name).parts[1] for name in scene.after if name.startswith("out/batch=")}
        steps = at
        if not crashed:
            break
    assert 25 < steps < 199


@pytest.mark.slow
def test_a_second_crash_while_the_first_is_repaired_changes_nothing(scene: Scene) -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(12 // every(2)):
        place = scene.copy()
        for _ in range(2):
            crashing(lambda place=place: scene.act(place), chance.randrange(1, 60))  # type: ignore[misc]
        scene.act(place)
        assert tree(place) == scene.after


@pytest.mark.slow
def test_a_redo_that_crashed_leaves_one_history_or_the_other_for_the_next_night(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 3, 12)
    more = tmp_path / "logs" / "more.csv"
    more.write_text("time,user_id,event_type,page\n2024-05-02T23:45:00,late,click,/\n")
    for log in logs[:2]:
        night(tmp_path / "base", log)
    histories = []
    for files in ([logs[1]], [logs[1], more]):
        place = tmp_path / str(len(files))
        shutil.copytree(tmp_path / "base", place)
        night(place, *files)
        night(place, logs[2])
        histories.append(tree(place))
    found = []
    for at in range(5, 60, 3 * every(2)):
        place = tmp_path / "crashed"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(tmp_path / "base", place)
        crashed = crashing(lambda place=place: night(place, logs[1], more), at)  # type: ignore[misc]
        night(place, logs[2])
        found.append(tree(place))
        if not crashed:
            break
    assert [each for each in histories if each in found] == histories
    assert all(each in histories for each in found)


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_step_is_told_and_the_next_start_completes_the_night(scene: Scene, code: int) -> None:
    for at in range(1 if code == errno.EIO else 2, 60, 4 * every(2)):
        place = scene.copy()
        crashing(lambda place=place: scene.act(place), at, error=code)  # type: ignore[misc]
        assert not list((place / "state").glob("*.partial"))
        scene.act(place)
        assert tree(place) == scene.after


@pytest.mark.slow
def test_nights_with_a_crash_in_each_are_as_many_undisturbed_nights_and_one_run(tmp_path: Path) -> None:
    logs, chance = write_log(tmp_path / "logs", 30 // every(2), 20), random.Random(3)  # noqa: S311
    for log in logs:
        night(tmp_path / "calm", log)
        crashing(lambda log=log: night(tmp_path / "wild", log), chance.randrange(1, 50))  # type: ignore[misc]
        night(tmp_path / "wild", log)
    for place in ("calm", "wild"):
        night(tmp_path / place, batch="end", flush=True)
    assert tree(tmp_path / "wild") == tree(tmp_path / "calm")
    found = held(tmp_path / "wild" / "state")
    assert found is not None
    until = datetime.fromisoformat(found["watermark"])
    whole = Config(inputs=tuple(map(str, logs)), rules=Rules(timeout=timedelta(hours=2)), until=until)
    run(whole, Output(directory=str(tmp_path / "one"), events=True))
    for name, by in (
        ("metrics", ("start", "session_id")),
        ("sessions", ("id",)),
        ("events", ("session_id", "position")),
    ):
        nights = pl.read_parquet(str(tmp_path / f"calm/out/batch=*/{name}.parquet"), hive_partitioning=False)
        one = pl.read_parquet(tmp_path / f"one/{name}.parquet")
        assert nights.sort(by).equals(one.sort(by))


@pytest.mark.slow
def test_a_night_that_is_killed_at_any_moment_is_completed_by_the_next_start(tmp_path: Path) -> None:
    logs, chance = write_log(tmp_path / "logs", 2), random.Random(1)  # noqa: S311
    night(tmp_path / "calm", logs[0])
    shutil.copytree(tmp_path / "calm", tmp_path / "base")
    night(tmp_path / "calm", logs[1])
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import night_logs as t; import polars;"
        "print('ready', flush=True); t.night(Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    for _ in range(6 // every(2)):
        place = tmp_path / "killed"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(tmp_path / "base", place)
        command = [sys.executable, "-c", script, str(Path(__file__).parent), str(place), str(logs[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0, 0.3))
            child.kill()
        night(place, logs[1])
        assert tree(place) == tree(tmp_path / "calm")
