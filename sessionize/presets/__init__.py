"""The log layouts that are known by name, one TOML file each; a user's own file is read the same way."""

from __future__ import annotations

import difflib
import tomllib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sessionize.errors import UsageError
from sessionize.preset import Mark, Preset, marks, parsed

ENDING = ".toml"
RECOGNISE = "[[recognise]]"


def names() -> list[str]:
    """Every shipped preset, in alphabetical order."""
    return sorted(each.name.removesuffix(ENDING) for each in _folder().iterdir() if each.name.endswith(ENDING))


@lru_cache
def tails() -> dict[str, str]:
    """What marks each shipped preset's layout, as text: the tables ``[[recognise]]``, which stand last in its file."""
    texts = {name: _shipped(name) for name in names()}
    return {name: text[text.find(RECOGNISE) :] for name, text in texts.items() if RECOGNISE in text}


@lru_cache
def marks_of(name: str) -> tuple[Mark, ...]:
    """What marks a shipped preset's layout: parsed only where a log may have it, as this is asked for every log."""
    return marks(name, tomllib.loads(tails()[name]))


def _shipped(name: str) -> str:
    return (_folder() / f"{name}{ENDING}").read_text(encoding="utf-8")


@lru_cache
def _folder() -> Traversable:
    return files("sessionize.presets")


def load(name: str) -> Preset:
    """A shipped preset by its name, or a user's by its file.

    Args:
        name: One of `names`, or the path of a TOML file.

    Raises:
        UsageError: If there is none, or it is not one.

    Examples:
        >>> load("ga4").columns["session_id"][0]
        ('user_pseudo_id', 'event_params[ga_session_id]')
    """
    text = _shipped(name) if name in names() else _own(name)
    try:
        return parsed(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"preset {name}: {error}", hint="a preset is a TOML file: sessionize presets NAME") from None


def _own(name: str) -> str:
    path = Path(name)
    if not path.suffix and not path.exists():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"no such preset: {name}", hint=f"{hint}there are {', '.join(names())}, or a TOML file")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"preset {name}: {error}", hint="--preset takes a name or a TOML file") from None
