"""Logs of some days, a night on one of them, and what it left."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sessionize.config import Config, Nightly, Output, Rules
from sessionize.nightly.job import run_night
from sessionize.one_shot import Outcome

FIRST = datetime(2024, 5, 1, tzinfo=UTC)


def write_log(folder: Path, days: int, events: int = 40) -> list[Path]:
    """A log of some days, a file a day, the files cut ten minutes after midnight."""
    chance = random.Random(5)  # noqa: S311
    found: list[list[str]] = [[] for _ in range(days)]
    for minute in sorted(chance.sample(range(days * 1440 - 30), days * events)):
        day = max(0, (minute - 10) // 1440)
        user, kind = chance.choice("abcdef"), chance.choice(("page_view", "click", "purchase"))
        found[day].append(f"{(FIRST + timedelta(minutes=minute)).isoformat()},{user},{kind},/{chance.randrange(9)}")
    folder.mkdir(parents=True, exist_ok=True)
    for day, lines in enumerate(found):
        path = folder / f"{name_of(day)}.csv"
        path.write_text("\n".join(["time,user_id,event_type,page", *lines, ""]))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return [folder / f"{name_of(day)}.csv" for day in range(days)]


def name_of(day: int) -> str:
    """The date of a day of the log, from 0."""
    return (FIRST + timedelta(days=day)).date().isoformat()


def night(place: Path, *logs: Path, batch: str | None = None, config: Config | None = None, **more: Any) -> Outcome:
    """Run a night; its batch is named for its first file."""
    asked = Nightly(state=str(place / "state"), batch=batch or logs[0].stem, **more)
    base = config or Config(rules=Rules(timeout=timedelta(hours=2)))
    return run_night(
        Config(**{**vars(base), "inputs": tuple(map(str, logs))}),
        Output(directory=str(place / "out"), events=True),
        asked,
    )


def tree(place: Path) -> dict[str, bytes]:
    """Every file there is, locks aside."""
    paths = (path for path in place.rglob("*") if path.is_file() and path.name not in ("lock", ".sessionize.lock"))
    return {str(path.relative_to(place)): path.read_bytes() for path in paths}


def folders(place: Path) -> set[str]:
    """Names of the outputs' folders."""
    return {path.name for path in (place / "out").iterdir() if path.is_dir()}
