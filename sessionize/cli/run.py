"""`sessionize run`: the main job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sessionize.cli import nightly as nights
from sessionize.cli import options as o
from sessionize.cli import parse, settings, view
from sessionize.config import OUTPUT_FORMATS, Config, Output
from sessionize.errors import ChecksFailed, UsageError

if TYPE_CHECKING:
    from sessionize.one_shot import Run


@o.command(
    o.text("output", "Directory to write into; - writes the metrics as NDJSON to stdout.", "DIR",
           default=o.REQUIRED, panel=o.OUTPUT, flags=("--output", "-o")),
    o.text("format", "parquet, json, ndjson, or csv (metrics and events only). [default: parquet]", "FORMAT",
           default="parquet", panel=o.OUTPUT),
    o.flag("events", "Write every event too, with its session and its place in it.", panel=o.OUTPUT),
    o.flag("no_sessions", "Leave the Session records out: metrics only.", panel=o.OUTPUT),
    o.flag("safe_csv", "Put ' before texts in a CSV that begin with = + - @ tab or CR, which spreadsheets run. "
           "[default: off: ids keep their bytes]", panel=o.OUTPUT),
    o.flag("json", "Print the manifest on stdout.", panel=o.OUTPUT),
    o.text("state", "Directory that keeps what is open from one batch to the next. [default: none, the log is whole]",
           "DIR", panel=o.NIGHTLY),
    o.text("batch", "Name of the batch; output lies in batch=NAME. A date ends at the next midnight in the zone.", "NAME",
           panel=o.NIGHTLY),
    o.text("allowed_lateness", "How late an event may come. [default: 30m]", "DURATION", panel=o.NIGHTLY),
    o.flag("redo", "Run a batch again; those after it must be run again too. [default: off]", panel=o.NIGHTLY),
    o.flag("flush", "Emit what is open as it stands, for good; needs no INPUT. [default: off]", panel=o.NIGHTLY),
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
    _run(settings.with_file(typed))


def _run(typed: o.Typed) -> None:
    asked = settings.config(typed)
    settings.no_earlier_run(asked.inputs)
    nightly = nights.nightly(typed)
    limit = parse.limit(str(typed["max_rejected"]), "--max-rejected") if typed["max_rejected"] else None
    output = Output(
        directory=str(typed["output"]),
        form=settings.one_of(typed["format"], OUTPUT_FORMATS, "--format"),
        sessions=not typed["no_sessions"],
        events=bool(typed["events"]),
        safe_csv=bool(typed["safe_csv"]),
    )
    _check_output(output, typed)
    with view.progress(typed) as progress:
        manifest, done, notes = (
            nights.run(asked, output, nightly, progress) if nightly else _whole(asked, output, progress)
        )
    if typed["json"]:
        from sessionize.output.commit import manifest_text

        print(manifest_text(manifest), end="")
    with suppress(OSError):  # the run is done, whoever reads of it
        view.passed_over(manifest, quiet=bool(typed["quiet"]), color=not typed["no_color"])
        _show(done, manifest, notes, typed)
    rejected, rows_read = manifest["counts"]["rejected"], manifest["counts"]["rows_read"]
    if limit is not None and limit.broken_by(rejected, rows_read):
        raise ChecksFailed(
            f"{rejected} of {rows_read} rows rejected, over --max-rejected {typed['max_rejected']}",
            hint="outputs are complete; the rows and reasons are in rejected.ndjson",
        )


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


def _whole(
    asked: Config, output: Output, progress: Callable[[str], None]
) -> tuple[dict[str, Any], Run, tuple[str, ...]]:
    from sessionize.one_shot import run as job

    done = job(asked, output, progress)
    return done.manifest, done, ()


def _show(run: Run | None, manifest: Mapping[str, Any], notes: Sequence[str], typed: o.Typed) -> None:
    """What was done; of a quiet run only what someone should look at."""
    color, quiet = not typed["no_color"], bool(typed["quiet"])
    if run is not None:
        if not quiet:
            view.after_run(run, typed.config_file, color=color)
        view.rejected(manifest["counts"], quiet=quiet, color=color)
        shown = [note for note in manifest["notes"] if not (quiet and note in run.choices)]
        view.notes(shown, color=color)
    if not quiet:
        nights.show({} if run is None else manifest["counts"], manifest["watermark"], notes, color=color)
