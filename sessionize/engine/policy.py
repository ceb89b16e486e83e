"""What a night changes in a run: the engine's side of it. `nightly` has the only one there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import polars as pl

from sessionize.config import Plan
from sessionize.engine.partition import Limits
from sessionize.kernel import Sessionized


class Before(Protocol):
    """How far earlier batches have come."""

    @property
    def watermark(self) -> int | None:
        """No event before it is taken any more; microseconds since 1970 UTC."""


class Policy(Protocol):
    """A batch of a log that comes in batches."""

    @property
    def before(self) -> Before:
        """How far earlier batches have come."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Events carried in and out, and early ones."""

    def with_carried(self, arrived: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Carried events, then those of the log."""

    def close(self, newest: int | None) -> int | None:
        """The watermark, once the whole log has been read."""

    def settled(self, events: pl.DataFrame, plan: Plan, limits: Limits | None) -> tuple[Sessionized, pl.DataFrame]:
        """Sessions of whole keys that can change no more, and the events they were made of."""
