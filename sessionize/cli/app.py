"""The application: its commands in help order, and how its help looks."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from sessionize.cli.check import check
from sessionize.cli.options import OTHER
from sessionize.cli.presets import presets
from sessionize.cli.run import run
from sessionize.cli.schema import schema
from sessionize.cli.state import state
from sessionize.version import __version__

HELP: Final = """Turn an event log into sessions.

Try it:  sessionize run events.csv -o out
"""


class GroupedHelp(TyperCommand):
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


app: Final = typer.Typer(
    help=HELP,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, check, state, schema, presets):
    app.command(cls=GroupedHelp, no_args_is_help=command is not presets)(command)


def _show_version(value: bool) -> None:
    if value:
        print(f"sessionize {__version__}")
        raise typer.Exit


@app.callback()
def top(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Hold the options of the program itself."""


top.__doc__ = HELP
