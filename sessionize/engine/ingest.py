"""What streams by: raw rows in, events out; the places of rejected and late rows, and the counts of all, stay behind."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Protocol

import polars as pl

from sessionize import schema, sql
from sessionize.config import Plan
from sessionize.engine.observe import Observer, overrides
from sessionize.engine.prefetch import Behind, ahead
from sessionize.engine.result import Counts
from sessionize.engine.value_stats import TRANSIENT, ValueStats
from sessionize.errors import UsageError
from sessionize.kernel import Dictionaries, normalise
from sessionize.kernel.derived_splits import with_derived_splits
from sessionize.kernel.enrich import enriched
from sessionize.kernel.normalise import REASONS, plain_texts, without_blanks
from sessionize.limits import Limits
from sessionize.read import Rows
from sessionize.read.parquet_dictionaries import DictionaryColumn
from sessionize.values import NamedTuple, dataclass

MOST_AHEAD: Final = 4
PARQUET_AHEAD: Final = 2
MOST_BEHIND: Final = 4
"""Batches that observers may still be looking at when the next one is read."""
FITS: Final = "a value that does not fit: TRY_CAST gives null in its place; max(CAST(x AS VARCHAR)) is that of texts"
PLACE: Final = (schema.FILE, schema.ROW, schema.REASON)


class EventLog(Protocol):
    """Where rows come from: `read.Log`, or a frame."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Type of each of the log's columns."""

    def batches(self, limits: Limits) -> Iterable[Rows]:
        """The log's rows, some at a time, in input order."""

    def reading(self) -> AbstractContextManager[None]:
        """Names the file, where damage to one shows only as it is read."""


class Arrived(NamedTuple):
    """Some events on their way to the other events of their keys.

    Attributes:
        events: Canonical events, in input order.
        share: Share of the log that ends with them, about.
    """

    events: pl.DataFrame
    share: float


class Normalised(NamedTuple):
    """Some rows of a log, as events or with the reason why they are none.

    Attributes:
        rows: Canonical events with their places, in input order.
        share: Share of the log that ends with them, about.
        left_out: Rows among them that a condition left out.
    """

    rows: pl.DataFrame
    share: float
    left_out: int


@dataclass(frozen=True)
class Totals:
    """What a log, or a share of one, came to, row by row. Totals add up.

    Attributes:
        counts: Rows that were read, rejected, late, of bots, or left out by a condition.
        rejected: FILE, ROW and REASON of the rows that are no events, in input order.
        late: FILE and ROW of the events that are late, in input order.
        events: How many events go on.
        newest: Time of the newest of these, microseconds since 1970 UTC; None where there is none.
        values: What their values say.
    """

    counts: Counts
    rejected: pl.DataFrame
    late: pl.DataFrame
    events: int
    newest: int | None
    values: ValueStats

    def __add__(self, other: Totals) -> Totals:
        """What both came to, the other one coming later in the log."""
        return Totals(
            self.counts + other.counts,
            pl.concat([self.rejected, other.rejected]),
            pl.concat([self.late, other.late]),
            self.events + other.events,
            max((newest for newest in (self.newest, other.newest) if newest is not None), default=None),
            self.values + other.values,
        )


