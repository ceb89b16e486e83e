"""How the rows of a key come together: in memory, or, where they are too many for it, in files by the key's hash.

Out come frames of whole keys, one or many: what the kernel makes of them does not depend on how many.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.engine.ingest import Arrived
from sessionize.engine.spilled import apart, delete, file_number, read, together, write
from sessionize.errors import OutputError
from sessionize.kernel.dictionaries import Dictionaries, alike
from sessionize.limits import Limits
from sessionize.scratch import is_home

SAMPLE_ROWS: Final = 10_000
HASH_SEED: Final = 5
GATHERED_SHARE: Final = 1 / 4
"""Share of the events' memory that those take that are written at once, at most."""
PART_BYTES: Final = 1 << 20
"""Bytes of a file, about: of smaller ones there would be thousands."""
TIMES: Final = 100_000
"""Times of a partition that are looked at to cut it."""


Look = Callable[[pl.DataFrame], None]
Slices = Callable[[], Iterator[pl.DataFrame]]


class Partition:
    """Events of whole keys, in input order.

    Whoever takes them has them alone, and can let go of each column that it has done with.

    Args:
        events: The events, or what loads them.
        folder: Folder where what is made of them may be put; None where memory suffices.
        slices: Where they are too many for memory: gives them by time, each slice in input order.
    """

    def __init__(
        self,
        events: pl.DataFrame | Callable[[], pl.DataFrame],
        folder: Path | None = None,
        slices: Slices | None = None,
    ) -> None:
        self._events: pl.DataFrame | Callable[[], pl.DataFrame] | None = events
        self._slices = slices
        self._looks: list[Look] = []
        self.folder = folder

    @property
    def is_large(self) -> bool:
        """Whether the events should be taken slice by slice."""
        return self._slices is not None

    def show(self, look: Look, *, whole: bool = True) -> None:
        """Let someone look at the events, who must not keep them.

        Args:
            look: Is given the events.
            whole: Whether they must be all of their keys; those of a large partition are else shown when they are taken.
        """
        if self.is_large and not whole:
            self._looks.append(look)
            return
        self._slices = None
        self._events = self._loaded()
        look(self._events)

    def release(self) -> pl.DataFrame:
        """The events; only once."""
        events, self._events = self._loaded(), None
        return self._shown(events)

    def slices(self) -> Iterator[pl.DataFrame]:
        """The events of a large partition, slice by slice; only once."""
        slices, self._events, self._slices = self._slices, None, None
        return iter(()) if slices is None else map(self._shown, slices())

    def _shown(self, events: pl.DataFrame) -> pl.DataFrame:
        for look in self._looks:
            look(events)
        return events

    def _loaded(self) -> pl.DataFrame:
        if self._events is None:
            raise ValueError("these events were taken before")
        return self._events if isinstance(self._events, pl.DataFrame) else self._events()


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
    size = rows = 0
    stream = iter(arrived)
    for events, share in stream:
        held.append(dictionaries.coded(events))
        del events
        size += int(held[-1].estimated_size())
        rows += held[-1].height
        if limits.cost(rows, size + dictionaries.bytes) > limits.event_bytes:
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
    dictionaries.only_small(limits.dictionary_bytes)
    rows, whole = _expected(held, share, dictionaries)
    _check_space(folder, whole)
    fewest, most = limits.partitions
    budget = max(1, limits.event_bytes * limits.partition_share)
    count = int(min(max(fewest, limits.cost(rows, whole) / budget), most))
    none = held[0].clear()
    heights = np.zeros(count, np.int64)
    coming = map(partial(_coded, dictionaries), more)  # no loop, whose variable would hold the events
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        at_once = min(count * PART_BYTES, limits.event_bytes * GATHERED_SHARE)
        for number, frame in enumerate(together(chain(_emptied(held), coming), at_once)):
            parts = _by_key(frame, dictionaries.stored(frame), count)
            heights += [part.height for part in parts]
            paths = [folder / f"events-{part}-{number}.arrow" for part in range(count)]
            list(threads.map(write, parts, paths))
    stored = Stored(folder, none, dictionaries, limits)
    return Partitions((stored.partition(f"events-{at}", int(heights[at])) for at in range(count)), dictionaries, folder)


