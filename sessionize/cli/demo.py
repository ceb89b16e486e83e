"""`sessionize demo`: a log to try the commands on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

NAME: Final = "events.csv"
NEXT: Final = (
    ("sessionize {log}", "what is in it"),
    ("sessionize show {log} --longest", "one session, event by event"),
    ("sessionize run {log} -o {out}", "sessions and metrics as files"),
)
"""What to type next, and what it shows."""


def demo(
    folder: Annotated[
        str,
        typer.Argument(metavar="FOLDER", help="Folder for it; made where it is not there.", rich_help_panel="Input"),
    ] = "demo",
) -> None:
    """Write a small log to try the other commands on: four days of a shop, with all that logs have wrong with them.

    \b
    sessionize demo
    sessionize demo elsewhere
    """
    from sessionize.locations import local_path
    from sessionize.os_errors import writing
    from sessionize.output.one_file import OneFile
    from sessionize.output.ownership import refuse_no_folder
    from sessionize.sample import sample

    content = sample()
    directory = Path(local_path(folder, "FOLDER"))
    refuse_no_folder(directory, {}, "name another folder: sessionize demo FOLDER")
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    path = directory / NAME
    file = OneFile(str(path), "FOLDER", {}, lambda there: there.read_bytes() == content)
    file.write(content)
    shown = {"log": shlex.quote(str(path)), "out": shlex.quote(str(directory / "out"))}
    commands = [(command.format(**shown), what) for command, what in NEXT]
    width = max(len(command) for command, _ in commands)
    lines = content.count(b"\n")
    print(f"wrote {path}: four days of a shop, {lines:,} lines. Next:\n")
    for command, what in commands:
        print(f"  {command:<{width}}   {what}")
