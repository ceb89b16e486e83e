"""Sections about how long and how deep sessions are, and about the silences that the timeout is a limit of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sessionize.readable import change, duration, number, share, short_number
from sessionize.report.parts import Bar, Columns, Figure, Part, Section, Table
from sessionize.report.words import MEANINGS

Data = Mapping[str, Any]
MARKS: Final = (
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (86_400, "1 d"),
    (2_592_000, "30 d"),
)
APART: Final = 0.06
"""Share of a chart's width that the column of 0 s takes, with the gap behind it."""
LONGEST_S: Final = 2_592_000.0
SHORTEST_S: Final = 1.0


def lengths(data: Data, facts: Data) -> Section:
    """Sessions by their length, with the break that a timeout leaves in it.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    spread, seconds = data["spread"], data["duration_s"]
    limit = facts["account"]["rules"]["timeout_s"]
    figure = by_length("Sessions by length", "sessions", spread["zero"], spread["classes"], limit, _longest(data))
    half = f"Half of the sessions are no longer than {duration(seconds['median'])}"
    half = half if seconds["median"] else "At least half of the sessions last 0 s"
    said = f"{half}, 95 % are no longer than {duration(seconds['p95'])}; the mean is {duration(seconds['mean'])}."
    meaning = f"{MEANINGS['length']} Each column is about 1.4 times as wide as the one before."
    parts: list[Part] = [said, figure]
    if limit is not None:
        parts.append(
            "A step at the timeout is made by the rule, not by people: a session can only be longer where no silence in it is."
        )
    return Section(name="lengths", title="Length", meaning=meaning, parts=parts)


def _longest(data: Data) -> float:
    """The end of the axis that lengths and silences share."""
    classes = [*data["spread"]["classes"], *data["silences"].get("classes", ())]
    return min(LONGEST_S, max([3600.0, *(float(row["to_s"]) for row in classes)]))


def by_length(title: str, what: str, zero: int, classes: Sequence[Data], limit: float | None, longest: float) -> Figure:
    """Columns on a logarithmic axis, those of no length apart, those beyond the timeout set apart.

    Args:
        title: What is shown.
        what: What is counted.
        zero: How many are of no length.
        classes: ``from_s``, ``to_s`` and how many.
        limit: The timeout in seconds; None for none.
        longest: Seconds at the end of the axis.
    """
    bars = [Bar(value=zero, says=f"0 s: {number(zero)} {what}", start=0, end=APART * 0.6)]
    shortest = 0
    for row in classes:
        if row["from_s"] < SHORTEST_S:
            shortest += row[what]
            continue
        says = f"{_class(row)}: {number(row[what])} {what}"
        bars.append(Bar(value=row[what], says=says, start=_place(row["from_s"], longest), end=_place(row["to_s"], longest),
                        strong=_is_beyond(row, limit)))  # fmt: skip
    if shortest:
        bars.insert(
            1, Bar(value=shortest, says=f"under 1.5 s: {number(shortest)} {what}", start=APART * 0.62, end=APART * 0.98)
        )
    whole = zero + sum(row[what] for row in classes)
    rows = [("0 s", number(zero), share(zero / whole if whole else None))]
    rows += [(_class(row), number(row[what]), share(row[what] / whole)) for row in classes]
    says = _summed_up(what, zero, classes, limit)
    marks = [(APART * 0.3, "0 s"), *((_place(mark, longest), name) for mark, name in MARKS if mark <= longest * 1.01)]
    line = (_place(limit, longest), f"timeout {duration(limit)}") if limit and SHORTEST_S <= limit <= longest else None
    return Figure(
        title=title, says=says, chart=Columns(bars=bars, marks=marks, line=line),
        table=Table(caption=title, head=("length", what, "share"), rows=rows),
    )  # fmt: skip


def _summed_up(what: str, zero: int, classes: Sequence[Data], limit: float | None) -> str:
    """What the columns show, in a sentence."""
    whole = zero + sum(row[what] for row in classes)
    said = [f"{number(whole)} {what}, of which {number(zero)} are of 0 s"]
    if classes:
        most = max(classes, key=lambda row: row[what])
        said.append(f"of the others, the most in one class, {number(most[what])}, are {_class(most)}")
    if limit is not None:
        beyond = sum(row[what] for row in classes if _is_beyond(row, limit))
        said.append(f"{number(beyond)} are longer than the timeout of {duration(limit)}")
    return "; ".join(said) + "."


def _is_beyond(row: Data, limit: float | None) -> bool:
    """Whether a class holds what is longer than the timeout, at which it may begin."""
    return limit is not None and bool(row["from_s"] >= limit * 0.999)


def _class(row: Data) -> str:
    return f"over {duration(row['from_s'])}, up to {duration(row['to_s'])}"


def _place(seconds: float, longest: float) -> float:
    """Where a length is on the axis: by its logarithm, between the column of 0 s and the end."""
    part = math.log(max(seconds, SHORTEST_S) / SHORTEST_S) / math.log(longest / SHORTEST_S)
    return APART + (1 - APART) * min(1.0, part)


def depth(data: Data, _: Data) -> Section:
    """Sessions by their number of events, and of page views.

    Args:
        data: The data of the answer.
    """
    classes = list(data["depths"])
    has_views = bool(data["page_views"])
    width = 1 / len(classes)
    bars = [
        Bar(value=row["by_events"], says=f"{_events(row)}: {number(row['by_events'])} sessions", start=place * width,
            end=(place + 1) * width)
        for place, row in enumerate(classes)
    ]  # fmt: skip
    marks = [((place + 0.43) * width, _range(row)) for place, row in enumerate(classes)]
    whole = data["sessions"]
    rows = [
        (_range(row), number(row["by_events"]), share(row["by_events"] / whole),
         *((number(row["by_page_views"]), share(row["by_page_views"] / whole)) if has_views else ()))
        for row in classes
    ]  # fmt: skip
    head: tuple[str, ...] = ("number", "sessions with so many events", "share")
    head += ("sessions with so many page views", "share") if has_views else ()
    each = data["events_per_session"]
    says = f"Half of the sessions have at most {short_number(each['median'])} events, 95 % at most {short_number(each['p95'])}; the mean is {short_number(each['mean'])}."
    figure = Figure(title="Sessions by number of events", says=says, chart=Columns(bars=bars, marks=marks),
                    table=Table(caption="Sessions by their number of events", head=head, rows=rows))  # fmt: skip
    meaning = "How many events a session has. Those with one are bounces."
    return Section(name="depth", title="Depth", meaning=meaning, parts=[says, figure])


def _range(row: Data) -> str:
    if row["most"] is None:
        return f"{row['least']}+"
    return str(row["least"]) if row["least"] == row["most"] else f"{row['least']}–{row['most']}"


def _events(row: Data) -> str:
    return f"{_range(row)} event{'' if row['most'] == 1 else 's'}"


def silences(data: Data, _: Data) -> Section:
    """The silences between events of one key, and what other timeouts would make of the log.

    Args:
        data: The data of the answer.
    """
    found = data["silences"]
    meaning = (
        "A silence is the time from one event of a visitor to their next; one that is longer than the timeout ends a "
        "session. Those of the whole log are counted, also where only some sessions were chosen."
    )
    if found["why"] is not None:
        return Section(name="silences", title="Silences", meaning=meaning, parts=[f"Not shown: {found['why']}."])
    limit = found["in_force_s"]
    figure = by_length(
        "Silences by length", "silences", found["silences"]["zero"], found["classes"], limit, _longest(data)
    )
    rows = [
        ("none" if row["timeout_s"] is None else duration(row["timeout_s"]) + (" (in force)" if row["in_force"] else ""),
         number(row["sessions"]), "" if row["change"] is None else change(row["change"]), share(row["bounce_rate"]),
         duration(row["duration_s"]["mean"]), duration(row["duration_s"]["median"]))
        for row in found["table"]
    ]  # fmt: skip
    table = Table(
        caption="What other timeouts would make of this log",
        head=("timeout", "sessions", "change from the row above", "bounce rate", "mean length", "median length"),
        rows=rows, bars=[row["sessions"] for row in found["table"]],
    )  # fmt: skip
    return Section(
        name="silences", title="Silences and the timeout", meaning=meaning, parts=[figure, *_said(found), table]
    )


def _said(found: Data) -> list[str]:
    said = []
    if found["share_15m_2h"] is not None:
        said.append(
            f"{share(found['share_15m_2h'])} of the silences are from 15 min to 2 h long: so much does the timeout matter here."
        )
    flat = found["plateau"]
    if flat is None:
        said.append("There is no range of timeouts that all give the same sessions: 30 min is a convention.")
    else:
        said.append(
            f"From {duration(flat['from_s'])} to {duration(flat['to_s'])} the number of sessions changes by under 1 %."
        )
    if found["fit"] is not None:
        cut = duration(found["fit"]["cut_s"])
        said.append(f"Two kinds of silence, within sessions and between them, weigh the same at {cut}.")
    return [" ".join(said)]
