"""Files that tell of a run: its figures and its summary, also of one that failed before it began, or that a signal ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final

from sessionize.cli import digest, monitor
from sessionize.cli import options as o
from sessionize.errors import SessionizeError

WAIT_S: Final = 0.5
"""So long a signal waits for the files: what they need may be half loaded."""
_TELLING: Final[list[RunFiles]] = []
"""What a signal must tell of."""


class RunFiles:
    """The files that were asked for, and the run that they tell of next.

    Args:
        typed: What was typed, with what the configuration file says or without.
    """

    def __init__(self, typed: o.Typed) -> None:
        self._figures: str | None = None
        self._summary: str | None = None
        self._told = False
        self.take(typed)
        self.begin(digest.Status(None, None))

    def take(self, typed: o.Typed) -> None:
        """Take the files' names; none, where nothing is to be done.

        Args:
            typed: What was typed.
        """
        is_done = not typed["dry_run"]
        self._figures = typed["metrics_file"] if is_done else None
        self._summary = typed["summary_file"] if is_done else None

    def refuse_foreign(self) -> None:
        """Refuse, before anything is read, to put a file where somebody else's is."""
        for path, place in ((self._figures, monitor.target_file), (self._summary, digest.target_file)):
            if path is not None:
                place(path)

    def begin(self, status: digest.Status) -> None:
        """A night begins, or a whole log.

        Args:
            status: What becomes known of it.
        """
        self._status, self._began, self._told = status, monotonic(), False

    def write(self, *, last: bool = False) -> None:
        """Tell of what was begun.

        Args:
            last: Whether the process ends with it.
        """
        self._told = True
        status, seconds = self._status, monotonic() - self._began
        if self._figures is not None:
            monitor.write_figures(self._figures, status.outcome, status.batch, seconds, status.exit_code, last=last)
        if self._summary is not None:
            digest.write(self._summary, status, last=last)

    def failed(self, error: BaseException) -> None:
        """Tell of what failed before it began.

        Args:
            error: Why; it is what is said, should the files not be written.
        """
        if self._told:
            return
        self._status.error = error if isinstance(error, SessionizeError) else None
        with suppress(SessionizeError, OSError):
            self.write()

    def ended(self, code: int) -> None:
        """Tell that a signal ended it; of what was told of already, no more.

        Args:
            code: Exit code of the process.
        """
        if not self._told:
            self._status.ended = code
            self.write(last=True)


@contextmanager
def telling(typed: o.Typed) -> Iterator[RunFiles]:
    """The files of a run; they are written too, where it fails or a signal ends it.

    Args:
        typed: What was typed.
    """
    files = RunFiles(typed)
    _TELLING[:] = [files]
    try:
        yield files
    except BaseException as error:
        files.failed(error)
        raise
    finally:
        _TELLING.clear()


def ended(code: int) -> None:
    """Tell that a signal ended the run that is going on.

    Args:
        code: Exit code of the process.
    """
    for files in _TELLING:
        writing = threading.Thread(target=files.ended, args=(code,), daemon=True)
        writing.start()
        writing.join(WAIT_S)
