"""Values that do not change: as the libraries' dataclass and NamedTuple, which are the reference."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sessionize.values import NamedTuple, dataclass


@dataclass(frozen=True)
class Ours:
    """Some fields."""

    first: int
    second: str = "b"
    seen: Mapping[str, int] = dataclasses.field(default_factory=dict)
    secret: bytes = dataclasses.field(default=b"", repr=False)
    aside: object = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True)
class Theirs:
    """The same fields."""

    first: int
    second: str = "b"
    seen: Mapping[str, int] = dataclasses.field(default_factory=dict)
    secret: bytes = dataclasses.field(default=b"", repr=False)
    aside: object = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Named:
    """Only by name, looked at when it is made."""

    lower: int
    upper: int = 9

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ValueError("the wrong way round")


@dataclass(frozen=True, kw_only=True)
class Wider(Named):
    """With the fields of another."""

    name: str = "wide"


class Pair(NamedTuple):
    """Ours."""

    left: int
    right: tuple[str, ...] = ()

    @property
    def both(self) -> str:
        """What is written in both."""
        return f"{self.left}{''.join(self.right)}"


class TheirPair(typing.NamedTuple):
    """The library's."""

    left: int
    right: tuple[str, ...] = ()


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "x"), {"secret": b"key"}),
    ((), {"first": 2, "seen": {"a": 1}}),
    ((1, "x", {}, b"", "aside"), {}),
    ((1,), {"aside": [1]}),
]
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1, "x", {}, b"", None, "one too many"), {}),
    ((1,), {"first": 2}),
    ((1,), {"unknown": 2}),
]


def _copied(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - written here


@pytest.mark.parametrize(("given", "named"), GIVEN)
def test_a_value_is_as_the_library_makes_it(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, theirs = Ours(*given, **named), Theirs(*given, **named)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert [each.name for each in dataclasses.fields(ours)] == [each.name for each in dataclasses.fields(theirs)]
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    changed = dataclasses.replace(ours, second="changed")
    assert dataclasses.asdict(changed) == dataclasses.asdict(dataclasses.replace(theirs, second="changed"))
    assert _copied(ours) == ours
    assert copy.deepcopy(ours) == ours


@pytest.mark.parametrize(("given", "named"), WRONG)
@pytest.mark.parametrize("kind", [Ours, Theirs])
def test_what_does_not_fit_the_fields_is_refused(
    kind: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match=r"argument"):
        kind(*given, **named)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Ours, Theirs),
        (Named, dataclasses.make_dataclass("Other", [("lower", "int"), ("upper", "int", 9)], kw_only=True)),
    ],
)
def test_a_class_says_how_it_is_called(ours: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    found, expected = inspect.signature(ours), inspect.signature(theirs)
    assert list(found.parameters) == list(expected.parameters)
    for name, parameter in expected.parameters.items():
        same = found.parameters[name]
        assert (same.kind, same.annotation) == (parameter.kind, parameter.annotation)
        assert (same.default is inspect.Parameter.empty) is (parameter.default is inspect.Parameter.empty)


@pytest.mark.parametrize("first", GIVEN)
@pytest.mark.parametrize("second", GIVEN)
def test_values_are_equal_where_the_librarys_are(first: Any, second: Any) -> None:
    ours = Ours(*first[0], **first[1]) == Ours(*second[0], **second[1])
    theirs = Theirs(*first[0], **first[1]) == Theirs(*second[0], **second[1])
    assert ours is theirs


def test_equal_values_have_one_hash_and_other_kinds_are_never_equal() -> None:
    assert hash(Named(lower=1)) == hash(Named(lower=1, upper=9))
    assert len({Named(lower=1), Named(lower=1), Named(lower=2)}) == 2
    assert Named(lower=1) != Wider(lower=1)
    other: Any = Theirs(1)
    assert Ours(1) != other


def test_a_value_does_not_change() -> None:
    value: Any = Ours(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="first"):
        value.first = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="first"):
        del value.first
    assert value == Ours(1)


def test_a_default_that_can_change_is_made_anew_for_each() -> None:
    assert Ours(1).seen is not Ours(1).seen


def test_fields_by_name_alone_are_not_taken_by_their_place() -> None:
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]
    assert dataclasses.asdict(Wider(lower=1)) == {"lower": 1, "upper": 9, "name": "wide"}


def test_a_value_is_looked_at_as_it_is_made_and_as_it_is_replaced() -> None:
    with pytest.raises(ValueError, match="wrong way"):
        Named(lower=10)
    with pytest.raises(ValueError, match="wrong way"):
        dataclasses.replace(Wider(lower=1), upper=0)


def test_a_method_that_a_class_has_itself_stays() -> None:
    @dataclass(frozen=True, repr=False)
    class Shown:
        number: int

        def __repr__(self) -> str:
            return "itself"

        def __hash__(self) -> int:
            return 7

    assert (repr(Shown(1)), hash(Shown(1))) == ("itself", 7)


def test_a_class_that_asks_for_no_repr_has_the_one_it_inherits() -> None:
    class Base:
        def __repr__(self) -> str:
            return "inherited"

    @dataclass(frozen=True, repr=False)
    class Shown(Base):
        number: int

    assert repr(Shown(1)) == "inherited"


def test_a_named_tuple_is_as_the_librarys() -> None:
    ours: Any = Pair(1, ("x",))
    theirs: Any = TheirPair(1, ("x",))
    assert ours == theirs == (1, ("x",))
    assert ours._fields == theirs._fields
    assert ours._asdict() == theirs._asdict()
    assert Pair(left=1) == (1, ())
    assert ours._replace(left=2) == theirs._replace(left=2)
    assert repr(ours) == repr(theirs).replace("TheirPair", "Pair")
    assert _copied(ours) == ours
    assert type(_copied(ours)) is Pair
    assert ours.both == "1x"
    assert (Pair.__doc__, Pair.__module__, Pair.__qualname__) == ("Ours.", __name__, "Pair")
    assert typing.get_type_hints(Pair) == typing.get_type_hints(TheirPair)


@pytest.mark.parametrize("kind", [Pair, TheirPair])
def test_a_named_tuple_refuses_what_does_not_fit(kind: Callable[..., Any]) -> None:
    for given, named in [((), {}), ((1, (), 3), {}), ((1,), {"left": 1}), ((1,), {"unknown": 1})]:
        with pytest.raises(TypeError):
            kind(*given, **named)
