"""What a preset says of the raw columns themselves: texts that mean null, percent-encoding, the visitor. Row-local."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

import polars as pl

from sessionize.preset import VISITOR, Preset

VISITOR_BYTES: Final = 16


def shaped(raw: pl.LazyFrame, types: Mapping[str, pl.DataType], preset: Preset) -> pl.LazyFrame:
    """The rows with null where the preset's texts mean it, decoded texts, and a ``visitor`` column if it names one.

    Args:
        raw: Rows as the reader gives them.
        types: Type of each of the log's columns.
        preset: Columns it names that the log has not are passed over.
    """
    texts = [name for name, dtype in types.items() if dtype == pl.String]
    everywhere = preset.nulls.get("*", ())
    nulls = {name: (*everywhere, *preset.nulls.get(name, ())) for name in texts}
    raw = raw.with_columns(
        pl.when(~pl.col(name).is_in(list(meant))).then(name).alias(name) for name, meant in nulls.items() if meant
    )
    decoded = [name for name in preset.decode if name in texts]
    if decoded:
        raw = raw.with_columns(_mapped(pl.col(name), _decoded) for name in decoded)
    there = [pl.col(name).cast(pl.String) for name in preset.visitor if name in types]
    if not there or VISITOR in types:
        return raw
    values = pl.concat_str(pl.format("{}:{}", part.fill_null("").str.len_bytes(), part.fill_null("")) for part in there)
    known = pl.any_horizontal(part.is_not_null() for part in there)
    return raw.with_columns(pl.when(known).then(_mapped(values, _digest)).alias(VISITOR))


def _mapped(texts: pl.Expr, function: Callable[[str], str]) -> pl.Expr:
    return texts.map_batches(lambda values: distinctly(values, function), return_dtype=pl.String, is_elementwise=True)


def distinctly(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """A function of each text, called once for each different one; null stays null."""
    different = texts.unique().drop_nulls()
    found = pl.Series([function(text) for text in different], dtype=pl.String)
    return texts.replace_strict(different, found, default=None, return_dtype=pl.String)


def _decoded(text: str) -> str:
    # Some writers encode twice: what still holds %20 and no blank was one of them.
    once = unquote(text)
    return unquote(once) if "%20" in once and " " not in once else once


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=VISITOR_BYTES).hexdigest()
