"""`sessionize run --state`: what is typed for a night, and what is shown after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sessionize.cli import options as o
from sessionize.cli import parse, view
from sessionize.config import DEFAULT_LATENESS, Config, Nightly
from sessionize.errors import UsageError

if TYPE_CHECKING:
    from sessionize.one_shot import Outcome

NEED_STATE: Final = (
    "batch",
    "batch_from_name",
    "allowed_lateness",
    "max_late",
    "max_early",
    "redo",
    "allow_gap",
    "flush",
)
"""Options that say something of nights only."""


def targets(typed: o.Typed, config: Config) -> list[tuple[Config, Nightly | None]]:
    """What is to be run, in order: the nights that were asked for, or a whole log.

    Args:
        typed: Parameters by name.
        config: What was asked for.
    """
    if not typed["state"]:
        without = [f"--{name.replace('_', '-')}" for name in NEED_STATE if typed[name]]
        if without:
            raise UsageError(f"{', '.join(without)} needs --state", hint="--state DIR keeps what is open")
        if not typed["inputs"]:
            raise UsageError("no input", hint="name a file, a folder, a glob, or - for stdin")
        return [(config, None)]
    if typed["batch_from_name"]:
        return _by_name(typed, config)
    if not typed["batch"]:
        raise UsageError("--state needs --batch", hint="a name for this night's output, for example --batch 2024-05-30")
    return [(config, _nightly(typed, typed["batch"]))]


def _by_name(typed: o.Typed, config: Config) -> list[tuple[Config, Nightly | None]]:
    from sessionize.nightly.batch_names import batches, left

    beside = [f"--{name}" for name in ("batch", "flush", "until") if typed[name]]
    if beside:
        raise UsageError(
            f"--batch-from-name and {', '.join(beside)} do not go together", hint="the files' names say the batches"
        )
    found = batches(typed["batch_from_name"], config)
    todo = found if typed["redo"] else left(found, typed["state"])
    return [(replace(config, inputs=files), _nightly(typed, name)) for name, files in todo]


def _nightly(typed: o.Typed, batch: str) -> Nightly:
    lateness = typed["allowed_lateness"]
    return Nightly(
        state=typed["state"],
        batch=batch,
        lateness=parse.duration(lateness, "--allowed-lateness") if lateness else DEFAULT_LATENESS,
        redo=bool(typed["redo"]),
        flush=bool(typed["flush"]),
        allow_gap=bool(typed["allow_gap"]),
        given=typed.chosen,
    )


def account(finished: Outcome) -> dict[str, Any]:
    """The manifest as it is printed: with what became of the run beside, where that is not what usually does."""
    told: dict[str, Any] = {"nothing_to_do": True} if finished.run is None else {}
    if finished.withdrawn:
        told["withdrawn"] = list(finished.withdrawn)
    if finished.notes:
        told["notes"] = [*finished.manifest.get("notes", ()), *finished.notes]
    return finished.manifest | told


def show(finished: Outcome, *, quiet: bool, color: bool) -> None:
    """What was carried over, and what the one who runs it should know; of a quiet run only whose output is gone."""
    carried = "" if finished.run is None else ", ".join(_carried(finished.manifest["counts"]))
    if carried and not quiet:
        view.say("nights", f"{carried}; watermark {finished.manifest['watermark']}", color=color)
    if finished.withdrawn:
        view.notes([f"withdrawn: {', '.join(f'batch={name}' for name in finished.withdrawn)}"], color=color)
    if finished.withdrawn or not quiet:
        view.notes(finished.notes, color=color)


def _carried(counts: Mapping[str, int]) -> Iterator[str]:
    for name, words in (
        ("carried_in", "events carried in"),
        ("carried_out", "carried out"),
        ("early", "early"),
        ("late", "late"),
    ):
        if counts.get(name):
            yield f"{counts[name]:,} {words}"
