"""Sessions of more events than memory holds, from events that come in order: a part of them at a time.

What has come of a key up to some time is cut as if it were all, its closed sessions go out (`closed`), and the events of
its open ones wait for the next part. They are few: no session that could still grow is older than the longest. Nothing
is known here of the single rules: any rule that `split_closed` is right about for nights is right here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.closed import split_closed
from sessionize.kernel.dictionaries import alike, dictionary
from sessionize.kernel.sessions import Sessionized, sessionize
from sessionize.values import NamedTuple


class Streamed(NamedTuple):
    """Some sessions that can change no more.

    Attributes:
        sessions: As `sessionize` gives them.
        events: The events that its rows count in. Those that wait are among them: they come again.
    """

    sessions: Sessionized
    events: pl.DataFrame


def streamed(batches: Iterable[pl.DataFrame], plan: Plan, most: int, *, assign: bool = False) -> Iterator[Streamed]:
    """The sessions of events that come in order of key, time and input, as a cluster's shuffle brings them.

    However the events are cut into batches, the same sessions come out, some at a time, as do the same duplicates.

    Args:
        batches: Canonical events in that order; a key, and an instant of one, may go on in the next batch.
        plan: The rules.
        most: Events up to which a key is held whole; of a longer one its open session is held, and as much again.
        assign: Whether to say which session each event is in.
    """
    waiting: pl.DataFrame | None = None
    enough = most
    for batch in batches:
        events = batch if waiting is None else _together(waiting, batch)
        first = _last_key(events)
        if first:
            yield Streamed(sessionize(events[:first], plan, assign=assign), events[:first])
            events, enough = events[first:], most
        if events.height > enough:
            done = sessionize(events, plan, assign=True)
            part, events = _apart(done, events, plan, _not_last_before(done, events))
            del done
            yield part
            enough = max(most, 2 * events.height)  # else a long session would be cut anew with every batch
        waiting = events
    if waiting is not None:
        yield Streamed(sessionize(waiting, plan, assign=assign), waiting)


def streamed_by_time(
    slices: Iterable[pl.DataFrame], plan: Plan, watermark: int | None, *, assign: bool = False
) -> Iterator[Streamed]:
    """The sessions of whole keys whose events come by time: none of a slice is as old as the newest of the one before.

    Args:
        slices: Canonical events of any keys, each slice in input order; at least one.
        plan: The rules.
        watermark: Watermark of the whole log, microseconds since 1970 UTC: what comes after it may be active, and stays.
        assign: Whether to say which session each event is in.
    """
    ids = dictionary()
    kept = pl.Series(dtype=ids)  # Polars forgets a dictionary with the last column that has it
    coming = iter(slices)
    (events,) = _with_coded_ids([next(coming)], ids)
    enough = 0
    for following in coming:
        if events.height >= enough:
            newest = _newest(events)
            up_to = newest if newest is None or watermark is None else min(newest, watermark)
            part, events = _apart(sessionize(events, plan, assign=True), events, plan, up_to)
            yield part
            del part
            enough = 2 * events.height  # else a long session would be cut anew with every slice
        events = _together(*_with_coded_ids([events, following], ids))
        del following
    yield Streamed(sessionize(events, plan, assign=assign), events)
    del kept


def _with_coded_ids(frames: list[pl.DataFrame], ids: pl.Categorical) -> list[pl.DataFrame]:
    """Frames with a few bytes in the place of a session id's text, of one dictionary: a long session has many of the same."""
    types = [frame.schema.get(schema.SESSION_ID) for frame in frames]
    if None in types or (pl.String not in types and all(each == types[0] for each in types)):
        return frames
    as_ids = pl.col(schema.SESSION_ID).cast(pl.String).cast(ids)
    return [frame if dtype == ids else frame.with_columns(as_ids) for frame, dtype in zip(frames, types, strict=True)]


def _apart(done: Sessionized, events: pl.DataFrame, plan: Plan, up_to: int | None) -> tuple[Streamed, pl.DataFrame]:
    """The closed ones of the sessions of some events, and the events of the open ones, those of each key in their order."""
    found = split_closed(done, events, plan, up_to)
    return Streamed(found.closed, events), events[found.carried]


def _not_last_before(done: Sessionized, events: pl.DataFrame) -> int | None:
    """A time before which no session of a key is its last, microseconds since 1970 UTC; None without events.

    Whether a session that silence closes is its key's last decides whether it is active; and that another one follows is
    not said by passive events, nor by those of the newest instant, of which more may come and take their place.
    """
    newest = _newest(events)
    starts, ends = (done.sessions[name].to_physical() for name in ("start", "end"))
    latest = None if newest is None else ends.filter(starts < newest).max()
    return min(newest, latest) if newest is not None and isinstance(latest, int) else newest


def _newest(events: pl.DataFrame) -> int | None:
    newest = events[schema.TIMESTAMP].to_physical().max()
    return newest if isinstance(newest, int) else None


def _last_key(events: pl.DataFrame) -> int:
    """Where the rows of the last key begin; 0 where there is no row."""
    if events.is_empty():
        return 0
    ids = [name for name in (schema.SESSION_ID, schema.PROFILE_ID) if name in events.columns]
    session, profile = (pl.col(name) for name in (ids[0], ids[-1]))
    same = session.eq_missing(session.last()) & (session.is_not_null() | profile.eq_missing(profile.last()))
    # The rows of the key lie side by side at the end: the last one of another key is before them.
    others = events.select((~same).arg_true().max()).item()
    return 0 if others is None else int(others) + 1


def _together(waiting: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(alike([waiting, more]), how="diagonal")
