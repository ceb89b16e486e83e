"""`sessionize run --state`: what is typed for a night, and what is shown after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sessionize.cli import options as o
from sessionize.cli import parse, view
from sessionize.config import DEFAULT_LATENESS, Config, Nightly, Output
from sessionize.errors import UsageError

if TYPE_CHECKING:
    from sessionize.nightly.job import Outcome


def nightly(typed: o.Typed) -> Nightly | None:
    """The night that was asked for; None for a run over a whole log.

    Args:
        typed: Parameters by name.
    """
    state, batch, lateness = typed["state"], typed["batch"], typed["allowed_lateness"]
    if not state:
        without = [
            f"--{name.replace('_', '-')}" for name in ("batch", "allowed_lateness", "redo", "flush") if typed[name]
        ]
        if without:
            raise UsageError(f"{', '.join(without)} needs --state", hint="--state DIR keeps what is open")
        if not typed["inputs"]:
            raise UsageError("no input", hint="name a file, a folder, a glob, or - for stdin")
        return None
    if not batch:
        raise UsageError("--state needs --batch", hint="a name for this night's output, for example --batch 2024-05-30")
    return Nightly(
        state=state,
        batch=batch,
        lateness=parse.duration(lateness, "--allowed-lateness") if lateness else DEFAULT_LATENESS,
        redo=bool(typed["redo"]),
        flush=bool(typed["flush"]),
        given=typed.chosen,
    )


def run(config: Config, output: Output, asked: Nightly, progress: Callable[[str], None]) -> Outcome:
    """Run a night."""
    from sessionize.nightly.job import run_night

    return run_night(config, output, asked, progress)


def show(counts: Mapping[str, int], watermark: str, notes: Sequence[str], *, color: bool) -> None:
    """What was carried over, and what the one who runs it should know."""
    carried = ", ".join(_carried(counts))
    if carried:
        view.say("nights", f"{carried}; watermark {watermark}", color=color)
    view.notes(notes, color=color)


def _carried(counts: Mapping[str, int]) -> Iterator[str]:
    for name, words in (
        ("carried_in", "events carried in"),
        ("carried_out", "carried out"),
        ("early", "early"),
        ("late", "late"),
    ):
        if counts.get(name):
            yield f"{counts[name]:,} {words}"
