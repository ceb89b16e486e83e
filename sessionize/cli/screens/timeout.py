"""The screen of `sessionize timeout`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sessionize.cli.screens import head
from sessionize.cli.screens.text import BOLD, DIM, Cell, Line, Page, left, table, wrapped
from sessionize.readable import change, duration, number, share

MARKS: Final = ((1.0, "1 s"), (60.0, "1 min"), (3600.0, "1 h"), (86_400.0, "1 d"), (2_592_000.0, "30 d"))
LONGEST: Final = 23
"""Doublings of a second that are shown: to 97 days."""
Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
    """
    said = [f"{number(facts['events'])} events,", f"{number(data['silences']['all'])} silences between events of one key",
            f"({head.key(facts)})"]  # fmt: skip
    found: list[Line] = [(Cell(line, BOLD),) for line in wrapped(said, " ", where.width)]
    found += _histogram(data["silences"], where)
    found += [(), *_table(data["table"], where), ()]
    told = [*_matters(data), *_plateau(data), *_fit(data)]
    found += [(Cell(line),) for text in told for line in _sentences(text, where.width)]
    counts = dict(facts, account={**facts["account"], "rules": {"timeout_s": data["in_force_s"]}})
    following = f"summary {head.typed_inputs(facts)} --timeout {_best(data)}"
    return [*found, *head.footer(counts, [], following, where)]


def _sentences(text: str, width: int) -> list[str]:
    return wrapped(text.split(" "), " ", width)


def _histogram(silences: Data, where: Page) -> list[Line]:
    numbers = [0] * LONGEST
    short = 0
    for octave in silences["octaves"]:
        place = round(math.log2(octave["from_s"]))
        if place < 0:
            short += octave["silences"]
        else:
            numbers[min(place, LONGEST - 1)] += octave["silences"]
    if not silences["octaves"]:
        return [(Cell("no silences longer than 0 s", DIM),)]
    bars = "".join(letter * 2 for letter in where.columns(numbers))
    scale = ""
    for seconds, name in MARKS:
        scale = left(scale, 2 * int(math.log2(seconds))) + name
    apart = [f"{number(many)} {words}" for many, words in ((silences["zero"], "of 0 s"), (short, "under 1 s")) if many]
    beside = f"  {', '.join(apart)}" if apart else ""
    return [(Cell(left("how long", 10), DIM), Cell(left(bars, 2 * LONGEST)), Cell(beside if len(beside) + 58 <= where.width else "", DIM)),
            (Cell(" " * 10), Cell(scale, DIM))]  # fmt: skip


def _table(rows: Sequence[Data], where: Page) -> list[Line]:
    heads = ("timeout", "", "sessions", "change", "bounce", "mean", "median")
    body = [[Cell(name, DIM) for name in heads]]
    most = max((row["sessions"] for row in rows), default=1) or 1
    for row in rows:
        name = "none" if row["timeout_s"] is None else duration(row["timeout_s"])
        style = BOLD if row["in_force"] else ""
        spread = row["duration_s"]
        texts = (f"{name}{' ●' if row['in_force'] else ''}", where.bar(row["sessions"] / most, 10), number(row["sessions"]),
                 "" if row["change"] is None else change(row["change"]), share(row["bounce_rate"]),
                 duration(spread["mean"]), duration(spread["median"]))  # fmt: skip
        body.append([Cell(text, style) for text in texts])
    return table(body, where, "<<>>>>>")


def _matters(data: Data) -> list[str]:
    part = data["share_15m_2h"]
    if part is None:
        return []
    return [f"{share(part)} of the silences are from 15 min to 2 h long: so much does the timeout matter here."]


def _plateau(data: Data) -> list[str]:
    found = data["plateau"]
    if found is None:
        return ["There is no plateau: 30 min is a convention, to be stated beside the figures."]
    return [
        f"From {duration(found['from_s'])} to {duration(found['to_s'])} the number of sessions changes by under 1 %."
    ]


def _fit(data: Data) -> list[str]:
    fit = data["fit"]
    if fit is None:
        return [f"No cut is fitted: {data['why_no_fit']}."]
    said = [
        f"By the fit, a timeout of {duration(cost['timeout_s'])} cuts {share(cost['within_cut'])} of the silences "
        f"within sessions and keeps {share(cost['between_kept'])} of those between."
        for cost in fit["costs"]
    ]
    return [f"Fitted: silences within and between sessions weigh the same at {duration(fit['cut_s'])}.", *said]


def _best(data: Data) -> str:
    if data["fit"] is not None:
        return f"{max(1, round(data['fit']['cut_s'] / 60))}m"
    return "45m" if data["in_force_s"] == 1800 else "30m"
