"""Which known layout a log has, by its own columns or the form of its lines. Plain Python, nothing read here.

Only unmistakable marks count: a log with usual names must never be taken for a vendor's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from sessionize import schema
from sessionize.errors import UsageError
from sessionize.patterns import pattern
from sessionize.preset import Mark
from sessionize.presets import load, marks_of, tails
from sessionize.reference import Column, parse
from sessionize.sql import columns_of
from sessionize.values import NamedTuple

ENOUGH: Final = 0.9
"""Share of the first lines that must be of a layout's form: some lines of any log are damaged."""
COLUMNS: Final = pattern(r"(?m)^columns = \[(.*)\]$")
QUOTED: Final = pattern(r"""'"([^"]+)"'|"([^"]+)\"""")


class Fit(NamedTuple):
    """A preset that fits a log, by one of its marks."""

    preset: str
    mark: Mark

    @property
    def layout(self) -> str:
        """Name and form, as they are shown."""
        return ", ".join(filter(None, (self.preset, self.mark.form)))


def by_columns(names: Collection[str], has_value: Callable[[str], bool] = lambda _: True) -> list[Fit]:
    """Presets that fit a log's columns; more than one where they cannot be told apart.

    Args:
        names: Names of the log's columns.
        has_value: Whether a reference that goes deeper than a column finds a value in the log's first rows.
    """
    there = {name.casefold() for name in names}
    roots = {start for name in there for start in _starts(name)}
    fits = [
        Fit(preset, mark)
        for preset in tails()
        if _may_have(tails()[preset], roots)
        for mark in marks_of(preset)
        if mark.columns
        and _has(mark, there, roots)
        and all(has_value(each) for each in mark.columns if _is_deep(each))
        and (_has(mark, there, there) or _reads_flat(preset, there, has_value))
    ]
    return _most_exact(fits, lambda mark: mark.columns)


def by_fields(names: Collection[str]) -> list[Fit]:
    """Presets that fit the fields that a text log names in a line of its own."""
    there = {name.casefold() for name in names}
    fits = [
        Fit(preset, mark)
        for preset in tails()
        if "fields = " in tails()[preset]
        for mark in marks_of(preset)
        if mark.fields and there.issuperset(each.casefold() for each in mark.fields)
    ]
    return _most_exact(fits, lambda mark: mark.fields)


def by_lines(lines: Sequence[str]) -> list[Fit]:
    """Presets that fit the form of a text log's first lines, none of them blank."""
    return [
        Fit(preset, mark)
        for preset in tails()
        if "lines = " in tails()[preset]
        for mark in marks_of(preset)
        if mark.lines is not None and _share(re.compile(mark.lines), lines) >= ENOUGH
    ]


def by_file_beside(name: str) -> list[tuple[Fit, str]]:
    """Presets whose columns are named by a file beside, of which this may be the log; and that file's name."""
    return [
        (Fit(preset, mark), name.replace(mark.beside[0], mark.beside[1]))
        for preset in tails()
        if "beside = " in tails()[preset]
        for mark in marks_of(preset)
        if mark.beside and mark.beside[0] in name
    ]


def only(fits: Sequence[Fit]) -> Fit | None:
    """The one preset that fits.

    Raises:
        UsageError: If two do, or if the one cannot read such a log.
    """
    if len(fits) > 1:
        names = sorted({fit.preset for fit in fits})
        raise UsageError(
            f"the log could be of {' or of '.join(names)}", hint=f"say which: --preset {names[0]}, or --preset none"
        )
    if fits and fits[0].mark.refused:
        raise UsageError(
            f"this looks like {fits[0].layout}: {fits[0].mark.refused}", hint="--preset none reads it as it is"
        )
    return fits[0] if fits else None


def _may_have(tail: str, there: Collection[str]) -> bool:
    """Whether a log with these columns may have one of a preset's marks: told from its text, as parsing takes longer."""
    return any(
        all(
            (whole or inner.split(".")[0].split("[")[0]).casefold() in there for whole, inner in QUOTED.findall(columns)
        )
        for columns in COLUMNS.findall(tail)
    )


def _starts(name: str) -> Iterator[str]:
    """A name, and what it begins with where objects were made flat: ``metadata`` of ``metadata.time.insert``."""
    parts = name.split(".")
    for number in range(len(parts), 0, -1):
        yield ".".join(parts[:number])


def _reads_flat(preset: str, there: Collection[str], has_value: Callable[[str], bool]) -> bool:
    """Whether a preset finds its time and a key, and what its condition asks for, where its objects were made flat."""
    meant = load(preset)
    asked = () if meant.where is None else columns_of(meant.where)
    times, keys = (
        [each for role in roles for names in meant.columns.get(role, ()) for each in names]
        for roles in ((schema.TIMESTAMP,), (schema.SESSION_ID, schema.PROFILE_ID))
    )
    own = [name for name in meant.own_columns if name not in asked] or meant.own_columns
    fits = {name.casefold() for name in asked} <= {*there} and (
        not own or any(name.casefold() in there for name in own)
    )
    return fits and all(any(map(has_value, each)) for each in (times, keys))


def _has(mark: Mark, there: Collection[str], roots: Collection[str]) -> bool:
    return all(_root(each).casefold() in roots for each in mark.columns) and not any(
        each.casefold() in there for each in mark.absent
    )


def _root(reference: str) -> str:
    found = parse(reference)
    assert isinstance(found, Column)
    return found.name


def _is_deep(reference: str) -> bool:
    found = parse(reference)
    return isinstance(found, Column) and bool(found.steps)


def _share(form: re.Pattern[str], lines: Sequence[str]) -> float:
    return sum(form.search(line) is not None for line in lines) / len(lines) if lines else 0.0


def _most_exact(fits: Sequence[Fit], marks: Callable[[Mark], tuple[str, ...]]) -> list[Fit]:
    """Of the fits those whose marks are not all among another's; of one preset that with the most."""
    best: dict[str, Fit] = {}
    sets: dict[str, list[set[str]]] = {}
    for fit in sorted(fits, key=lambda fit: -len(marks(fit.mark))):
        best.setdefault(fit.preset, fit)
        sets.setdefault(fit.preset, []).append({each.casefold() for each in marks(fit.mark)})
    every = [each for found in sets.values() for each in found]
    exact = [
        fit
        for name, fit in best.items()
        if not any(own < other for own in sets[name] for other in every if other not in sets[name])
    ]
    return exact or list(best.values())
