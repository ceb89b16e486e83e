"""Which sessions an answer is about: those that a condition holds for, and that start in a span of time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

import polars as pl

from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.kernel.local_times import wall_clock
from sessionize.kernel.metrics import METRIC_NAMES, METRICS
from sessionize.patterns import pattern
from sessionize.schema import PROPERTY_PREFIX
from sessionize.summary.expressions import Sql
from sessionize.values import dataclass

MICROSECOND: Final = timedelta(microseconds=1)
OF_START: Final = ("day", "week", "month", "weekday", "hour")
"""Names of groups that follow from a session's start, in the time zone."""
QUOTED_NAME: Final = pattern(r'"((?:[^"]|"")+)"')
SQL_WORDS: Final = {
    "AND", "AS", "BETWEEN", "CASE", "CAST", "DISTINCT", "DIV", "ELSE", "END", "FROM", "ILIKE", "IN", "IS", "LIKE", "MOD",
    "NOT", "NULL", "OR", "RLIKE", "THEN", "WHEN",
}  # fmt: skip
"""Words between blanks that no name of several words has."""
CONTAINED: Final = "sessionize.contained"
"""Whether a session has an event of each kind that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which sessions are meant.

    Attributes:
        where: SQL condition over the metrics; None for all.
        since: Start in microseconds since 1970 UTC, from which on a session counts; None for any.
        until: Start before which it counts; None for any.
        last: How long before the log's newest event a session may start; None for any time.
        containing: Steps of which a session has an event each; sessions then have the column CONTAINED.
    """

    where: str | None = None
    since: int | None = None
    until: int | None = None
    last: timedelta | None = None
    containing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def is_all(self) -> bool:
        """Whether every session is meant."""
        return self == Selection()

    def of(
        self,
        columns: Mapping[str, pl.DataType],
        newest: int | None,
        timezone: str = "UTC",
        elsewhere: Collection[str] = (),
    ) -> pl.Expr | None:
        """Whether a session is meant; None where all are.

        Args:
            columns: Columns of the sessions, and their types.
            newest: Time of the log's newest event, microseconds since 1970 UTC; None for a log without events.
            timezone: IANA zone of times that say none.
            elsewhere: Names that events have, and sessions may lack.

        Raises:
            UsageError: If the condition is none.
        """
        start = pl.col("start").to_physical()
        since = self.since
        if self.last is not None and newest is not None:
            earliest = newest - self.last // MICROSECOND
            since = earliest if since is None else max(since, earliest)
        found = [
            *(
                []
                if self.where is None
                else [_sql(columns, "--session-where", timezone, elsewhere).condition(self.where)]
            ),
            *([] if since is None else [start >= since]),
            *([] if self.until is None else [start < self.until]),
            *([pl.col(CONTAINED)] if self.containing else []),
        ]
        return pl.all_horizontal(found) if found else None


def metric_columns(properties: tuple[str, ...] = ()) -> dict[str, pl.DataType]:
    """The columns that SQL over sessions sees: the metrics, and the log's columns that are carried along."""
    there = {metric.name: pl.String() if metric.dtype == pl.String else _instance(metric.dtype) for metric in METRICS}
    return there | {name: pl.String() for name in properties if name not in there}


def _instance(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


def group(text: str, columns: Mapping[str, pl.DataType], timezone: str, option: str = "--by") -> pl.Expr:
    """The value that sessions are grouped by.

    Args:
        text: A metric, a column that is carried along, a part of the start's date, or SQL over these.
        columns: Columns of the sessions, and their types.
        timezone: IANA zone of days and hours.
        option: Option that it was typed after.

    Raises:
        UsageError: If it is none of these.
    """
    text = bare(text)
    if text in columns:
        if columns[text].is_temporal():
            raise UsageError(
                f"{option} {text}: each session has its own", hint=f"{option} day, week, month, weekday or hour"
            )
        return pl.col(text)
    carried = PROPERTY_PREFIX + text
    if carried in columns:
        return pl.col(carried)
    if text in OF_START:
        return _of_start(text, timezone)
    return _sql(columns, option, timezone).expression(text)


def _sql(columns: Mapping[str, pl.DataType], option: str, timezone: str, elsewhere: Collection[str] = ()) -> Sql:
    """SQL over sessions: a column that is carried along has its own name, too."""
    carried = {name.removeprefix(PROPERTY_PREFIX): name for name in columns if name.startswith(PROPERTY_PREFIX)}
    return Sql(columns, option, timezone, carried, elsewhere)


def _of_start(text: str, timezone: str) -> pl.Expr:
    start = wall_clock(pl.col("start"), timezone)
    return {
        "day": start.dt.strftime("%Y-%m-%d"),
        "week": start.dt.strftime("%G-W%V"),
        "month": start.dt.strftime("%Y-%m"),
        "weekday": start.dt.strftime("%u %a"),
        "hour": start.dt.strftime("%H"),
    }[text]


def bare(text: str) -> str:
    """A name without the double quotes that it stands in; any other text as it is.

    Examples:
        >>> bare('"my col"'), bare("day"), bare('"a" || "b"')
        ('my col', 'day', '"a" || "b"')
    """
    found = QUOTED_NAME.fullmatch(text)
    return text if found is None else found[1].replace('""', '"')


def is_name(text: str) -> bool:
    """Whether a group can only be a name, no SQL: what the log must then have."""
    if text in METRIC_NAMES or text in OF_START or bare(text) != text:
        return True
    words = text.split(" ")
    return all(letter.isalnum() or letter in "_.$- " for letter in text) and SQL_WORDS.isdisjoint(map(str.upper, words))


def check_span(selection: Selection) -> None:
    """Raise UsageError where no session could be in the span."""
    if selection.since is not None and selection.until is not None and selection.since >= selection.until:
        raise UsageError("--since is not before --until")
    if selection.last is not None and selection.last <= timedelta(0):
        raise UsageError("--last must be longer than zero", hint="for example --last 7d")
