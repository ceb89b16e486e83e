"""The ways of running: they differ only in how a key's rows come together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sessionize import schema
from sessionize.config import Config, Output, Plan
from sessionize.engine.limits import memory
from sessionize.engine.partition import Limits
from sessionize.engine.pipeline import sessions_of
from sessionize.errors import InputError
from sessionize.output.commit import Result, commit
from sessionize.output.geo import Places, located
from sessionize.output.manifest import Counts
from sessionize.output.publish import Publisher, map_os_errors
from sessionize.plan import resolve
from sessionize.read import Log, open_log
from sessionize.scratch import home


class Run(NamedTuple):
    """What became of a run.

    Attributes:
        counts: Of rows and sessions; they add up.
        manifest: As it was written.
        figures: Over the sessions: how many, how long, which rates (`figures`).
    """

    counts: Counts
    manifest: dict[str, Any]
    figures: dict[str, Any]


def run(config: Config, output: Output, progress: Callable[[str], None] = lambda _: None) -> Run:
    """The main job: an event log in; sessions, metrics and a manifest out.

    Args:
        config: What was asked for.
        output: What to write, and where.
        progress: Told the name of each stage as it begins.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    progress("opening")
    places = None if config.geo_db is None else Places(config.geo_db)
    log = open_log(config)
    with log.reading():
        plan = only_needed(resolve(config, log.schema, log.sample), output)
    with ExitStack() as stack:
        publisher, scratch = _places(output, stack)
        limits = Limits(memory(config.memory_limit), scratch, lambda: log.share_read)
        progress("reading and sessionizing")
        with log.reading():
            batches = log.batches(limits.memory.rows_at_once)
            result = sessions_of(batches, log.schema, plan, limits, assign=output.events)
        if config.on_bad_row == "fail" and result.rejected.height:
            raise bad_row(log, result, plan)
        progress("writing")
        return Run(result.counts, *commit(located_batches(result, places, plan), log, plan, output, publisher))


def located_batches(result: Result, places: Places | None, plan: Plan) -> Result:
    """The result with where the sessions' addresses are."""
    found = (batch._replace(sessions=located(batch.sessions, places, plan)) for batch in result.batches)
    return result._replace(batches=found)


def _places(output: Output, stack: ExitStack) -> tuple[Publisher | None, Callable[[], Path]]:
    """What holds the output directory, locked from here on; and what makes a directory for temporary files."""
    if output.to_stdout:
        return None, lambda: Path(stack.enter_context(TemporaryDirectory(dir=home())))
    directory = Path(output.directory)
    stack.enter_context(map_os_errors(directory))
    publisher = stack.enter_context(Publisher(directory))
    return publisher, publisher.scratch


def only_needed(plan: Plan, output: Output) -> Plan:
    """The plan without the columns that no output needs, so that they are not read."""
    if output.events:
        return plan
    looked_into = plan.agents or plan.exclude_bots
    unused = (set() if looked_into else {schema.USER_AGENT}) | (set() if output.records else {schema.IP})
    kept = {role: names for role, names in plan.columns.items() if role not in unused}
    if output.records:
        return replace(plan, columns=kept)
    return replace(plan, columns=kept, properties=(), traits=())


def bad_row(log: Log, result: Result, plan: Plan) -> InputError:
    """What to say of a log with a bad row, where one ends the run."""
    first = result.rejected.row(0, named=True)
    file, row, reason = log.files[first[schema.FILE]].path, first[schema.ROW], first[schema.REASON]
    raw = "(not shown, as ids are private)" if plan.private else log.raw(result.rejected.head(1))["raw"].item()
    return InputError(
        f"{file}, row {row}: {reason} ({result.rejected.height} bad rows in all); nothing was written",
        hint=f"it reads {raw[:200]!r}; --on-bad-row reject keeps such rows apart and goes on",
    )
