"""How the rows of a key come together: in memory, or, where they are too many for it, in files by the key's hash.

Out come frames of whole keys, one or many: what the kernel makes of them does not depend on how many.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.engine.ingest import Arrived
from sessionize.errors import OutputError
from sessionize.kernel.dictionaries import Dictionaries, alike
from sessionize.limits import Limits
from sessionize.os_errors import writing

SAMPLE_ROWS: Final = 10_000
HASH_SEED: Final = 5


class Partition:
    """Events of whole keys, in input order.

    Whoever takes them has them alone, and can let go of each column that it has done with.

    Attributes:
        folder: Folder where what is made of them may be put; None where memory suffices.
    """

    def __init__(self, events: pl.DataFrame, folder: Path | None = None) -> None:
        self._events: pl.DataFrame | None = events
        self.folder = folder

    def show(self, look: Callable[[pl.DataFrame], None]) -> None:
        """Let someone look at the events, who must not keep them."""
        if self._events is None:
            raise ValueError("these events were taken before")
        look(self._events)

    def release(self) -> pl.DataFrame:
        """The events; only once."""
        events, self._events = self._events, None
        if events is None:
            raise ValueError("these events were taken before")
        return events


class Partitions(Iterable[Partition]):
    """All events of a log, as partitions of whole keys. To be iterated over once: each partition goes as the next comes.

    Attributes:
        dictionaries: The dictionaries that give the events' texts their codes.
        folder: Folder of the files that the events are in; None where they are in memory, as one partition.
    """

    def __init__(self, partitions: Iterable[Partition], dictionaries: Dictionaries, folder: Path | None = None) -> None:
        self._partitions = partitions
        self.dictionaries = dictionaries
        self.folder = folder

    def __iter__(self) -> Iterator[Partition]:
        """Each partition; at least one, though it may be empty."""
        return iter(self._partitions)


def partition_by_key(arrived: Iterable[Arrived], limits: Limits, dictionaries: Dictionaries) -> Partitions:
    """Read all events of a log, and bring those of each key together: in memory, or in files where they are too many.

    Args:
        arrived: Canonical events, some at a time, in input order; at least one frame.
        limits: What memory and disk there is.
        dictionaries: Give the events' texts codes, if they have none yet.

    Raises:
        OutputError: If there is no room for the files.
    """
    held: list[pl.DataFrame] = []
    size = 0
    stream = iter(arrived)
    for events, share in stream:
        held.append(dictionaries.coded(events))
        del events
        size += int(held[-1].estimated_size())
        if size + dictionaries.entries * limits.entry_bytes > limits.event_bytes:
            return _in_files(held, share, stream, limits, dictionaries)
    return Partitions([Partition(pl.concat(held, how="diagonal", rechunk=False))], dictionaries)


def _in_files(
    held: list[pl.DataFrame], share: float, more: Iterator[Arrived], limits: Limits, dictionaries: Dictionaries
) -> Partitions:
    """Every event into the file of its key's partition.

    Args:
        held: Events that have come.
        share: Share of the log that they are.
        more: Events that are still to come.
        limits: How many files there may be, and where.
        dictionaries: The dictionaries that give codes, of which only the small ones are kept from here on.
    """
    folder = limits.scratch()
    dictionaries.only_small(limits.dictionary_texts)
    whole = _expected_bytes(held, share, dictionaries)
    _check_space(folder, whole)
    fewest, most = limits.partitions
    count = int(min(max(fewest, whole / max(1, limits.event_bytes * limits.partition_share)), most))
    none = held[0].clear()
    coming = map(partial(_coded, dictionaries), more)  # no loop, whose variable would hold the events
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        for number, frame in enumerate(chain(_emptied(held), coming)):
            parts = _by_key(frame, dictionaries.stored(frame), count)
            paths = [folder / f"events-{part}-{number}.arrow" for part in range(count)]
            list(threads.map(_write, parts, paths))
    return Partitions((_from_files(folder, part, none, dictionaries) for part in range(count)), dictionaries, folder)


def _from_files(folder: Path, part: int, none: pl.DataFrame, dictionaries: Dictionaries) -> Partition:
    """A partition from its files, which are then no longer needed."""
    files = sorted(folder.glob(f"events-{part}-*.arrow"), key=_number)
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        frames = threads.map(lambda path: dictionaries.restored(_read(path)), files)
        events = pl.concat(alike([none, *frames]), how="diagonal")
    for path in files:
        with writing(path, "delete"):
            path.unlink()
    return Partition(events, folder)


def _expected_bytes(held: list[pl.DataFrame], share: float, dictionaries: Dictionaries) -> float:
    """Bytes of the whole log's events in files, from those that have come."""
    sample = max(held, key=lambda frame: frame.height).head(SAMPLE_ROWS)
    rows = sum(frame.height for frame in held) / max(share, 0.001)
    return rows * dictionaries.stored(sample).estimated_size() / max(1, sample.height)


def _coded(dictionaries: Dictionaries, arrived: Arrived) -> pl.DataFrame:
    return dictionaries.coded(arrived.events)


def _write(rows: pl.DataFrame, path: Path) -> None:
    if rows.height:
        # Oldest: a newer form would write all the texts that the rows were taken from.
        with writing(path):
            rows.write_ipc(path, compat_level=pl.CompatLevel.oldest())


def _read(path: Path) -> pl.DataFrame:
    with writing(path, "read"):
        return pl.read_ipc(path)


def _emptied(frames: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames, each let go of before the next."""
    while frames:
        yield frames.pop(0)


def _number(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _by_key(events: pl.DataFrame, stored: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """What is stored of the events, apart by the hash of their keys' text.

    A session id and a profile id that are equal may be in one part.

    Args:
        events: Canonical events, for their keys.
        stored: The same rows as they are written to files.
        count: How many parts there are.

    Returns:
        ``count`` frames of the stored rows, each in input order.
    """
    ids = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    key = pl.coalesce(pl.col(ids).cast(pl.String))
    part = (events.select(key.hash(HASH_SEED)).to_series().to_numpy() % np.uint64(count)).astype(np.uint16)
    ends = np.cumsum(np.bincount(part, minlength=count))
    ordered = stored[np.argsort(part, kind="stable").astype(np.uint32)]
    return [ordered[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _check_space(folder: Path, needed: float) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{folder.parent}: {needed / 1e9:,.1f} GB of temporary files are needed to stay under the memory limit, "
            f"{free / 1e9:,.1f} GB are free",
            hint="make room, raise --memory-limit, or choose another -o",
        )
