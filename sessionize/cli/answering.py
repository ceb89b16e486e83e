"""What the commands for a shell have in common: their options, what is asked, and how the answer is given."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sessionize.cli import options as o
from sessionize.cli import parse, settings, view
from sessionize.errors import ChecksFailed, SessionizeError

if TYPE_CHECKING:
    from sessionize.answers import Answer
    from sessionize.cli.screens.text import Line, Page
    from sessionize.config import Config
    from sessionize.summary.selection import Selection

WHICH: Final = "Which sessions"
ANSWER: Final = "The answer"
LOG_OR_RUN: Final = (
    "Log files, directories, globs or URIs of object stores; - for stdin; or the output directory of an earlier run."
)

JSON: Final = o.flag("json", "Print the answer as JSON; sessionize schema COMMAND tells its form.", panel=ANSWER)
CSV: Final = o.flag("csv", "Print the screen's rows as CSV.", panel=ANSWER)
BY: Final = o.text(
    "by", "Group sessions: a column or reference of the log (the session's first value), a metric, day, week, month, weekday, hour, or SQL over the "
    "metrics. [default: no groups]", "NAME|SQL", panel=ANSWER)  # fmt: skip
COMPARE: Final = o.text(
    "compare", "Compare with another log or run, or the last 7 days with the 7 before: week. [default: week, where the "
    "log is long enough]", "INPUT|week", panel=ANSWER)  # fmt: skip
SELECTING: Final = (
    o.texts("containing", "Only sessions with such an event, all of their events kept: an event type, page:PATTERN, or SQL "
            "over the events. Repeatable: with one of each. [default: all]", "STEP", panel=WHICH),
    o.text("session_where", "Only sessions that match, SQL over the metrics (sessionize schema metrics names them), such as "
           "\"events > 1\" or \"start >= '2024-05-31'\". [default: all]", "SQL", panel=WHICH),
    o.text("last", "Only sessions that start so long before the log's newest event. [default: all]", "DURATION",
           panel=WHICH),
    o.text("since", "Only sessions that start at this time or later. [default: all]", "TIME", panel=WHICH),
    o.text("until", "Only sessions that start before this time. [default: all]", "TIME", panel=WHICH),
)  # fmt: skip
ALSO_CARRIED: Final = ("config", "memory_limit")
Job = Callable[["Config", Callable[[str], None]], "Answer"]
Found = TypeVar("Found")
NOTHING_WRITTEN: Final = "; nothing was written"
"""What is said of a log that a run would have written of."""
Screen = Callable[["Answer", "Page"], "list[Line]"]


def selection(typed: o.Typed) -> Selection:
    """Which sessions are meant: times without a zone are in that of the days, which an earlier run's output has its own of."""
    from sessionize.answers.earlier import zone_of
    from sessionize.instants import microseconds
    from sessionize.summary.selection import Selection

    times = {name: typed[name] for name in ("since", "until") if typed[name] is not None}
    zone = (zone_of(tuple(typed["inputs"])) if times else None) or typed["timezone"]

    def moment(name: str) -> int | None:
        text = times.get(name)
        return None if text is None else microseconds(parse.moment(text, zone, f"--{name}"))

    return Selection(
        where=typed["session_where"],
        containing=tuple(typed["containing"] or ()),
        last=None if typed["last"] is None else parse.duration(typed["last"], "--last"),
        since=moment("since"),
        until=moment("until"),
    )


def carried(typed: o.Typed) -> list[str]:
    """What was typed that holds for the next command too: how the log is read, its rules, which sessions are meant."""
    rows = [*(row for row in o.OPTIONS if row.panel != o.OTHER or row.name in ALSO_CARRIED), *SELECTING]
    words: list[str] = []
    for row in {row.name: row for row in rows}.values():
        flag, value = f"--{row.name.replace('_', '-')}", _as_typed(row.name, typed)
        if row.name not in typed.given or value is None:
            continue
        if isinstance(value, list | tuple):
            words += [word for each in value for word in (flag, str(each))]
        else:
            words += [flag] if value is True else [flag, str(value)]
    return words


