"""What machines read of a run: a line of JSON an event on stderr, and figures as OpenMetrics in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import view
from sessionize.errors import SessionizeError

if TYPE_CHECKING:
    from sessionize.checks import Checked
    from sessionize.one_shot import Outcome
    from sessionize.output.one_file import OneFile

BY_LINES: Final[list[str | None]] = []
"""The batch that is being run, where each event is a line of JSON; empty where people read."""
OURS: Final = "# HELP sessionize_"
"""How a file of figures begins."""


def event(level: str, name: str, **more: Any) -> None:
    """A line on stderr.

    Args:
        level: ``info``, ``warning`` or ``error``.
        name: What happened.
        more: What else there is to say.
    """
    batch = BY_LINES[-1] if BY_LINES else None
    told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": level}
    print(json.dumps({**told, "event": name, "batch": batch, **more}, ensure_ascii=True), file=sys.stderr)


def finished(done: Outcome, seconds: float, *, quiet: bool) -> None:
    """Lines on what became of a run; of a quiet one only what someone should look at."""
    _not_read(done.manifest, quiet=quiet)
    counts = done.manifest["counts"]
    if done.run is not None:
        _rejected(counts, quiet=quiet)
        left_out = done.run.choices if quiet else ()
        notes((note for note in done.manifest["notes"] if note not in left_out), color=False)
    if done.withdrawn:
        event("warning", "withdrawn", batches=list(done.withdrawn))
    if done.run is None:
        if not quiet:
            event("info", "nothing_to_do", seconds=round(seconds, 3))
        return
    for note in done.notes if done.withdrawn or not quiet else ():
        event("warning" if done.withdrawn else "info", "note", message=note)
    if not quiet:
        watermark = done.manifest["watermark"]
        event("info", "finished", seconds=round(seconds, 3), counts=counts, watermark=watermark)


def _not_read(manifest: Mapping[str, Any], *, quiet: bool) -> None:
    from sessionize.read.passed_over import is_harmless

    found = view.not_read(manifest, quiet=quiet)
    for each in found[: view.NAMED]:
        event("info" if is_harmless(each["why"]) else "warning", "not_read", path=each["path"], why=each["why"])
    if len(found) > view.NAMED:
        event("warning", "not_read", more=len(found) - view.NAMED, message="manifest.json has all")


def _rejected(counts: Mapping[str, Any], *, quiet: bool) -> None:
    message = view.rejected_text(counts, quiet=quiet)
    if message:
        rows, reasons = counts["rejected"], counts["rejected_by_reason"]
        event("warning", "rejected", message=message, rows=rows, rejected_by_reason=reasons)


def findings(checked: Checked) -> None:
    """A line for each check that does not hold."""
    for finding in checked.findings:
        if finding.is_bad:
            example = finding.where
            place = {} if example is None else {"file": example.file, "row": example.row}
            level = "error" if finding.status == "failed" else "warning"
            event(level, "check", check=finding.check, status=finding.status, message=finding.line, **place)


def notes(texts: Iterable[str], *, color: bool) -> None:
    """What the one who runs it should know, in the form in which all is told.

    Args:
        texts: A sentence each.
        color: Whether it may be in colours.
    """
    if not BY_LINES:
        view.notes(texts, color=color)
        return
    for text in texts:
        event("warning", "note", message=text)


def failed(message: str, hint: str | None, code: int) -> None:
    """A line on what went wrong."""
    event("error", "failed", message=message, hint=hint, exit_code=code)


def target_file(path: str) -> OneFile:
    """The file that the figures go into.

    Raises:
        UsageError: If what is there was not written by this option.
    """
    from sessionize.output.one_file import OneFile, begins_with

    return OneFile(path, "--metrics-file", {}, begins_with(OURS.encode()))


def write_figures(
    path: str, done: Outcome | None, batch: str | None, seconds: float, code: int, *, last: bool = False
) -> None:
    """Write the figures of a run into a file.

    Args:
        path: Where to write.
        done: What became of it; None where it failed.
        batch: Name of the night; None of a whole log.
        seconds: How long it took.
        code: Exit code of the run.
        last: Whether the process ends with it.
    """
    text = "".join(_lines(done, batch, seconds, code)) + "# EOF\n"
    target_file(path).write(text.encode("utf-8", "backslashreplace"), last=last)


def _lines(done: Outcome | None, batch: str | None, seconds: float, code: int) -> Iterator[str]:
    yield _gauge("exit_code", "Exit code of the last run.", {"": code})
    yield _gauge("last_run_timestamp_seconds", "When the last run ended.", {"": round(time(), 3)})
    yield _gauge("run_duration_seconds", "How long the last run took.", {"": round(seconds, 3)})
    if batch is not None:
        name = batch.replace("\\", "\\\\").replace('"', '\\"')
        yield _gauge("last_batch_info", "Batch of the last run.", {f'{{batch="{name}"}}': 1})
    if done is None:
        return
    counts = done.manifest["counts"]
    rows = {name: number for name, number in counts.items() if name in ROWS}
    yield _gauge("rows", "Rows of the last run, by what they were.", _by("kind", rows))
    yield _gauge("rejected_rows", "Rejected rows of the last run.", _by("reason", counts["rejected_by_reason"]))
    made = {name: counts[name] for name in ("sessions", "active_sessions", "profiles", "conversions")}
    yield _gauge("made", "What the last run has made of the rows.", _by("kind", made))
    yield _gauge("nothing_to_do", "Whether the last run had nothing to do.", {"": int(done.run is None)})
    yield _gauge("withdrawn_batches", "Batches that the last run has withdrawn.", {"": len(done.withdrawn)})
    yield _gauge("notes", "Notes on the last run.", {"": len(done.manifest["notes"])})
    if done.manifest["watermark"] is not None:
        moment = datetime.fromisoformat(done.manifest["watermark"]).timestamp()
        yield _gauge("watermark_timestamp_seconds", "No event before it is taken any more.", {"": moment})


ROWS: Final = (
    "rows_read",
    "events",
    "rejected",
    "duplicates",
    "late",
    "early",
    "carried_in",
    "carried_out",
    "left_out",
)


def _by(label: str, numbers: dict[str, int]) -> dict[str, float]:
    return {f'{{{label}="{name}"}}': number for name, number in numbers.items()}


def _gauge(name: str, words: str, samples: dict[str, float]) -> str:
    if not samples:
        return ""
    lines = [f"# HELP sessionize_{name} {words}", f"# TYPE sessionize_{name} gauge"]
    lines += [f"sessionize_{name}{labels} {number}" for labels, number in samples.items()]
    return "\n".join(lines) + "\n"


def as_object(error: SessionizeError) -> str:
    """An error as JSON, for who reads stdout."""
    told = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
    return json.dumps({"error": told}, indent=2, ensure_ascii=True)
