"""Regular expressions that are compiled when they are first used: a start uses few of the hundred there are."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Uncompiled:
    """Stands for a pattern: what is first asked of it compiles it, and stays."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._text, self._flags), name)
        self.__dict__[name] = found
        return found


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The same as `re.compile`, but for when; it has a pattern's methods, but is none to `re` itself.

    Examples:
        >>> DAY = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
        >>> DAY.findall("from 2024-05-30 to 2024-06-02")
        ['2024-05-30', '2024-06-02']
    """
    return cast("re.Pattern[AnyStr]", _Uncompiled(text, flags))
