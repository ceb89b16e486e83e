"""What each check measures, from the facts of one pass: one small function a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sessionize import schema
from sessionize.checks.batches import named_days
from sessionize.checks.days import holes, missing_days, odd_days
from sessionize.checks.facts import EventFacts, Facts, Flagged
from sessionize.checks.findings import Example, Measured, Unmeasured
from sessionize.checks.text import sanitize
from sessionize.read.parquet import partitions
from sessionize.read.passed_over import is_harmless

Options = Mapping[str, Any]
Answer = Measured | Unmeasured
Measure = Callable[[Facts, Options], Answer]
NO_EVENTS: Final = Unmeasured("an earlier run's output does not tell; check the log itself")
LISTED: Final = 5


def rejected(facts: Facts, _: Options) -> Answer:
    """Rows that are no events."""
    by_reason = facts.counts["rejected_by_reason"]
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in by_reason.items())
    number, rows = facts.counts["rejected"], facts.counts["rows_read"]
    examples = sorted((each for found in facts.rejected.values() for each in found), key=_place)
    return Measured(number, rows, f"{_of(number, rows, 'rows')} rejected" + (f": {reasons}" if reasons else ""),
                    tuple(examples))  # fmt: skip


def rejected_for(reason: str) -> Measure:
    """Rows rejected for one reason."""

    def measure(facts: Facts, _: Options) -> Answer:
        number, rows = facts.counts["rejected_by_reason"].get(reason, 0), facts.counts["rows_read"]
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

    def measure(_: Facts, events: EventFacts, __: Options) -> Answer:
        if role not in events.blanks:
            return Unmeasured(f"the log has no {role}")
        number = events.blanks[role]
        return Measured(
            number, events.clock.events, f"{_of(number, events.clock.events, 'events')} have no {role}, or a blank one"
        )

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


def null_words(facts: Facts, _: Options) -> Answer:
    """Events whose id is a word for null."""
    if facts.null_words is None:
        return NO_EVENTS
    number, whole = facts.null_words.number, facts.counts["events"]
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
    if largest is None:
        return Unmeasured(f"the log has no {role}")
    number, name = largest
    whole = facts.counts["events"]
    said = f"{_of(number, whole, 'events')} {what} one {role}: {sanitize(name)!r}"
    return Measured(number, whole, said, (Example(f"{role} {sanitize(name)!r}: {number:,} events"),))


@of_events
def profiles_of_a_session_id(facts: Facts, events: EventFacts, _: Options) -> Answer:
    """Profiles under one session id."""
    if not events.has_both_ids:
        return Unmeasured("the log has not both, session_id and profile_id")
    if events.most_profiles is None:
        return Measured(0, facts.counts["profiles"], "no session_id has so many events that it could be a constant")
    number, later, name = events.most_profiles
    whole = facts.counts["profiles"] + later
    return Measured(number, whole, f"{_of(number, whole, 'profiles')} share one session_id: {sanitize(name)!r}")


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
    odd = odd_days(facts.sessions.per_day)
    if odd is None:
        return Unmeasured("it takes 7 whole days with some 20 sessions each to say which is odd")
    days = [f"{day} ({number:,})" for day, number in odd.items()]
    said = f"{len(days)} days have far more or fewer sessions than the others{_listed(days)}"
    return Measured(len(odd), None, said, tuple(Example(f"{day}: {number:,} sessions") for day, number in odd.items()))


@of_events
def hours_without_events(_: Facts, events: EventFacts, __: Options) -> Answer:
    """Holes in the dump."""
    found = holes(events.clock.hours, events.clock.per_hour)
    times = [f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%dT%H:%MZ}" for hour in found]
    said = f"{len(times)} hours have no event, though there should be some{_listed(times)}"
    return Measured(len(found), None, said, tuple(Example(f"no event in the hour from {time}") for time in times))


@of_events
def unknown_event_types(_: Facts, events: EventFacts, options: Options) -> Answer:
    """Events of a type that is in no list."""
    if events.types is None:
        return Unmeasured("the log has no event_type")
    if events.unknown_types is None:
        return Unmeasured("no list of known types; --init writes one")
    names = [sanitize(name) for name in events.types if name not in options["known"]]
    said = f"{_of(events.unknown_types.number, events.clock.events, 'events')} are of an unknown type{_listed(names)}"
    return Measured(events.unknown_types.number, events.clock.events, said, events.unknown_types.examples)


def days_without_a_folder(facts: Facts, _: Options) -> Answer:
    """Days that a directory leaves out."""
    folders = [partitions(path) for path in facts.paths]
    found, what = missing_days(folders), "folder"
    if found is None:
        found, what = missing_days(named_days(facts.paths)), "file"
    if found is None:
        return Unmeasured("no folders named for days, such as day=2024-05-30, and no files")
    days, _whole = found
    said = f"{len(days)} days have no {what}{_listed(days)}"
    return Measured(len(days), None, said, tuple(Example(f"no {what} for {day}") for day in days))


def files_passed_over(facts: Facts, _: Options) -> Answer:
    """Files that were found and are not read, but for those that hold no event for certain."""
    found = [(path, why) for path, why in facts.passed_over if not is_harmless(why)]
    names = [sanitize(path) for path, _ in found]
    examples = tuple(Example(f"{sanitize(path)}: {sanitize(why)}") for path, why in found)
    return Measured(len(found), None, f"{len(found)} files were found and not read{_listed(names)}", examples)


def columns_missing(facts: Facts, options: Options) -> Answer:
    """Columns of the saved schema that are gone, or of another type."""

    def compare(saved: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
        gone = [f"{sanitize(name)} is missing" for name in saved if name not in there]
        changed = [
            f"{sanitize(name)} is {there[name]}, not {dtype}"
            for name, dtype in saved.items()
            if name in there and there[name] != dtype
        ]
        return gone + changed

    return _drift(facts, options, compare, "columns of the saved schema are missing, or of another type")


def columns_added(facts: Facts, options: Options) -> Answer:
    """Columns that the saved schema does not have."""

    def compare(saved: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
        return [f"{sanitize(name)} is new" for name in there if name not in saved]

    return _drift(facts, options, compare, "columns are not in the saved schema")


def _drift(
    facts: Facts, options: Options, compare: Callable[[Mapping[str, str], Mapping[str, str]], list[str]], what: str
) -> Answer:
    saved = options.get("columns")
    if saved is None:
        return Unmeasured("no saved schema; --init writes one")
    if facts.columns is None:
        return NO_EVENTS
    found = compare(saved, facts.columns)
    return Measured(len(found), None, f"{len(found)} {what}{_listed(found)}", tuple(map(Example, found)))


def _listed(names: list[str]) -> str:
    if not names:
        return ""
    more = f", … ({len(names)} in all)" if len(names) > LISTED else ""
    return f": {', '.join(names[:LISTED])}{more}"


def _of(number: float, whole: float, what: str) -> str:
    share = f" ({number / whole:.2%})" if whole else ""
    return f"{number:,} of {whole:,} {what}{share}"


def _place(each: Example) -> tuple[str, int]:
    return each.file or "", each.row or 0
