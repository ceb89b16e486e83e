"""What an earlier run, or the nights of one, left: taken as it is, and as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import polars as pl

from sessionize import schema
from sessionize.instants import microseconds
from sessionize.limits import Limits
from sessionize.output.as_made import check_alike
from sessionize.output.read_run import read_manifest, read_sessions
from sessionize.output.runs import folders_of
from sessionize.own import Own, recorded
from sessionize.stores import AnyPath
from sessionize.values import NamedTuple


def is_run(inputs: tuple[str, ...]) -> bool:
    """Whether what was named is the output of an earlier run."""
    return bool(folders_of(inputs))


def zone_of(inputs: tuple[str, ...]) -> str | None:
    """The zone of an earlier run's days; None of a log."""
    folders = folders_of(inputs)
    return str(read_manifest(str(folders[-1]))["rules"]["timezone"]) if folders else None


class Earlier(NamedTuple):
    """An earlier run, or several that are one log.

    Attributes:
        folders: Output directories, in order.
        manifests: The manifest of each.
        account: These as one.
    """

    folders: list[AnyPath]
    manifests: list[dict[str, Any]]
    account: dict[str, Any]

    @classmethod
    def of(cls, inputs: tuple[str, ...]) -> Earlier:
        """The run that was named.

        Raises:
            UsageError: If these are several that were not made alike.
        """
        folders = folders_of(inputs)
        manifests = [read_manifest(str(folder)) for folder in folders]
        check_alike(folders, manifests)
        return cls(folders, manifests, _together(manifests))

    @property
    def watermark(self) -> int | None:
        """Time up to which it was complete, microseconds since 1970 UTC; None without events."""
        text = self.account["watermark"]
        return None if text is None else microseconds(datetime.fromisoformat(text))

    def newest(self, limits: Limits) -> int | None:
        """Time of the newest event of its sessions, microseconds since 1970 UTC; None without any."""
        ends = (sessions["end"].max() for sessions, _ in self.batches(limits, events=False))
        return max((microseconds(end) for end in ends if isinstance(end, datetime)), default=None)

    def batches(self, limits: Limits, *, events: bool) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
        """Some sessions at a time: metrics, and events where they are wanted.

        Nights without a session are left out where others have some: of their events not even the columns are known.

        Args:
            limits: What may be held at once.
            events: Whether they are.
        """
        empty, is_given = None, False
        for folder, each in zip(self.folders, self.manifests, strict=True):
            for sessions, rows in read_sessions(folder, each, limits, events=events):
                found = with_own(sessions, recorded(each["rules"])), rows
                if sessions.height:
                    is_given = True
                    yield found
                else:
                    empty = found
        if empty is not None and not is_given:
            yield empty


def with_own(sessions: pl.DataFrame, columns: Iterable[Own]) -> pl.DataFrame:
    """Sessions with the columns that the user has added under their own names, too, and marked as such."""
    for own in columns:
        marked = schema.OWN_PREFIX + own.name
        here = own.name if marked not in sessions.columns else marked
        sessions = sessions.with_columns(pl.col(here).alias(own.name), pl.col(here).alias(marked))
    return sessions


def _together(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """The manifests of several batches as one: counts added up, the newest watermark."""
    if len(manifests) == 1:
        return manifests[0]
    counts: dict[str, Any] = {}
    for each in manifests:
        for name, number in each["counts"].items():
            if isinstance(number, dict):
                there = counts.setdefault(name, {})
                for reason, rows in number.items():
                    there[reason] = there.get(reason, 0) + rows
            else:
                counts[name] = counts.get(name, 0) + number
    marks = [each["watermark"] for each in manifests if each["watermark"] is not None]
    inputs = [file for each in manifests for file in each["inputs"]]
    return {**manifests[-1], "inputs": inputs, "counts": counts, "watermark": max(marks, default=None)}
