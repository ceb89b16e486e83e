"""What may stand in the fields of a dataclass: its annotations, held to when it is made."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from sessionize.errors import UsageError

PLURALS: Final = {str: "texts", int: "whole numbers"}
NAMES: Final = {str: "a text", int: "a whole number", bool: "True or False", bytes: "bytes", type(None): "None"}
_SEEN: Final[dict[Any, dict[str, Any]]] = {}
"""Annotations of classes, which take long to look up."""


def check_fields(made: Any) -> None:
    """Refuse a dataclass whose fields hold what their annotations do not allow.

    A list is taken for a tuple, and a path for its text: a frozen dataclass then holds them as such.

    Args:
        made: The dataclass, from its ``__post_init__``.

    Raises:
        UsageError: If a field is of a wrong type, or none of the choices.
    """
    hints = _hints(type(made))
    for each in fields(made):
        value = getattr(made, each.name)
        taken = _plain(value, hints[each.name])
        if not _fits(taken, hints[each.name]):
            raise _refused(type(made).__name__, each.name, value, hints[each.name])
        if taken is not value:
            object.__setattr__(made, each.name, taken)


def _hints(kind: Any) -> dict[str, Any]:
    if kind not in _SEEN:
        _SEEN[kind] = get_type_hints(kind)
    return _SEEN[kind]


def _options(hint: Any) -> tuple[Any, ...]:
    """What a union is made of; the hint alone where it is none."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _plain(value: Any, hint: Any) -> Any:
    """Lists as tuples, sets as frozen ones and paths as their texts, where these are what is wanted."""
    wanted = {get_origin(each) or each for each in _options(hint)}
    if isinstance(value, list) and tuple in wanted:
        return tuple(_plain(each, str) for each in value)
    if isinstance(value, tuple) and type(value) is tuple and tuple in wanted:
        found = tuple(_plain(each, str) for each in value)
        return value if found == value else found
    if isinstance(value, set) and frozenset in wanted:
        return frozenset(value)
    path = getattr(value, "__fspath__", None)
    return path() if path is not None and str in wanted else value


def _fits(value: Any, hint: Any) -> bool:
    return any(_is(value, each) for each in _options(hint))


def _is(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in inner)
    if origin in (tuple, frozenset):
        return isinstance(value, origin) and all(_fits(each, inner[0]) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if hasattr(hint, "_fields"):
        return isinstance(value, hint) and all(
            _fits(each, kind) for each, kind in zip(value, _hints(hint).values(), strict=True)
        )
    if isinstance(value, bool) and hint is int:
        return False
    return hint is Any or isinstance(value, origin or hint)


def _refused(kind: str, name: str, value: Any, hint: Any) -> UsageError:
    choices = [choice for each in _options(hint) if get_origin(each) is Literal for choice in get_args(each)]
    if choices and isinstance(value, str):
        near = get_close_matches(value.lower(), choices, n=1, cutoff=0.7)
        return UsageError(
            f"invalid value {value!r} for {name} (choose from {', '.join(choices)})",
            hint=f"did you mean {name}={near[0]!r}?" if near else None,
        )
    wanted = " or ".join(_type_text(each) for each in _options(hint))
    alone = isinstance(value, str) and any(get_origin(each) is tuple for each in _options(hint))
    return UsageError(
        f"{kind}: {name} is {wanted}, not {_shown(value)}", hint=f"did you mean {name}=({value!r},)?" if alone else None
    )


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


def _type_text(hint: Any) -> str:
    """What a type is called in a message.

    Examples:
        >>> _type_text(tuple[str, ...]), _type_text(str), _type_text(Literal["a", "b"])
        ('a tuple of texts', 'a text', "'a', 'b'")
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(map(repr, inner))
    if origin in (tuple, frozenset):
        kind = "tuple" if origin is tuple else "frozenset"
        return f"a {kind} of {PLURALS.get(inner[0], inner[0])}"
    if origin is Mapping:
        return "a dict of texts"
    return NAMES.get(hint, f"a {getattr(hint, '__name__', hint)}")
