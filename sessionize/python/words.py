"""What the command line says, in Python's words: ``timeout="30m"`` for ``--timeout 30m``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sessionize.errors import SessionizeError, UnforeseenError
from sessionize.patterns import pattern
from sessionize.unforeseen import as_called

Error = TypeVar("Error", bound=SessionizeError)
LISTS: Final = ("columns",)
"""Options whose one text is several, apart by commas."""
NUMBERS: Final = ("examples", "max_events", "skip_lines", "steps", "top")
"""Options whose values are whole numbers."""
NUMBER: Final = pattern(r"-?\d+")
NOT_VALUES: Final = frozenset((
    "and", "asks", "both", "can", "cannot", "could", "does", "finds", "for", "goes", "has", "holds", "is", "knows", "must",
    "named", "names", "needs", "nor", "or", "reads", "say", "says", "shows", "take", "takes", "than", "to", "which", "with", "would",
))  # fmt: skip
"""Words that come behind an option's name in a sentence, and are no value of it."""
VALUE: Final = rf"""(?!(?:{"|".join(sorted(NOT_VALUES))})\b)(?:'[^']*'|"[^"]*"|[^\s,;?()'"]+(?:,[^\s,;?()'"]+)*)"""
OPTION: Final = rf"--([a-z][a-z-]*[a-z])(?:[ =]({VALUE}))?"
TYPED: Final = pattern(rf"(?<![\w-]){OPTION}(?: {OPTION})*")
ONE: Final = pattern(OPTION)
SHELL: Final = pattern(r"(sessionize [a-z]+ [^;]*|curl [^;]*|iconv [^;]*)")
"""What is typed in a shell, Python or not, and stays as it is."""
IN_PYTHON: Final = {
    "sessionize run FILE -o out keeps them with their reasons in rejected.ndjson": (
        "sessionize.sessionize(data) says what is wrong with the first one"
    ),
    "sessionize show INPUT --longest shows one that there is": "sessionize.sessionize(data).metrics has all that there are",
    "sessionize compare --explain all lists them": "in a shell, sessionize compare --explain all lists them",
    "written by check --output-format json": "written by sessionize check --output-format json",
    "; nothing was written": "",
    "; --debug shows the traceback": "",
}
"""What means nothing to a call, and what is said instead."""


def name_of(option: str) -> str:
    """The keyword of an option: dashes as underscores, and one behind a word of Python's own.

    Examples:
        >>> name_of("session-id"), name_of("from")
        ('session_id', 'from_')
    """
    name = option.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def in_python(text: str, flags: frozenset[str], *, is_message: bool = False) -> str:
    """A message or a hint with keywords in place of options.

    Args:
        text: As the command line says it.
        flags: Names of the options that take no value.
        is_message: Whether it says what is wrong with an option, and not what to write.

    Examples:
        >>> in_python("for example --timeout 30m, or --timeout none", frozenset())
        'for example timeout="30m", or timeout=None'
        >>> in_python("--timestamp date --timestamp 'time of day'", frozenset())
        'timestamp=["date", "time of day"]'
        >>> in_python("--map ip=addr says which; --channels, which finds it", frozenset({"channels"}))
        'map={"ip": "addr"} says which; channels=True, which finds it'
        >>> in_python("--timeout '30' says no unit", frozenset(), is_message=True)
        "timeout '30' says no unit"
    """
    for shell, python in IN_PYTHON.items():
        text = text.replace(shell, python)
    parts = SHELL.split(text)

    def written(found: re.Match[str]) -> str:
        return _written(found[0], flags, is_message=is_message)

    return "".join(part if place % 2 else TYPED.sub(written, part) for place, part in enumerate(parts))


def _written(options: str, flags: frozenset[str], *, is_message: bool) -> str:
    """One option, or several side by side, as keywords."""
    values: dict[str, list[str]] = {}
    for found in ONE.finditer(options):
        is_alone = found[1] in flags or found[2] is None
        values.setdefault(name_of(found[1]), []).extend([] if is_alone else [found[2]])
    if is_message and len(values) == 1 and options.endswith(("'", '"')):
        return options.replace(options.split(maxsplit=1)[0], next(iter(values)), 1)
    names = {name_of(flag) for flag in flags}
    told = [
        _keyword(name, given) if given else f"{name}=True" if name in names and not is_message else name
        for name, given in values.items()
    ]
    return ", ".join(told) + _behind_flag(options, flags)


def _behind_flag(options: str, flags: frozenset[str]) -> str:
    """The word behind a flag: it is none of its values, but the sentence's."""
    *_, last = ONE.finditer(options)
    return f" {last[2]}" if last[1] in flags and last[2] is not None else ""


def _keyword(name: str, values: list[str]) -> str:
    end = next((each[len(each.rstrip(":.")) :] for each in values[-1:]), "")
    plain = [_plain(each.rstrip(":.") if each[:1] not in "'\"" else each) for each in values]
    if name == "map":
        pairs = (each.partition("=") for each in plain)
        return f"map={{{', '.join(f'{_quoted(role)}: {_quoted(column)}' for role, _, column in pairs)}}}{end}"
    if name in LISTS and len(plain) == 1 and not plain[0].startswith("@"):
        plain = plain[0].split(",")
        return f"{name}=[{', '.join(map(_quoted, plain))}]{end}"
    if len(plain) > 1:
        return f"{name}=[{', '.join(map(_quoted, plain))}]"
    return f"{name}={_value(name, plain[0])}{end}"


def _plain(value: str) -> str:
    return value[1:-1] if value[:1] in "'\"" and value[:1] == value[-1:] else value


def _value(name: str, value: str) -> str:
    if value == "none" and name in ("timeout", "max_duration"):
        return "None"
    if "|" in value and value.replace("|", "").isalnum():
        *some, last = map(_quoted, value.split("|"))
        return f"{', '.join(some)} or {last}"
    return value if NUMBER.fullmatch(value) and name in NUMBERS else _quoted(value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def python_names() -> Iterator[None]:
    """Raises errors that come through it in Python's words; the hint is a note of theirs, so that it is seen."""
    try:
        with as_called():
            yield
    except SessionizeError as error:
        raise translated(error) from (error.__cause__ if isinstance(error, UnforeseenError) else None)


def translated(error: Error) -> Error:
    """The same error in Python's words."""
    from sessionize.python.keywords import FLAGS  # noqa: PLC0415 - which is written with this module's names

    hint = None if error.hint is None else in_python(error.hint, FLAGS)
    found = error.worded(in_python(error.message, FLAGS, is_message=True), hint)
    if hint:
        found.add_note(f"hint: {hint}")
    return found
