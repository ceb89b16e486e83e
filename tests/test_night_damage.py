"""A damaged state, another process that holds it, and a full disk."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from budget import every
from console import sessionize
from night_logs import night, tree, write_log

from sessionize.config import Config, Rules
from sessionize.errors import LockedError, MachineError, StateError
from sessionize.nightly.store import Store, held, load


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


@pytest.mark.parametrize("damage", ["is missing", "is damaged"])
@pytest.mark.parametrize("which", [0, -1], ids=["older", "newest"])
def test_whoever_watches_a_state_is_told_what_the_night_would_be_told(tmp_path: Path, damage: str, which: int) -> None:
    logs = write_log(tmp_path / "logs", 3)
    for log in logs[:2]:
        night(tmp_path, log)
    watching = [["state", "state"], ["state", "state", "--json"], ["state", "state", "--max-age", "999999h"]]
    dry = [
        "run",
        str(logs[2]),
        "-o",
        "out",
        "--state",
        "state",
        "--batch",
        logs[2].stem,
        "--timeout",
        "2h",
        "--dry-run",
    ]
    assert [sessionize(*typed, cwd=tmp_path).code for typed in watching] == [0, 0, 0]
    path = sorted((tmp_path / "state").glob("carry-*"))[which]
    if damage == "is missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    for typed in [*watching, *([dry] if which else [])]:
        done = sessionize(*typed, cwd=tmp_path)
        assert (done.code, f"{path.name} {damage}" in done.err) == (4, True), done.err


def test_a_state_that_goes_on_while_it_is_looked_at_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write_log(tmp_path / "logs", 2)
    night(tmp_path, logs[0])
    before = load(tmp_path / "state")
    (first,) = (tmp_path / "state").glob("carry-*")
    night(tmp_path, logs[1])
    first.unlink()  # as if it were named no more
    after = load(tmp_path / "state")
    assert before is not None
    assert after is not None
    states = iter([before, *[replace(after, nights=after.nights[1:])] * 2])
    monkeypatch.setattr("sessionize.nightly.store.load", lambda _: next(states))
    found = held(tmp_path / "state")
    assert [each["name"] for each in found["batches"]] == [logs[1].stem]  # type: ignore[index]


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
