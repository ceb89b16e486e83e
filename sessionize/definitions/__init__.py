"""Other systems' published definitions of a session, one TOML file each; a user's own file is read the same way.

Plain Python: what a definition says, not what it means. Its rules are options by name, as in a configuration file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from sessionize.errors import UsageError
from sessionize.values import dataclass

ENDING: Final = ".toml"
RULES: Final = (
    "timeout", "end-event", "start-event", "split-on", "split-on-arrival", "split-at-midnight", "max-duration", "max-events",
    "passive",
)  # fmt: skip
"""Options that a definition may set; those that it does not set are as if nobody had named them."""
BURST: Final = "burst"
"""The rule that has no option: ``burst = { events = 100, within = "100s" }``."""
TEXTS: Final = ("title", "source", "read", "lacks", "bounce", "engaged")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a system calls a session.

    Attributes:
        name: Name of the definition, or of the user's file without its ending.
        title: Name of the system.
        source: Where its rules are published.
        read: Date on which they were read there.
        lacks: What it does that these rules do not model.
        rules: Options by name, and the burst.
        bounce: SQL over the metrics that holds for a bounced session; None where the system has no such word.
        engaged: SQL over the metrics that holds for an engaged session; None where the system has no such word.
    """

    name: str
    title: str = ""
    source: str = ""
    read: str = ""
    lacks: str = ""
    rules: Mapping[str, Any]
    bounce: str | None = None
    engaged: str | None = None


def names() -> list[str]:
    """Every shipped definition, in alphabetical order."""
    return sorted(each.name.removesuffix(ENDING) for each in _folder().iterdir() if each.name.endswith(ENDING))


def load(name: str, origin: str = "--rules") -> Definition:
    """A shipped definition by its name, or a user's by its file.

    Args:
        name: One of `names`, or the path of a TOML file.
        origin: Option that names it, for the message.

    Raises:
        UsageError: If there is none, or it is not one.

    Examples:
        >>> load("ga4").rules
        {'timeout': '30m'}
    """
    text = _shipped(name) if name in names() else _own(name, origin)
    try:
        return _parsed(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"definition {name}: {error}", hint="a definition is a TOML file: sessionize compare --explain ga4"
        ) from None


def _parsed(name: str, found: Mapping[str, Any]) -> Definition:
    rules = found.get("rules", {})
    if not isinstance(rules, dict):
        raise UsageError(f"definition {name}: rules is no table", hint="write [rules] and the options below")
    unknown = [key for key in found if key not in (*TEXTS, "rules")]
    unknown += [f"rules.{key}" for key in rules if key not in (*RULES, BURST)]
    if unknown:
        raise UsageError(
            f"definition {name}: no such entry: {unknown[0]}",
            hint=f"there are {', '.join(TEXTS)} and, below [rules], {', '.join((*RULES, BURST))}",
        )
    texts = {key: str(found[key]) for key in TEXTS if key in found}
    return Definition(name=Path(name).stem if name.endswith(ENDING) else name, rules=rules, **texts)


@lru_cache
def _folder() -> Traversable:
    return files("sessionize.definitions")


def _shipped(name: str) -> str:
    return (_folder() / f"{name}{ENDING}").read_text(encoding="utf-8")


def _own(name: str, origin: str) -> str:
    path = Path(name)
    if not path.suffix and not path.exists():
        near = difflib.get_close_matches(name.lower(), names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"invalid value {name!r} for {origin} (no such definition)",
            hint=f"{hint}there are {', '.join(names())}, or a TOML file",
        )
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"definition {name}: {error}", hint=f"{origin} takes a name or a TOML file") from None
