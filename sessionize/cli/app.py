"""The application: its commands in help order, and how its help looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from textwrap import shorten
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from sessionize.cli.options import OTHER
from sessionize.version import __version__

COMMANDS: Final = ("run", "check", "state", "schema", "presets")
"""In help order. Each is the function of its name in the module of its name."""

HELP: Final = """Turn an event log into sessions.

Try it:  sessionize run events.csv -o out
"""


class TextsAsTyped:
    """Of a command or a group: texts are taken as they are typed.

    Typer would load Pydantic to make texts of texts, which takes longer than all else before the log is opened.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the parameters from what was typed."""
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            parameter.process_value = partial(_as_typed, parameter)
        return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What the shell may offer on TAB, each with a short line: Typer would break a longer one into several."""
        found: list[Any] = super().shell_complete(ctx, incomplete)  # type: ignore[misc]
        for item in found:
            item.help = item.help and shorten(item.help.split("[")[0].split(". ")[0], 70, placeholder=" …")
        return found


class Commands(TextsAsTyped, TyperGroup):
    """The commands."""


class Command(TextsAsTyped, TyperCommand):
    """Plain help with a heading for each group of options: rich's panels take longer than the whole start."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options, grouped by their panel, in the order of the parameters."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panel = getattr(parameter, "rich_help_panel", None) or OTHER
                groups.setdefault(panel, []).append(record)
        for panel, records in groups.items():
            with formatter.section(panel):
                formatter.write_dl(records)


def _as_typed(parameter: Any, context: Any, value: Any) -> Any:
    """What Typer makes of a value: of a text, or a list of them, the same. All that is not plain is left to it."""
    kind = parameter.type_descriptor.annotation
    if kind is str and isinstance(value, str):
        return value
    if kind == list[str] and isinstance(value, list | tuple) and value:
        return list(value)
    if value is None and not parameter.required:
        return () if kind == list[str] else None
    return type(parameter).process_value(parameter, context, value)


def _show_version(value: bool) -> None:
    if value:
        print(f"sessionize {__version__}")
        raise typer.Exit


def top(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Hold the options of the program itself."""


top.__doc__ = HELP


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The application with the one command that is named, so that no other is loaded; with all of them where none is.

    Args:
        arguments: What was typed behind the program's name.
    """
    named = [name for name in arguments[:1] if name in COMMANDS and not completing()]
    app = typer.Typer(
        cls=Commands,
        help=HELP,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in named or COMMANDS:
        app.command(name, cls=Command, no_args_is_help=name != "presets")(load(name))
    app.callback()(top)
    return app


def completing() -> bool:
    """Whether a shell asks what could be typed, not for work to be done."""
    return "_SESSIONIZE_COMPLETE" in os.environ


def load(name: str) -> Callable[..., None]:
    """The function of a command, from the module of its name."""
    function: Callable[..., None] = getattr(import_module(f"sessionize.cli.{name}"), name)
    return function


def load_all() -> None:
    """Load every command, so that all options are known."""
    for name in COMMANDS:
        load(name)
