"""The screen of `sessionize summary`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sessionize import schema
from sessionize.cli.screens import head
from sessionize.cli.screens.following import following
from sessionize.cli.screens.groups import IN_TIME, chosen
from sessionize.cli.screens.text import BOLD, DIM, Cell, Line, Page, cells, cut, left, table, wrapped
from sessionize.cli.view import plain
from sessionize.readable import change, dates, duration, hosts_cut, number, points, share, short_number

FEW: Final = 30
"""Sessions of a group under which its rates say little."""
MOST_GROUPS: Final = 20
SHOWN_PAGES: Final = 5
NO_CONVERSION: Final = [
    "none",
    "of",
    "them",
    "is",
    "a",
    "conversion:",
    "--conversion",
    "NAME",
    "says",
    "which",
    "one",
    "is",
]
SPANS: Final[dict[str, Callable[[date], int]]] = {
    "day": date.toordinal,
    "week": lambda day: (day.toordinal() - 1) // 7,
    "month": lambda day: day.year * 12 + day.month,
    "year": lambda day: day.year,
}
"""Numbers of the days, weeks, months and years that days are in."""
A_YEAR: Final = 366
Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page, *, least: int = 0, top: int | None = None) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
        least: Groups under so many sessions are counted together.
        top: Groups to show; the others are counted together. None for the usual number, and all parts of time.
    """
    found = head.header(facts, data["events"], data["first"], data["last"], where)
    if not data["sessions"]:
        first, last = facts.get("span", (None, None))
        there = f"; the log has some, {dates(first, last, facts['timezone'])} {facts['timezone']}" if first else ""
        return [*found, (Cell(f"no sessions{there}"),), *head.footer(facts, [head.timeout_text(facts)], None, where)]
    if data["groups"]:
        found += [(), *_groups(data, facts, where, least, top)]
    else:
        found += [*_totals(data, facts, where), (), *_over_time(data, where)]
        ends = _ends(data, where)
        found += [(), *ends] if ends else []
        if not data["conversions"]:
            types = _types(facts, where)
            found += [(), *types] if types else []
    notes = [head.timeout_text(facts), "bounce = one event", *(["median: of lengths"] if data["groups"] else [])]
    if not data["page_views"] and {"page", "event_type"} <= facts["account"].get("columns", {}).keys():
        notes.append("no page views: --page-view NAME says which event type is one")
    if facts.get("one_minute") is not None:
        notes.append(f"every session starts and ends at minute {facts['one_minute']} of an hour: a clock cut")
    notes += [*_comparison(data, facts), *head.page_note(facts.get("containing", ()))]
    return [*found, (), *head.footer(facts, notes, following(data, facts), where)]


def _comparison(data: Data, facts: Data) -> list[str]:
    """What the change is from; where one was asked for and is not given, why."""
    compare, asked = data["compare"], facts.get("compare")
    if compare is None:
        return ["no change: nothing lies in the 7 days before the last 7"] if asked else []
    words = "from the 7 days before" if compare["name"] == "week" else "from it to this"
    if not data["groups"]:
        return [f"change: {words}"]
    moved = compare["change"]
    rate = points(moved["bounce_rate_points"])
    return [f"in all, {words}: sessions {change(moved['sessions'])}, bounce {rate}; not by group"] if asked else []


def _totals(data: Data, facts: Data, where: Page) -> list[Line]:
    spread, events = data["duration_s"], data["events_per_session"]
    wide = where.width >= 72 or data["compare"] is None
    profiles = f"profiles {number(data['profiles'])}" if data["profiles"] else ""
    rows = [
        ("sessions", number(data["sessions"]), profiles if wide else "", "sessions"),
        ("length", f"median {duration(spread['median'])}", f"p95 {duration(spread['p95'])}" if wide else "", "duration_s"),
        ("events", f"median {short_number(events['median'])}", f"p95 {short_number(events['p95'])}" if wide else "",
         "events_per_session"),
        ("bounce", share(data["bounce_rate"]), _of(data, "bounce_rate") if wide else "", "bounce_rate"),
        ("engaged", share(data["engagement_rate"]), _of(data, "engagement_rate"), "engagement_rate"),
    ]  # fmt: skip
    if profiles and not wide:
        rows.insert(1, ("profiles", number(data["profiles"]), "", "profiles"))
    if data["conversions"]:
        rows.append(("converted", share(data["conversion_rate"]), _of(data, "conversion_rate"), "conversion_rate"))
    rows += [
        (cut(each["name"], 20), share(each["rate"]), f"{number(each['sessions'])} of {number(data['sessions'])}", "")
        for each in data.get("goals", ())
    ]
    if data["value"]:
        rows.append(("value", short_number(data["value"]), "", "value"))
    if data["bot_share"]:
        rows.append(("bots", share(data["bot_share"]), "of those with a user agent" if wide else "", "bot_share"))
    body = [
        [Cell(name, DIM), Cell(main, BOLD), Cell(more), *_compared(data["compare"], figure)]
        for name, main, more, figure in rows
    ]
    if data["compare"] is not None:
        title = "last 7 days" if data["compare"]["name"] == "week" else cut(str(data["compare"]["name"]), 20)
        body.insert(0, [Cell(""), Cell(""), Cell(""), Cell(title, DIM), Cell("change", DIM)])
    return table(body, where, "<<<>>", flexible=None, spare=(2,))


