"""The one table of options that commands share: name, kind, default, panel, and which commands take it.

A command is its own options and a dozen lines::

    @command(
        flag("init", "Write bounds learnt from this log into --config FILE.", panel="Checking"),
    )
    def check(typed: Typed) -> None:
        ...  # settings.with_file, settings.config, one call of the engine, print

Its parameters are the table's rows that name it, behind its own. Each value is in ``typed`` under the option's name, the
default of an option that the command does not take, too: so what a configuration means is written once (`settings`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import typer

from sessionize.cli.complete import completer
from sessionize.format_names import INPUT_FORMATS
from sessionize.values import dataclass

LOG: Final = "Reading the log"
RULES: Final = "Where a session ends"
MEANING: Final = "What an event means"
PRIVACY: Final = "Privacy"
OUTPUT: Final = "Output"
NIGHTLY: Final = "Nightly batches"
CLUSTER: Final = "On a cluster"
OTHER: Final = "Other"

REQUIRED: Final = inspect.Parameter.empty
"""Default of an option that must be typed."""

Kind = Literal["text", "texts", "flag", "number"]
ANNOTATIONS: Final[dict[Kind, Any]] = {
    "text": str | None,
    "texts": list[str] | None,
    "flag": bool,
    "number": int | None,
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        name: Name of the parameter; the option is this with dashes, unless `flags` says otherwise.
        help: What it does, with its unit and default.
        kind: What it takes: a text, repeatable texts, nothing, or a whole number.
        default: Value where it is not typed.
        panel: Heading in the help.
        metavar: What its value is called in the help.
        flags: How it is typed, where that is another way.
        commands: Commands that take it; empty for those that read a log.
    """

    name: str
    help: str
    kind: Kind = "text"
    default: Any = None
    panel: str = OTHER
    metavar: str | None = None
    flags: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def typed(self) -> tuple[str, ...]:
        """How it is typed."""
        return self.flags or (f"--{self.name.replace('_', '-')}",)

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter that Typer reads."""
        option = typer.Option(
            *self.typed,
            help=self.help,
            rich_help_panel=self.panel,
            metavar=self.metavar,
            show_default=False,
            autocompletion=completer(self.name),
        )
        kind = str if self.default is REQUIRED else ANNOTATIONS[self.kind]
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=self.default, annotation=Annotated[kind, option]
        )


class Typed(dict[str, Any]):
    """What was typed, by name; what was not, has its default.

    Attributes:
        given: Names of what was typed.
        chosen: Names of what was typed or stands in the configuration file or the preset.
        config_file: Path of the configuration file that was found; None without one.
        sections: Its tables that are no options; it is read once, as it may be a pipe.
    """

    given: frozenset[str] = frozenset()
    chosen: frozenset[str] = frozenset()
    config_file: Path | None = None
    sections: Mapping[str, Any] = MappingProxyType({})

    def but(self, **values: Any) -> Typed:
        """The same with some values that were not typed."""
        found = Typed({**self, **values})
        found.given, found.chosen, found.config_file = self.given, self.chosen, self.config_file
        found.sections = self.sections
        return found


def text(name: str, meaning: str, metavar: str, **more: Any) -> Option:
    """An option that takes a text."""
    return Option(name=name, help=meaning, metavar=metavar, **more)


def texts(name: str, meaning: str, metavar: str, **more: Any) -> Option:
    """An option that can be given several times."""
    return Option(name=name, help=meaning, metavar=metavar, kind="texts", **more)


def flag(name: str, meaning: str, **more: Any) -> Option:
    """An option that is there or not."""
    return Option(name=name, help=meaning, kind="flag", default=False, **more)


def number(name: str, meaning: str, metavar: str = "N", **more: Any) -> Option:
    """An option that takes a whole number."""
    return Option(name=name, help=meaning, metavar=metavar, kind="number", **more)


RUN: Final = ("run",)
ANSWERS: Final = ("summary", "show", "funnel", "paths", "timeout", "report")
WHOLE: Final = ("run", "check")
ALL: Final = ("run", "check", "state", *ANSWERS)
ENRICHED: Final = ("run", *ANSWERS)
"""Commands that take what rows tell beside their columns."""
OPTIONS: Final = (
    text("preset", "A known layout, such as ga4, or your own TOML file; sessionize presets lists them; none: no layout. "
         "[default: found by the log's columns or lines]", "NAME|FILE|none", panel=LOG),
    texts("session_id", "Column of the session id; twice: the columns together are the id. [default: found by name]",
          "COL|none", panel=LOG),
    texts("profile_id", "Column of the profile (user) id: the key where the session id is blank. "
          "[default: found by name]", "COL|none", panel=LOG),
    texts("event_id", "Column of the event id; with it, repeated events are dropped. [default: found by name]",
          "COL|none", panel=LOG),
    texts("timestamp", "Column of the time; twice: date, then time of day. [default: found by name]", "COL", panel=LOG),
    text("event_type", "Column of the event type. [default: found by name]", "COL|none", panel=LOG),
    text("page", "Column of the page. [default: found by name]", "COL|none", panel=LOG),
    texts("map", "Column of any other role, such as utm_source=src. Repeatable.", "ROLE=COL", panel=LOG),
    text("where", "Keep only events that match, over the log's own columns (text, in a CSV): the others are cut out of their "
         "sessions, before these are made. Whole sessions: --containing. [default: all]", "SQL", panel=LOG),
    text("input_format", f"{', '.join(INPUT_FORMATS[:-1])} or {INPUT_FORMATS[-1]}. [default: from content, then name]", "FORMAT", panel=LOG),
    text("delimiter", "Separator of a CSV; \\t for a tab, \\x01 or ^A for a control character. "
         "[default: found among , ; tab | ^A]", "CHAR", panel=LOG),
    text("quote", "What is around fields of a CSV, or none. [default: \", or ' where that is plain]", "CHAR", panel=LOG),
    number("skip_lines", "Lines at the start of each text file to leave out. [default: 0]", panel=LOG),
    text("comment", "Leave lines that begin with this out. [default: none]", "PREFIX", panel=LOG),
    text("columns", "Names for a CSV without a header line, or @ and a file whose first line has them. "
         "[default: its own first line]", "A,B,C|@FILE", panel=LOG),
    flag("multiline", "Quoted fields of a CSV may hold line breaks. [default: off: a record is a line]", panel=LOG),
    flag("verify", "Check the page checksums of Parquet files first; only files written with checksums can be checked. "
         "[default: off]", panel=LOG),
    texts("time_format", "How times are written: iso; s, ms, us, ns (since 1970); windows (100 ns since 1601), webkit (us since "
          "1601), dotnet (ticks), apple (s since 2001), excel (days since 1899-12-30); or a strptime pattern (%L: milliseconds); several are tried in their order. [default: found]", "FORMAT", panel=LOG),
    texts("null", "Text that means null, in every column. Repeatable. [default: none]", "TEXT", panel=LOG),
    text("timezone", "Zone of naive times, of weekdays and days. [default: UTC]", "ZONE", default="UTC", panel=LOG),
    text("on_bad_row", "reject: keep bad rows apart and go on; fail: write nothing. [default: reject]",
         "reject|fail", default="reject", panel=LOG),
    text("max_rejected", "Exit 1 if more rows are rejected: a number or a share. [default: no limit; 5% of a night]", "N|P%",
         panel=LOG),
    text("rules", "The rules of another system, such as matomo, or your own TOML file: sessionize compare --explain all "
         "lists them. What is typed beside it beats it. [default: those below]", "NAME|FILE", panel=RULES),
    text("timeout", "Longest silence inside a session, or none. [default: 30m]", "DURATION", default="30m", panel=RULES),
    text("max_duration", "Longest session; 24h is wise where bots are. [default: none]", "DURATION", panel=RULES),
    texts("end_event", "Event type that ends its session. Repeatable. [default: none]", "NAME", panel=RULES),
    texts("start_event", "Event type that starts a session. Repeatable. [default: none]", "NAME", panel=RULES),
    number("max_events", "Most events of a session. [default: none]", panel=RULES),
    texts("split_on", "Column, role or field such as utm_campaign whose change starts a session. Repeatable. "
          "[default: none]", "NAME", panel=RULES),
    texts("split_on_arrival", "The same, but a value starts a session also where it had none; case does not matter. "
          "Repeatable. [default: none]", "NAME", panel=RULES),
    flag("split_at_midnight", "Start a session at midnight in the zone. [default: off]", panel=RULES),
    texts("passive", "Event type that neither starts a session nor extends one; in none, it is rejected. Repeatable. "
          "[default: none]", "NAME", panel=RULES),
    text("active_gap", "Longest part of a silence that counts as time present, in active_s. [default: 5m]", "DURATION",
         default="5m", panel=RULES),
    text("until", "Time up to which the log, or the batch, is complete. [default: its newest event]",
         "TIME", panel=RULES, commands=WHOLE),
    texts("page_view", "Event type that is a page view. Repeatable. [default: page-view, pageview, page, $pageview in "
          "any spelling]", "NAME", panel=MEANING),
    texts("conversion", "Event type that is a conversion. Repeatable. [default: purchase, order-completed, conversion, "
          "checkout-completed in any spelling]", "NAME", panel=MEANING),
    texts("property", "Column carried into the session's properties, by its first value. Repeatable.", "COL", panel=MEANING),
    texts("trait", "Column carried into the session's traits, by its first value. Repeatable.", "COL", panel=MEANING),
    texts("dimension", "Column or reference carried into the metrics: the session's first value. Repeatable. [default: none]",
          "COL|NAME=COL", panel=MEANING),
    texts("metric", "Column of the metrics: SQL over the session's events, such as n=\"count(*) FILTER (WHERE kind = 'x')\". "
          "Repeatable. [default: none]", "NAME=SQL", panel=MEANING),
    texts("goal", "Outcome by name: SQL over a row of the log, such as signup=\"event_type = 'signup'\". Repeatable; with it, "
          "the usual conversions are none. [default: none]", "NAME=SQL", panel=MEANING),
    flag("page_path", "Cut pages to their path: no host, query string or fragment. [default: as they are]",
         panel=MEANING, commands=ENRICHED),
    flag("channels", "Find each session's channel by GA4's rules, where no column has it. [default: off]",
         panel=MEANING, commands=ENRICHED),
    texts("own_host", "Host whose referrers are no source. Repeatable. [default: the hosts of the pages]",
          "HOST", panel=MEANING, commands=ENRICHED),
    flag("exclude_bots", "Leave events of known bots out, by user agent. [default: off]", panel=MEANING),
    text("geo_db", "MaxMind database that says where an address is. [default: none]", "FILE", panel=MEANING, commands=RUN),
    text("hash_ids", "File with a secret key, or env:VARIABLE: hash session, profile and event ids with it. "
         "[default: as they are]", "KEY_FILE", panel=PRIVACY, commands=ENRICHED),
    text("ip", "full; truncate: to /24 and /48; drop. [default: full]", "full|truncate|drop", default="full",
         panel=PRIVACY, commands=ENRICHED),
    text("memory_limit", "Peak memory to stay under, such as 2GB or 512MiB; at least 128MB. [default: 80 % of the machine's]", "SIZE"),
    text("config", "TOML with options by name. [default: sessionize.toml or [tool.sessionize] in pyproject.toml, found "
         "upwards]", "FILE"),
    flag("quiet", "Say only errors and what someone should look at.", flags=("--quiet", "-q")),
    flag("verbose", "Say what each stage took: seconds, rows, MB/s, peak memory.", flags=("--verbose", "-v")),
    flag("no_progress", "Show no progress on a terminal."),
    flag("no_color", "Use no colours."),
    flag("debug", "Show the traceback of an unforeseen error.", commands=ALL),
)  # fmt: skip
"""Shared by commands; what one command alone takes stands beside it."""

_OWN: Final[dict[str, tuple[Option, ...]]] = {}
READS_NO_LOG: Final = ("state", "schema", "presets", "demo", "docs")


def taken_by(name: str) -> tuple[Option, ...]:
    """Options of a command, its own ones first."""
    shared = (row for row in OPTIONS if name in row.commands or (not row.commands and name not in READS_NO_LOG))
    return (*_OWN.get(name, ()), *shared)


def known() -> dict[str, Option]:
    """Options of all commands that were loaded, by name."""
    return {row.name: row for row in (*OPTIONS, *(row for rows in _OWN.values() for row in rows))}


def argument(name: str, meaning: str, metavar: str, kind: Any = str, default: Any = REQUIRED) -> inspect.Parameter:
    """An argument.

    Args:
        name: Name of the parameter.
        meaning: What it may be.
        metavar: What it is called in the help.
        kind: Type of its value.
        default: Value where it is not typed.
    """
    shown = typer.Argument(help=meaning, metavar=metavar, show_default=False, rich_help_panel="Input")
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, shown])


def log_inputs(
    meaning: str = "Log files, directories, globs or URIs of object stores; - for stdin.", *, required: bool = True
) -> inspect.Parameter:
    """The argument INPUT.

    Args:
        meaning: What it may be.
        required: Whether the command cannot do without.
    """
    if required:
        return argument("inputs", meaning, "INPUT", list[str])
    return argument("inputs", meaning, "INPUT...", list[str] | None, None)


Command = Callable[[Typed], None]


def command(*own: Option, arguments: Iterable[inspect.Parameter] = ()) -> Callable[[Command], Callable[..., None]]:
    """Make a function of what was typed into a command that Typer understands.

    Args:
        own: Options of this command alone.
        arguments: Arguments of the command.
    """

    def made(function: Command) -> Callable[..., None]:
        name = function.__name__
        _OWN[name] = own
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [context, *arguments, *(row.parameter for row in taken_by(name))]

        @wraps(function)
        def called(**values: Any) -> None:
            source = values.pop("context").get_parameter_source
            typed = Typed({row.name: row.default for row in OPTIONS} | values)
            typed.given = frozenset(each for each in values if getattr(source(each), "name", "") == "COMMANDLINE")
            function(typed)

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return made
