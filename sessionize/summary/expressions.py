"""SQL expressions over a frame's columns, tried on no rows before anything is read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Final

import polars as pl

from sessionize import sql
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.sql_words import adapted
from sessionize.values import dataclass

MISSING: Final = pattern(r"unable to find column \"([^\"]*)\"")
OPERATORS: Final = pattern(r"[=<>]|\b(?:in|is|i?like|between)\b", re.IGNORECASE)
"""What a text that is meant as a condition has, and hardly a name."""
POLARS_ADDS: Final = "\n\nThis error occurred"
HINT: Final = "\0"
"""Between message and hint where they are one text."""
Columns = Mapping[str, pl.DataType]


class ValueRefusedError(UsageError):
    """A value that a user's SQL does not fit. Polars makes it anew from its text, with more behind."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        text, _, told = message.partition(POLARS_ADDS)[0].partition(HINT)
        super().__init__(text, hint=hint or told or None)
        self.args = (f"{text}{HINT}{self.hint or ''}",)


@dataclass(frozen=True)
class Sql:
    """What a user's SQL is about.

    Attributes:
        columns: Names and types that it sees.
        option: Option that it was typed after.
        timezone: Zone of times that say none.
        names: Other names of the columns.
        elsewhere: Names that only the events of the log have.
    """

    columns: Columns
    option: str
    timezone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Collection[str] = ()

    def expression(self, text: str) -> pl.Expr:
        """What an expression over the columns is.

        Args:
            text: SQL as it was typed.

        Raises:
            UsageError: If it is no SQL, or asks for what there is not; also when it meets a value that does not fit.
        """
        found = sql.expression(self._adapted(text), self.option)
        try:
            kind = pl.DataFrame(schema=dict(self.columns)).select(found.alias("it"))["it"].dtype
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise self._refused(text, error) from None
        return self._guarded(text, found, kind)

    def condition(self, text: str) -> pl.Expr:
        """What a condition over the columns is.

        Args:
            text: SQL as it was typed.

        Raises:
            UsageError: If it is no condition.
        """
        found = self.expression(text)
        if self._kind(found) != pl.Boolean:
            raise UsageError(f"{self.option} {text!r} is no condition", hint=self._condition_like(text))
        return found

    def condition_or_none(self, text: str) -> pl.Expr | None:
        """The condition that a text is, over some of the columns or of none; None where it is none, as a mere name is.

        Raises:
            UsageError: If it is one over the columns, and compares what cannot be compared.
        """
        names = self.names_in(text)
        if names == [text] or not set(names) <= set(self.columns):
            return None
        try:
            return self.condition(text)
        except UsageError:
            if names and OPERATORS.search(text):
                raise
            return None

    def names_in(self, text: str) -> list[str]:
        """The columns that a text names, were it SQL; none where it is none."""
        return sql.columns_of(self._adapted(text))

    def _adapted(self, text: str) -> str:
        return adapted(text, self.columns, self.timezone, self.names)

    def _kind(self, found: pl.Expr) -> pl.DataType:
        return pl.LazyFrame(schema=dict(self.columns)).select(found.alias("it")).collect_schema()["it"]

    def _guarded(self, text: str, found: pl.Expr, kind: pl.DataType) -> pl.Expr:
        """The expression; what Polars says of values while it is at it is the user's to mend."""
        roots = list(dict.fromkeys(found.meta.root_names()))
        if not roots:  # the same of every row: as long as the rows are
            return pl.when(pl.int_range(pl.len()) >= 0).then(found)

        def evaluated(rows: pl.Series) -> pl.Series:
            try:
                return rows.struct.unnest().select(found.alias("it")).to_series()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
                refused = self._refused(text, error)
                raise ValueRefusedError(refused.message, hint=refused.hint) from None

        return pl.struct(roots).map_batches(evaluated, return_dtype=kind)

    def _refused(self, text: str, error: BaseException) -> UsageError:
        return UsageError(f"{self.option} {text!r}: {sql.cause(error)}", hint=self._cure(text, error))

    def _cure(self, text: str, error: BaseException) -> str:
        """What there is, and how it is typed; the nearest name where one is not found."""
        said = str(error)
        missing = MISSING.search(said)
        if missing is not None:
            return self._nearest(text, missing[1])
        names = sql.columns_of(self._adapted(text))
        time = next((name for name in names if self._is_time(name)), "start")
        texts = next((name for name in names if self.columns.get(name) == pl.String), "name")
        cure = sql.cure(error, time, texts)
        if cure is not None:
            return cure
        return f"there are {', '.join(self.columns)}; a text stands in single quotes"

    def _nearest(self, text: str, missing: str) -> str:
        if missing in self.elsewhere:
            names = set(sql.columns_of(text))
            example = text if names <= set(self.elsewhere) else f"{missing} = 'x'"
            return f'{missing} is a column of the events; sessions with such an event: --containing "{example}"'
        near = difflib.get_close_matches(missing, [*self.columns, *self.names], n=1)
        return (
            (f"did you mean {near[0]}? " if near else "")
            + f"there are {', '.join(dict.fromkeys([*self.columns, *self.names]))}; a text stands in single quotes, a column named as a word of "
            'SQL in double quotes: "end"'
        )

    def _is_time(self, name: str) -> bool:
        return name in self.columns and self.columns[name].is_temporal()

    def _condition_like(self, text: str) -> str:
        kind = self.columns.get(text.strip())
        if kind is None:
            return f'for example {self.option} "{next(iter(self.columns))} IS NOT NULL"'
        compared = ">= '2024-05-31'" if kind.is_temporal() else "> 1" if kind.is_numeric() else "= 'x'"
        return f'compare it with something, for example {self.option} "{text.strip()} {compared}"'
