"""What was typed, and what a configuration file says, as a Config."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from sessionize import schema
from sessionize.cli import parse
from sessionize.config import Config, Rules
from sessionize.errors import UsageError

FILE_NAMES: Final = ("sessionize.toml", "pyproject.toml")
COLUMN_OPTIONS: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.PAGE,
)  # fmt: skip


def with_file(typed: dict[str, Any], context: Any) -> dict[str, Any]:
    """The parameters, those not typed taken from the configuration file.

    Args:
        typed: Parameters by name.
        context: The command's context, which knows what was typed.

    Raises:
        UsageError: If the file cannot be read, or names an option there is not.
    """
    path, options = _found(typed.get("config"))
    unknown = [name for name in options if name.replace("-", "_") not in typed]
    if unknown:
        raise UsageError(
            f"{path}: no such option: {', '.join(unknown)}",
            hint=f"there are {', '.join(sorted(name.replace('_', '-') for name in typed))}",
        )
    merged = dict(typed)
    for name, value in options.items():
        parameter = name.replace("-", "_")
        if context.get_parameter_source(parameter).name != "COMMANDLINE":
            merged[parameter] = _as_typed(value, merged[parameter], parameter)
    return merged


def _as_typed(value: Any, default: Any, name: str) -> Any:
    repeatable = name in ("map", "property", "trait", "end_event", "start_event", "split_on", "page_view", "conversion")
    if repeatable or name in ("session_id", "profile_id", "event_id"):
        return [str(each) for each in value] if isinstance(value, list) else [str(value)]
    if isinstance(default, bool):
        return bool(value)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _found(given: str | None) -> tuple[Path | None, dict[str, Any]]:
    if given is not None:
        return Path(given), _load(Path(given))
    for folder in (Path.cwd(), *Path.cwd().parents):
        for name in FILE_NAMES:
            path = folder / name
            if path.is_file() and (name != "pyproject.toml" or "sessionize" in _tool(path)):
                return path, _load(path)
        if (folder / ".git").exists():
            break
    return None, {}


def _load(path: Path) -> dict[str, Any]:
    return dict(_tool(path).get("sessionize", {}) if path.name == "pyproject.toml" else _toml(path))


def _tool(path: Path) -> dict[str, Any]:
    tool = _toml(path).get("tool", {})
    return tool if isinstance(tool, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}", hint="a TOML file with options by name, such as timeout = '30m'") from None


def config(typed: dict[str, Any]) -> Config:
    """A Config from a command's parameters.

    Args:
        typed: Parameters by name, as the options module defines them.
    """
    timezone = typed["timezone"]
    until, memory = typed.get("until"), typed.get("memory_limit")
    return Config(
        inputs=tuple(typed["inputs"] or ()),
        columns=_columns(typed),
        properties=tuple(typed["property"] or ()),
        traits=tuple(typed["trait"] or ()),
        where=typed["where"],
        input_format=one_of(typed["input_format"], ("csv", "parquet", "ndjson"), "--input-format"),
        delimiter=_delimiter(typed["delimiter"]),
        csv_columns=tuple(typed["columns"].split(",")) if typed["columns"] else None,
        time_format=typed["time_format"],
        timezone=timezone,
        rules=_rules(typed),
        page_views=tuple(typed["page_view"]) if typed["page_view"] else None,
        conversions=tuple(typed["conversion"]) if typed["conversion"] else None,
        until=parse.moment(until, timezone, "--until") if until else None,
        memory_limit=parse.size(memory, "--memory-limit") if memory else None,
        on_bad_row=one_of(typed["on_bad_row"], ("reject", "fail"), "--on-bad-row"),
    )


def _rules(typed: dict[str, Any]) -> Rules:
    longest = typed["max_duration"]
    return Rules(
        timeout=parse.duration_or_none(typed["timeout"], "--timeout"),
        max_duration=parse.duration_or_none(longest, "--max-duration") if longest else None,
        end_events=tuple(typed["end_event"] or ()),
        start_events=tuple(typed["start_event"] or ()),
        split_on=tuple(typed["split_on"] or ()),
        split_at_midnight=typed["split_at_midnight"],
    )


def _columns(typed: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    columns: dict[str, tuple[str, ...]] = {}
    for role in COLUMN_OPTIONS:
        if given := typed[role]:
            columns[role] = (given,) if isinstance(given, str) else tuple(given)
    for mapping in typed["map"] or ():
        role, equals, column = mapping.partition("=")
        if not equals or role not in schema.ROLES:
            raise UsageError(f"--map {mapping!r} is no ROLE=COLUMN", hint=f"roles are {', '.join(schema.ROLES)}")
        columns[role] = (*columns.get(role, ()), column)
    return columns


def _delimiter(given: str | None) -> str | None:
    if given is None:
        return None
    found = {"\\t": "\t", "tab": "\t"}.get(given, given)
    if len(found) != 1 or not found.isascii() or found in '"\r\n':
        raise UsageError(f"--delimiter {given!r} is not one character", hint="for example --delimiter ';'")
    return found


def one_of(given: object, choices: tuple[str, ...], option: str) -> Any:
    """The value given, if it is one of the choices."""
    if given is not None and given not in choices:
        raise UsageError(f"{option} {given!r} is none of {', '.join(choices)}")
    return given
