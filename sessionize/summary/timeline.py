"""One session as a timeline: which is chosen, its events, and the sessions of its key before and after it."""

from __future__ import annotations

from typing import Any, Final, Protocol

import polars as pl

from sessionize import schema
from sessionize.instants import written
from sessionize.kernel.metrics import METRIC_NAMES
from sessionize.values import NamedTuple

HASH_SEED: Final = 11
KEY: Final = "key"
NOT_SHOWN: Final = ("session_id", "timestamp", "source_id", "profile_id")
"""Columns of events that say nothing of one event of one session."""
NAMED_BY: Final = ("session_id", "source_id", "profile_id")
"""What a session is asked for by, the surest first."""
OURS: Final = "sessionize."
"""Begins the columns that are no part of the log."""
MOST_OTHERS: Final = 5


class Chosen(NamedTuple):
    """The best session of some.

    Attributes:
        rank: How good: the larger is the better.
        row: Place of the session among those that were looked at.
    """

    rank: Any
    row: int


class Choice(Protocol):
    """Which session is asked for."""

    def best(self, sessions: pl.DataFrame) -> Chosen | None:
        """The one of these that is the best; None where none is asked for."""

    def matches(self, sessions: pl.DataFrame) -> pl.Series:
        """The ids of those that are asked for."""

    def tied(self, sessions: pl.DataFrame, best: Chosen) -> int:
        """How many of these are as good as the best."""


class Named:
    """A session by its id or the log's own id, or the beginning of one; the first where several begin so.

    Args:
        text: Id, or its beginning, as it was typed.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def best(self, sessions: pl.DataFrame) -> Chosen | None:
        """The session of exactly this id, else of exactly this id or profile in the log, else the first that begins so."""
        names = [pl.col(name).cast(pl.String) for name in NAMED_BY]
        ranks = [(name == self._text, 2 * len(names) - place) for place, name in enumerate(names)]
        ranks += [(name.str.starts_with(self._text), len(names) - place) for place, name in enumerate(names)]
        rank = pl.max_horizontal(pl.when(holds).then(number).otherwise(0) for holds, number in ranks)
        found = sessions.select(rank.alias("rank"))["rank"]
        highest = found.max()
        if not isinstance(highest, int) or highest == 0:
            return None
        at = found.arg_max()
        return None if at is None else Chosen(highest, at)

    def matches(self, sessions: pl.DataFrame) -> pl.Series:
        """The ids of the sessions that begin so."""
        names = [pl.col(name).cast(pl.String).str.starts_with(self._text) for name in NAMED_BY]
        return sessions.filter(pl.any_horizontal(names).fill_null(value=False))["session_id"].cast(pl.String)

    def tied(self, sessions: pl.DataFrame, best: Chosen) -> int:  # noqa: ARG002
        """One: no other is meant as much."""
        return 1


class Largest:
    """The session with the largest value of a metric; the first of several.

    Args:
        metric: Metric that is a number.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric

    def best(self, sessions: pl.DataFrame) -> Chosen | None:
        """The one of these with the largest value."""
        at = sessions[self._metric].arg_max()
        return None if at is None else Chosen(sessions[self._metric][at], at)

    def matches(self, sessions: pl.DataFrame) -> pl.Series:
        """None: which is the largest is known at the end."""
        return sessions["session_id"].head(0).cast(pl.String)

    def tied(self, sessions: pl.DataFrame, best: Chosen) -> int:
        """Those with as large a value."""
        return int((sessions[self._metric] == best.rank).sum())


