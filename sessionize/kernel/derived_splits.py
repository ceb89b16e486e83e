"""What the row tells beside its columns, as values that may split a session: a campaign in the page, a channel.

Row-local, behind `enriched`.
"""

from __future__ import annotations

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.kernel.channels import channels_of_events


def with_derived_splits(events: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add ``split.<name>`` for each name that no column has.

    Args:
        events: Canonical events with what their own rows tell.
        plan: The names that split.

    Returns:
        The events, with a String column more for each such name; null where a row does not tell.
    """
    found = []
    for name in plan.derived_splits:
        if name in events.columns:
            values = events[name].cast(pl.String)
        elif name == schema.CHANNEL:
            values = channels_of_events(events, plan)
        else:
            values = pl.repeat(None, events.height, dtype=pl.String, eager=True)
        found.append(values.alias(schema.SPLIT_PREFIX + name))
    return events.with_columns(found) if found else events
