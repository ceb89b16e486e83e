"""`sessionize compare`: one log by the definitions of other systems."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

from sessionize import definitions
from sessionize.cli import options as o
from sessionize.cli import rules, settings, view
from sessionize.cli.answering import check_rejected, refuse_input_as_stdout, without_writing
from sessionize.config import TABLE_FORMATS
from sessionize.definitions import Definition
from sessionize.errors import UsageError
from sessionize.locations import location
from sessionize.stores import path_of

if TYPE_CHECKING:
    from sessionize.compare import Candidate, Compared, Row

COMPARING: Final = "Comparing"
OURS: Final = "ours"
SOURCE: Final = "source-id"
FATES: Final = ("equal", "split", "merged", "moved")
MEASURES: Final = {
    "complete_reconstruction": "whole", "identical_recall": "recall", "identical_precision": "precision",
    "boundary_f1": "boundary f1", "adjusted_rand": "adjusted rand",
}  # fmt: skip
"""Measures against the log's own ids, and their headings."""
SPARE: Final = ("profiles", "duration_s_mean", "conversion_rate", "duration_s_median", "boundary_f1")
"""Columns that are left out where there is no room, the first one first."""
FATES_MEAN: Final = (
    "what became of the sessions of {first}: equal, the same events; split into several; merged with others into one; moved, "
    "cut in other places"
)
MEASURES_MEAN: Final = (
    "whole: sessions of the log's own that lie in one of these; recall, precision: the same events, of its own and of these; "
    "boundary f1: starts in the same places; adjusted rand: pairs of events together as there"
)
COLUMNS: Final = {
    "sessions": "sessions", "difference": "difference", "profiles": "profiles", "duration_s_mean": "mean",
    "duration_s_median": "median", "bounce_rate": "bounce", "conversion_rate": "converted", **{name: name for name in FATES},
}  # fmt: skip
"""Figures of the table on the screen, and their headings."""
BOUNCE_MEANS: Final = (
    "bounce: by each system's own words, - where it has none; --explain NAME tells them. A run, summary or report with "
    "--rules NAME has the same sessions, and calls those of one event bounced"
)
MODELS_RULES: Final = (
    "this explains the rules only: not sampling, consent modelling, estimates of distinct counts, filters on a server, "
    "or who is taken for one person"
)


@o.command(
    o.texts("definition", "A definition to compare: a name, your own TOML file, ours (the rules in force), or source-id (the "
            "log's own session ids, by profile where it has both). Repeatable; the first is the one the others are held against. "
            "[default: ours, then all that there are]", "NAME|FILE", panel=COMPARING, flags=("--as",)),
    o.text("explain", "Explain a definition, or list all: --explain all. [default: none]", "NAME|FILE|all", panel=COMPARING),
    o.flag("json", "Print JSON.", panel=COMPARING),
    o.flag("csv", "Print a CSV.", panel=COMPARING),
    o.text("output", "Write the metrics by each definition into this directory. [default: none]", "DIR",
           panel=o.OUTPUT, flags=("--output", "-o")),
    o.text("format", "Of what is written: parquet, json, ndjson or csv. [default: parquet]", "FORMAT", default="parquet",
           panel=o.OUTPUT),
    arguments=[o.log_inputs(required=False)],
)  # fmt: skip
def compare(typed: o.Typed) -> None:
    """Cut one log by other systems' definitions of a session, side by side.

    \b
    sessionize compare events.csv --as ga4 --as matomo
    sessionize compare events.csv --as source-id --as ours
    sessionize compare --explain matomo
    """
    if typed["explain"]:
        _explain(typed["explain"], typed)
        return
    typed = settings.with_file(typed)
    if not typed["inputs"]:
        raise UsageError("no input", hint="name the log; only --explain may go without")
    settings.no_earlier_run(tuple(typed["inputs"]))
    if typed["json"] and typed["csv"]:
        raise UsageError("--json and --csv would both print on stdout", hint="one of them, or -o DIR --format csv")
    from sessionize.compare import compare as job

    config = settings.config(typed)
    refuse_input_as_stdout(config)
    with view.progress(typed) as progress:
        work = partial(
            job,
            config,
            candidates_of(typed),
            progress,
            output=path_of(location(typed["output"], "--output")) if typed["output"] else None,
            form=settings.one_of(typed["format"], TABLE_FORMATS, "--format"),
        )
        found = work() if typed["output"] else without_writing(work)
    _print(found, typed)
    counts = asdict(found.counts)
    color, quiet = not typed["no_color"], bool(typed["quiet"])
    view.passed_over({"passed_over": found.passed_over}, quiet=True, color=color)
    view.rejected(counts, quiet=quiet, color=color)
    view.notes([*(() if quiet else found.choices), *found.notes], color=color)
    check_rejected({"account": {"counts": counts}}, typed)


