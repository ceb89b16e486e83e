"""The commonest pages and the like that sessions begin with, end with, or come from. Sessions in; parts add up."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from sessionize.summary.long_names import MARK, has_digest, keys

MOST_WAITING: Final = 16 << 20
COUNT_BYTES: Final = 40
NAMES_KEPT: Final = 1_000


class Ends:
    """Counts sessions by where they begin, by where they end, or by where they come from.

    Args:
        columns: Metrics that tell, such as the page, and the event type for sessions without a page.
        name: What is made of their values, as texts; None for the first that there is.
        most_waiting: Bytes of counts, with their names, from which on those of one name are added up.
        names_kept: How many of the commonest keep their names, even if these are long: more than are ever shown.
    """

    def __init__(
        self, *columns: str, name: pl.Expr | None = None, most_waiting: int = MOST_WAITING, names_kept: int = NAMES_KEPT
    ) -> None:
        self._columns = columns
        self._name = pl.coalesce(columns) if name is None else name
        self._most_waiting, self._names_kept = most_waiting, names_kept
        self._counted: list[pl.DataFrame] = []
        self._long: dict[str, str] = {}
        """Long names by their keys: of all that wait, and of the commonest."""
        self._waiting = 0

    def add(self, sessions: pl.DataFrame) -> None:
        """Count some sessions."""
        counts = (
            pl.len().cast(pl.Int64).alias("sessions"),
            *(pl.col(name).sum().cast(pl.Int64) for name in ("bounced", "converted")),
        )
        found = sessions.lazy().group_by(*self._columns).agg(*counts).collect()
        names = found.with_columns(pl.col(self._columns).cast(pl.String)).select(self._name.alias("name")).to_series()
        counted = _added([found.select(keys(names).alias("key"), "sessions", "bounced", "converted")])
        self._counted.append(counted)
        self._waiting += COUNT_BYTES * counted.height + int(names.str.len_bytes().sum())
        long = names.filter(has_digest(names))
        self._long.update(zip(keys(long), long, strict=True))
        if self._waiting > self._most_waiting:
            self._counted = [_added(self._counted)]
            self._waiting = 0
            self._forget()

    def _forget(self) -> None:
        """Let go of the long names that are not among the commonest.

        Such a one can only come among them if it is counted again: then it is told again, too.
        """
        if len(self._long) > self._names_kept:
            kept = self._commonest().head(self._names_kept)["key"]
            self._long = {key: self._long[key] for key in kept if key in self._long}

    def _commonest(self) -> pl.DataFrame:
        """All that have a name that is known, the commonest first."""
        names = pl.col("key").replace_strict(self._long, default=None, return_dtype=pl.String)
        named = pl.when(pl.col("key").str.starts_with(MARK)).then(names).otherwise(pl.col("key"))
        counted = _added(self._counted).with_columns(named.alias("name"))
        return counted.filter(pl.col("name").is_not_null()).sort("sessions", "name", descending=[True, False])

    def known(self) -> int:
        """Sessions that have a name."""
        return int(_added(self._counted).filter(pl.col("key").is_not_null())["sessions"].sum()) if self._counted else 0

    def rows(self, most: int) -> list[dict[str, Any]]:
        """The commonest, with their rates.

        Args:
            most: How many at most; not more than ``names_kept``.
        """
        if not self._counted:
            return []
        whole = sum(each["sessions"].sum() for each in self._counted)
        return [
            {
                "name": row["name"],
                "sessions": row["sessions"],
                "share": row["sessions"] / whole,
                "bounce_rate": row["bounced"] / row["sessions"],
                "conversion_rate": row["converted"] / row["sessions"],
            }
            for row in self._commonest().head(most).iter_rows(named=True)
        ]


def _added(counted: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counted).group_by("key").agg(pl.col("sessions", "bounced", "converted").sum())
