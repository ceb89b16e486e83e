"""Keywords of the Python call: the command line's options, in text or in Python's types, as what would have been typed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final, Literal, TypedDict, TypeVar

from sessionize.cli import options as o
from sessionize.cli import settings
from sessionize.cli.meant import meant
from sessionize.config import Config, Rules
from sessionize.errors import UsageError
from sessionize.format_names import InputFormat
from sessionize.output.as_made import with_fields_as_typed
from sessionize.python.data import Given
from sessionize.python.values import Duration, Moment, Path, Texts, as_typed, file_name
from sessionize.python.words import in_python, name_of
from sessionize.read.frame import CALLED

Call = TypeVar("Call", bound=Callable[..., Any])

PANELS: Final = (o.LOG, o.RULES, o.MEANING, o.PRIVACY)
BESIDE: Final = ("memory_limit",)
"""Options under other headings that mean something to a call."""
FLAGS: Final = frozenset(
    {row.name.replace("_", "-") for row in o.OPTIONS if row.kind == "flag"}
    | {"error-on-warning", "strict", "repeats", "no-fold"}
)
"""Options that take no value, with those of commands of their own."""

OF_CALLS: Final = {
    ("compare", "as"): "as_", ("compare", "definition"): "as_", ("compare", "definitions"): "as_", ("paths", "from"): "from_",
}  # fmt: skip
"""Call and what a keyword of its own may be taken to be called → what it is called."""


class LogOptions(TypedDict, total=False):
    """Keywords of every call that reads a log; ``help(sessionize.sessionize)`` says what each means."""

    preset: Path | None
    session_id: Texts | None
    profile_id: Texts | None
    event_id: Texts | None
    timestamp: Texts | None
    event_type: str | None
    page: str | None
    map: Mapping[str, Texts] | Texts | None
    where: str | None
    input_format: InputFormat | None
    delimiter: str | None
    quote: str | None
    skip_lines: int
    comment: str | None
    columns: Texts | None
    multiline: bool
    verify: bool
    time_format: Texts | None
    null: Texts | None
    timezone: str | tzinfo
    on_bad_row: Literal["reject", "fail"]
    max_rejected: str | int | None
    rules: Path | Rules | None
    timeout: Duration | None
    max_duration: Duration | None
    end_event: Texts | None
    start_event: Texts | None
    max_events: int | None
    split_on: Texts | None
    split_on_arrival: Texts | None
    split_at_midnight: bool
    passive: Texts | None
    active_gap: Duration
    page_view: Texts | None
    conversion: Texts | None
    property: Texts | None
    trait: Texts | None
    dimension: Mapping[str, str] | Texts | None
    metric: Mapping[str, str] | Texts | None
    goal: Mapping[str, str] | Texts | None
    exclude_bots: bool
    memory_limit: str | int | None


class EnrichedOptions(LogOptions, total=False):
    """These, and what rows tell beside their columns."""

    page_path: bool
    channels: bool
    own_host: Texts | None
    hash_ids: Path | bytes | None
    ip: Literal["full", "truncate", "drop"]


class RunOptions(EnrichedOptions, total=False):
    """Keywords of `sessionize.sessionize`."""

    until: Moment | None
    geo_db: Path | None


class CheckOptions(LogOptions, total=False):
    """Keywords of `sessionize.check`."""

    until: Moment | None


KEYWORDS: Final = {"run": RunOptions, "check": CheckOptions, "compare": LogOptions}
"""The keywords of a command's call; of the others, ToldOptions."""


def keywords_of(command: str) -> dict[str, o.Option]:
    """The options of a command that its call takes as keywords, by keyword."""
    rows = [row for row in o.OPTIONS if row.panel in PANELS or row.name in BESIDE]
    return {name_of(row.name): row for row in rows if not row.commands or command in row.commands}


