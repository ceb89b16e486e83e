"""`sessionize check`: whether a log can be trusted, and why."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sessionize.cli import options as o
from sessionize.cli import settings, view
from sessionize.errors import ChecksFailed, OutputError, UsageError

if TYPE_CHECKING:
    from sessionize.checks import Checked, Settings

CHECKING: Final = "Checking"
ELSEWHERE: Final = (
    "output", "format", "events", "no_sessions", "json", "safe_csv", "page_path", "channels", "own_host", "geo_db",
    "hash_ids", "ip", "state", "batch", "allowed_lateness", "redo", "flush",
)  # fmt: skip
"""Options of `run` that a shared configuration file may hold."""
NAMES: Final = ("full", "concise", "json", "junit", "sarif", "github", "gitlab", "markdown")


def _option(help_text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=CHECKING, metavar=metavar, show_default=False)


Inputs = Annotated[list[str], typer.Argument(
    help="Log files, directories or globs; - for stdin; or the output directory of an earlier run.",
    metavar="INPUT", show_default=False, rich_help_panel="Input")]  # fmt: skip
OutputFormat = Annotated[str, _option(
    f"{', '.join(NAMES)}. [default: full]", "--output-format", metavar="FORMAT")]  # fmt: skip
OutputFile = Annotated[str | None, _option("Write the findings into a file. [default: stdout]", "--output-file",
                                           metavar="FILE")]  # fmt: skip
Baseline = Annotated[str | None, _option(
    "Compare with an earlier run's output directory, or a file of --output-format json. [default: none]",
    "--baseline", metavar="RUN|FILE")]  # fmt: skip
MaxChange = Annotated[str | None, _option(
    "Largest change of a figure from the baseline; a warning from 20 % on. [default: 50%]",
    "--max-change", metavar="P%")]  # fmt: skip
Examples = Annotated[int | None, _option("Examples of what was found, of each check. [default: 5]", "--examples",
                                         metavar="N")]  # fmt: skip
ErrorOnWarning = Annotated[bool, _option("Exit 1 on a warning too.", "--error-on-warning")]
ExitZero = Annotated[bool, _option("Exit 0 though a check failed.", "--exit-zero")]
Init = Annotated[bool, _option(
    "Write bounds learnt from this log into --config FILE. [default: sessionize.toml]", "--init")]  # fmt: skip
Force = Annotated[bool, _option("Let --init change a file that is there.", "--force")]
Json = Annotated[bool, _option("Short for --output-format json.", "--json")]


def check(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    inputs: Inputs,
    output_format: OutputFormat = "full",
    output_file: OutputFile = None,
    baseline: Baseline = None,
    max_change: MaxChange = None,
    examples: Examples = None,
    error_on_warning: ErrorOnWarning = False,
    exit_zero: ExitZero = False,
    init: Init = False,
    force: Force = False,
    json: Json = False,
    preset: o.Preset = None,
    session_id: o.SessionId = None,
    profile_id: o.ProfileId = None,
    event_id: o.EventId = None,
    timestamp: o.Timestamp = None,
    event_type: o.EventType = None,
    page: o.Page = None,
    map: o.Map = None,  # noqa: A002 - named for its option
    where: o.Where = None,
    input_format: o.InputFormat = None,
    delimiter: o.Delimiter = None,
    columns: o.CsvColumns = None,
    multiline: o.Multiline = False,
    verify: o.Verify = False,
    time_format: o.TimeFormat = None,
    timezone: o.Timezone = "UTC",
    on_bad_row: o.OnBadRow = "reject",
    max_rejected: o.MaxRejected = None,
    timeout: o.Timeout = "30m",
    max_duration: o.MaxDuration = None,
    end_event: o.EndEvent = None,
    start_event: o.StartEvent = None,
    split_on: o.SplitOn = None,
    split_at_midnight: o.SplitAtMidnight = False,
    until: o.Until = None,
    page_view: o.PageView = None,
    conversion: o.Conversion = None,
    property: o.Property = None,  # noqa: A002 - named for its option
    trait: o.Trait = None,
    exclude_bots: o.ExcludeBots = False,
    memory_limit: o.MemoryLimit = None,
    config: o.ConfigFile = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:
    """Say whether a log can be trusted; exit 1 when a check fails.

    \b
    sessionize check events.csv
    sessionize check events.csv --init
    sessionize check 'logs/*.parquet' --output-format github
    sessionize check out --baseline last-week
    """
    if init:
        _init(context)
        return
    typed = settings.with_file(dict(context.params), context, ELSEWHERE)
    _check(typed, _asked(typed, settings.section(typed, "check")))


def _check(typed: dict[str, Any], asked: Settings) -> None:
    name = settings.one_of("json" if typed["json"] else typed["output_format"], NAMES, "--output-format")
    checked = _checked(typed, asked)
    _print(checked, name, typed)
    failed, warned = checked.of("failed"), checked.of("warned")
    bad = (*failed, *(warned if asked.error_on_warning else ()))
    if bad and not typed["exit_zero"]:
        names = ", ".join(finding.check for finding in bad)
        raise ChecksFailed(f"{len(bad)} of {len(checked.findings)} checks failed: {names}")


def _checked(typed: dict[str, Any], asked: Settings) -> Checked:
    from sessionize.checks import check as job

    with view.progress(typed) as progress:
        return job(settings.config(typed), asked, progress)


def _asked(typed: dict[str, Any], section: dict[str, Any]) -> Settings:
    """What the configuration asks for, and what was typed."""
    from sessionize.checks import OPTIONS, change_bound, only_so_many, settings_of, with_most_rejected

    asked = settings_of(section, OPTIONS)
    if typed["baseline"] is not None:
        asked = replace(asked, baseline=typed["baseline"])
    if typed["max_change"] is not None:
        asked = replace(asked, max_change=change_bound(typed["max_change"], "--max-change"))
    if typed["examples"] is not None:
        asked = replace(asked, examples=only_so_many(int(typed["examples"]), "--examples"))
    if typed["error_on_warning"]:
        asked = replace(asked, error_on_warning=True)
    most = "0" if typed["on_bad_row"] == "fail" else typed["max_rejected"]
    return asked if most is None else with_most_rejected(asked, most)


def _print(checked: Checked, name: str, typed: dict[str, Any]) -> None:
    from sessionize.checks.formats import FORMATS

    if typed["quiet"] and name == "full":
        name = "concise" if any(finding.is_bad for finding in checked.findings) else ""
    text = FORMATS[name](checked) if name else ""
    if typed["output_file"] is None:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
        return
    _write(Path(typed["output_file"]), text)
    if not typed["quiet"]:
        print(f"{checked.summary}; written to {view.plain(typed['output_file'])}", file=sys.stderr)


def _write(path: Path, text: str) -> None:
    """Put a file in its place whole, or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with draft.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def _init(context: typer.Context) -> None:
    """Write a configuration with bounds learnt from the log."""
    from sessionize.checks import Settings
    from sessionize.checks.init import learnt, merged

    path = Path(context.params["config"] or settings.FILE_NAMES[0])
    there = path.exists()
    if there and not context.params["force"]:
        raise UsageError(f"{path} is there already", hint="--force replaces the checks in it, and keeps the rest")
    if path.name == "pyproject.toml":
        raise UsageError("--init writes no pyproject.toml", hint="leave --config out, or name a sessionize.toml")
    params = dict(context.params) if there else {**context.params, "config": os.devnull}
    typed = settings.with_file(params, context, ELSEWHERE)
    checked = _checked(typed, Settings())
    options = "" if there else settings.as_toml(_typed_of_log(context))
    text = merged(path.read_text(encoding="utf-8") if there else options, learnt(checked))
    settings.prove(text, path)
    _write(path, text)
    if not typed["quiet"]:
        print(f"wrote {path}: bounds learnt from {checked.counts['rows_read']:,} rows", file=sys.stderr)


def _typed_of_log(context: typer.Context) -> dict[str, Any]:
    """What was typed of the log and its sessions: the configuration is for these."""
    own = (
        "inputs", "output_format", "output_file", "baseline", "max_change", "examples", "error_on_warning", "exit_zero",
        "init", "force", "json", "config", "quiet", "verbose", "no_progress", "no_color", "debug", "memory_limit",
        "until", "on_bad_row", "max_rejected",
    )  # fmt: skip
    return {
        name: value
        for name, value in context.params.items()
        if name not in own and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }
