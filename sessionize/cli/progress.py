"""What is told while a command works: on a terminal how far it is, with ``--verbose`` what each stage took, else nothing."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from time import monotonic
from typing import Final

from sessionize.cli.screens.text import clock

MEGABYTE: Final = 1_000_000
EXPECTED_AFTER_S: Final = 0.5
"""Before, it is not said how long it will take."""
KILOBYTES: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes of the unit in which the system tells peak memory."""


class Stages:
    """Is told each stage as it begins, and in one that reads, how far that is.

    Args:
        show: Takes a line that changes while a stage goes on.
        say: Takes a line about a stage that has ended.
    """

    def __init__(self, show: Callable[[str], None], say: Callable[[str], None]) -> None:
        self._show = show
        self._say = say
        self._began = self._stage_began = monotonic()
        self._stage = ""
        self._bytes = self._rows = 0

    def __call__(self, stage: str) -> None:
        """A stage begins; the one before has ended."""
        self._end()
        self._stage, self._stage_began = stage, monotonic()
        self._bytes = self._rows = 0
        self._show(f"{stage} …")

    def read(self, share: float, rows: int, whole: int) -> None:
        """Some more of a log was read.

        Args:
            share: Share of the log that has been read, about.
            rows: Rows that have been read.
            whole: Bytes of the log.
        """
        self._bytes, self._rows = int(share * whole), rows
        seconds = monotonic() - self._stage_began
        if share >= 1:
            self._show(f"{self._stage}  all {size(whole)} read …")
            return
        left = f"  {clock(seconds / share - seconds)} left" if share and seconds > EXPECTED_AFTER_S else ""
        many = f"  {_many(rows)} rows" if rows else ""
        self._show(f"{self._stage}  {size(self._bytes)} of {size(whole)}  {share:.0%}{many}{left}")

    def done(self) -> None:
        """All stages have ended."""
        self._end()
        self._say(f"{'took':>26}  {monotonic() - self._began:6.1f} s")

    def _end(self) -> None:
        if not self._stage:
            return
        seconds = monotonic() - self._stage_began
        text = f"{self._stage:>26}  {seconds:6.1f} s"
        if self._bytes:
            text += f"  {_many(self._rows)} rows  {self._bytes / MEGABYTE / max(seconds, 0.001):,.0f} MB/s"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES
        self._say(f"{text}  peak {peak / MEGABYTE:,.0f} MB")
        self._stage = ""


def size(many: int) -> str:
    """Bytes as people read them.

    Examples:
        >>> size(402_000_000), size(12_345), size(3_200_000_000)
        ('402 MB', '12 kB', '3.2 GB')
    """
    if many >= 1000 * MEGABYTE:
        return f"{many / MEGABYTE / 1000:.1f} GB"
    return f"{many / MEGABYTE:.0f} MB" if many >= MEGABYTE else f"{many / 1000:.0f} kB"


def _many(rows: int) -> str:
    return f"{rows / 1e6:.1f} M" if rows >= 1_000_000 else f"{rows:,}"


def is_watched() -> bool:
    """Whether somebody looks at stderr while it is written."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
