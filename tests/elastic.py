"""A strict index, such as Tracardi's of sessions: whether it would take a document, by its mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

LONGEST_TERM: Final = 32_766
"""Bytes of a term: Lucene refuses a document with a longer one that is to be indexed."""
LONGEST_ID: Final = 512
"""Bytes of ``_id``."""
DEEPEST: Final = 20
"""Levels of a flattened object."""
DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?")
"""``strict_date_optional_time``, as far as it is needed."""


class Kind(NamedTuple):
    """How a field is mapped.

    Attributes:
        type: The type's name.
        ignore_above: Characters above which a keyword is stored, but not indexed.
    """

    type: str
    ignore_above: int | None = None


KEYWORD, DATES, FLOAT, FLATTENED = Kind("keyword"), Kind("date"), Kind("float"), Kind("flattened")
ID: Final = Kind("keyword", 64)
SESSIONS: Final[dict[str, Any]] = {
    "id": ID,
    "primary_id": ID,
    "metadata": {
        "status": Kind("keyword", 32),
        "time": {
            "insert": DATES, "create": DATES, "update": DATES, "weekday": Kind("byte"), "timestamp": Kind("integer"),
            "duration": FLOAT,
        },
        "channel": KEYWORD,
        "aux": FLATTENED,
    },
    "profile": {"id": ID, "primary_id": ID},
    "device": {
        "name": KEYWORD, "brand": KEYWORD, "model": KEYWORD, "type": KEYWORD, "ip": Kind("keyword", 18),
        "touch": Kind("boolean"), "resolution": Kind("keyword", 32), "color_depth": Kind("integer"),
        "orientation": Kind("keyword", 32),
        "geo": {
            "country": {"name": KEYWORD, "code": Kind("keyword", 10)},
            "county": Kind("keyword", 64), "city": Kind("keyword", 64), "postal": Kind("keyword", 24),
            "latitude": FLOAT, "longitude": FLOAT, "location": Kind("geo_point"),
        },
    },
    "os": {"name": Kind("keyword", 64), "version": Kind("keyword", 32)},
    "app": {
        "type": KEYWORD, "bot": Kind("boolean"), "name": KEYWORD, "version": KEYWORD, "language": Kind("keyword", 32),
        "resolution": Kind("keyword", 32),
    },
    "utm": {
        "source": Kind("keyword", 64), "medium": Kind("keyword", 64), "campaign": Kind("keyword", 64),
        "term": Kind("keyword", 64), "content": Kind("keyword", 96),
    },
    "context": FLATTENED, "properties": FLATTENED, "traits": Kind("object"), "aux": FLATTENED,
}  # fmt: skip
"""Tracardi's index of sessions (tracardi/service/setup, session-index): strict, so that it refuses what is not here."""


def refusals(document: dict[str, Any], mapping: dict[str, Any] = SESSIONS, path: str = "") -> Iterator[str]:
    """Why an index would refuse a document; nothing where it takes it."""
    for name, value in document.items():
        place = f"{path}{name}"
        kind = mapping.get(name)
        if kind is None:
            yield f"{place}: strict_dynamic_mapping_exception"
        elif value is None:
            continue
        elif isinstance(kind, dict):
            yield from refusals(value, kind, f"{place}.") if isinstance(value, dict) else [f"{place}: no object"]
        elif not _takes(kind, value):
            yield f"{place}: {kind.type} does not take {str(value)[:60]!r}"


def _takes(kind: Kind, value: Any) -> bool:
    takes: dict[str, Callable[[], bool]] = {
        "keyword": lambda: _is_term(value, kind.ignore_above),
        "date": lambda: isinstance(value, str) and DATE.fullmatch(value) is not None and bool(datetime.fromisoformat(value)),
        "boolean": lambda: isinstance(value, bool),
        "byte": lambda: _is_number(value) and -128 <= int(value) < 128,
        "integer": lambda: _is_number(value) and -(1 << 31) <= int(value) < 1 << 31,  # decimals are cut off
        "float": lambda: _is_number(value) and abs(value) < 3.4e38,
        "geo_point": lambda: isinstance(value, list) and len(value) == 2 and abs(value[0]) <= 180 and abs(value[1]) <= 90,
        "flattened": lambda: isinstance(value, dict) and all(_is_leaf(*each) for each in _leaves(value)),
        "object": lambda: isinstance(value, dict) and all(name.strip(".") for name in value),
    }  # fmt: skip
    return takes[kind.type]()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_term(value: Any, ignore_above: int | None) -> bool:
    if not isinstance(value, str):
        return False
    return len(value.encode()) <= LONGEST_TERM or (ignore_above is not None and len(value) > ignore_above)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, path)
    elif value is not None:
        yield path, value


def _is_leaf(path: tuple[str, ...], value: Any) -> bool:
    term = f"{'.'.join(path)}\0{value}"
    return len(path) <= DEEPEST and len(term.encode()) <= LONGEST_TERM and not any("\0" in name for name in path)
