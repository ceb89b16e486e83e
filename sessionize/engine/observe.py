"""How a command looks at a log while it is sessionized: checks, summaries and the choice of a timeout are observers.

What an observer keeps must add up: it is shown the log in batches and in partitions, as many as memory asks for, and
what it says in the end must not depend on how many these were. For example, how many events follow each event type at
a session's end::

    class LastEvents(Observer):
        def __init__(self) -> None:
            self.counts: Counter[str] = Counter()

        def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:
            last = sessions.sessions["exit_event"].drop_nulls().cast(pl.String)
            self.counts.update(dict(last.value_counts().iter_rows()))

    last = LastEvents()
    result = sessionize_log(log, plan, limits, observe=[last])
"""

from __future__ import annotations

import polars as pl

from sessionize.engine.result import Stand
from sessionize.kernel import Sessionized
from sessionize.values import NamedTuple


class Whole(NamedTuple):
    """What is known once the whole log has been read: before the first partition is worked on.

    Attributes:
        events: Events that the log had, duplicates among them; without rejected and late rows and left-out bots.
        stand: How far the log has come; its ``watermark`` decides which sessions are active.
    """

    events: int
    stand: Stand


class Observer:
    """Looks at a log while it is sessionized, and changes nothing of it. Override what is needed, and no more.

    For what is overridden the engine does what it takes: events that are looked at with their sessions stay in memory
    until the sessions are made.

    Attributes:
        needs_whole_keys: Whether `keys` has to see all events of a key together, however many they are.
        only_looks: Whether `batch` gives events back as they came: it is called in a thread of its own then.
    """

    needs_whole_keys = True
    only_looks = False

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """Look at some events as they arrive, in input order.

        Args:
            events: Canonical events, each with FILE, ROW and REASON (null); the columns of CODED are codes where these
                fit.

        Returns:
            The same events, maybe with more columns, which `keys` and `partition` will see.
        """
        return events

    def keys(self, events: pl.DataFrame) -> None:
        """Look at all events of some keys, before they are cut into sessions. They are not to be kept.

        Args:
            events: Canonical events of whole keys, in input order; the columns of CODED are codes where these fit.
        """

    def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:
        """Look at all events of some keys, and at their sessions.

        Args:
            events: Canonical events of whole keys, in input order; the columns of CODED are codes where these fit.
            sessions: What the kernel made of them; `described` and `stamped` make the metrics of it.
            whole: What is known of the whole log.
        """


def overrides(observer: Observer, method: str) -> bool:
    """Whether an observer has its own way of looking."""
    return getattr(type(observer), method) is not getattr(Observer, method)
