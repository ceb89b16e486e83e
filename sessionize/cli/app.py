"""The application: its commands in help order, and how its help looks."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cache, partial
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from sessionize.cli.complete import completing
from sessionize.cli.options import OPTIONS, OTHER
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.version import __version__

COMMANDS: Final = (
    "summary", "run", "show", "funnel", "paths", "timeout", "check", "compare", "report", "state", "schema", "presets", "demo", "docs",
)  # fmt: skip
"""In help order. Each is the function of its name in the module of its name."""
SAYS_WHAT_IS_MISSING: Final = ("summary", "show", "funnel", "paths", "timeout", "report", "presets", "demo", "docs")
"""Commands that without a word do something, or say what they lack in place of their whole help."""
OF_EVERY_COMMAND: Final = (
    "-q", "--quiet", "-v", "--verbose", "--no-progress", "--no-color", "--debug", "--json", "--csv",
)  # fmt: skip
"""Options without a value, that people who know other programs put before the command."""
OF_THE_PROGRAM: Final = ("-h", "--help", "-V", "--version", "--install-completion", "--show-completion")

SHORT: Final = "sessionize.short_help"
COMMON: Final = (
    "preset", "session_id", "profile_id", "timestamp", "event_type", "page", "where", "timezone", "timeout", "conversion", "quiet", "until",
)  # fmt: skip
"""Options that short help has of those that commands share."""
RARE: Final = (
    "safe_csv",
    "allowed_lateness",
    "redo",
    "flush",
    "seed",
    "examples",
    "error_on_warning",
    "exit_zero",
    "force",
)
PYTHON_TYPE: Final = pattern(r" <[^>]*>$")
WORD: Final = pattern(r"[A-Z]+")
VALUES: Final = {
    "DURATION": "30m, 45s, 1h30m, 7d; 30 min and PT30M too",
    "SIZE": "2GB (10^9 bytes), 512MiB (2^20)",
    "TIME": "ISO 8601, such as 2024-05-31 or 2024-05-31T06:00Z; without offset in --timezone",
    "COL": "a column's name; a.b inside a struct or JSON, list[key] under a key, 'a ?? b' the first that is not null",
    "SQL": "an expression, such as \"country = 'AT'\"; texts in single quotes",
    "STEP": "an event type; page:/checkout/* (* is any text; a path without ? is one with any query string); or SQL over "
    "the events, as in \"event_type = 'cart' AND value > 100\", which names the log's own columns too",
}
"""What stands in the help for values."""

WORDS: Final = {
    "engaged": "longer than 10 s, or at least 2 page views, or a conversion (as GA4)",
    "bounce": "a session of one event",
    "profile": "who came: a user, a visitor; visitor is what a layout's preset calls it",
    "key": "the session id, else the profile id: events of one key are cut into sessions",
    "median": "half of the sessions have no more than this; with --by that of their lengths",
    "p95": "95 of 100 sessions have no more than this",
    "role": "what a column is for: session_id, timestamp, event_type, page, …",
    "source_id": "the session id that stands in the log; none where the key is a profile",
    "watermark": "the time up to which a log is complete: its newest event",
}
"""What words mean in the summary."""

HELP: Final = """Turn an event log into sessions, and ask it questions.

\b
sessionize events.csv                    what is in a log (the same as summary)
sessionize show events.csv --longest     one session, event by event
sessionize run events.csv -o out         sessions and metrics as files
sessionize demo                          a log to try them on
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

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the parameters from what was typed; whether short help is asked for is kept."""
        ctx.meta[SHORT] = "-h" in args and "--help" not in args
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options, grouped by their panel, in the order of the parameters."""
        groups: dict[str, list[tuple[str, str]]] = {}
        left_out = 0
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if ctx.meta.get(SHORT) and not _is_common(parameter, str(self.name)):
                left_out += 1
                continue
            panel = getattr(parameter, "rich_help_panel", None) or OTHER
            groups.setdefault(panel, []).append((PYTHON_TYPE.sub("", record[0]), record[1]))
        for panel, records in groups.items():
            with formatter.section(panel):
                formatter.write_dl(records)
        if left_out:
            formatter.write_paragraph()
            formatter.write_text(f"--help lists {left_out} more options.")

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Explain what values are made of, once, at the end of the whole help."""
        if ctx.meta.get(SHORT):
            return
        texts = [str(parameter.metavar) for parameter in self.get_params(ctx) if getattr(parameter, "metavar", None)]
        words = {word for text in texts for word in WORD.findall(text)}
        rows = [(name, meaning) for name, meaning in VALUES.items() if name in words]
        if rows:
            with formatter.section("Values"):
                formatter.write_dl(rows)
        if self.name == "summary":
            with formatter.section("Words"):
                formatter.write_dl(list(WORDS.items()))


def _is_common(parameter: Any, command: str) -> bool:
    """Whether short help has it: arguments, a command's own options, and those of all that are needed most."""
    name = parameter.name
    is_own = name not in {row.name for row in OPTIONS} or parameter.param_type_name == "argument"
    return (is_own and name not in RARE) or name in COMMON or (command == "check" and name == "max_rejected")


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
    return _of(tuple(name for name in arguments[:1] if name in COMMANDS and not completing()) or COMMANDS)


@cache
def _of(names: tuple[str, ...]) -> typer.Typer:
    app = typer.Typer(
        cls=Commands,
        help=HELP,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        app.command(name, cls=Command, no_args_is_help=name not in SAYS_WHAT_IS_MISSING)(load(name))
    app.callback()(top)
    return app


def as_meant(arguments: Sequence[str]) -> list[str]:
    """What was typed, with the command that is meant where none is named: a file alone asks for its summary.

    Args:
        arguments: What was typed behind the program's name.

    Raises:
        UsageError: If the first word is no file and nearly the name of a command, or a command stands behind its options.
    """
    words = list(arguments)
    if not words or words[0] in COMMANDS or words[0] in OF_THE_PROGRAM or completing():
        return words
    first = words[0]
    flags = [*takewhile(OF_EVERY_COMMAND.__contains__, words)]
    behind = words[len(flags) :]
    if flags and behind and behind[0] in COMMANDS and not Path(behind[0]).exists():
        raise UsageError(
            f"{flags[0]} stands before the command", hint=f"sessionize {shlex.join([behind[0], *flags, *behind[1:]])}"
        )
    is_word = (
        not first.startswith("-") and first.replace("_", "").replace("-", "").isalnum() and not Path(first).exists()
    )
    if is_word and (near := get_close_matches(first.lower(), COMMANDS, n=1, cutoff=0.6)):
        raise UsageError(f"no such command or file: {first!r}", hint=f"did you mean {near[0]}?")
    return ["summary", *words]


def load(name: str) -> Callable[..., None]:
    """The function of a command, from the module of its name."""
    function: Callable[..., None] = getattr(import_module(f"sessionize.cli.{name}"), name)
    return function


def load_all() -> None:
    """Load every command, so that all options are known."""
    for name in COMMANDS:
        load(name)
