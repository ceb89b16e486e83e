"""What rejected rows look like, where that tells how the log is to be read instead."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.result import Result
from sessionize.opening import Source

LOOKED_AT: Final = 1_000
"""Malformed rows that are looked at."""
APART: Final = 100
"""Lines that one record may reasonably hold."""
QUOTE: Final = '"'


def notes_on_rejected(log: Source, result: Result, config: Config, plan: Plan) -> Iterator[str]:
    """What to type so that rejected rows become events.

    Args:
        log: The log that was read.
        result: What became of it.
        config: What was asked for.
        plan: What the configuration means for the log.
    """
    if plan.private or config.multiline or plan.preset is not None or not log.files:
        return
    if log.files[0].format != "csv" or config.quote not in (None, QUOTE):
        return
    malformed = result.rejected.filter(pl.col(schema.REASON) == "malformed_row").head(LOOKED_AT)
    row = _open_quote(log.raw(malformed)) if malformed.height > 1 else None
    if row is not None:
        yield (
            f"a quote that opens in row {row} is closed in a later line: "
            "--multiline reads quoted fields that hold line breaks"
        )


def _open_quote(rows: pl.DataFrame) -> int | None:
    """The first row with an open quote that a later one closes; None where there is none.

    Args:
        rows: FILE, ROW and ``raw`` of malformed rows.
    """
    odd = rows.filter(pl.col("raw").str.count_matches(QUOTE, literal=True) % 2 == 1).sort(schema.FILE, schema.ROW)
    for (file, row), (other_file, other) in pairwise(odd.select(schema.FILE, schema.ROW).iter_rows()):
        if file == other_file and other - row <= APART:
            return int(row)
    return None
