"""Logs that are refused once they have been read: no row is an event, some would be misread, or a bad one ends the run."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.result import Result
from sessionize.errors import InputError
from sessionize.opening import Source
from sessionize.plan import listed, option
from sessionize.read.dialect import best_delimiter, fields_of
from sessionize.read.piped import typed

UNREADABLE: Final = ("malformed_row", "bad_encoding")
"""Reasons of rows that the reader could not make out, so that ``--where`` could not look at them."""
SHOWN: Final = 200
"""Characters of a row that a message shows."""
LOOKED_AT: Final = 1_000
"""Rows without a time that are looked at: is one a header?"""


def refuse_no_events(log: Source, result: Result, plan: Plan) -> None:
    """Refuse a log of which every row was rejected, or of which rows were read under the header of others.

    Rows that were left out on purpose, and events that are late, early or of bots, are no such rows. Nor is a log
    without rows: it was a quiet hour.

    Args:
        log: The log that was read.
        result: What became of it.
        plan: What the configuration means for the log.

    Raises:
        InputError: If no row became an event; it shows the first one and says what to type. If a file was put together
            from some whose columns are in another order.
    """
    _refuse_other_order(log, result)
    counts, rejected = result.counts, _unsound(result)
    if not rejected.height or counts.unsound < counts.rows_read or counts.bots:
        return
    if counts.left_out and set(counts.rejected_by_reason) <= {*UNREADABLE}:
        return
    first = rejected.row(0, named=True)
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts.rejected_by_reason.items())
    file, row, reason = log.files[first[schema.FILE]].path, first[schema.ROW], str(first[schema.REASON])
    others = "" if len(log.files) == 1 else f" and {len(log.files) - 1} more"
    raise InputError(
        f"{log.files[0].path}{others}: none of {counts.rejected:,} rows is an event ({reasons}); nothing was written; "
        f"{file}, row {row}, {reason}, reads {_shown_row(log, rejected, plan)}",
        hint=_cure(reason, plan, log, first[schema.FILE]),
    )


def refuse_bad_rows(log: Source, result: Result, config: Config, plan: Plan) -> None:
    """Refuse a log of which no row is an event; and, where a bad row ends the run, one with a bad row.

    Args:
        log: The log that was read.
        result: What became of it.
        config: What was asked for.
        plan: What the configuration means for the log.

    Raises:
        InputError: If it is such a log.
    """
    refuse_no_events(log, result, plan)
    rejected = _unsound(result)
    if config.on_bad_row != "fail" or not rejected.height:
        return
    first = rejected.row(0, named=True)
    file, row, reason = log.files[first[schema.FILE]].path, first[schema.ROW], first[schema.REASON]
    raise InputError(
        f"{file}, row {row}: {reason} ({rejected.height} bad rows in all); nothing was written",
        hint=f"it reads {_shown_row(log, rejected, plan)}; --on-bad-row reject keeps such rows apart and goes on",
    )


def _refuse_other_order(log: Source, result: Result) -> None:
    """Refuse a CSV in which another header stands below the first, with the same columns in another order.

    What comes below it would be read under the first one's names. A header is no event, as the name of the column of
    times is no time.
    """
    if not log.files or log.files[0].format != "csv":
        return
    untimed = result.rejected.filter(pl.col(schema.REASON) == "bad_timestamp").head(LOOKED_AT)
    top = untimed.unique(schema.FILE).with_columns(pl.lit(1, untimed.schema[schema.ROW]).alias(schema.ROW))
    first = {file: _names(line) for file, _, line in _lines(log, top)}
    headers = [
        (file, row, line)
        for file, row, line in _lines(log, untimed)
        if _is_like(_names(line), first.get(file, []), log.schema)
    ]
    for file, row, line in headers:
        if _is_moved(_names(line), first[file]):
            rows = [str(each) for of, each, _ in headers if of == file]
            raise InputError(
                f"{log.files[file].path}, row {row}: another header, with its columns in another order than the first line "
                f"has them: {line[:SHOWN]!r}; what is below would be read under the wrong names; nothing was written",
                hint=f"files were put together here; this takes them apart: {_apart(log, file, rows)}",
            )


def _apart(log: Source, file: int, rows: list[str]) -> str:
    """What to type so that each header begins a file, part-00 and so on."""
    path, packed = shlex.quote(log.files[file].path), log.sources[file].packed
    tools = {"gz": "gzip -dc", "zst": "zstd -dc"}
    unpacked = f"{tools[packed]} {path} | csplit -f part- -" if packed in tools else f"csplit -f part- {path}"
    return f"{unpacked} {' '.join(rows)}"


def _lines(log: Source, rows: pl.DataFrame) -> Iterator[tuple[int, int, str]]:
    if rows.height:
        yield from log.raw(rows).select(schema.FILE, schema.ROW, "raw").iter_rows()


def _names(line: str) -> list[str]:
    return [name.strip() for name in fields_of(line, best_delimiter(line)) or ()]


def _is_like(names: list[str], first: list[str], columns: Collection[str]) -> bool:
    """Whether a line is a header, too: as many names as the first has, at least two and half of them the same columns."""
    same = len({*names} & {*first} & {*columns})
    return len(names) == len(first) and same > 1 and 2 * same >= len(first)


def _is_moved(names: list[str], first: list[str]) -> bool:
    return any(name in first and first.index(name) != place for place, name in enumerate(names))


def _unsound(result: Result) -> pl.DataFrame:
    """The rejected rows that are no events at all."""
    return result.rejected.filter(pl.col(schema.REASON) != "passive_alone")


def _shown_row(log: Source, rejected: pl.DataFrame, plan: Plan) -> str:
    """The text of the first rejected row, but not where ids are private."""
    if plan.private:
        return "(not shown, as ids are private)"
    return repr(str(log.raw(rejected.head(1))["raw"].item())[:SHOWN])


def _cure_of_times(times: str, plan: Plan) -> str:
    more = f" ({plan.time_more})" if plan.time_more else ""
    which = f"{option(schema.TIMESTAMP)} says which column is"
    if plan.time_hint:
        return f"{plan.time_hint} would read {times!r}{more}; if that is not the time, {which}"
    if plan.time_more:
        return f"{plan.time_more}; if {times!r} is not the time, {which}"
    return f"is {times!r} the time? {which}; --time-format '%d/%m/%Y %H:%M:%S' would read 30/05/2024 07:44:00"


def _cure(reason: str, plan: Plan, log: Source, file: int) -> str:
    """What to type so that rows like this one become events."""
    times = " + ".join(plan.columns[schema.TIMESTAMP])
    there = listed(log.schema)
    packed = log.sources[file].packed if log.sources else None  # a frame has no bytes
    given = "" if plan.preset is None else f"is it a log of preset {plan.preset}? "
    cures = {
        "null_timestamp": f"column {times!r} is blank: {option(schema.TIMESTAMP)} says which is the time; it has {there}",
        "bad_timestamp": _cure_of_times(times, plan),
        "timestamp_out_of_range": (
            f"is {times!r} the time? {option(schema.TIMESTAMP)} says which column is; "
            "--time-format s, ms, us or ns says the unit"
        ),
        "no_session_key": (
            f"{option(schema.SESSION_ID)} or {option(schema.PROFILE_ID)} says which column has the ids; it has {there}"
        ),
        "bad_encoding": typed(
            "as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > FILE.utf8", log.files[file].path, packed
        ),
    }
    unlike = (
        "--delimiter, --columns or --multiline say how the file is laid out; sessionize presets lists known layouts"
    )
    return f"{given}{cures.get(reason, unlike)}"
