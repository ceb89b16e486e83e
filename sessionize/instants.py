"""Instants as whole microseconds since 1970 UTC, which the engine counts in, and as what people and files write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(microseconds: int) -> str:
    """An instant as ISO 8601 with Z.

    Examples:
        >>> iso(1_714_554_000_000_000)
        '2024-05-01T09:00:00.000000Z'
    """
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Microseconds from 1970 UTC to an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)
