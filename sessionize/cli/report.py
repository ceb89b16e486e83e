"""`sessionize report`: one page about a log, to be sent."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import settings, view
from sessionize.errors import UsageError
from sessionize.os_errors import STDOUT, writing

if TYPE_CHECKING:
    from sessionize.answers import Answer
    from sessionize.output.one_file import OneFile

REPORT: Final = "The report"
FORMS: Final = ("html", "markdown")
ENDINGS: Final = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html"}
OTHERS: Final = frozenset(
    {".csv", ".docx", ".json", ".ndjson", ".parquet", ".pdf", ".png", ".pptx", ".svg", ".txt", ".xlsx"}
)
"""Endings of files that no report is."""
SECTIONS: Final = (
    "totals", "time", "hours", "lengths", "depth", "silences", "pages", "channels", "groups", "conversions", "funnel",
    "paths", "quality",
)  # fmt: skip


@o.command(
    o.text("output", "File to write; - for stdout. [default: stdout, as markdown]", "FILE", panel=REPORT,
           flags=("--output", "-o")),
    o.text("report_format", "html: one page; markdown: for a comment. [default: by the file's name]", "FORMAT",
           panel=REPORT, flags=("--format",)),
    o.text("title", "Its heading. [default: the log's name]", "TEXT", panel=REPORT),
    o.texts("sections", f"Only these, comma-separated: {', '.join(SECTIONS)}. [default: all that can be told]", "NAME",
            panel=REPORT),
    o.texts("step", "Step of its funnel: an event type, page:PATTERN (* is any text), or SQL over the events. Repeatable, "
            "in order. [default: no funnel]", "STEP", panel=REPORT),
    a.BY,
    a.COMPARE,
    *a.SELECTING,
    arguments=[o.log_inputs(a.LOG_OR_RUN)],
)  # fmt: skip
def report(typed: o.Typed) -> None:
    """Write one page about a log: figures, charts and tables, without scripts, to be sent or kept.

    \b
    sessionize report events.csv -o report.html
    sessionize report events.csv -o report.html --step page:/ --step purchase --by utm_source
    sessionize report this-month.csv --compare last-month.csv -o report.html --title "May"
    sessionize report out --format markdown --sections totals,quality
    """
    from sessionize.answers import ReportAsk
    from sessionize.answers import report as job

    typed = settings.with_file(typed)
    form = _form(typed)
    ask = ReportAsk(
        selection=a.selection(typed),
        by=typed["by"],
        compare=typed["compare"],
        steps=tuple(typed["step"] or ()),
        sections=_sections(typed["sections"]),
    )
    file = _file(typed)
    config = settings.config(typed.but(until=None))
    with view.progress(typed) as progress:
        found = a.without_writing(job, config, ask, progress)
    _write(_written(found, form, typed), file, typed)
    _say(found.facts, typed)
    a.check_rejected(found.facts, typed)


def _say(facts: Mapping[str, Any], typed: o.Typed) -> None:
    """What someone should look at: rejected rows, files that were not read, names that never occur."""
    color, quiet, account = not typed["no_color"], bool(typed["quiet"]), facts["account"]
    view.passed_over(account, quiet=quiet, color=color)
    view.rejected(account["counts"], quiet=quiet, color=color)
    view.notes(facts["absent"], color=color)


def _form(typed: o.Typed) -> str:
    """The format that was named, else that of the file's name; a page is not for a terminal."""
    output = typed["output"]
    to_stdout = output in {None, "-"}
    form = settings.one_of(typed["report_format"], FORMS, "--format")
    if form is None:
        ending = "" if to_stdout else Path(output).suffix.lower()
        if ending in OTHERS:
            raise UsageError(
                f"-o {output}: a report is a page of HTML, or Markdown",
                hint=f"-o {shlex.quote(str(Path(output).with_suffix('.html')))}, which a browser prints as PDF too",
            )
        form = ENDINGS.get(ending, "markdown" if to_stdout else "html")
    if form == "html" and to_stdout and sys.stdout.isatty():
        raise UsageError("a page is not for a terminal", hint="name a file: -o report.html")
    return str(form)


def _sections(given: list[str] | None) -> tuple[str, ...]:
    names = [name.strip() for text in given or () for name in text.split(",") if name.strip()]
    if given and not names:
        raise UsageError("--sections is empty", hint="for example --sections totals,paths")
    return tuple(settings.one_of(name, SECTIONS, "--sections") for name in names)


def _file(typed: o.Typed) -> OneFile | None:
    """Where the report goes, None for stdout; refused before anything is read if it is not ours to write."""
    from sessionize.output.one_file import OneFile
    from sessionize.output.ownership import refuse_stdout
    from sessionize.read.files import identities
    from sessionize.report import is_report

    config = settings.config(typed.but(until=None))
    other = [] if typed["compare"] in {None, "week"} else [typed["compare"]]
    read = identities([*config.inputs, *other, *([str(typed.config_file)] if typed.config_file else [])], config)
    if typed["output"] in {None, "-"}:
        refuse_stdout(read)
        return None
    if not typed["output"]:
        raise UsageError("--output is empty", hint="for example -o report.html")
    return OneFile(typed["output"], "-o", read, is_report)


def _written(found: Answer, form: str, typed: o.Typed) -> bytes:
    from sessionize.report import as_html, as_markdown, report_of

    made = report_of(found, typed["title"])
    return (as_html(made) if form == "html" else as_markdown(made)).encode("utf-8", "backslashreplace")


def _write(content: bytes, file: OneFile | None, typed: o.Typed) -> None:
    if file is None:
        with writing(STDOUT):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        return
    file.write(content)
    if not typed["quiet"]:
        size = view.bytes_text(len(content))
        view.say("wrote", f"{view.plain(typed['output'])} ({size})", color=not typed["no_color"])
