"""Whether an earlier run was made as is asked now: what it wrote cannot be read by other rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sessionize.config import Config, Plan, TimeFormat
from sessionize.errors import UsageError
from sessionize.instants import iso, microseconds
from sessionize.output.manifest import rules_of
from sessionize.output.runs import is_night
from sessionize.own import recorded
from sessionize.plan import condition, enrichment_of
from sessionize.stores import AnyPath

Manifest = Mapping[str, Any]

BOUNDARIES: Final = {
    "timeout": "timeout_s", "max-duration": "max_duration_s", "end-event": "end_events", "start-event": "start_events",
    "max-events": "max_events", "split-on": "split_on", "split-on-arrival": "split_on_arrival",
    "split-at-midnight": "split_at_midnight", "passive": "passive", "active-gap": "active_gap_s",
}  # fmt: skip
"""Options that say where a session ends → the rule, as a manifest has it."""
MEANINGS: Final = {
    "where": "where", "timezone": "timezone", "null": "nulls", "preset": "preset", "page-view": "page_views",
    "conversion": "conversions", "page-path": "page_path", "channels": "channels", "own-host": "own_hosts",
    "exclude-bots": "exclude_bots",
}  # fmt: skip
"""Other options that are a rule of a manifest."""
CARRIED: Final = {"property": "properties", "trait": "traits"}
"""Options whose columns a run may have, among others."""
KINDS: Final = {"dimension": "dimensions", "metric": "metrics"}
"""The same, of columns of the metrics."""
COLUMNS: Final = ("session-id", "profile-id", "event-id", "timestamp", "event-type", "page")
UNTOLD: Final = ("delimiter", "quote", "skip-lines", "comment", "columns", "multiline", "verify")
"""Options that say how a log is read, of which a manifest says nothing."""
COMPARED: Final = {
    "timeout_s": "--timeout", "max_duration_s": "--max-duration", "end_events": "--end-event",
    "start_events": "--start-event", "max_events": "--max-events", "burst": "--rules", "split_on": "--split-on",
    "split_on_arrival": "--split-on-arrival", "split_at_midnight": "--split-at-midnight", "passive": "--passive",
    "active_gap_s": "--active-gap", "page_views": "--page-view", "conversions": "--conversion", "goals": "--goal",
    "where": "--where", "page_path": "--page-path", "channels": "--channels", "exclude_bots": "--exclude-bots",
    "timezone": "--timezone",
}  # fmt: skip
"""Rules that change figures → what is typed for them."""


def check_as_made(path: str, config: Config, made: Manifest) -> None:
    """Raise UsageError for an option that was typed, and that an earlier run was not made with.

    Args:
        path: Its output, as it was typed.
        config: What is asked now, and which options of it were typed.
        made: The run's manifest.
    """
    for option in sorted(config.typed):
        if option in UNTOLD:
            raise UsageError(
                f"{path}: --{option} says how a log is read, and this is the output of an earlier run",
                hint="leave it out, or name the log itself",
            )
        same = SAME.get(option)
        if same is not None and not same(option, config, made):
            raise UsageError(
                f"{path}: --{option} is asked of the log, and the earlier run that wrote this was made without it, or "
                "with another",
                hint=_hint(option),
            )


def _hint(option: str) -> str:
    log = f"name the log itself, with the same --{option}"
    return f"{log}; only some of the run's sessions: --session-where" if option == "where" else log


def check_alike(folders: Sequence[AnyPath], made: Sequence[Manifest]) -> None:
    """Raise UsageError where runs that are taken as one log were not made alike.

    Args:
        folders: Their outputs.
        made: Their manifests.
    """
    if all(map(is_night, folders)) and len({folder.parent for folder in folders}) <= 1:
        return  # nights held their rules against those before them
    for folder, manifest in zip(folders[1:], made[1:], strict=True):
        if options := [*made_otherwise(made[0], manifest), *_other_columns(made[0], manifest)]:
            raise UsageError(
                f"{folders[0]} and {folder} were not made alike, and are no one log: {', '.join(options)}",
                hint="name one of them; --compare sets another one beside it",
            )


def _other_columns(this: Manifest, that: Manifest) -> list[str]:
    """What is typed for the columns of the metrics that two runs do not share."""
    names = [{own.name for own in recorded(each["rules"])} for each in (this, that)]
    return [] if names[0] == names[1] else ["--dimension, --metric or --goal"]


def made_otherwise(this: Manifest, that: Manifest) -> list[str]:
    """What is typed for the rules that two runs, or a run and the reading of a log, do not share.

    A rule that an earlier version did not write is not held against the other.
    """
    return [
        option
        for rule, option in COMPARED.items()
        if rule in this["rules"] and rule in that["rules"] and _none(this["rules"][rule]) != _none(that["rules"][rule])
    ]


def _none(value: Any) -> Any:
    """A rule; null for one that asks for nothing."""
    return value or None


def _wanted(config: Config, made: Manifest) -> dict[str, Any]:
    """The rules that are asked for, as a manifest has them."""
    found = rules_of(Plan(
        columns={}, time=TimeFormat(kind="text"), timezone=config.timezone, rules=config.rules,
        page_views=config.page_views, conversions=config.conversions, where=condition(config),
        **enrichment_of(config, made["columns"]),
    ))  # fmt: skip
    there = made["rules"]
    for rule in ("split_on", "split_on_arrival", "passive"):  # another system's names, which the log lacked
        found[rule] = [name for name in found[rule] if name not in config.optional_splits or name in there[rule]]
    return found


def _same_rule(option: str, config: Config, made: Manifest) -> bool:
    rule = (BOUNDARIES | MEANINGS)[option]
    return bool(_none(_wanted(config, made)[rule]) == _none(made["rules"].get(rule)))


def _same_boundaries(_: str, config: Config, made: Manifest) -> bool:
    wanted = _wanted(config, made)
    return all(_none(wanted[rule]) == _none(made["rules"].get(rule)) for rule in (*BOUNDARIES.values(), "burst"))


def _is_carried(option: str, config: Config, made: Manifest) -> bool:
    rule = CARRIED[option]
    return set(getattr(config, rule)) <= set(made["rules"].get(rule, ()))


def _has_own(option: str, config: Config, made: Manifest) -> bool:
    there = {own.name: own.text for own in recorded(made["rules"]) if own.kind == option}
    return bool(getattr(config, KINDS[option]).items() <= there.items())


def _same_goals(_: str, config: Config, made: Manifest) -> bool:
    return bool(dict(config.goals) == made["rules"].get("goals", {}))


def _same_role(option: str, config: Config, made: Manifest) -> bool:
    return _plays(option.replace("-", "_"), config, made)


def _same_roles(_: str, config: Config, made: Manifest) -> bool:
    return all(_plays(role, config, made) for role in config.columns)


def _plays(role: str, config: Config, made: Manifest) -> bool:
    there = made["columns"].get(role, [])
    return list(config.chosen(role)) == ([there] if isinstance(there, str) else list(there))


def _same_format(_: str, config: Config, made: Manifest) -> bool:
    return all(file.get("format") == config.input_format for file in made["inputs"])


def _same_times(_: str, config: Config, made: Manifest) -> bool:
    there = made["rules"]["time_format"]
    names = [there] if isinstance(there, str) else list(there)
    return list(config.time_formats) == ["iso" if name == "text" else name for name in names]


def _complete_until(_: str, config: Config, made: Manifest) -> bool:
    return config.until is None or made["watermark"] == iso(microseconds(config.until))


def _no_bad_rows(_: str, config: Config, made: Manifest) -> bool:
    return config.on_bad_row != "fail" or not made["counts"]["rejected"]


SAME: Final[Mapping[str, Callable[[str, Config, Manifest], bool]]] = {
    **dict.fromkeys((*BOUNDARIES, *MEANINGS), _same_rule),
    **dict.fromkeys(CARRIED, _is_carried),
    **dict.fromkeys(KINDS, _has_own),
    **dict.fromkeys(COLUMNS, _same_role),
    "rules": _same_boundaries,
    "goal": _same_goals,
    "map": _same_roles,
    "input-format": _same_format,
    "time-format": _same_times,
    "until": _complete_until,
    "on-bad-row": _no_bad_rows,
}
"""Whether a run was made with an option as it is now; the others are not about a log."""


def with_fields_as_typed(config: Config) -> Config:
    """A configuration made in Python: what it has of its own counts as typed, where a manifest tells of it."""
    usual, fields = Config(), {
        "rules": "rules", "map": "columns", "dimension": "dimensions", "metric": "metrics", "goal": "goals",
        "property": "properties", "trait": "traits", "null": "nulls", "page-view": "page_views", "conversion": "conversions",
        "own-host": "own_hosts", **{name: name.replace("-", "_") for name in (
            "where", "timezone", "preset", "page-path", "channels", "exclude-bots", "time-format", "until")},
    }  # fmt: skip
    own = {option for option, name in fields.items() if getattr(config, name) != getattr(usual, name)}
    return replace(config, typed=config.typed | own)
