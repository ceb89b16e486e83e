"""What was typed, and what a configuration file says, as a Config."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from sessionize import definitions, schema
from sessionize.cli import own, parse, text_layout
from sessionize.cli.config_files import places
from sessionize.cli.options import OPTIONS, Option, Typed
from sessionize.cli.options import known as options_of_all
from sessionize.cli.rules import as_typed, other_rules, rules
from sessionize.config import INPUT_FORMATS, Config
from sessionize.errors import UsageError
from sessionize.locations import shown_uri
from sessionize.preset import Preset
from sessionize.presets import load
from sessionize.stores import AnyPath, StoreError, path_of

SECTIONS: Final = ("check",)
"""Tables of the configuration file that are no options."""
NO_PRESET: Final = "none"
TYPED_ONLY: Final = ("inputs", "output", "config", "debug")
"""What no file can say, as it is needed before the file is read, or always typed."""
ALSO_KNOWN_AS: Final = {"jsonl": "ndjson", "json-lines": "ndjson", "jsonlines": "ndjson", "tsv": "csv", "pq": "parquet"}
"""Other names of choices; they are asked back for, so that a name means one thing everywhere."""
WEB: Final = ("http://", "https://", "ftp://")
DURATIONS: Final = ("DURATION", "DURATION|none")
FIELDS: Final = {
    "property": "properties", "trait": "traits", "null": "nulls", "page_view": "page_views", "conversion": "conversions",
    "own_host": "own_hosts",
}  # fmt: skip
"""Options that can be given several times → the field of `Config` that has all of them; others are named as their field."""
MAY_BE_EMPTY: Final = frozenset({"inputs", "output", "null", "quote"})
FOUND: Final = ("optional_splits", "recognise", "given", "typed")
"""Fields of `Config` that no option gives, but a preset, or what was typed as a whole."""
COLUMN_OPTIONS: Final = (
    schema.SESSION_ID, schema.PROFILE_ID, schema.EVENT_ID, schema.TIMESTAMP, schema.EVENT_TYPE, schema.PAGE,
)  # fmt: skip


def with_file(typed: Typed, *, search: bool = True) -> Typed:
    """What was typed, and for what was not, what the configuration file and the preset say.

    Args:
        typed: Values by name.
        search: Whether a file is looked for, where none is named.

    Raises:
        UsageError: If the file cannot be read, or names an option there is not.
    """
    path, options = _config_file(typed["config"]) if search or typed["config"] else (None, {})
    sections = {name: options.pop(name) for name in SECTIONS if name in options}
    _check_known(options, str(path))
    merged, given = dict(typed), set(typed.given)
    if merged["rules"]:
        other_rules(merged, given, definitions.load(merged["rules"]))
    _fill(merged, given, options, str(path))
    _refuse_empty(merged, given)
    if merged["rules"] and "rules" not in typed.given:
        other_rules(merged, given, definitions.load(merged["rules"]))
    merged["recognise"] = (merged["preset"] or "").lower() != NO_PRESET
    merged["given"] = frozenset(name.replace("_", "-") for name in given)
    merged["typed"] = frozenset(name.replace("_", "-") for name in typed.given)
    if not merged["recognise"]:
        merged["preset"] = None
    if merged["goal"]:
        given.add("conversion")  # a preset's conversions are in place of the usual ones, as goals are
    if merged["preset"]:
        preset = load(merged["preset"])
        _check_known(preset.options, f"preset {preset.name}")
        _fill(merged, given, _options(preset), f"preset {preset.name}")
        merged["preset"] = preset
    found = typed.but(**merged)
    found.chosen, found.config_file, found.sections = frozenset(given), path, sections
    return found


def _refuse_empty(values: Mapping[str, Any], given: Collection[str]) -> None:
    """Refuse an option whose value is no text at all: most likely a variable that was never set."""
    for name in sorted(set(given) - MAY_BE_EMPTY):
        value = values[name]
        if value == "" or (isinstance(value, list | tuple) and "" in value):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{flag} is empty", hint=f"is a variable of yours not set? give it a value, or leave {flag} out"
            )


def _check_known(options: Mapping[str, Any], place: str) -> None:
    """Refuse options that no command has. A file may be for several commands: another's are passed over."""
    from sessionize.cli.meant import meant

    loaded = {name for name in options_of_all() if name not in TYPED_ONLY}
    if loaded.issuperset(name.replace("-", "_") for name in options):
        return
    known = _known()
    for name, value in options.items():
        if isinstance(value, dict):
            raise UsageError(
                f"{place}: there is no table [{name}]",
                hint="options stand at the top of the file, before any table, and are for every command",
            )
        if name.replace("-", "_") in TYPED_ONLY[1:]:
            raise UsageError(f"{place}: {name} cannot stand in a file", hint=f"type it: --{name}")
        if name.replace("-", "_") not in known:
            names = sorted(each.replace("_", "-") for each in known)
            found = meant(name, names, value)
            hint = f"did you mean {found.in_file}?" if found else f"there are {', '.join(names)}"
            raise UsageError(f"{place}: no such option: {name}", hint=hint)