def _of(data: Data, rate: str) -> str:
    if data[rate] is None:
        return ""
    return f"{number(data[rate] * data['sessions'])} of {number(data['sessions'])}"


def _compared(compare: Data | None, figure: str) -> list[Cell]:
    """What the figure is in the other span, and how it changed."""
    if compare is None or not figure:
        return [Cell("")] * 2
    shown, before, changes = compare["this"] or compare["that"], compare["that"], compare["change"]
    value, other = shown[figure], before[figure]
    if isinstance(value, Mapping):
        text = duration if figure == "duration_s" else short_number
        moved = None if value["median"] is None or other["median"] is None else changes[figure]["median"]
        return [Cell(text(value["median"])), Cell(change(moved), DIM)]
    if figure.endswith("_rate") or figure == "bot_share":
        return [Cell(share(value)), Cell(points(changes[f"{figure}_points"]), DIM)]
    return [Cell(short_number(value)), Cell(change(changes[figure]), DIM)]


def _over_time(data: Data, where: Page) -> list[Line]:
    days = {row["day"]: row["sessions"] for row in data["per_day"]}
    name, numbers = _spans(days, where.width - 18)
    hours = {int(row["hour"]): row["sessions"] for row in data["per_hour"]}
    found: list[Line] = []
    if len(numbers) > 1:  # one column says no more than the total
        ends = f"   {min(days)} to {max(days)}"
        fits = 18 + len(numbers) + len(ends) <= where.width
        found.append(
            (Cell(left(f"sessions a {name}", 18), DIM), Cell(where.columns(numbers)), Cell(ends if fits else "", DIM))
        )
        found += [] if fits else [(Cell(" " * 18), Cell(_between(min(days), max(days), len(numbers)), DIM))]
    most = f"   most at {max(hours, key=lambda hour: hours[hour]):02}" if hours else ""
    found.append((Cell(left("hours 0 to 23", 18), DIM), Cell(where.columns([hours.get(hour, 0) for hour in range(24)])),
                  Cell(most, DIM)))  # fmt: skip
    return [*found, *_lengths(data["lengths"], where)]


def _between(first: str, last: str, width: int) -> str:
    """Two dates at the ends of so many columns; the first alone where there is no room for both."""
    gap = width - len(first) - len(last)
    return first + " " * gap + last if gap > 0 else first


def _lengths(rows: Sequence[Data], where: Page) -> list[Line]:
    """A column above the length from which on it counts."""
    labels = [_length(row["from_s"]) for row in rows]
    bars = where.columns([row["sessions"] for row in rows])
    above = "".join(left(bar, len(label) + 1) for bar, label in zip(bars, labels, strict=True))
    return [(Cell(left("length", 18), DIM), Cell(above.rstrip())), (Cell(" " * 18), Cell(" ".join(labels), DIM))]


def _length(seconds: float) -> str:
    return duration(seconds).replace(" ", "").replace("min", "m") if seconds else "0"


def _spans(days: Mapping[str, int], room: int) -> tuple[str, list[int]]:
    """Sessions a day, or a week, a month, a year: the shortest of these that fits."""
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    if (last - first).days > room * A_YEAR:  # a stray clock, most likely: no line is as long
        return "day", []
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    for name, of in SPANS.items():
        sums = dict.fromkeys((of(day) for day in every), 0)
        for day, sessions in days.items():
            sums[of(date.fromisoformat(day))] = sums.get(of(date.fromisoformat(day)), 0) + sessions
        if len(sums) <= room:
            return name, list(sums.values())
    return "day", []


def _ends(data: Data, where: Page) -> list[Line]:
    """Entries beside exits where both fit, else one below the other."""
    entries, exits = data["entry_pages"][:SHOWN_PAGES], data["exit_pages"][:SHOWN_PAGES]
    if not entries:  # neither pages nor event types
        return []
    has_won = bool(data["conversions"])
    short = hosts_cut(row["name"] for row in (*entries, *exits))
    first = _end_rows("entry", entries, where, short, ("bounce", "conv.") if has_won else ("bounce",))
    second = _end_rows("exit", exits, where, short, ("conv.",) if has_won else ())
    if where.width < 76:
        return [*table(first, where, "<<>>>"), (), *table(second, where, "<<>>>")]
    wide = (where.width - 4) * 56 // 100
    one = table(first, Page(wide, where.blocks), "<<>>>")
    other = table(second, Page(where.width - 4 - wide, where.blocks), "<<>>>")
    height = max(len(one), len(other))
    one += [()] * (height - len(one))
    other += [()] * (height - len(other))
    return [(*each, Cell(" " * (wide + 4 - _width(each))), *beside) for each, beside in zip(one, other, strict=True)]


