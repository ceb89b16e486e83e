"""`sessionize check`: whether a log can be trusted, and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import options as o
from sessionize.cli import settings, view
from sessionize.cli.answering import without_writing
from sessionize.cli.config_files import FILE_NAMES, PYPROJECT
from sessionize.cli.judging import check_settings
from sessionize.cli.reports import NAMES, Report, not_checked, reports, write, written
from sessionize.errors import ChecksFailed, InputError, UsageError
from sessionize.locations import local_path, location
from sessionize.os_errors import STDOUT, writing

if TYPE_CHECKING:
    from sessionize.checks import Checked, Settings
    from sessionize.output.one_file import OneFile

CHECKING: Final = "Checking"


@o.command(
    o.text("output_format", f"{', '.join(NAMES)}. [default: full]", "FORMAT", default="full", panel=CHECKING),
    o.texts("report", "Write the findings in a format into a file, too: junit=checks.xml. Repeatable.", "FORMAT=FILE",
            panel=CHECKING),
    o.text("output_file", "Write the findings into a file. [default: stdout]", "FILE", panel=CHECKING),
    o.text("baseline", "Compare with nights: 'out/batch=*'; or with one run's output directory, or a file of "
           "--output-format json. [default: none]", "RUN|FILE|GLOB", panel=CHECKING),
    o.text("max_change", "Largest change of a figure from a baseline of one run; a warning from 20 % on. [default: 50%]", "P%",
           panel=CHECKING),
    o.number("examples", "Examples of what was found, of each check. [default: 5]", panel=CHECKING),
    o.flag("error_on_warning", "Exit 1 on a warning too.", panel=CHECKING),
    o.flag("exit_zero", "Exit 0 though a check failed.", panel=CHECKING),
    o.flag("init", "Write bounds learnt from this log into --config FILE. [default: sessionize.toml]", panel=CHECKING),
    o.flag("force", "Let --init change a file that is there.", panel=CHECKING),
    o.flag("json", "Short for --output-format json.", panel=CHECKING),
    arguments=[
        o.log_inputs("Log files, directories or globs; - for stdin; or outputs of earlier runs: out, 'out/batch=*'.")
    ],
)  # fmt: skip
def check(typed: o.Typed) -> None:
    """Say whether a log can be trusted; exit 1 when a check fails.

    \b
    sessionize check events.csv
    sessionize check events.csv --init
    sessionize check 'logs/*.parquet' --output-format github
    sessionize check out --baseline last-week --report junit=checks.xml
    """
    from sessionize.checks.settings import standing_in

    if typed["init"]:
        _init(typed)
        return
    if "force" in typed.given:
        raise UsageError("--force says what --init may do", hint="--init --force, or leave --force out")
    typed = settings.with_file(typed)
    with standing_in(typed.config_file):
        _check(typed, settings_of(typed, settings.section(typed, "check")))


def _check(typed: o.Typed, wanted: Settings) -> None:
    name = settings.one_of("json" if typed["json"] else typed["output_format"], NAMES, "--output-format")
    read = _read(typed, *_files(wanted.baseline))
    files, file = reports(typed, read), _output_file(typed, read)
    try:
        checked = _checked(typed, wanted)
    except InputError as error:
        write([*files, *([Report(name, file)] if file else [])], not_checked(error, typed["inputs"]))
        raise
    write(files, checked)
    _print(checked, name, file, typed)
    failed, warned = checked.of("failed"), checked.of("warned")
    bad = (*failed, *(warned if wanted.error_on_warning else ()))
    if bad and not typed["exit_zero"]:
        names = ", ".join(finding.check for finding in bad)
        raise ChecksFailed(f"{len(bad)} of {len(checked.findings)} checks failed: {names}")


def _checked(typed: o.Typed, wanted: Settings) -> Checked:
    from sessionize.checks import check as job

    with view.progress(typed) as progress:
        checked = without_writing(job, settings.config(typed), wanted, progress)
    view.notes(checked.notes, color=not typed["no_color"])
    return checked


def settings_of(typed: o.Typed, section: dict[str, Any]) -> Settings:
    """What the configuration asks for, and what was typed."""
    from sessionize.checks import with_most_rejected

    found = check_settings(typed, section)
    most = "0" if typed["on_bad_row"] == "fail" else typed["max_rejected"]
    return found if most is None else with_most_rejected(found, most)


def _files(baseline: str | None) -> list[str]:
    """What is read of a baseline: of one that is a glob what it matches."""
    from sessionize.stores import matches

    if baseline is None:
        return []
    baseline = location(baseline, "--baseline", is_input=True)
    return list(map(str, matches(baseline))) or [baseline]


def _output_file(typed: o.Typed, read: dict[tuple[int, int], str]) -> OneFile | None:
    """Where the findings go, None for stdout; refused before anything is read if it is not ours to write."""
    from sessionize.checks.formats.recognise import is_findings
    from sessionize.output.one_file import OneFile
    from sessionize.output.ownership import refuse_stdout

    if typed["output_file"] in {None, "-"}:
        refuse_stdout(read)
        return None
    return OneFile(typed["output_file"], "--output-file", read, is_findings)


def _read(typed: o.Typed, *more: str) -> dict[tuple[int, int], str]:
    """What is read, by device and inode."""
    from sessionize.read.files import identities

    config = settings.config(typed)
    return identities([*config.inputs, *more, *([typed["config"]] if typed["config"] else [])], config)


def _print(checked: Checked, name: str, file: OneFile | None, typed: o.Typed) -> None:
    from sessionize.cli.screens.run import decided, layout_text

    if typed["quiet"] and name == "full":
        name = "concise" if any(finding.is_bad for finding in checked.findings) else ""
    if checked.layout is not None and not typed["quiet"]:
        view.say("layout", layout_text(checked.layout), color=not typed["no_color"])
    text = written(checked, name) if name else ""
    if name == "full":
        text = decided(typed.config_file, checked.rules) + text
    content = text.encode("utf-8", "backslashreplace")
    if file is None:
        with writing(STDOUT):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        return
    file.write(content)
    if not typed["quiet"]:
        print(f"{checked.summary}; written to {view.plain(typed['output_file'])}", file=sys.stderr)


def _init(typed_alone: o.Typed) -> None:
    """Write a configuration with bounds learnt from the log."""
    from sessionize.checks import Settings, each_day
    from sessionize.checks.day_settings import Days
    from sessionize.checks.init import failing, followed, learnt, merged
    from sessionize.checks.settings import standing_in
    from sessionize.output.one_file import OneFile

    path, there = _where(typed_alone)
    typed = settings.with_file(typed_alone if there else typed_alone.but(config=os.devnull))
    file = OneFile(str(path), "--config", _read(typed.but(config=None)), lambda _: there)
    with standing_in(typed.config_file):
        known = settings_of(typed, settings.section(typed, "check")).days.dimensions
        wanted = Settings(days=Days(dimensions=known, learning=not known))
        checked = _checked(typed, wanted)
    if not checked.counts["events"]:
        raise UsageError(
            f"there are no events in {' '.join(checked.inputs)} to learn bounds from; nothing was written",
            hint="name a log of usual days",
        )
    days = each_day(settings.config(typed), checked, wanted)
    options = "" if there else settings.as_toml(_of_log(typed_alone))
    text = merged(
        path.read_text(encoding="utf-8") if there else options, learnt(checked, days, known or followed(checked))
    )
    settings.prove(text, path)
    file.write(text.encode("utf-8", "backslashreplace"))
    broken = failing(checked, days)
    if broken:
        told = f"this log fails by the default bounds, which are kept there: {', '.join(broken)}"
        view.notes([told], color=not typed["no_color"])
    if not typed["quiet"]:
        print(f"wrote {path}: bounds learnt from {checked.counts['rows_read']:,} rows", file=sys.stderr)


def _where(typed: o.Typed) -> tuple[Path, bool]:
    """The file that --init writes, and whether it is there already.

    Raises:
        UsageError: If it is not one to be written.
    """
    path = Path(local_path(typed["config"] or FILE_NAMES[0], "--config"))
    there = path.exists()
    if path.name == PYPROJECT:
        raise UsageError("--init writes no pyproject.toml", hint="leave --config out, or name a sessionize.toml")
    if there and not typed["force"]:
        raise UsageError(f"{path} is there already", hint="--force replaces the checks in it, and keeps the rest")
    hidden = None if there or typed["config"] else settings.with_file(typed).config_file
    if hidden is not None and hidden.name == PYPROJECT:
        raise UsageError(
            f"the rules here are those of {hidden}, which a {path} would hide",
            hint=f"move its [tool.sessionize] into a {path}, without that header; then --init --force adds the checks",
        )
    return path, there


def _of_log(typed: o.Typed) -> dict[str, Any]:
    """What was typed of the log and its sessions: the configuration is for these."""
    about = (o.LOG, o.RULES, o.MEANING)
    passing = ("until", "on_bad_row", "max_rejected")
    return {
        row.name: typed[row.name]
        for row in o.OPTIONS
        if row.name in typed.given and row.panel in about and row.name not in passing
    }
