"""The ways of running: they differ only in how a key's rows come together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sessionize import schema
from sessionize.commit import Result, commit
from sessionize.config import Config, Output, Plan
from sessionize.errors import InputError
from sessionize.geo import Places, located
from sessionize.plan import resolve
from sessionize.read import Log, open_log
from sessionize.ways.one_pass import in_one_pass


def run(config: Config, output: Output, tell: Callable[[str], None] = lambda _: None) -> tuple[Result, dict[str, Any]]:
    """The main job: an event log in; sessions, metrics and a manifest out.

    Args:
        config: What was asked for.
        output: What to write, and where.
        tell: Told the name of each stage as it begins.

    Returns:
        What was written, and the manifest.

    Raises:
        SessionizeError: Of the kind that says who must act.
    """
    tell("opening")
    places = None if config.geo_db is None else Places(config.geo_db)
    log = open_log(config)
    plan = only_needed(resolve(config, log.schema, log.sample), output)
    tell("reading and sessionizing")
    result = in_one_pass(log, plan, output)
    result = result._replace(sessions=located(result.sessions, places, plan))
    if config.on_bad_row == "fail" and result.rejected.height:
        raise _bad_row(log, result, plan)
    tell("writing")
    return result, commit(result, log, plan, output)


def only_needed(plan: Plan, output: Output) -> Plan:
    """The plan without the columns that no output needs, so that they are not read."""
    if output.events:
        return plan
    looked_into = plan.agents or plan.exclude_bots
    unused = (set() if looked_into else {schema.USER_AGENT}) | (set() if output.records else {schema.IP})
    kept = {role: names for role, names in plan.columns.items() if role not in unused}
    if output.records:
        return replace(plan, columns=kept)
    return replace(plan, columns=kept, properties=(), traits=())


def _bad_row(log: Log, result: Result, plan: Plan) -> InputError:
    first = result.rejected.row(0, named=True)
    file, row, reason = log.files[first[schema.FILE]].path, first[schema.ROW], first[schema.REASON]
    raw = "(not shown, as ids are private)" if plan.private else log.raw(result.rejected.head(1))["raw"].item()
    return InputError(
        f"{file}, row {row}: {reason} ({result.rejected.height} bad rows in all); nothing was written",
        hint=f"it reads {raw[:200]!r}; --on-bad-row reject keeps such rows apart and goes on",
    )