def _width(line: Line) -> int:
    return sum(cells(cell.text) for cell in line)


def _end_rows(
    title: str, rows: Sequence[Data], where: Page, short: Callable[[str], str], rates: tuple[str, ...]
) -> list[list[Cell]]:
    heads = [*rates, *[""] * (2 - len(rates))]
    found = [[Cell(title, DIM), Cell(""), Cell("sessions", DIM), *(Cell(name, DIM) for name in heads)]]
    most = max((row["sessions"] for row in rows), default=1)
    for row in rows:
        values = {"bounce": share(row["bounce_rate"]), "conv.": share(row["conversion_rate"]), "": ""}
        bar = where.bar(row["sessions"] / most, 4)
        found.append([Cell(plain(short(row["name"]))), Cell(bar), Cell(number(row["sessions"])),
                      *(Cell(values[name]) for name in heads)])  # fmt: skip
    return found


def _types(facts: Data, where: Page) -> list[Line]:
    types = facts.get("event_types") or {}
    if "event_type" not in facts["account"].get("columns", {}):
        return []
    if not types:
        when = "of the run itself " if facts["account"].get("outputs") else ""
        return [(Cell(f"no conversions: --conversion NAME {when}says which event type is one", DIM),)]
    is_all = facts.get("is_all", True)  # of some sessions the numbers would be others
    if not is_all and _has_conversions(facts, types):
        return [(Cell("no conversions among these sessions", DIM),)]
    shown = [f"{cut(name, 30)}{f' {number(many)}' if is_all else ''}" for name, many in list(types.items())[:6]]
    title = "event types:" if is_all else "event types of the whole log:"
    texts = [*(f"{name}," for name in shown[:-1]), shown[-1] + (", …" if len(types) > 6 else "")]
    return [
        *((Cell(line),) for line in wrapped([f"{title} {texts[0]}", *texts[1:]], " ", where.width)),
        *((Cell(line, DIM),) for line in wrapped(NO_CONVERSION, " ", where.width)),
    ]


def _has_conversions(facts: Data, types: Data) -> bool:
    """Whether an event type of the whole log is a conversion."""
    named = facts["account"]["rules"].get("conversions")
    if named:
        return any(name in types for name in named)
    usual = {schema.spelling(name) for name in schema.CONVERSIONS}
    return any(schema.spelling(name) in usual for name in types)


def _groups(data: Data, facts: Data, where: Page, least: int, top: int | None) -> list[Line]:
    most_shown = MOST_GROUPS if top is None and facts["by"] not in IN_TIME else top
    shown, rest = chosen(data["groups"], facts["by"], least, most_shown)
    has_won = bool(data["conversions"])
    short = hosts_cut(row["name"] for row in shown)
    heads = ("sessions", "share", "median", "bounce", *(("conv.",) if has_won else ()))
    rows = [
        [
            Cell(cut(str(facts["by"]), 30), DIM),
            Cell(""),
            *(Cell(name, DIM) for name in heads),
            *([] if has_won else [Cell("")]),
        ]
    ]
    most = max((row["sessions"] for row in shown), default=1)
    for row in shown:
        style = DIM if row["sessions"] < FEW else ""
        name = "(none)" if row["name"] is None else plain(short(str(row["name"])))
        texts = (number(row["sessions"]), share(row["share"]), duration(row["duration_s"]["median"]),
                 share(row["bounce_rate"]), share(row["conversion_rate"]) if has_won else "")  # fmt: skip
        bar = where.bar(row["sessions"] / most, 4)
        rows.append([Cell(name, style), Cell(bar, style), *(Cell(text, style) for text in texts)])
    if rest:
        sessions = sum(row["sessions"] for row in rest)
        rows.append([Cell(f"other, {number(len(rest))} groups", DIM), Cell(""), Cell(number(sessions), DIM),
                     Cell(share(sessions / data["sessions"]), DIM), Cell(""), Cell(""), Cell("")])  # fmt: skip
    whole = (number(data["sessions"]), "100 %", duration(data["duration_s"]["median"]), share(data["bounce_rate"]),
             share(data["conversion_rate"]) if has_won else "")  # fmt: skip
    rows.append([Cell("all", BOLD), Cell(""), *(Cell(text, BOLD) for text in whole)])
    return table(rows, where, "<<>>>>>", spare=(1, 3, 4, 5))
