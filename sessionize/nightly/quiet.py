"""A night in which nothing was written: NDJSON without a row is a file without a byte, as it has no header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sessionize.config import Config, Nightly
from sessionize.errors import InputError
from sessionize.nightly.series import day
from sessionize.nightly.state import Done
from sessionize.opening import NoLog
from sessionize.read import Log, open_log
from sessionize.read.files import without_rows
from sessionize.read.formats import ENDINGS
from sessionize.read.rotated import ending
from sessionize.read.source import Empty, Source

NDJSON: Final = "ndjson"


class Quiet(NoLog):
    """A log of files in which there is no line.

    Args:
        sources: The files.
        error: What is said of them where they are no log.
    """

    def __init__(self, sources: Sequence[Source], error: Empty) -> None:
        self.sources = sources
        self.files = [source.file for source in sources]
        self.error = error


def night_log(config: Config, nightly: Nightly) -> Log | Quiet | None:
    """The log of a night; None of a flush without one.

    Raises:
        InputError: If it cannot be read, or there is no line in what was piped: what writes into the pipe may have failed.
    """
    if not config.inputs:
        return None
    try:
        return open_log(config)
    except Empty as error:
        sources = without_rows(config)
        if not sources or config.input_format not in {None, NDJSON}:
            raise _refused(error, nightly) from None
        return Quiet(sources, error)


def check_quiet(log: Quiet, known: Done | None, nightly: Nightly) -> None:
    """Refuse files without a line where the nights before do not say that such are nights without a row.

    Raises:
        InputError: If the night before was not NDJSON, or a file has the name of another format.
    """
    before = () if known is None else known.inputs
    usual = {ending(file["path"]) for file in before}
    odd = [file.path for file in log.files if (its := ending(file.path)) not in usual and ENDINGS.get(its) != NDJSON]
    if odd or {file["format"] for file in before} != {NDJSON}:
        raise _refused(log.error, nightly)


def _refused(error: Empty, nightly: Nightly) -> InputError:
    """The error, with what to do where the file is as it should be."""
    then = ": the next one goes on with --allow-gap" if day(nightly.batch) else ""
    left_out = f"if there was nothing to write, leave batch {nightly.batch} out{then}"
    hint = "" if error.hint is None else f"{error.hint} " if error.hint.endswith("?") else f"{error.hint}; "
    return error.worded(error.message, f"{hint}{left_out}")


def quiet_note(paths: Sequence[str]) -> str:
    """What to say of a night of such files."""
    return (
        f"{', '.join(paths)}: no line is in it, and no event in the night; if it was cut short, run the batch again with "
        "the whole file and --redo"
    )
