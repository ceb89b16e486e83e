"""`sessionize run --dry-run`: what would be read, written and withdrawn, as lines on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sessionize.cli import view
from sessionize.config import Config, Nightly, Output


def show(targets: Sequence[tuple[Config, Nightly | None]], output: Output, *, as_json: bool) -> None:
    """Say what each run would do; it fails where the run would, before any row is read.

    Args:
        targets: What is to be run, in order.
        output: What to write, and where.
        as_json: Whether each is a line of JSON.
    """
    for found in _all(targets, output):
        print(json.dumps(found, ensure_ascii=False) if as_json else view.plain(_line(found)))


def _all(targets: Sequence[tuple[Config, Nightly | None]], output: Output) -> Iterator[dict[str, Any]]:
    state: Any = None
    for place, (config, nightly) in enumerate(targets):
        if nightly is None:
            yield _whole(config, output)
            continue
        from sessionize.nightly.dry import meant
        from sessionize.nightly.store import load

        found = meant(config, output, nightly, load(Path(nightly.state)) if place == 0 else state)
        state = found.state
        yield {
            "batch": nightly.batch,
            "nothing_to_do": found.nothing,
            "reads": [{"path": file["path"], "bytes": file["bytes"]} for file in found.inputs],
            "writes": None if found.nothing else str(Path(output.directory) / nightly.folder),
            "withdraws": [str(Path(output.directory) / f"batch={name}") for name in found.withdrawn],
            "notes": list(found.notes),
        }


def _whole(config: Config, output: Output) -> dict[str, Any]:
    from sessionize.opening import opened

    with opened(config) as there:
        reads = [{"path": file.path, "bytes": file.bytes} for file in there.log.files]
    return {"reads": reads, "writes": "stdout" if output.to_stdout else output.directory, "withdraws": []}


def _line(found: Mapping[str, Any]) -> str:
    """The same in words."""
    batch = f"batch {found['batch']}: " if "batch" in found else ""
    if found.get("nothing_to_do"):
        return f"{batch}nothing to do"
    reads = ", ".join(f"{file['path']} ({view.bytes_text(file['bytes'])})" for file in found["reads"])
    parts = [f"read {reads}"] if reads else []
    parts.append(f"write {found['writes']}")
    if found["withdraws"]:
        parts.append(f"withdraw {', '.join(found['withdraws'])}")
    return f"{batch}would {'; '.join([*parts, *found.get('notes', ())])}"
