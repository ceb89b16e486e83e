"""What events are called and which steps they are, for the answers that follow sessions event by event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from sessionize.answers.source import Source
from sessionize.summary.funnel import Flags
from sessionize.summary.names import Known, Step, folded, labels, never_there, step

LABEL: Final = "label"


class Look:
    """Marks the events that steps match, names all, and knows which steps were never there.

    Args:
        steps: What was typed, and the option it was typed after.
        origin: Where the events come from.
        fold: Whether numbers and hex ids in names are folded.
    """

    def __init__(self, steps: Mapping[str, str], origin: Source, *, fold: bool = False) -> None:
        self._typed = steps
        self._origin = origin
        self._fold = fold
        self._known = Known()
        self._seen: set[str] = set()
        self._steps: dict[str, Step] = {}
        self.folded = False

    def __call__(self, events: pl.DataFrame) -> pl.DataFrame:
        """Time and name of each event, and whether each step matches it."""
        if not self._steps:
            self._steps = {
                text: step(text, events.schema, option, self._origin.timezone, self._origin.names)
                for text, option in self._typed.items()
            }
        marks = {f"is {text}": each.matches.fill_null(value=False) for text, each in self._steps.items()}
        found = events.select("timestamp", labels(events.columns, self._origin.page_views).alias(LABEL), **marks)
        self._seen |= {text for text in self._steps if found[f"is {text}"].any()}
        if len(self._seen) < len(self._steps):
            self._known.add(events)
        if self._fold:
            short = folded(found[LABEL])
            self.folded = self.folded or bool((short != found[LABEL]).any())
            found = found.with_columns(short)
        return found

    def flags(self, events: pl.DataFrame, text: str) -> Flags:
        """Whether a step matches, one an event.

        Returns:
            One Boolean an event, in the order of the events.
        """
        return events[f"is {text}"].to_numpy()

    def check(self) -> None:
        """Raise UsageError where a step that is a name is no event at all."""
        for text, each in self._steps.items():
            if text not in self._seen:
                never_there(each, self._known, self._typed[text])
