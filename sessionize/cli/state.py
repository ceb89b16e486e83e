"""`sessionize state`: what a state of nightly runs holds."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sessionize.cli import options as o
from sessionize.cli import parse, view
from sessionize.errors import ChecksFailed, UsageError
from sessionize.locations import STATE, local_path


@o.command(
    o.flag("json", "Print it as JSON."),
    o.text(
        "max_age",
        "Exit 1 if the newest night ended longer ago than this, or a night is missing: 36h. [default: no limit]",
        "DURATION",
    ),
    arguments=[o.argument("directory", "Directory of the state.", "DIR")],
)
def state(typed: o.Typed) -> None:
    """Show what a state holds: watermark, open sessions, size, batches.

    \b
    sessionize state state
    sessionize state state --max-age 36h
    """
    from sessionize.nightly.store import held

    directory = typed["directory"]
    path = Path(local_path(directory, STATE, is_input=True))
    if path.exists() and not path.is_dir():
        raise UsageError(
            f"{directory} is a file, and a state is a folder", hint="sessionize state DIR, the DIR of --state"
        )
    found = held(path)
    if found is None:
        raise UsageError(
            f"{directory}: no state of nightly runs",
            hint="sessionize run INPUT -o DIR --state STATE --batch NAME makes one",
        )
    longest = None if typed["max_age"] is None else parse.duration_or_none(typed["max_age"], "--max-age")
    if typed["json"]:
        print(json_text.dumps(found, indent=2, ensure_ascii=False))
    else:
        for label, text in _lines(found):
            print(f"{label:>10}  {view.plain(text)}")
    wrong = [] if longest is None else list(_wrong(found, longest))
    if wrong:
        raise ChecksFailed("; ".join(wrong), hint=f"look at what runs the nights of {directory}")


def _wrong(found: Mapping[str, Any], longest: timedelta) -> Iterator[str]:
    """What a monitor should call someone for."""
    newest, ended = found["batches"][-1]["name"] if found["batches"] else None, found["until"] or found["newest"]
    age = None if ended is None else datetime.now(UTC) - datetime.fromisoformat(ended)
    if newest is None or age is None:
        yield "no night was run"
    elif age > longest:
        yield f"the newest night, {newest}, ended at {ended}, {age / timedelta(hours=1):,.0f} hours ago"
    if found["missing"]:
        yield f"{', '.join(found['missing'])} was not run"
    if found["again"]:
        yield f"{', '.join(found['again'])} must be run again"
    if found["unpublished"]:
        yield f"the output of {found['unpublished']} appears only with the next run"


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "watermark", found["watermark"] or "none yet"
    if found["flushed"]:
        yield "flushed", "its sessions are final; a further night needs a new state"
    since = f", the oldest since {found['oldest']}" if found["oldest"] else ""
    yield "open", f"{found['open_sessions']:,} sessions of {found['carried']:,} events{since}"
    if found["early"]:
        yield "early", f"{found['early']:,} events wait for their night"
    yield "size", view.bytes_text(found["bytes"])
    if found["missing"]:
        yield "missing", ", ".join(found["missing"])
    if found["again"]:
        yield "run again", ", ".join(found["again"])
    if found["unpublished"]:
        yield "unfinished", f"the output of {found['unpublished']} appears with the next run"
    for night in found["batches"]:
        counts = night["counts"]
        redo = "" if night["can_be_run_again"] else "; too old to be run again"
        yield "batch", f"{night['name']}: {counts['events']:,} events in {counts['sessions']:,} sessions{redo}"
