"""What a preset says of roles, for one log: which of its choices the log has; and the word where it does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from sessionize import schema, sql
from sessionize.config import DEFAULT_TIMEOUT, Config
from sessionize.errors import UsageError
from sessionize.kernel.references import in_log, resolved, roots
from sessionize.preset import VISITOR, Choice, Preset
from sessionize.presets.recognise import by_columns
from sessionize.reference import columns_of, parse

Types = Mapping[str, pl.DataType]
Columns = str | Sequence[str]
"""Columns of a role, as a manifest has them."""
OPTIONS: Final = {"page-view": "page_views", "conversion": "conversions", "time-format": "time_format"}
RULES: Final = {"end-event": "end_events", "start-event": "start_events"}
"""Options that a layout that is found may set, beside ``timeout = "none"``, and the fields they are."""
SAID_BY_ABSENCE: Final = (
    schema.SESSION_ID,
    schema.PROFILE_ID,
    schema.TIMESTAMP,
    schema.EVENT_TYPE,
    *schema.UTM,
    schema.CHANNEL,
)
"""Roles whose absence says something: that a log is not of the layout, that pages are views or hold the campaigns."""


def from_preset(config: Config, role: str, types: Types) -> tuple[str, ...] | None:
    """The preset's best choice that the log has; none where it has none; None where the preset does not say."""
    if config.preset is None or role not in config.preset.columns:
        return None
    for names in config.preset.columns[role]:
        there = [resolved(name, types) for name in names]
        if there and all(each is not None for each in there) and not all(each.fixed for each in there if each):
            return tuple(each.written for each in there if each is not None)
    return ()


def with_preset(config: Config, preset: Preset, layout: str | None = None) -> Config:
    """The configuration with a shipped preset: its columns and readings, and those of its options that were not given.

    Args:
        config: Without a preset.
        preset: A layout that was found in the log, or recorded in a state.
        layout: Name and form of the layout, where it was found in the log.
    """
    asked: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in preset.options.items()
    }
    left_open = {name: each for name, each in asked.items() if name not in config.given}
    own = {name: left_open[option] for option, name in OPTIONS.items() if option in left_open}
    own = {name: each for name, each in own.items() if getattr(config, name) is None}
    if config.goals:
        own.pop("conversions", None)  # a preset's are in place of the usual ones, as goals are
    rules = {name: left_open[option] for option, name in RULES.items() if option in left_open}
    rules = {name: each for name, each in rules.items() if not getattr(config.rules, name)}
    if left_open.get("timeout") == "none" and config.rules.timeout == DEFAULT_TIMEOUT:
        rules["timeout"] = None
    return replace(config, preset=preset, layout=layout, rules=replace(config.rules, **rules), **own)


def late_columns(config: Config, names: Collection[str]) -> list[str]:
    """Columns that only later lines of an NDJSON file may have: nulls are left out, so that its first lines need not.

    Of a role that has a column, the other parts of the same reference; of one that has none, those of its first choice.
    Not of roles that mean something by not being there.

    Args:
        config: The configuration with a preset or none.
        names: Columns that the first lines have.
    """
    if config.preset is None:
        return []
    types: Types = dict.fromkeys(names, pl.String())
    late: list[str] = []
    used = Counter(name for choices in config.preset.columns.values() for name in set(_names_of(choices)))
    for role, choices in config.preset.columns.items():
        there = next((names for names in choices if all(_is_there(name, types) for name in names)), None)
        if there is None and (role in SAID_BY_ABSENCE or not choices):
            continue
        late += _names_of([there]) if there else [name for name in _names_of(choices[:1]) if used[name] == 1]
    return [name for name in dict.fromkeys(late) if name != VISITOR and in_log(name, types) is None]


def _names_of(choices: Iterable[Choice]) -> list[str]:
    return [column.name for names in choices for name in names for column in columns_of(parse(name))]


def _is_there(name: str, types: Types) -> bool:
    there = resolved(name, types)
    return there is not None and not there.fixed


def is_same(config: Config, role: str, one: Columns, other: Columns) -> bool:
    """Whether a role's columns of two nights are one choice of the preset, of which each night may have but parts."""
    first, second = (tuple([each] if isinstance(each, str) else each) for each in (one, other))
    if first == second or config.preset is None or config.chosen(role):
        return first == second
    return any(
        len(first) == len(second) == len(choice)
        and all(_among(each, whole) for names in (first, second) for each, whole in zip(names, choice, strict=True))
        for choice in config.preset.columns.get(role, ())
    )


def _among(part: str, whole: str) -> bool:
    return _folded(part) <= _folded(whole)


def _folded(name: str) -> set[tuple[str, ...]]:
    return {
        tuple(step.casefold() for step in (column.name, *(step.key for step in column.steps)))
        for column in columns_of(parse(name))
    }


def check_fits(config: Config, columns: Mapping[str, tuple[str, ...]], types: Types) -> None:
    """Refuse a log that is not of the preset's layout.

    Args:
        config: The configuration with a preset or none.
        columns: Role → columns, as they were found.
        types: Type of each of the log's columns.

    Raises:
        UsageError: If the log has none of the layout's own columns, or none for a role that every log must have.
    """
    preset = config.preset
    if preset is None or all(config.chosen(role) for role in (schema.TIMESTAMP, schema.SESSION_ID)):
        return
    asked = (
        [] if preset.where is None else sql.expression(preset.where, "the preset's where").meta.root_names()
    )  # there, if only as nulls
    own = [name for name in preset.own_columns if name not in asked] or list(preset.own_columns)
    if own and not any(in_log(name, types) for name in own):
        raise _unfit(preset, "it has none of its own columns", own, types)
    for roles in ((schema.TIMESTAMP,), (schema.SESSION_ID, schema.PROFILE_ID)):
        named = [role for role in roles if role in preset.columns]
        if named and not any(role in columns for role in roles):
            missing = [
                part for role in named for names in preset.columns[role] for name in names for part in roots(name)[-1:]
            ]
            raise _unfit(preset, f"it has no {' or '.join(roles).replace('_', ' ')}", missing, types)


def _unfit(preset: Preset, what: str, missing: list[str], types: Types) -> UsageError:
    names = ", ".join(dict.fromkeys(name for name in missing if name != VISITOR))
    others = [fit for fit in by_columns(types) if fit.preset != preset.name]
    there = ", ".join(list(types)[:40])
    hint = (
        f"it looks like {others[0].layout}: --preset {others[0].preset}"
        if others
        else f"no known layout has its columns ({there}): --preset none finds them by their usual names"
    )
    return UsageError(f"this log is not of the layout {preset.name}: {what} ({names})", hint=hint)
