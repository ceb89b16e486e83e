"""From what was asked to what it means for this log: which column is which, how times are written. Log-global."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import polars as pl

from sessionize import schema, sql
from sessionize.config import Config, Plan, TimeFormat, TimeKind
from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.kernel.normalise import TEXTS, time_text
from sessionize.kernel.references import field_type, roots
from sessionize.kernel.timestamps import MODERN, PER_SECOND, compiled
from sessionize.preset_roles import check_fits, from_preset

EPOCH_UNITS: Final[tuple[tuple[float, TimeKind], ...]] = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
"""A number below the bound is taken in the unit: seconds to the year 5138, milliseconds from 1973 on, …"""
NUMBER: Final = r"^\s*[+-]?\d+(\.\d*)?\s*$"
OPTIONS: Final = {
    role: f"--{role.replace('_', '-')}"
    for role in (
        schema.SESSION_ID,
        schema.PROFILE_ID,
        schema.EVENT_ID,
        schema.TIMESTAMP,
        schema.EVENT_TYPE,
        schema.PAGE,
    )
}
Types = Mapping[str, pl.DataType]
Sample = Callable[[pl.Expr], pl.Series]


def resolve(config: Config, types: Types, sample: Sample) -> Plan:
    """What the configuration means for a log with these columns.

    Args:
        config: What was asked for.
        types: Type of each of the log's columns.
        sample: Gives a column of the log's first rows; asked only where the times are not typed.

    Raises:
        UsageError: If a column is missing or ambiguous, a zone or a time format is not known.
    """
    _check_zone(config.timezone)
    columns = _columns(config, types)
    _check_enrichment(config, columns)
    if config.ip == "drop" and config.geo_db is None:
        columns.pop(schema.IP, None)
    rules = config.rules
    for name in (*config.properties, *config.traits, *rules.split_on):
        _check_exists(name, types, "the option")
    return Plan(
        columns=columns,
        time=_time_format(config.time_format, columns[schema.TIMESTAMP], types, sample),
        timezone=config.timezone,
        rules=rules,
        page_views=config.page_views,
        conversions=config.conversions,
        properties=config.properties,
        traits=config.traits,
        where=_checked_where(config, types, sample),
        until=config.until,
        **told_by(config, columns),
    )


def told_by(config: Config, columns: Collection[str]) -> dict[str, Any]:
    """The parts of a plan that say what rows tell beside their columns, by the names of its fields."""
    return {
        "preset": None if config.preset is None else config.preset.name,
        "layout": config.layout,
        "page_path": config.page_path,
        "channels": config.channels and schema.CHANNEL not in columns,
        "own_hosts": config.own_hosts,
        "agents": schema.USER_AGENT in columns and agents.installed(),
        "exclude_bots": config.exclude_bots,
        "ip": config.ip,
        "hash_key": config.hash_key,
    }


def option(role: str) -> str:
    """What to type to choose a role's column."""
    return f"{OPTIONS[role]} COLUMN" if role in OPTIONS else f"--map {role}=COLUMN"


def _check_zone(name: str) -> None:
    if name == "UTC":  # known even where the machine has no zones
        return
    try:
        ZoneInfo(name)
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(name)
    except (KeyError, ValueError, OSError, pl.exceptions.ComputeError):
        raise UsageError(f"no such time zone: {name}", hint="for example --timezone Europe/Berlin") from None


def _columns(config: Config, types: Types) -> dict[str, tuple[str, ...]]:
    known = {role: from_preset(config, role, types) for role in schema.ROLES if not config.chosen(role)}
    chosen = [*(config.chosen(role) for role in config.columns), *(names for names in known.values() if names)]
    taken = {part for names in chosen for name in names for part in (name, *roots(name))}
    found: dict[str, tuple[str, ...]] = {}
    for role in schema.ROLES:
        given = config.chosen(role)
        if given:
            _check_given(role, given, types)
            found[role] = given
        elif (names := known[role]) is not None:
            found |= {role: names} if names else {}
        elif name := _by_name(role, types, taken):
            found[role] = (name,)
    check_fits(config, found, types)
    _check_required(found, types)
    return found


def condition(config: Config) -> str | None:
    """The user's condition and the preset's."""
    asked = [where for where, _ in _conditions(config)]
    # A comment at the end of one must not swallow the bracket.
    joined = " AND ".join(f"({each}\n)" if "--" in each else f"({each})" for each in asked)
    return joined if len(asked) > 1 else next(iter(asked), None)


def _conditions(config: Config) -> Iterator[tuple[str, str]]:
    """Each condition, and what asks for it."""
    if config.where is not None:
        yield config.where, "--where"
    if config.preset is not None and config.preset.where is not None:
        yield config.preset.where, f"where of the preset {config.preset.name}"


def _check_given(role: str, names: tuple[str, ...], types: Types) -> None:
    for name in names:
        _check_exists(name, types, option(role).split(" ", maxsplit=1)[0])
    if len(names) > 1 and role not in (*schema.ID_ROLES, schema.TIMESTAMP):
        raise UsageError(f"{option(role)} takes one column, not {len(names)}")


def _check_exists(name: str, types: Types, asked_by: str) -> None:
    if field_type(name, types) is not None:
        return
    near = difflib.get_close_matches(name, list(types), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"{asked_by}: the log has no column {name!r}", hint=f"{hint}it has {listed(types)}")


def listed(names: Iterable[str]) -> str:
    """Names in a row for a message; the end of a long list is left out."""
    names = list(names)
    shown = ", ".join(names[:40])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 40 else shown


