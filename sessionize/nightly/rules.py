"""Rules and columns must be the same every night; a flush without a log takes those that the state knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from sessionize import schema
from sessionize.config import Burst, Config, Nightly, Plan, Rules, TimeFormat
from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.kernel.references import field_type
from sessionize.nightly.absent import Types, columns_before
from sessionize.nightly.state import Done, State, changes
from sessionize.output.manifest import columns_of, rules_of
from sessionize.own import Own, OwnKind, recorded
from sessionize.plan import condition
from sessionize.preset_roles import is_same
from sessionize.values import NamedTuple

PARAMETERS: Final = {
    "timeout_s": "timeout", "max_duration_s": "max_duration", "active_gap_s": "active_gap", "end_events": "end_event", "start_events": "start_event",
    "page_views": "page_view", "conversions": "conversion", "properties": "property", "traits": "trait",
    "own_hosts": "own_host", "dimensions": "dimension", "metrics": "metric", "goals": "goal",
}  # fmt: skip
"""Rule, as the manifest has it → the option's parameter, where their names differ."""
WRITTEN: Final = ("time_format", "amounts", "amounts_found")
"""Rules that say how values are written, which may differ from night to night."""


LEFT_OUT: Final = "a --flush without INPUT takes the options of the state: leave them out"
OTHERWISE: Final = "--flush what is open with the old ones and begin a new --state with --redo, or go on as it was"
"""What to do about other rules or columns."""
ADDED: Final[Mapping[str, Any]] = {
    "split_on_arrival": [], "max_events": None, "burst": None, "active_gap_s": 300.0, "nulls": [],
    "passive": [], "dimensions": {}, "metrics": {}, "goals": {},
}  # fmt: skip
"""Rules that states of earlier versions do not name, as they were in force there."""


def _known_rules(known: Done) -> dict[str, Any]:
    return {**ADDED, **known.rules}


def rules_of_nights(plan: Plan) -> dict[str, Any]:
    """What must be the same every night: all of the manifest's rules but how times and amounts are written."""
    return {name: value for name, value in rules_of(plan).items() if name not in WRITTEN}


class Meant(NamedTuple):
    """What a night's configuration means.

    Attributes:
        plan: For its log.
        config: As it was asked for.
        types: Columns of its log.
    """

    plan: Plan
    config: Config
    types: Types


def check_same(meant: Meant, known: Done | None, nightly: Nightly, state: State) -> None:
    """Refuse a night whose rules or columns are not those of the nights before.

    Raises:
        UsageError: If they are not.
    """
    changed = _changed(meant, known)
    if changed:
        raise UsageError(
            f"not as in the nights before: {'; '.join(changed)}", hint=_other_rules(meant, known, nightly, state)
        )


def _changed(meant: Meant, known: Done | None) -> list[str]:
    """What is not as in a night before, in words."""
    if known is None:
        return []
    now = rules_of_nights(meant.plan)
    before = {name: _as_wide(rule, now.get(name)) for name, rule in _known_rules(known).items() if name not in WRITTEN}
    return changes(before, now) + _changed_columns(meant, known)


def _changed_columns(meant: Meant, known: Done) -> list[str]:
    """Roles that other columns play; that none plays, though the log has theirs; that one plays as only now was asked for.

    A role whose column comes for the first time may have it, by its name or as it would be found.
    """
    now = columns_of(meant.plan)
    lost = [role for role in known.columns if role not in now and _has_all(meant.types, columns_before(known, role))]
    asked = [
        role
        for role, names in meant.plan.columns.items()
        if meant.config.chosen(role)
        and not columns_before(known, role)
        and (role in known.columns or not _is_usual(role, names))
    ]
    shared = [role for role in now if role in known.columns and role not in asked]
    others = [role for role in shared if not is_same(meant.config, role, now[role], known.columns[role])]
    named = [role for role in schema.ROLES if role in (*lost, *asked, *others)]
    return changes({role: known.columns.get(role) for role in named}, {role: now.get(role) for role in named})


def _is_usual(role: str, names: Collection[str]) -> bool:
    usual = {schema.spelling(name) for name in schema.USUAL_NAMES[role]}
    return all(schema.spelling(name) in usual for name in names)


def _has_all(types: Types, names: Collection[str]) -> bool:
    return bool(names) and all(field_type(name, types) is not None for name in names)


