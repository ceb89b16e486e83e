"""A night is there or not there, whatever happened; and it can be run again."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import every
from console import sessionize

from sessionize.config import Config, Nightly, Output, Rules
from sessionize.errors import LockedError, MachineError, StateError, UsageError
from sessionize.nightly.job import run_night
from sessionize.nightly.series import end_of_batch
from sessionize.nightly.state import KEPT
from sessionize.nightly.store import Store, held
from sessionize.one_shot import Outcome, run

STEPS = ("fsync", "replace", "unlink", "rmdir", "mkdir", "ftruncate", "pwrite")
FIRST = datetime(2024, 5, 1, tzinfo=UTC)


class Crash(BaseException):
    """The machine stops: nothing after it reaches the disk."""


def write_log(folder: Path, days: int, events: int = 40) -> list[Path]:
    """A log of some days, a file a day, the files cut ten minutes after midnight."""
    chance = random.Random(5)  # noqa: S311
    found: list[list[str]] = [[] for _ in range(days)]
    for minute in sorted(chance.sample(range(days * 1440 - 30), days * events)):
        day = max(0, (minute - 10) // 1440)
        user, kind = chance.choice("abcdef"), chance.choice(("page_view", "click", "purchase"))
        found[day].append(f"{(FIRST + timedelta(minutes=minute)).isoformat()},{user},{kind},/{chance.randrange(9)}")
    folder.mkdir(parents=True, exist_ok=True)
    for day, lines in enumerate(found):
        path = folder / f"{name_of(day)}.csv"
        path.write_text("\n".join(["time,user_id,event_type,page", *lines, ""]))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return [folder / f"{name_of(day)}.csv" for day in range(days)]


def name_of(day: int) -> str:
    return (FIRST + timedelta(days=day)).date().isoformat()


def night(place: Path, *logs: Path, batch: str | None = None, config: Config | None = None, **more: Any) -> Outcome:
    """Run a night; its batch is named for its first file."""
    asked = Nightly(state=str(place / "state"), batch=batch or logs[0].stem, **more)
    base = config or Config(rules=Rules(timeout=timedelta(hours=2)))
    return run_night(
        Config(**{**vars(base), "inputs": tuple(map(str, logs))}),
        Output(directory=str(place / "out"), events=True),
        asked,
    )


def tree(place: Path) -> dict[str, bytes]:
    """Every file there is, locks aside."""
    paths = (path for path in place.rglob("*") if path.is_file() and path.name not in ("lock", ".sessionize.lock"))
    return {str(path.relative_to(place)): path.read_bytes() for path in paths}


def folders(place: Path) -> set[str]:
    return {path.name for path in (place / "out").iterdir() if path.is_dir()}


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
    for at in range(1, 200, every(3)):
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
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_nightly as t; import polars;"
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


# --- the same night, other nights ---------------------------------------------------------------


def test_the_same_night_twice_changes_not_a_byte(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    for log in logs:
        again = night(tmp_path, log)
        assert again.run is None
        assert again.notes[0].startswith("nothing to do")
    assert tree(tmp_path) == before
    night(tmp_path, logs[1], redo=True)
    assert tree(tmp_path) == before


@pytest.mark.slow
def test_a_night_whose_output_was_deleted_is_made_again(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(UsageError, match="its output is not in -o"):
        night(tmp_path, logs[0])
    night(tmp_path, logs[1])
    assert before.items() >= tree(tmp_path).items()
    assert folders(tmp_path) == {f"batch={logs[1].stem}"}


def test_a_night_before_one_that_was_run_is_refused(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[1])
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="ends before batch 2024-05-02"):
        night(tmp_path, logs[0])
    assert tree(tmp_path) == before


@pytest.mark.slow
def test_a_redo_three_nights_ago_and_the_nights_after_it_are_as_if_the_file_had_always_been_there(
    tmp_path: Path,
) -> None:
    logs = write_log(tmp_path / "logs", 7)
    late = tmp_path / "logs" / "late.csv"
    late.write_text("time,user_id,event_type,page\n2024-05-04T12:00:00,a,click,/late\n")
    for log in logs:
        night(tmp_path / "redone", log)
        night(tmp_path / "always", log, *([late] if log is logs[3] else []))
    redone = night(tmp_path / "redone", logs[3], late)
    names = [log.stem for log in logs[4:]]
    assert redone.notes[0] == f"run again, in this order: {', '.join(f'--batch {name}' for name in names)}"
    assert folders(tmp_path / "redone") == {f"batch={log.stem}" for log in logs[:4]}
    found = held(tmp_path / "redone" / "state")
    assert found is not None
    assert found["again"] == names
    with pytest.raises(UsageError, match="must be run again before"):
        night(tmp_path / "redone", logs[5])
    for log in logs[4:]:
        night(tmp_path / "redone", log)
    assert tree(tmp_path / "redone") == tree(tmp_path / "always")


@pytest.mark.slow
def test_a_night_too_old_to_be_run_again_is_refused_and_the_message_says_how_far_back_is_possible(
    tmp_path: Path,
) -> None:
    logs = write_log(tmp_path / "logs", KEPT + 2, 4)
    for log in logs:
        night(tmp_path, log)
    before = tree(tmp_path)
    for log in logs[:2]:
        with pytest.raises(UsageError, match="too old") as caught:
            night(tmp_path, log, redo=True)
        assert f"back to --batch {logs[2].stem}" in str(caught.value.hint)
    assert tree(tmp_path) == before
    night(tmp_path, logs[2], redo=True)


def test_a_late_event_goes_apart_as_it_came_and_a_redo_takes_it_in(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    late = tmp_path / "logs" / "late.csv"
    late.write_text("time,user_id,event_type,page\n2024-05-01T12:00:00,zoe,click,/late\n")
    night(tmp_path, logs[0])
    second = night(tmp_path, logs[1], late)
    assert second.manifest["counts"]["late"] == 1
    (line,) = (tmp_path / f"out/batch={logs[1].stem}/late.ndjson").read_text().splitlines()
    assert json.loads(line) == {
        "file": str(late), "row": 2, "reason": "late", "raw": "2024-05-01T12:00:00,zoe,click,/late",
    }  # fmt: skip
    assert night(tmp_path, logs[0], late).manifest["counts"]["late"] == 0
    night(tmp_path, logs[1])
    metrics = pl.read_parquet(str(tmp_path / "out/batch=*/metrics.parquet"))
    assert metrics.filter(pl.col("profile_id") == "zoe").height == 1


def test_an_event_at_the_very_end_of_a_batch_is_early_and_one_at_the_watermark_is_not_late(tmp_path: Path) -> None:
    """The end of 2 May is midnight, the watermark half an hour before it: each by one microsecond."""
    first, second = tmp_path / "2024-05-02.csv", tmp_path / "2024-05-03.csv"
    head = "time,user_id,event_type,page\n"
    first.write_text(f"{head}2024-05-02T23:59:59.999999Z,a,click,/in\n2024-05-03T00:00:00Z,b,click,/early\n")
    second.write_text(f"{head}2024-05-02T23:29:59.999999Z,c,click,/late\n2024-05-02T23:30:00Z,d,click,/in\n")
    counts = night(tmp_path, first).manifest["counts"]
    assert (counts["events"], counts["early"], counts["carried_out"], counts["late"]) == (0, 1, 1, 0)
    assert held(tmp_path / "state")["watermark"] == "2024-05-02T23:30:00.000000Z"  # type: ignore[index]
    counts = night(tmp_path, second).manifest["counts"]
    assert (counts["events"], counts["late"], counts["carried_in"]) == (3, 1, 2)
    (line,) = (tmp_path / "out/batch=2024-05-03/late.ndjson").read_text().splitlines()
    assert json.loads(line)["raw"].endswith("/late")


def test_an_empty_night_closes_what_fell_silent(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 1)
    empty = tmp_path / "logs" / "2024-05-02.csv"
    empty.write_text("time,user_id,event_type,page\n")
    carried = night(tmp_path, logs[0]).manifest["counts"]["carried_out"]
    counts = night(tmp_path, empty).manifest["counts"]
    assert (counts["rows_read"], counts["carried_in"], counts["events"], counts["carried_out"]) == (
        0,
        carried,
        carried,
        0,
    )
    assert carried > 0
    assert night(tmp_path, empty, batch="2024-05-03").manifest["counts"]["sessions"] == 0


def test_a_flush_is_final_until_it_is_taken_back(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    with pytest.raises(UsageError, match="nothing to flush"):
        night(tmp_path, batch="end", flush=True)
    night(tmp_path, logs[0], flush=True)
    with pytest.raises(UsageError, match="was flushed"):
        night(tmp_path, logs[1])
    night(tmp_path, logs[0])
    night(tmp_path, logs[1])


def test_other_rules_or_columns_are_refused_and_named(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[0])
    before = tree(tmp_path)
    rules = Rules(timeout=timedelta(hours=2))
    for config, told in (
        (Config(rules=Rules(timeout=timedelta(hours=1))), r"timeout_s: 7200\.0 → 3600\.0"),
        (Config(rules=rules, columns={"page": "event_type"}), "page: page → event_type"),
        (Config(rules=rules, timezone="Europe/Berlin"), "timezone: UTC → Europe/Berlin"),
    ):
        with pytest.raises(UsageError, match=told):
            night(tmp_path, logs[1], config=config)
    assert tree(tmp_path) == before


def test_a_column_that_comes_or_goes_with_a_night_is_null_in_the_others(tmp_path: Path) -> None:
    texts = ("time,user_id\n2024-05-01T23:50:00,a\n", "time,user_id,page\n2024-05-02T00:01:00,a,/x\n")
    for day, text in enumerate(texts):
        (tmp_path / f"{name_of(day)}.csv").write_text(text)
        night(tmp_path, tmp_path / f"{name_of(day)}.csv")
    night(tmp_path, tmp_path / "2024-05-01.csv", batch="2024-05-03")
    metrics = pl.read_parquet(str(tmp_path / "out/batch=*/metrics.parquet"))
    assert metrics.select("events", "entry_page").rows() == [(2, "/x")]


def test_sessions_of_no_end_are_refused(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path / "logs", 1)
    with pytest.raises(UsageError, match="no session ever ends"):
        night(tmp_path, log, config=Config(rules=Rules(timeout=None)))
    night(tmp_path, log, config=Config(rules=Rules(timeout=None, max_duration=timedelta(hours=24))))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2024-03-31", 23), ("Europe/Berlin", "2024-10-27", 25), ("UTC", "2024-02-29", 24)],
)
def test_a_date_ends_at_the_next_local_midnight(zone: str, day: str, hours: int) -> None:
    def end(batch: str) -> int:
        found = end_of_batch(Nightly(state="s", batch=batch), Config(timezone=zone), None)
        assert found is not None
        return found

    before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
    assert end(day) - end(before) == hours * 3_600_000_000


def test_a_midnight_that_does_not_exist_is_the_moment_the_clocks_go_forward() -> None:
    end = end_of_batch(Nightly(state="s", batch="2024-04-25"), Config(timezone="Africa/Cairo"), None)
    assert end == datetime(2024, 4, 25, 22, tzinfo=UTC).timestamp() * 1_000_000


# --- damage, and others at work -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["state.json", "carry-*.parquet"])
def test_a_flipped_byte_is_found_and_nothing_touched(tmp_path: Path, name: str) -> None:
    logs, chance = write_log(tmp_path / "logs", 2), random.Random(2)  # noqa: S311
    night(tmp_path, logs[0])
    (path,) = (tmp_path / "state").glob(name)
    sound = path.read_bytes()
    for _ in range(40 // every(4)):
        place, bit = chance.randrange(len(sound)), chance.randrange(8)
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1 << bit]) + sound[place + 1 :])
        before = tree(tmp_path)
        with pytest.raises(StateError) as caught:
            night(tmp_path, logs[1])
        assert caught.value.exit_code == 4
        assert tree(tmp_path) == before
    path.write_bytes(sound)
    night(tmp_path, logs[1])


def test_a_carry_file_that_is_gone_is_missed(tmp_path: Path) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[0])
    for path in (tmp_path / "state").glob("carry-*"):
        path.unlink()
    with pytest.raises(StateError, match="is missing"):
        night(tmp_path, logs[1])


def test_a_state_of_another_version_is_not_read(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path / "logs", 1)
    night(tmp_path, log)
    path = tmp_path / "state" / "state.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(StateError, match="is of version 2"):
        night(tmp_path, log, redo=True)


def test_a_second_run_is_told_who_holds_the_state(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path / "logs", 1)
    with Store(tmp_path / "state"), pytest.raises(LockedError, match=rf"pid {os.getpid()}\) holds the state") as caught:
        night(tmp_path, log)
    assert caught.value.exit_code == 5
    night(tmp_path, log)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("full", ["state", "out"])
def test_a_full_disk_is_told_and_the_night_can_be_run_again(tmp_path: Path, small_disk: Path, full: str) -> None:
    log = write_log(tmp_path / "logs", 1, 1300)[0]
    (tmp_path / "place").mkdir()
    (small_disk / full).mkdir()
    (tmp_path / "place" / full).symlink_to(small_disk / full)
    stuff = small_disk / "stuff"
    stuff.write_bytes(b"x" * (248 * 1024 - 2 * 4096))
    long = Config(rules=Rules(timeout=timedelta(days=9)))
    with pytest.raises(MachineError, match="no space left on device") as caught:
        night(tmp_path / "place", log, config=long)
    assert caught.value.exit_code == 4
    shown = {path for path in tree(small_disk) if path != "stuff"}
    assert len(shown) in ((0, 2) if full == "state" else (0,))  # before the commit, or after it
    stuff.unlink()
    night(tmp_path / "place", log, config=long)


# --- as its users meet it -----------------------------------------------------------------------


def test_the_command_line_runs_nights_and_shows_the_state(tmp_path: Path) -> None:
    logs = write_log(tmp_path, 2)
    told = ""
    for log in logs:
        done = sessionize("run", log.name, "-o", "out", "--state", "st", "--batch", log.stem, cwd=tmp_path)
        assert done.code == 0, done.err
        told = done.err
    assert "events carried in" in told
    flushed = sessionize("run", "-o", "out", "--state", "st", "--batch", "end", "--flush", "--json", cwd=tmp_path)
    assert json.loads(flushed.out)["counts"]["carried_out"] == 0
    shown = json.loads(sessionize("state", "st", "--json", cwd=tmp_path).out)
    assert [batch["name"] for batch in shown["batches"]] == [*(log.stem for log in logs), "end"]
    assert shown["flushed"] is True
    plain = sessionize("state", "st", cwd=tmp_path)
    assert f"batch  {logs[0].stem}: " in plain.out


def test_what_is_typed_wrong_is_told(tmp_path: Path) -> None:
    (log,) = write_log(tmp_path, 1)
    for arguments, told in (
        ([log.name, "--batch", "x"], "--batch needs --state"),
        ([log.name, "--state", "st"], "--state needs --batch"),
        ([log.name, "--state", "st", "--batch", "a/b"], "cannot be the name of a folder"),
        ([log.name, "--state", "st", "--batch", "2024-02-31"], "is no date there is"),
        (["--state", "st", "--batch", "x"], "no input"),
        ([], "no input"),
    ):
        done = sessionize("run", "-o", "out", *arguments, cwd=tmp_path)
        assert (done.code, told in done.err) == (2, True), done.err
    assert sessionize("state", "nowhere", cwd=tmp_path).code == 2
