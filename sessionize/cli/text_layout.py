"""How a text file is laid out, as it is typed: separator, quotes, names of columns, lines to leave out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sessionize.errors import UsageError
from sessionize.patterns import pattern

CHARACTER: Final = pattern(r"\\(?:(?:x|u00)(?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-7]{1,3}))")
CARET: Final = pattern(r"\^[A-Za-z]")
MOST_LINES: Final = 2**32
"""Lines are numbered below that."""


def csv_columns(given: str) -> tuple[str, ...]:
    """Names of columns, as typed or as the first line of a file has them: ``@FILE``."""
    if not given.startswith("@"):
        return tuple(given.split(","))
    try:
        lines = Path(given[1:]).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--columns {given}: {error}", hint="--columns @FILE takes the names from its first line"
        ) from None
    line = next((line for line in lines if line.strip()), "")
    names = tuple(name.strip().strip('"') for name in re.split("\t" if "\t" in line else ",", line))
    if not all(names):
        raise UsageError(f"--columns {given}: its first line names no columns", hint="names apart by tabs or commas")
    return names


def character(given: str | None, option: str, example: str) -> str | None:
    """One ASCII character, as it is or as shells, Hive and programming languages write it."""
    if given is None:
        return None
    found = {"\\t": "\t", "tab": "\t"}.get(given, given)
    if written := CHARACTER.fullmatch(given):
        found = chr(int(written["hex"], 16) if written["hex"] else int(written["octal"], 8))
    elif CARET.fullmatch(given):
        found = chr(ord(given[1].upper()) - 64)
    if len(found) != 1 or not found.isascii() or found in "\r\n\0" or (option == "--delimiter" and found == '"'):
        raise UsageError(
            f"{option} {given!r} is not one ASCII character, or ends a line or a text",
            hint=f"for example {option} {example}",
        )
    return found


def quote(given: str | None) -> str | None:
    """What is around fields; empty for nothing."""
    return "" if given in {"", "none"} else character(given, "--quote", '"\'", or none')


def lines(given: object) -> int:
    """How many lines to leave out."""
    if given is None:
        return 0
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise UsageError(f"--skip-lines {given} is no number of lines", hint="for example --skip-lines 1")
    if given >= MOST_LINES:
        raise UsageError(f"--skip-lines {given} is more than any log has", hint="for example --skip-lines 1")
    return given


def comment(given: str | None) -> str | None:
    """What lines begin with that are none of the log's."""
    if given is not None and (not given.strip() or "\n" in given):
        raise UsageError("--comment is empty", hint="for example --comment '#'")
    return given
