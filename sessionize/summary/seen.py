"""In how many sessions each page was seen: what an exit page's rate is a share of. Key-local; parts add up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from sessionize.kernel.dictionaries import coded
from sessionize.summary.long_names import keys

MOST_WAITING: Final = 1 << 18


class Seen:
    """Counts the sessions that saw each page."""

    def __init__(self) -> None:
        self._counted: list[pl.DataFrame] = []
        self._waiting = 0

    def add(self, pages: pl.Series, sizes: pl.Series) -> None:
        """Count some sessions.

        Args:
            pages: Page of each event, in order of session and position; null for none.
            sizes: Events of each session.
        """
        session = pl.Series(np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes.to_numpy()))
        codes = coded(pages)
        each = pl.LazyFrame({"session": session, "page": codes.to_physical(), "name": codes}).drop_nulls("page")
        counted = (
            each.unique(["session", "page"])
            .group_by("page")
            .agg(pl.col("name").first().cast(pl.String), pl.len().cast(pl.Int64).alias("sessions"))
            .select("name", "sessions")
            .collect()
        )
        counted = counted.with_columns(keys(counted["name"]))
        self._counted.append(counted)
        self._waiting += counted.height
        if self._waiting > MOST_WAITING:
            self._counted = [self._added()]
            self._waiting = 0

    def _added(self) -> pl.DataFrame:
        return pl.concat(self._counted).group_by("name").agg(pl.col("sessions").sum())

    def of(self, names: Iterable[str]) -> dict[str, int]:
        """Sessions that saw each of some pages; a page that none saw is left out."""
        if not self._counted:
            return {}
        wanted = pl.Series("name", [*names], dtype=pl.String)
        texts = dict(zip(keys(wanted), wanted, strict=True))
        found = self._added().filter(pl.col("name").is_in(list(texts)))
        return {texts[key]: sessions for key, sessions in found.iter_rows()}
