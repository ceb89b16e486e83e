"""Which groups are shown, and which are counted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sessionize.values import NamedTuple

IN_TIME: Final = ("day", "week", "month", "weekday", "hour")
Group = Mapping[str, Any]


class Groups(NamedTuple):
    """Groups in order.

    Attributes:
        shown: Those that have a row of their own.
        rest: The others that have sessions.
    """

    shown: Sequence[Group]
    rest: Sequence[Group]


def chosen(groups: Sequence[Group], by: str | None, least: int, top: int | None) -> Groups:
    """The groups that are shown: of parts of time the last, else the largest.

    Args:
        groups: All groups, in order.
        by: What the sessions are grouped by.
        least: Groups under so many sessions are not shown.
        top: How many are shown; None for all that are left.
    """
    likely = [row for row in groups if row["sessions"] >= least]
    most = len(likely) if top is None else top
    shown = likely[max(0, len(likely) - most) :] if by in IN_TIME else likely[:most]
    return Groups(shown, [row for row in groups if row["sessions"] and row not in shown])
