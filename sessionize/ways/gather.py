"""How the rows of a key come together: in memory, or, where they are too many for it, in files by the key's hash.

Out come frames of whole keys, one or many: what the kernel makes of them does not depend on how many.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.errors import OutputError
from sessionize.kernel import Dictionaries
from sessionize.ways.memory import Memory

PARTS: Final = (8, 512)
"""Fewest and most files that keys are split into."""
A_PART_OF: Final = 4
"""A part is a quarter of the events that memory may hold: hashes are not even, and some keys are large."""
SAMPLE_ROWS: Final = 10_000
DICTIONARY_ENTRY: Final = 100
"""Bytes of a text and its place in a dictionary, about."""
HASH_SEED: Final = 5


class Room(NamedTuple):
    """What a run may fill.

    Attributes:
        memory: What may be held at once.
        scratch: Makes a directory for temporary files; asked where memory does not suffice.
        share_read: Tells which share of the log has been read so far, so that the whole can be estimated.
    """

    memory: Memory
    scratch: Callable[[], Path]
    share_read: Callable[[], float] = lambda: 1.0


class Gathered:
    """Events as frames of whole keys, each in input order. To be iterated over once.

    Args:
        events: Canonical events, some at a time, in input order; at least one frame.
        told: Adds what the events' own rows tell; it is given codes where it can be, as few texts are then looked at.
        room: What memory and disk there is.
    """

    def __init__(
        self, events: Iterable[pl.DataFrame], told: Callable[[pl.DataFrame], pl.DataFrame], room: Room
    ) -> None:
        self._events = iter(events)
        self._told = told
        self._room = room
        self.on_disk = False
        """Whether the events did not fit in memory; known when the first frame is there."""

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """One frame, or as many as it takes."""
        held: list[pl.DataFrame] = []
        size = 0
        with Dictionaries() as dictionaries:
            for frame in self._events:
                held.append(dictionaries.coded(self._told(dictionaries.coded(frame))))
                size += int(held[-1].estimated_size())
                if size + dictionaries.entries * DICTIONARY_ENTRY > self._room.memory.for_events:
                    break
            else:
                yield pl.concat(held, how="diagonal", rechunk=False)
                return
        self.on_disk = True
        yield from self._parts(held)

    def _parts(self, held: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Every event into the file of its key's part; then the parts, one after the other."""
        folder = self._room.scratch()
        whole = self._expected(held)
        _check_space(folder, whole)
        count = int(min(max(PARTS[0], A_PART_OF * whole / self._room.memory.for_events), PARTS[1]))
        types = _as_text(held[0].clear()).schema
        for number, frame in enumerate(chain(_emptied(held), map(self._told, self._events))):
            for part, rows in enumerate(_by_key(_as_text(frame), count)):
                if rows.height:
                    # Oldest: a newer form would write all the texts that the rows were taken from.
                    rows.write_ipc(folder / f"events-{part}-{number}.arrow", compat_level=pl.CompatLevel.oldest())
        for part in range(count):
            paths = sorted(folder.glob(f"events-{part}-*.arrow"), key=_number)
            frames = [pl.DataFrame(schema=types), *(pl.read_ipc(path) for path in paths)]
            yield pl.concat(frames, how="diagonal")
            for path in paths:
                path.unlink()

    def _expected(self, held: list[pl.DataFrame]) -> float:
        """Bytes of the whole log's events as text, from those that were read."""
        sample = max(held, key=lambda frame: frame.height).head(SAMPLE_ROWS)
        rows = sum(frame.height for frame in held) / max(self._room.share_read(), 0.001)
        return rows * _as_text(sample).estimated_size() / max(1, sample.height)


def _emptied(frames: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The frames, each let go of before the next."""
    while frames:
        yield frames.pop(0)


def _number(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _as_text(events: pl.DataFrame) -> pl.DataFrame:
    """The events without dictionaries, as they are in a file."""
    coded = [name for name, dtype in events.schema.items() if isinstance(dtype, pl.Categorical)]
    return events.with_columns(pl.col(coded).cast(pl.String))


def _by_key(events: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """The events by the hash of their keys' text: a session id and a profile id that are equal may share a part."""
    ids = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    hashes = events.select(pl.coalesce(pl.col(ids)).hash(HASH_SEED)).to_series().to_numpy()
    part = (hashes % np.uint64(count)).astype(np.uint16)
    ends = np.cumsum(np.bincount(part, minlength=count))
    ordered = events[np.argsort(part, kind="stable")]
    return [ordered[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _check_space(folder: Path, needed: float) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{folder.parent}: {needed / 1e9:,.1f} GB of temporary files are needed to stay under the memory limit, "
            f"{free / 1e9:,.1f} GB are free",
            hint="make room, raise --memory-limit, or choose another -o",
        )
