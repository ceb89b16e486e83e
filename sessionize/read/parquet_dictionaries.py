"""Columns that a Parquet file holds as dictionaries, read as such: each different text is looked at once, not once a row.

Polars reads such a column as texts. pyarrow hands over the dictionary and the rows' places in it, but takes a while to
load: only large logs are worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from sessionize.limits import Limits
from sessionize.values import NamedTuple

if TYPE_CHECKING:
    from pyarrow import DictionaryArray
    from pyarrow.parquet import ColumnChunkMetaData


class DictionaryColumn(NamedTuple):
    """A column as a dictionary.

    Attributes:
        texts: The different texts of the column, maybe some that no row has.
        places: Place of each row's text among them (UInt32); null where the row has none.
    """

    texts: pl.Series
    places: pl.Series

    def each(self, values: pl.Series) -> pl.Series:
        """A value for each row, given one for each of ``texts``.

        Returns:
            A column of the type of what is given, one value a row.
        """
        return values.gather(self.places)


class Rows(NamedTuple):
    """Some rows of a log.

    Attributes:
        frame: FILE, ROW, FAULT and the log's columns.
        held: Columns of texts that can be had as dictionaries, too.
        dictionaries: Reads some of these: for each, its rows one dictionary after the other.
        share: Share of the log that ends with these rows, about.
        height: How many rows they are; of a text file this is known once they have been read.
        rows: How many they are, about; 0 of a query whose rows nobody has counted, which may not fit into memory.
    """

    frame: pl.LazyFrame
    held: frozenset[str] = frozenset()
    dictionaries: Callable[[Sequence[str]], Mapping[str, list[DictionaryColumn]]] = lambda _: {}
    share: float = 1.0
    height: Callable[[], int] = lambda: 0
    rows: int = 0


class Span(NamedTuple):
    """Rows of a Parquet file that are read at once.

    Attributes:
        start: Rows before them.
        rows: How many they are.
        groups: Numbers of the row groups that they are, if they are whole ones.
        held: Columns that are dictionaries in all of these.
    """

    start: int
    rows: int
    groups: range = range(0)
    held: frozenset[str] = frozenset()

    def joined(self, other: Span) -> Span:
        """Both, where the other begins with the end of this one."""
        groups = range(self.groups.start, other.groups.stop)
        return Span(self.start, self.rows + other.rows, groups, self.held & other.held)


def spans(place: str, texts: Collection[str], limits: Limits) -> list[Span] | None:
    """A Parquet file in spans of whole row groups.

    Args:
        place: Path at which the file lies.
        texts: Columns of texts.
        limits: How many rows a span has, a single group up to twice as many; what is taken for a dictionary.

    Returns:
        None where a group is larger, or pyarrow cannot make out the file.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a while to load
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        footer = pq.read_metadata(place)
    except (pa.ArrowException, OSError):
        return None
    names = {name for name in texts if "." not in name}  # else it may be what is inside another column
    found: list[Span] = []
    start = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = [group.column(column) for column in range(group.num_columns)]
        held = names & {chunk.path_in_schema for chunk in chunks if _is_dictionary(chunk, limits.length_bytes)}
        span = Span(start, group.num_rows, range(number, number + 1), frozenset(held))
        start += span.rows
        if span.rows > 2 * limits.rows:
            return None
        found.append(found.pop().joined(span) if found and found[-1].rows + span.rows <= limits.rows else span)
    return found


def _is_dictionary(chunk: ColumnChunkMetaData, length_bytes: int) -> bool:
    return bool(chunk.has_dictionary_page) and chunk.total_uncompressed_size < length_bytes * chunk.num_values


def dictionaries(place: str, span: Span, names: Sequence[str]) -> dict[str, list[DictionaryColumn]]:
    """Columns of a span of whole row groups, each as one dictionary after the other.

    Raises:
        PolarsError: If the file is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(place, read_dictionary=list(names), pre_buffer=False) as file:
            table = file.read_row_groups(list(span.groups), columns=list(names), use_threads=False)
        return {name: [_dictionary(chunk) for chunk in table[name].chunks] for name in names}
    except (pa.ArrowException, OSError):  # then Polars reads it, or says what is wrong
        texts = pl.scan_parquet(place, glob=False, hive_partitioning=False).slice(span.start, span.rows)
        places = pl.int_range(span.rows, dtype=pl.UInt32, eager=True)
        return {text.name: [DictionaryColumn(text, places)] for text in texts.select(names).collect(engine="streaming")}


def _dictionary(chunk: DictionaryArray) -> DictionaryColumn:
    chunk.dictionary.validate(full=True)  # Polars takes it on trust that texts are UTF-8
    return DictionaryColumn(pl.Series(chunk.dictionary), pl.Series(chunk.indices).reinterpret(signed=False))
