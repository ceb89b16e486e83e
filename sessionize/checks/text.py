"""Text from the data, made safe for every format: a control character would end an XML or a terminal."""

from __future__ import annotations

from typing import Final

from sessionize.readable import visible

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
    return visible(cut)


def quoted(text: object) -> str:
    r"""The same between quotation marks.

    Examples:
        >>> print(quoted("a\x1b[31m"), quoted("it's"))
        'a\x1b[31m' "it's"
    """
    found = sanitize(text)
    mark = '"' if "'" in found and '"' not in found else "'"
    return f"{mark}{found}{mark}"


def listed(names: list[str]) -> str:
    """The first few names, after a colon; empty where there are none."""
    if not names:
        return ""
    more = f", … ({len(names)} in all)" if len(names) > LISTED else ""
    return f": {', '.join(names[:LISTED])}{more}"
