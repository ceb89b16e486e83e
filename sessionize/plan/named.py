"""Columns as they are named: by an option, by a preset, or by one of a role's usual names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import Final, cast

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import UsageError
from sessionize.kernel.references import field_type
from sessionize.plan.evidence import Evidence, Types
from sessionize.plan.names import listed, option, options_of, reference

AS_ASKED: Final = (schema.TIMESTAMP, schema.VALUE)
"""Roles for which no object is taken to be the value in it: its unit, or currency, stands beside."""


def condition(config: Config) -> str | None:
    """The user's condition and the preset's."""
    asked = [where for where, _ in conditions(config)]
    # A comment at the end of one must not swallow the bracket.
    joined = " AND ".join(f"({each}\n)" if "--" in each else f"({each})" for each in asked)
    return joined if len(asked) > 1 else next(iter(asked), None)


def conditions(config: Config) -> Iterator[tuple[str, str]]:
    """Each condition, and what asks for it."""
    if config.where is not None:
        yield config.where, "--where"
    if config.preset is not None and config.preset.where is not None:
        yield config.preset.where, f"where of the preset {config.preset.name}"


def check_given(role: str, names: tuple[str, ...], types: Types) -> None:
    """Refuse columns chosen for a role that the log has not, or of which there are too many."""
    for name in names:
        check_exists(name, types, option(role).split(" ", maxsplit=1)[0])
    if len(names) > 1 and role not in (*schema.ID_ROLES, schema.TIMESTAMP):
        raise UsageError(f"{option(role)} takes one column, not {len(names)}")


def check_exists(name: str, types: Types, origin: str) -> None:
    """Refuse a name that the log has no column of."""
    if field_type(name, types) is not None:
        return
    near = difflib.get_close_matches(name, list(types), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"{origin}: the log has no column {name!r}", hint=f"{hint}it has {listed(types)}")


def by_name(
    role: str,
    types: Types,
    taken: Collection[str],
    names: Collection[str] | None = None,
    evidence: Evidence | None = None,
) -> list[str]:
    """The columns with a usual name of the role; those inside structs where no plain column has such a name.

    Args:
        role: The role.
        types: Type of each of the log's columns.
        taken: Columns that are none of it.
        names: Usual names; None for the role's own.
        evidence: Tells texts that hold objects, which are as structs; None where no text does.
    """
    usual = {schema.spelling(name) for name in names or schema.USUAL_NAMES[role]}
    texts = {} if evidence is None or role in AS_ASKED else _objects(types, usual, evidence)
    plain = [name for name, dtype in types.items() if not isinstance(dtype, pl.Struct) and name not in texts]
    structs = {root: [*_leaves(root, dtype)] for root, dtype in types.items() if isinstance(dtype, pl.Struct)}
    inside = structs | texts
    candidates: list[str] = []
    for there in (plain, (leaf for leaves in inside.values() for leaf in leaves)):
        candidates = candidates or [name for name in there if schema.spelling(name) in usual and name not in taken]
    if candidates or role in AS_ASKED:
        return candidates
    # An id as `{"$oid": …}`, a text as `{"string": …}`: what holds one value is that value.
    single = (leaves[0] for root, leaves in inside.items() if schema.spelling(root) in usual and len(leaves) == 1)
    return [name for name in single if name not in taken]


def _objects(types: Types, usual: Collection[str], evidence: Evidence) -> dict[str, list[str]]:
    """Columns of JSON objects with a usual name, or with what one begins with, and what is in each."""
    there = [name for name, dtype in types.items() if dtype == pl.String and "{" not in name]
    named = [name for name in there if any(each.startswith(schema.spelling(name)) for each in usual)]
    return {name: evidence.leaves(name) for name in named if evidence.holds_objects(name)}


def either(role: str, names: Sequence[str], evidence: Evidence) -> str:
    """What to type for columns of which no row has more than one, as where files name one column differently."""
    there = [evidence.texts(name).is_not_null().cast(pl.UInt8).alias(name) for name in names]
    if pl.DataFrame(there).sum_horizontal().max() not in {None, 0, 1}:
        return ""
    return options_of(role, " ?? ".join(map(reference, names)))


def _leaves(name: str, dtype: pl.DataType) -> Iterator[str]:
    """Names of the plain columns in a struct, such as ``session.id``."""
    if isinstance(dtype, pl.Struct):
        for inner in dtype.fields:
            yield from _leaves(f"{name}.{inner.name}", cast("pl.DataType", inner.dtype))
    else:
        yield name
