"""Runs a command with a fault at each of its steps on disk, and says of each what was wrong. Started by `test_faults`.

The library of ``faults.c`` is preloaded: it fails the n-th call that changes something below a folder, whoever makes it,
Python or Polars.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from night_logs import night, write_log

from sessionize.checks import check
from sessionize.checks.formats import FORMATS
from sessionize.checks.formats.recognise import is_findings
from sessionize.config import Config, Output
from sessionize.errors import MachineError, SessionizeError
from sessionize.limits import Limits
from sessionize.one_shot import run
from sessionize.output.one_file import OneFile

LIBRARY = ctypes.CDLL(None)
LIBRARY.faults_last.restype = ctypes.c_char_p
NONE_KEPT = ("lock", ".sessionize.lock")


class Disturbed:
    """A piece of work, and what became of it with a fault at each step."""

    def __init__(self, place: Path, name: str) -> None:
        place.mkdir()
        self.place, self.work = place, place / "work"
        self.act = WORKS[name](place / "base", write_log(place / "logs", 3, 30))
        self.before = _tree(place / "base")
        self.begin_anew()
        self.act(self.work)
        self.after = _tree(self.work)
        self.told: int = 0
        self.committed: int = 0
        self.wrong: list[str] = []

    def begin_anew(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.place / "base", self.work)

    def fails_at(self, at: int, code: int) -> bool:
        """Whether there is such a step."""
        self.begin_anew()
        LIBRARY.faults_arm(os.fsencode(self.work) + b"/", at, code, 0)
        error: BaseException | None = None
        try:
            self.act(self.work)
        except BaseException as raised:
            error = raised
        came_so_far, step = bool(LIBRARY.faults_count() >= at), LIBRARY.faults_last().decode()
        LIBRARY.faults_arm(b"", 0, 0, 0)
        gc.collect()
        if came_so_far:
            self.wrong += [f"{at} {step}: {what}" for what in (*self.told_wrong(error), *self.left_wrong())]
        return came_so_far

    def told_wrong(self, error: BaseException | None) -> Iterator[str]:
        found = _tree(self.work)
        if error is None:
            if differing := [name for name in _differing(found, self.after) if not name.startswith("state/carry-")]:
                yield f"no error, but another result: {differing}"
            return
        self.told += 1
        if getattr(error, "exit_code", 70) != MachineError.exit_code:
            yield f"{type(error).__name__}: {error}"
        if str(self.work) not in str(error):
            yield f"names no path: {error}"
        if "is committed" in str(error):
            self.committed += 1
            if "try again" in str(getattr(error, "hint", "")):
                yield "committed, and told to try again"
        elif found != self.before:
            yield f"something was touched: {_differing(found, self.before)}; {error}"

    def left_wrong(self) -> Iterator[str]:
        """What is not as it should be after the next run."""
        with suppress(SessionizeError):
            self.act(self.work)
        if differing := _differing(_tree(self.work), self.after):
            yield f"not complete the next time: {differing}"
        if hidden := [path.name for path in self.work.rglob(".*") if path.name not in NONE_KEPT]:
            yield f"left {hidden}"


def _run(form: str, *, on_disk: bool = False) -> Callable[[Path, list[Path]], Callable[[Path], object]]:
    limits = Limits(event_bytes=6000, rows=1000, partitions=(48, 48)) if on_disk else None

    def prepared(base: Path, logs: list[Path]) -> Callable[[Path], object]:
        logs[1].write_text(logs[1].read_text() + "no row\n")
        _one_run(base, logs[0], "json")
        (base / "out" / "notes.txt").write_text("somebody's")
        return lambda place: _one_run(place, logs[1], form, limits)

    return prepared


def _one_run(place: Path, log: Path, form: str, limits: Limits | None = None) -> None:
    output = Output(directory=str(place / "out"), form=form, events=True)  # type: ignore[arg-type]
    run(Config(inputs=(str(log),)), output, limits=limits)


def _night(base: Path, logs: list[Path]) -> Callable[[Path], object]:
    night(base, logs[0])
    return lambda place: night(place, logs[1])


def _redo(base: Path, logs: list[Path]) -> Callable[[Path], object]:
    for log in logs:
        night(base, log)
    more = logs[0].with_name("more.csv")
    more.write_text("time,user_id,event_type,page\n2024-05-02T03:00:00,late,click,/\n")
    return lambda place: night(place, logs[1], more)


def _check(base: Path, logs: list[Path]) -> Callable[[Path], object]:
    base.mkdir()
    _report(base, logs[0])
    return lambda place: _report(place, logs[1])


def _report(place: Path, log: Path) -> None:
    file = OneFile(str(place / "report.json"), "--output-file", {}, is_findings)
    file.write(FORMATS["json"](check(Config(inputs=(str(log),)))).encode())


WORKS = {
    "run parquet": _run("parquet"), "run csv": _run("csv"), "run ndjson": _run("ndjson"), "run json": _run("json"),
    "run on disk": _run("parquet", on_disk=True), "night": _night, "redo": _redo, "check": _check,
}  # fmt: skip


def _copy(place: Path) -> None:
    shutil.rmtree(place / "work", ignore_errors=True)
    shutil.copytree(place / "base", place / "work")


def _tree(place: Path) -> dict[str, bytes]:
    """Every file that can be seen."""
    paths = (path for path in place.rglob("*") if path.is_file() and path.name not in NONE_KEPT)
    named = {path.relative_to(place): path for path in paths}
    return {
        str(name): path.read_bytes() for name, path in named.items() if not any(part[0] == "." for part in name.parts)
    }


def _differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in {**one, **other} if one.get(name) != other.get(name))


def codes_at(at: int, every: int) -> list[int]:
    """What a step fails with: an error of the disk or a full one in turn; where there are but a few steps, with each."""
    codes = [errno.EIO, errno.ENOSPC]
    return codes if sys.argv[2] == "check" else [codes[at // every % 2]]


if __name__ == "__main__":
    gc.disable()  # what a failed run leaves is taken away between two runs, not in the midst of one
    disturbed, every = Disturbed(Path(sys.argv[1]), sys.argv[2]), int(sys.argv[3])
    steps = next(at for at in count(1, every) if not all(disturbed.fails_at(at, code) for code in codes_at(at, every)))
    told = {"steps": steps, "told": disturbed.told, "committed": disturbed.committed, "wrong": disturbed.wrong}
    sys.stdout.write(json.dumps(told))
