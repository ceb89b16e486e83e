"""Instants as whole microseconds since 1970 UTC, which the engine counts in, and as what people and files write."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(microseconds: int) -> str:
    """An instant as ISO 8601 with Z.

    Examples:
        >>> iso(1_714_554_000_000_000)
        '2024-05-01T09:00:00.000000Z'
    """
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def written(value: Any) -> Any:
    """A value as JSON has it: a time as ISO 8601 with Z, UTC where it has no zone; all else as it is."""
    if not isinstance(value, datetime):
        return value
    return iso(microseconds(value if value.tzinfo else value.replace(tzinfo=UTC)))


def microseconds(moment: datetime) -> int:
    """Microseconds from 1970 UTC to an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def in_zone(naive: datetime, zone: str) -> datetime:
    """A time without a zone as one of a zone; of UTC where there is no such zone, which is said elsewhere."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - takes time to load, and few need it

    with suppress(ValueError, KeyError, OSError):
        return naive.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
    return naive.replace(tzinfo=UTC)
