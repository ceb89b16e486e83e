"""Columns of the metrics that the user adds, as they are typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

from sessionize.errors import UsageError
from sessionize.own import EXAMPLES
from sessionize.patterns import pattern

NAMED: Final = pattern(r"\s*([^\W\d][\w.$-]*)\s*=\s*(.+)", re.DOTALL)
"""A name, and what it stands for."""


def dimensions(given: Iterable[str] | None) -> dict[str, str]:
    """Name → column or reference of the log: ``plan``, or ``plan=context.plan``.

    Examples:
        >>> dimensions(["plan", "app=context.app", '"a=b"'])
        {'plan': 'plan', 'app': 'context.app', 'a=b': '"a=b"'}
    """
    found: dict[str, str] = {}
    for text in given or ():
        parts = NAMED.fullmatch(text)
        name, reference = (text.strip('"'), text) if parts is None else (parts[1], parts[2])
        _add(found, name, reference, "--dimension")
    return found


def named(given: Iterable[str] | None, option: str) -> dict[str, str]:
    """Name → SQL.

    Args:
        given: What was typed, each ``NAME=SQL``.
        option: Option that it was typed after.

    Raises:
        UsageError: If there is no name, or one twice.
    """
    found: dict[str, str] = {}
    for text in given or ():
        parts = NAMED.fullmatch(text)
        if parts is None:
            raise UsageError(f"{option} {text!r} is no NAME=SQL", hint=f"for example {option} {EXAMPLES[option]}")
        _add(found, parts[1], parts[2], option)
    return found


def _add(found: dict[str, str], name: str, text: str, option: str) -> None:
    if name in found:
        raise UsageError(
            f"{option} {name}: the name is taken, by {option}",
            hint=f"another name: {option} {shlex.quote(f'my_{name}={text}')}",
        )
    found[name] = text
