"""What the machine says when it cannot write, as an error that names the place and the cure."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sessionize.errors import OutputError, SessionizeError
from sessionize.patterns import pattern

_TEXT: Final = pattern(r"os error (\d+)\)?(?:: (.+))?|'(.+)' is a directory|No space left")
_FOOTER: Final = "Invalid thrift: transport error"
"""What Polars says where the end of a Parquet file cannot be written; why, it does not."""
_HIDDEN: Final = pattern(r"\.(.+)\.\d+\.partial")
STDOUT: Final = "stdout"
"""Its name, in the place of a path: what it leads to is not known here."""
ANOTHER_PLACE: Final = "write elsewhere"
A_FOOTER: Final = 1 << 20
"""Bytes that the end of a Parquet file may have."""
_CURES: Final = {
    errno.ENOSPC: "make room", errno.EDQUOT: "make room", errno.EFBIG: "raise the size limit",
    errno.EACCES: "make it writable", errno.EPERM: "make it writable", errno.EROFS: "remount it",
    errno.EISDIR: "move it away", errno.ENOTDIR: "move it away", errno.EEXIST: "move it away",
}  # fmt: skip


@contextmanager
def writing(path: Path | str, doing: str = "write") -> Iterator[None]:
    """Turn whatever the machine says into an `OutputError`: what is done within touches files of this run only.

    Polars tells the number of an error in its text only, whatever the kind of its exception.

    Args:
        path: Path of the file, as it is named while it is written.
        doing: What is done with it.
    """
    try:
        yield
    except SessionizeError:
        raise
    except BaseException as error:
        found = _TEXT.search(str(error))
        number = error.errno if isinstance(error, OSError) else None
        code = number or (int(found[1] or errno.ENOSPC) if found else None)
        if code is None and _FOOTER in str(error):
            code = errno.EIO if _free(Path(path)) > A_FOOTER else errno.ENOSPC
        if code is None and not isinstance(error, OSError):
            raise
        place = Path(path)
        hidden = _HIDDEN.fullmatch(place.name)
        raise output_error(place if hidden is None else place.with_name(hidden[1]), code or errno.EIO, doing) from error


@contextmanager
def map_os_errors(path: Path | str) -> Iterator[None]:
    """Turn a full disk, a missing permission and the like into an `OutputError` about ``path``.

    Polars gives no number, its text tells; an error that names another path (an input) passes.
    """
    try:
        yield
    except BaseException as error:
        code = _code(error, Path(path))
        if isinstance(error, SessionizeError) or code not in _CURES:
            raise
        raise output_error(Path(path), code) from error


def _code(error: BaseException, path: Path) -> int | None:
    """Error number, unless the error names neither ``path``, a parent, a hidden file beside, nor what a hidden one holds."""
    found = _TEXT.search(str(error))
    code, name = (error.errno, error.filename) if isinstance(error, OSError) else (None, None)
    if found:
        code = code or int(found[1] or (errno.EISDIR if found[3] else errno.ENOSPC))
        name = name or found[2] or found[3]
    named, mine = Path(str(name or path)).absolute(), path.absolute()
    hidden = named.name.startswith(".") and named.parent in (mine, mine.parent)
    hidden |= mine.name.startswith(".") and mine in named.parents
    return code if hidden or named in (mine, *mine.parents) else None


def output_error(path: Path, code: int, doing: str = "write") -> OutputError:
    """What to say of a file that cannot be written, and what to do."""
    missing = code == errno.ENOENT and not path.absolute().parent.exists()
    cure = f"mkdir -p {shlex.quote(str(path.parent))}" if missing else _CURES.get(code, "try again")
    where = (
        "look at where it leads"
        if str(path) == STDOUT
        else f"{ANOTHER_PLACE}; {_free(path) / 1e6:,.1f} MB are free there"
    )
    return OutputError(f"cannot {doing} {path}: {os.strerror(code).lower()}", hint=f"{cure}, or {where}")


def _free(path: Path) -> int:
    """Bytes that are free where a file is, or would be."""
    near = next(place for place in (path, *path.absolute().parents) if os.access(place, os.F_OK))
    return shutil.disk_usage(near).free
