"""Somebody with an unknown log, who types nothing but what the messages say."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from sessionize.cli.app import application
from sessionize.errors import SessionizeError

SHARED = Path(__file__).parent.parent.parent / "shared"
OPTION = r"--[a-z-]+ (?:'[^']*'|\S+?)(?=[?;)\s]|,\s|$)"
TYPED = re.compile(rf"{OPTION}(?: {OPTION})*")
"""Options with their values, as a message shows them: the first of these is what it says to type."""
PLACEHOLDERS = {"COLUMN", "DATE", "A,B,C", "FILE"}
"""What a message that does not know better shows in place of a name."""


class Said(NamedTuple):
    """What a run said and left.

    Attributes:
        code: Its exit code.
        text: Its message, or its notes, in one line.
        manifest: Of what it wrote; None where it wrote nothing.
        length: Of all sessions together, in microseconds.
    """

    code: int
    text: str
    manifest: dict[str, Any] | None
    length: int

    @property
    def counts(self) -> tuple[int, int, int]:
        """Sessions, events in them or left out as duplicates, rejected rows."""
        counts = {} if self.manifest is None else self.manifest["counts"]
        events = counts.get("events", 0) + counts.get("duplicates", 0)
        return counts.get("sessions", 0), events, counts.get("rejected", 0)


def run(*arguments: object, folder: Path) -> Said:
    """Run the command in this process, with a folder for its output."""
    typed = ["run", *map(str, arguments), "-o", str(folder / "out"), "--no-sessions"]
    told = io.StringIO()
    shutil.rmtree(folder / "out", ignore_errors=True)
    try:
        with contextlib.redirect_stderr(told):
            application(typed)(typed, standalone_mode=False)
    except SessionizeError as error:
        return Said(error.exit_code, f"{error} {error.hint or ''}", None, 0)
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    metrics = pl.read_parquet(folder / "out" / "metrics.parquet")
    length = int((metrics["end"] - metrics["start"]).dt.total_microseconds().sum())
    return Said(0, " ".join(told.getvalue().split()), manifest, length)


def hinted(said: Said) -> list[str]:
    """What the message says to type; nothing where it says nothing.

    Examples:
        >>> hinted(Said(2, "no key did you mean --profile-id uuid? candidates by value: uuid", None, 0))
        ['--profile-id', 'uuid']
    """
    text = said.text if said.code else " ".join(_notes(said))
    found = TYPED.search(text)
    typed = [] if found is None else shlex.split(found.group())
    return [] if set(typed) & PLACEHOLDERS else typed


def _notes(said: Said) -> Iterator[str]:
    """The notes of a run that speak of what was not read, or is taken for what it is not."""
    for note in (said.manifest or {}).get("notes", ()):
        if "are not read" in note or "stands for no id" in note:
            yield note


def followed(paths: Sequence[Path], folder: Path, most: int = 1) -> tuple[list[str], Said]:
    """Run a log, type what the message says, and see what comes of it.

    Args:
        paths: Of the log.
        folder: For the output.
        most: How often to type what is said.

    Returns:
        What was typed all in all, and what was said last.
    """
    typed: list[str] = []
    said = run(*paths, folder=folder)
    for _ in range(most):
        more = [*hinted(said)]
        if not more or said.text == "":
            break
        typed = [*typed, *more]
        said = run(*paths, *typed, folder=folder)
    return typed, said


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder, and come back."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
