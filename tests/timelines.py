"""Readable timelines of one key, each the proof of one sentence about boundaries.

The notation: ``0 5! | 6`` is three events, at minutes 0, 5 and 6 since a base, the second of them
an end event; a session must end after it. Events are written in order, which is input order too.

========  =====================================================================================
``5``     an event at minute 5 (``5.5`` is half a minute later)
``5:30``  an event at 5 hours 30 minutes
``5+``    a microsecond later
``5!``    an end event (``visit-ended``)
``5^``    a start event (``session-start``)
``5a``    the first splitting column (``split.campaign``) is ``a``; no letter, null
``5_``    the first splitting column is a blank string
``5aX``   and the second one (``split.device``) is ``X``
``|``     the boundary that must be found
========  =====================================================================================
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

from oracle import Event, OracleRules

MINUTE_US = 60_000_000
BASE = datetime(2024, 3, 9, tzinfo=UTC)
"""A day before the clocks of New York go forward."""
BASE_US = int(BASE.timestamp()) * 1_000_000
KEY = "k"
END = "visit-ended"
START = "session-start"
OTHER = "page-view"
TIMELINE_ROLES = ("session_id", "timestamp", "event_type")

_EVENT = re.compile(
    r"(?:(?P<hours>\d+):)?(?P<minutes>\d+(?:\.\d+)?)(?P<later>\+?)"
    r"(?P<campaign>[a-z_]?)(?P<device>[A-Z]?)(?P<mark>[!^]?)"
)
_TYPES = {"!": END, "^": START, "": OTHER}


class Case(NamedTuple):
    """A timeline and the rules under which it must be cut at its bars."""

    timeline: str
    rules: OracleRules


def parse(timeline: str) -> tuple[list[Event], list[int]]:
    """Read a timeline.

    Returns:
        Its events, all of one key, and for each the 1-based number of the session it is in.

    Examples:
        >>> [event["event_type"] for event in parse("0 5! | 6")[0]]
        ['page-view', 'visit-ended', 'page-view']
        >>> parse("0 5! | 6")[1]
        [1, 1, 2]
    """
    events: list[Event] = []
    numbers: list[int] = []
    number = 1
    for word in timeline.split():
        if word == "|":
            number += 1
        else:
            events.append(_event(word))
            numbers.append(number)
    return events, numbers


def _event(word: str) -> Event:
    found = _EVENT.fullmatch(word)
    if found is None:
        raise ValueError(f"not an event of a timeline: {word}")
    return {
        "session_id": KEY,
        "timestamp_us": BASE_US + _offset_us(found),
        "event_type": _TYPES[found["mark"]],
        "split.campaign": found["campaign"].replace("_", "  ") or None,
        "split.device": found["device"] or None,
    }


def _offset_us(found: re.Match[str]) -> int:
    minutes = 60 * int(found["hours"] or 0) + Fraction(found["minutes"])
    return int(minutes * MINUTE_US) + len(found["later"])


# --- the rules the timelines are cut by --------------------------------------------------------

_HOUR_US = 60 * MINUTE_US
_DEFAULT = OracleRules()
_NONE = OracleRules(timeout_us=None)
_ZERO = OracleRules(timeout_us=0)
_ENDS = OracleRules(end_events=(END,))
_STARTS = OracleRules(start_events=(START,))
_ENDS_AND_STARTS = OracleRules(end_events=(END,), start_events=(START,))
_SPLIT = OracleRules(split_on=("campaign",))
_SPLIT_AND_ENDS = OracleRules(split_on=("campaign",), end_events=(END,))
_SPLIT_BY_TWO = OracleRules(split_on=("campaign", "device"))
_MIDNIGHT = OracleRules(split_at_midnight=True)
_MIDNIGHT_ONLY = OracleRules(timeout_us=None, split_at_midnight=True)
_NEW_YORK = OracleRules(split_at_midnight=True, timezone="America/New_York")
_KOLKATA = OracleRules(split_at_midnight=True, timezone="Asia/Kolkata")
_HOUR = OracleRules(max_duration_us=_HOUR_US)
_HOUR_ONLY = OracleRules(timeout_us=None, max_duration_us=_HOUR_US)
_HOUR_AND_SPLIT = OracleRules(max_duration_us=_HOUR_US, split_on=("campaign",))
_ARRIVAL = OracleRules(split_on_arrival=("campaign",))
_ARRIVAL_OF_TWO = OracleRules(split_on_arrival=("campaign", "device"))
_THREE = OracleRules(max_events=3)
_BURST = OracleRules(burst=(3, 10 * MINUTE_US))
_ALL = OracleRules(
    end_events=(END,),
    start_events=(START,),
    split_on=("campaign", "device"),
    split_at_midnight=True,
    max_duration_us=_HOUR_US,
)

_FIRST_EVENT: dict[str, Case] = {
    "a key's first event begins a session": Case("0", _DEFAULT),
    "a key's first instant begins one session": Case("0 0 0", _ALL),
    "with every rule on, a quiet visit is one session": Case("0aX 10 20aX", _ALL),
}

_TIMEOUT: dict[str, Case] = {
    "a gap shorter than the timeout stays inside": Case("0 29", _DEFAULT),
    "a gap equal to the timeout stays inside": Case("0 30", _DEFAULT),
    "a gap a microsecond longer than the timeout splits": Case("0 | 30+", _DEFAULT),
    "half a minute more than the timeout splits": Case("0 | 30.5", _DEFAULT),
    "any number of equal gaps stays inside": Case("0 30 60 90 120", _DEFAULT),
    "a gap counts from the event before, not the start": Case("0 20 40 60", _DEFAULT),
    "each long gap splits": Case("0 5 | 36 40 | 100", _DEFAULT),
    "long gaps in a row leave sessions of one event": Case("0 | 31 | 62 | 93", _DEFAULT),
    "a tie before and after a gap stays whole": Case("0 0 | 31 31 31", _DEFAULT),
    "a timeout of zero splits between instants": Case("0 | 1 | 2", _ZERO),
    "a timeout of zero keeps an instant whole": Case("0 0 | 0+ 0+ | 1 1", _ZERO),
    "without a timeout any silence stays inside": Case("0 31 100:00 5000:00", _NONE),
    "without any rule names mean nothing": Case("0a 1! 2b 3^ 24:00", _NONE),
}

_END_EVENTS: dict[str, Case] = {
    "an end event is the last of its session": Case("0 5! | 6", _ENDS),
    "an end event first in an instant ends it after the instant": Case("0 5! 5 | 6", _ENDS),
    "an end event last in an instant ends it after the instant": Case("0 5 5! | 6", _ENDS),
    "an end event amid an instant ends it after the instant": Case("0 5 5! 5 | 6", _ENDS),
    "several end events in an instant end it once": Case("0 5! 5! | 6", _ENDS),
    "an end event may be a session of its own": Case("0! | 1 2", _ENDS),
    "each end event ends a session": Case("0! | 1! | 2! | 3", _ENDS),
    "an end event in a key's first instant ends it": Case("0 0! 0 | 0+", _ENDS),
    "an end event with nothing after it splits nothing": Case("0 5!", _ENDS),
    "an end event then a long gap is one boundary": Case("0 5! | 100", _ENDS),
    "a type nobody named ends nothing": Case("0 5! 6", _DEFAULT),
    "an end event's name matches as written": Case(
        "0 5! 6",
        OracleRules(end_events=("Visit-Ended", "visit_ended")),
    ),
    "any of several names is an end event": Case(
        "0 5! | 6",
        OracleRules(end_events=("logout", END)),
    ),
    "without a timeout an end event still ends": Case(
        "0 100:00! | 100:01 300:00",
        OracleRules(timeout_us=None, end_events=(END,)),
    ),
}

_START_EVENTS: dict[str, Case] = {
    "a start event is the first of its session": Case("0 5 | 6^ 7", _STARTS),
    "a start event first in an instant starts at the instant": Case("0 | 5^ 5 6", _STARTS),
    "a start event last in an instant starts at the instant": Case("0 | 5 5^ 6", _STARTS),
    "a start event amid an instant starts at the instant": Case("0 | 5 5^ 5 6", _STARTS),
    "several start events in an instant start once": Case("0 | 5^ 5^ 6", _STARTS),
    "a start event at a key's first event starts nothing more": Case("0^ 1", _STARTS),
    "a start event in a key's first instant starts nothing more": Case("0 0^ 1", _STARTS),
    "each start event starts a session": Case("0^ | 1^ | 2^ 3", _STARTS),
    "a start event after a long gap is one boundary": Case("0 | 100^ 101", _STARTS),
    "a type nobody named starts nothing": Case("0 5^ 6", _DEFAULT),
    "an end event then a start event is one boundary": Case("0 5! | 6^ 7", _ENDS_AND_STARTS),
    "an instant may both start and end a session": Case("0 | 5! 5^ | 6", _ENDS_AND_STARTS),
    "the same holds for the other order in the instant": Case("0 | 5^ 5! | 6", _ENDS_AND_STARTS),
    "one name may be both end and start": Case(
        "0 | 5! | 6",
        OracleRules(end_events=(END,), start_events=(END,)),
    ),
}

_SPLIT_ON: dict[str, Case] = {
    "a change from one value to another splits": Case("0a 1a | 2b 3b", _SPLIT),
    "a change back splits again": Case("0a | 1b | 2a", _SPLIT),
    "null to a value is no change": Case("0 1a 2a", _SPLIT),
    "a value to null is no change": Case("0a 1 2", _SPLIT),
    "a change across nulls splits at the new value": Case("0a 1 2 | 3b", _SPLIT),
    "the same value across nulls is no change": Case("0a 1 2a", _SPLIT),
    "a blank value is null": Case("0a 1_ 2a | 3b", _SPLIT),
    "a change within an instant does not split": Case("0a 0b", _SPLIT),
    "an instant leaves its last value": Case("0a 0b 1b", _SPLIT),
    "an instant's earlier value is forgotten": Case("0a 0b | 1a", _SPLIT),
    "an instant is judged by its first value": Case("0a 1a 1b 2b", _SPLIT),
    "an instant that begins with another value splits": Case("0a | 1b 1a 2a", _SPLIT),
    "a null first in an instant is passed over": Case("0a | 1 1b", _SPLIT),
    "a null last in an instant is passed over": Case("0a 0 | 1b", _SPLIT),
    "the second of two columns splits alone": Case("0X | 1Y", _SPLIT_BY_TWO),
    "a change in either of two columns splits": Case("0aX | 1aY | 2bY", _SPLIT_BY_TWO),
    "a change in both of two columns splits once": Case("0aX | 1bY 2bY", _SPLIT_BY_TWO),
    "each column remembers its own last value": Case("0a 1X 2a | 3Y", _SPLIT_BY_TWO),
    "a null in one column does not hide the other": Case("0aX 1a | 2Y", _SPLIT_BY_TWO),
    "a column nobody named does not split": Case("0aX 1aY 2Z", _SPLIT),
    "a timeout resets the split memory": Case("0a | 31 32b", _SPLIT),
    "an end event resets the split memory": Case("0a 5! | 6 7b", _SPLIT_AND_ENDS),
    "a value tied with the end event is forgotten too": Case("0a 5! 5a 5b | 6a", _SPLIT_AND_ENDS),
    "a start event resets the split memory": Case(
        "0a | 5^ 6b",
        OracleRules(split_on=("campaign",), start_events=(START,)),
    ),
    "a split resets the memory of the other column": Case("0aX | 1b 2bY 3bY", _SPLIT_BY_TWO),
}

_SPLIT_AT_MIDNIGHT: dict[str, Case] = {
    "midnight between two events splits": Case("23:50 | 24:10", _MIDNIGHT),
    "an event at midnight is the new day's": Case("23:59 | 24:00 24:01", _MIDNIGHT),
    "events of one day stay together": Case("0:00 12:00 23:59", _MIDNIGHT_ONLY),
    "midnight means nothing unless asked for": Case("23:50 24:00 24:10", _DEFAULT),
    "a tie at midnight stays whole": Case("23:59 23:59 | 24:00 24:00", _MIDNIGHT),
    "several midnights in one gap are one boundary": Case("10:00 | 100:00", _MIDNIGHT_ONLY),
    "each midnight splits": Case("12:00 | 36:00 | 60:00 61:00", _MIDNIGHT_ONLY),
    "midnight is that of the zone, west of Greenwich": Case("4:59 | 5:00", _NEW_YORK),
    "midnight is that of the zone, by half an hour": Case("18:29 | 18:30", _KOLKATA),
    "midnight elsewhere is no midnight": Case("23:50 24:10", _NEW_YORK),
    "midnight of the night the clocks change": Case("28:59 | 29:00", _NEW_YORK),
    "an hour the clocks leave out is no midnight": Case("30:50 31:00 31:10", _NEW_YORK),
    "midnight comes an hour earlier in summer time": Case("51:59 | 52:00 53:00", OracleRules(
        timeout_us=None, split_at_midnight=True, timezone="America/New_York"
    )),
    "midnight resets the split memory": Case("23:50a | 24:00 24:10b", OracleRules(
        split_on=("campaign",), split_at_midnight=True
    )),
}  # fmt: skip

_MAX_DURATION: dict[str, Case] = {
    "an event at the longest duration stays inside": Case("0 30 60", _HOUR),
    "an event a microsecond later does not": Case("0 30 60 | 60+", _HOUR),
    "the longest duration restarts at each session": Case(
        "0 20 40 60 | 80 100 120 140 | 160 180",
        _HOUR,
    ),
    "it restarts at the event that broke it, not on a grid": Case(
        "0 25 50 | 75 100 125 | 150",
        _HOUR,
    ),
    "a tie at the longest duration stays whole": Case("0 30 60 60 60 | 61 61", _HOUR),
    "the longest duration alone cuts a silence": Case("0 60 | 121 180 | 1000", _HOUR_ONLY),
    "a timeout restarts the longest duration": Case("0 25 | 60 80 100 120 | 140", _HOUR),
    "an end event restarts the longest duration": Case(
        "0 10! | 20 40 60 80 | 100",
        OracleRules(max_duration_us=_HOUR_US, end_events=(END,)),
    ),
    "a start event restarts the longest duration": Case(
        "0 | 10^ 40 70 | 71",
        OracleRules(max_duration_us=_HOUR_US, start_events=(START,)),
    ),
    "a split restarts the longest duration": Case("0a | 10b 40b 70b | 71b", _HOUR_AND_SPLIT),
    "midnight restarts the longest duration": Case(
        "23:45 | 24:00 24:30 25:00 | 25:01",
        OracleRules(max_duration_us=_HOUR_US, split_at_midnight=True),
    ),
    "the longest duration resets the split memory": Case("0a 30 60 | 61 62b", _HOUR_AND_SPLIT),
    "a split it forgot moves what follows": Case(
        "0a 30a 60a | 70 80b 110b 130b | 131b | 132a",
        _HOUR_AND_SPLIT,
    ),
    "a change at the longest duration is one boundary": Case("0a 30a 60a | 61b", _HOUR_AND_SPLIT),
}

_SPLIT_ON_ARRIVAL: dict[str, Case] = {
    "a value where the session had none arrives": Case("0 | 1a 2a", _ARRIVAL),
    "a value at a key's first event does not": Case("0a 1a", _ARRIVAL),
    "a value first known later in the first instant does not": Case("0 0a 1a", _ARRIVAL),
    "another value arrives": Case("0a | 1b", _ARRIVAL),
    "the same value again does not": Case("0a 1 2a", _ARRIVAL),
    "no value never does": Case("0a 1 2", _ARRIVAL),
    "a blank value is no arrival": Case("0 1_ 2", _ARRIVAL),
    "a value within an instant arrives at its beginning": Case("0 | 1 1a 2a", _ARRIVAL),
    "a timeout forgets the value, so that it arrives anew": Case("0a | 31 | 32a", _ARRIVAL),
    "but not where the new session begins with it": Case("0a | 31a 32a", _ARRIVAL),
    "a session cut by its length forgets it too": Case(
        "0a 30a 60a | 61 | 62a", OracleRules(split_on_arrival=("campaign",), max_duration_us=_HOUR_US)
    ),
    "an arrival makes the other column forget": Case("0aX | 1b | 2X", _ARRIVAL_OF_TWO),
    "to change is less than to arrive": Case(
        "0 1a | 2b", OracleRules(split_on=("campaign",))
    ),
}  # fmt: skip

_MAX_EVENTS: dict[str, Case] = {
    "the event after the most starts a session": Case("0 1 2 | 3 4 5 | 6", _THREE),
    "a timeout restarts the count": Case("0 1 | 40 41 42 | 43", _THREE),
    "an instant over the most stays whole": Case("0 1 2 2 2 | 3 4 5 | 6", _THREE),
    "an instant as a whole may be over the most": Case("0 0 0 0 0 | 1", _THREE),
    "an instant that makes the session full is in it": Case("0 1 1 | 2", _THREE),
    "a split restarts the count": Case(
        "0a 1a | 2b 3b 4b | 5b", OracleRules(max_events=3, split_on=("campaign",))
    ),
    "the count makes a split forget": Case(
        "0a 1a 2a | 3 4b 5b", OracleRules(max_events=3, split_on=("campaign",))
    ),
    "a burst ends the session while it lasts": Case("0 1 2 | 3 4", _BURST),
    "a burst is over when its time is": Case("0 1 2 11 12 13", _BURST),
    "an event at the end of its time is in it": Case("0 1 2 | 10 11", _BURST),
    "one a microsecond later is not": Case("0 1 2 10+ 11", _BURST),
    "each session has its own burst": Case("0 1 2 | 3 4 5 | 6", _BURST),
}  # fmt: skip

_TOGETHER: dict[str, Case] = {
    "all rules at one instant are one boundary": Case("23:00aX 23:01! | 24:02bY^", _ALL),
    "each rule takes its turn": Case(
        "22:00a 22:05! | 22:10a | 22:15^ 22:20a | 22:25b | 23:00b 23:30b 23:59b | 24:00",
        _ALL,
    ),
    "a tie under every rule is whole": Case("0aX 0bY 0^ 0! | 1aX 1!", _ALL),
    "without a timeout the other rules still hold": Case(
        "0a 100:00a | 100:01b 200:00! | 200:01",
        OracleRules(timeout_us=None, end_events=(END,), split_on=("campaign",)),
    ),
}

CASES: dict[str, Case] = {
    **_FIRST_EVENT,
    **_TIMEOUT,
    **_END_EVENTS,
    **_START_EVENTS,
    **_SPLIT_ON,
    **_SPLIT_AT_MIDNIGHT,
    **_MAX_DURATION,
    **_SPLIT_ON_ARRIVAL,
    **_MAX_EVENTS,
    **_TOGETHER,
}
"""The sentence a timeline proves → the timeline and its rules."""
