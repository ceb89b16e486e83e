"""What rejected rows look like, where that tells how the log is to be read instead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.result import Result
from sessionize.kernel.references import roots
from sessionize.opening import Source
from sessionize.plan.named import by_name
from sessionize.plan.names import listed, options_of, reference

LOOKED_AT: Final = 1_000
"""Malformed rows that are looked at."""
NEEDED: Final = {"no_session_key": (schema.SESSION_ID, schema.PROFILE_ID), "null_timestamp": (schema.TIMESTAMP,)}
"""Reason of a rejected row → the roles of which it has none."""
APART: Final = 100
"""Lines that one record may reasonably hold."""
QUOTE: Final = '"'


def notes_on_rejected(log: Source, result: Result, config: Config, plan: Plan) -> Iterator[str]:
    """What to type so that rejected rows become events; and that a condition leaves none.

    Args:
        log: The log that was read.
        result: What became of it.
        config: What was asked for.
        plan: What the configuration means for the log.
    """
    yield from _none_left(result, config)
    yield from _files_without(log, result, plan)
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


def _none_left(result: Result, config: Config) -> Iterator[str]:
    if config.where is not None and result.counts.left_out and not result.counts.events:
        yield f"--where matches none of the {result.counts.left_out:,} rows"


def _files_without(log: Source, result: Result, plan: Plan) -> Iterator[str]:
    """Files that have not the column of the key, or of the time, which another one has."""
    own = log.own_columns() if len(log.files) > 1 and result.rejected.height else ()
    for reason, roles in NEEDED.items():
        names = [name for role in roles for name in plan.columns.get(role, ())]
        rows = result.rejected.filter(pl.col(schema.REASON) == reason)
        without = [
            ordinal for ordinal in rows[schema.FILE].unique().sort()
            if ordinal < len(own) and not {root for name in names for root in (name, *roots(name))} & {*own[ordinal]}
        ]  # fmt: skip
        if names and without:
            first, more = log.files[without[0]].path, f" and {len(without) - 1:,} more" if without[1:] else ""
            one = len(without) == 1
            yield (
                f"{first}{more} {'has' if one else 'have'} no column {' or '.join(map(repr, names))}: "
                f"{'its' if one else 'their'} rows are rejected{_instead(roles, plan, own[without[0]])}"
            )


def _instead(roles: Sequence[str], plan: Plan, there: Collection[str]) -> str:
    """What to type so that another column of a file is taken there."""
    role = next(role for role in roles if role in plan.columns)
    before = plan.columns[role]
    found = by_name(role, dict.fromkeys(there, pl.String()), ())
    if len(before) != 1 or not found:
        return f"; it has {listed(there)}"
    return f"; {options_of(role, f'{reference(before[0])} ?? {reference(found[0])}')} reads both"


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
