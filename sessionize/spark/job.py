"""The main job on a cluster: the log's rows are read, shuffled and cut there; here it is decided, counted and committed.

What the tasks have written lies in one folder beside the output, which every machine must see, or in its store. Only what
the lines of finished tasks name is taken; the rest goes with the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from sessionize.config import Config, Output
from sessionize.engine.names import notes
from sessionize.engine.result import Result
from sessionize.errors import UsageError
from sessionize.one_shot import Run, only_needed, refuse_outputs
from sessionize.opening import opened
from sessionize.os_errors import map_os_errors, writing
from sessionize.output.commit import account_of, manifest_text
from sessionize.output.ownership import MANIFEST, REJECTED, earlier_outputs, parts_there
from sessionize.read.log import Log, open_log
from sessionize.refusals import refuse_bad_rows
from sessionize.rejected_rows import notes_on_rejected
from sessionize.spark.cluster import Cluster
from sessionize.spark.files import copy_to
from sessionize.spark.held import FolderParts, StoredParts
from sessionize.spark.lines import RangeDone
from sessionize.spark.sizes import USUAL_SIZES, Sizes
from sessionize.spark.work import Cut, Work, looked, merged, sessions_cut
from sessionize.stores import AnyPath, path_of
from sessionize.summary.figures import figures


def run(
    config: Config, output: Output, cluster: Cluster, progress: Callable[[str], None] = lambda _: None, *,
    partitions: int | None = None, sizes: Sizes = USUAL_SIZES,
) -> Run:  # fmt: skip
    """The main job, on a cluster: the same rows in the same order as on one machine, in as many files as it takes.

    Args:
        config: What was asked for.
        output: What to write, and where: a folder that every machine of the cluster sees by this path, or a store.
        cluster: Runs the tasks.
        progress: Told the name of each stage as it begins.
        partitions: How many parts the events are shuffled into; None for what their number asks for.
        sizes: Sizes of the pieces that the work is cut into.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    refuse(config, output)
    directory = path_of(output.directory).absolute()
    refuse_outputs(config, directory, [*parts_there(directory), REJECTED, MANIFEST])
    progress("opening")
    with ExitStack() as stack:
        log = open_log(config, absolute=True)
        plan = only_needed(stack.enter_context(opened(log.config, log=log)).plan, output)
        _refuse_pipes(log)
        held = _held(directory)
        stack.enter_context(held)
        stack.enter_context(map_os_errors(held.directory))
        work = Work(cluster, log, plan, held.shared, partitions, output.events, sizes)
        side_by_side = looked(work)
        progress("reading and sessionizing")
        cut = sessions_cut(work, side_by_side)
        refuse_bad_rows(log, cut.result, config, plan)
        progress("writing")
        made = merged(work, cut, output, held.target, config.geo_db)
        result = _counted(cut.result, made)
        seen = cut.names.seen()
        said = (*notes(seen, config, plan), *notes_on_rejected(log, result, config, plan))
        manifest = _committed(held, account_of(result, log, plan, said), made, cut)
        return Run(
            result.counts, manifest, figures(pl.concat(each.measures for each in made)), seen.event_types, plan.notes
        )


def refuse(config: Config, output: Output) -> None:
    """Refuse what only one machine does, and say the way round.

    Raises:
        UsageError: If it was asked for.
    """
    if output.to_stdout:
        raise UsageError(
            "-o - is not for --engine spark", hint="-o DIR, a folder that every machine of the cluster sees, or s3://…"
        )
    if output.form not in {"parquet", "ndjson"}:
        raise UsageError(
            f"--format {output.form} is not for --engine spark, which writes many files",
            hint="--format parquet or ndjson; or run on one machine, without --engine spark",
        )
    if config.memory_limit is not None:
        raise UsageError(
            "--memory-limit is not for --engine spark: Spark says what its tasks may take",
            hint="leave it out; spark.executor.memoryOverhead is for what Python takes beside Java",
        )


def _refuse_pipes(log: Log) -> None:
    pipes = [file.path for file in log.files if file.modified_ns is None]
    if pipes:
        raise UsageError(
            f"{pipes[0]} is a pipe, which no other machine can read", hint="write it to a file that all of them see"
        )


def _counted(result: Result, made: Sequence[RangeDone]) -> Result:
    """The result with how many sessions are active, which only the merge has seen."""
    active = sum(int((each.measures["status"] == "active").sum()) for each in made)
    return result._replace(counts=replace(result.counts, active_sessions=active))


def _held(directory: AnyPath) -> StoredParts | FolderParts:
    return FolderParts(directory) if isinstance(directory, Path) else StoredParts(directory)


def _committed(
    held: StoredParts | FolderParts, account: dict[str, Any], made: Sequence[RangeDone], cut: Cut
) -> dict[str, Any]:
    """Make all parts, the rejected rows and the manifest visible, the manifest last."""
    for output in made[0].files:
        for each in made:
            part = each.files[output]
            name = held.keep_part(output, each.number, part)
            account["outputs"].append({"path": name, "rows": part.rows, "bytes": part.bytes, "sha256": part.sha256})
    if cut.rejected:
        with writing(held.directory / REJECTED), held.path(REJECTED).open("wb") as out:
            for place in cut.rejected:
                copy_to(out, place)
        staged = held.seal(REJECTED)
        rows = cut.result.rejected.height
        account["outputs"].append({"path": REJECTED, "rows": rows, "bytes": staged.bytes, "sha256": staged.sha256})
    with writing(held.directory / MANIFEST):
        held.path(MANIFEST).write_text(manifest_text(account), encoding="utf-8")
    held.seal(MANIFEST)
    held.commit(earlier=earlier_outputs(held.directory))
    return account
