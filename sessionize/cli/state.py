"""`sessionize state`: what a state of nightly runs holds."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sessionize.cli import options as o
from sessionize.cli import view
from sessionize.errors import UsageError
from sessionize.locations import local_path


@o.command(
    o.flag("json", "Print it as JSON."),
    arguments=[o.argument("directory", "Directory of the state.", "DIR")],
)
def state(typed: o.Typed) -> None:
    """Show what a state holds: watermark, open sessions, size, batches.

    sessionize state state
    """
    from sessionize.nightly.store import held

    directory = typed["directory"]
    found = held(Path(local_path(directory, "DIR")))
    if found is None:
        raise UsageError(f"{directory}: no state of nightly runs", hint="run --state DIR --batch NAME makes one")
    if typed["json"]:
        print(json_text.dumps(found, indent=2, ensure_ascii=False))
        return
    for label, text in _lines(found):
        print(f"{label:>10}  {view.plain(text)}")


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "watermark", found["watermark"] or "none yet"
    if found["flushed"]:
        yield "flushed", "its sessions are final; a further night needs a new state"
    since = f", the oldest since {found['oldest']}" if found["oldest"] else ""
    yield "open", f"{found['open_sessions']:,} sessions of {found['carried']:,} events{since}"
    if found["early"]:
        yield "early", f"{found['early']:,} events wait for their night"
    yield "size", view.bytes_text(found["bytes"])
    if found["again"]:
        yield "run again", ", ".join(found["again"])
    if found["unpublished"]:
        yield "unfinished", f"the output of {found['unpublished']} appears with the next run"
    for night in found["batches"]:
        counts = night["counts"]
        redo = "" if night["can_be_run_again"] else "; too old to be run again"
        yield "batch", f"{night['name']}: {counts['events']:,} events in {counts['sessions']:,} sessions{redo}"
