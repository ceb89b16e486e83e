"""Text from the data, made safe for every format: a control character would end an XML or a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

HIDDEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co")
LONGEST: Final = 300
LISTED: Final = 5
"""Names that a sentence has at most."""


def sanitize(text: object, *, longest: int = LONGEST) -> str:
    r"""One line of visible characters: what is not one becomes an escape; a long text is cut.

    Examples:
        >>> sanitize("a\x1b[31m\n")
        'a\\x1b[31m\\x0a'
    """
    whole = str(text)
    cut = whole if len(whole) <= longest else f"{whole[:longest]}…"
    return "".join(_escaped(letter) if unicodedata.category(letter) in HIDDEN else letter for letter in cut)


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def listed(names: list[str]) -> str:
    """The first few names, after a colon; empty where there are none."""
    if not names:
        return ""
    more = f", … ({len(names)} in all)" if len(names) > LISTED else ""
    return f": {', '.join(names[:LISTED])}{more}"
