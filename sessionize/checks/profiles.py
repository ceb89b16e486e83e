"""Which profile has the most events: of few rows, though any session may be of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema

HASH_SEED: Final = 7
BUCKET_BITS: Final = np.uint64(20)
"""Events are first added up by so many bits of their profiles' hashes: as many sums as fit into the processor's caches."""
HASH_BITS: Final = np.uint64(64)


def events_by_profile(sessions: pl.DataFrame, *, all_there: bool) -> pl.DataFrame:
    """Events of profiles: ``hash``, ``events`` and ``id``.

    Args:
        sessions: Some sessions.
        all_there: Whether these are all sessions: then only profiles that may have the most events are told of.
    """
    rows = sessions.select(schema.PROFILE_ID, "events").drop_nulls()
    rows = rows.with_columns(pl.col(schema.PROFILE_ID).hash(HASH_SEED).alias("hash"))
    return _added_up(rows[_with_most(rows)] if all_there and rows.height else rows)


def most_events(parts: Sequence[pl.DataFrame]) -> tuple[int, str] | None:
    """Most events of one profile, and the profile."""
    if not parts:
        return None
    together = parts[0] if len(parts) == 1 else _added(parts)
    largest = together.filter(pl.col("events") == pl.col("events").max())
    return max(((number, name) for number, name in largest.select("events", "id").iter_rows()), default=None)


def _with_most(rows: pl.DataFrame) -> NDArray[np.int64]:
    """Places of the rows of all profiles that may have the most events: others in their bucket have no more together."""
    buckets = (rows["hash"].to_numpy() >> (HASH_BITS - BUCKET_BITS)).astype(np.int64)
    sums = np.bincount(buckets, weights=rows["events"].to_numpy())
    least = _added_up(rows[np.flatnonzero(buckets == sums.argmax())])["events"].to_numpy().max()
    return np.flatnonzero((sums >= least)[buckets])


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    of_each = pl.col("events").sum(), pl.col(schema.PROFILE_ID).first().cast(pl.String).alias("id")
    return rows.lazy().group_by("hash").agg(of_each).collect()


def _added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by("hash").agg(pl.col("events").sum(), pl.col("id").first())
