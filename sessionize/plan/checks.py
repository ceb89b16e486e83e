"""What is refused of a configuration before a row is read: a zone, a condition, what the log has no column for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from sessionize import schema, sql
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.kernel import agents
from sessionize.kernel.references import roots
from sessionize.plan.evidence import Sample, Types
from sessionize.plan.named import condition, conditions
from sessionize.plan.names import listed, option
from sessionize.sql_words import adapted

ZONES_BY_WORD: Final = {
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles", "MDT": "America/Denver",
    "CST": "America/Chicago", "CDT": "America/Chicago", "EDT": "America/New_York", "ET": "America/New_York",
    "CEST": "Europe/Berlin", "BST": "Europe/London", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "AEST": "Australia/Sydney",
    "EUROPE/WIEN": "Europe/Vienna", "WIEN": "Europe/Vienna", "EUROPE/KOELN": "Europe/Berlin", "EUROPE/MUNICH": "Europe/Berlin",
    "EUROPE/MILAN": "Europe/Rome", "EUROPE/GENEVA": "Europe/Zurich", "AMERICA/WASHINGTON": "America/New_York",
    "AMERICA/SAN_FRANCISCO": "America/Los_Angeles", "ASIA/BEIJING": "Asia/Shanghai", "ASIA/DELHI": "Asia/Kolkata",
}  # fmt: skip
"""Short names and cities that are no zones, and the zone that is meant."""


def check_zone(name: str) -> None:
    """Refuse a time zone that is not known."""
    if name == "UTC":  # known even where the machine has no zones
        return
    try:
        ZoneInfo(name)
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(name)
    except (KeyError, ValueError, OSError, pl.exceptions.ComputeError):
        raise UsageError(f"no such time zone: {name}", hint=_zones_like(name)) from None


def _zones_like(name: str) -> str:
    """What to type in place of a zone that there is not."""
    if name.upper() in ZONES_BY_WORD:
        return (
            f"did you mean --timezone {ZONES_BY_WORD[name.upper()]}? a zone is named for a place, as it has summer time"
        )
    zones = sorted(available_timezones())
    places = {zone.rpartition("/")[2].lower(): zone for zone in zones}
    near = difflib.get_close_matches(name, zones, n=1, cutoff=0.75)
    near += [
        places[place] for place in difflib.get_close_matches(name.rpartition("/")[2].lower(), places, n=1, cutoff=0.8)
    ]
    return f"did you mean --timezone {near[0]}?" if near else "for example --timezone Europe/Berlin"


def checked_where(config: Config, types: Types, sample: Sample) -> str | None:
    """The condition, once each part of it has been tried by itself.

    Raises:
        UsageError: If it is no expression over the log's columns.
    """
    for where, origin in conditions(config):
        told = sql.expression(adapted(where, types, config.timezone), origin)
        with sql.as_usage_error(origin, f"an expression over {listed(types)}; CSV columns are text"):
            pl.DataFrame(schema=dict(types)).lazy().filter(told).collect()
        for name in told.meta.root_names():
            sample(pl.col(name))  # what a damaged file says is not the condition's fault
        with sql.as_usage_error(origin, "a value that does not fit: TRY_CAST gives null in its place"):
            sample(told)
    return condition(config)


def check_enrichment(config: Config, columns: Mapping[str, tuple[str, ...]]) -> None:
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
