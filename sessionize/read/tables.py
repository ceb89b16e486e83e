"""Folders of Delta Lake, Hudi and Iceberg: their dead files lie beside the live ones, so no folder of them is a log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sessionize.errors import InputError
from sessionize.stores import AnyPath, below, folders_among
from sessionize.values import NamedTuple

LEVELS: Final = 8
"""Folders above a file in which the table it belongs to is looked for."""
MARKS: Final = ("_delta_log", ".hoodie", "metadata")
"""Names of folders, of which tables have one."""


class _Kind(NamedTuple):
    name: str
    cure: str


DELTA: Final = _Kind("a Delta table", "python -c \"import polars; polars.scan_delta({folder}).sink_parquet('log.parquet')\""
                     " writes its live rows; it needs pip install deltalake")  # fmt: skip
ICEBERG: Final = _Kind("an Iceberg table", "python -c \"import polars; polars.scan_iceberg({metadata}).sink_parquet("
                       "'log.parquet')\" writes its live rows; it needs pip install pyiceberg pyarrow")  # fmt: skip
HUDI: Final = _Kind("a Hudi table", "write its live rows to a file first, with Spark: "
                    "spark.read.format('hudi').load({folder}).write.parquet('log')")  # fmt: skip


def check_no_table(folder: AnyPath, folders: Collection[str]) -> None:
    """Refuse the folder of a table.

    Args:
        folder: Folder to look at.
        folders: Names of those right below it.

    Raises:
        InputError: With the command that writes the table's live rows.
    """
    if "_delta_log" in folders:
        raise _refused(folder, DELTA)
    if ".hoodie" in folders:
        raise _refused(folder, HUDI)
    if "metadata" in folders and (versions := _versions(folder)):
        raise _refused(folder, ICEBERG, versions[-1])


def check_in_no_table(path: AnyPath) -> None:
    """Refuse a file, or a folder, that lies in a table.

    Raises:
        InputError: With the command that writes the table's live rows.
    """
    above = path.absolute().parents[:LEVELS]
    found = folders_among(folder / name for folder in above for name in MARKS)
    for folder in above:
        there = [name for name in MARKS if folder / name in found]
        if there:
            check_no_table(folder, there)


def _versions(folder: AnyPath) -> list[AnyPath]:
    found = below(folder / "metadata", "*.metadata.json")
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _refused(folder: AnyPath, kind: _Kind, metadata: AnyPath | None = None) -> InputError:
    return InputError(
        f"{folder}: {kind.name}: files that are no longer part of it lie beside those that are",
        hint=kind.cure.format(folder=repr(str(folder)), metadata=repr(str(metadata))),
    )
