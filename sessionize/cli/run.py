"""`sessionize run`: the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from sessionize.cli import bounds, clusters, digest, dry, judging, monitor, settings, view
from sessionize.cli import nightly as nights
from sessionize.cli import options as o
from sessionize.cli.run_files import RunFiles, telling
from sessionize.config import OUTPUT_FORMATS, Config, Nightly, Output
from sessionize.errors import ChecksFailed, InputError, SessionizeError, UsageError
from sessionize.limits import LEAST
from sessionize.values import NamedTuple

if TYPE_CHECKING:
    from sessionize.checks.in_run import InRun
    from sessionize.one_shot import Outcome

LOG_FORMATS: Final = ("text", "json")


@o.command(
    o.text("output", "Directory, or URI in an object store, to write into; - writes the metrics as NDJSON to stdout.", "DIR",
           default=o.REQUIRED, panel=o.OUTPUT, flags=("--output", "-o")),
    o.text("format", "parquet, json, ndjson, csv (metrics and events only), or es-bulk (Session records for Tracardi's index; "
           "metrics and events are ndjson). [default: parquet]", "FORMAT", default="parquet", panel=o.OUTPUT),
    o.flag("events", "Write every event too, with its session and its place in it.", panel=o.OUTPUT),
    o.flag("no_sessions", "Leave the Session records out: metrics only.", panel=o.OUTPUT),
    o.flag("safe_csv", "Put ' before texts in a CSV that begin with = + - @ tab or CR, which spreadsheets run. "
           "[default: off: ids keep their bytes]", panel=o.OUTPUT),
    o.flag("json", "Print the manifest on stdout, or what went wrong, as JSON.", panel=o.OUTPUT),
    o.flag("dry_run", "Say what would be read, written and withdrawn, and do nothing. [default: off]", panel=o.OUTPUT),
    o.flag("check", "Check the log in the same pass, as `check` does; exit 1 when one fails. Findings go into checks.json "
           "beside the outputs. [default: off]", panel=o.OUTPUT),
    o.flag("check_first", "The same, but publish nothing when a check fails. [default: off]", panel=o.OUTPUT),
    o.text("baseline", "With --check: compare with nights: 'out/batch=*'. [default: none]", "RUN|FILE|GLOB", panel=o.OUTPUT),
    o.texts("report", "With --check: write the findings in a format into a file, too: junit=checks.xml. Repeatable.",
            "FORMAT=FILE", panel=o.OUTPUT),
    o.text("summary_file", "Write what was done here as Markdown, to be mailed. [default: none]", "FILE", panel=o.OUTPUT),
    o.text("metrics_file", "Write the run's figures here as OpenMetrics, for a node exporter. [default: none]", "FILE",
           panel=o.OUTPUT),
    o.text("log_format", "text, or json: a line an event on stderr. [default: text]", "FORMAT", default="text"),
    o.text("state", "Directory that keeps what is open from one batch to the next. [default: none, the log is whole]",
           "DIR", panel=o.NIGHTLY),
    o.text("batch", "Name of the batch; output lies in batch=NAME. A date ends at the next midnight in the zone.", "NAME",
           panel=o.NIGHTLY),
    o.text("batch_from_name", "Run each file's batch in order, by its name: '{date}.csv'; * is anything. [default: none]",
           "PATTERN", panel=o.NIGHTLY),
    o.text("allowed_lateness", "How late an event may come. [default: 30m]", "DURATION", panel=o.NIGHTLY),
    o.text("max_late", "Exit 1 if more rows of a night are late: a number or a share. [default: 5%]", "N|P%",
           panel=o.NIGHTLY),
    o.text("max_early", "Exit 1 if more rows belong to a night to come. [default: 5%]", "N|P%", panel=o.NIGHTLY),
    o.flag("redo", "Run a batch again; those after it must be run again too. [default: off]", panel=o.NIGHTLY),
    o.flag("allow_gap", "Go on though the day before a batch that is a date was not run. [default: off: exit 3]",
           panel=o.NIGHTLY),
    o.flag("flush", "Emit what is open as it stands, for good; needs no INPUT. [default: off]", panel=o.NIGHTLY),
    o.text("engine", "local, or spark: a cluster reads, shuffles and writes; needs sessionize[spark]. [default: local]",
           "local|spark", default="local", panel=o.CLUSTER),
    o.text("master", "Spark's master, such as yarn or spark://HOST:7077. [default: the session that is there, else what "
           "Spark's own settings say]", "URL", panel=o.CLUSTER),
    o.text("remote", "Server of Spark Connect, in place of a master. [default: SPARK_REMOTE]", "sc://HOST", panel=o.CLUSTER),
    o.number("partitions", "Parts that the events are shuffled into. [default: by the log's size]", panel=o.CLUSTER),
    arguments=[o.log_inputs(required=False)],
)  # fmt: skip
def run(typed: o.Typed) -> None:
    """Write sessions, per-session metrics and a manifest into a directory.

    \b
    sessionize run events.csv -o out
    sessionize run 'logs/*.parquet' -o out --timeout 45m --format json
    zcat today.csv.gz | sessionize run - -o - | head
    sessionize run 2024-05-30.csv -o out --state state --batch 2024-05-30
    """
    monitor.BY_LINES[:] = [None] if typed["log_format"] == "json" else []
    with telling(typed) as files:
        _run(settings.with_file(typed), files)


def _run(typed: o.Typed, files: RunFiles) -> None:
    by_lines = settings.one_of(typed["log_format"], LOG_FORMATS, "--log-format") == "json"
    monitor.BY_LINES[:] = [None] if by_lines else []
    files.take(typed)
    output = Output(
        directory=str(typed["output"]),
        form=settings.one_of(typed["format"], OUTPUT_FORMATS, "--format"),
        sessions=not typed["no_sessions"],
        events=bool(typed["events"]),
        safe_csv=bool(typed["safe_csv"]),
    )
    _check_output(output, typed)
    limits = bounds.limits(typed)
    files.refuse_foreign()
    config = settings.config(typed)
    settings.no_earlier_run(config.inputs)
    spark = clusters.options_of(typed, config, output)
    checks = judging.Checks(typed, config)
    if config.memory_limit is not None and config.memory_limit < LEAST and not typed["quiet"]:
        monitor.notes([TOO_LITTLE], color=not typed["no_color"])
    targets = nights.targets(typed, config)
    if typed["dry_run"]:
        dry.show(targets, output, as_json=bool(typed["json"]))
        return
    broken = []
    for config, nightly in targets:
        if by_lines:
            monitor.BY_LINES[:] = [None if nightly is None else nightly.batch]
        with _naming(nightly, typed):
            broken += _each(typed, config, output, nightly, RunSettings(limits, checks, spark, files))
    if broken:
        raise ChecksFailed("; ".join(each.message for each in broken), hint=broken[0].hint)
    if not targets:
        files.begin(digest.Status(None, None, is_idle=True))
        files.write()
        if not typed["quiet"]:
            monitor.notes(["nothing to do: all batches were run, and are too old to be run again"], color=False)
    monitor.BY_LINES.clear()


TOO_LITTLE: Final = (
    f"the program itself needs more than --memory-limit: {LEAST // 10**6}MB is the least that it can keep"
)


@contextmanager
def _naming(nightly: Nightly | None, typed: o.Typed) -> Iterator[None]:
    """Say which batch an error is of, where there are several."""
    try:
        yield
    except SessionizeError as error:
        if nightly is None or not typed["batch_from_name"]:
            raise
        raise type(error)(f"batch {nightly.batch}: {error.message}", hint=error.hint) from error


class RunSettings(NamedTuple):
    """Where a run runs, and what its outcome is held against.

    Attributes:
        limits: How many rows may be rejected, late or early.
        checks: The checks; none, where none were asked for.
        spark: The cluster that it runs on; None for this machine.
        files: The files that tell of it.
    """

    limits: bounds.Limits
    checks: judging.Checks
    spark: clusters.ClusterOptions | None
    files: RunFiles


def _each(
    typed: o.Typed, config: Config, output: Output, nightly: Nightly | None, run_settings: RunSettings
) -> list[ChecksFailed]:
    """Run a night, or a whole log, and tell of it; gives what does not hold though the outputs are complete."""
    status = digest.Status(None if nightly is None else nightly.batch, run_settings.checks.of(output, nightly))
    began = monotonic()
    run_settings.files.begin(status)
    try:
        status.outcome = _outcome(typed, config, output, nightly, run_settings.spark or status.judge)
        run_settings.checks.take_recorded(status.judge, output, nightly, status.outcome)
        status.broken = [*bounds.broken(run_settings.limits, status.outcome), *judging.failed(status.judge)]
    except SessionizeError as error:
        status.error = error
        if isinstance(error, InputError):
            run_settings.checks.report_unread(error, config)
        raise
    finally:
        run_settings.files.write()
        run_settings.checks.report(status.judge)
    _print_outcome(typed, status.outcome, monotonic() - began)
    return status.broken


def _print_outcome(typed: o.Typed, outcome: Outcome, seconds: float) -> None:
    """What became of a run, for a person or a program."""
    if typed["json"]:
        from sessionize.output.commit import manifest_text

        print(manifest_text(nights.account(outcome)), end="")
    with suppress(OSError):  # the run is done, whoever reads of it
        if monitor.BY_LINES:
            monitor.finished(outcome, seconds, quiet=bool(typed["quiet"]))
        else:
            view.passed_over(outcome.manifest, quiet=bool(typed["quiet"]), color=not typed["no_color"])
            _show(outcome, typed)


def _outcome(
    typed: o.Typed,
    config: Config,
    output: Output,
    nightly: Nightly | None,
    judge: InRun | clusters.ClusterOptions | None,
) -> Outcome:
    if monitor.BY_LINES:
        progress = partial(monitor.event, "info") if typed["verbose"] else lambda _: None
        return _done(config, output, nightly, progress, judge)
    if nightly and typed["batch_from_name"] and not typed["quiet"]:
        view.say("batch", nightly.batch, color=not typed["no_color"])
    with view.progress(typed) as progress:
        return _done(config, output, nightly, progress, judge)


def _done(
    config: Config, output: Output, nightly: Nightly | None, progress: Callable[[str], None],
    judge: InRun | clusters.ClusterOptions | None,
) -> Outcome:  # fmt: skip
    from sessionize.one_shot import Outcome, run

    if isinstance(judge, clusters.ClusterOptions):
        return clusters.run(judge, config, output, progress)

    if nightly is None:
        done = run(config, output, progress, judge=judge)
        return Outcome(done.manifest, done)
    from sessionize.nightly.job import run_night

    return run_night(config, output, nightly, progress, judge=judge)


def _check_output(output: Output, typed: o.Typed) -> None:
    """Refuse what could not be seen: two things on one stdout, a name that cannot be written down."""
    if not output.directory:
        raise UsageError("--output is empty", hint="for example -o out")
    if output.directory.encode(errors="replace").decode() != output.directory:
        raise UsageError("--output is no UTF-8", hint="for example -o out")
    if not output.to_stdout:
        return
    if typed["json"]:
        raise UsageError("--json and -o - would both print on stdout", hint="-o DIR --json, or -o - alone")
    if output.events or (typed["format"] != "ndjson" and "format" in typed.given):
        raise UsageError("-o - writes the metrics as NDJSON, nothing else", hint="-o DIR with --events or --format")


def _show(finished: Outcome, typed: o.Typed) -> None:
    """What was done; of a quiet run only what someone should look at."""
    color, quiet = not typed["no_color"], bool(typed["quiet"])
    run, manifest = finished.run, finished.manifest
    if run is not None:
        if not quiet:
            from sessionize.cli.screens.run import after_run

            after_run(run, typed.config_file, color=color)
        view.rejected(manifest["counts"], quiet=quiet, color=color)
        shown = [note for note in manifest["notes"] if not (quiet and note in run.choices)]
        view.notes(shown, color=color)
    nights.show(finished, quiet=quiet, color=color)
