"""How many sessions reach each goal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl


class Goals:
    """Counts the sessions that reach each goal, some at a time.

    Args:
        rules: Rules of a manifest, which name the goals: Boolean columns of the sessions.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self._reached = dict.fromkeys(rules.get("goals", ()), 0)
        self._sessions = 0

    def add(self, sessions: pl.DataFrame) -> None:
        """Count some more."""
        self._sessions += sessions.height
        for name in self._reached:
            self._reached[name] += int(sessions[name].sum())

    def answer(self) -> list[dict[str, Any]]:
        """Name, sessions and rate of each goal, in the order in which they were asked for."""
        return [
            {"name": name, "sessions": number, "rate": number / self._sessions if self._sessions else None}
            for name, number in self._reached.items()
        ]