def _as_typed(name: str, typed: o.Typed) -> Any:
    """A value as it was typed: a preset by its name, and that none is to be looked for."""
    value = typed.get(name)
    if name == "preset":
        return settings.NO_PRESET if value is None else getattr(value, "name", value)
    return value


def refuse_input_as_stdout(config: Config) -> None:
    """Refuse to print into a log that is read, before it is.

    Raises:
        UsageError: If stdout leads to an input.
    """
    from sessionize.output.ownership import refuse_stdout
    from sessionize.read.files import identities

    refuse_stdout(identities(config.inputs, config))


def answer(
    typed: o.Typed, job: Job, screen: Screen, rows: Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]]
) -> None:
    """Ask, and print the answer: as a screen, or its rows.

    Args:
        typed: What was typed with what the configuration file says.
        job: Makes the answer of a configuration.
        screen: Makes lines of the answer.
        rows: Makes rows of the answer, for a CSV.
    """
    # The time until which a log is complete and that until which sessions count have one name.
    config = settings.config(typed.but(until=None))
    refuse_input_as_stdout(config)
    with view.progress(typed) as progress:
        found = without_writing(job, config, progress)
    if typed["json"]:
        _print_json(found.data)
    elif typed["csv"]:
        _print_csv(rows(found.data))
    if typed["json"] or typed["csv"]:  # a screen says it at its foot
        view.rejected(found.facts["account"]["counts"], quiet=bool(typed["quiet"]), color=not typed["no_color"])
    else:
        from sessionize.cli.screens.text import page, show

        where = page()
        found.facts["options"] = carried(typed)
        found.facts["containing"] = typed.get("containing") or ()
        show(screen(found, where), where, color=not typed["no_color"])
    view.passed_over(found.facts["account"], quiet=True, color=not typed["no_color"])
    view.notes(_notes(found.facts, typed), color=not typed["no_color"])
    check_rejected(found.facts, typed)


def without_writing(job: Callable[..., Found], *asked: Any) -> Found:
    """What a job gives that writes nothing: where it fails, that need not be said.

    Args:
        job: What is done.
        asked: What it is given.
    """
    try:
        return job(*asked)
    except SessionizeError as error:
        raise error.worded(error.message.replace(NOTHING_WRITTEN, ""), error.hint) from error


def _notes(facts: Mapping[str, Any], typed: o.Typed) -> list[str]:
    """What someone should look at, whatever form the answer has: names that never occur, a condition that matches nothing."""
    choices = () if typed["quiet"] else facts.get("choices", ())
    return [*choices, *facts.get("notes", ())]


def _print_json(data: Mapping[str, Any]) -> None:
    from sessionize.output.writers import ESCAPES

    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    view.print_whole(text.translate({ord(letter): escape for letter, escape in ESCAPES.items()}) + "\n")


def _print_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    safe = view.plain if sys.stdout.isatty() else str
    text = StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(names)
    for row in flat:
        out.writerow("" if row.get(name) is None else safe(_word(row[name])) for name in names)
    view.print_whole(text.getvalue())


def named(group: str | None) -> str:
    """A group's name as a CSV has it, where an empty field would be read as an empty name."""
    return "(none)" if group is None else group


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _flat(row: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield before + name, value


def check_rejected(facts: Mapping[str, Any], typed: o.Typed) -> None:
    """Raise ChecksFailed if more rows were rejected than ``--max-rejected`` allows."""
    if not typed["max_rejected"]:
        return
    counts = facts["account"].get("counts", {})
    rejected, rows = counts.get("rejected", 0), counts.get("rows_read", 0)
    if parse.limit(str(typed["max_rejected"]), "--max-rejected").broken_by(rejected, rows):
        raise ChecksFailed(f"{rejected} of {rows} rows rejected, over --max-rejected {typed['max_rejected']}")