def candidates_of(typed: o.Typed) -> list[Candidate]:
    """The definitions that were asked for; all that there are, where none was."""
    from sessionize.compare import Candidate

    found = []
    for name in typed["definition"] or (OURS, *definitions.names()):
        if name == OURS:
            found.append(Candidate(OURS, rules.rules(typed), None, typed.get("optional_splits", frozenset())))
        elif name == SOURCE:
            found.append(Candidate(SOURCE, rules.no_rules()))
        else:
            definition = definitions.load(name, "--as")
            found.append(Candidate(definition.name, *_meant(definition, typed["passive"] or ())))
    return found


def _meant(definition: Definition, passive: Sequence[str]) -> tuple[Any, Definition, frozenset[str]]:
    meant, optional = rules.rules_of(definition, passive)
    return meant, definition, optional


def _print(found: Compared, typed: o.Typed) -> None:
    rows = [figures_of(row) for row in found.rows]
    if typed["json"]:
        print(json.dumps({"key": "profile_id" if found.by_profile else "session_id", "definitions": rows}, indent=2))
        return
    if typed["csv"]:
        out = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
        return
    print("\n".join(_table(rows, COLUMNS, SPARE)))
    if found.rows[0].source is not None:
        print("\nagainst the log's own session ids")
        print("\n".join(_table(rows, MEASURES, SPARE)))
    if typed["quiet"]:
        return
    color = not typed["no_color"]
    for label, text in _told(found, rows):
        view.say(label, text if label == "key" else view.wrapped(text, 12), color=color)
    if found.written:
        view.say("wrote", f"{', '.join(found.written)} into {view.plain(typed['output'])}", color=color)


def _told(found: Compared, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What the table means."""
    yield "note", FATES_MEAN.format(first=rows[0]["name"])
    if found.rows[0].source is not None:
        yield "note", MEASURES_MEAN
    if found.by_profile:
        yield "key", "the profile id where there is one, as the session ids are what is compared with"
    if any(row["name"] not in (OURS, SOURCE) for row in rows):
        yield "note", BOUNCE_MEANS
    yield "note", MODELS_RULES


def figures_of(row: Row) -> dict[str, Any]:
    """What came out by one definition, as a flat row."""
    fates = {name: getattr(row.agreement, name) for name in FATES}
    measured = {} if row.source is None else {name: getattr(row.source, name) for name in MEASURES}
    return {"name": row.name, **row.figures, **fates, **measured}


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], spare: Sequence[str] = ()) -> Iterator[str]:
    """Rows in columns, no wider than the screen: of the spare ones as many are left out as it takes."""
    from sessionize.cli.screens.text import page

    width, kept = page().width, dict(columns)
    lines = list(_lines(rows, kept))
    for name in spare:
        if max(map(len, lines)) <= width:
            break
        kept.pop(name, None)
        lines = list(_lines(rows, kept))
    yield from lines


def _lines(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Iterator[str]:
    cells = [["", *columns.values()], *([str(row["name"]), *(_shown(row, name) for name in columns)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        first, *rest = (cell.ljust(width) if not place else cell.rjust(width)
                        for place, (cell, width) in enumerate(zip(line, widths, strict=True)))  # fmt: skip
        yield "  ".join((view.plain(first), *rest)).rstrip()


def _shown(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    if name == "difference":
        share = row["difference_share"]
        return f"{value:+,}" if share is None or not value else f"{value:+,} ({share:+.1%})"
    if name.endswith("_rate"):
        return f"{value:.1%}"
    if name.startswith("duration_s"):
        return view.time(value)
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"


def _explain_own(name: str, typed: o.Typed) -> None:
    """The rules in force, or those that are none: the log's own ids."""
    if name == SOURCE:
        print("source-id: the log's own session ids, by profile where it has both; no other rule cuts them")
        return
    merged = settings.with_file(typed)
    print("ours: the rules in force, by what was typed, the configuration file and the defaults\n\nrules")
    for option in definitions.RULES:
        value = merged[option.replace("-", "_")]
        if value:
            print(f"    {option} = {_toml(value)}")
    print("\nThe sessions: sessionize run LOG -o out, with the same options")


def _toml(value: Any) -> str:
    """A value as a TOML file has it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _explain(name: str, typed: o.Typed) -> None:
    if name in (OURS, SOURCE):
        _explain_own(name, typed)
        return
    if name == "all":
        width = max(map(len, definitions.names()))
        for each in definitions.names():
            print(f"{each:<{width}}  {definitions.load(each).title}")
        return
    found = definitions.load(name, "--explain")
    print(f"{found.name}: {found.title}\n")
    told = {
        "source": found.source or "none on record",
        "read": found.read,
        "bounce": found.bounce or "it has no such word",
        "engaged": found.engaged or "it has no such word",
        "not": found.lacks,
    }
    for label, words in told.items():
        if words:
            print(fill(words, 80, initial_indent=f"{label:<8}  ", subsequent_indent=" " * 10, break_long_words=False))
    print("\nrules")
    for option, value in found.rules.items():
        print(f"    {option} = {_toml(value)}")
    print(f"\nThe sessions: sessionize run LOG -o out --rules {name}")
