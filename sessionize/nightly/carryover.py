"""What one night leaves for the next: canonical events, in an order that does not depend on how they were worked on.

Carried events come before the next night's rows. In their file they lie by (time, key), those of one key and time as
they came: so ties keep their order, and the file is the same whether the night fitted in memory or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.engine import spilled
from sessionize.errors import UsageError
from sessionize.kernel import as_text
from sessionize.kernel.describe import BATCH_ROWS
from sessionize.values import NamedTuple

FILE_ROWS: Final = 1 << 14
"""Rows of a batch in a temporary file, at most."""
BATCH_BYTES: Final = 16 << 20
"""Bytes of events that are read together from temporary files, about, be they long or short."""
Types = Mapping[str, pl.DataType]


class _Part(NamedTuple):
    """Some whole keys' events: held, or in a file; and their times, ascending."""

    held: pl.DataFrame | Path
    times: NDArray[np.int64]

    def between(self, low: int, high: int) -> pl.DataFrame:
        start, end = np.searchsorted(self.times, (low, high), side="left")
        if isinstance(self.held, Path):
            return spilled.slice_of(self.held, int(start), int(end))
        return self.held.slice(int(start), int(end - start))


class CarriedOut:
    """Gathers the events that a night carries over, some whole keys at a time."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    @property
    def rows(self) -> int:
        """How many events are carried over so far."""
        return sum(len(part.times) for part in self._parts)

    def add(self, events: pl.DataFrame, folder: Path | None) -> None:
        """Keep some whole keys' events.

        Args:
            events: Canonical events; those of one key and time in input order.
            folder: Folder to keep the events in; None for memory.
        """
        events = _in_order(as_text(events))
        times = events[schema.TIMESTAMP].to_physical().to_numpy()
        if folder is None:
            self._parts.append(_Part(events, times))
            return
        path = folder / f"carried-{len(self._parts)}.arrow"
        spilled.write_for_slices(events, path, FILE_ROWS)
        self._parts.append(_Part(path, times))

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """All carried events by (time, key), in batches; at least one, though it may be empty."""
        times = np.sort(np.concatenate([part.times for part in self._parts]))
        stored = sum(part.held.stat().st_size for part in self._parts if isinstance(part.held, Path))
        rows = min(BATCH_ROWS, max(1_000, int(BATCH_BYTES / max(1.0, stored / max(1, len(times))))))
        cuts = [int(cut) for cut in np.unique(times[rows::rows])]
        least, most = -(2**63), 2**63 - 1
        for low, high in zip([least, *cuts], [*cuts, most], strict=True):
            yield _in_order(pl.concat([part.between(low, high) for part in self._parts]))


def _in_order(events: pl.DataFrame) -> pl.DataFrame:
    """By time, then key: by nothing that could put two events of one key and time in another order."""
    ids = [pl.col(name) for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    return events.sort(pl.col(schema.TIMESTAMP), ids[0].is_null(), pl.coalesce(ids), maintain_order=True)


def together(carried: Types, arrived: Types) -> dict[str, pl.DataType]:
    """Columns that both the carried and the arrived events have, once `aligned`.

    Raises:
        UsageError: If a column is of a type that cannot be brought together with what it was.
    """
    try:
        frames = [pl.DataFrame(schema=dict(types)) for types in (arrived, carried)]
        return dict(pl.concat(frames, how="diagonal_relaxed").schema)
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"a column is of another type than in the nights before: {str(error).splitlines()[0]}",
            hint="write it as it was, or go on with a new --state and --redo",
        ) from None


def aligned(events: pl.DataFrame, types: Types) -> pl.DataFrame:
    """The events with exactly these columns: what they have not is null, as in a log of all the files.

    A text that has a code keeps it.
    """
    there = {name: pl.String() if isinstance(dtype, pl.Categorical) else dtype for name, dtype in events.schema.items()}
    if list(there.items()) == list(types.items()):
        return events
    return events.select(
        pl.lit(None, dtype=dtype).alias(name) if name not in there else pl.col(name) if there[name] == dtype
        else pl.col(name).cast(dtype)
        for name, dtype in types.items()
    )  # fmt: skip
