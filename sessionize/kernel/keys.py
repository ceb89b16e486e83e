"""The session key: what ties events to a visitor's visit (semantics, section 1).

Inside the kernel a key is an integer, given out by a dictionary of the keys' texts (Polars' Categorical): exact,
as a hash would not be. Its text is made once a session.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import polars as pl

from sessionize.schema import CHANNEL, EVENT_TYPE, IP, PAGE, PROFILE_ID, REFERRER, SESSION_ID, USER_AGENT, UTM

CODED: Final = (SESSION_ID, PAGE, EVENT_TYPE, REFERRER, USER_AGENT, IP, *UTM, CHANNEL)
"""Roles held as dictionaries: their values are compared, or repeat so often that codes take far less memory.

Not so a profile id, which is compared only where there is no session id: with many users, codes take longer to give out
than they save.
"""


def dictionary() -> pl.Categorical:
    """A fresh dictionary type: its codes count the different texts of one column of one frame."""
    return pl.Categorical(pl.Categories.random())


def coded(texts: pl.Series) -> pl.Series:
    """The column as a dictionary, if it is not one already."""
    return texts if isinstance(texts.dtype, pl.Categorical) else texts.cast(dictionary())


SLICE: Final = 1 << 18
"""Rows of a column that are given codes at a time."""


class Dictionaries:
    """Gives codes to the texts of CODED in a stream of frames; columns, and slices of them, side by side."""

    def __init__(self) -> None:
        self._types = {name: dictionary() for name in CODED}
        self._entries: dict[str, int] = {}
        self._threads = ThreadPoolExecutor(pl.thread_pool_size())

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads."""
        self._threads.shutdown()

    @property
    def entries(self) -> int:
        """Different texts seen, over all columns, about."""
        return sum(self._entries.values())

    def coded(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events with the columns of CODED as codes."""
        texts = [
            name for name in CODED if name in events.columns and not isinstance(events[name].dtype, pl.Categorical)
        ]
        starts = range(0, max(1, events.height), SLICE)
        waiting = [
            [self._threads.submit(events[name].slice(start, SLICE).cast, self._types[name]) for start in starts]
            for name in texts
        ]
        codes = [pl.concat([slice_.result() for slice_ in slices], rechunk=True) for slices in waiting]
        for column in codes:
            newest = column.to_physical().max()
            if isinstance(newest, int):
                self._entries[column.name] = max(newest + 1, self._entries.get(column.name, 0))
        return events.with_columns(codes)


def key_codes(events: pl.DataFrame) -> pl.Series:
    """One UInt32 a row: equal for two rows exactly if they have the same key.

    Args:
        events: Canonical events; each has a session id or a profile id.
    """
    if SESSION_ID not in events.columns:
        return coded(events[PROFILE_ID]).to_physical()
    sessions = coded(events[SESSION_ID]).to_physical()
    if not sessions.null_count() or PROFILE_ID not in events.columns:
        return sessions
    profiles = coded(events[PROFILE_ID]).to_physical()
    first_free = (sessions.max() or 0) + 1  # type: ignore[operator]  # a UInt32's max is an int or None
    return pl.select(pl.coalesce(sessions, profiles + first_free)).to_series()


def key_text(ids: pl.DataFrame) -> pl.Series:
    """The key as text: a session id as it is, a profile id behind ``p:``.

    A session id that looks like a marked one is itself marked ``s:``, so that no two keys share a text.

    Args:
        ids: ``source_id`` (the log's session id), ``profile_id`` or both.

    Examples:
        >>> key_text(pl.DataFrame({"source_id": ["42", None, "p:42"], "profile_id": [None, "42", None]})).to_list()
        ['42', 'p:42', 's:p:42']
    """
    profile = pl.concat_str(pl.lit("p:"), pl.col(PROFILE_ID))
    if "source_id" not in ids.columns:
        return ids.select(profile.alias("key")).to_series()
    session = pl.col("source_id")
    looks_marked = session.str.starts_with("p:") | session.str.starts_with("s:")
    if ids.select(looks_marked.any()).item():
        session = pl.when(looks_marked).then(pl.concat_str(pl.lit("s:"), session)).otherwise(session)
    if ids["source_id"].null_count():
        session = pl.coalesce(session, profile)
    return ids.select(session.alias("key")).to_series()
