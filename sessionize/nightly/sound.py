"""Whether the files of a state are there and as they were written; what the machine says of them is about the state."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sessionize.errors import OutputError, StateError
from sessionize.os_errors import ANOTHER_PLACE, map_os_errors


def sound(directory: Path, carry: Mapping[str, Any]) -> Path:
    """The file of carried events that a state names.

    Args:
        directory: Directory of the state.
        carry: Name, rows and digest of the file.

    Raises:
        StateError: If it is not what was written.
    """
    path = directory / str(carry["path"])
    with ours(path):
        if not path.is_file():
            raise StateError(f"{path} is missing", hint="put a copy of the whole state back; nothing was touched")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != carry["sha256"]:
        raise StateError(f"{path} is damaged", hint="put a copy of the whole state back; nothing was touched")
    return path


@contextmanager
def ours(path: Path) -> Iterator[None]:
    """Turn what the machine says about a state into a `StateError`."""
    try:
        with map_os_errors(path):
            yield
    except OutputError as error:
        hint = str(error.hint).replace(ANOTHER_PLACE, "move the state and name its place by --state")
        raise StateError(error.message, hint=hint) from error
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO).lower()
        raise StateError(f"cannot use the state {path}: {reason}", hint="try again") from error
