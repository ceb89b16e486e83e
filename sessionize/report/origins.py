"""Sections of tables with bars: entry and exit pages, channels and campaigns, groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sessionize.readable import duration, hosts_cut, number, share
from sessionize.report.parts import Part, Section, Table
from sessionize.report.words import MEANINGS

Data = Mapping[str, Any]
MOST_GROUPS: Final = 25
IN_TIME: Final = ("day", "week", "month", "weekday", "hour")
TITLES: Final = {
    "channel": "Channels",
    "source / medium": "Source and medium",
    "campaign": "Campaigns",
    "referring site": "Referring sites",
}


def pages(data: Data, facts: Data) -> Section | None:
    """Where sessions begin and end.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    entries, exits = data["entry_pages"], data["exit_pages"]
    if not entries and not exits:
        return None
    what = "page" if "page" in facts["account"]["columns"] else "event"
    shown = hosts_cut(row["name"] for row in (*entries, *exits))
    has_rate = any(row["exit_rate"] is not None for row in exits)
    parts: list[Part] = [
        _ends(f"entry {what}", entries, data, shown, ("bounce rate", "bounce_rate")),
        _ends(f"exit {what}", exits, data, shown, ("exit rate", "exit_rate") if has_rate else None),
    ]
    said = [f"Bounce rate: {_lower(MEANINGS['bounce rate'])}"]
    if has_rate:
        said.append(
            f"Exit rate: of the sessions that have such a{'n' if what == 'event' else ''} {what}, the share that ended on it."
        )
    meaning = "Where sessions begin and end: the first and the last page that each viewed, or the type of its event where it has none."
    if what == "event":
        meaning = (
            "Where sessions begin and end: the type of the first and the last event of each, as the log has no pages."
        )
    return Section(name="pages", title=f"Entry and exit {what}s", meaning=meaning, parts=[*parts, " ".join(said)])


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _ends(
    what: str, rows: Sequence[Data], data: Data, shown: Callable[[str], str], rate: tuple[str, str] | None
) -> Table:
    has_won = bool(data["conversions"])
    head = (what, "sessions", "share", *([rate[0]] if rate else []), *(["conversion rate"] if has_won else []))
    body = [
        (
            shown(row["name"]),
            number(row["sessions"]),
            share(row["share"]),
            *([share(row[rate[1]])] if rate else []),
            *([share(row["conversion_rate"])] if has_won else []),
        )
        for row in rows
    ]
    rest = data["sessions"] - sum(row["sessions"] for row in rows)
    if rest > 0:
        blank = [""] * (len(head) - 3)
        body.append(("all others", number(rest), share(rest / data["sessions"]), *blank))
    return Table(caption=f"{what.capitalize()}s", head=head, rows=body, bars=[row["sessions"] for row in rows])


def channels(data: Data, _: Data) -> Section | None:
    """Where sessions come from.

    Args:
        data: The data of the answer.
    """
    has_won = bool(data["conversions"])
    tables = []
    for kind in data["channels"]:
        head = (kind["kind"], "sessions", "share", "bounce rate", *(["conversion rate"] if has_won else []))
        blank = [""] * (len(head) - 3)
        rows = [
            (row["name"], number(row["sessions"]), share(row["share"]), share(row["bounce_rate"]),
             *([share(row["conversion_rate"])] if has_won else []))
            for row in kind["rows"]
        ]  # fmt: skip
        for name, many in (("all others", kind["other"]), ("(none)", kind["without"])):
            if many:
                rows.append((name, number(many), share(many / data["sessions"]), *blank))
        bars = [row["sessions"] for row in kind["rows"]]
        tables.append(Table(caption=TITLES[kind["kind"]], head=head, rows=rows, bars=bars))
    meaning = "Where sessions come from: what campaign links and referrers say of a session's first events."
    return Section(name="channels", title="Channels and campaigns", meaning=meaning, parts=tables) if tables else None


def groups(data: Data, facts: Data) -> Section | None:
    """Sessions by what `--by` names.

    Args:
        data: The data of the answer.
        facts: What was read and decided.
    """
    found = data["groups"]
    if not found:
        return None
    has_won = bool(data["conversions"])
    shown = found[-MOST_GROUPS:] if facts["by"] in IN_TIME else found[:MOST_GROUPS]
    name = hosts_cut(row["name"] for row in shown)
    head: tuple[str, ...] = (str(facts["by"]), "sessions", "share", "median length", "bounce rate", "engagement rate")
    head += ("conversion rate",) if has_won else ()
    rows = [_group("(none)" if row["name"] is None else name(row["name"]), row, has_won=has_won) for row in shown]
    rest = data["sessions"] - sum(row["sessions"] for row in shown)
    if rest:
        others = f"all others, {number(len(found) - len(shown))} groups"
        rows.append((others, number(rest), share(rest / data["sessions"]), *[""] * (len(head) - 3)))
    rows.append(_group("all", {**data, "share": 1.0}, has_won=has_won))
    table = Table(caption=f"Sessions by {facts['by']}", head=head, rows=rows, total=True,
                  bars=[row["sessions"] for row in shown])  # fmt: skip
    meaning = "Sessions grouped by one thing that is known of each; rates of few sessions say little."
    return Section(name="groups", title="Groups", meaning=meaning, parts=[table])


def _group(name: str, row: Data, *, has_won: bool) -> tuple[str, ...]:
    won = (share(row["conversion_rate"]),) if has_won else ()
    return (name, number(row["sessions"]), share(row["share"]), duration(row["duration_s"]["median"]),
            share(row["bounce_rate"]), share(row["engagement_rate"]), *won)  # fmt: skip
