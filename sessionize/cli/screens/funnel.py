"""The screen of `sessionize funnel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sessionize.cli.screens import head
from sessionize.cli.screens.text import DIM, GAP, LEAST, Cell, Line, Page, cells, cut, table, wrapped
from sessionize.cli.view import plain
from sessionize.readable import duration, hosts_cut, number, share

Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
    """
    found = _steps(data["steps"], where)
    how = ["in order", "no others between" if data["strict"] else "others between allowed"]
    how.append(
        "within one session" if data["within_s"] is None else f"within {duration(data['within_s'])} of the first"
    )
    said = [*how, f"{number(data['never_began'])} of {number(data['sessions'])} never began"]
    found += [(Cell(line, DIM),) for line in wrapped(said, " · ", where.width)]
    if data["converted"]:
        won = [f"{number(data['converted'])} converted in all:", f"{number(data['converted_this_way'])} this way,",
               f"{number(data['converted_otherwise'])} otherwise"]  # fmt: skip
        found += [(Cell(line),) for line in wrapped(won, " ", where.width)]
    if data["groups"]:
        found += [(), *_groups(data["groups"], where)]
    first = str(data["steps"][0]["step"])
    following = f"paths {head.typed_inputs(facts)} --from {head.quoted(first)}"
    steps = [str(step["step"]) for step in data["steps"]]
    waits = any(step["median_s_to_next"] is not None for step in data["steps"])
    between = ["to next = median time"] if waits else []
    notes = [head.timeout_text(facts), *between, *head.page_note([*steps, *facts.get("containing", ())])]
    return [*found, *head.footer(facts, notes, following, where)]


def _steps(steps: Sequence[Data], where: Page) -> list[Line]:
    """A step a row; what came in place of the next one beside them, or below where there is no room for it."""
    names = ("sessions", "of start", "of step", "to next")
    rows = [[Cell(""), Cell(""), *(Cell(name, DIM) for name in names)]]
    most = steps[0]["sessions"] or 1
    rows += [
        [Cell(plain(step["step"])), Cell(where.bar(step["sessions"] / most, 6)), Cell(number(step["sessions"])),
         Cell(share(step["of_start"])), Cell("" if step["of_step"] is None else share(step["of_step"])),
         Cell("" if step["median_s_to_next"] is None else duration(step["median_s_to_next"]))]
        for step in steps
    ]  # fmt: skip
    gone = _gone(steps)
    beside = [
        [*row, Cell(text, DIM)] for row, text in zip(rows, ("left here for" if any(gone) else "", *gone), strict=True)
    ]
    widths = [max(cells(row[place].text) for row in beside) for place in range(len(beside[0]))]
    if sum(widths) + len(GAP) * (len(widths) - 1) <= where.width:
        return table(beside, where, "<<>>>><", flexible=None)
    below = [
        [Cell(f"after {row[0].text}", DIM), Cell(text, DIM)] for row, text in zip(rows[1:], gone, strict=True) if text
    ]
    room = where.width - len(GAP) - max((cells(row[1].text) for row in below), default=0)
    fits = room >= LEAST
    return [
        *table(rows, where, "<<>>>>", spare=(1, 5)),
        *([(Cell("where those who came no further went", DIM),)] if below else []),
        *(table(below, where, "<<", spare=()) if fits else [(cell,) for row in below for cell in row]),
    ]


def _gone(steps: Sequence[Data]) -> list[str]:
    """What sessions did in place of the next step, the share first, of each step."""
    short = hosts_cut(left["name"] for step in steps for left in step["left_for"])
    return [
        ", ".join(f"{100 * left['share']:.0f} % {cut(short(left['name']), 24)}" for left in step["left_for"][:2])
        for step in steps
    ]


def _groups(groups: Sequence[Data], where: Page) -> list[Line]:
    steps = [step["step"] for step in groups[0]["steps"]]
    narrow = max(8, (where.width - 30) // len(steps))
    rows = [[Cell("", DIM), Cell("sessions", DIM), *(Cell(cut(str(step), narrow - 2), DIM) for step in steps)]]
    for group in groups[:20]:
        rates = [share(step["sessions"] / group["sessions"]) if group["sessions"] else "–" for step in group["steps"]]
        name = "(none)" if group["name"] is None else str(group["name"])
        style = DIM if group["sessions"] < 30 else ""
        rows.append(
            [Cell(plain(name), style), Cell(number(group["sessions"]), style), *(Cell(rate, style) for rate in rates)]
        )
    found = table(rows, where, "<>" + ">" * len(steps), spare=())
    rest = groups[20:]
    more = (
        [(Cell(f"and {number(len(rest))} more groups, {number(sum(g['sessions'] for g in rest))} sessions", DIM),)]
        if rest
        else []
    )
    return [*found, (Cell("shares are of all sessions of the group", DIM),), *more]
