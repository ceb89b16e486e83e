"""Events of one session key, and the one session that they make."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from oracle import Event, OracleRules, oracle
from strategies import ALL_ROLES
from timelines import BASE_US, MINUTE_US


def event(minute: float, **fields: Any) -> Event:
    """Make an event of key ``a`` at a minute; ``session_id=None`` takes the key away."""
    return {"session_id": "a", "timestamp_us": BASE_US + int(minute * MINUTE_US), **fields}


def only_row(
    *events: Event,
    rules: OracleRules | None = None,
    roles: Collection[str] = ALL_ROLES,
) -> dict[str, Any]:
    """Return the metrics of the one session the events make."""
    (row,) = oracle(events, rules or OracleRules(), roles).metrics
    return row
