"""What the oracle speaks of: events, rules, and a session that grows instant by instant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Event = dict[str, Any]
SECOND_US = 1_000_000
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@dataclass(frozen=True, kw_only=True)
class OracleRules:
    """Everything the contract lets a user choose.

    Attributes:
        timeout_us: Longest silence inside a session; None switches the rule off.
        end_events: Event types that end their session after their instant; matched exactly.
        start_events: Event types that start a session at their instant; matched exactly.
        split_on: Columns whose change splits: ``x`` here is ``split.x`` in an event.
        split_on_arrival: Columns whose value, if the session's last one is another or it had none, splits.
        split_at_midnight: Whether local midnight splits.
        max_duration_us: An event later than session start plus this starts a new one.
        max_events: An instant before which the session has so many events starts a new one.
        burst: So many events before an instant that is no later than so many microseconds after the session's start
            start a new one, too.
        passive: Event types that neither start a session nor extend one; matched exactly.
        active_gap_us: A longer silence counts only so much as time present.
        timezone: IANA zone of midnight.
        page_views: Event types that are page views.
        conversions: Event types that are conversions.
        exact_names: Whether the names of page views and conversions match as written (the user
            gave them) or in any usual spelling (the built-in ones).
        until_us: Fixed watermark; None takes the newest event time.
    """

    timeout_us: int | None = 1_800_000_000
    end_events: tuple[str, ...] = ()
    start_events: tuple[str, ...] = ()
    split_on: tuple[str, ...] = ()
    split_on_arrival: tuple[str, ...] = ()
    split_at_midnight: bool = False
    max_duration_us: int | None = None
    max_events: int | None = None
    burst: tuple[int, int] | None = None
    passive: tuple[str, ...] = ()
    active_gap_us: int = 300 * SECOND_US
    timezone: str = "UTC"
    page_views: tuple[str, ...] = ("page-view", "page_view", "pageview", "page", "$pageview")
    conversions: tuple[str, ...] = (
        "purchase",
        "order-completed",
        "order_completed",
        "conversion",
        "checkout-completed",
    )
    exact_names: bool = False
    until_us: int | None = None

    @property
    def none_in_force(self) -> bool:
        """Whether no boundary rule is on, so that the key alone makes the session."""
        return (
            self.timeout_us is None
            and not self.end_events
            and not self.start_events
            and not self.split_on
            and not self.split_at_midnight
            and not self.split_on_arrival
            and self.max_duration_us is None
            and self.max_events is None
            and self.burst is None
        )


class OracleResult(NamedTuple):
    """What must come out.

    Attributes:
        metrics: One row a session with exactly the contract's columns, in its order; start and
            end in microseconds; ordered by (start, session_id).
        duplicates: Events left out because an earlier one says the same.
        rejected: Rows without a session key, or with one too long for a session's id; passive events in no session.
        watermark: The time up to which the log is complete; None for a log without events, unless
            given.
        assignment: Input row index → (session_id, 1-based position in the session), for every
            event that is in a session.
    """

    metrics: list[dict[str, Any]]
    duplicates: int
    rejected: int
    watermark: int | None
    assignment: dict[int, tuple[str, int]]


class Key(NamedTuple):
    """What ties events together: its text, and the log's own session id where it is one."""

    text: str
    source_id: str | None


class Row(NamedTuple):
    """An event with its place in the input."""

    place: int
    time_us: int
    event: Event


class Log(NamedTuple):
    """What holds for the whole log."""

    rules: OracleRules
    roles: Collection[str]
    watermark: int | None


@dataclass(kw_only=True)
class Session:
    """A session that grows by one instant at a time.

    Attributes:
        key: Its key.
        start_us: Time of its first event.
        rows: Its events so far, in order, but for passive ones.
        passive: Its passive events.
        last_split: Last non-null value of each splitting column so far.
        closed: Whether its last instant has an end event.
        next_began_by: The rule that began the key's next session; None while there is no next.
    """

    key: Key
    start_us: int
    rows: list[Row] = field(default_factory=list)
    passive: list[Row] = field(default_factory=list)
    last_split: Event = field(default_factory=dict)
    closed: bool = False
    next_began_by: str | None = None

    @property
    def all_rows(self) -> list[Row]:
        """All its events, passive ones too, in order."""
        return sorted([*self.rows, *self.passive], key=lambda row: (row.time_us, row.place))

    @property
    def end_us(self) -> int:
        """Time of its last event so far, passive ones aside."""
        return self.rows[-1].time_us

    def take(self, instant: list[Row], rules: OracleRules) -> None:
        """Add the events of the next instant."""
        self.rows.extend(instant)
        self.closed = has_type(instant, rules.end_events)
        for column in {*rules.split_on, *rules.split_on_arrival}:
            for value in values(instant, f"split.{column}"):
                self.last_split[column] = value


def has_type(instant: list[Row], names: Collection[str]) -> bool:
    return any(row.event.get("event_type") in names for row in instant)


def values(rows: list[Row], name: str) -> Iterator[Any]:
    """Yield the non-null values of a field, in order."""
    for row in rows:
        if row.event.get(name) is not None:
            yield row.event[name]
