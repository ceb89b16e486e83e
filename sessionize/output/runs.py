"""Which runs inputs name: one, the nights of a folder, or those that a glob or several inputs name together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from glob import has_magic

from sessionize.errors import UsageError
from sessionize.output.read_run import BATCHES, STDIN, run_folders
from sessionize.stores import AnyPath, matches, path_of


def folders_of(inputs: Sequence[str]) -> list[AnyPath]:
    """The folders of the runs that inputs name, in order, each once; none where they are a log.

    Args:
        inputs: As they were typed, and as a shell makes several of a glob.

    Raises:
        UsageError: If some are runs, and others are none.
    """
    found: list[AnyPath] = []
    for text in _matched(inputs):
        there = run_folders(text)
        if not there and not found:
            found = _typed_runs(inputs)
            if not found:
                return []
        if not there and not _is_unfinished(path_of(text)):
            raise UsageError(
                f"{found[0]} is the output of an earlier run, and {text} is not",
                hint="name the log, or runs' outputs, such as 'out/batch=*'",
            )
        found += there
    return sorted(set(found), key=str) if len(inputs) > 1 else found


def _typed_runs(inputs: Sequence[str]) -> list[AnyPath]:
    """The runs among several inputs, without a look at what a store or a glob holds."""
    typed = [text for text in inputs if len(inputs) > 1 and text != STDIN and "://" not in text and not has_magic(text)]
    return [folder for text in typed if path_of(text).is_dir() for folder in run_folders(text)]


def _matched(inputs: Sequence[str]) -> Iterator[str]:
    """The inputs, those that are globs as what they match."""
    for text in inputs:
        if text == STDIN or not has_magic(text) or path_of(text).exists():
            yield text
        else:
            yield from map(str, matches(text))


def _is_unfinished(path: AnyPath) -> bool:
    """Whether it is the folder of a night that did not come to its end."""
    return is_night(path) and path.is_dir()


def is_night(path: AnyPath) -> bool:
    """Whether a folder has the name of a night's output."""
    return path.name.startswith(BATCHES.removesuffix("*"))
