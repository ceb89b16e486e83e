"""What each check measures, from the facts of one pass: one small function a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from sessionize import schema
from sessionize.checks.days import BUSY, EXPECTED, are_busy, empty_days, holes, odd_days
from sessionize.checks.facts import EventFacts, Facts, Flagged
from sessionize.checks.findings import Example, Measured, Unmeasured
from sessionize.checks.text import listed, quoted, sanitize
from sessionize.instants import iso

Options = Mapping[str, Any]
Answer = Measured | Unmeasured
Measure = Callable[[Facts, Options], Answer]
SO_MANY: Final = "has so many events that it could be a constant"
NO_EVENTS: Final = Unmeasured("an earlier run's output does not tell; check the log itself")
NO_FIGURES: Final = Unmeasured("there are no figures of its events")
WORTH_A_VALUE: Final = (schema.EVENT_TYPE, schema.PAGE, schema.REFERRER, schema.VALUE, schema.USER_AGENT, schema.IP)
"""Columns that are odd where they are empty; of campaigns many logs have none."""
ALONE: Final = "passive_alone"
SOME: Final = 1_000
HOUR_US: Final = 3_600_000_000
MINUTES: Final = len("2024-05-30T00:00")


def rows(facts: Facts, _: Options) -> Answer:
    """Rows of the log: one of a header alone is whole, and yet seldom what was meant."""
    number = facts.counts["rows_read"]
    return Measured(number, None, f"the log has {number:,} rows")


def rejected(facts: Facts, _: Options) -> Answer:
    """Rows that are no events, which passive ones in no session are."""
    by_reason = {reason: number for reason, number in facts.counts["rejected_by_reason"].items() if reason != ALONE}
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in by_reason.items())
    number, rows = sum(by_reason.values()), facts.counts["rows_read"]
    examples = sorted(
        (each for reason, found in facts.rejected.items() if reason != ALONE for each in found), key=_place
    )
    return Measured(number, rows, f"{_of(number, rows, 'rows')} rejected" + (f": {reasons}" if reasons else ""),
                    tuple(examples))  # fmt: skip


def rejected_for(reason: str) -> Measure:
    """Rows rejected for one reason."""

    def measure(facts: Facts, _: Options) -> Answer:
        number, rows = facts.counts["rejected_by_reason"].get(reason, 0), facts.counts["rows_read"]
        rows += facts.counts.get("carried_in", 0) if reason == ALONE else 0
        return Measured(number, rows, f"{_of(number, rows, 'rows')} rejected: {reason}", facts.rejected.get(reason, ()))

    return measure


def of_events(measure: Callable[[Facts, EventFacts, Options], Answer]) -> Measure:
    """A measure that needs the events."""

    def measured(facts: Facts, options: Options) -> Answer:
        if facts.events is None:
            return NO_EVENTS
        return measure(facts, facts.events, options)

    return measured


def blank(role: str) -> Measure:
    """Events without an id."""

    def measure(facts: Facts, events: EventFacts, _: Options) -> Answer:
        if role not in events.blanks:
            return Unmeasured(f"the log has no {role}")
        number, whole = events.blanks[role], events.clock.events
        # A known layout names columns that not all of its logs have; lines of JSON may still have them later on.
        if role == schema.EVENT_ID and facts.rules.get("preset") is not None and number == whole:
            return Unmeasured(f"no event has an {role}")
        return Measured(number, whole, f"{_of(number, whole, 'events')} have no {role}, or a blank one")

    return of_events(measure)


def duplicates(facts: Facts, _: Options) -> Answer:
    """Events that repeat another."""
    if not facts.has_event_ids:
        return Unmeasured("the log has no event_id")
    number, rows = facts.counts["duplicates"], facts.counts["rows_read"]
    said = f"{_of(number, rows, 'rows')} repeat an event: the same key, event id and time"
    return Measured(number, rows, said, facts.duplicates)


def moved_events(facts: Facts, _: Options) -> Answer:
    """Events whose event id is there at another time."""
    if not facts.has_event_ids:
        return Unmeasured("the log has no event_id")
    if facts.moved is None:
        return NO_EVENTS
    number, whole = facts.moved.number, facts.counts["events"]
    said = f"{_of(number, whole, 'events')} have an event id that their key has at another time, too"
    return Measured(number, whole, said, facts.moved.examples)


def empty_columns(facts: Facts, _: Options) -> Answer:
    """Columns without a value in any event."""
    shares: dict[str, list[float]] = {}
    for figures in facts.days.values():
        for name, figure in figures.items():
            if name.removeprefix("null.") in WORTH_A_VALUE:
                shares.setdefault(name.removeprefix("null."), []).append(figure.value)
    if not shares:
        return NO_FIGURES
    empty = [name for name, each in shares.items() if min(each) == 1]
    # Of few events, it may well be that none had one.
    number = len(empty) if facts.counts["events"] >= SOME else 0
    return Measured(number, None, f"{number} columns have no value in any event{listed(empty[:number])}")


def repeated_rows(facts: Facts, _: Options) -> Answer:
    """Rows that are there again, whatever their event ids."""
    found = [
        (figures["repeated.rows"].value, figures["volume.events"].value)
        for figures in facts.days.values()
        if "repeated.rows" in figures
    ]
    whole = sum(events for _, events in found)
    if not whole:
        return NO_FIGURES
    number = round(sum(share * events for share, events in found))
    said = f"about {number / whole:.2%} of the rows are there again, event ids aside"
    return Measured(number, whole, said)


def null_words(facts: Facts, _: Options) -> Answer:
    """Events whose id is a word for null."""
    if facts.null_words is None:
        return NO_EVENTS
    whole = facts.counts["events"]
    number = min(facts.null_words.number, whole)  # an event may have one as several of its ids
    said = f"{_of(number, whole, 'events')} have a word for null as their id; --null says so"
    return Measured(number, whole, said, facts.null_words.examples)


def unreadable_values(facts: Facts, _: Options) -> Answer:
    """Amounts that are no numbers."""
    number = facts.counts.get("bad_values", 0)
    return Measured(number, None, f"{number:,} amounts could not be read as numbers", facts.unread_amount)


@of_events
def out_of_order(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events earlier than the one before them."""
    number, whole = events.clock.descents, events.clock.events
    return Measured(number, whole, f"{_of(number, whole, 'events')} are earlier than the one before them in the log")


