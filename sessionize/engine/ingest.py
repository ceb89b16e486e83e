"""What streams by: normalised rows in, events out; the rejected rows and the count of all stay behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.prefetch import ahead
from sessionize.kernel import normalise
from sessionize.kernel.enrich import enriched
from sessionize.kernel.normalise import REASONS, plain_texts, without_blanks
from sessionize.read import Rows
from sessionize.read.parquet_dictionaries import DictionaryColumn

MOST_AHEAD: Final = 4
PARQUET_AHEAD: Final = 2
PLACE: Final = (schema.FILE, schema.ROW, schema.REASON)

Code = Callable[[str, list[pl.Series]], list[pl.Series]]


class Ingest:
    """Takes the rows that are no events out of a stream of normalised rows, and counts what passes.

    Most logs have few rejected rows, or none: so the place of every row need not be held in memory.

    Args:
        watch: Sees the events of each batch with their places, and gives them back, maybe with more columns.
        late_before: An event before it is late, microseconds since 1970 UTC: its sessions may have been emitted.
    """

    def __init__(
        self, watch: Callable[[pl.DataFrame], pl.DataFrame] = lambda events: events, late_before: int | None = None
    ) -> None:
        self._watch = watch
        self.read = 0
        self.bots = 0
        self.newest: int | None = None
        self._late_before = late_before
        self._late = [pl.DataFrame(schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32})]
        self._rejected = [pl.DataFrame(schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32, schema.REASON: REASONS})]

    def events(
        self, batches: Iterable[Rows], types: Mapping[str, pl.DataType], plan: Plan, code: Code | None = None
    ) -> Iterator[pl.DataFrame]:
        """The events of each batch of a log, without their places.

        Args:
            batches: Some rows each, in input order.
            types: Type of each of the log's columns.
            plan: What the configuration means for this log.
            code: Gives the texts of a role codes. Where it is given, columns that a batch holds as dictionaries are
                read as such.
        """
        plain = {} if code is None or plan.where is not None else plain_texts(types, plan)

        def normalised(batch: Rows) -> pl.DataFrame:
            told = {role: name for role, name in plain.items() if name in batch.held}
            rest = {role: names for role, names in plan.columns.items() if role not in told}
            rows = normalise(batch.frame, types, replace(plan, columns=rest)).collect(engine="streaming")
            if code is None or not told:
                return rows
            held = batch.words(sorted({*told.values()}))
            # Codes are for texts of events: else it would show in them how the log was read.
            of_events = code if rows[schema.REASON].null_count() == rows.height else lambda _, texts: texts
            return rows.with_columns(_coded(held[name], role, of_events) for role, name in told.items())

        # Polars decodes Parquet with all its threads, but ends each batch with few; one of a text file is parsed by one.
        only_text = all(dtype == pl.String for dtype in types.values())
        side_by_side = min(pl.thread_pool_size(), MOST_AHEAD) if only_text else PARQUET_AHEAD
        yield from map(self._kept, ahead(normalised, batches, most=side_by_side))

    def _kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        self.read += rows.height
        if rows[schema.REASON].null_count() < rows.height:
            good = rows[schema.REASON].is_null()
            self._rejected.append(rows.filter(~good).select(PLACE))
            rows = rows.filter(good)
        rows = self._in_time(rows)
        return self._watch(rows).drop(PLACE)

    def told(self, events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
        """Events with what their own rows tell; without those of bots where these are to be left out."""
        kept, bots = enriched(events, plan)
        self.bots += bots
        newest = kept[schema.TIMESTAMP].to_physical().max()
        if isinstance(newest, int):
            self.newest = newest if self.newest is None else max(newest, self.newest)
        return kept

    def _in_time(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self._late_before is None:
            return rows
        late = rows[schema.TIMESTAMP].to_physical() < self._late_before
        if not late.any():
            return rows
        self._late.append(rows.filter(late).select(schema.FILE, schema.ROW))
        return rows.filter(~late)

    @property
    def late(self) -> pl.DataFrame:
        """FILE and ROW of the events that are late, in input order."""
        return pl.concat(self._late)

    @property
    def rejected(self) -> pl.DataFrame:
        """FILE, ROW and REASON of the rows that are no events, in input order."""
        return pl.concat(self._rejected)


def _coded(held: list[DictionaryColumn], role: str, code: Code) -> pl.Series:
    told = code(role, [without_blanks(words.texts) for words in held])
    return pl.concat([words.each(values) for words, values in zip(held, told, strict=True)]).alias(role)
