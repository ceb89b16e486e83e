"""Which sessions can change no more: those a night may emit, once and for ever (semantics, section 8).

Key-local. Every event still to come has a time at or after the watermark, and every boundary rule looks back only to
its session's start. So a session is closed when no such event can reach it, and the closed sessions of a key are
always a prefix of its sessions: what is carried over is never older than what was emitted.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.describe import CLOSED
from sessionize.kernel.keys import key_codes
from sessionize.kernel.order import in_order
from sessionize.kernel.sessions import Sessionized
from sessionize.values import NamedTuple

NEVER = np.iinfo(np.int64).max


class SplitSessions(NamedTuple):
    """Sessions, apart by whether they could still change.

    Attributes:
        closed: The sessions that cannot, in their order, with their events assigned; all duplicates.
        carried: Rows of the input whose sessions could (UInt32), in order of session and place in it; then passive events
            that are in none yet.
        open_sessions: How many sessions could.
        oldest: Start of the oldest of them, microseconds since 1970 UTC; None where there is none.
    """

    closed: Sessionized
    carried: pl.Series
    open_sessions: int
    oldest: int | None


def split_closed(done: Sessionized, events: pl.DataFrame, plan: Plan, watermark: int | None) -> SplitSessions:
    """Tell the closed sessions from the open ones.

    Args:
        done: All sessions of whole keys, their events assigned.
        events: The events that were cut into them.
        plan: The rules; of them the timeout is asked.
        watermark: No event before it is still to come; microseconds since 1970 UTC. None: any may come.
    """
    if done.assigned is None:
        raise ValueError("which event is in which session must be known")
    closed = is_closed(done, events, plan, watermark)
    stays = pl.Series(closed)[done.assigned["session"]]
    number = np.cumsum(closed, dtype=np.uint32) - np.uint32(1)
    assigned = done.assigned.filter(stays)
    assigned = assigned.with_columns(session=pl.Series(number[assigned["session"].to_numpy()], dtype=pl.UInt32))
    still_open = done.sessions["start"].filter(pl.Series(~closed)).to_physical()
    oldest = still_open.min()
    waits = _may_be_joined(done.alone, events, watermark)
    return SplitSessions(
        Sessionized(done.sessions.filter(pl.Series(closed)), done.duplicates, assigned, done.alone.filter(~waits)),
        pl.concat([done.assigned["row"].filter(~stays), done.alone.filter(waits)]),
        len(still_open),
        oldest if isinstance(oldest, int) else None,
    )


def _may_be_joined(alone: pl.Series, events: pl.DataFrame, watermark: int | None) -> pl.Series:
    """Whether passive events in no session could be in one of events still to come (Boolean)."""
    if watermark is None:
        return pl.repeat(value=True, n=len(alone), eager=True)
    return events[schema.TIMESTAMP].gather(alone).to_physical() >= watermark


def is_closed(done: Sessionized, events: pl.DataFrame, plan: Plan, watermark: int | None) -> NDArray[np.bool_]:
    """Whether each session is closed: silent for too long, ended by an end event, or followed by another session.

    Each before the watermark: at the watermark itself an event may still come, and join the instant.

    Returns:
        One value a session, in the order of ``done.sessions``.
    """
    sessions = done.sessions
    if watermark is None:
        return np.zeros(sessions.height, np.bool_)
    ends = sessions["end"].to_physical().to_numpy()
    ended: NDArray[np.bool_] = sessions[CLOSED].to_numpy() & (ends < watermark)
    timeout = plan.rules.timeout_us
    if timeout is not None:
        ended |= ends < watermark - timeout
    return ended | (_next_start(done, events) < watermark)


def _next_start(done: Sessionized, events: pl.DataFrame) -> NDArray[np.int64]:
    """Start of the session that follows each in its key, microseconds (int64, one a session); NEVER where none does."""
    assert done.assigned is not None
    first = done.assigned.filter(pl.col("position") == 1)["row"]
    keys = key_codes(events)[first].to_numpy()
    starts = done.sessions["start"].to_physical().to_numpy()
    order = in_order(keys, starts)
    follows = keys[order][1:] == keys[order][:-1]
    found = np.full(len(order), NEVER)
    found[order[:-1]] = np.where(follows, starts[order][1:], NEVER)
    return found
