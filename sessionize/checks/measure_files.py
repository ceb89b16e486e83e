"""What the checks on files and columns measure: days without one, files that were not read, columns that came or went."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sessionize.checks.batches import named_days, why_none_is_missing
from sessionize.checks.days import missing_days
from sessionize.checks.facts import Facts
from sessionize.checks.findings import Example, Measured, Unmeasured
from sessionize.checks.measure import NO_EVENTS, Answer, Options
from sessionize.checks.text import listed, sanitize
from sessionize.read.hive import partitions
from sessionize.read.passed_over import is_harmless


def days_without_a_folder(facts: Facts, _: Options) -> Answer:
    """Days that a directory leaves out."""
    folders = [partitions(path) for path in facts.paths]
    found, what = missing_days(folders), "folder"
    if found is None:
        found, what = missing_days(named_days(facts.paths)), "file"
    if found is None:
        return Unmeasured(why_none_is_missing(facts.paths))
    days, _whole = found
    said = f"{len(days)} days have no {what}{listed(days)}"
    return Measured(len(days), None, said, tuple(Example(f"no {what} for {day}") for day in days))


def files_passed_over(facts: Facts, _: Options) -> Answer:
    """Files that were found and are not read, but for those that hold no event for certain."""
    found = [(path, why) for path, why in facts.passed_over if not is_harmless(why)]
    names = [sanitize(path) for path, _ in found]
    examples = tuple(Example(f"{sanitize(path)}: {sanitize(why)}") for path, why in found)
    return Measured(len(found), None, f"{len(found)} files were found and not read{listed(names)}", examples)


def columns_missing(facts: Facts, options: Options) -> Answer:
    """Columns of the saved schema that are gone, or of another type."""

    def compare(saved: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
        gone = [f"{sanitize(name)} is missing" for name in saved if name not in there]
        changed = [
            f"{sanitize(name)} is {there[name]}, not {dtype}"
            for name, dtype in saved.items()
            if name in there and there[name] != dtype
        ]
        return gone + changed

    return _drift(facts, options, compare, "columns of the saved schema are missing, or of another type")


def columns_added(facts: Facts, options: Options) -> Answer:
    """Columns that the saved schema does not have."""

    def compare(saved: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
        return [f"{sanitize(name)} is new" for name in there if name not in saved]

    return _drift(facts, options, compare, "columns are not in the saved schema")


def _drift(
    facts: Facts, options: Options, compare: Callable[[Mapping[str, str], Mapping[str, str]], list[str]], what: str
) -> Answer:
    saved = options.get("columns")
    if saved is None:
        return Unmeasured("no saved schema; --init writes one")
    if facts.columns is None:
        return NO_EVENTS
    found = compare(saved, facts.columns)
    return Measured(len(found), None, f"{len(found)} {what}{listed(found)}", tuple(map(Example, found)))
