"""Whether a column's values bear out what its name says, an id of events or of whoever makes them; and which could."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import polars as pl

from sessionize import schema
from sessionize.config import Config
from sessionize.kernel.references import alternatives
from sessionize.plan import times
from sessionize.plan.evidence import OBJECTS_IN, SOME_ROWS, Column, Evidence, Types, described, plain
from sessionize.plan.names import is_named_for_a_time, is_named_for_an_id, options_of, usual_role
from sessionize.values import NamedTuple

CONTENT_COLUMNS: Final = 40
"""Columns that an event's content is compared by."""
FEW: Final = 10
"""Rows below which an id of a profile need not come back, and one of an event may, with whatever content."""
MOST_ALIKE: Final = 0.95
SHOWN: Final = 5
MEASURE: Final = r"^\s*[+-]?\d*[.,]\d+\s*$"
PROSE: Final = r"\S+\s+\S+\s+\S+\s+\S+"
ADDRESS: Final = r"^(?:[a-z]+://|/)|^www\."
SCIENTIFIC: Final = r"^\d(?:[.,]\d+)?[eE]\+?\d{2,}$"
COARSE: Final = r"^\s*\d(?:[.,]\d{0,5})?[eE]\+?(?:0?9|12|15|18)\s*$"
"""An epoch as a spreadsheet shows it: to hours. Some of a program's are as short, but not all of them."""
WHOLE: Final[dict[type[pl.DataType] | None, float]] = {pl.Float64: 2.0**53, pl.Float32: 2.0**24}
"""From where on not each whole number is one that the type has."""
WRITTEN_DATE: Final = r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:\.?(?:[^\d.]|$))"
"""Three parts: an address on the internet has four."""
OTHERS: Final = (
    "type", "event", "evt", "action", "kind", "page", "url", "path", "method", "status", "code", "lang", "country", "version",
    "count", "vendor",
)  # fmt: skip
"""Words in names of columns that hardly say whose an event is, however their values look."""


SHAPES: Final = (MEASURE, PROSE, ADDRESS, WRITTEN_DATE)
"""What ids do not look like."""
SHARED: Final = 3
"""Profiles from which on a session id is hardly one session's: a login makes them two."""


class Refusal(NamedTuple):
    """A column that has an id's name, but not its values.

    Attributes:
        said: Why the column is refused, in words.
        name: The column.
    """

    said: str
    name: str


def no_event_id(name: str, evidence: Evidence, config: Config) -> Refusal | None:
    """Why a column is no event id, whatever its name; None where its values bear it out."""
    if evidence.column(name).there < FEW:
        return None
    keys = {
        schema.spelling(each) for role in (schema.SESSION_ID, schema.PROFILE_ID) for each in schema.USUAL_NAMES[role]
    }
    others = [each for each in plain(evidence.types) if each != name and not is_named_for_a_time(each)]
    others = [each for each in others if schema.spelling(each) not in keys][:CONTENT_COLUMNS]
    if not evidence.comes_back_with_other_content(name, others):
        return None
    column = evidence.column(name)
    example = "" if config.hash_key is not None else f", such as {column.example[:40]!r}"
    return Refusal(
        f"{name!r} is taken for no event id: its {column.different:,} values in {column.there:,} rows{example} come back "
        f"with other content; {options_of(schema.EVENT_ID, name)} says that it is one",
        name,
    )


def no_key(name: str, evidence: Evidence) -> Refusal | None:
    """Why a column is no id of a session or a profile, whatever its name."""
    column = evidence.differs_everywhere(name)
    if column is None:
        return None
    return Refusal(f"nearly every value of {name!r} differs ({column.different:,} of {column.there:,} rows)", name)


def comes_back(name: str, evidence: Evidence) -> bool:
    """Whether there are enough of the column's values, and they come back."""
    column = evidence.column(name, SOME_ROWS)
    return column.there >= FEW and column.different < column.there


