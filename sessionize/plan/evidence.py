"""What the log's first rows say of its columns: bounded, so that it costs the same for any log, and the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import polars as pl

from sessionize.kernel.references import BLANKS, text
from sessionize.values import NamedTuple

ROWS: Final = 1_000
SOME_ROWS: Final = 20_000
"""For columns that nothing but their values speaks for."""
MORE_ROWS: Final = 100_000
"""For what even these cannot answer: whether an id ever comes back, where many visitors come at once."""
READ_TOGETHER: Final = 64
"""Columns that are read at the first question: to read them one by one takes as long for each."""
FEWEST: Final = 50
"""Rows below which nothing is said of how often values come back."""
NEARLY_ALL: Final = 0.95
OTHER_CONTENT: Final = 0.05
"""Share of an event id's values that may come back with other content: copies that a system changed on the way."""
OBJECTS: Final = 20
OBJECTS_IN: Final = r"^\[?\{"
AN_OBJECT: Final = r'^\{\s*["}]'
"""JSON, and no id in braces, as Windows writes one."""
DEPTH: Final = 3

Types = Mapping[str, pl.DataType]


class Sample(Protocol):
    """Gives a column of the log's first rows."""

    def __call__(self, column: pl.Expr, rows: int = ROWS, /) -> pl.Series:
        """The column.

        Args:
            column: Over the log's columns.
            rows: How many, at most.
        """


class Column(NamedTuple):
    """What the values of a column look like.

    Attributes:
        rows: How many were looked at.
        there: How many are not null or blank.
        different: How many different ones there are among these.
        example: The first value.
    """

    rows: int
    there: int
    different: int
    example: str

    @property
    def nearly_all_differ(self) -> bool:
        """Whether there are enough, and hardly one comes back."""
        return self.there >= FEWEST and self.different >= NEARLY_ALL * self.there


class Evidence:
    """The first rows, each column of them read once.

    Args:
        types: Type of each of the log's columns.
        sample: Gives a column of its first rows.
    """

    def __init__(self, types: Types, sample: Sample) -> None:
        self.types = types
        self._sample = sample
        self._texts: dict[tuple[str, int], pl.Series] = {}
        self._first: pl.DataFrame | None = None

    def sample(self, column: pl.Expr, rows: int = ROWS, /) -> pl.Series:
        """A column of the first rows, as `Sample` has it."""
        if rows != ROWS:
            return self._sample(column, rows)
        if self._first is None:
            together = plain(self.types)[:READ_TOGETHER]
            self._first = self._sample(pl.struct(together), ROWS).struct.unnest() if together else pl.DataFrame()
        there = set(column.meta.root_names()) <= set(self._first.columns) and self._first.width
        return self._first.select(column).to_series() if there else self._sample(column, ROWS)

    def read(self, names: Iterable[str], rows: int = ROWS) -> None:
        """Read columns together, which is faster than one by one."""
        missing = [name for name in dict.fromkeys(names) if (name, rows) not in self._texts]
        if not missing:
            return
        columns = (text(name, self.types).alias(str(number)) for number, name in enumerate(missing))
        frame = self.sample(pl.struct(*columns), rows).struct.unnest()
        for number, name in enumerate(missing):
            values = frame[str(number)]
            filled = pl.select(pl.when(pl.lit(values).str.strip_chars(BLANKS) != "").then(pl.lit(values))).to_series()
            self._texts[name, rows] = filled

    def texts(self, name: str, rows: int = ROWS) -> pl.Series:
        """The column's first values as text; blank ones are null."""
        self.read([name], rows)
        return self._texts[name, rows]

    def column(self, name: str, rows: int = ROWS) -> Column:
        """What the column's first values look like."""
        values = self.texts(name, rows)
        there = values.drop_nulls()
        return Column(len(values), len(there), there.n_unique(), next(iter(there.head(1)), ""))

    def look_closer(self, names: Sequence[str]) -> None:
        """Read more of the columns whose values hardly come back, together."""
        for before, rows in ((ROWS, SOME_ROWS), (SOME_ROWS, MORE_ROWS)):
            names = [name for name in names if self.column(name, before).nearly_all_differ]
            self.read(names, rows)

    def differs_everywhere(self, name: str) -> Column | None:
        """What the column looks like, if nearly every value is another; None if they come back, or are few."""
        found = self.column(name)
        for rows in (SOME_ROWS, MORE_ROWS):
            if found.nearly_all_differ:
                found = self.column(name, rows)
        return found if found.nearly_all_differ else None

    def comes_back_with_other_content(self, name: str, others: Sequence[str]) -> bool:
        """Whether values of an event id come back in rows of other content: then it is no id of events.

        Args:
            name: The column.
            others: The columns that are an event's content: no times, which copies may have of their own.
        """
        self.read([name, *others])
        rows = pl.DataFrame({str(number): self.texts(each) for number, each in enumerate((name, *others))})
        there = rows.filter(pl.col("0").is_not_null())
        ids, contents = there["0"].n_unique(), there.n_unique() if there.height else 0
        return contents - ids > OTHER_CONTENT * contents

    def holds_objects(self, name: str) -> bool:
        """Whether most of a text column's first values are JSON objects, the first one among them."""
        values = self.sample(pl.col(name)).drop_nulls().head(OBJECTS)
        objects = values.str.contains(AN_OBJECT)
        return bool(len(values)) and bool(objects[0]) and 2 * int(objects.sum()) > len(values)

    def leaves(self, name: str) -> list[str]:
        """References to the plain values inside a column of JSON objects: ``request.remote_ip``, ``attributes['user.id']``."""
        if self.types[name] != pl.String:
            return []
        values = self.texts(name)
        objects = values.filter(values.str.contains(OBJECTS_IN)).head(OBJECTS)
        found: dict[str, None] = {}
        for each in objects:
            try:
                found |= dict.fromkeys(_leaves(name, json.loads(each), DEPTH))
            except (ValueError, RecursionError):
                continue
        return list(found)


def plain(types: Types) -> list[str]:
    """The columns that hold one value a row."""
    nested = (pl.Struct, pl.List, pl.Array)
    return [
        name for name, dtype in types.items() if not isinstance(dtype, nested) and not name.startswith("sessionize.")
    ]


def described(name: str, column: Column, *, private: bool) -> str:
    """A column with an example value, for a message."""
    shown = "" if private else f"{column.example[:40]!r}, "
    return f"{name} ({shown}{column.different:,} different)"


def _leaves(name: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if depth and key and not set(key) & set("[]'"):
                yield from _leaves(f"{name}['{key}']" if "." in key else f"{name}.{key}", inner, depth - 1)
    elif isinstance(value, list):
        yield from (f"{name}['{key}']" for key in keys_of_pairs(value) if key and not set(key) & set("[]'"))
    elif value is not None:
        yield name


def keys_of_pairs(value: Any) -> list[str]:
    """The keys of a list of objects with ``key`` and ``value``, which is one thing's attributes; none of another list.

    Examples:
        >>> keys_of_pairs([{"key": "session.id", "value": {"stringValue": "s1"}}]), keys_of_pairs([{"id": 1}])
        (['session.id'], [])
    """
    pairs = value if isinstance(value, list) else []
    keys = [each["key"] for each in pairs if isinstance(each, dict) and {*each} == {"key", "value"}]
    return keys if len(keys) == len(pairs) and all(isinstance(key, str) for key in keys) else []
