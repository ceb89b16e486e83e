"""Where a session ends (semantics, section 4), as it was asked for. Frozen, keyword-only, no I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sessionize.errors import UsageError
from sessionize.fields import check_fields
from sessionize.values import NamedTuple, dataclass

MICROSECOND: Final = timedelta(microseconds=1)
DEFAULT_TIMEOUT: Final = timedelta(minutes=30)
DEFAULT_ACTIVE_GAP: Final = timedelta(minutes=5)


class Burst(NamedTuple):
    """So many events so soon after a session's start that the next one starts another (Adobe).

    Attributes:
        events: Events that a session may have in that time.
        within: Time from the session's start, its end included.
    """

    events: int
    within: timedelta


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Where a session ends (semantics, section 4), in the contract's order.

    Attributes:
        timeout: Longest silence inside a session; None switches the rule off.
        end_events: Event types that end their session after their instant.
        start_events: Event types that start a session at their instant.
        split_on: Columns, roles or fields told by the row whose change from one non-null value to another splits.
        split_on_arrival: Such names whose value, other than the session's last one, splits; also where it had none.
        split_at_midnight: Whether local midnight in the time zone splits.
        max_duration: An event later than session start plus this starts a new one.
        max_events: An instant before which the session has so many events starts a new one.
        burst: Events in a session's first moments after which a new one starts; for definitions of other systems.
        passive: Event types that neither start a session nor extend one.
        active_gap: A longer silence counts only so much as time present; no boundary, but a matter of silences too.
    """

    timeout: timedelta | None = DEFAULT_TIMEOUT
    end_events: tuple[str, ...] = ()
    start_events: tuple[str, ...] = ()
    split_on: tuple[str, ...] = ()
    split_on_arrival: tuple[str, ...] = ()
    split_at_midnight: bool = False
    max_duration: timedelta | None = None
    max_events: int | None = None
    burst: Burst | None = None
    passive: tuple[str, ...] = ()
    active_gap: timedelta = DEFAULT_ACTIVE_GAP

    def __post_init__(self) -> None:
        check_fields(self)
        if self.timeout is not None and self.timeout < timedelta(0):
            raise UsageError("--timeout cannot be negative", hint="for example --timeout 30m, or --timeout none")
        if self.max_duration is not None and self.max_duration <= timedelta(0):
            raise UsageError("--max-duration must be longer than zero", hint="for example --max-duration 24h")
        if self.max_events is not None and self.max_events < 1:
            raise UsageError(
                f"invalid value {self.max_events} for --max-events (at least 1)", hint="for example --max-events 10000"
            )
        if self.burst is not None and (self.burst.events < 1 or self.burst.within < timedelta(0)):
            raise UsageError("a burst is one event or more in no negative time", hint="for example 100 events in 100s")
        both = [name for name in self.passive if name in (*self.end_events, *self.start_events)]
        if both:
            raise UsageError(
                f"--passive {both[0]}: an event that starts or ends a session is not passive",
                hint="name it in one of --passive, --start-event and --end-event",
            )
        if self.active_gap < timedelta(0):
            raise UsageError("--active-gap cannot be negative", hint="for example --active-gap 5m")

    @property
    def timeout_us(self) -> int | None:
        """The timeout in whole microseconds."""
        return None if self.timeout is None else self.timeout // MICROSECOND

    @property
    def max_duration_us(self) -> int | None:
        """The longest duration in whole microseconds."""
        return None if self.max_duration is None else self.max_duration // MICROSECOND

    @property
    def split_names(self) -> tuple[str, ...]:
        """All names whose values may split, each once."""
        return tuple(dict.fromkeys((*self.split_on, *self.split_on_arrival)))

    @property
    def has_limits(self) -> bool:
        """Whether a session may become too long or too large, so that the rules begin anew in the midst of others."""
        return not (self.max_duration is None and self.max_events is None and self.burst is None)

    @property
    def none_in_force(self) -> bool:
        """Whether the key alone makes the session."""
        return self == Rules(timeout=None, active_gap=self.active_gap, passive=self.passive)
