"""What was meant by a name that nothing has: what there is beside it."""

from __future__ import annotations

import difflib
import shlex
from typing import Final

from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.read.shown import shown_folder
from sessionize.stores import AnyPath, StorePath, folders_among, path_of

REALLY_NEAR: Final = 0.75
"""How alike two names of files are, of which the one is taken for the other mistyped."""


def missing(path: AnyPath, config: Config) -> InputError:
    """What to say of a file that is not there."""
    if isinstance(path, StorePath):
        path.check_bucket()
    elif path.is_symlink():
        shown = shown_folder(str(path), config)
        return InputError(
            f"{shown}: a link that leads nowhere", hint=f"ls -l {shlex.quote(shown)} shows where it leads"
        )
    near = _like(path)
    hint = None if near is None else f"did you mean {shown_folder(str(near), config)}?"
    return InputError(f"{shown_folder(str(path), config)}: no such file", hint=hint)


def _like(path: AnyPath) -> AnyPath | None:
    """What there is of the nearest name, in a folder of the nearest name."""
    if path.parent == path:
        return None
    folder: AnyPath | None = path.parent
    if not path.parent.is_dir():
        folder = _like(path.parent)
    if folder is None or not folder.is_dir():
        return None
    if (folder / path.name).exists():
        return folder / path.name
    if (
        str(folder) != str(path.parent) and "." in path.name
    ):  # the nearest file of the nearest folder is a guess at a guess
        return None
    near = difflib.get_close_matches(path.name, [each.name for each in folder.iterdir()], n=1, cutoff=REALLY_NEAR)
    return folder / near[0] if near else None


def there_is(pattern: str) -> str:
    """What there is in the folder in which a glob found nothing."""
    folder = path_of(pattern).parent
    while any(letter in str(folder) for letter in "*?["):
        folder = folder.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    there = [each for each in folder.iterdir() if each.name[:1] != "."]
    folders = folders_among(there)
    names = sorted(each.name + ("/" if each in folders else "") for each in there)
    return f"{folder} has {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else f"{folder} is empty"
