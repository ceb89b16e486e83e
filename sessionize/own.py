"""Columns that a user adds to the metrics: dimensions, metrics and goals, as they were asked for. Plain Python, no I/O."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final, Literal

from sessionize.errors import UsageError
from sessionize.values import dataclass

OwnKind = Literal["dimension", "metric", "goal"]
OwnType = Literal["integer", "number", "string", "boolean", "time"]
LONGEST_NAME: Final = 200
RESERVED: Final = ("sessionize.", "property.", "trait.", "split.", "goal.", "own.", "use.")
"""What names of our own columns begin with."""


@dataclass(frozen=True, kw_only=True)
class Own:
    """One column that a user adds.

    Attributes:
        name: Name of the column in the metrics.
        kind: A dimension, a metric, or a goal.
        text: Reference of a dimension, SQL of a metric or a goal.
        dtype: Type of its values.
        uses: Name in the SQL, or the dimension's own → column or reference of the log that it stands for.
        numbers: Names in the SQL whose texts are read as numbers.
    """

    name: str
    kind: OwnKind
    text: str
    dtype: OwnType = "string"
    uses: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()


def check_own(dimensions: Mapping[str, str], metrics: Mapping[str, str], goals: Mapping[str, str]) -> None:
    """Refuse names that are empty, reserved, or given twice; whether one is taken is seen with the metrics.

    Raises:
        UsageError: If there is one.
    """
    seen: dict[str, str] = {}
    for option, asked in (("--dimension", dimensions), ("--metric", metrics), ("--goal", goals)):
        for name, text in asked.items():
            if not name.strip() or len(name) > LONGEST_NAME or name.startswith(RESERVED) or not name.isprintable():
                raise UsageError(
                    f"{option}: {name!r} cannot be the name of a column",
                    hint=f"for example {option} {EXAMPLES[option]}",
                )
            if not text.strip():
                raise UsageError(f"{option} {name}: nothing to take", hint=f"for example {option} {EXAMPLES[option]}")
            if name in seen:
                raise UsageError(
                    f"{option} {name}: the name is taken, by {seen[name]}",
                    hint=f"another name: {option} {shlex.quote(f'my_{name}={text}')}",
                )
            seen[name] = option


def as_recorded(own: Iterable[Own]) -> dict[str, dict[str, Any]]:
    """The columns as a manifest has them, by kind: what each is and of which type its values are."""
    found: dict[str, dict[str, Any]] = {"dimensions": {}, "metrics": {}, "goals": {}}
    for each in own:
        if each.kind == "dimension":
            found["dimensions"][each.name] = {"of": each.text, "type": each.dtype}
        elif each.kind == "metric":
            found["metrics"][each.name] = {"sql": each.text, "type": each.dtype}
        else:
            found["goals"][each.name] = each.text
    return found


def recorded(rules: Mapping[str, Any]) -> tuple[Own, ...]:
    """The columns that a manifest's rules name; none where an earlier version wrote them."""
    dimensions, metrics, goals = (rules.get(name, {}) for name in ("dimensions", "metrics", "goals"))
    return (
        *(Own(name=name, kind="dimension", text=each["of"], dtype=each["type"]) for name, each in dimensions.items()),
        *(Own(name=name, kind="metric", text=each["sql"], dtype=each["type"]) for name, each in metrics.items()),
        *(Own(name=name, kind="goal", text=text, dtype="boolean") for name, text in goals.items()),
    )


EXAMPLES: Final = {
    "--dimension": "plan, or plan=context.plan",
    "--metric": "scrolls=\"count(*) FILTER (WHERE event_type = 'scroll')\"",
    "--goal": "signup=\"event_type = 'signup'\"",
}
"""What an option of each kind looks like."""