def candidates(types: Types, evidence: Evidence, taken: Collection[str], *, private: bool) -> list[tuple[str, str]]:
    """The columns whose values could say whose an event is, the likeliest first, each with its description."""
    names = [name for name in plain(types) if name not in taken and not types[name].is_temporal()]
    names += [leaf for name in names for leaf in evidence.leaves(name) if leaf not in taken]
    evidence.read(names, SOME_ROWS)
    found = [(name, column) for name in names if (column := _as_key(name, evidence)) is not None]
    if any(column.different < column.there for _, column in found):
        found = [(name, column) for name, column in found if column.different < column.there]
    ranked = sorted(found, key=lambda each: _rank(each[0]))
    return [(name, described(name, column, private=private)) for name, column in ranked[:SHOWN]]


def _as_key(name: str, evidence: Evidence) -> Column | None:
    column = evidence.column(name, SOME_ROWS)
    values = evidence.texts(name, SOME_ROWS).drop_nulls()
    if 2 * column.there < column.rows or not column.there or values.str.contains(OBJECTS_IN).any():
        return None
    if column.there >= FEW and (column.different < 2 or column.different > (1 - 1 / FEW) * column.there):
        return None
    if column.there < FEW and not is_named_for_an_id(name):
        return None
    alike = values.value_counts(sort=True)["count"].head(1).sum()
    is_constant = column.there >= FEW and alike > MOST_ALIKE * column.there
    is_other = any(2 * int(values.str.contains(shape).sum()) > column.there for shape in SHAPES)
    is_time = is_named_for_a_time(name) and times.holds_times(name, evidence)
    return None if is_constant or is_other or is_time else column


def _rank(name: str) -> tuple[bool, bool, bool]:
    is_id, is_usual = is_named_for_an_id(name), usual_role(name, schema.KEY_ROLES) is not None
    return not is_usual, not is_id or name.lower() == "uid", any(word in name.lower() for word in OTHERS)


def shared_by_profiles(session: str, profile: str, evidence: Evidence) -> str | None:
    """What to say where most session ids of several events are of several profiles each; None where they are not."""
    pairs = pl.DataFrame({"session": evidence.texts(session), "profile": evidence.texts(profile)}).drop_nulls()
    each = pairs.group_by("session").agg(events=pl.len(), profiles=pl.col("profile").n_unique())
    several = each.filter(pl.col("events") > 1)
    shared = several.filter(pl.col("profiles") >= SHARED).height
    if 2 * shared <= several.height or several.height < 1:
        return None
    both = f"{options_of(schema.SESSION_ID, profile, session)} {options_of(schema.PROFILE_ID, profile)}"
    return (
        f"{shared:,} of {several.height:,} values of {session!r} are of {SHARED} profiles or more each, as numbers are that "
        f"count for each profile: {both}"
    )


def is_for_null(name: str, other: str, evidence: Evidence) -> bool:
    """Whether a column is but one word for null, while another tells visitors apart."""
    ids = evidence.column(name)
    return ids.different == 1 and ids.example in schema.NULL_WORDS and evidence.column(other).different > 1


def lost_digits(role: str, names: Iterable[str], evidence: Evidence, *, private: bool) -> str | None:
    """What to say of ids that a spreadsheet has written in scientific notation, or that are floats too large for each digit."""
    for name in (part for each in names for part in alternatives(each)):
        dtype = evidence.types.get(name)
        largest = WHOLE.get(None if dtype is None else type(dtype))
        if largest is not None and (evidence.sample(pl.col(name).abs()) >= largest).any():
            return (
                f"the {role} in {name!r} is a floating-point number too large for its last digits: different ids are one; "
                f"export the column as whole numbers or text"
            )
        if name not in evidence.types or evidence.types[name] not in (pl.String, pl.Categorical):
            continue
        values = evidence.texts(name).drop_nulls()
        found = values.filter(values.str.contains(SCIENTIFIC))
        if len(found):
            example = "" if private else f", such as {found[0]}"
            return (
                f"the {role} in {name!r} is in scientific notation{example}: its last digits were lost before, "
                f"so that different ids are one; export the column as text"
            )
    return None


def lost_seconds(names: Iterable[str], evidence: Evidence) -> str | None:
    """What to say of epochs that a spreadsheet has written with so few digits that their seconds are lost."""
    for name in (each for each in names if evidence.types.get(each) == pl.String):
        values = evidence.texts(name).drop_nulls()
        if len(values) and values.str.contains(COARSE).all():
            return (
                f"the timestamp in {name!r} is in scientific notation, such as {values[0]}: its seconds were lost before, "
                f"so that sessions are wrong; export the column as text"
            )
    return None
