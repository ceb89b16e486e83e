"""`sessionize timeout`: what each timeout makes of a log."""

from __future__ import annotations

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import settings


@o.command(a.JSON, a.CSV, arguments=[o.log_inputs(a.LOG_OR_RUN)])
def timeout(typed: o.Typed) -> None:
    """Show the silences in a log, its sessions as a function of the timeout, and what a timeout would cost.

    \b
    sessionize timeout events.csv
    sessionize timeout events.csv --timeout 45m
    """
    from sessionize.answers import timeout as job
    from sessionize.cli.screens.timeout import lines

    a.answer(
        settings.with_file(typed),
        job,
        lambda found, where: lines(found.data, found.facts, where),
        lambda data: data["table"],
    )