class Drawn:
    """A session by lot: each is as likely as any other.

    Args:
        seed: Seed of the lot; the same seed draws the same session of the same log.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def best(self, sessions: pl.DataFrame) -> Chosen | None:
        """The one of these that is drawn."""
        lots = sessions["session_id"].cast(pl.String).hash(self._seed)
        at = lots.arg_max()
        return None if at is None else Chosen(lots[at], at)

    def matches(self, sessions: pl.DataFrame) -> pl.Series:
        """None."""
        return sessions["session_id"].head(0).cast(pl.String)

    def tied(self, sessions: pl.DataFrame, best: Chosen) -> int:  # noqa: ARG002
        """One: no other is meant as much."""
        return 1


class First:
    """The first session."""

    def best(self, sessions: pl.DataFrame) -> Chosen | None:
        """The first of these."""
        return Chosen(0, 0) if sessions.height else None

    def matches(self, sessions: pl.DataFrame) -> pl.Series:
        """All of them."""
        return sessions["session_id"].cast(pl.String)

    def tied(self, sessions: pl.DataFrame, best: Chosen) -> int:  # noqa: ARG002
        """One: no other is meant as much."""
        return 1


class Timeline:
    """Looks for a session; the parts of a log come in order of the sessions' starts.

    Args:
        choice: Says which session is meant.
    """

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._best: Chosen | None = None
        self._session: pl.DataFrame | None = None
        self._events: pl.DataFrame | None = None
        self._keys: list[pl.DataFrame] = []
        self._others: list[str] = []
        self._matching = 0
        self._tied = 0

    def add(self, sessions: pl.DataFrame, events: pl.DataFrame | None, meant: pl.Series | None) -> None:
        """Look at some sessions.

        Args:
            sessions: Metrics of some sessions.
            events: Their events in order; None where they were not kept.
            meant: Whether a session is among those asked for; None for all.
        """
        self._keys.append(sessions.select(_key().alias(KEY), "start", "end"))
        places = pl.Series(range(sessions.height), dtype=pl.UInt32) if meant is None else meant.arg_true()
        among = sessions[places]
        matching = self._choice.matches(among)
        self._matching += len(matching)
        self._others += matching.head(MOST_OTHERS + 1).to_list()
        self._others = self._others[: MOST_OTHERS + 1]
        found = self._choice.best(among)
        if found is None:
            return
        tied = self._choice.tied(among, found)
        if self._best is not None and found.rank <= self._best.rank:
            self._tied += tied if found.rank == self._best.rank else 0
            return
        self._best, self._tied = found, tied
        row = int(places[found.row])
        self._session = sessions[row : row + 1]
        if events is not None:
            start = int(sessions["events"].head(row).sum())
            self._events = events[start : start + int(sessions["events"][row])]

    @property
    def is_found(self) -> bool:
        """Whether there is one."""
        return self._session is not None

    @property
    def events(self) -> pl.DataFrame | None:
        """Its events; None where they are not known."""
        return self._events

    def answer(self) -> dict[str, Any]:
        """What `sessionize show` says, as data with fixed names; only where one was found."""
        if self._session is None:
            raise ValueError("no session was found")
        names = self._session.columns
        own = {name.removeprefix(schema.OWN_PREFIX) for name in names if name.startswith(schema.OWN_PREFIX)}
        session = self._session.select(
            name for name in names if name in METRIC_NAMES or name in own or name.startswith(schema.PROPERTY_PREFIX)
        ).row(0, named=True)
        around = self._neighbours(self._session)
        return {
            "session": {name: written(value) for name, value in session.items()},
            "events": [] if self._events is None else _events(self._events),
            **around,
            "others": [name for name in self._others if name != session["session_id"]][:MOST_OTHERS],
            "matching": self._matching,
            "tied": self._tied,
        }

    def _neighbours(self, session: pl.DataFrame) -> dict[str, Any]:
        key = session.select(_key()).item()
        same = pl.concat(each.filter(pl.col(KEY) == key) for each in self._keys).sort("start")
        at = int(same.select((pl.col("start") < session["start"].item()).sum()).item())
        previous, following = at - 1 if at > 0 else None, at + 1 if at + 1 < same.height else None
        start, end = session["start"].item(), session["end"].item()
        key = str(session["session_id"].item()).rpartition(".")[0]
        return {
            "previous": None if previous is None else _neighbour(key, same, previous, start - same["end"][previous]),
            "next": None if following is None else _neighbour(key, same, following, same["start"][following] - end),
            "number": at + 1,
            "of": same.height,
        }


def _key() -> pl.Expr:
    source, profile = (pl.col(name).cast(pl.String) for name in ("source_id", "profile_id"))
    return pl.when(source.is_not_null()).then(source.hash(HASH_SEED)).otherwise(profile.hash(HASH_SEED + 1))


def _neighbour(key: str, sessions: pl.DataFrame, row: int, gap: Any) -> dict[str, Any]:
    return {
        "session_id": f"{key}.{sessions['start'].to_physical()[row]}",
        "start": written(sessions["start"][row]),
        "end": written(sessions["end"][row]),
        "gap_s": gap.total_seconds(),
    }


def _events(events: pl.DataFrame) -> list[dict[str, Any]]:
    times = events["timestamp"].to_physical().to_list()
    shown = [name for name in events.columns if name not in NOT_SHOWN and not name.startswith(OURS)]
    rest = events.select(shown).rows(named=True)
    return [
        {
            "offset_s": (time - times[0]) / 1_000_000,
            "gap_s": (time - before) / 1_000_000,
            "time": written(moment),
            **{name: written(value) for name, value in row.items()},
        }
        for time, before, moment, row in zip(times, [times[0], *times], events["timestamp"], rest, strict=False)
    ]
