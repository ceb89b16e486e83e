"""A small log, and what a run says of its columns."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from first_contact import Said

NOON = datetime(2024, 5, 30, 12, tzinfo=UTC)


def csv(folder: Path, text: str, name: str = "log.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def visits(header: str, *columns: Any, rows: int = 100) -> str:
    """A CSV with a row a minute; a column is a function of the row's number."""
    lines = (",".join(str(column(number)) for column in columns) for number in range(rows))
    return header + "\n" + "".join(f"{line}\n" for line in lines)


def minute(number: int) -> str:
    return f"2024-05-30T{number // 60:02}:{number % 60:02}:00Z"


def columns(said: Said) -> dict[str, Any]:
    assert said.manifest is not None, said.text
    found: dict[str, Any] = said.manifest["columns"]
    return found


def notes(said: Said) -> list[str]:
    assert said.manifest is not None, said.text
    found: list[str] = said.manifest["notes"]
    return found


def starts(folder: Path) -> list[datetime]:
    return pl.read_parquet(folder / "out" / "metrics.parquet")["start"].to_list()
