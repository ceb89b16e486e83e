"""A single file that a command writes, such as findings: whole or not at all, and never over what is not ours."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

from sessionize.errors import UsageError
from sessionize.locations import local_path
from sessionize.os_errors import writing
from sessionize.output.locks import make_private, sync
from sessionize.output.ownership import Identity, refuse_inputs
from sessionize.output.publish import COMMITTING, HELD


class OneFile:
    """A file that is to be written. Devices and pipes are written to; links are followed.

    Args:
        text: Path of the file, as typed.
        option: What it was typed for.
        read: Names of what is read: the inputs, a baseline, a configuration.
        is_ours: Whether a file that is there may be replaced, as such a command has written it.

    Raises:
        UsageError: If it is something that may not be replaced.
    """

    def __init__(self, text: str, option: str, read: Mapping[Identity, str], is_ours: Callable[[Path], bool]) -> None:
        if text == "-":
            raise UsageError(f"{option} - names no file", hint="write /dev/stdout in its place")
        self.path = Path(os.path.realpath(local_path(text, option)))
        self._option, self._read, self._is_ours = option, read, is_ours
        self._shown = text
        self._check()

    def _check(self) -> None:
        """Refuse what is there, if it may not be replaced."""
        with writing(self.path, "read"):
            if self._shown.endswith("/"):
                raise UsageError(f"{self._option} {self._shown} is a folder", hint="name a file in it")
            if self._is_stream() or not self.path.exists():
                return
            refuse_inputs([self.path], self._read, f"choose another {self._option}")
            if self.path.is_dir():
                raise UsageError(f"{self._option} {self._shown} is a folder", hint="name a file in it")
            if not self._is_ours(self.path):
                raise UsageError(
                    f"{self._option} {self._shown}: the file that is there was not written by this command",
                    hint=f"move it away, or choose another {self._option}",
                )

    def _is_stream(self) -> bool:
        """Whether it is a device or a pipe, such as /dev/stdout."""
        try:
            mode = Path(self._shown).stat().st_mode
        except OSError:
            return False
        return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)

    def write(self, content: bytes, *, last: bool = False) -> None:
        """Put it in its place, on disk.

        Args:
            content: All of it.
            last: Whether the process ends with it: no commit begins any more, and none is waited for.

        Raises:
            OutputError: If it cannot be written; what was there is there still.
            UsageError: If something came there that may not be replaced.
        """
        if self._is_stream():
            with writing(self._shown), Path(self._shown).open("wb") as stream:
                stream.write(content)
            return
        draft = self.path.with_name(f".sessionize.{secrets.token_hex(4)}.partial")
        with writing(self.path), ExitStack() as failing:
            failing.callback(draft.unlink, missing_ok=True)
            HELD.add(failing)  # a signal deletes it, too
            try:
                self._fill(draft, content)
                self._check()
                with nullcontext() if last else COMMITTING:
                    draft.replace(self.path)
            finally:
                HELD.discard(failing)
            failing.pop_all()
        with suppress(OSError):  # it is in its place, whatever becomes of the name if the machine stops now
            sync(self.path.parent)

    @staticmethod
    def _fill(draft: Path, content: bytes) -> None:
        mode = make_private(draft)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())


def begins_with(*beginnings: bytes) -> Callable[[Path], bool]:
    """What tells a file of ours by its first bytes; an empty one is nobody's.

    Args:
        beginnings: What a file that such a command has written begins with.
    """

    def is_ours(path: Path) -> bool:
        with path.open("rb") as file:
            start = file.read(max(map(len, beginnings)))
        return not start or start.startswith(beginnings)

    return is_ours
