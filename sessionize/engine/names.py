"""Names that were asked for, and whether the log has them: event types, and hosts of referrers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from copy import copy
from difflib import get_close_matches
from typing import Final

import numpy as np
import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.engine.observe import Observer
from sessionize.kernel.dictionaries import texts_by_code
from sessionize.kernel.enrich import HOST
from sessionize.kernel.own import goals_of
from sessionize.presets import load
from sessionize.values import NamedTuple

MOST_TYPES: Final = 10_000
"""Event types that are counted; a column with more of them is something else."""
SLICE: Final = 1 << 20
"""Codes that are counted at once, so that they stay in the processor's caches."""
LISTED: Final = 10
"""Event types that a message lists."""


class Seen(NamedTuple):
    """What a log has of the things that are asked for by name.

    Attributes:
        event_types: Event type → events that have it, the most frequent first; empty where they were not needed, or
            are too many.
        hosts: Hosts of the referrers, in lower case, without ``www.``; empty where nobody asked.
        absent: Names that were asked for and that no event has, each with its option: ``("--conversion", "buy")``.
        present: Names that were asked for and that some event has.
    """

    event_types: Mapping[str, int]
    hosts: frozenset[str]
    absent: tuple[tuple[str, str], ...]
    present: frozenset[str]


class Names(Observer):
    """Looks at the events of each partition, as far as a name was asked for, or no conversion or no page view of the usual names occurs.

    Args:
        plan: What was asked for.
    """

    needs_whole_keys = False

    def __init__(self, plan: Plan) -> None:
        self._types = dict(_named_types(plan))
        self._hosts = plan.own_hosts if plan.channels else ()
        self._found_hosts: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._many = False
        self._usual = {schema.spelling(name) for name in schema.CONVERSIONS} if plan.conversions is None else set()
        self._goals = goals_of(plan)
        self._reached: set[str] = set()
        self._converts = bool(self._goals)
        self._usual_views = {schema.spelling(name) for name in schema.PAGE_VIEWS}
        self._views = plan.page_views is not None or schema.PAGE not in plan.columns

    def __add__(self, other: Names) -> Names:
        """What both have seen, of the same plan; the other one's events coming later in the log."""
        found = copy(self)
        found._found_hosts = self._found_hosts | other._found_hosts
        found._counts = self._counts + other._counts
        found._many = self._many or other._many or len(found._counts) > MOST_TYPES
        found._converts = self._converts or other._converts
        found._reached = self._reached | other._reached
        found._views = self._views or other._views
        return found

    def keys(self, events: pl.DataFrame) -> None:
        """Look at the event types, and where own hosts were asked for at the referrers.

        Args:
            events: Canonical events of whole keys.
        """
        for goal in self._goals:
            if goal not in self._reached and events[schema.GOAL_PREFIX + goal].any():
                self._reached.add(goal)
        if schema.EVENT_TYPE in events.columns and events.height:
            self._add_types(events[schema.EVENT_TYPE])
        if self._hosts and schema.REFERRER in events.columns:
            texts = events[schema.REFERRER].unique().cast(pl.String).drop_nulls()
            hosts = pl.select(pl.coalesce(texts.str.extract(HOST), texts)).to_series().str.to_lowercase()
            self._found_hosts.update(hosts.str.strip_prefix("www."))

    def _add_types(self, types: pl.Series) -> None:
        if not isinstance(types.dtype, pl.Categorical):
            self._many = True  # the partitions keep texts only where there are too many for a dictionary
            wanted = types.filter(types.is_in([name for names in self._types.values() for name in names]))
            self._counts.update(wanted.unique().to_list())
            return
        codes = types.to_physical()
        highest = codes.max()
        if not isinstance(highest, int) or self._is_known_to_convert(types, highest):
            return
        numbers = codes.drop_nulls().to_numpy()
        slices = (numbers[start : start + SLICE] for start in range(0, len(numbers), SLICE))
        each = sum((np.bincount(part, minlength=highest + 1) for part in slices), np.zeros(highest + 1, np.int64))
        there = np.flatnonzero(each)
        texts = texts_by_code(types).gather(pl.Series(there, dtype=pl.UInt32)).to_list()
        self._counts.update(dict(zip(texts, each[there].tolist(), strict=True)))
        self._many |= len(self._counts) > MOST_TYPES

    def _is_known_to_convert(self, types: pl.Series, highest: int) -> bool:
        """Whether nothing will have to be said: no name was asked for, and a usual conversion and page view are among the types."""
        is_known = self._converts and self._views
        if not self._types and not is_known and highest < MOST_TYPES:
            names = {schema.spelling(name) for name in texts_by_code(types).to_list()}
            self._converts = self._converts or bool(names & self._usual)
            self._views = self._views or bool(names & self._usual_views)
        return not self._types and self._converts and self._views

    def seen(self) -> Seen:
        """What was found, once all partitions have been looked at."""
        named = [(option, name) for option, names in self._types.items() for name in names]
        missing = [each for each in named if each[1] not in self._counts]
        hosts = [("--own-host", host) for host in self._hosts]
        no_host = [each for each in hosts if not self._has_host(each[1])]
        goals = [("--goal", goal) for goal in self._goals]
        absent = tuple(dict.fromkeys((*missing, *no_host, *(each for each in goals if each[1] not in self._reached))))
        present = frozenset(name for each in (*named, *hosts, *goals) if each not in absent for name in each[1:])
        types = {} if self._many or (self._converts and self._views) else dict(self._counts.most_common())
        return Seen(types, frozenset(self._found_hosts), absent, present)

    def _has_host(self, name: str) -> bool:
        known = name.lower().removeprefix("www.")
        return any(host == known or host.endswith(f".{known}") for host in self._found_hosts)


