"""Ids and addresses in answers: hidden in what an answer reads of a log, refused where an earlier run has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sessionize.config import Config, Plan
from sessionize.errors import UsageError
from sessionize.kernel.privacy import is_address

KEPT_OF_ADDRESSES: Final = {"drop": 0, "truncate": 1, "full": 2}
"""What stays of an address: nothing, its network, all of it."""


def check_as_private(config: Config, rules: Mapping[str, Any]) -> None:
    """Raise UsageError where an earlier run kept what is not to be shown now."""
    asked = {
        "--hash-ids": config.hash_key is not None and not rules.get("hash_ids"),
        f"--ip {config.ip}": KEPT_OF_ADDRESSES[config.ip] < KEPT_OF_ADDRESSES[rules.get("ip", "full")],
    }
    for option in (option for option, is_less in asked.items() if is_less):
        raise UsageError(
            f"{config.inputs[0]}: the earlier run went without {option}, and has what that would hide",
            hint=f"name the log itself, with {option}",
        )


def with_guarded(plan: Plan, config: Config) -> Plan:
    """The plan in which ids and addresses are private in the columns that only the answer needs, too.

    Args:
        plan: What the configuration means for the log.
        config: What was asked for.

    Raises:
        UsageError: If one of them has addresses, of which none are to be left.
    """
    guarded = tuple(name for name in plan.properties if name not in config.properties)
    for name in guarded if plan.ip == "drop" else ():
        if is_address(name, plan):
            raise UsageError(
                f"{name!r} has addresses, and --ip drop leaves none",
                hint="--ip truncate keeps their networks; or leave the column out",
            )
    return replace(plan, guarded=guarded)
