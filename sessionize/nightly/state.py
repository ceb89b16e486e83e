"""What nights leave behind, as values: how far they have come, what they were made of. No files here; `store` has them.

`state.json` is the one pointer: what it does not name does not exist. It holds no clock, host or user, and its last
line is a digest of all before it, so that a flipped byte is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Final

from sessionize.errors import StateError
from sessionize.instants import iso
from sessionize.values import dataclass

VERSION: Final = 1
"""Version of the layout and of what sessions mean: a state of another one is not read."""
KEPT: Final = 7
"""So many of the last nights can be run again."""
REMEMBERED: Final = 1_000
"""Names of older nights, so that one of them is not taken for a new one."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A night that was run, and what it left.

    Attributes:
        name: Name of the batch.
        generation: 1 for the first night, one more for each after it.
        watermark: No event before it is taken any more; microseconds since 1970 UTC, None before the first event.
        until: End of the nights so far.
        newest: Time of the newest event so far.
        flushed: Whether all was emitted, so that nothing may follow.
        carry: Name, rows and digest of the file of carried events.
        open_sessions: Sessions that the carried events belong to, early ones aside.
        oldest: Start of the oldest of these sessions.
        inputs: What is needed to recognise the files of its log.
        rules: The rules by which sessions ended and events were understood.
        columns: Role → columns, of all nights so far.
        counts: Counts of rows and sessions, as its manifest has them.
        seen: Names that were asked for (`--conversion` and the like) and have occurred in any night so far.
        usual_silence: Microseconds between the last event and the end of such nights; None where none has an end.
    """

    name: str
    generation: int
    watermark: int | None
    until: int | None
    newest: int | None
    flushed: bool
    carry: Mapping[str, Any]
    open_sessions: int
    oldest: int | None
    inputs: tuple[Mapping[str, Any], ...]
    rules: Mapping[str, Any]
    columns: Mapping[str, Any]
    counts: Mapping[str, Any]
    seen: tuple[str, ...] = ()
    usual_silence: int | None = None


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a committed night has yet to do with its output, wherever it stopped.

    Attributes:
        directory: Absolute path of the directory of outputs: the next start may be made elsewhere.
        staged: Folder in it that holds the night's output.
        final: Name that this folder is to have.
        withdraw: Folders of later nights, which are to be run again.
    """

    directory: str
    staged: str
    final: str
    withdraw: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class State:
    """All that nights have left behind.

    Attributes:
        owner: Tells this state's temporary folders from those of another that writes into the same directory.
        nights: The last nights, one more than can be run again.
        older: Names of the nights before these.
        again: Names of nights that were withdrawn, to be run again in this order.
        publish: Set between a night's commit and the appearance of its output.
    """

    owner: str
    nights: tuple[Done, ...] = ()
    older: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    publish: Intent | None = None

    @property
    def last(self) -> Done | None:
        """The newest night."""
        return self.nights[-1] if self.nights else None


def new(batch: str) -> State:
    """The state before the first night."""
    return State(owner=hashlib.sha256(batch.encode()).hexdigest()[:8])


def render(state: State) -> bytes:
    """The state as the bytes of its file."""
    content = {"version": VERSION, **asdict(state), "nights": [_content(night) for night in state.nights]}
    return (json.dumps({**content, "sha256": _digest(content)}, indent=1, ensure_ascii=False) + "\n").encode()


def _content(night: Done) -> dict[str, Any]:
    """A night as it is kept. One without what came later to be kept is as it was before."""
    later = {"seen": (), "usual_silence": None}
    return {name: value for name, value in asdict(night).items() if name not in later or value != later[name]}


def parse(content: bytes, name: str) -> State:
    """The state of a file's bytes.

    Raises:
        StateError: If it is damaged, or of another version.
    """
    state: State | None = None
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        found = json.loads(content)
        _check_version(found["version"], name)
        state = State(
            owner=found["owner"],
            nights=tuple(_night(each) for each in found["nights"]),
            older=tuple(found["older"]),
            again=tuple(found["again"]),
            publish=_intent(found["publish"]),
        )
    if state is None or render(state) != content:  # its digest too is part of what would be written
        raise StateError(f"{name} is damaged", hint="put a copy of the whole state back; nothing was touched")
    return state


def _night(found: Mapping[str, Any]) -> Done:
    return Done(**{**found, "inputs": tuple(found["inputs"]), "seen": tuple(found.get("seen", ()))})


def _check_version(version: int, name: str) -> None:
    if version != VERSION:
        raise StateError(
            f"{name} is of version {version}; this program reads version {VERSION}",
            hint="run it with the version of sessionize that wrote it, or begin a new --state with --redo",
        )


def _intent(found: Mapping[str, Any] | None) -> Intent | None:
    return None if found is None else Intent(**{**found, "withdraw": tuple(found["withdraw"])})


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def after(state: State, night: Done, intent: Intent | None) -> State:
    """The state once a night is done."""
    nights = (*state.nights, night)
    dropped = tuple(each.name for each in nights[: -(KEPT + 1)])
    return replace(
        state,
        nights=nights[-(KEPT + 1) :],
        older=(*state.older, *dropped)[-REMEMBERED:],
        again=tuple(name for name in state.again if name != night.name),
        publish=intent,
    )


def summary(state: State) -> dict[str, Any]:
    """What a person, or a monitor, would know of a state."""
    last = state.last
    return {
        "watermark": _time(last.watermark if last else None),
        "until": _time(last.until if last else None),
        "newest": _time(last.newest if last else None),
        "flushed": last is not None and last.flushed,
        "open_sessions": last.open_sessions if last else 0,
        "oldest": _time(last.oldest if last else None),
        "carried": last.counts["carried_out"] if last else 0,
        "early": last.counts["early"] if last else 0,
        "again": list(state.again),
        "unpublished": state.publish and state.publish.final,
        "batches": [
            {
                "name": night.name,
                "watermark": _time(night.watermark),
                "inputs": [file["path"] for file in night.inputs],
                "can_be_run_again": place > 0 or night.generation == 1,
                "counts": dict(night.counts),
            }
            for place, night in enumerate(state.nights)
        ],
    }


def _time(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso(microseconds)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the rules, or the columns, of two nights, in words."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [f"{name}: {_shown(before.get(name))} → {_shown(now.get(name))}" for name in names]


def _shown(value: Any) -> str:
    return "none" if value in (None, [], False) else str(value)