def _named_types(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    named = {
        "--conversion": plan.conversions,
        "--page-view": plan.page_views,
        "--end-event": plan.rules.end_events,
        "--start-event": plan.rules.start_events,
        "--passive": plan.rules.passive,
    }
    for option, names in named.items():
        if names:
            yield option, names


def are_asked_for(config: Config) -> bool:
    """Whether something was asked for by a name, or a goal, that a log may not have."""
    rules = config.rules
    named = (config.conversions, config.page_views, config.goals, rules.end_events, rules.start_events, rules.passive)
    return any(named)


def notes(seen: Seen, config: Config, plan: Plan, known: Collection[str] = ()) -> tuple[str, ...]:
    """What to say of names that never occur.

    Args:
        seen: What the log has.
        config: What was asked for. Names that a preset brought are not the user's: it has them for logs of all kinds.
        plan: What it means for the log.
        known: Names that occurred in earlier batches: a night without them is as good as any.
    """
    brought = _brought(config, plan)
    absent = [each for each in seen.absent if each not in brought and each[1] not in known]
    unused = (f"--own-host {host} is not used: only --channels asks for hosts" for host in config.own_hosts)
    return (*(_said(*each, seen, plan) for each in absent), *(() if plan.channels else unused))


def _brought(config: Config, plan: Plan) -> set[tuple[str, str]]:
    """Names that the options of the preset, typed or found, or another system's rules hold, unless others were given."""
    preset = config.preset or (None if plan.preset is None else load(plan.preset))
    options = {} if preset is None else preset.options
    optional = {("--passive", name) for name in config.optional_splits}
    listed = {option: names if isinstance(names, list) else [names] for option, names in options.items()}
    return optional | {(f"--{option}", str(name)) for option, names in listed.items() for name in names}


def _said(option: str, name: str, seen: Seen, plan: Plan) -> str:
    if option == "--own-host":
        near = _nearest(name.lower(), seen.hosts)
        return f"{option} {name}: no referrer has this host{near and f'; did you mean {near}?'}"
    if option == "--goal":
        return f"{option} {name}: no event of the log is so"
    if schema.EVENT_TYPE not in plan.columns:
        return f"{option} {name}: the log has no event types; --event-type COLUMN says which column has them"
    near = _nearest(name, seen.event_types)
    there = ", ".join(map(repr, list(seen.event_types)[:LISTED]))
    there = f"; there are {there}{', …' if len(seen.event_types) > LISTED else ''}" if there else ""
    return f"{option} {name}: no event has this type{f'; did you mean {near!r}?' if near else there}"


def _nearest(name: str, there: Collection[str]) -> str:
    """The most similar name, whatever its case and separators; empty where none is."""
    spelled = {schema.spelling(each): each for each in reversed([*there])}
    near = get_close_matches(schema.spelling(name), list(spelled), n=1, cutoff=0.5)
    return spelled[near[0]] if near else ""
