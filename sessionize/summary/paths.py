"""The commonest sequences of events: the first of each session, or those after, before or around an event. Key-local."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sessionize.kernel.dictionaries import dictionary
from sessionize.summary.flows import flows
from sessionize.summary.funnel import NOWHERE, Flags, Positions, Spans
from sessionize.values import NamedTuple

ARROW: Final = " > "
ENDS: Final = "."
TIMES: Final = "\u00d7"
"""Before the number of events of one name side by side."""
STARTS: Final = "^"
MOST_WAITING: Final = 1 << 20
"""Different paths that wait before they are added up."""


class Ends(NamedTuple):
    """Where the paths lie.

    Attributes:
        begin: Whether an event is one they begin at (``--from``); None for a session's first.
        end: Whether an event is one they end at (``--to``); None for any.
        around: Whether an event is one they lie around (``--around``); None for none.
    """

    begin: Flags | None = None
    end: Flags | None = None
    around: Flags | None = None


class Paths:
    """Counts paths of so many events; the parts of a log add up.

    Args:
        steps: Events of a path.
        repeats: Whether events of one name side by side are shown one by one.
    """

    def __init__(self, steps: int, *, repeats: bool = False) -> None:
        self._steps = steps
        self._repeats = repeats
        self._names = dictionary()
        self._kept = pl.Series(dtype=self._names)  # Polars forgets a dictionary with the last column that has it
        self._different = 0
        self._columns = [f"step_{number}" for number in range(steps)]
        self._counted: list[pl.DataFrame] = []
        self._waiting = 0
        self.sessions = 0
        """Of the whole log, also those that have no such path."""

    def add(self, sessions: pl.DataFrame, labels: pl.Series, ends: Ends) -> None:
        """Count the paths of some sessions.

        Args:
            sessions: ``events`` and ``converted``, one row a session.
            labels: Names of their events, in order of session and position.
            ends: Where the paths lie.
        """
        codes = labels.cast(self._names)
        newest = codes.to_physical().max()
        self._different = max(self._different, newest + 1 if isinstance(newest, int) else 0)
        spans = Spans.of(sessions["events"].to_numpy())
        self.sessions += sessions.height
        which, first, before, after = _places(spans, ends, self._steps)
        at = first[:, np.newaxis] + np.arange(self._steps)
        numbers = codes.to_physical().cast(pl.Int64).to_numpy()
        outside = (at < before[:, np.newaxis]) | (at >= after[:, np.newaxis])
        steps = np.where(outside, NOWHERE, numbers[np.clip(at, 0, max(0, len(numbers) - 1))] if len(numbers) else at)
        ended = np.zeros(len(which), np.bool_) if ends.end is not None else at[:, -1] >= spans.end[which]
        self._add(steps, ended, sessions["converted"].gather(which))

    def _add(self, steps: Positions, ended: Flags, converted: pl.Series) -> None:
        begins = (steps[:, 0] == NOWHERE) if self._steps else np.zeros(len(steps), np.bool_)
        frame = pl.DataFrame(
            {
                **{name: steps[:, number].astype(np.int32) for number, name in enumerate(self._columns)},
                "ends": ended,
                "begins": begins,
                "converted": converted,
            }
        )
        self._counted.append(self._grouped(frame.with_columns(number=pl.lit(1, pl.Int64), won=pl.col("converted"))))
        self._waiting += self._counted[-1].height
        if self._waiting > MOST_WAITING:
            self._counted = [self._grouped(pl.concat(self._counted))]
            self._waiting = 0

    def _grouped(self, frame: pl.DataFrame) -> pl.DataFrame:
        return (
            frame.lazy()
            .group_by(*self._columns, "ends", "begins")
            .agg(pl.col("number").sum(), pl.col("won").cast(pl.Int64).sum())
            .collect()
        )

    def answer(self, most: int) -> dict[str, Any]:
        """What `sessionize paths` says, as data with fixed names.

        Args:
            most: Paths to show; the others are counted together.
        """
        counted = self._all()
        total = int(counted["number"].sum()) if counted.height else 0
        shown = self._commonest(counted, most) if counted.height else []
        rest = total - sum(row["sessions"] for row in shown)
        won = int(counted["won"].sum()) if counted.height else 0
        return {
            "paths": [{**row, "share": row["sessions"] / total} for row in shown],
            "other": rest,
            "other_paths": max(0, counted.height - len(shown)),
            "other_converted": won - sum(row["converted"] for row in shown),
            "total": total,
            "total_converted": won,
            "without": self.sessions - total,
            **_sankey(shown),
        }

    def flows(self, most: int) -> dict[str, Any]:
        """Sessions from step to step, for a Sankey diagram of them all.

        Args:
            most: Names of a step that are nodes of their own.
        """
        return flows(self._all(), self._columns, self._texts(), most)

    def _all(self) -> pl.DataFrame:
        found = pl.concat(self._counted) if self._counted else None
        return pl.DataFrame() if found is None else self._grouped(found)

    def _texts(self) -> list[str]:
        """Name of each code."""
        codes = pl.int_range(self._different, dtype=pl.UInt32, eager=True).cat.to(self._kept.dtype)
        return codes.cast(pl.String).to_list()

    def _commonest(self, counted: pl.DataFrame, most: int) -> list[dict[str, Any]]:
        texts = self._texts()
        bound = counted["number"].top_k(most).min() if most < counted.height else 0
        likely = counted.filter(pl.col("number") >= bound)  # those that tie with the last are told by their names
        rows = []
        for row in likely.iter_rows(named=True):
            steps = [texts[row[name]] for name in self._columns if row[name] != NOWHERE]
            if row["begins"]:
                steps.insert(0, STARTS)
            if row["ends"]:
                steps.append(ENDS)
            rows.append(
                {
                    "path": path_text(steps, repeats=self._repeats),
                    "steps": steps,
                    "sessions": row["number"],
                    "converted": row["won"],
                    "conversion_rate": row["won"] / row["number"],
                }
            )
        return sorted(rows, key=lambda row: (-row["sessions"], row["path"]))[:most]


def _places(spans: Spans, ends: Ends, steps: int) -> tuple[Positions, Positions, Positions, Positions]:
    """Which sessions have a path, the place of its first event, and the bounds that its events lie between."""
    if ends.around is not None:
        which, at = _first_in(spans.start, spans, ends.around)
        return which, at - (steps - 1) // 2, spans.start[which], spans.end[which]
    if ends.begin is None and ends.end is None:
        which = np.arange(len(spans.start))
        return which, spans.start, spans.start, spans.end
    which, first = np.arange(len(spans.start)), spans.start
    if ends.begin is not None:
        which, first = _first_in(spans.start, spans, ends.begin)
    if ends.end is None:
        return which, first, first, spans.end[which]
    # With both ends, the end comes after the beginning.
    start = first + 1 if ends.begin is not None else first
    among, last = _first_in(start, Spans(spans.start[which], spans.end[which]), ends.end)
    which, first = which[among], first[among]
    if ends.begin is not None:
        return which, np.maximum(first, last - steps + 1), first, last + 1
    return which, last - steps + 1, spans.start[which], last + 1


def _first_in(start: Positions, spans: Spans, flags: NDArray[np.bool_]) -> tuple[Positions, Positions]:
    """The sessions that have a marked event from a place on, and the place of the first."""
    there = np.append(np.flatnonzero(flags), len(flags))
    first = there[np.searchsorted(there[:-1], start, side="left")]
    which = np.flatnonzero(first < spans.end)
    return which, first[which]


def path_text(steps: list[str], *, repeats: bool) -> str:
    """A path as a line, events of one name side by side as one with their number.

    Examples:
        >>> path_text(["home", "catalog", "catalog", "."], repeats=True)
        'home > catalog > catalog .'
    """
    shown: list[tuple[str, int]] = []
    for step in steps:
        if shown and shown[-1][0] == step and not repeats:
            shown[-1] = (step, shown[-1][1] + 1)
        else:
            shown.append((step, 1))
    texts = [step if number == 1 else f"{step} {TIMES}{number}" for step, number in shown]
    end = f" {texts.pop()}" if len(texts) > 1 and texts[-1] == ENDS else ""
    return ARROW.join(texts) + end


def _sankey(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Nodes and links of the shown paths: a node is a name at a place."""
    nodes: dict[tuple[int, str], int] = {}
    links: dict[tuple[int, int], int] = {}
    for row in rows:
        numbers = [nodes.setdefault((place, name), len(nodes)) for place, name in enumerate(row["steps"])]
        for link in pairwise(numbers):
            links[link] = links.get(link, 0) + row["sessions"]
    return {
        "nodes": [{"name": name, "step": place + 1} for place, name in nodes],
        "links": [{"source": one, "target": other, "sessions": number} for (one, other), number in links.items()],
    }
