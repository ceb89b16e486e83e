"""The screen of `sessionize funnel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sessionize.cli.screens import head
from sessionize.cli.screens.text import DIM, Cell, Line, Page, cut, table, wrapped
from sessionize.readable import duration, hosts_cut, number, share

WIDE: Final = 76
"""Columns from which on there is room to say what sessions did in place of the next step."""
Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
    """
    found = table(
        _steps(data["steps"], where), where, "<<>>>><", flexible=6 if where.width >= WIDE else 0, spare=(1, 5)
    )
    how = ["in order", "no others between" if data["strict"] else "others between allowed"]
    how.append(
        "within one session" if data["within_s"] is None else f"within {duration(data['within_s'])} of the first"
    )
    said = [", ".join(how), f"{number(data['never_began'])} of {number(data['sessions'])} never began"]
    found += [(Cell(line, DIM),) for line in wrapped(said, " · ", where.width)]
    if data["converted"]:
        won = [f"{number(data['converted'])} converted in all:", f"{number(data['converted_this_way'])} this way,",
               f"{number(data['converted_otherwise'])} otherwise"]  # fmt: skip
        found += [(Cell(line),) for line in wrapped(won, " ", where.width)]
    if data["groups"]:
        found += [(), *_groups(data["groups"], where)]
    first = str(data["steps"][0]["step"])
    following = f"paths {head.typed_inputs(facts)} --from {head.quoted(first)}"
    return [*found, *head.footer(facts, [head.timeout_text(facts)], following, where)]


def _steps(steps: Sequence[Data], where: Page) -> list[list[Cell]]:
    names = ("sessions", "of start", "of step", "to next", "left here for" if where.width >= WIDE else "")
    rows = [[Cell(""), Cell(""), *(Cell(name, DIM) for name in names)]]
    most = steps[0]["sessions"] or 1
    short = hosts_cut(left["name"] for step in steps for left in step["left_for"])
    for step in steps:
        gone = ", ".join(f"{cut(short(left['name']), 18)} {100 * left['share']:.0f} %" for left in step["left_for"][:2])
        rows.append([
            Cell(cut(str(step["step"]), 24 if where.width >= WIDE else 40)), Cell(where.bar(step["sessions"] / most, 6)), Cell(number(step["sessions"])),
            Cell(share(step["of_start"])), Cell("" if step["of_step"] is None else share(step["of_step"])),
            Cell("" if step["median_s_to_next"] is None else duration(step["median_s_to_next"])),
            Cell(gone if where.width >= WIDE else "", DIM),
        ])  # fmt: skip
    return rows


def _groups(groups: Sequence[Data], where: Page) -> list[Line]:
    steps = [step["step"] for step in groups[0]["steps"]]
    narrow = max(8, (where.width - 30) // len(steps))
    rows = [[Cell("", DIM), Cell("sessions", DIM), *(Cell(cut(str(step), narrow - 2), DIM) for step in steps)]]
    for group in groups[:20]:
        rates = [share(step["sessions"] / group["sessions"]) if group["sessions"] else "–" for step in group["steps"]]
        name = "(none)" if group["name"] is None else str(group["name"])
        style = DIM if group["sessions"] < 30 else ""
        rows.append(
            [Cell(cut(name, 40), style), Cell(number(group["sessions"]), style), *(Cell(rate, style) for rate in rates)]
        )
    found = table(rows, where, "<>" + ">" * len(steps), spare=())
    rest = groups[20:]
    more = (
        [(Cell(f"and {number(len(rest))} more groups, {number(sum(g['sessions'] for g in rest))} sessions", DIM),)]
        if rest
        else []
    )
    return [*found, (Cell("shares are of all sessions of the group", DIM),), *more]