def _as_wide(before: Any, now: Any) -> Any:
    """A rule of the nights before, with whole numbers as numbers where they are now: one null among them makes them so."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return before
    wider = {name for name in before if isinstance(now.get(name), dict) and now[name].get("type") == "number"}
    return {
        name: {**of, "type": "number"} if name in wider and of.get("type") == "integer" else of
        for name, of in before.items()
    }


def _other_rules(meant: Meant, known: Done | None, nightly: Nightly, state: State) -> str:
    """What to type where rules or columns are not those of the nights before."""
    place = next((place for place, night in enumerate(state.nights) if night == known), 0)
    before = state.nights[place - 1] if place else None
    if known is not None and not _changed(meant, before):
        if known.name == nightly.batch:
            return "--redo runs the batch again with the new ones; the nights after it must then be run again too"
        if known.counts["rejected"] == known.counts["rows_read"] > 0:
            return (
                f"batch {known.name} took no event: run it again first with the new ones, --batch {known.name} --redo"
            )
    told = known is not None and known.rules["channels"] and meant.plan.columns.get(schema.CHANNEL)
    aside = f"--map channel=none leaves the column {told[0]!r}, which no night before had, aside; or " if told else ""
    return f"{aside}{OTHERWISE}"


def plan_of_state(config: Config, known: Done | None, given: Collection[str], *, hint: str = LEFT_OUT) -> Plan:
    """The plan of the nights so far.

    Args:
        config: What was asked for. Only what is not the default, or was given all the same, has to be as it was.
        known: The last night; None before the first.
        given: Parameters that were given, as the command line names them.
        hint: What to do where they are not as they were.

    Raises:
        UsageError: If no night was run, what was given is not as it was, or the ids are hashed and there is no key.
    """
    if known is None:
        raise UsageError("there is nothing to flush: no night has been run with this --state")
    changed = _contradictions(config, known, given)
    if changed:
        raise UsageError(
            f"not as in the nights before: {'; '.join(changed)}",
            hint=hint,
        )
    if known.rules["hash_ids"] and config.hash_key is None:
        raise UsageError(
            "the ids of this state are hashed", hint="--hash-ids KEY_FILE, with the key of the nights before"
        )
    return _plan(_known_rules(known), known.columns, config)


def _contradictions(config: Config, known: Done, given: Collection[str]) -> list[str]:
    wanted, default = (rules_of_nights(_plan_of(each, known)) for each in (config, Config()))
    meant = {
        name: value for name, value in wanted.items() if value != default[name] or PARAMETERS.get(name, name) in given
    }
    chosen = {role: config.chosen(role) for role in config.columns}
    columns = {role: names[0] if len(names) == 1 else list(names) for role, names in chosen.items()}
    return [
        *changes({name: _known_rules(known).get(name) for name in meant}, meant),
        *changes({role: known.columns.get(role) or [] for role in columns}, columns),
    ]


def _plan_of(config: Config, known: Done) -> Plan:
    return Plan(
        columns={}, time=TimeFormat(kind="text"), timezone=config.timezone, rules=config.rules,
        page_views=config.page_views, conversions=config.conversions, properties=config.properties,
        traits=config.traits, where=condition(config), preset=None if config.preset is None else config.preset.name,
        page_path=config.page_path, channels=config.channels and not columns_before(known, schema.CHANNEL),
        own_hosts=config.own_hosts, exclude_bots=config.exclude_bots, ip=config.ip, hash_key=config.hash_key,
        nulls=config.nulls, own=tuple(_own(config, recorded(known.rules))),
    )  # fmt: skip


def _own(config: Config, known: Iterable[Own]) -> Iterator[Own]:
    """The columns that are asked for, with the types that the nights before have found."""
    types = {each.name: each.dtype for each in known}
    wanted: dict[OwnKind, Mapping[str, str]] = {
        "dimension": config.dimensions, "metric": config.metrics, "goal": config.goals,
    }  # fmt: skip
    for kind, columns in wanted.items():
        for name, text in columns.items():
            yield Own(name=name, kind=kind, text=text, dtype="boolean" if kind == "goal" else types.get(name, "string"))


def _plan(rules: Mapping[str, Any], columns: Mapping[str, Any], config: Config) -> Plan:
    return Plan(
        columns={
            role: (names,) if isinstance(names, str) else tuple(names) for role, names in columns.items() if names
        },
        time=TimeFormat(kind="text"),
        timezone=rules["timezone"],
        rules=Rules(
            timeout=_duration(rules["timeout_s"]),
            end_events=tuple(rules["end_events"]),
            start_events=tuple(rules["start_events"]),
            split_on=tuple(rules["split_on"]),
            split_on_arrival=tuple(rules["split_on_arrival"]),
            split_at_midnight=rules["split_at_midnight"],
            max_duration=_duration(rules["max_duration_s"]),
            max_events=rules["max_events"],
            burst=None if rules["burst"] is None else Burst(rules["burst"][0], timedelta(seconds=rules["burst"][1])),
            passive=tuple(rules["passive"]),
            active_gap=timedelta(seconds=rules["active_gap_s"]),
        ),
        page_views=_names(rules["page_views"]),
        conversions=_names(rules["conversions"]),
        properties=tuple(rules["properties"]),
        traits=tuple(rules["traits"]),
        own=recorded(rules),
        where=rules["where"],
        until=config.until,
        preset=rules["preset"],
        page_path=rules["page_path"],
        channels=rules["channels"],
        own_hosts=tuple(rules["own_hosts"]),
        agents=bool(columns.get(schema.USER_AGENT)) and agents.installed(),
        exclude_bots=rules["exclude_bots"],
        ip=rules["ip"],
        hash_key=config.hash_key,
        nulls=tuple(rules["nulls"]),
        amounts=rules.get("amounts", "plain"),
        amounts_found=rules.get("amounts_found", False),
    )


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _names(names: Collection[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
