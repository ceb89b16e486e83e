"""What stands at a path in a column of JSON text. Row-local.

Polars finds it fast, but reads a number that is no 64-bit integer as a float: what looks so is read again, to the digit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import polars as pl

from sessionize.kernel.texts import JsonNumber, spelled
from sessionize.reference import Step

VALUE_FIELDS: Final = (
    "string_value", "int_value", "float_value", "double_value",
    "stringValue", "intValue", "doubleValue", "boolValue",
)  # fmt: skip
"""Fields of a value that may be of several types, of which one is set: of GA4's parameters, of OpenTelemetry's attributes."""
TYPED: Final = rf'^\s*\{{\s*"(?:{"|".join(VALUE_FIELDS)})"'
NUMBER: Final = r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"
WHOLE: Final = r"^(0|-?[1-9]\d*)$"


def in_json(texts: pl.Series, steps: Sequence[Step]) -> pl.Series:
    """What stands at the end of the steps, as text; null where there is nothing.

    Args:
        texts: JSON objects and lists.
        steps: A key in brackets is one of an object, or of a list of objects with ``key`` and ``value``.

    Returns:
        A String column, one value for each text.

    Examples:
        >>> from sessionize.reference import parse
        >>> rows = pl.Series(['{"a": [{"key": "b.c", "value": {"intValue": "5"}}]}', '{"a": {"b.c": 1.50}}', "", None])
        >>> in_json(rows, parse("x.a['b.c']").steps).to_list()
        ['5', '1.50', None, None]
    """
    found = _first_of_paths(texts, steps)
    typed = found.str.contains(TYPED)
    if typed.any():
        found = found.scatter(typed.arg_true(), _set_value(found.filter(typed)))
    rows = (found.str.contains(NUMBER) & ~found.str.contains(WHOLE)).arg_true()
    return found.scatter(rows, [_exact(text, steps) for text in texts.gather(rows)]) if len(rows) else found


def _first_of_paths(texts: pl.Series, steps: Sequence[Step]) -> pl.Series:
    """What the first path finds that finds anything: a list's rows are looked at as lists first."""
    begins_as_list = steps[0].kind == "key" and bool(texts.head(100).str.contains(r"^\s*\[").any())
    paths = ["$" + "".join(parts) for parts in product(*(_paths_of(step) for step in steps))]
    paths = paths[::-1] if begins_as_list else paths
    found = texts.str.json_path_match(paths[0])
    for path in paths[1:]:
        rows = (found.is_null() & texts.is_not_null()).arg_true()
        if len(rows):
            found = found.scatter(rows, texts.gather(rows).str.json_path_match(path))
    return found


def _paths_of(step: Step) -> list[str]:
    if step.kind == "place":
        return [f"[{step.key}]"]
    # The language of paths knows no escaped quote.
    of_object = f"['{step.key}']" if '"' in step.key else f"[{json.dumps(step.key, ensure_ascii=False)}]"
    if step.kind == "name":
        return [of_object]
    quoted = step.key.replace("\\", "\\\\").replace("'", "\\'")
    return [of_object, f"[?(@.key=='{quoted}')].value"]


def _set_value(values: pl.Series) -> pl.Series:
    """Of values of several types the one that is set."""
    return pl.select(pl.coalesce(pl.lit(values).str.json_path_match(f"$.{name}") for name in VALUE_FIELDS)).to_series()


def _exact(text: str, steps: Sequence[Step]) -> str | None:
    """The same as `in_json` of one text, its number with all digits."""
    found: Any = json.loads(text, parse_int=str, parse_float=JsonNumber)
    for step in steps:
        found = _at(found, step)
    if isinstance(found, dict):
        found = next((found[name] for name in VALUE_FIELDS if found.get(name) is not None), None)
    return spelled(found) if isinstance(found, JsonNumber) else None if found is None else str(found)


def _at(found: Any, step: Step) -> Any:
    if isinstance(found, dict):
        return found.get(step.key)
    if not isinstance(found, list):
        return None
    if step.kind == "place":
        return found[int(step.key)] if int(step.key) < len(found) else None
    return next((each.get("value") for each in found if isinstance(each, dict) and each.get("key") == step.key), None)