@of_events
def future(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events later than there can be."""
    if events.future is None:
        return Unmeasured("stdin does not tell when it was written; say --until")
    said = f"{_of(events.future.number, events.clock.events, 'events')} are later than {events.until}"
    return Measured(events.future.number, events.clock.events, said, events.future.examples)


@of_events
def ancient(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events earlier than there can be."""
    said = f"{_of(events.ancient.number, events.clock.events, 'events')} are before {events.since}"
    return Measured(events.ancient.number, events.clock.events, said, events.ancient.examples)


@of_events
def midnight(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events at midnight."""
    number, whole = events.clock.midnights, events.clock.events
    return Measured(number, whole, f"{_of(number, whole, 'events')} are at midnight sharp: dates, not times?")


@of_events
def one_second(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events at the commonest second of the day."""
    second = int(events.clock.seconds.argmax())
    number, whole = int(events.clock.seconds[second]), events.clock.events
    at = str(timedelta(seconds=second)).zfill(8)
    return Measured(number, whole, f"{_of(number, whole, 'events')} are at {at} UTC, whatever the day")


@of_events
def one_minute(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events at the commonest minute of the hour, of a log of several hours."""
    if len(events.clock.hours) < 3:
        return Unmeasured("the log spans fewer than three hours")
    minutes = events.clock.seconds.reshape(24, 60, 60).sum(axis=(0, 2))
    minute, whole = int(minutes.argmax()), events.clock.events
    number = int(minutes[minute])
    return Measured(number, whole, f"{_of(number, whole, 'events')} are at minute {minute} of their hour: a clock cut?")


@of_events
def whole_minutes(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Events at second 0."""
    number, whole = int(events.clock.seconds[::60].sum()), events.clock.events
    return Measured(number, whole, f"{_of(number, whole, 'events')} are at second 0 of a minute: a truncated clock?")


def session_id_share(facts: Facts, _: Options) -> Answer:
    """Events under the commonest session id."""
    return _largest(facts, schema.SESSION_ID, facts.sessions.of_session_id, "have")


def profile_id_share(facts: Facts, _: Options) -> Answer:
    """Events in sessions of the commonest profile id."""
    return _largest(facts, schema.PROFILE_ID, facts.sessions.of_profile_id, "are in sessions of")


def _largest(facts: Facts, role: str, largest: tuple[int, str] | None, what: str) -> Answer:
    whole = facts.counts["events"]
    if largest is None and facts.events is not None and role in facts.events.blanks:
        return Measured(0, whole, f"no {role} {SO_MANY}")
    if largest is None:
        return Unmeasured(f"the log has no {role}")
    number, name = largest
    said = f"{_of(number, whole, 'events')} {what} one {role}: {quoted(name)}"
    return Measured(number, whole, said, (Example(f"{role} {quoted(name)}: {number:,} events"),))


@of_events
def profiles_of_a_session_id(facts: Facts, events: EventFacts, _: Options) -> Answer:
    """Profiles under one session id."""
    if not events.has_both_ids:
        return Unmeasured("the log has not both, session_id and profile_id")
    if events.most_profiles is None:
        return Measured(0, facts.counts["profiles"], f"no session_id {SO_MANY}")
    number, later, name = events.most_profiles
    whole = facts.counts["profiles"] + later
    return Measured(number, whole, f"{_of(number, whole, 'profiles')} share one session_id: {quoted(name)}")


def long_sessions(facts: Facts, _: Options) -> Answer:
    """Sessions over so many hours."""
    return _sessions(facts, facts.sessions.long, f"are longer than {facts.sessions.long_hours:g} h")


def large_sessions(facts: Facts, _: Options) -> Answer:
    """Sessions over so many events."""
    return _sessions(facts, facts.sessions.large, f"have more than {facts.sessions.large_events:,} events")


def bounce_rate(facts: Facts, _: Options) -> Answer:
    """Sessions of one event."""
    return _sessions(facts, Flagged(facts.sessions.bounced), "bounced")


def engagement_rate(facts: Facts, _: Options) -> Answer:
    """Sessions that are engaged."""
    return _sessions(facts, Flagged(facts.sessions.engaged), "are engaged")


def conversion_rate(facts: Facts, _: Options) -> Answer:
    """Sessions that converted."""
    return _sessions(facts, Flagged(facts.sessions.converted), "converted")


def _sessions(facts: Facts, found: Flagged, what: str) -> Answer:
    whole = facts.counts["sessions"]
    return Measured(found.number, whole, f"{_of(found.number, whole, 'sessions')} {what}", found.examples)


def sessions_per_day(facts: Facts, _: Options) -> Answer:
    """Days unlike the others."""
    per_day = facts.sessions.per_day
    found, empty = odd_days(per_day), dict.fromkeys(empty_days(per_day), 0)
    if found is None and not empty:
        return Unmeasured(f"it takes 7 whole days with some {BUSY} sessions each to say which is odd")
    odd = dict(sorted({**(found or {}), **empty}.items()))
    days = [f"{day} ({number:,})" for day, number in odd.items()]
    said = f"{len(days)} days have far more or fewer sessions than the others{listed(days)}"
    return Measured(len(odd), None, said, tuple(Example(f"{day}: {number:,} sessions") for day, number in odd.items()))


@of_events
def hours_without_events(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Holes in the dump."""
    found = holes(events.clock.hours, events.clock.per_hour)
    if not found and not are_busy(events.clock.hours, events.clock.per_hour):
        return Unmeasured(f"too few hours have {EXPECTED} events or more to say in which there should be some")
    times = [f"{iso(hour * HOUR_US)[:MINUTES]}Z" for hour in found]
    said = f"{len(times)} hours have no event, though there should be some{listed(times)}"
    return Measured(len(found), None, said, tuple(Example(f"no event in the hour from {time}") for time in times))


@of_events
def unknown_event_types(_: Facts, events: EventFacts, options: Options) -> Answer:
    """Events of a type that is in no list."""
    if events.types is None:
        return Unmeasured("the log has no event_type")
    if events.unknown_types is None:
        return Unmeasured("no list of known types; --init writes one")
    names = [sanitize(name) for name in events.types if name not in options["known"]]
    said = f"{_of(events.unknown_types.number, events.clock.events, 'events')} are of an unknown type{listed(names)}"
    return Measured(events.unknown_types.number, events.clock.events, said, events.unknown_types.examples)


def _of(number: float, whole: float, what: str) -> str:
    share = f" ({number / whole:.2%})" if whole else ""
    return f"{number:,} of {whole:,} {what}{share}"


def _place(each: Example) -> tuple[str, int]:
    return each.file or "", each.row or 0
