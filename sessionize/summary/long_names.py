"""Names that may be long: counted by what stands for each, so that not all of them have to be held."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import polars as pl

LONG: Final = 256
"""Characters of a name from which on a digest stands for it."""
MARK: Final = "\0"
"""What a digest begins with; of a name that does, the digest is taken, too."""


def has_digest(names: pl.Series) -> pl.Series:
    """Whether a digest stands for each name."""
    return (names.str.len_chars() > LONG) | names.str.starts_with(MARK)


def keys(names: pl.Series) -> pl.Series:
    """What stands for each name: itself, or MARK and a digest where it is long; null for null."""
    if not has_digest(names).any():
        return names
    return pl.Series(names.name, [name if name is None else _key(name) for name in names], dtype=pl.String)


def _key(name: str) -> str:
    is_long = len(name) > LONG or name.startswith(MARK)
    return f"{MARK}{blake2b(name.encode()).hexdigest()}" if is_long else name
