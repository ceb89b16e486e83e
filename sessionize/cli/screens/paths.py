"""The screen of `sessionize paths`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sessionize.cli.screens import head
from sessionize.cli.screens.text import BOLD, DIM, Cell, Line, Page, cells, cut, cut_middle, right, table, wrapped
from sessionize.cli.view import plain
from sessionize.readable import hosts_cut, number, share
from sessionize.summary.names import PAGE_PREFIX, looks_like_page
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
    texts = _texts(data, where.width - 38, repeats=ask.repeats)
    found = _in_lines(data, ask, where) if texts is None else _in_columns(texts, data, ask, where)
    notes = [". = the end"] + (["^ = the start"] if any("^" in row["steps"] for row in data["paths"]) else [])
    notes += ["* = numbers and ids; --no-fold shows them"] if data["folded"] else []
    if data["without"]:
        notes.append(f"{number(data['without'])} sessions have no such event")
    ends = [end for end in (ask.begin, ask.end, ask.around) if end is not None]
    notes += head.page_note([*ends, *facts.get("containing", ())])
    steps = _steps(data, facts["event_types"])
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


def _texts(data: Data, room: int, *, repeats: bool) -> list[str] | None:
    """Each path as a line, its names cut where there is no room; None where two names would read the same."""
    whole = _names(data)
    texts, cut_to = [], dict[str, str]()
    for row in data["paths"]:
        text = path_text([whole[step] for step in row["steps"]], repeats=repeats)
        if cells(text) > room:
            each = max(6, (room - 3 * (len(row["steps"]) - 1)) // len(row["steps"]))
            short = {step: cut_middle(whole[step], each) for step in row["steps"]}
            if any(cut_to.setdefault(name, step) != step for step, name in short.items()):
                return None
            text = path_text([short[step] for step in row["steps"]], repeats=repeats)
        texts.append(text)
    return texts


def _names(data: Data) -> dict[str, str]:
    """What each step is called on the screen."""
    short = hosts_cut(name for row in data["paths"] for name in row["steps"])
    return {name: plain(short(name)) for row in data["paths"] for name in row["steps"]}


def _in_columns(texts: Sequence[str], data: Data, ask: PathsAsk, where: Page) -> list[Line]:
    """A line a path, a bar and the numbers behind it."""
    most = max([row["sessions"] for row in data["paths"]] + [1])
    heads = ("sessions", "", "converted" if data["total_converted"] else "")
    rows = [[Cell(_title(ask, data["total"]), BOLD), Cell(""), *(Cell(name, DIM) for name in heads)]]
    for place, (text, *numbers) in enumerate(_numbers(texts, data)):
        bar = where.bar(data["paths"][place]["sessions"] / most, 6) if place < len(texts) else ""
        rows.append([Cell(text), Cell(bar), *(Cell(each) for each in numbers)])
    return table(rows, where, "<<>>>")


def _in_lines(data: Data, ask: PathsAsk, where: Page) -> list[Line]:
    """The numbers first, the path behind them in as many lines as it takes: its names do not fit in one."""
    whole = _names(data)
    paths = [path_text([whole[step] for step in row["steps"]], repeats=ask.repeats) for row in data["paths"]]
    heads = ("sessions", "", "converted" if data["total_converted"] else "", _title(ask, data["total"]))
    rows = [heads, *((*numbers, text) for text, *numbers in _numbers(paths, data))]
    widths = [max(cells(row[place]) for row in rows) for place in range(3)]
    room = where.width - sum(width + 2 for width in widths if width)
    found: list[Line] = []
    for row in rows:
        before = "".join(right(row[place], width) + "  " for place, width in enumerate(widths) if width)
        is_head = row is heads
        for text in wrapped(row[3].split(" "), " ", room):
            found.append((Cell(before, DIM if is_head else ""), Cell(text, BOLD if is_head else "")))
            before = " " * len(before)
    return found


def _numbers(texts: Sequence[str], data: Data) -> list[tuple[str, str, str, str]]:
    """Every path, the others and all: what it is called, its sessions, their share, how many of them converted."""
    rows = [(text, row["sessions"], row["converted"]) for text, row in zip(texts, data["paths"], strict=True)]
    if data["other_paths"]:
        rows.append((f"other, {number(data['other_paths'])} paths", data["other"], data["other_converted"]))
    rows.append(("total", data["total"], data["total_converted"]))
    has_won = bool(data["total_converted"])
    return [
        (text, number(many), share(many / data["total"]) if data["total"] else "",
         share(won / many) if has_won and many else "")
        for text, many, won in rows
    ]  # fmt: skip


def _steps(data: Data, event_types: Mapping[str, int]) -> str | None:
    """The steps of the commonest path that has several; None where none has."""

    def step(name: str) -> str:
        is_page = bool(event_types) and name not in event_types and not looks_like_page(name)
        return head.quoted(PAGE_PREFIX + name if is_page else name)

    for row in data["paths"]:
        names = list(dict.fromkeys(name for name in row["steps"] if name not in (".", "^") and "*" not in name))
        if len(names) > 1 and all(map(str.isprintable, names)):  # as escapes they would be others
            return " ".join(f"--step {step(name)}" for name in names[:3])
    return None
