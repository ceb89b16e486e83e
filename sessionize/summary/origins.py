"""Where sessions come from: channel, source and medium, campaign, referring site. One pass over the metrics."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from sessionize.summary.ends import Ends

MOST: Final = 10
"""Of each kind that are told apart."""
SITE: Final = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:]+)"
"""The host in a referrer."""


def _source_and_medium() -> pl.Expr:
    source, medium = pl.col("utm_source"), pl.col("utm_medium")
    whole = pl.concat_str(source.fill_null("(none)"), pl.lit(" / "), medium.fill_null("(none)"))
    return pl.when(source.is_not_null() | medium.is_not_null()).then(whole)


def site() -> pl.Expr:
    """The host of a referrer, in lower case."""
    return pl.col("referrer").str.extract(SITE, 1).str.to_lowercase()


class Origins:
    """Counts sessions by where they come from."""

    def __init__(self) -> None:
        self._counted = {
            "channel": Ends("channel"),
            "source / medium": Ends("utm_source", "utm_medium", name=_source_and_medium()),
            "campaign": Ends("utm_campaign"),
            "referring site": Ends("referrer", name=site()),
        }
        self._sessions = 0

    def add(self, sessions: pl.DataFrame) -> None:
        """Count some sessions."""
        self._sessions += sessions.height
        for ends in self._counted.values():
            ends.add(sessions)

    def rows(self) -> list[dict[str, Any]]:
        """Each kind that some session has: its commonest ``rows``, sessions of ``other`` ones and ``without`` any."""
        found = []
        for kind, ends in self._counted.items():
            rows, known = ends.rows(MOST), ends.known()
            if known:
                other = known - sum(row["sessions"] for row in rows)
                found.append({"kind": kind, "rows": rows, "other": other, "without": self._sessions - known})
        return found
