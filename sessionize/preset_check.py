"""Whether a preset fits a log: for each role what it found there, with some values."""

from __future__ import annotations

from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config, Plan
from sessionize.kernel.references import text
from sessionize.plan import resolve
from sessionize.read import Log, open_log
from sessionize.values import NamedTuple

VALUES: Final = 3


class Role(NamedTuple):
    """A role and what a preset finds for it.

    Attributes:
        name: The role.
        columns: References in the log's own names; none where the log has none of those that the preset names.
        named: Whether the preset names the role; one that it does not name is found by its usual names.
        values: The first different values.
        share: Share of the first rows that have one.
    """

    name: str
    columns: tuple[str, ...]
    named: bool
    values: tuple[str, ...]
    share: float


class Fitted(NamedTuple):
    """What a preset makes of a log.

    Attributes:
        roles: Every role that the preset names or the log has.
        times: How times are written.
        rows: Rows that were looked at: the first.
    """

    roles: tuple[Role, ...]
    times: str
    rows: int


def fitted(config: Config) -> Fitted:
    """Try a preset on a log.

    Args:
        config: The log, and the preset.

    Raises:
        InputError: If the log cannot be read.
        UsageError: If the log is not of the preset's layout, or a column, a condition or a time format is wrong.
    """
    log = open_log(config)
    with log.reading():
        plan = resolve(config, log.schema, log.sample)
        rows = log.sample(pl.col(schema.ROW))
        named = {} if config.preset is None else config.preset.columns
        roles = tuple(
            _role(name, log, plan, named=name in named)
            for name in schema.ROLES
            if name in plan.columns or named.get(name)
        )
    return Fitted(roles, plan.time.pattern or plan.time.kind, len(rows))


def _role(name: str, log: Log, plan: Plan, *, named: bool) -> Role:
    columns = plan.columns.get(name, ())
    if not columns:
        return Role(name, (), named, (), 0.0)
    values = log.sample(pl.concat_str([text(each, log.schema) for each in columns], separator=" | "))
    different = values.drop_nulls().unique(maintain_order=True).head(VALUES).to_list()
    share = 1 - values.null_count() / len(values) if len(values) else 0.0
    return Role(name, columns, named, tuple(different), share)
