"""`sessionize run`: the main job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

from sessionize.cli import nightly as nights
from sessionize.cli import options as o
from sessionize.cli import parse, settings, view
from sessionize.config import Config, Output
from sessionize.errors import ChecksFailed, UsageError

if TYPE_CHECKING:
    from sessionize.one_shot import Run


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    output: o.OutputDir,
    inputs: o.InputsOrNone = None,
    preset: o.Preset = None,
    session_id: o.SessionId = None,
    profile_id: o.ProfileId = None,
    event_id: o.EventId = None,
    timestamp: o.Timestamp = None,
    event_type: o.EventType = None,
    page: o.Page = None,
    map: o.Map = None,  # noqa: A002 - named for its option
    where: o.Where = None,
    input_format: o.InputFormat = None,
    delimiter: o.Delimiter = None,
    columns: o.CsvColumns = None,
    multiline: o.Multiline = False,
    verify: o.Verify = False,
    time_format: o.TimeFormat = None,
    timezone: o.Timezone = "UTC",
    on_bad_row: o.OnBadRow = "reject",
    max_rejected: o.MaxRejected = None,
    timeout: o.Timeout = "30m",
    max_duration: o.MaxDuration = None,
    end_event: o.EndEvent = None,
    start_event: o.StartEvent = None,
    split_on: o.SplitOn = None,
    split_at_midnight: o.SplitAtMidnight = False,
    until: o.Until = None,
    page_view: o.PageView = None,
    conversion: o.Conversion = None,
    property: o.Property = None,  # noqa: A002 - named for its option
    trait: o.Trait = None,
    page_path: o.PagePath = False,
    channels: o.Channels = False,
    own_host: o.OwnHost = None,
    exclude_bots: o.ExcludeBots = False,
    geo_db: o.GeoDb = None,
    hash_ids: o.HashIds = None,
    ip: o.Ip = "full",
    format: o.Format = "parquet",  # noqa: A002 - named for its option
    events: o.Events = False,
    no_sessions: o.NoSessions = False,
    safe_csv: o.SafeCsv = False,
    json: o.Json = False,
    state: o.State = None,
    batch: o.Batch = None,
    allowed_lateness: o.AllowedLateness = None,
    redo: o.Redo = False,
    flush: o.Flush = False,
    memory_limit: o.MemoryLimit = None,
    config: o.ConfigFile = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_progress: o.NoProgress = False,
    no_color: o.NoColor = False,
    debug: o.Debug = False,
) -> None:
    """Write sessions, per-session metrics and a manifest into a directory.

    \b
    sessionize run events.csv -o out
    sessionize run 'logs/*.parquet' -o out --timeout 45m --format json
    zcat today.csv.gz | sessionize run - -o - | head
    sessionize run 2024-05-30.csv -o out --state state --batch 2024-05-30
    """
    typed = settings.with_file(dict(context.params), context)
    _run(typed)


def _run(typed: dict[str, object]) -> None:
    asked = settings.config(typed)
    nightly = nights.nightly(typed)
    limit = parse.limit(str(typed["max_rejected"]), "--max-rejected") if typed["max_rejected"] else None
    output = Output(
        directory=str(typed["output"]),
        form=settings.one_of(typed["format"], ("parquet", "json", "ndjson", "csv"), "--format"),
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
    if not typed["quiet"]:
        with suppress(OSError):  # the run is done, whoever reads of it
            _show(done, manifest, notes, color=not typed["no_color"])
    rejected, rows_read = manifest["counts"]["rejected"], manifest["counts"]["rows_read"]
    if limit is not None and limit.broken_by(rejected, rows_read):
        raise ChecksFailed(
            f"{rejected} of {rows_read} rows rejected, over --max-rejected {typed['max_rejected']}",
            hint="outputs are complete; the rows and reasons are in rejected.ndjson",
        )


def _check_output(output: Output, typed: dict[str, object]) -> None:
    """Refuse what could not be seen: two things on one stdout, a name that cannot be written down."""
    if not output.directory:
        raise UsageError("--output is empty", hint="for example -o out")
    if output.directory.encode(errors="replace").decode() != output.directory:
        raise UsageError("--output is no UTF-8", hint="for example -o out")
    if not output.to_stdout:
        return
    if typed["json"]:
        raise UsageError("--json and -o - would both print on stdout", hint="-o DIR --json, or -o - alone")
    if output.events or output.form not in ("parquet", "ndjson"):
        raise UsageError("-o - writes the metrics as NDJSON, nothing else", hint="-o DIR with --events or --format")


def _whole(
    asked: Config, output: Output, progress: Callable[[str], None]
) -> tuple[dict[str, Any], Run, tuple[str, ...]]:
    from sessionize.one_shot import run as job

    done = job(asked, output, progress)
    return done.manifest, done, ()


def _show(run: Run | None, manifest: Mapping[str, Any], notes: Sequence[str], *, color: bool) -> None:
    if run is not None:
        view.after_run(run, color=color)
    counts = {} if run is None else manifest["counts"]
    nights.show(counts, manifest["watermark"], notes, color=color)
