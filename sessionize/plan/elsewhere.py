"""What to type where a log's rows, or its fields, lie deeper than they were looked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import polars as pl

from sessionize.plan.evidence import Evidence, Types, keys_of_pairs

MANY: Final = 3
"""Words of a name that are more likely names of as many columns."""
SIGNS: Final = {sign: f"'{sign}'" for sign in ",;|"} | {"\t": "'\\t'"}
"""What fields lie between, and how it is typed."""


def rows_in(types: Types, evidence: Evidence) -> Iterator[str]:
    """What to type for columns of JSON text that are lists of objects: its rows may be in one, with what they share beside."""
    texts = [name for name, dtype in types.items() if dtype == pl.String and name.isidentifier()]
    for name in texts:
        if _is_rows(next(iter(evidence.texts(name).drop_nulls().head(1)), "")):
            each = f"jq -c '.{name}[] as $row | del(.{name}) + $row' FILE"
            yield f"its rows may be in {name!r}: {each} | sessionize run - …"


def _is_rows(text: str) -> bool:
    """Whether a text is a list of objects, and not of one thing's attributes, each with a key and a value."""
    try:
        return text.startswith("[{") and not keys_of_pairs(json.loads(text))
    except (ValueError, RecursionError):
        return False


def fields_in(types: Types) -> str | None:
    """What to type where the only column's name looks like several, by what stands between them; None where it does not."""
    if len(types) != 1:
        return None
    (name,) = types
    if "::" in name:
        return "its fields seem to lie between '::': sed 's/::/\\t/g' FILE | sessionize run - …"
    for sign, typed in SIGNS.items():
        if name.count(sign) + 1 >= MANY:
            return f"its fields seem to lie between {typed}: --delimiter {typed}"
    return "its fields seem to lie between blanks: --delimiter ' '" if len(name.split()) >= MANY else None