def _known() -> dict[str, Option]:
    """Options that a file may name; those of every command, so that all are loaded."""
    from sessionize.cli import app

    app.load_all()
    return {name: row for name, row in options_of_all().items() if name not in TYPED_ONLY}


def _fill(merged: dict[str, Any], given: set[str], options: Mapping[str, Any], place: str) -> None:
    """Take the options that were not given yet, and that the command has."""
    rows = options_of_all()
    for name, value in options.items():
        parameter = name.replace("-", "_")
        if parameter not in given and parameter in merged:
            merged[parameter] = as_typed(value, rows[parameter])
            if rows[parameter].metavar in DURATIONS:
                parse.duration_in_file(str(merged[parameter]), name, place)
            given.add(parameter)


def _options(preset: Preset) -> dict[str, Any]:
    """A preset's options; of a CSV also its delimiter and names."""
    layout = preset.layout
    found = dict(preset.options)
    if layout.kind == "csv" and layout.delimiter is not None:
        found.setdefault("delimiter", layout.delimiter)
    if layout.kind == "csv" and layout.names:
        found.setdefault("columns", list(layout.names))
    return found


def section(typed: Typed, name: str) -> dict[str, Any]:
    """A table of the configuration file that `with_file` has read; empty where there is none."""
    found = typed.sections.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(
            f"{typed.config_file}: {name} is no table", hint=f"write [{name}] and what belongs to it below"
        )
    return found


def _config_file(given: str | None) -> tuple[Path | None, dict[str, Any]]:
    if given is not None:
        return Path(given), _load(Path(given))
    for path in places():
        if path.is_file() and (path.name != "pyproject.toml" or "sessionize" in _tool(path)):
            return path, _load(path)
    return None, {}


def _load(path: Path) -> dict[str, Any]:
    return dict(_tool(path).get("sessionize", {}) if path.name == "pyproject.toml" else _toml(path))


def _tool(path: Path) -> dict[str, Any]:
    tool = _toml(path).get("tool", {})
    return tool if isinstance(tool, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = "a link that leads nowhere" if path.is_symlink() else "no such file"
        raise UsageError(
            f"{path}: {what}", hint="--config names a TOML file of options; without it sessionize.toml is looked for"
        ) from None
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise UsageError(f"{path}: {reason}", hint="--config names a TOML file of options") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}", hint="a TOML file with options by name, such as timeout = '30m'") from None


def as_toml(options: dict[str, Any]) -> str:
    """Options as a configuration file has them.

    Examples:
        >>> print(as_toml({"session_id": ["ip"], "split_at_midnight": True, "timeout": "45m"}), end="")
        session-id = ["ip"]
        split-at-midnight = true
        timeout = "45m"
    """
    return "".join(
        f"{name.replace('_', '-')} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in options.items()
    )


