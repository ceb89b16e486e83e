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
    └── UnforeseenError    70   us
        └── AccountingError

A bad *row* is never an exception: it is a row of the rejected ones, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

AnError = TypeVar("AnError", bound="SessionizeError")


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

    def worded(self, message: str, hint: str | None) -> Self:
        """The same error in other words, without the notes that were added to it."""
        kept = {name: value for name, value in self.__dict__.items() if name != "__notes__"}
        return _restored(type(self), {**kept, "message": message, "hint": hint})

    def __reduce__(self) -> tuple[Any, ...]:
        """How it goes to another process, whatever it is made of there: as it is."""
        return _restored, (type(self), self.__dict__)


def _restored(kind: type[AnError], attributes: Mapping[str, Any]) -> AnError:
    found = kind.__new__(kind)
    found.__dict__.update(attributes)
    found.args = (found.message,)
    return found


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


class UnforeseenError(SessionizeError):
    """What nothing here has foreseen, such as a panic of a library: a bug of this program."""


class AccountingError(UnforeseenError):
    """Rows in and rows out do not add up: a bug of this program."""
