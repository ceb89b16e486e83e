"""Objects of one shape are found on the bytes, letter by letter; of any other lines nothing is said."""

from __future__ import annotations

import json

import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize import schema
from sessionize.read import ndjson, ndjson_scan
from sessionize.read.lines import Block

Value = str | float | bool | None

plain = st.text("abé, :{}[]\U0001f600;", max_size=20)
values = st.one_of(plain, plain, plain, st.none(), st.booleans(), st.integers(-10, 10**20), st.floats(allow_nan=False))
one_by_one_or_together = pytest.mark.parametrize("few", [0, 1 << 18])
"""Up to how many texts are made one by one: both ways are tried."""
keys = st.lists(plain, min_size=1, max_size=4, unique=True)
spaces = st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", ":  ")])
spoilt = st.sampled_from(
    [
        '{"a":1,"b":2}', '{"b":1,"a":2}', '{"a":"x"y","b":1}', '{"a":"x","b":1}}', '{"a":"x","b":}', '{"a":01,"b":1}',
        '{"a":"x" ,"b":1}', '{"a":"x","b":1} ', '{"a":{},"b":1}', '{"a":[1],"b":1}', '{"a":"\\n","b":1}', "", "{}", "no",
        '{"a":"x,"b":1}', '{"a":"x"y,"b":1}', '{"a":"x","b":"x"y}', '{"a":x"y","b":1}',
        '{"a":nul,"b":null}', '{"a":"\t","b":1}', '{"a":"\udcff","b":1}', '{"a":NaN,"b":1}', '{"a":""b,"b":1}',
        '{"a":1.,"b":1}', '{"a":-,"b":1}', '{"a":"x"}', '{"a":"x","b":1,"c":2}', '{"a":tRue,"b":1}', '{"a":"","b":""}',
    ]
)  # fmt: skip


def found(lines: list[str], wanted: list[str], few: int) -> list[list[str | None]] | None:
    text = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    columns = ndjson_scan.columns(text, wanted, least=0, few=few)
    return None if columns is None else [column.to_list() for column in columns]


def one_by_one(lines: list[str], wanted: list[str]) -> list[list[str | None]] | None:
    """What each line says by itself; None where one is no object."""
    texts = [line.encode("utf-8", "surrogateescape") for line in lines]
    rows = ndjson._one_by_one(texts, list(range(len(texts))), wanted)
    return None if rows[schema.FAULT].count() else [rows[name].to_list() for name in wanted]


@one_by_one_or_together
@examples(200)
@given(st.data(), keys, spaces)
def test_objects_of_one_shape_are_read_to_the_letter(
    few: int, data: st.DataObject, names: list[str], between: tuple[str, str]
) -> None:
    rows = data.draw(st.lists(st.tuples(*[values for _ in names]), min_size=1, max_size=12))
    lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, separators=between) for row in rows]
    bare_ends = between != (" ,  ", ":  ") or len(names) == 1
    wanted = [*names, "of none"]
    assert found(lines, wanted, few) == (one_by_one(lines, wanted) if bare_ends else None)


@one_by_one_or_together
@examples(200)
@given(st.lists(st.one_of(st.just('{"a":"x","b":1}'), spoilt), min_size=1, max_size=12), st.sampled_from([1, 9]))
def test_of_other_lines_nothing_is_said_or_what_they_say(few: int, lines: list[str], shaped: int) -> None:
    lines = ['{"a":"x","b":1}'] * shaped + lines
    columns = found(lines, ["a", "b"], few)
    assert columns is None or columns == one_by_one(lines, ["a", "b"])


@one_by_one_or_together
@pytest.mark.parametrize(
    "line",
    [
        '{"a":"x"y","b":1}',
        '{"a":"x"y"z","b":1}',
        '{"a":"x"y,"b":1}',
        '{"a":"x","b":"x"y}',
        '{"a":"x","b":1"y"}',
        '{"a":"x"\n"b":1},{"a":"x","b":1}',
        '{"a":01,"b":1}',
        '{"a":"x","b":1}}',
        '{"a":"\t","b":1}',
        '{"b":1,"a":2}',
        "",
    ],
)
def test_a_line_of_another_shape_is_seen_wherever_it_stands(few: int, line: str) -> None:
    shaped = ['{"a":"x","b":1}'] * 20
    assert found(shaped, ["a", "b"], few) == [["x"] * 20, ["1"] * 20]
    assert found([*shaped, line], ["a", "b"], few) is None
    assert found([*shaped, line, *shaped], ["a", "b"], few) is None


def test_a_last_line_that_is_shorter_than_what_the_others_begin_with_is_of_another_shape() -> None:
    shaped = ['{"a":"x","a name that is longer than a line":1}'] * 20
    names = ["a", "a name that is longer than a line"]
    assert found(shaped, names, 0) == [["x"] * 20, ["1"] * 20]
    assert found([*shaped, '{"a":1,"b":2}'], names, 0) is None


def test_a_large_block_is_read_the_same_with_and_without_a_line_of_another_shape() -> None:
    line = '{"id": "a-long-id-of-%05d", "page": "/p%d", "n": %d, "none": null}\n'
    text = "".join(line % (number, number % 7, number) for number in range(9_000)).encode()
    names = ["id", "page", "n", "none"]
    assert ndjson_scan.columns(text, names) is not None
    whole = ndjson.parse(Block(text, 1), names)
    other = ndjson.parse(Block(text + b'{"id": "b\\u0041", "more": {}}\n', 1), names)
    assert whole.equals(other.head(9_000))
    assert other.tail(1).row(0) == (9_001, None, "bA", None, None, None)
