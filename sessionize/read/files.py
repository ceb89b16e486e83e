"""From what was typed to files: paths, folders, globs, stdin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

from sessionize.config import Config, InputFormat
from sessionize.errors import InputError, UsageError, may_not_be_read
from sessionize.read.passed_over import EMPTY, PassedOver
from sessionize.read.probe import STDIN, probed, spooled
from sessionize.read.shown import shown_folder, shown_path
from sessionize.read.source import Empty, LogFile, Source
from sessionize.read.typed_paths import paths_of
from sessionize.stores import StoreError, StorePath, identity, path_of, stamp_of
from sessionize.values import NamedTuple

AT_ONCE: Final = 16
"""Objects of a store that are looked at at once, as each takes some requests."""


class FoundFiles(NamedTuple):
    """What the inputs name.

    Attributes:
        sources: Files to be read, in input order.
        passed_over: What was found beside them and is not read.
    """

    sources: tuple[Source, ...]
    passed_over: tuple[PassedOver, ...]

    @property
    def format(self) -> InputFormat:
        """Of all the files, as a log is of one format."""
        return self.sources[0].file.format


def find(config: Config, stdin: IO[bytes] | None = None) -> FoundFiles:
    """Every file that the inputs name, in order; a folder or glob is sorted.

    Raises:
        InputError: If one is missing, unreadable or of a kind that is not read, a folder is a table's, or all are empty.
        UsageError: If no input was given.
    """
    if not config.inputs:
        raise UsageError("no input", hint="name a file, a folder, a glob, or - for stdin")
    passed: list[PassedOver] = []
    found: list[Source] = []
    empty: list[Empty] = []
    places = list(_places(config.inputs, config, passed))
    _refuse_twice(places, config, stdin)
    for place, source in zip(places, _all_opened(places, config, stdin), strict=True):
        if isinstance(source, Empty):
            empty.append(source)
            passed.append(PassedOver(shown_path(place, config), EMPTY))
        else:
            found.append(source)
    if not found:
        raise empty[0]
    kinds = sorted({source.file.format for source in found})
    if len(kinds) > 1:
        names = {source.file.format: source.file.path for source in found}
        raise InputError(
            f"a log is of one format, not {' and '.join(f'{kind} ({names[kind]})' for kind in kinds)}",
            hint="run them apart, or name a glob that matches one kind",
        )
    return FoundFiles(tuple(found), tuple(passed))


def without_rows(config: Config) -> list[Source]:
    """Files that the inputs name and in which there is no line, as NDJSON, of which no row is no line.

    None where one is stdin or a pipe: there may be no line as what writes into it failed.
    """
    found = []
    for place in _places(config.inputs, config, []):
        if place == STDIN or path_of(place).is_fifo():
            return []
        shown, status = shown_path(place, config), path_of(place).stat()
        file = LogFile(shown, "ndjson", status.st_size, status.st_mtime_ns, None)
        found.append(Source(file, place, packed=None, stamp=stamp_of(path_of(place))))
    return found


def listed(config: Config) -> list[str]:
    """Path of every file that the inputs name, unopened; a folder or glob is sorted.

    Raises:
        InputError: If one names nothing, or a folder is a table's.
        UsageError: If no input was given.
    """
    if not config.inputs:
        raise UsageError("no input", hint="name a file, a folder or a glob")
    return list(_places(config.inputs, config, []))


def _places(inputs: Sequence[str], config: Config, passed: list[PassedOver]) -> Iterator[str]:
    """Every file, pipe and ``-`` that the inputs name; what lies beside them goes to the list."""
    for text in inputs:
        # A pipe (`<(zcat log.gz)`, /dev/stdin) is taken as it is: what is read once is gone.
        with _as_shown(config):
            is_pipe = text == STDIN or path_of(text).is_fifo()
            yield from [text] if is_pipe else map(str, paths_of(text, config, passed))


@contextmanager
def _as_shown(config: Config) -> Iterator[None]:
    """Name what a store was asked for as it may be shown."""
    try:
        yield
    except StoreError as error:
        raise StoreError(shown_folder(error.uri, config), error.what, error.hint) from None
    except PermissionError as error:
        raise may_not_be_read(shown_folder(str(error.filename), config)) from None


def _refuse_twice(places: Sequence[str], config: Config, stdin: IO[bytes] | None) -> None:
    """Refuse to count a file's events twice, whatever two names it goes by."""
    names: dict[tuple[int, int], str] = {}
    for place in places:
        found = _identity(place, stdin)
        if found is not None and found in names:
            both = (
                shown_path(place, config)
                if names[found] == place
                else f"{shown_path(names[found], config)} and {shown_path(place, config)}"
            )
            raise UsageError(
                f"one input is given twice: {both}", hint="leave one out, or every event would count twice"
            )
        if found is not None:
            names[found] = place


def identities(inputs: Sequence[str], config: Config) -> dict[tuple[int, int], str]:
    """Names of all files that the inputs name, and of their folders, by device and inode; what is missing aside.

    Raises:
        StoreError: If a store fails, which is not for this once only.
    """
    try:
        inputs = [*inputs, *_places(inputs, config, [])]
    except StoreError:
        raise
    except InputError:
        pass
    return {found: shown_path(place, config) for place in inputs if (found := _identity(place, None)) is not None}


def _identity(place: str, stdin: IO[bytes] | None) -> tuple[int, int] | None:
    """Device and inode of what is read, if it has any."""
    with suppress(OSError, ValueError, AttributeError):
        if place != STDIN:
            return identity(path_of(place))
        status = os.fstat((stdin or sys.stdin).fileno())
        return status.st_dev, status.st_ino
    return None


def _all_opened(places: Sequence[str], config: Config, stdin: IO[bytes] | None) -> Iterator[Source | Empty]:
    """Each place with what it is, in order; objects of a store are looked at some at a time."""
    if not any(isinstance(path_of(place), StorePath) for place in places):
        yield from (_opened(place, config, stdin) for place in places)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(partial(_opened, config=config, stdin=stdin), places)


def _opened(place: str, config: Config, stdin: IO[bytes] | None) -> Source | Empty:
    try:
        if place == STDIN:
            return spooled(stdin or sys.stdin.buffer, config)
        if path_of(place).is_fifo():
            with Path(place).open("rb") as pipe:
                return spooled(pipe, config, place)
        with _as_shown(config):
            return probed(place, shown_path(place, config), config)
    except Empty as error:
        return error
