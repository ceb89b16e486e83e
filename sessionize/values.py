"""`dataclass` and `NamedTuple` of values that do not change, made in a fraction of the libraries' time.

The libraries write the source of each class's methods, and compile it as a program starts, types and all: for the
hundred such classes that a run needs, a twelfth of what a run of a small log takes. Here the methods of a dataclass are
the same for all, and look at its fields as they are called; what stands as a type is not looked at. Whoever has such a
value sees no difference: `dataclasses.fields`, ``replace`` and ``asdict`` know it, ``_replace`` and ``_asdict`` are
there, and to those who check types they are the libraries'.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import MISSING, FrozenInstanceError, fields
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - told to others
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:
    from dataclasses import dataclass as _dataclass

    def dataclass(kind=None, /, *, frozen, kw_only=False, repr=True):  # noqa: A002, ANN001, ANN201, ARG001 - the library's
        """As the library's, of a class whose values do not change."""

        def made(kind):  # noqa: ANN001, ANN202
            kept = _dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=kw_only)(kind)
            for method in (_init, _eq, _hash, _setattr, _delattr, *([_repr] if repr else [])):
                name = f"_{method.__name__}__"
                if name not in kind.__dict__:
                    setattr(kept, name, method)
            kept.__signature__ = _Signature()
            return kept

        return made if kind is None else made(kind)

    class _Named(type):
        def __new__(cls, name, bases, said):  # noqa: ANN001, ANN204
            if not bases:
                return super().__new__(cls, name, bases, said)
            types = said.get("__annotations__", {})
            defaults = [said[each] for each in types if each in said]
            made = namedtuple(name, types, defaults=defaults, module=said["__module__"])  # noqa: PYI024 - typed below
            for each in said.keys() - types.keys():
                setattr(made, each, said[each])
            return made

    class NamedTuple(metaclass=_Named):
        """As the library's."""


def _init(self: Any, /, *given: Any, **named: Any) -> None:
    known = fields(self)
    in_order = [each.name for each in known if not each.kw_only]
    values = dict(zip(in_order, given, strict=False))
    if len(given) > len(in_order) or values.keys() & named.keys() or named.keys() - {each.name for each in known}:
        raise _misfit(self, given, named)
    values |= named
    for each in known:
        if each.name in values:
            value = values[each.name]
        elif each.default is not MISSING:
            value = each.default
        elif each.default_factory is not MISSING:
            value = each.default_factory()
        else:
            raise _misfit(self, given, named)
        self.__dict__[each.name] = value
    if hasattr(self, "__post_init__"):
        self.__post_init__()


class _Signature:
    """How a class is called, made when someone asks: `help`, a notebook, a call that does not fit."""

    def __get__(self, _: object, kind: Any) -> Signature:
        found = []
        for each in sorted(fields(kind), key=lambda each: bool(each.kw_only)):
            place = Parameter.KEYWORD_ONLY if each.kw_only else Parameter.POSITIONAL_OR_KEYWORD
            default = Parameter.empty if each.default_factory is MISSING else ...
            default = default if each.default is MISSING else each.default
            found.append(Parameter(each.name, place, default=default, annotation=each.type))
        return Signature(found, return_annotation=None)


def _misfit(self: Any, given: tuple[Any, ...], named: dict[str, Any]) -> TypeError:
    """What Python says of a call that does not fit."""
    try:
        type(self).__signature__.bind(*given, **named)
    except TypeError as error:
        return TypeError(f"{type(self).__name__}() {error}")
    raise AssertionError


def _compared(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, each.name) for each in fields(value) if each.compare)


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _setattr(self: Any, name: str, value: object) -> None:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot delete field {name!r}")
