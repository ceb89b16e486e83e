"""`sessionize paths`: the commonest sequences of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import settings

PATHS = "The paths"


@o.command(
    o.number("steps", "Events of a path. [default: 3]", panel=PATHS),
    o.text("begin", "Paths from the first such event on: an event type, page:PATTERN or SQL. "
           "[default: the session's first event]", "STEP", panel=PATHS, flags=("--from",)),
    o.text("end", "Paths up to the first such event. [default: none]", "STEP", panel=PATHS, flags=("--to",)),
    o.text("around", "What comes before and after the first such event. [default: none]", "STEP", panel=PATHS),
    o.flag("no_fold", "Show numbers and hex ids in pages. [default: folded to *]", panel=PATHS),
    o.flag("repeats", "Show an event that is repeated each time. [default: as catalog x3]", panel=PATHS),
    o.number("top", "Paths to show; the others are counted together. [default: 10]", panel=PATHS),
    *a.SELECTING,
    a.JSON,
    a.CSV,
    arguments=[o.log_inputs(a.LOG_OR_RUN)],
)  # fmt: skip
def paths(typed: o.Typed) -> None:
    """Show the commonest paths: the first events of sessions, or those after, before or around one.

    \b
    sessionize paths events.csv
    sessionize paths events.csv --from cart --steps 4
    sessionize paths access.log --around 'page:/pricing'
    """
    from sessionize.answers import PathsAsk
    from sessionize.answers import paths as job
    from sessionize.cli.screens.paths import lines

    typed = settings.with_file(typed)
    around = typed["around"]
    ask = PathsAsk(
        selection=a.selection(typed),
        steps=3 if typed["steps"] is None else typed["steps"],
        begin=typed["begin"],
        end=typed["end"],
        around=around,
        fold=not typed["no_fold"],
        repeats=typed["repeats"],
        most=10 if typed["top"] is None else typed["top"],
    )
    a.answer(
        typed,
        lambda config, progress: job(config, ask, progress),
        lambda found, where: lines(found.data, found.facts, where, ask),
        rows,
    )


def rows(data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """A path a row, then the others and the total."""
    whole = data["total"]
    names = ("path", "sessions", "share", "converted")
    found = [{name: row[name] for name in names} for row in data["paths"]]
    for name, sessions, converted in (
        ("other", data["other"], data["other_converted"]),
        ("total", whole, data["total_converted"]),
    ):
        share = sessions / whole if whole else None
        found.append({"path": name, "sessions": sessions, "share": share, "converted": converted})
    return found
