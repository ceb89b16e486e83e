"""What is meant by an option that there is not: another tool's word for one of ours, a column's usual name, or a slip."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Final

from sessionize import schema
from sessionize.cli import options as o
from sessionize.errors import UsageError
from sessionize.plan.names import OPTIONS
from sessionize.values import NamedTuple

OTHER_WORDS: Final = {
    "by": ("breakdown", "group", "group_by"),
    "columns": ("column_names", "names"),
    "conversion": ("conversion_event", "conversion_events"),
    "delimiter": ("field_delimiter", "field_separator", "sep", "separator"),
    "exclude_bots": ("bots", "filter_bots", "ignore_bots", "no_bots"),
    "max_duration": ("max_length", "max_session_duration", "max_session_length"),
    "memory_limit": ("max_memory", "mem", "memory"),
    "null": ("na_values", "null_value", "null_values"),
    "output": ("dest", "destination", "out", "out_dir", "output_dir", "output_folder"),
    "page_view": ("page_view_event", "page_view_events"),
    "skip_lines": ("skip", "skip_rows"),
    "time_format": ("date_format", "datetime_format", "timestamp_format"),
    "timeout": (
        "gap", "idle", "idle_timeout", "inactivity", "inactivity_timeout", "max_gap", "max_inactivity", "session_gap",
        "session_timeout", "timeout_minutes", "visit_timeout", "window",
    ),
    "timezone": ("tz", "zone"),
    "top": ("head", "limit"),
    "where": ("condition", "filter", "query"),
}  # fmt: skip
"""Option → what it is called elsewhere."""
OF_A_COLUMN: Final = ("column", "field", "col")
"""What other tools add to the name of an option that chooses a column."""
NEAR: Final = 0.75
"""How alike a slip and the option that is meant are: a letter or two of a word."""


class Meant(NamedTuple):
    """An option, and what to type behind it; nothing where only the option is known."""

    option: str
    value: str = ""

    @property
    def typed(self) -> str:
        """Both as a shell takes them."""
        return f"--{self.option} {shlex.quote(self.value)}" if self.value else f"--{self.option}"

    @property
    def in_file(self) -> str:
        """Both as a configuration file has them."""
        return f"{self.option} = {json.dumps(self.value, ensure_ascii=False)}" if self.value else self.option


def meant(word: str, there: Collection[str], value: object = None) -> Meant | None:
    """What is meant by an option that there is not; None where nothing is like it.

    Args:
        word: The option, without dashes before it.
        there: Names of the options that there are.
        value: What was given with it; a text may be a column's name.

    Examples:
        >>> options = ["page", "map", "timeout"]
        >>> [meant(word, options).typed for word in ("gap", "timout", "url-column")]
        ['--timeout', '--timeout', '--page COLUMN']
        >>> meant("user-agent", options, "ua").typed, meant("verbosity", options)
        ('--map user_agent=ua', None)
    """
    names = {name.replace("_", "-") for name in there}
    said = schema.spelling(word)
    if ours := _ours(said):
        return Meant(ours) if ours in names else None
    role = _role(said)
    own = OPTIONS.get(role or "", "--map").removeprefix("--")
    if role is not None and own in names:
        column = value if isinstance(value, str) and value else "COLUMN"
        return Meant(own, f"{role}={column}" if own == "map" else column)
    near = get_close_matches(word.replace("_", "-"), names, n=1, cutoff=NEAR)
    return Meant(near[0]) if near else None


def _ours(said: str) -> str | None:
    """Our option of which that is another name."""
    ours = (option for option, words in OTHER_WORDS.items() if said in map(schema.spelling, words))
    return next((option.replace("_", "-") for option in ours), None)


def _role(said: str) -> str | None:
    """The role that columns of a name usually play."""
    ways = {said, *(said.removesuffix(ending) for ending in OF_A_COLUMN)}
    names = ((role, {role, *names}) for role, names in schema.USUAL_NAMES.items())
    return next((role for role, usual in names if ways & {*map(schema.spelling, usual)}), None)


def no_such_option(error: Any, arguments: Sequence[str]) -> UsageError:
    """Say of an option that there is not what to type.

    Args:
        error: What Typer raised.
        arguments: What was typed.
    """
    option, context = error.option_name, error.ctx
    word = option.lstrip("-")
    there = [] if context is None else [typed.lstrip("-") for each in context.command.params for typed in each.opts]
    found = meant(word, there, _value(option, arguments))
    hint = None if context is None else f"{context.command_path} -h lists the options"
    if found is not None and len(word) > 1:
        hint = f"did you mean {found.typed}?"
    elif others := _commands_with(word):
        hint = others
    return UsageError(f"no such option: {option}", hint=hint)


def _value(option: str, arguments: Sequence[str]) -> str | None:
    """What was typed behind an option; None for nothing."""
    for word, behind in pairwise([*arguments, "-"]):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option and not behind.startswith("-"):
            return behind
    return None


def _commands_with(word: str) -> str:
    """Which commands have the option, in a sentence; empty where none has."""
    from sessionize.cli import app

    app.load_all()
    option = f"--{_ours(schema.spelling(word)) or word}"
    have = [name for name in app.COMMANDS if any(option in row.typed for row in o.taken_by(name))]
    return f"{option} is an option of {', '.join(have)}" if have else ""
