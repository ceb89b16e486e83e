"""The screen of `sessionize show`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sessionize import schema
from sessionize.cli.screens import head
from sessionize.cli.screens.text import BOLD, DIM, Cell, Line, Page, clock, cut, cut_middle, left, right, wrapped
from sessionize.cli.view import plain
from sessionize.readable import duration, hosts_cut, moment, number

FIRST: Final = 12
LAST: Final = 6
"""Events that are shown of a session with many."""
LONG_S: Final = 60.0
"""Silences from here on are said."""
Data = Mapping[str, Any]


def lines(data: Data, facts: Data, where: Page, *, every: bool = False) -> list[Line]:
    """The whole screen.

    Args:
        data: The data of the answer.
        facts: What the screen says of the answer.
        where: What the screen can show.
        every: Whether every event is shown.
    """
    session, events, zone = data["session"], data["events"], facts["timezone"]
    start = moment(session["start"], zone)
    said = f"{start:%a} {start.day} {start:%b} {start.year:04} {start:%H:%M:%S} {zone}" if start else ""
    parts = [*_whole(session["session_id"], where), *(_whole(session["profile_id"], where) if session["profile_id"] else []),
             said, duration(session["duration_s"]), f"{number(session['events'])} event{'' if session['events'] == 1 else 's'}"]  # fmt: skip
    found: list[Line] = [(Cell(line, BOLD),) for line in wrapped(parts, "   ", where.width)]
    found += [(Cell(line, DIM),) for line in wrapped(_said(session, data), " · ", where.width)]
    found += _timeline(events, _conversions(facts), where, every=every)
    found += [(Cell(line),) for line in _around(data, where)]
    found += [(Cell(f"{plain(row['file'])}:{row['row']}  ", DIM), Cell(plain(row["raw"]))) for row in data["rows"]]
    others = data["matching"] - 1
    notes = [head.timeout_text(facts)]
    if others > 0:
        notes.append(
            f"{number(others)} more sessions match"
            + (f": {', '.join(map(plain, data['others'][:2]))}" if data["others"] else "")
        )
    if data["tied"] > 1:
        notes.append(f"one of {number(data['tied'])} with this length")
    is_short = len(events) <= FIRST + LAST + 1 or every
    following = _following(data, facts, is_short=is_short)
    return [*found, *head.footer(facts, notes, following, where)]


def _whole(name: str, where: Page) -> list[str]:
    """An id as it is typed back: never cut, broken where it is longer than a line."""
    safe = plain(name)
    return [safe[start : start + where.width] for start in range(0, len(safe), where.width)]


def _following(data: Data, facts: Data, *, is_short: bool) -> str:
    """All events where some were left out, else their rows in the log where they can be shown, else the paths."""
    inputs, name = head.typed_inputs(facts), head.quoted(data["session"]["session_id"])

    def show(option: str) -> str:
        return f"show {inputs} {f'{option} -- {name}' if name.startswith('-') else f'{name} {option}'}"

    if not data["session"]["session_id"].isprintable():  # as an escape it would be another one
        return f"paths {inputs}"
    if not is_short:
        return show("--all")
    is_hidden = facts["account"].get("outputs") or {"--hash-ids", "--ip"} & {*facts.get("options", ())}
    return f"paths {inputs}" if data["rows"] or is_hidden else show("--raw")


def _said(session: Data, data: Data) -> list[str]:
    ended = {"open": "could still go on", "end_event": "ended by an end event"}
    found = ["converted"] if session["converted"] else []
    found += ["bounced: one event"] if session["bounced"] else []
    found.append(ended.get(session["end_reason"], f"ended by {str(session['end_reason']).replace('_', ' ')}"))
    if data["of"] > 1:
        found.append(f"session {number(data['number'])} of {number(data['of'])} of this key")
    names = ("channel", "utm_source", "utm_medium", "utm_campaign", "referrer")
    found += [f"{name} {cut(session[name], 40)}" for name in names if session.get(name)]
    return found


def _timeline(events: Sequence[Data], is_won: Callable[[Data], bool], where: Page, *, every: bool) -> list[Line]:
    shown = list(range(len(events)))
    skipped = 0
    if len(events) > FIRST + LAST + 1 and not every:
        skipped = len(events) - FIRST - LAST
        shown = [*shown[:FIRST], *shown[-LAST:]]
    waits = [following["gap_s"] for following in events[1:]] + [0.0]
    longest = max(waits, default=0.0)
    times = max((len(clock(event["offset_s"])) for event in events), default=4)
    short = hosts_cut(event.get("page") for event in events)
    names = [name_of(event, short) for event in events]
    room = min(max((len(plain(name)) for name in names), default=8), where.width - times - 40)
    room = max(12, room)
    found: list[Line] = []
    for number_of, place in enumerate(shown):
        if skipped and number_of == FIRST:
            found.append(
                (Cell(f" {right('…', times)}  {left(f'{number(skipped)} events', room)}", DIM), Cell("  --all", DIM))
            )
        event, wait = events[place], waits[place]
        bar = where.bar(wait / longest, 6) if longest else ""
        line = f" {right(clock(event['offset_s']), times)}  {left(cut_middle(names[place], room), room)}"
        details = _details(event)
        notes = _notes(wait, is_longest=0 < wait == longest, is_won=is_won(event))
        rests = [f"  {left(bar, 6)} {note}".rstrip() for note in notes]
        rest = next((each for each in rests if len(line) + len(each) + len(details) <= where.width), rests[-1])
        found.append((Cell(line), Cell(rest), Cell(details, DIM)))
    return found


def _notes(wait: float, *, is_longest: bool, is_won: bool) -> list[str]:
    """What to say of an event and the silence behind it, in ever fewer words: an amount must have room beside it."""
    time = duration(wait) if wait >= LONG_S else ""
    won, silence = "● conversion" if is_won else "", "longest silence" if is_longest else ""
    return [
        "   ".join(filter(None, (won, time, silence))),
        "   ".join(filter(None, (won, time))),
        " ".join(filter(None, (won[:1], time))),
        won[:1],
    ]


def _conversions(facts: Data) -> Callable[[Data], bool]:
    """What tells whether an event is a conversion."""
    rules = facts["account"].get("rules", {})
    given = rules.get("conversions")
    goals = [f"{schema.GOAL_PREFIX}{name}" for name in rules.get("goals", ())]
    if given is not None or goals:
        return lambda event: event.get("event_type") in (given or ()) or any(event.get(goal) is True for goal in goals)
    usual = {schema.spelling(name) for name in schema.CONVERSIONS}
    return lambda event: schema.spelling(str(event.get("event_type"))) in usual


def name_of(event: Data, short: Callable[[str], str]) -> str:
    """Type and page of an event, in one."""
    kind, page = event.get("event_type"), event.get("page")
    if kind and page:
        return f"{kind} {short(str(page))}"
    return str(kind or (page and short(str(page))) or "event")


def _details(event: Data) -> str:
    """The value, where there is one, behind the rest of the line."""
    return f"  value {event['value']:,.15g}" if isinstance(event.get("value"), int | float) else ""


def _around(data: Data, where: Page) -> list[str]:
    before, after = data["previous"], data["next"]
    parts = []
    if before is not None:
        parts.append(f"before: {duration(before['gap_s'])} earlier ({plain(before['session_id'])})")
    if after is not None:
        parts.append(f"after: {duration(after['gap_s'])} later ({plain(after['session_id'])})")
    lines = wrapped([part for part in parts if len(part) <= where.width] or [], "   ", where.width)
    longer = [line for part in parts if len(part) > where.width for line in _whole(part, where)]
    return [*lines, *longer] or ["the only session of its key"]
