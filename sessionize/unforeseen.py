"""What nothing has foreseen, Polars' panics among it, as an error of this package: the one place for it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sessionize.errors import InputError, MachineError, SessionizeError, UnforeseenError
from sessionize.zones import any_zone

REPORT_AT: Final = "https://github.com/sessionize/sessionize/issues"
"""Where a bug is reported, as the package's metadata has it."""
MACHINE_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EMFILE, errno.ENFILE}
"""A full disk, a closed stdout and the like, where no output names the place."""


def as_ours(error: BaseException) -> SessionizeError:
    """The error to tell in the place of one that is none of ours.

    Args:
        error: Whatever was raised.

    Examples:
        >>> as_ours(ZeroDivisionError("no")).message
        'unforeseen ZeroDivisionError: no'
    """
    if isinstance(error, SessionizeError):
        return error
    if isinstance(error, MemoryError):
        return MachineError("out of memory", hint="set --memory-limit, or use a larger machine")
    first = next(iter(str(error).strip().splitlines()), "")
    if type(error).__name__ == "ComputeError" and first.startswith("parquet:"):
        return InputError(f"an input is damaged: {first}", hint="fetch the file again")
    number = _os_error(error)
    if number in MACHINE_ERRORS:
        said = f"cannot write: {os.strerror(number).lower()}"
        return MachineError(said, hint="look at where stdout leads, and at the limits in TMPDIR")
    return UnforeseenError(
        f"unforeseen {type(error).__name__}: {first}",
        hint=f"this is a bug: please report it, with what was typed, by {REPORT_AT}; --debug shows the traceback",
    )


@contextmanager
def as_called() -> Iterator[None]:
    """What a call from Python is done in: what Polars raises comes through it as an error of ours.

    A panic of it is not even an `Exception`, which a caller would catch. What Python itself raises stays as it is.
    """
    with any_zone():
        try:
            yield
        except BaseException as error:
            if not _is_of_polars(error):
                raise
            raise as_ours(error) from error


def _is_of_polars(error: BaseException) -> bool:
    kind = type(error)
    return kind.__name__ == "PanicException" or kind.__module__.partition(".")[0] == "polars"


def _os_error(error: BaseException) -> int:
    """Number of the system's error; 0 for any other. Polars tells it in the text only."""
    told = re.search(r"os error (\d+)", str(error))
    return (error.errno if isinstance(error, OSError) else None) or (int(told[1]) if told else 0)