class Stored:
    """Events in files.

    Args:
        folder: Folder of the files: of each partition as many as frames were cut, numbered in input order.
        none: No event, in the columns that events have.
        dictionaries: The dictionaries of the codes in the files.
        limits: How large a partition may be.
    """

    def __init__(self, folder: Path, none: pl.DataFrame, dictionaries: Dictionaries, limits: Limits) -> None:
        self._folder = folder
        self._none = none
        self._dictionaries = dictionaries
        self._limits = limits

    def partition(self, name: str, rows: int) -> Partition:
        """The partition of so many events in the files of a name."""
        size = sum(path.stat().st_size for path in self._files(name))
        times_too_large = self._limits.cost(rows, size) / max(1, self._limits.event_bytes)
        slices = math.ceil(min(times_too_large / self._limits.partition_share, rows / self._limits.slice_rows))
        if times_too_large <= 1 or slices <= 1:
            return Partition(self._taken(name), self._folder)
        return Partition(partial(self._taken, name), self._folder, partial(self._by_time, name, slices))

    def _files(self, name: str) -> list[Path]:
        return sorted(self._folder.glob(f"{name}-*.arrow"), key=file_number)

    def _taken(self, name: str) -> pl.DataFrame:
        """All events of a name; their files, which are no longer needed, go."""
        files = self._files(name)
        with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
            frames = threads.map(lambda path: self._dictionaries.restored(read(path)), files)
            events = pl.concat(alike([self._none, *frames]), how="diagonal")
        delete(files)
        return events

    def _by_time(self, name: str, slices: int) -> Iterator[pl.DataFrame]:
        """The events of a name by their times: about so many slices, each of them loaded when its turn comes."""
        files = self._files(name)
        cuts = _cuts(files, slices)
        slice_name = name.replace("events", "slice")
        for number, path in enumerate(files):
            frame = read(path)
            place = np.searchsorted(cuts, frame[schema.TIMESTAMP].to_physical().to_numpy(), side="right")
            for at, part in enumerate(apart(frame, place.astype(np.uint16), len(cuts) + 1)):
                write(part, self._folder / f"{slice_name}_{at}-{number}.arrow")
            del frame
            delete([path])
        return (self._taken(f"{slice_name}_{at}") for at in range(len(cuts) + 1))


def _cuts(files: list[Path], slices: int) -> NDArray[np.int64]:
    """Times that cut the events of some files into slices of about the same size, ascending: each begins a slice."""
    times = [read(path)[schema.TIMESTAMP].to_physical() for path in files]
    step = max(1, sum(map(len, times)) // TIMES)
    sample = np.sort(np.concatenate([part.gather_every(step).to_numpy() for part in times]))
    cuts: NDArray[np.int64] = np.unique(sample[np.arange(1, slices) * len(sample) // slices])
    return cuts[cuts > sample[0]] if len(sample) else cuts


def _expected(held: list[pl.DataFrame], share: float, dictionaries: Dictionaries) -> tuple[float, float]:
    """Rows and bytes of the whole log's events in files, from those that have come."""
    sample = max(held, key=lambda frame: frame.height).head(SAMPLE_ROWS)
    rows = sum(frame.height for frame in held) / max(share, 0.001)
    return rows, rows * dictionaries.stored(sample).estimated_size() / max(1, sample.height)


def _coded(dictionaries: Dictionaries, arrived: Arrived) -> pl.DataFrame:
    return dictionaries.coded(arrived.events)


def _emptied(frames: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames, each let go of before the next."""
    while frames:
        yield frames.pop(0)


def _by_key(events: pl.DataFrame, stored: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """What is stored of the events, apart by the hash of their keys' text.

    A session id and a profile id that are equal may be in one part.

    Args:
        events: Canonical events, for their keys.
        stored: The events as they are written to files.
        count: How many parts there are.

    Returns:
        ``count`` frames of the stored rows, each in input order.
    """
    ids = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    key = pl.coalesce(pl.col(ids).cast(pl.String))
    part = (events.select(key.hash(HASH_SEED)).to_series().to_numpy() % np.uint64(count)).astype(np.uint16)
    return apart(stored, part, count)


def _check_space(folder: Path, needed: float) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        elsewhere = "set TMPDIR to another disk" if is_home(folder) else "choose another -o"
        raise OutputError(
            f"{folder.parent}: {needed / 1e9:,.1f} GB of temporary files are needed to stay under the memory limit, "
            f"{free / 1e9:,.1f} GB are free",
            hint=f"make room, raise --memory-limit, or {elsewhere}",
        )