class Ingest:
    """Takes the rows that are no events out of a stream of rows, and counts what passes.

    Most logs have few rejected rows, or none: so the place of every row need not be held in memory.

    Args:
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
        dictionaries: Give texts their codes.
        late_before: An event before it is late, microseconds since 1970 UTC: its sessions may have been emitted.
        observe: Observers; those that look at batches are shown the events of each.
    """

    def __init__(
        self, types: Mapping[str, pl.DataType], plan: Plan, dictionaries: Dictionaries, *,
        late_before: int | None = None, observe: Sequence[Observer] = (),
    ) -> None:  # fmt: skip
        self._types = types
        self._plan = plan
        self._dictionaries = dictionaries
        self._late_before = late_before
        self._observe = [each for each in observe if overrides(each, "batch")]
        self._behind = Behind(MOST_BEHIND)
        # A condition is asked of texts.
        self._plain = {} if plan.where is not None else plain_texts(types, plan)
        self._read = self._bots = self._kept = self._left_out = 0
        self._values = ValueStats()
        self._newest: int | None = None
        self._late = [pl.DataFrame(schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32})]
        self._rejected = [pl.DataFrame(schema={schema.FILE: pl.UInt32, schema.ROW: pl.UInt32, schema.REASON: REASONS})]

    def events(self, batches: Iterable[Rows]) -> Iterator[Arrived]:
        """The events of each batch of a log, without their places, with what their own rows tell.

        Args:
            batches: Some rows each, in input order.
        """
        # Polars decodes Parquet with all its threads, but ends each batch with few; one of a text file is parsed by one.
        only_text = all(dtype == pl.String for dtype in self._types.values())
        side_by_side = min(pl.thread_pool_size(), MOST_AHEAD) if only_text else PARQUET_AHEAD
        return map(self._arrived, ahead(self._normalised, batches, most=side_by_side))

    def looked(self) -> None:
        """Wait until observers have looked at all that has passed."""
        self._behind.end()

    def totals(self) -> Totals:
        """What all rows that have passed came to."""
        rejected, late = pl.concat(self._rejected), pl.concat(self._late)
        reasons = rejected[schema.REASON].cast(pl.String).value_counts().sort(schema.REASON)
        counts = Counts(
            rows_read=self._read - self._bots,
            bots=self._bots,
            left_out=self._left_out,
            rejected=rejected.height,
            rejected_by_reason=dict(reasons.iter_rows()),
            late=late.height,
            bad_values=self._values.bad_values,
            time_formats=self._values.by_layout(self._plan),
        )
        return Totals(counts, rejected, late, self._kept, self._newest, self._values)

    def _normalised(self, batch: Rows) -> Normalised:
        """A batch's rows as events, or with the reason why they are none; columns held as dictionaries as codes."""
        told = {role: name for role, name in self._plain.items() if name in batch.held}
        rest = {role: names for role, names in self._plan.columns.items() if role not in told}
        # In one piece: streamed, a batch comes in a dozen, which are copied into one when they are looked at.
        in_memory = bool(batch.rows)
        rows = _normalised(batch.frame, self._types, replace(self._plan, columns=rest), in_memory=in_memory)
        if told:
            held = batch.dictionaries(sorted({*told.values()}))
            # Codes are for texts of events: else it would show in them how the log was read.
            coding = self._dictionaries if self._all_are_events(rows) else None
            rows = rows.with_columns(_coded(held[name], role, coding) for role, name in told.items())
        left_out = 0 if self._plan.where is None else batch.height() - rows.height
        return Normalised(rows, batch.share, left_out)

    def _arrived(self, normalised: Normalised) -> Arrived:
        self._left_out += normalised.left_out
        return Arrived(self._enriched(self._events(normalised.rows)), normalised.share)

    def _all_are_events(self, rows: pl.DataFrame) -> bool:
        return rows[schema.REASON].null_count() == rows.height and not self._is_late(rows).any()

    def _is_late(self, rows: pl.DataFrame) -> pl.Series:
        if self._late_before is None:
            return pl.Series([], dtype=pl.Boolean)
        return rows[schema.TIMESTAMP].to_physical() < self._late_before

    def _events(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Of normalised rows the events that are in time; what the others are is kept."""
        self._read += rows.height
        if rows[schema.REASON].null_count() < rows.height:
            good = rows[schema.REASON].is_null()
            self._rejected.append(rows.filter(~good).select(PLACE))
            rows = rows.filter(good)
        late = self._is_late(rows)
        if late.any():
            self._late.append(rows.filter(late).select(schema.FILE, schema.ROW))
            rows = rows.filter(~late)
        rows = self._dictionaries.coded(self._values.look(rows))
        for each in self._observe:
            if each.only_looks:
                self._behind.call(each.batch, rows)
            else:
                rows = each.batch(rows)
        return rows.drop(schema.REASON if self._plan.rules.passive else PLACE)

    def _enriched(self, events: pl.DataFrame) -> pl.DataFrame:
        """Events with what their own rows tell; without those of bots where these are to be left out."""
        kept, bots = enriched(events, self._plan)
        kept = with_derived_splits(kept, self._plan)
        self._bots += bots
        self._kept += kept.height
        newest = kept[schema.TIMESTAMP].to_physical().max()
        if isinstance(newest, int):
            self._newest = newest if self._newest is None else max(newest, self._newest)
        return kept


def event_types(types: Mapping[str, pl.DataType], plan: Plan) -> dict[str, pl.DataType]:
    """Columns of a log's canonical events, without what their rows tell beside.

    Args:
        types: Type of each of the log's columns.
        plan: What the configuration means for this log.
    """
    place = {schema.FILE: pl.UInt32(), schema.ROW: pl.UInt32(), schema.FAULT: pl.Enum(schema.REASONS)}
    raw: dict[str, pl.DataType] = {**place, **types}
    found = normalise(pl.LazyFrame(schema=raw), types, plan).collect_schema()
    return {name: dtype for name, dtype in found.items() if name not in (*PLACE, *TRANSIENT)}


def _normalised(raw: pl.LazyFrame, types: Mapping[str, pl.DataType], plan: Plan, *, in_memory: bool) -> pl.DataFrame:
    try:
        return normalise(raw, types, plan).collect(engine="in-memory" if in_memory else "streaming")
    except pl.exceptions.PolarsError as error:
        if plan.where is None and not plan.own:
            raise
        # is it the file that is damaged?
        normalise(raw, types, replace(plan, where=None, own=())).collect(engine="streaming")
        option, hint = _where_it_fails(raw, types, plan)
        raise UsageError(f"{option}: {sql.cause(error)}", hint=hint) from None


def _where_it_fails(raw: pl.LazyFrame, types: Mapping[str, pl.DataType], plan: Plan) -> tuple[str, str]:
    """The option whose SQL or column meets a value that does not fit, and what to type."""
    if plan.where is not None and _fails(raw, types, replace(plan, own=())):
        return "--where", FITS
    found = next((own for own in plan.own if _fails(raw, types, replace(plan, own=(own,)))), None)
    if found is None:
        return "--metric or --goal", FITS
    if found.kind != "dimension":
        return f"--{found.kind} {found.name}", FITS
    column = '"' + found.uses[found.name].replace('"', '""') + '"'
    text = f"{found.name}=first(CAST({column} AS VARCHAR)) FILTER (WHERE {column} IS NOT NULL)"
    return f"--dimension {found.name}", f"--metric {shlex.quote(text)} in its place has all digits"


def _fails(raw: pl.LazyFrame, types: Mapping[str, pl.DataType], plan: Plan) -> bool:
    try:
        normalise(raw, types, plan).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return True
    return False


def _coded(held: list[DictionaryColumn], role: str, dictionaries: Dictionaries | None) -> pl.Series:
    """The texts of a role, row by row: as codes where there are dictionaries to give them."""
    texts = [without_blanks(column.texts) for column in held]
    told = texts if dictionaries is None else dictionaries.codes(role, texts)
    return pl.concat([column.each(values) for column, values in zip(held, told, strict=True)]).alias(role)
