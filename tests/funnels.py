"""ClickHouse's windowFunnel as a slow, obvious loop over one session's events, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

Event = tuple[int, frozenset[int]]
"""Microseconds, and the steps that the event is, counted from 0."""


def level(events: Sequence[Event], steps: int, within: int | None) -> int:
    """How far the furthest chain comes: one begins at each first step and takes the next event of each further step."""
    furthest = 0
    for number, (began, kinds) in enumerate(events):
        if 0 not in kinds:
            continue
        came = 1
        for time, later in events[number + 1 :]:
            if came < steps and came in later:
                if within is not None and time > began + within:
                    break
                came += 1
        furthest = max(furthest, came)
    return furthest


def strict_level(events: Sequence[Event], steps: int, within: int | None) -> int:  # noqa: C901 - obvious rather than short
    """The same as ClickHouse's ``strict_order``: what is no step, or comes before its turn, ends the search."""
    first: list[int | None] = [None] * steps
    for time, kinds in events:
        if not kinds:
            if first[0] is not None:
                break
            continue
        usable = 0 in kinds
        for step in sorted(kinds - {0}, reverse=True):
            before = first[step - 1]
            if before is not None:
                usable = True
                if within is None or time <= before + within:
                    first[step] = before
        if 0 in kinds:
            first[0] = time
        if first[0] is not None and not usable:
            break
        if first[-1] is not None:
            break
    return sum(each is not None for each in first)
