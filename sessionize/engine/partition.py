"""How the rows of a key come together: in memory, or, where they are too many for it, in files by the key's hash.

Out come frames of whole keys, one or many: what the kernel makes of them does not depend on how many.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.engine.limits import Memory
from sessionize.errors import OutputError
from sessionize.kernel.dictionaries import FEW, Dictionaries, alike

PARTITIONS: Final = (8, 512)
"""Fewest and most files that keys are split into."""
A_PARTITION_OF: Final = 4
"""A part is a quarter of the events that memory may hold: hashes are not even, and some keys are large."""
SAMPLE_ROWS: Final = 10_000
DICTIONARY_ENTRY: Final = 100
"""Bytes of a text and its place in a dictionary, about."""
DICTIONARIES: Final = 40
"""Each may take a fortieth of what is for events when these are in files; of a larger one, the texts are stored."""
HASH_SEED: Final = 5


class Limits(NamedTuple):
    """What a run may fill.

    Attributes:
        memory: What may be held at once.
        scratch: Makes a directory for temporary files; asked where memory does not suffice.
        share_read: Tells which share of the log has been read so far, so that the whole can be estimated.
    """

    memory: Memory
    scratch: Callable[[], Path]
    share_read: Callable[[], float] = lambda: 1.0


class Partition:
    """Events of whole keys, in input order.

    Whoever takes them has them alone, and can let go of each column that it has done with.
    """

    def __init__(self, events: pl.DataFrame) -> None:
        self._events: pl.DataFrame | None = events

    def release(self) -> pl.DataFrame:
        """The events; only once."""
        events, self._events = self._events, None
        if events is None:
            raise ValueError("these events were taken before")
        return events


class Partitions:
    """Events as parts of whole keys. To be iterated over once.

    Args:
        events: Canonical events, some at a time, in input order; at least one frame.
        told: Adds what the events' own rows tell; it is given codes where it can be, as few texts are then looked at.
        limits: What memory and disk there is.
        dictionaries: That the events have codes of already, if any.
    """

    def __init__(
        self,
        events: Iterable[pl.DataFrame],
        told: Callable[[pl.DataFrame], pl.DataFrame],
        limits: Limits,
        dictionaries: Dictionaries | None = None,
    ) -> None:
        self._events = iter(events)
        self._told = told
        self._room = limits
        self.dictionaries = dictionaries or Dictionaries()
        self.on_disk = False
        """Whether the events did not fit in memory; known when the first frame is there."""

    def __iter__(self) -> Iterator[Partition]:
        """One part, or as many as it takes."""
        held: list[pl.DataFrame] = []
        size = 0
        with self.dictionaries:
            for events in map(self._coded, self._events):
                held.append(events)
                size += int(held[-1].estimated_size())
                if size + self.dictionaries.entries * DICTIONARY_ENTRY > self._room.memory.for_events:
                    break
            else:
                whole = Partition(pl.concat(held, how="diagonal", rechunk=False))
                held.clear()
                del events
                yield whole
                return
            del events
            self.on_disk = True
            self.dictionaries.only_small(_most_entries(self._room.memory))
            yield from self._parts(held)

    def _coded(self, events: pl.DataFrame) -> pl.DataFrame:
        return self.dictionaries.coded(self._told(self.dictionaries.coded(events)))

    def _parts(self, held: list[pl.DataFrame]) -> Iterator[Partition]:
        """Every event into the file of its key's part; then the parts, one after the other."""
        folder = self._room.scratch()
        whole = self._expected(held)
        _check_space(folder, whole)
        count = int(min(max(PARTITIONS[0], A_PARTITION_OF * whole / self._room.memory.for_events), PARTITIONS[1]))
        none = held[0].clear()
        with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
            for number, frame in enumerate(chain(_emptied(held), map(self._coded, self._events))):
                parts = _by_key(frame, self.dictionaries.stored(frame), count)
                paths = [folder / f"events-{part}-{number}.arrow" for part in range(count)]
                list(threads.map(_write, parts, paths))
            for part in range(count):
                files = sorted(folder.glob(f"events-{part}-*.arrow"), key=_number)
                frames = threads.map(lambda path: self.dictionaries.restored(pl.read_ipc(path)), files)
                yield Partition(pl.concat(alike([none, *frames]), how="diagonal"))
                for path in files:
                    path.unlink()

    def _expected(self, held: list[pl.DataFrame]) -> float:
        """Bytes of the whole log's events in files, from those that were read."""
        sample = max(held, key=lambda frame: frame.height).head(SAMPLE_ROWS)
        rows = sum(frame.height for frame in held) / max(self._room.share_read(), 0.001)
        return rows * self.dictionaries.stored(sample).estimated_size() / max(1, sample.height)


def _most_entries(memory: Memory) -> int:
    """Of a dictionary that is kept beside the files."""
    return max(FEW, memory.for_events // (DICTIONARIES * DICTIONARY_ENTRY))


def _write(rows: pl.DataFrame, path: Path) -> None:
    if rows.height:
        # Oldest: a newer form would write all the texts that the rows were taken from.
        rows.write_ipc(path, compat_level=pl.CompatLevel.oldest())


def _emptied(frames: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames, each let go of before the next."""
    while frames:
        yield frames.pop(0)


def _number(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _by_key(events: pl.DataFrame, stored: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """What is stored of the events, by the hash of their keys' text.

    A session id and a profile id that are equal may share a part.
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
            hint="make limits, raise --memory-limit, or choose another -o",
        )
