"""The user's own checks: SQL over the events and sessions, which wait on disk until the log has been read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from sessionize import schema, sql
from sessionize.checks.findings import Example, Measured, Undecided, Unmeasured
from sessionize.checks.settings import Custom
from sessionize.checks.text import sanitize
from sessionize.config import Plan
from sessionize.engine.observe import Observer, Whole
from sessionize.kernel import Sessionized, as_text, described, stamped
from sessionize.kernel.dictionaries import CODED
from sessionize.kernel.metrics import METRICS
from sessionize.kernel.own import TYPES as OWN_TYPES
from sessionize.kernel.own import metric_columns
from sessionize.os_errors import writing
from sessionize.sql_words import adapted

EVENTS: Final = "events"
SESSIONS: Final = "sessions"
EVENT_PLACE: Final[Mapping[str, pl.DataType]] = {"file": pl.String(), "row": pl.UInt32()}
"""Where an event stands; the canonical columns follow."""
TINY: Final = 1e-5
"""Smaller numbers are shown with all their digits, others with six behind the point."""
BY_NOTHING: Final = "division by zero"
Tables = Mapping[str, pl.LazyFrame]


def session_types(plan: Plan) -> pl.Schema:
    """Types of the table of sessions: the metrics, and the user's own columns."""
    own = {each.name: OWN_TYPES[each.dtype] for each in plan.own}
    return pl.Schema({**{metric.name: metric.dtype for metric in METRICS}, **own})


def needs(customs: Iterable[Custom], table: str) -> bool:
    """Whether any of the checks asks a table."""
    return any(re.search(rf"\b{table}\b", custom.sql, re.IGNORECASE) for custom in customs)


class Shelf(Observer):
    """Where the tables that queries ask wait, a file for each of their batches.

    Args:
        folder: Makes the folder for the files; asked when the first batch comes.
        paths: Paths of the log's files.
        plan: The rules.
        customs: The queries.
    """

    def __init__(
        self, folder: Callable[[], Path], paths: Sequence[str], plan: Plan, customs: Collection[Custom]
    ) -> None:
        self._folder = folder
        self._paths = pl.Series("file", list(paths), pl.String)
        self._plan = plan
        self._needs = {table: needs(customs, table) for table in (EVENTS, SESSIONS)}
        self._files: dict[str, list[Path]] = {EVENTS: [], SESSIONS: []}

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """Keep events, if they will be asked for."""
        if self._needs[EVENTS]:
            self._add(EVENTS, events_table(_in_texts(events), self._paths))
        return events

    def partition(self, events: pl.DataFrame, sessions: Sessionized, whole: Whole) -> None:  # noqa: ARG002
        """Keep sessions, if they will be asked for."""
        if self._needs[SESSIONS]:
            wide = stamped(described(sessions.sessions, self._plan), self._plan, whole.stand.watermark)
            self._add(SESSIONS, as_text(wide).select(metric_columns(self._plan)))

    def _add(self, table: str, rows: pl.DataFrame) -> None:
        files = self._files[table]
        path = self._folder() / f"{table}-of-checks-{len(files)}.arrow"
        with writing(path):
            rows.write_ipc(path)
        files.append(path)

    @property
    def tables(self) -> Tables:
        """What waits there."""
        return {name: pl.scan_ipc(files) for name, files in self._files.items() if files}


def _in_texts(events: pl.DataFrame) -> pl.DataFrame:
    """Events with texts in place of codes; a dictionary of the log's own stays one."""
    coded = [name for name in CODED if name in events.columns]
    return events.with_columns(pl.col(coded).cast(pl.String))


def events_table(rows: pl.DataFrame, paths: pl.Series) -> pl.DataFrame:
    """Events as the user's SQL sees them: ``file``, ``row`` and the canonical columns."""
    return rows.select(
        paths.gather(rows[schema.FILE]).alias("file"),
        pl.col(schema.ROW).alias("row"),
        pl.all().exclude(schema.FILE, schema.ROW, schema.REASON),
    )


def prove(customs: Iterable[Custom], types: Mapping[str, pl.Schema], timezone: str) -> None:
    """Try each query on empty tables, before anything is read.

    Args:
        customs: The queries.
        types: Columns of each table.
        timezone: IANA zone of times that say none, and of dates that are taken out of times.

    Raises:
        UsageError: If one is no SQL, or asks for what there is not.
    """
    tables = {name: pl.LazyFrame(schema=columns) for name, columns in types.items()}
    for custom in customs:
        with sql.as_usage_error(_origin(custom), "sessionize schema events and schema metrics tell the columns"):
            try:
                _query(custom, tables, timezone).collect()
            except pl.exceptions.ComputeError as error:
                if BY_NOTHING not in str(error):  # what is divided by is there once there are rows
                    raise


def ask(
    customs: Iterable[Custom], tables: Tables, timezone: str, examples: int
) -> dict[str, Measured | Undecided | Unmeasured]:
    """What each query finds: its one number, else how many rows it returns."""
    return {custom.name: _ask(custom, tables, timezone, examples) for custom in customs}


def _ask(custom: Custom, tables: Tables, timezone: str, examples: int) -> Measured | Undecided | Unmeasured:
    absent = [table for table in (EVENTS, SESSIONS) if table not in tables and needs([custom], table)]
    if absent:
        return Unmeasured(f"there are no {absent[0]} in an earlier run's output; check the log itself")
    with sql.as_usage_error(_origin(custom), "a value that does not fit: TRY_CAST gives null in its place"):
        found = _query(custom, tables, timezone).collect(engine="streaming")
    if found.shape == (1, 1) and (found.dtypes[0].is_numeric() or found.dtypes[0] == pl.Null):
        number = found.item()
        if number is None:
            return Undecided("the query's number is null: COALESCE says what is meant by it")
        if not math.isfinite(number):
            return Undecided(f"the query's number is {number}: NULLIF keeps from dividing by nothing")
        exact = int(number) if found.dtypes[0].is_integer() else float(number)
        return Measured(exact, None, f"{exact if abs(exact) < TINY else round(exact, 6):,} by the query")
    shown = tuple(_example(row) for row in found.head(examples).iter_rows(named=True))
    return Measured(found.height, None, f"{found.height:,} rows by the query", shown)


def _query(custom: Custom, tables: Tables, timezone: str) -> pl.LazyFrame:
    """What a query finds; times in it are in the zone where they say none, as are dates that it takes out of times."""
    columns = {name: dtype for table in tables.values() for name, dtype in table.collect_schema().items()}
    return sql.query(adapted(custom.sql, columns, timezone), tables, _origin(custom))


def _origin(custom: Custom) -> str:
    return f"[[check.custom]] {custom.name!r}"


def _example(row: Mapping[str, Any]) -> Example:
    file, number = row.get("file"), row.get("row")
    text = ", ".join(f"{name} = {value}" for name, value in row.items() if name not in ("file", "row"))
    place = (file, number) if isinstance(file, str) and isinstance(number, int) else (None, None)
    return Example(sanitize(text), *place)
