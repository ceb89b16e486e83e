"""The sections of a report, in the summary's order, and how it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sessionize.answers import SECTIONS, Answer
from sessionize.instants import iso
from sessionize.readable import dates, duration, moment, number
from sessionize.report.behaviour import conversions, funnel, paths
from sessionize.report.calendar import hours, over_time
from sessionize.report.lengths import depth, lengths, silences
from sessionize.report.origins import channels, groups, pages
from sessionize.report.parts import Report, Section
from sessionize.report.totals import totals
from sessionize.report.trust import quality
from sessionize.report.words import MEANINGS

Data = Mapping[str, Any]
Makes = Callable[[Data, Data], Section | None]
MAKERS: Final[dict[str, Makes]] = {
    "totals": totals, "time": over_time, "hours": hours, "lengths": lengths, "depth": depth, "silences": silences,
    "pages": pages, "channels": channels, "groups": groups, "conversions": conversions, "funnel": funnel, "paths": paths,
    "quality": quality,
}  # fmt: skip
"""A section's name, and what makes it of the data and the facts; None where the log says nothing of it."""
MOST_FILES: Final = 5
MOST_NOTES: Final = 10
ALWAYS: Final = ("totals", "quality")
"""What there is to tell of no sessions."""


def report_of(answer: Answer, title: str | None = None) -> Report:
    """The report of an answer.

    Args:
        answer: What `sessionize.answers.report` found.
        title: Heading of the report; None for one that names the log.
    """
    data, facts = answer.data, answer.facts
    wanted = facts["sections"] or SECTIONS
    told = [name for name in SECTIONS if name in wanted and (data["sessions"] or name in ALWAYS)]
    found = [MAKERS[name](data, facts) for name in told]
    return Report(
        title=title or f"Sessions of {_log(facts)}",
        about=_about(data, facts),
        sections=[section for section in found if section is not None],
        foot=_foot(facts),
        definitions=list(MEANINGS.items()),
    )


def _log(facts: Data) -> str:
    inputs = facts["inputs"]
    first = "standard input" if inputs[0] == "-" else inputs[0].rstrip("/").rsplit("/", 1)[-1] or inputs[0]
    return first if len(inputs) == 1 else f"{first} and {len(inputs) - 1} more"


def _about(data: Data, facts: Data) -> list[str]:
    span = [f"{dates(data['first'], data['last'], facts['timezone'])} {facts['timezone']}"] if data["first"] else []
    return [*span, f"{number(data['sessions'])} sessions", f"{number(data['events'])} events", *_chosen(data, facts)]


def _minute(microseconds: int, facts: Data) -> str:
    local = moment(iso(microseconds), facts["timezone"])
    return "" if local is None else local.replace(tzinfo=None).isoformat(" ", "minutes")


def _chosen(data: Data, facts: Data) -> list[str]:
    """Which sessions were chosen, and what they are compared with."""
    selection, compare = facts["selection"], data["compare"]
    found = []
    if selection.last is not None:
        found.append(f"only the last {duration(selection.last.total_seconds())}")
    if selection.since is not None:
        found.append(f"only from {_minute(selection.since, facts)} on")
    if selection.until is not None:
        found.append(f"only before {_minute(selection.until, facts)}")
    if selection.where is not None:
        found.append(f"only where {selection.where}")
    found += [f"only with an event {step}" for step in selection.containing]
    if compare is not None and compare["this"] is None:
        found.append(f"compared with {compare['name']}")
    return found


def _foot(facts: Data) -> list[tuple[str, str]]:
    account = facts["account"]
    files = [str(each["path"]) for each in account["inputs"]]
    shown = ", ".join(files[:MOST_FILES]) + (
        f" and {len(files) - MOST_FILES:,} more" if len(files) > MOST_FILES else ""
    )
    columns = ", ".join(_column(role, name) for role, name in account["columns"].items())
    return [
        ("Log", shown or ", ".join(facts["inputs"])),
        ("Columns", columns or "none"),
        ("Rules", ", ".join(_rules(account["rules"]))),
        ("Time zone", f"{facts['timezone']}, of days, weekdays and hours"),
        ("Complete up to", "no event" if account["watermark"] is None else str(account["watermark"])),
        *([("Layout", str(account["layout"]))] if account.get("layout") else []),
        *(("Note", str(note)) for note in (*account.get("notes", ()), *facts["absent"])[:MOST_NOTES]),
        ("Manifest, SHA-256", facts["digest"]),
        ("Made by", f"sessionize {account['version']}"),
    ]


def _column(role: str, name: Any) -> str:
    column = " + ".join(map(str, name)) if isinstance(name, list | tuple) else str(name)
    return column if role == column else f"{role} = {column}"


def _rules(rules: Data) -> list[str]:
    """The rules that hold, by the names that the manifest has."""
    found = ["no timeout" if rules["timeout_s"] is None else f"timeout {duration(rules['timeout_s'])}"]
    for name, value in rules.items():
        if name in ("timeout_s", "timezone", "time_format", "traits") or value in (None, False, [], "full", (), {}):
            continue
        words = name.removesuffix("_s").replace("_", " ")
        if value is True:
            found.append(words)
        elif name.endswith("_s"):
            found.append(f"{words} {duration(value)}")
        else:
            found.append(f"{words} {_listed(value)}")
    return found


def _listed(value: Any) -> str:
    """A rule's value in words: of columns that were added each name, and what it is."""
    if isinstance(value, Mapping):
        told = {
            name: each.get("of") or each.get("sql", "") if isinstance(each, Mapping) else each
            for name, each in value.items()
        }
        return " | ".join(f"{name} = {of}" if of else str(name) for name, of in told.items())
    return " | ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
