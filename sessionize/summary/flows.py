"""Where sessions go from step to step: nodes and links of a Sankey diagram in which every session is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sessionize.summary.funnel import NOWHERE


def flows(counted: pl.DataFrame, columns: Sequence[str], names: Sequence[str], most: int) -> dict[str, Any]:
    """Sessions at the commonest names of each step, and between these; the other names of a step are one node.

    Args:
        counted: The code of each step's name in its column, NOWHERE after the end; ``number`` of sessions.
        columns: Names of the steps' columns in order.
        names: Name of each code.
        most: Names of a step that are nodes of their own.

    Returns:
        ``nodes`` (``step`` from 1, ``name``, ``names`` it stands for, ``sessions``; a name of None: the others) and
        ``links`` between them by number from 0. What goes no further ended there, but for the last step.
    """
    nodes: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    before: dict[int, int] = {}
    if counted.is_empty():
        return {"nodes": nodes, "links": links}
    for place, column in enumerate(columns):
        sums = _sums(counted, [column])
        kept = [code for code, _ in sums.head(most).iter_rows()]
        # A single other name is shown as itself.
        kept = [code for code, _ in sums.iter_rows()] if sums.height == most + 1 else kept
        here = _nodes(nodes, sums, kept, names, place + 1)
        if place:
            links += _links(counted, (columns[place - 1], column), before, here)
        before = here
    return {"nodes": nodes, "links": links}


def _sums(counted: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    there = counted.filter(*(pl.col(name) != NOWHERE for name in columns))
    summed = there.group_by(columns).agg(pl.col("number").sum())
    return summed.sort("number", *columns, descending=[True, *[False] * len(columns)])


def _nodes(
    nodes: list[dict[str, Any]], sums: pl.DataFrame, kept: list[int], names: Sequence[str], step: int
) -> dict[int, int]:
    """Add the nodes of a step; the number of the node of each code."""
    numbers = {code: len(nodes) + place for place, code in enumerate(kept)}
    rest = len(nodes) + len(kept)
    sessions = dict(sums.iter_rows())
    nodes += [{"step": step, "name": names[code], "names": 1, "sessions": sessions.pop(code)} for code in kept]
    if sessions:
        nodes.append({"step": step, "name": None, "names": len(sessions), "sessions": sum(sessions.values())})
    return {**dict.fromkeys(sessions, rest), **numbers}


def _links(
    counted: pl.DataFrame, columns: tuple[str, str], before: dict[int, int], here: dict[int, int]
) -> list[dict[str, Any]]:
    found: dict[tuple[int, int], int] = {}
    for one, other, number in _sums(counted, list(columns)).iter_rows():
        link = (before[one], here[other])
        found[link] = found.get(link, 0) + number
    return [{"source": one, "target": other, "sessions": number} for (one, other), number in sorted(found.items())]
