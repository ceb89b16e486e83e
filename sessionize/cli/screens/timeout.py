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
FEW: Final = 100
"""Silences under which nothing can be said."""
FLAT: Final = 0.01
"""A smaller change of the number of sessions is none."""
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
    told = [verdict(data), *_matters(data), *(_fit(data) if _can_say(data) else [])]
    found += [(Cell(line),) for text in told for line in _sentences(text, where.width)]
    counts = dict(facts, account={**facts["account"], "rules": {"timeout_s": data["in_force_s"]}})
    of_run = bool(facts["account"].get("outputs"))
    best = None if of_run else _best(data)  # of a run's output another timeout is refused
    following = f"summary {head.typed_inputs(facts, '--timeout')}" + (f" --timeout {best}" if best else "")
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
    first = rows[0]["sessions"]
    if len(rows) > 1 and all(row["sessions"] == first for row in rows):
        names = [_name(row) for row in (rows[0], rows[-1])]
        return [(Cell(f"{number(first)} sessions at every timeout from {names[0]} to {names[1]}"),)]
    body = [[Cell(name, DIM) for name in heads]]
    most = max((row["sessions"] for row in rows), default=1) or 1
    for row in rows:
        name = _name(row)
        style = BOLD if row["in_force"] else ""
        spread = row["duration_s"]
        texts = (f"{name}{' ●' if row['in_force'] else ''}", where.bar(row["sessions"] / most, 10), number(row["sessions"]),
                 "" if row["change"] is None else change(row["change"]), share(row["bounce_rate"]),
                 duration(spread["mean"]), duration(spread["median"]))  # fmt: skip
        body.append([Cell(text, style) for text in texts])
    return table(body, where, "<<>>>>>", flexible=None, spare=(1, 5, 3))


def _name(row: Data) -> str:
    return "none" if row["timeout_s"] is None else duration(row["timeout_s"])


def _can_say(data: Data) -> bool:
    return data["silences"]["all"] >= FEW and data["one_minute"] is None


def verdict(data: Data) -> str:
    """Whether the timeout in force is a good one here, in a sentence or two that begin with yes or no.

    Args:
        data: The data of the answer.
    """
    if data["silences"]["all"] < FEW:
        return f"Too few silences to say which timeout is right: {number(data['silences']['all'])}; it takes {FEW}."
    if data["one_minute"] is not None:
        return (
            f"The log cannot say: every event is at minute {data['one_minute']} of its hour, as of a clock that was cut. "
            "What lies between two hours cannot be seen in it."
        )
    found, now = data["plateau"], data["in_force_s"]
    if found is None and data["fit"] is not None and now is not None:
        cut_s = data["fit"]["cut_s"]
        is_near = cut_s / 2 <= now <= 2 * cut_s
        return (
            f"{'Yes' if is_near else 'No'}: short and long silences part at {duration(cut_s)} here, and {duration(now)} is "
            f"{'near' if is_near else 'far from'} it. Every timeout gives other sessions: state it beside the figures."
        )
    if found is None:
        used = "no timeout at all" if now is None else duration(now)
        return (
            "No: there is no natural break: the longer the timeout, the fewer sessions. "
            f"{used[:1].upper()}{used[1:]} is a convention, to be stated beside the figures."
        )
    span = f"from {duration(found['from_s'])} to {duration(found['to_s'])}"
    if now is not None and found["from_s"] <= now <= found["to_s"]:
        return f"Yes: {duration(now)} is as good as any {span} here: the number of sessions changes by under 1 %."
    used = "without a timeout" if now is None else f"at {duration(now)}"
    return f"No: any timeout {span} gives the same sessions to 1 %; {used} there are others."


def _matters(data: Data) -> list[str]:
    part = data["share_15m_2h"]
    if part is None or data["silences"]["all"] < FEW:
        return []
    return [f"{share(part)} of the silences are from 15 min to 2 h long: those that usual timeouts differ in."]


def _fit(data: Data) -> list[str]:
    fit = data["fit"]
    if fit is None:
        return [f"No better one can be computed: {data['why_no_fit']}."]
    said = [
        f"By the fit, a timeout of {duration(cost['timeout_s'])} cuts {share(cost['within_cut'])} of the silences "
        f"within sessions and keeps {share(cost['between_kept'])} of those between."
        for cost in fit["costs"]
    ]
    return [f"Fitted: silences within sessions and those between them are as many at {duration(fit['cut_s'])}.", *said]


def _best(data: Data) -> str | None:
    """The timeout to look at next: the cut, else the nearest one that changes the sessions; None where none does."""
    if not _can_say(data):
        return None
    if data["fit"] is not None:
        return f"{max(1, round(data['fit']['cut_s'] / 60))}m"
    now = next(row for row in data["table"] if row["in_force"])
    others = [
        row
        for row in data["table"]
        if row["timeout_s"] and abs(row["sessions"] - now["sessions"]) >= FLAT * now["sessions"]
    ]
    if not others or not now["timeout_s"]:
        return f"{round(others[-1]['timeout_s'])}s" if others else None
    nearest = min(others, key=lambda row: abs(math.log(row["timeout_s"] / now["timeout_s"])))
    return f"{nearest['timeout_s'] / 60:g}m"
