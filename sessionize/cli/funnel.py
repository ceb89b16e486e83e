"""`sessionize funnel`: how many sessions go from step to step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sessionize.cli import answering as a
from sessionize.cli import options as o
from sessionize.cli import parse, settings

FUNNEL = "The funnel"
MOST_LEFT = 3
"""Names of what came in place of a step, in a CSV."""


@o.command(
    o.texts("step", "Step: an event type, page:PATTERN (* is any text), or SQL over the events. Repeatable, in order.",
            "STEP", panel=FUNNEL),
    o.text("within", "Longest time from the first step to the last. [default: the session]", "DURATION", panel=FUNNEL),
    o.flag("strict", "No other events between the steps, as ClickHouse's strict_order. [default: others allowed]",
           panel=FUNNEL),
    a.BY,
    *a.SELECTING,
    a.JSON,
    a.CSV,
    arguments=[o.log_inputs(a.LOG_OR_RUN)],
)  # fmt: skip
def funnel(typed: o.Typed) -> None:
    """Count the sessions that go from step to step, in order: as ClickHouse's windowFunnel does.

    \b
    sessionize funnel events.csv --step product --step cart --step purchase
    sessionize funnel access.log --step 'page:/' --step 'page:/checkout/*' --within 10m
    sessionize funnel events.csv --step "event_type = 'cart' AND value > 100" --step purchase --by utm_source
    """
    from sessionize.answers import FunnelAsk
    from sessionize.answers import funnel as job
    from sessionize.cli.screens.funnel import lines

    typed = settings.with_file(typed)
    ask = FunnelAsk(
        selection=a.selection(typed),
        by=typed["by"],
        steps=tuple(typed["step"] or ()),
        within=None if typed["within"] is None else parse.duration(typed["within"], "--within"),
        strict=typed["strict"],
    )
    a.answer(
        typed,
        lambda config, progress: job(config, ask, progress),
        lambda found, where: lines(found.data, found.facts, where),
        rows,
    )


def rows(data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """A step a row; with groups, a step of a group."""
    if data["groups"]:
        return [{"group": a.named(group["name"]), **step} for group in data["groups"] for step in group["steps"]]
    return [_flat(step) for step in data["steps"]]


def _flat(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step with what its sessions did in place of the next one in columns of their own."""
    found = {name: value for name, value in step.items() if name != "left_for"}
    for place in range(MOST_LEFT):
        left = step["left_for"][place] if place < len(step["left_for"]) else {}
        found |= {f"left_{place + 1}_{name}": left.get(name) for name in ("name", "sessions", "share")}
    return found
