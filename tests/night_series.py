"""Nights as a scheduler runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

from console import Outcome, sessionize
from night_logs import name_of, tree

HEAD = "time,user_id,event_type,page\n"


def run(place: Path, day: int | str, *more: str, log: Path | None = None) -> Outcome:
    """A night as a scheduler would run it: quiet."""
    name = name_of(day) if isinstance(day, int) else day
    file = log or place / "logs" / f"{name}.csv"
    return sessionize(
        "run", file.relative_to(place), "-o", "out", "--state", "state", "--batch", name, "-q", "--max-late", "100%",
        "--timeout", "2h", *more, cwd=place,
    )  # fmt: skip


def done(place: Path, *days: int) -> None:
    """Nights that end well, without a word."""
    for day in days:
        assert run(place, day) == (0, "", "")


def outputs(place: Path) -> dict[str, bytes]:
    """Every file of the outputs and the state."""
    return {name: content for name, content in tree(place).items() if name.startswith(("out/", "state/"))}


def unbroken(place: Path, days: int = 5) -> dict[str, bytes]:
    """What all nights in order leave."""
    whole = place.parent / f"{place.name}-whole"
    shutil.copytree(place / "logs", whole / "logs")
    done(whole, *range(days))
    return outputs(whole)


def night(place: Path, day: int, log: Path, *more: str) -> Outcome:
    """A night with the usual limits."""
    return sessionize(
        "run", log.relative_to(place), "-o", "out", "--state", "state", "--batch", name_of(day), "-q", *more, cwd=place
    )
