"""What answers look at while a log is read: how many events there are of each type, and where each stands."""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize import schema
from sessionize.engine.observe import Observer
from sessionize.kernel.dictionaries import occurrences

PLACE: Final = "sessionize.place"
"""Where an event stands in the log: number of the file, times 2^32, and of the row (UInt64)."""


class EventTypes(Observer):
    """Counts the events of each type."""

    needs_whole_keys = False

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def keys(self, events: pl.DataFrame) -> None:
        """Count those of some whole keys."""
        if schema.EVENT_TYPE in events.columns:
            for name, number in occurrences(events[schema.EVENT_TYPE]):
                self._numbers[name] = self._numbers.get(name, 0) + number

    @property
    def commonest_first(self) -> dict[str, int]:
        """Events by type."""
        return dict(sorted(self._numbers.items(), key=lambda item: (-item[1], item[0])))


class Places(Observer):
    """Remembers where each event stands in the log."""

    def batch(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events with PLACE: number of the file, times 2^32, and of the row."""
        place = pl.col(schema.FILE).cast(pl.UInt64) * (1 << 32) + pl.col(schema.ROW)
        return events.with_columns(place.alias(PLACE))
