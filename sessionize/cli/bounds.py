"""How many rows may be rejected, late or early before a run that is complete says exit 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sessionize.cli import options as o
from sessionize.cli import parse
from sessionize.cli.nightly import Finished
from sessionize.errors import ChecksFailed

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


def broken(in_force: Limits, finished: Finished) -> ChecksFailed | None:
    """What to say where a limit does not hold; None where all do, or the night was run before and has said it then.

    Args:
        in_force: The limits.
        finished: What became of the run.
    """
    if finished.run is None:
        return None
    counts = finished.manifest["counts"]
    whole = counts["rows_read"]
    numbers = {"rejected": counts["rejected"], "late": counts["late"], "early": finished.early}
    if in_force.get("rejected", ("",))[0] == OF_A_NIGHT:  # passive events in no session are no sign of a wrong file
        numbers["rejected"] -= counts["rejected_by_reason"].get("passive_alone", 0)
    over = {name: text for name, (text, most) in in_force.items() if most.broken_by(numbers[name], whole)}
    if not over:
        return None
    told = ", ".join(f"{numbers[name]} of {whole} rows {name}, over --max-{name} {text}" for name, text in over.items())
    return ChecksFailed(told, hint=f"outputs are complete; {'; '.join(WHERE[name] for name in over)}")
