"""The main job: a whole log at once, from its files to the files of an output directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sessionize import schema
from sessionize.config import Config, Output, Plan
from sessionize.cut_files import refuse_cut
from sessionize.engine.names import Names, notes
from sessionize.engine.pipeline import sessionize_log
from sessionize.engine.result import Counts
from sessionize.judge import Judge
from sessionize.limits import Limits
from sessionize.opening import opened
from sessionize.os_errors import map_os_errors
from sessionize.output.commit import commit, output_names
from sessionize.output.geo import with_places
from sessionize.output.ownership import refuse_output, refuse_stdout
from sessionize.output.publish import INTENT, Publisher
from sessionize.output.upload import Uploader, publisher, refuse_upload
from sessionize.read.files import identities
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected
from sessionize.stores import AnyPath, StorePath, path_of
from sessionize.values import NamedTuple


class Run(NamedTuple):
    """What became of a run.

    Attributes:
        counts: Counts of rows and sessions; they add up.
        manifest: The manifest as it was written.
        figures: Over the sessions: how many, how long, which rates (`figures`).
        event_types: Event type → events that have it, the most frequent first; empty where a usual conversion is among
            them and no name was asked for.
        choices: Notes of the manifest that say what was decided; its others say what is wrong.
    """

    counts: Counts
    manifest: dict[str, Any]
    figures: dict[str, Any]
    event_types: Mapping[str, int] = MappingProxyType({})
    choices: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What became of a run, over a whole log or a night.

    Attributes:
        manifest: The manifest as it lies in the output.
        run: What was done; None where there was nothing to do.
        notes: Sentences that the one who runs it should read.
        withdrawn: Nights that came after it, and whose output is gone.
        early: How many of its rows belong to a night to come.
        lost: Nights before it that were run, and whose output is not there.
    """

    manifest: dict[str, Any]
    run: Run | None
    notes: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    early: int = 0
    lost: tuple[str, ...] = ()


def run(
    config: Config, output: Output, progress: Callable[[str], None] = lambda _: None, *,
    limits: Limits | None = None, judge: Judge | None = None,
) -> Run:  # fmt: skip
    """The main job: an event log in; sessions, metrics and a manifest out.

    Args:
        config: What was asked for.
        output: What to write, and where.
        progress: Told the name of each stage as it begins.
        limits: What may be held at once; None for what the memory limit comes to.
        judge: Makes checks in the same pass; None where none are wanted.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    _refuse_output(config, output)
    progress("opening")
    with ExitStack() as stack:
        log, plan, limits, places = stack.enter_context(opened(config, limits, progress))
        plan = plan if judge else only_needed(plan, output)
        held = _publisher(output, stack)
        if held is not None:
            limits = replace(limits, scratch=held.scratch)
        progress("reading and sessionizing")
        names = Names(plan)
        judging = None if judge is None else judge.begin(config, log, plan, limits, None)
        watching = [names, *(judging.observers if judging else ())]
        result = sessionize_log(log, plan, limits, observe=watching, assign=output.events)
        if judge is not None:
            refuse_cut(log, result.rejected, "; nothing was written")
        refuse_bad_rows(log, result, config, plan)
        findings = None if judge is None else judge.verdict(result)
        profile = None if judging is None else judging.profile.written(log.schema)
        progress("writing")
        seen = names.seen()
        placed = with_places(result, places, plan)
        said = (*notes(seen, config, plan), *notes_on_rejected(log, result, config, plan))
        written = commit(placed, log, plan, output, held, said, profile=profile, findings=findings)
        return Run(result.counts, *written, seen.event_types, plan.notes)


def _refuse_output(config: Config, output: Output) -> None:
    """Refuse, before anything is read, to write where an input lies, or what no run of ours made."""
    if output.to_stdout:
        refuse_stdout(identities(config.inputs, config))
    else:
        refuse_outputs(config, path_of(output.directory), output_names(output))


def refuse_outputs(config: Config, directory: AnyPath, names: Sequence[str]) -> None:
    """Refuse, before anything is read, to write where an input lies, or what no run of ours made.

    Args:
        config: Names the inputs.
        directory: Where the outputs go.
        names: Names of all files that the run may write.

    Raises:
        UsageError: If a run would write over its own input.
    """
    read = identities(config.inputs, config)
    refuse_stdout(read)
    if isinstance(directory, StorePath):
        refuse_upload(directory, names, read)
        return
    with map_os_errors(directory):
        if (directory / INTENT).exists():
            with Publisher(directory):  # completes an earlier run's commit: only then is it known what it made
                pass
        refuse_output(directory, names, read)


def _publisher(output: Output, stack: ExitStack) -> Publisher | Uploader | None:
    """What holds the output directory, locked from here on; None for stdout."""
    if output.to_stdout:
        return None
    held = publisher(path_of(output.directory))
    stack.enter_context(held)
    stack.enter_context(map_os_errors(held.directory))
    return held


def only_needed(plan: Plan, output: Output) -> Plan:
    """The plan without the columns that no output needs, so that they are not read."""
    if output.events:
        return plan
    looked_into = plan.agents or plan.exclude_bots
    unused = (set() if looked_into else {schema.USER_AGENT}) | (set() if output.records else {schema.IP})
    kept = {role: names for role, names in plan.columns.items() if role not in unused}
    if output.records:
        return replace(plan, columns=kept)
    return replace(plan, columns=kept, properties=(), traits=(), devices=False)
