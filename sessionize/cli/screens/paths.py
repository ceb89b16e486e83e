"""The screen of `sessionize paths`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sessionize.cli.screens import head
from sessionize.cli.screens.text import BOLD, DIM, Cell, Line, Page, cells, cut, cut_middle, table
from sessionize.cli.view import plain
from sessionize.readable import hosts_cut, number, share
from sessionize.summary.paths import path_text

if TYPE_CHECKING:
    from sessionize.answers import PathsAsk

Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page, ask: PathsAsk) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
        ask: What was asked.
    """
    whole, has_won = data["total"], bool(data["total_converted"])
    heads = ("sessions", "", "converted" if has_won else "")
    rows = [[Cell(_title(ask, whole), BOLD), Cell(""), *(Cell(name, DIM) for name in heads)]]
    short = hosts_cut(name for row in data["paths"] for name in row["steps"])
    most = max([row["sessions"] for row in data["paths"]] + [1])
    rows += [
        _row(_shown(row, where, short, repeats=ask.repeats), row["sessions"], row["converted"], whole, most)
        for row in data["paths"]
    ]
    if data["other_paths"]:
        rows.append(
            _row(f"other, {number(data['other_paths'])} paths", data["other"], data["other_converted"], whole, 0)
        )
    rows.append(_row("total", whole, data["total_converted"], whole, 0))
    rows = [[*row[:4], row[4] if has_won else Cell("")] for row in rows]
    rows = [[row[0], Cell(where.bar(float(row[1].text or 0), 6)), *row[2:]] for row in rows]
    found = table(rows, where, "<<>>>")
    notes = [". = the end"] + (["^ = the start"] if any("^" in row["steps"] for row in data["paths"]) else [])
    notes += ["* = numbers and ids; --no-fold shows them"] if data["folded"] else []
    if data["without"]:
        notes.append(f"{number(data['without'])} sessions have no such event")
    steps = _steps(data)
    following = None if steps is None else f"funnel {head.typed_inputs(facts)} {steps}"
    return [*found, *head.footer(facts, notes, following, where)]


def _title(ask: PathsAsk, whole: int) -> str:
    sessions = f"{number(whole)} sessions"
    if ask.around is not None:
        return f"before and after {cut(ask.around, 30)}, {sessions}"
    ends = [f"from {cut(ask.begin, 24)}"] if ask.begin is not None else []
    ends += [f"to {cut(ask.end, 24)}"] if ask.end is not None else []
    if ends:
        return f"{number(ask.steps)} events {' '.join(ends)}, {sessions}"
    return f"first {number(ask.steps)} events of {sessions}"


def _row(name: str, sessions: int, converted: int, whole: int, most: int) -> list[Cell]:
    """A row whose second cell is the length of its bar."""
    rate = share(converted / sessions) if sessions else ""
    part = share(sessions / whole) if whole else ""
    return [Cell(name), Cell(str(sessions / most) if most else ""), Cell(number(sessions)), Cell(part), Cell(rate)]


def _shown(row: Data, where: Page, short: Callable[[str], str], *, repeats: bool) -> str:
    steps = [plain(short(step)) for step in row["steps"]]
    room = where.width - 38
    if cells(path_text(steps, repeats=repeats)) > room:
        each = max(6, (room - 3 * (len(steps) - 1)) // len(steps))
        steps = [cut_middle(step, each) for step in steps]
    return path_text(steps, repeats=repeats)


def _steps(data: Data) -> str | None:
    """The steps of the commonest path that has several; None where none has."""
    for row in data["paths"]:
        names = list(dict.fromkeys(name for name in row["steps"] if name not in (".", "^") and "*" not in name))
        if len(names) > 1:
            return " ".join(f"--step {head.quoted(name)}" for name in names[:3])
    return None
