"""Columns that folders name, as Hive lays them out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from sessionize.read.shown import DEFAULT_PARTITION


def partitions(path: str) -> dict[str, str | None]:
    """Columns that the folders name, as Hive has it: ``day=2024-05-30/``.

    Examples:
        >>> partitions("logs/day=2024-05-30/shop=a%2Fb/part-0.parquet")
        {'day': '2024-05-30', 'shop': 'a/b'}
    """
    found = {}
    for part in Path(path).parts[:-1]:
        name, equals, value = part.partition("=")
        if equals and name:
            found[unquote(name)] = None if value == DEFAULT_PARTITION else unquote(value)
    return found
