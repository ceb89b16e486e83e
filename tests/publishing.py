"""A directory with an earlier run, a run to be published there, and faults at its steps on disk."""

from __future__ import annotations

import errno
import os
import shutil
import traceback
import warnings
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import pytest

from sessionize.output.publish import Publisher

OLD = {
    "sessions.json": b"old", "metrics.parquet": b"old metrics", "sessions/part-00000.ndjson": b"of old",
    "manifest.json": b"old manifest",
}  # fmt: skip
NEW = {
    "sessions.parquet": b"new", "metrics.parquet": b"new metrics", "metrics/part-00000.parquet": b"of new",
    "manifest.json": b"new one",
}  # fmt: skip
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
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*")}
    return {name: path.read_bytes() for name, path in found.items() if path.is_file() and name[0] != "."}


def hidden(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name.startswith(".")}


BEFORE, AFTER = OLD | STRANGER, NEW | STRANGER


def earlier_run(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, content in (OLD | STRANGER).items():
        (directory / name).parent.mkdir(exist_ok=True)
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


def until_done(attempt: Callable[[int], bool], step: int = 1) -> int:
    """Attempt with the fault at step 1, 2, …, or at every so manieth; how many steps there were, about."""
    return next(at for at in range(1, 200, step) if not attempt(at)) - 1


def assert_nothing_half_written(directory: Path) -> None:
    shown = visible(directory)
    for name, content in shown.items():
        assert content in (BEFORE.get(name), AFTER.get(name))
    if "manifest.json" in shown:
        assert shown in (BEFORE, AFTER)
