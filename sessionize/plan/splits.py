"""What the names that split a session stand for in this log."""

from __future__ import annotations

from collections.abc import Mapping

from sessionize import schema
from sessionize.config import Rules
from sessionize.errors import UsageError
from sessionize.kernel.references import field_type
from sessionize.plan.evidence import Types
from sessionize.plan.named import check_exists


def splits(
    rules: Rules,
    columns: Mapping[str, tuple[str, ...]],
    types: Types,
    *,
    channels: bool,
    optional: frozenset[str] = frozenset(),
) -> dict[str, tuple[str, ...]]:
    """What each name that splits stands for, where it is no column: columns, or none as the row tells it or the log lacks it.

    Raises:
        UsageError: If the log has nothing of that name.
    """
    found: dict[str, tuple[str, ...]] = {}
    in_page = schema.PAGE in columns and not any(name in columns for name in schema.UTM)
    for name in rules.split_names:
        if field_type(name, types) is not None:
            continue
        told = (name in schema.UTM and in_page) or (name == schema.CHANNEL and channels)
        if name not in columns and not told and name not in optional:
            origin = "--split-on" if name in rules.split_on else "--split-on-arrival"
            if name == schema.CHANNEL:
                raise UsageError(f"{origin} {name}: the log has no such column", hint="add --channels, which finds it")
            check_exists(name, types, origin)
        found[name] = columns.get(name, ())
    return found
