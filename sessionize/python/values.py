"""Values of keywords: texts as they are typed, or what Python has for them. Each says what it would have taken."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.config import MICROSECOND, Rules
from sessionize.errors import UsageError
from sessionize.instants import EPOCH
from sessionize.python.words import name_of

Path: TypeAlias = str | os.PathLike[str]
Duration: TypeAlias = str | timedelta
Texts: TypeAlias = str | Sequence[str]
Moment: TypeAlias = str | datetime | date


def as_typed(row: o.Option, value: Any) -> Any:
    """A keyword's value as it would have been typed; None where it says nothing.

    Args:
        row: The option.
        value: A text, or what Python has for it.

    Raises:
        UsageError: If it is of a wrong type.
    """
    name = name_of(row.name)
    if value is None:
        return "none" if row.name == "timeout" else None
    by_metavar = dict.fromkeys(settings.DURATIONS, duration) | {"TIME": moment}
    by_kind = {"flag": flag, "number": number, "texts": texts, "text": text}
    take = TYPES.get(row.name) or by_metavar.get(row.metavar or "") or by_kind[row.kind]
    return take(name, value)


def _of(kind: type, name: str, value: Any, words: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{name} is {words}, not {_shown(value)}")
    return str(value) if kind is str else value  # a text of NumPy's is shown as one


def _shown(value: Any) -> str:
    written = " ".join(repr(value).split())
    return f"{written if len(written) <= 60 else f'{written[:57]}…'} ({type(value).__name__})"


def number(name: str, value: Any) -> int:
    """A whole number."""
    found: int = _of(int, name, value, "a whole number")
    return found


def text(name: str, value: Any) -> str:
    """A text."""
    found: str = _of(str, name, value, "a text")
    return found


def texts(name: str, value: Any) -> list[str]:
    """One text, or several."""
    if isinstance(value, str):
        return [str(value)]
    if isinstance(value, (Mapping, bytes)) or not isinstance(value, Sequence):
        raise UsageError(f"{name} is a text or a list of texts, not {_shown(value)}")
    return [text(name, each) for each in value]


def duration(name: str, value: Any) -> str:
    """A duration as text: ``"45m"``, or a timedelta to the microsecond."""
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise UsageError(f"{name} cannot be negative: {value}", hint=f'for example {name}="30m"')
        return f"{value // MICROSECOND}us"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # which says no unit: the message asks which one is meant
    found: str = _of(str, name, value, 'a duration, such as "45m" or timedelta(minutes=45)')
    return found


def moment(name: str, value: Any) -> str:
    """A time as text; one without zone is in the time zone asked for."""
    if isinstance(value, date):
        return value.isoformat()
    found: str = _of(str, name, value, "a datetime, a date or an ISO 8601 text")
    return found


def flag(name: str, value: Any) -> bool:
    """Whether something is asked for."""
    found: bool = _of(bool, name, value, "True or False")
    return found


def path(name: str, value: Any) -> str:
    """A path, or the name of something that is shipped."""
    found: str = _of(str, name, os.fspath(value) if isinstance(value, os.PathLike) else value, "a path or a name")
    return found


def file_name(config: Any) -> str | None:
    """The path of a file of options; None for none."""
    return None if config is None else path("config", config)


def _zone(name: str, value: Any) -> str:
    if isinstance(value, ZoneInfo) and value.key is not None:
        return value.key
    if isinstance(value, tzinfo):
        return "UTC" if value.utcoffset(EPOCH) == timedelta(0) and str(value) == "UTC" else str(value)
    found: str = _of(str, name, value, 'a zone, such as "Europe/Berlin" or a ZoneInfo')
    return found


def _size(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}B"
    found: str = _of(str, name, value, 'a size, such as "2GB" or a number of bytes')
    return found


def _map(name: str, value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return texts(name, value)
    return [f"{text(name, role)}={column}" for role, columns in value.items() for column in texts(name, columns)]


def _columns(name: str, value: Any) -> str | None:
    return value if isinstance(value, str) else ",".join(texts(name, value)) or None


def _limit(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found: str = _of(str, name, value, 'a number of rows, or a share such as "0.5%"')
    return found


TYPES: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "preset": path,
    "geo_db": path,
    "timezone": _zone,
    "memory_limit": _size,
    "map": _map,
    "dimension": _map,
    "metric": _map,
    "goal": _map,
    "columns": _columns,
    "max_rejected": _limit,
    "rules": lambda name, value: None if isinstance(value, Rules) else path(name, value),
    "hash_ids": lambda name, value: None if isinstance(value, bytes) else path(name, value),
}
"""Options whose values have types of their own."""
