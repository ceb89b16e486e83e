"""What to type where a log's rows, or its fields, lie deeper than they were looked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from sessionize.plan.evidence import Evidence, Types

MANY: Final = 3
"""Words of a name that are more likely names of as many columns."""


def rows_in(types: Types, evidence: Evidence) -> Iterator[str]:
    """What to type for columns of JSON text that are lists of objects: its rows may be in one, with what they share beside."""
    texts = [name for name, dtype in types.items() if dtype == pl.String and name.isidentifier()]
    for name in texts:
        if next(iter(evidence.texts(name).drop_nulls().head(1)), "").startswith("[{"):
            each = f"jq -c '.{name}[] as $row | del(.{name}) + $row' FILE"
            yield f"its rows may be in {name!r}: {each} | sessionize run - …"


def fields_in(types: Types) -> str | None:
    """What to type where the only column's name looks like several, by what stands between them; None where it does not."""
    if len(types) != 1:
        return None
    (name,) = types
    if "::" in name:
        return "its fields seem to lie between '::': sed 's/::/\\t/g' FILE | sessionize run - …"
    return "its fields seem to lie between blanks: --delimiter ' '" if len(name.split()) >= MANY else None