def prove(text: str, path: Path) -> None:
    """Raise UsageError unless a configuration file with this text can be read."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: the file that is there and the new part do not fit: {error}") from None


def config(typed: Typed) -> Config:
    """A Config from a command's parameters.

    Args:
        typed: Parameters by name, as the options module defines them.
    """
    until, memory = typed["until"], typed["memory_limit"]
    read = {
        "inputs": _inputs(typed["inputs"]),
        "columns": _columns(typed),
        "dimensions": own.dimensions(typed["dimension"]),
        "metrics": own.named(typed["metric"], "--metric"),
        "goals": own.named(typed["goal"], "--goal"),
        "input_format": one_of(typed["input_format"], INPUT_FORMATS, "--input-format"),
        "delimiter": text_layout.character(typed["delimiter"], "--delimiter", "';'"),
        "quote": text_layout.quote(typed["quote"]),
        "skip_lines": text_layout.lines(typed["skip_lines"]),
        "comment": text_layout.comment(typed["comment"]),
        "csv_columns": text_layout.csv_columns(typed["columns"]) if typed["columns"] else None,
        "rules": rules(typed),
        "until": parse.moment(until, typed["timezone"], "--until") if until else None,
        "memory_limit": parse.memory(memory, "--memory-limit") if memory else None,
        "on_bad_row": one_of(typed["on_bad_row"], ("reject", "fail"), "--on-bad-row"),
        "ip": one_of(typed["ip"], ("full", "truncate", "drop"), "--ip"),
        "hash_key": parse.key(typed["hash_ids"]) if typed["hash_ids"] else None,
    }
    return Config(**{**_as_given(typed), **read})


def _as_given(typed: Typed) -> dict[str, Any]:
    """The values of the options that are fields of a Config as they stand; one that was not given is left out."""
    names = {row.name: FIELDS.get(row.name, row.name) for row in OPTIONS} | {name: name for name in FOUND}
    values = {names[name]: value for name, value in typed.items() if name in names and value not in (None, [], ())}
    known = {each.name for each in fields(Config)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known}


def _inputs(given: list[str] | None) -> tuple[str, ...]:
    """The inputs, none of them an address of the web."""
    for each in given or ():
        if each.startswith(WEB):
            shown = shown_uri(each)
            url = each if shown == each else "URL"
            raise UsageError(f"{shown}: nothing is fetched from the web", hint=f"curl -sS {url} | sessionize -")
    return tuple(given or ())


def no_earlier_run(inputs: tuple[str, ...]) -> None:
    """Raise UsageError where an input is the output of an earlier run, for a command that needs the log."""
    for each in inputs:
        if each != "-" and _is_earlier_run(path_of(each)):
            raise UsageError(
                f"{each} is the output of an earlier run, no log",
                hint=f"sessionize summary {each} tells of it; its manifest names the log",
            )


def _is_earlier_run(path: AnyPath) -> bool:
    from sessionize.output.ownership import earlier_outputs

    with suppress(StoreError):  # told where the log is opened, by the name that was typed
        names = [name for name in earlier_outputs(path) if name.startswith(("metrics.", "metrics/"))]
        return any((path / name).is_file() for name in names)
    return False


def _columns(typed: Typed) -> dict[str, tuple[str, ...]]:
    columns: dict[str, tuple[str, ...]] = {}
    for role in COLUMN_OPTIONS:
        if given := typed[role]:
            columns[role] = (given,) if isinstance(given, str) else tuple(given)
    for mapping in typed["map"] or ():
        role, equals, column = mapping.partition("=")
        if not equals or role not in schema.ROLES:
            near = get_close_matches(role, schema.ROLES, n=1)
            meant = f"did you mean --map {near[0]}={column or 'COLUMN'}? " if near else ""
            raise UsageError(
                f"--map {mapping!r}: {f'no such role: {role}' if equals else 'is no ROLE=COLUMN'}",
                hint=f"{meant}roles are {', '.join(schema.ROLES)}",
            )
        columns[role] = (*columns.get(role, ()), column)
    return columns


def one_of(given: object, choices: tuple[str, ...], option: str) -> Any:
    """The value given, if it is one of the choices."""
    if given is None or given in choices:
        return given
    ours = ALSO_KNOWN_AS.get(str(given).lower(), str(given).lower())
    near = [ours] if ours in choices else get_close_matches(ours, choices, n=1, cutoff=0.7)
    if option == "--ip" and not near:
        near = [f"--map {shlex.quote(f'ip={given}')}"]  # --ip says what becomes of addresses, not where they stand
    raise UsageError(
        f"invalid value {str(given)!r} for {option} (choose from {', '.join(choices)})",
        hint=f"did you mean {near[0]}?" if near else None,
    )
