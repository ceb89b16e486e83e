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
    odd = [*given[len(in_order) :], *(values.keys() & named.keys()), *(named.keys() - {each.name for each in known})]
    if odd:
        raise TypeError(f"{type(self).__name__}: {odd[0]!r} is given twice, or is no field")
    values |= named
    for each in known:
        if each.name in values:
            value = values[each.name]
        elif each.default is not MISSING:
            value = each.default
        elif each.default_factory is not MISSING:
            value = each.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}: {each.name!r} is missing")
        self.__dict__[each.name] = value
    if hasattr(self, "__post_init__"):
        self.__post_init__()


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
