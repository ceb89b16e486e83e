"""What every screen begins and ends with: the log, its size, days, zone and key; rejected rows, rules, the next command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from sessionize.cli.screens.text import DIM, LOUD, Cell, Line, Page, cut_middle, wrapped
from sessionize.cli.view import plain
from sessionize.readable import dates, duration, number, share
from sessionize.summary.names import PAGE_PREFIX, is_path


def header(facts: Mapping[str, Any], events: int | None, first: Any, last: Any, where: Page) -> list[Line]:
    """The log, in one line or two.

    Args:
        facts: What the screen says of the answer.
        events: How many there are.
        first: Time of the first.
        last: Time of the last.
        where: How wide the screen is.
    """
    inputs = facts["inputs"]
    name = inputs[0] if len(inputs) == 1 else f"{inputs[0]} and {len(inputs) - 1} more"
    parts = [
        cut_middle("stdin" if name == "-" else name.rsplit("/", 1)[-1] or name, 32),
        f"{number(events)} events",
        *([f"{dates(first, last, facts['timezone'])} {facts['timezone']}"] if first else []),
        f"key {key(facts)}",
    ]
    return [
        (Cell(line, "bold" if place == 0 else ""),) for place, line in enumerate(wrapped(parts, "   ", where.width))
    ]


def key(facts: Mapping[str, Any]) -> str:
    """The columns that make the key."""
    columns = facts["account"].get("columns", {})
    names = [columns[role] for role in ("session_id", "profile_id") if role in columns]
    texts = [" + ".join(map(str, name)) if isinstance(name, list | tuple) else str(name) for name in names]
    return plain(", else ".join(texts))


def footer(facts: Mapping[str, Any], notes: list[str], following: str | None, where: Page) -> list[Line]:
    """Rejected rows, the rules and what words mean; the next command to type.

    Args:
        facts: What the screen says of the answer.
        notes: What else is to be said.
        following: The next command, behind ``sessionize``; None for none.
        where: How wide the screen is.
    """
    counts = facts["account"].get("counts", {})
    rejected, rows = counts.get("rejected", 0), counts.get("rows_read", 0)
    said = [f"{number(rejected)} rows rejected"]
    if rejected:
        said[0] += f" ({share(rejected / rows)})" if rows else ""
        said += [f"{many:,} {reason}" for reason, many in counts.get("rejected_by_reason", {}).items()]
    said += left_out_text(counts, "--where" if "--where" in facts.get("options", ()) else "a condition")
    lines: list[Line] = [(Cell(line, LOUD if rejected and place == 0 else DIM),)
                         for place, line in enumerate(wrapped([*said, *notes], " · ", where.width))]  # fmt: skip
    if following is not None:
        lines.append((Cell("next: ", DIM), Cell(f"sessionize {following}")))
    return lines


def left_out_text(counts: Mapping[str, Any], by: str) -> list[str]:
    """How many rows a condition left out; nothing where it left out none.

    Args:
        counts: Rows that were read, and events.
        by: What the condition is called.
    """
    left_out = counts.get("left_out", 0)
    if not left_out:
        return []
    if not counts.get("events", 0):
        return [f"{by} matches none of the {number(left_out)} rows"]
    return [f"{number(left_out)} rows left out by {by}"]


def timeout_text(facts: Mapping[str, Any]) -> str:
    """The timeout in force."""
    seconds = facts["account"].get("rules", {}).get("timeout_s")
    return "no timeout" if seconds is None else f"timeout {duration(seconds)}"


def page_note(steps: Iterable[str]) -> list[str]:
    """What a step that is a path does not look at; nothing where none is one.

    Args:
        steps: Steps as they were typed.
    """
    paths = (step.removeprefix(PAGE_PREFIX) for step in steps)
    return ["page:/… is a path with any query string"] if any(is_path(path) for path in paths) else []


def typed_inputs(facts: Mapping[str, Any], without: str | None = None) -> str:
    """The inputs as they are typed in a shell, with the options that hold for the next command too.

    Args:
        facts: What the screen says of the answer.
        without: An option that the next command has another value of.
    """
    words = [f"./{each}" if each.startswith("-") and len(each) > 1 else each for each in facts["inputs"]]
    options = list(facts.get("options", ()))
    if without in options:
        place = options.index(without)
        options[place : place + 2] = []
    return " ".join(quoted(each) for each in (*words, *options))


def quoted(name: str) -> str:
    """A name from the data as it is typed in a shell, safe to print.

    Examples:
        >>> print(quoted("a"), quoted("a b"), quoted("a = 'b'"))
        a 'a b' "a = 'b'"
    """
    if "'" in name and not set(name) & set('"$`\\!'):
        return plain(f'"{name}"')
    return plain(shlex.quote(name))
