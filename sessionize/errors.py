"""Everything that can go wrong, and who must act.

::

    SessionizeError
    ├── ChecksFailed        1   the owner of the data
    ├── UsageError          2   whoever typed it
    ├── InputError          3   whoever delivers the log
    ├── MachineError        4   whoever runs the machine
    │   ├── OutputError
    │   └── StateError
    ├── LockedError         5   nobody; wait
    └── AccountingError    70   us

A bad *row* is never an exception: it is a row of the rejected ones, with its reason.
"""

from __future__ import annotations

from typing import ClassVar


class SessionizeError(Exception):
    """Base of all errors of this package.

    Args:
        message: What went wrong and where, in one line.
        hint: What to type or do next; lists what there is.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ChecksFailed(SessionizeError):  # noqa: N818 - a verdict on the data, not an error of the program
    """The data failed a check or a limit; the outputs are complete all the same."""

    exit_code = 1


class UsageError(SessionizeError):
    """An option, a configuration file or a column choice is wrong."""

    exit_code = 2


class StdoutError(UsageError):
    """What is printed would go where it must not: nothing may be said on stdout, not even this."""


class InputError(SessionizeError):
    """An input is missing, unreadable, corrupt or not what it says it is."""

    exit_code = 3


def may_not_be_read(path: str) -> InputError:
    """What to say of a file or folder that the one who runs this may not read."""
    return InputError(f"{path}: permission denied", hint="ls -ld shows who may read it")


class MachineError(SessionizeError):
    """The machine could not do its part: disk, permission, memory."""

    exit_code = 4


class OutputError(MachineError):
    """An output could not be written."""


class StateError(MachineError):
    """The state of nightly runs is damaged or could not be written."""


class LockedError(SessionizeError):
    """Another run holds the lock."""

    exit_code = 5


class AccountingError(SessionizeError):
    """Rows in and rows out do not add up: a bug of this program."""
