"""What the Python call gives back: frames, in short and as a notebook shows them, and as other libraries' frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from html import escape
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from sessionize.engine.result import Counts
from sessionize.errors import UsageError
from sessionize.values import NamedTuple, dataclass

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


SHOWN: Final = 10
"""Rows that a notebook shows."""


def as_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A pandas frame; text columns, times and numbers keep their kind.

    Raises:
        UsageError: If pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: F401, PLC0415 - is optional
    except ImportError:
        raise UsageError("to_pandas() needs the package pandas", hint="pip install pandas") from None
    return frame.to_pandas()


def as_html(title: str, frame: pl.DataFrame) -> str:
    """A line, and the first rows of a frame, as a notebook shows them; nothing in it is taken for HTML."""
    more = f"<p>… {frame.height - SHOWN:,} more rows</p>" if frame.height > SHOWN else ""
    head = "".join(f"<th>{escape(name)}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape('' if value is None else str(value))}</td>" for value in row) + "</tr>"
        for row in frame.head(SHOWN).iter_rows()
    )
    return f"<div><p><b>{escape(title)}</b></p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"


class Frames(NamedTuple):
    """What became of a log's events.

    Attributes:
        sessions: Session records, nested; the open objects are JSON text.
        metrics: One row a session, ordered by (start, session id).
        events: Every event with ``session_id`` and its 1-based ``position``, in the sessions' order.
        rejected: The rows that are no events, with ``row`` (1-based) and ``reason``: of a frame as they came, and these
            two as ``sessionize.row`` and ``sessionize.reason`` where the frame has columns of their names; of files
            with ``file`` and their text, ``raw``.
        counts: How many of each; they add up.
        columns: Role → the log's columns that play it.
        notes: What was found that the one who asked should know.
    """

    sessions: pl.DataFrame
    metrics: pl.DataFrame
    events: pl.DataFrame
    rejected: pl.DataFrame
    counts: Counts
    columns: Mapping[str, tuple[str, ...]] = {}
    notes: tuple[str, ...] = ()

    @property
    def _title(self) -> str:
        counts = self.counts
        return (
            f"{counts.sessions:,} sessions of {counts.profiles:,} profiles, {counts.events:,} events, "
            f"{counts.rejected:,} rejected"
        )

    def __repr__(self) -> str:
        """The counts, and what to look at."""
        return f"<sessionize.Frames: {self._title}; .metrics .sessions .events .rejected .counts>"

    def _repr_html_(self) -> str:
        return as_html(self._title, self.metrics)

    def table(self, name: str = "metrics") -> pl.DataFrame:
        """One of the frames, by its name.

        Args:
            name: ``metrics``, ``sessions``, ``events`` or ``rejected``.

        Raises:
            UsageError: If there is none of that name.
        """
        tables = {"metrics": self.metrics, "sessions": self.sessions, "events": self.events, "rejected": self.rejected}
        if name not in tables:
            raise UsageError(f"no such frame: {name!r} (choose from {', '.join(tables)})")
        return tables[name]

    def to_polars(self, table: str = "metrics") -> pl.DataFrame:
        """The metrics, one row a session, or another of the frames."""
        return self.table(table)

    def to_pandas(self, table: str = "metrics") -> pd.DataFrame:
        """The metrics, or another of the frames, for pandas."""
        return as_pandas(self.table(table))

    def to_arrow(self, table: str = "metrics") -> pa.Table:
        """The metrics, or another of the frames, as a table of pyarrow."""
        return self.table(table).to_arrow()


@dataclass(frozen=True, repr=False)
class Table:
    """An answer: its rows as a frame, and all of it as plain data.

    Attributes:
        name: What was asked.
        frame: The rows, those that the command's ``--csv`` prints.
        data: The whole answer, as the command's ``--json`` prints it.
        counts: How many rows were read, rejected and the like, as a manifest has them.
        notes: What was found that the one who asked should know.
    """

    name: str
    frame: pl.DataFrame
    data: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The rows, in short."""
        return f"sessionize.{self.name}\n{self.frame}"

    def _repr_html_(self) -> str:
        return as_html(self.name, self.frame)

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every list of rows that the answer has, as a frame, by its name in ``data``."""
        return {name: rows_frame(rows) for name, rows in self.data.items() if _are_rows(rows)}

    def to_polars(self) -> pl.DataFrame:
        """The rows."""
        return self.frame

    def to_pandas(self) -> pd.DataFrame:
        """The rows, for pandas."""
        return as_pandas(self.frame)

    def to_arrow(self) -> pa.Table:
        """The rows, as a table of pyarrow."""
        return self.frame.to_arrow()


def rows_frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of plain data as a frame: objects in them as columns of their own, lists as lists."""
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return pl.DataFrame({name: _column(name, [row.get(name) for row in flat]) for name in names})


def _column(name: str, values: list[Any]) -> pl.Series:
    """A column; whole numbers among others are numbers."""
    if any(isinstance(value, float) for value in values):
        values = [float(value) if isinstance(value, int) else value for value in values]
    return pl.Series(name, values, strict=False)


def _flat(row: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in row.items():
        found += _flat(value, f"{before}{name}_") if isinstance(value, Mapping) else [(before + name, value)]
    return found


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)