def _by_name(role: str, types: Types, taken: Collection[str]) -> str | None:
    """The one column with a usual name of the role; one inside a struct where no plain column has such a name."""
    usual = {schema.spelling(name) for name in schema.USUAL_NAMES[role]}
    plain = [name for name, dtype in types.items() if not isinstance(dtype, pl.Struct)]
    inside = [name for root, dtype in types.items() if isinstance(dtype, pl.Struct) for name in _leaves(root, dtype)]
    candidates: list[str] = []
    for names in (plain, inside):
        candidates = candidates or [name for name in names if schema.spelling(name) in usual and name not in taken]
    if len(candidates) > 1:
        raise UsageError(
            f"two columns could be the {role}: {' and '.join(repr(name) for name in candidates)}",
            hint=f"say which: {option(role).replace('COLUMN', candidates[0])}",
        )
    return candidates[0] if candidates else None


def _leaves(name: str, dtype: pl.DataType) -> Iterator[str]:
    """Names of the plain columns in a struct, such as ``session.id``."""
    if isinstance(dtype, pl.Struct):
        for inner in dtype.fields:
            yield from _leaves(f"{name}.{inner.name}", cast("pl.DataType", inner.dtype))
    else:
        yield name


def _check_required(found: Mapping[str, tuple[str, ...]], types: Types) -> None:
    if schema.TIMESTAMP not in found:
        raise UsageError(
            "no column looks like the timestamp", hint=f"say which: {option(schema.TIMESTAMP)}; it has {listed(types)}"
        )
    if schema.SESSION_ID not in found and schema.PROFILE_ID not in found:
        raise UsageError(
            "no column looks like a session id or a profile id",
            hint=f"say which: {option(schema.SESSION_ID)} or {option(schema.PROFILE_ID)}; it has {listed(types)}",
        )


def _checked_where(config: Config, types: Types, sample: Sample) -> str | None:
    """The condition, once each part of it has been tried by itself."""
    for where, asked_by in _conditions(config):
        told = sql.expression(where, asked_by)
        with sql.telling(asked_by, f"an expression over {listed(types)}; CSV columns are text"):
            pl.DataFrame(schema=dict(types)).lazy().filter(told).collect()
        for name in told.meta.root_names():
            sample(pl.col(name))  # what a damaged file says is not the condition's fault
        with sql.telling(asked_by, "a value that does not fit: TRY_CAST gives null in its place"):
            sample(told)
    return condition(config)


def _check_enrichment(config: Config, columns: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse what the log has no column for, or the machine no package; and an address that would leave as an id."""
    if config.exclude_bots and schema.USER_AGENT not in columns:
        raise UsageError("--exclude-bots: the log has no user agent", hint=f"say which: {option(schema.USER_AGENT)}")
    if config.exclude_bots and not agents.installed():
        raise UsageError(
            "--exclude-bots needs the packages ua-parser and crawlerdetect", hint="pip install 'sessionize[ua]'"
        )
    if config.geo_db is not None and schema.IP not in columns:
        raise UsageError("--geo-db: the log has no address", hint=f"say which: {option(schema.IP)}")
    if config.ip != "full" and config.hash_key is None and _address_is_id(columns):
        raise UsageError(
            f"--ip {config.ip}: the address is an id here, and would be written", hint="add --hash-ids KEY_FILE"
        )


def _address_is_id(columns: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether an id is an address, by its column's role or its name: then it would be written whole."""
    usual = {schema.spelling(name) for name in schema.USUAL_NAMES[schema.IP]}
    parts = [part for role in schema.ID_ROLES for name in columns.get(role, ()) for part in (name, *roots(name))]
    known = [part for name in columns.get(schema.IP, ()) for part in (name, *roots(name))]
    return any(part in known or schema.spelling(part.split(".")[-1]) in usual for part in parts)


def _time_format(given: str | None, names: tuple[str, ...], types: Types, sample: Sample) -> TimeFormat:
    written, dtype = time_text(names, types)
    if dtype is not None and dtype.is_temporal():
        return TimeFormat(kind="datetime")
    if given is not None:
        return _given_format(given)
    values = sample(written)
    if dtype in TEXTS:
        values = values.cast(pl.String)
        texts = values.drop_nulls()
        numbers = texts.filter(texts.str.contains(NUMBER))
        if not len(numbers) or 2 * len(numbers) < len(texts.filter(texts.str.contains(r"\S"))):
            return TimeFormat(kind="text")
        values = numbers.str.strip_chars()
    elif dtype is None or not dtype.is_numeric():
        raise UsageError(f"column {' + '.join(names)!r} cannot be the timestamp: it holds {dtype}")
    return _unit(values.cast(pl.Float64, strict=False))


def _unit(numbers: pl.Series) -> TimeFormat:
    """Unit of epoch numbers, from the size of the middle one; a guess to hold the others to, if that is a modern time."""
    middle = numbers.drop_nans().abs().median()
    size = middle if isinstance(middle, float) else 0.0
    unit: TimeKind = next((unit for bound, unit in EPOCH_UNITS if size < bound), "ns")
    earliest, latest = (bound / 1_000_000 * PER_SECOND[unit] for bound in MODERN)
    return TimeFormat(kind=unit, guessed=earliest <= size <= latest)


def _given_format(given: str) -> TimeFormat:
    if given == "iso":
        return TimeFormat(kind="text")
    if given in PER_SECOND:
        return TimeFormat(kind=cast("TimeKind", given))
    try:
        if "%" in given:
            compiled(given)
            return TimeFormat(kind="pattern", pattern=given)
        problem = "neither a pattern nor a unit"
    except ValueError as error:
        problem = str(error)
    raise UsageError(
        f"--time-format {given!r}: {problem}", hint="for example '%d/%m/%Y %H:%M:%S', or iso, s, ms, us, ns"
    )
