"""What the values of events say that no one row can: amounts that are no numbers, time formats, words that stand for null."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan

LONGEST_WORD: Final = max(len(word) for word in schema.NULL_WORDS if word != schema.NO_UUID)
MAY_BE_AN_ID: Final = "0"
"""A word for null that may as well be somebody's number."""
TRANSIENT: Final = (schema.UNREAD, schema.LAYOUT)
"""Columns that are only counted."""


class ValueStats:
    """Looks at the events of each batch."""

    def __init__(self) -> None:
        self.bad_values = 0
        self.example: tuple[int, int, str] | None = None
        self._by_layout: dict[int, int] = {}
        self._words: dict[tuple[str, str], int] = {}
        self._profiles: dict[str, set[str]] = {}

    def __add__(self, other: ValueStats) -> ValueStats:
        """What the values of both say, those of the other coming later in the log."""
        found = ValueStats()
        found.bad_values = self.bad_values + other.bad_values
        found.example = self.example or other.example
        found._by_layout = Counter(self._by_layout) + Counter(other._by_layout)
        found._words = Counter(self._words) + Counter(other._words)
        words = {*self._profiles, *other._profiles}
        found._profiles = {word: self._profiles.get(word, set()) | other._profiles.get(word, set()) for word in words}
        return found

    def look(self, events: pl.DataFrame) -> pl.DataFrame:
        """Count what is to be counted; give the events back without the columns that were made for it."""
        if schema.UNREAD in events.columns:
            self._look_at_amounts(events)
        if schema.LAYOUT in events.columns:
            for layout, number in events[schema.LAYOUT].drop_nulls().value_counts().iter_rows():
                self._by_layout[layout] = self._by_layout.get(layout, 0) + number
        for role in (schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID):
            is_text = role in events.columns and events.schema[role] == pl.String
            if is_text and _may_have_words(role, events[role]):
                self._look_for_words(role, events)
        return events.drop(TRANSIENT, strict=False)

    def by_layout(self, plan: Plan) -> dict[str, int]:
        """Time format → events whose time it read; empty where there is but one."""
        return {each.name: self._by_layout.get(number, 0) for number, each in enumerate(plan.time.formats)}

    def notes(self, plan: Plan) -> Iterator[str]:
        """What was found, in words."""
        if self.example is not None:
            name = plan.columns[schema.VALUE][0]
            yield f"{self.bad_values:,} amounts in {name!r} could not be read as numbers, such as {self.example[2][:40]!r}"
        for role, word, number in self.null_words():
            yield _word_note(role, word, number, self._whose(role, word))

    def null_words(self) -> Iterator[tuple[str, str, int]]:
        """Role, word and number of events, of the words that hardly are ids.

        A session id is none where several profiles have it; one of no known profile, a profile's and an event's, where
        several events have it. A session or a profile may be number 0; of several events only one can be.
        """
        for (role, word), number in sorted(self._words.items()):
            profiles = len(self._profiles.get(word, ())) if role == schema.SESSION_ID else 0
            several = number > 1 and (word != MAY_BE_AN_ID or role == schema.EVENT_ID)
            if profiles > 1 if profiles else several:
                yield role, word, number

    def _whose(self, role: str, word: str) -> str:
        """Whose the events are that have a word for null as their id."""
        if role == schema.SESSION_ID:
            return " of several profiles" if len(self._profiles.get(word, ())) > 1 else ""
        return " of one profile" if role == schema.PROFILE_ID else ""

    def _look_at_amounts(self, events: pl.DataFrame) -> None:
        unread = events[schema.UNREAD]
        number = len(unread) - unread.null_count()
        if number and self.example is None:
            self.example = events.filter(unread.is_not_null()).select(schema.FILE, schema.ROW, schema.UNREAD).row(0)
        self.bad_values += number

    def _look_for_words(self, role: str, events: pl.DataFrame) -> None:
        there = [each for each in (schema.SESSION_ID, schema.PROFILE_ID) if each in events.columns]
        may_be = (pl.col(role).str.len_bytes() <= LONGEST_WORD) | (pl.col(role) == schema.NO_UUID)
        short = events.select(*dict.fromkeys([*there, role])).filter(may_be)
        found = short.filter(pl.col(role).is_in(list(schema.NULL_WORDS)))
        for word, number in found[role].value_counts().iter_rows():
            self._words[role, word] = self._words.get((role, word), 0) + number
        if role == schema.SESSION_ID and found.height and schema.PROFILE_ID in there:
            pairs = found.select(pl.all().cast(pl.String)).unique().drop_nulls()
            for word, profile in pairs.select(there).iter_rows():
                profiles = self._profiles.setdefault(word, set())
                if len(profiles) < 2:
                    profiles.add(profile)


def _may_have_words(role: str, ids: pl.Series) -> bool:
    """Whether an id may be a word for null, which is cheaper to see than which ones are."""
    shortest = ids.str.len_bytes().min()
    if not isinstance(shortest, int):
        return False
    of_no_device = role == schema.PROFILE_ID and shortest <= len(schema.NO_UUID)
    return shortest <= LONGEST_WORD or (of_no_device and bool((ids == schema.NO_UUID).any()))


def _word_note(role: str, word: str, number: int, whose: str) -> str:
    return (
        f"the {role} of {number:,} events{whose} is {word!r}: where that stands for no id, --null {shlex.quote(word)}"
    )
