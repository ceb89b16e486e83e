"""`sessionize presets`: the log layouts that are known, and what each maps."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import Annotated

import typer

from sessionize.preset import VISITOR, Preset
from sessionize.presets import load, names


def presets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="Which one to explain.")] = None,
) -> None:
    """List the known log layouts, or explain one: what it maps, its traps, the command to run.

    sessionize presets ga4
    """
    if name is None:
        known = names()
        width = max(map(len, known))
        for each in known:
            print(f"{each:<{width}}  {load(each).title}")
        return
    print("\n".join(_explained(load(name))))


def _explained(preset: Preset) -> Iterator[str]:
    yield f"{preset.name}: {preset.title}"
    if preset.command:
        yield f"\n    {preset.command}"
    for paragraph in filter(None, preset.about.split("\n\n")):
        code = paragraph.startswith("    ")
        yield "\n" + (paragraph if code else fill(" ".join(paragraph.split()), 100))
    yield "\ncolumns (the first that the log has)"
    width = max((len(role) for role in preset.columns), default=0)
    for role, choices in preset.columns.items():
        yield f"    {role:<{width}}  {' | '.join(' + '.join(names) for names in choices) or 'none'}"
    yield from _readings(preset)
    yield "\nEvery option beats the preset; roles that are not named here are found by their usual names."


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
    if preset.visitor:
        lines.append(f"{VISITOR} = a digest of {' + '.join(preset.visitor)}")
    if preset.where is not None:
        lines.append(f"only rows where {preset.where}")
    if lines:
        yield "\noptions and readings"
        yield from (f"    {line}" for line in lines)
