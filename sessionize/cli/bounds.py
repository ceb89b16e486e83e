"""How many rows may be rejected, late or early before a run that is complete says exit 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sessionize.cli import options as o
from sessionize.cli import parse
from sessionize.errors import ChecksFailed

if TYPE_CHECKING:
    from sessionize.one_shot import Outcome

OF_A_NIGHT: Final = "5%"
"""Of the rows of a night, where nothing else is said; a whole log has no limit."""
WHERE: Final = {
    "rejected": "the rows and reasons are in rejected.ndjson",
    "late": "the rows are in late.ndjson",
    "early": "the rows wait for their own night",
}
Limits = Mapping[str, tuple[str, parse.Limit]]


def limits(typed: o.Typed) -> Limits:
    """Limits that are in force, as they were typed and as values, by what they are of.

    Raises:
        UsageError: If one is no limit.
    """
    default = OF_A_NIGHT if typed["state"] else None
    texts = {name: default if typed[f"max_{name}"] is None else str(typed[f"max_{name}"]) for name in WHERE}
    return {name: (text, parse.limit(text, f"--max-{name}")) for name, text in texts.items() if text is not None}


def broken(in_force: Limits, done: Outcome) -> list[ChecksFailed]:
    """What to say where a limit does not hold; nothing where the night was run before and has said it then.

    Args:
        in_force: How many rows may be rejected, late or early.
        done: What became of the run.
    """
    return [] if done.run is None else [*_over(in_force, done), *_lost(done)]


def _over(in_force: Limits, done: Outcome) -> Iterator[ChecksFailed]:
    counts = done.manifest["counts"]
    whole = counts["rows_read"]
    numbers = {"rejected": counts["rejected"], "late": counts["late"], "early": done.early}
    # Passive events in no session are no sign of a wrong file, and may be of the night before.
    if in_force.get("rejected", ("",))[0] == OF_A_NIGHT or not whole:
        numbers["rejected"] -= counts["rejected_by_reason"].get("passive_alone", 0)
    over = {name: text for name, (text, most) in in_force.items() if most.broken_by(numbers[name], whole)}
    if over:
        told = ", ".join(
            f"{numbers[name]} of {whole} rows {name}, over --max-{name} {text}" for name, text in over.items()
        )
        yield ChecksFailed(told, hint=f"outputs are complete; {'; '.join(WHERE[name] for name in over)}")


def _lost(done: Outcome) -> Iterator[ChecksFailed]:
    """Nights before whose output somebody has taken away."""
    if done.lost:
        names = ", ".join(f"batch={name}" for name in done.lost)
        yield ChecksFailed(
            f"the output of {names} is not there any more",
            hint=f"this night's outputs are complete; put them back, or run --batch {done.lost[0]} --redo, with its own "
            f"input, and the nights after it",
        )
