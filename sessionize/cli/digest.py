"""A run's summary as Markdown, to be mailed: what was done, or what went wrong, and what the checks found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import view
from sessionize.errors import ChecksFailed, SessionizeError

if TYPE_CHECKING:
    from sessionize.checks.in_run import InRun
    from sessionize.one_shot import Outcome
    from sessionize.output.one_file import OneFile

OURS: Final = "# sessionize"
"""How a summary begins."""
ROWS: Final = {
    "rows_read": "rows read", "rejected": "rejected", "duplicates": "duplicates left out", "late": "late",
    "early": "early", "carried_in": "events carried in", "carried_out": "events carried out", "events": "events",
    "sessions": "sessions", "profiles": "profiles", "conversions": "conversions",
}  # fmt: skip
RATES: Final = {"bounce_rate": "bounced", "engagement_rate": "engaged", "conversion_rate": "converted"}


class Status:
    """What is told of one run, as it becomes known.

    Args:
        batch: Name of the night; None of a whole log.
        judge: What makes its checks; None where none are made.
        is_idle: Whether there was nothing to do.

    Attributes:
        outcome: What became of it; None where it failed.
        broken: What does not hold, though the outputs are complete.
        error: Why it failed.
        ended: Exit code of one that a signal ended; None of any other.
    """

    def __init__(self, batch: str | None, judge: InRun | None, *, is_idle: bool = False) -> None:
        self.batch, self.judge, self.is_idle = batch, judge, is_idle
        self.outcome: Outcome | None = None
        self.broken: list[ChecksFailed] = []
        self.error: SessionizeError | None = None
        self.ended: int | None = None

    @property
    def exit_code(self) -> int:
        """Exit code of the run alone; of one that was not done and told no error, that of an unforeseen one."""
        if self.ended is not None:
            return self.ended
        if self.error is not None:
            return self.error.exit_code
        if self.outcome is None and not self.is_idle:
            return SessionizeError.exit_code
        return ChecksFailed.exit_code if self.broken else 0


def target_file(path: str) -> OneFile:
    """The file that the summary goes into.

    Raises:
        UsageError: If what is there was not written by this option.
    """
    from sessionize.output.one_file import OneFile, begins_with

    return OneFile(path, "--summary-file", {}, begins_with(OURS.encode()))


def write(path: str, status: Status, *, last: bool = False) -> None:
    """Write the summary of a run into a file.

    Args:
        path: Where to write.
        status: What is told of it.
        last: Whether the process ends with it.
    """
    text = "\n".join(_lines(status)) + "\n"
    target_file(path).write(text.encode("utf-8", "backslashreplace"), last=last)


def _lines(status: Status) -> Iterator[str]:
    of = "" if status.batch is None else f" {_cell(status.batch)}"
    yield f"{OURS}{of}: {_verdict(status)}"
    problems = [*status.broken, *([status.error] if status.error else [])]
    for error in problems:
        yield from ("", f"**{_cell(error.message)}**")
        if error.hint:
            yield from ("", f"{_cell(error.hint)}")
    if status.outcome is not None:
        yield from _of_outcome(status.outcome)
    if status.judge is not None and status.judge.checked is not None:
        from sessionize.checks.formats.plain import markdown

        yield from ("", markdown(status.judge.checked, only_bad=True).rstrip())


def _cell(text: str) -> str:
    from sessionize.checks.formats.plain import cell

    return cell(text)


def _verdict(status: Status) -> str:
    if status.is_idle:
        return "nothing to do"
    if status.ended is not None:
        return f"ended by a signal, exit code {status.ended}"
    if status.outcome is None:
        return f"failed, exit code {status.exit_code}"
    if status.outcome.run is None:
        return "nothing to do"
    return f"done, and someone should look at it (exit code {status.exit_code})" if status.broken else "done"


def _of_outcome(done: Outcome) -> Iterator[str]:
    manifest: dict[str, Any] = done.manifest
    yield from ("", "| | |", "| --- | ---: |")
    counts = manifest["counts"]
    yield from (f"| {words} | {counts[name]:,} |" for name, words in ROWS.items() if counts.get(name))
    for reason, number in counts["rejected_by_reason"].items():
        yield f"| rejected: {_cell(reason)} | {number:,} |"
    if done.run is not None:
        figures = done.run.figures
        yield from (
            f"| {words} | {figures[name]:.1%} |" for name, words in RATES.items() if figures.get(name) is not None
        )
    yield from ("", "| output | rows | bytes |", "| --- | ---: | ---: |")
    yield from (f"| {_cell(each['path'])} | {each['rows']:,} | {each['bytes']:,} |" for each in manifest["outputs"])
    not_read = (f"not read: {each['path']} ({each['why']})" for each in view.not_read(manifest, quiet=True))
    notes = [
        *not_read,
        *manifest.get("notes", ()),
        *(f"withdrawn: batch={name}" for name in done.withdrawn),
        *done.notes,
    ]
    if notes:
        yield from ("", *(f"- {_cell(note)}" for note in notes))
