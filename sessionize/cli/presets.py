"""`sessionize presets`: the log layouts that are known, and what each maps."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sessionize.cli import view
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.preset import VISITOR, Preset
from sessionize.presets import load, names

if TYPE_CHECKING:
    from sessionize.preset_check import Role

SHOWN: Final = 60
"""Characters of a value that are shown."""


def presets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="Which one to explain.")] = None,
    log: Annotated[list[str] | None, typer.Argument(metavar="[LOG...]", help="With --check: the log to try.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Try the preset on a log: each role, what it found, three values.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unforeseen error.")] = False,
) -> None:
    """List the known log layouts, or explain one: what it maps, its traps, the command to run.

    \b
    sessionize presets ga4
    sessionize presets --check ours.toml log.ndjson
    """
    if check or log:
        _check(name, log or ())
        return
    if name is None:
        known = names()
        width = max(map(len, known))
        for each in known:
            print(f"{each:<{width}}  {load(each).title}")
        return
    _refuse_log(name)
    print("\n".join(_explained(load(name))))


def _refuse_log(name: str) -> None:
    """Raise UsageError for a log in the place of a preset."""
    if Path(name).is_file() and Path(name).suffix != ".toml":
        typed = shlex.quote(name)
        raise UsageError(
            f"{name} is no preset, which is a TOML file",
            hint=f"which preset a log has is found as it is read: sessionize run {typed} -o out; to try one on it: "
            f"sessionize presets --check access-log {typed}",
        )


def _check(name: str | None, log: Sequence[str]) -> None:
    from sessionize.preset_check import fitted

    if name is None or not log:
        raise UsageError("--check needs a preset and a log", hint="sessionize presets --check ours.toml log.ndjson")
    preset = load(name)
    found = fitted(_config(preset, log))
    width = max(len(role.name) for role in found.roles)
    print(f"{preset.name}, on the first {found.rows:,} rows (times: {found.times})")
    for role in found.roles:
        print(f"  {role.name:<{width}}  {view.plain(_role_text(role))}")


def _config(preset: Preset, log: Sequence[str]) -> Config:
    layout, options = preset.layout, preset.options
    is_csv = layout.kind == "csv"
    given = options.get("time-format")
    return Config(
        inputs=tuple(log),
        preset=preset,
        delimiter=layout.delimiter if is_csv else None,
        csv_columns=layout.names or None if is_csv else None,
        time_format=None if given is None else str(given),
        timezone=str(options.get("timezone", "UTC")),
    )


def _role_text(role: Role) -> str:
    if not role.columns:
        return "not in the log"
    values = ", ".join(value if len(value) <= SHOWN else f"{value[:SHOWN]}…" for value in role.values) or "no value"
    by_name = "" if role.named else " (by its usual name)"
    return f"{' + '.join(role.columns)}{by_name}: {values} ({role.share:.0%} of the rows)"


def _explained(preset: Preset) -> Iterator[str]:
    yield f"{preset.name}: {preset.title}"
    if preset.command:
        yield f"\n    {preset.command}\n"
    told = (
        ("covers", preset.covers),
        ("not", preset.lacks),
        ("layout", preset.documented),
        ("found by", _marks(preset)),
    )
    yield from (_hanging(f"{label:<8}  ", words) for label, words in told if words)
    for paragraph in filter(None, preset.about.split("\n\n")):
        code = paragraph.startswith("    ")
        yield "\n" + (paragraph if code else fill(" ".join(paragraph.split()), 100))
    yield "\ncolumns (the first that the log has)"
    width = max((len(role) for role in preset.columns), default=0)
    for role, choices in preset.columns.items():
        yield f"    {role:<{width}}  {' | '.join(' + '.join(names) for names in choices) or 'none'}"
    yield from _readings(preset)
    yield "\nEvery option beats the preset; roles that are not named here are found by their usual names."


def _marks(preset: Preset) -> str:
    """What the layout is recognised by, so that --preset is not needed."""
    shown = []
    for mark in preset.recognise:
        marks = [*mark.columns, *mark.fields]
        what = ", ".join(marks) if marks else "the form of its lines"
        shown.append(f"{mark.form}: {what}" if mark.form else what)
    return "; ".join(dict.fromkeys(shown))


def _hanging(label: str, words: str) -> str:
    indent = " " * len(label)
    return fill(
        words, 100, initial_indent=label, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _readings(preset: Preset) -> Iterator[str]:
    """What else the preset says, a line each."""
    layout = preset.layout
    lines = [f"{name} = {value}" for name, value in preset.options.items()]
    if layout.kind != "csv":
        lines.append(f"text files: {layout.kind}" + (f", {len(layout.names)} columns" if layout.names else ""))
    for column, texts in preset.nulls.items():
        lines.append(f"{', '.join(texts)} means null in {'every column' if column == '*' else column}")
    if preset.decode:
        lines.append(f"percent-decoded: {', '.join(preset.decode)}")
    if preset.explode:
        lines.append(f"a row for each element of {', in it of '.join(preset.explode)}; its number is the line's")
    if preset.visitor:
        lines.append(f"{VISITOR} = a digest of {' + '.join(preset.visitor)}")
    if preset.where is not None:
        lines.append(f"only rows where {preset.where}")
    if lines:
        yield "\noptions and readings"
        yield from (f"    {line}" for line in lines)