def documented(command: str) -> Callable[[Call], Call]:
    """Give a call the signature and the documentation of its keywords, from the table of options.

    Args:
        command: Name of the command that it stands for.
    """

    def made(function: Call) -> Call:
        rows = keywords_of(command)
        hints = KEYWORDS.get(command, EnrichedOptions).__annotations__
        there = inspect.signature(function)
        own = [each for each in there.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=row.default, annotation=_hint(hints[name]))
            for name, row in rows.items()
        ]
        function.__signature__ = there.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        words = "\n".join(f"    {name}: {in_python(row.help, FLAGS)}" for name, row in rows.items())
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nKeywords, as on the command line:\n{words}\n"
        return function

    return made


def _hint(annotation: Any) -> Any:
    return getattr(annotation, "__forward_arg__", annotation)


class Request:
    """What was asked of a call.

    Args:
        data: The log.
        command: Name of the command that the call stands for.
        config: A Config, whose inputs are not used, or a TOML file of options; None for neither.
        keywords: Options by keyword.
        own: Options of the command alone, by the names of their rows, as they would have been typed.

    Attributes:
        typed: What would have been typed.
        config: What it means; the data is in it.
    """

    def __init__(
        self, data: object, command: str, config: Config | Path | None, keywords: Mapping[str, Any], **own: Any
    ) -> None:
        given = Given(data)
        rows = keywords_of(command)
        _refuse_unknown(command, keywords, [*rows, "config", *map(name_of, own)], rows)
        if isinstance(config, Config) and keywords:
            raise UsageError(
                f"a Config and keywords ({', '.join(keywords)}) cannot both say what is asked",
                hint="dataclasses.replace(config, …) changes a Config",
            )
        plain = config if isinstance(config, Config) else None
        values = {rows[name].name: as_typed(rows[name], value) for name, value in keywords.items()}
        values = {name: value for name, value in values.items() if value is not None}
        typed = o.Typed({row.name: row.default for row in o.OPTIONS} | {"inputs": list(given.inputs)} | own | values)
        typed.given = frozenset(values)
        typed["config"] = None if isinstance(config, Config) else file_name(config)
        self.typed = settings.with_file(typed, search=False)
        if plain is None:
            # Until when a log is complete and until when sessions count have one name.
            about_log = self.typed.but(until=None) if command in o.ANSWERS else self.typed
            about = _with_types(settings.config(about_log), keywords)
        else:
            about = with_fields_as_typed(plain)
            self.typed["timezone"] = plain.timezone
        inputs = given.inputs or (CALLED,)
        self.config = replace(about, inputs=inputs, frame=given.frame)


def _refuse_unknown(
    command: str, keywords: Mapping[str, Any], near_ones: Sequence[str], rows: Mapping[str, o.Option]
) -> None:
    for name in keywords:
        if name not in rows:
            call = "sessionize" if command == "run" else command
            if (own := OF_CALLS.get((call, name))) is not None:
                raise UsageError(f"{call}() takes no keyword {name!r}", hint=f"did you mean {own}?")
            found = meant(name, near_ones, keywords[name])
            raise UsageError(
                f"{call}() takes no keyword {name!r}",
                hint=f"did you mean {found.typed}?" if found else f"it takes {', '.join(rows)}",
            )


def _field_of_rule(keyword: str) -> str:
    """The field of `Rules` that a keyword gives, if it gives one: of what can be given several times the plural."""
    return f"{keyword}s" if keyword in ("end_event", "start_event") else keyword


def _with_types(config: Config, keywords: Mapping[str, Any]) -> Config:
    """The configuration with what has no text, such as a key in memory."""
    if isinstance(key := keywords.get("hash_ids"), bytes):
        if len(key) < 16:
            raise UsageError("hash_ids is no key of at least 16 bytes", hint="secrets.token_bytes(32) makes one")
        config = replace(config, hash_key=key)
    if isinstance(rules := keywords.get("rules"), Rules):
        beside = {name: getattr(config.rules, name) for name in map(_field_of_rule, keywords) if hasattr(rules, name)}
        config = replace(config, rules=replace(rules, **beside), typed=config.typed | {"rules"})
    if (names := keywords.get("columns")) is not None and not isinstance(names, str):
        config = replace(config, csv_columns=tuple(names))
    return config
