"""What a run of a known layout wrote, and where samples of layouts are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from console import ROOT, typed

CASES: Final = ROOT.parent / "shared" / "cases"
needs_cases: Final = pytest.mark.skipif(not CASES.is_dir(), reason="samples are not here")
VISITOR: Final = 32
"""Characters of a visitor's digest."""


class Ran:
    """What a run wrote."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.counts = self.manifest["counts"]
        self.columns = self.manifest["columns"]
        self.layout = self.manifest["layout"]
        self.sessions = rows_of(folder / "metrics.ndjson")
        self.rejected = rows_of(folder / "rejected.ndjson")

    def of(self, *fields: str) -> list[tuple[Any, ...]]:
        """Some fields of each session; start and end as their time of day."""
        return [
            tuple(row[field][11:19] if field in ("start", "end") else row[field] for field in fields)
            for row in self.sessions
        ]

    @property
    def totals(self) -> tuple[Any, ...]:
        """Layout, sessions, events, page views, conversions, value, first entry page."""
        rows = self.sessions
        sums = [sum(row[name] for row in rows) for name in ("events", "page_views", "conversions")]
        value = sum(row["value"] or 0 for row in rows)
        return (self.layout, len(rows), *sums, value, rows[0]["entry_page"] if rows else None)


def ran(folder: Path, *arguments: object, command: str = "run") -> Ran:
    """A run in this process."""
    out = folder / "out"
    typed([command, *map(str, arguments), "-o", str(out), "--format", "ndjson", "-q"])
    return Ran(out)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ndjson(path: Path, *rows: Any) -> Path:
    """A file with a line for each row."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
