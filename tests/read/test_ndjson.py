"""NDJSON: fast or line by line, every object is read to the letter, and every line that is none is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize import schema
from sessionize.config import Config, Rules
from sessionize.errors import UsageError
from sessionize.kernel.references import field
from sessionize.limits import TextLimits
from sessionize.plan import resolve
from sessionize.read import Log, ndjson, open_log
from sessionize.read.lines import Block


def opened(path: Path, content: bytes, block: int = 1 << 20, **more: Any) -> Log:
    path.write_bytes(content)
    return open_log(Config(inputs=(str(path),), **more), texts=TextLimits(block_bytes=block))


def rows(log: Log, *names: str) -> list[tuple[Any, ...]]:
    return log.scan().select(schema.ROW, schema.FAULT, *names).collect(engine="streaming").rows()


WHOLE = {"0.0": "0", "1e3": "1000", "1.5e+10": "15000000000", "101.0": "101"}


def written(number: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.just((number, WHOLE.get(number, number)))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
scalars = st.one_of(
    texts.map(lambda text: (json.dumps(text, ensure_ascii=False), text)),
    texts.map(lambda text: (json.dumps(text, ensure_ascii=True), text)),
    *map(written, ["0", "-0", "7", "-12", "1.10", "0.0", "101.0", "-0.50", "1e3", "2E-7", "1.5e+10", "9007199254740993",
                   "18446744073709551615", "123456789012345678901234567890", "1" * 60, "1e400", "true", "false"]),
    st.just(("null", None)),
)  # fmt: skip
objects_ = st.lists(st.tuples(st.sampled_from(["a", "b", "c d", 'q"', "é"]), scalars), max_size=4)
BAD = [b"", b" ", b"\t ", b"[1]", b"5", b"null", b'"x"', b'{"a":1', b'{"a":1} x', b'{"a":1}{"a":2', b'{"a":01}',
       b'{"a":NaN}', b"{'a':1}", b'{"a":"\x02"}', b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":"\\x"}', b"\xff",
       b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", b"{}", b'{"a":"x\\ud83d\\ude00"}', b'{"a":"\x01"}', b"a,b", b'"\\ud800']  # fmt: skip


def line_of(pairs: list[tuple[str, tuple[str, str | None]]], space: str) -> bytes:
    inner = f"{space},".join(f"{space}{json.dumps(key, ensure_ascii=False)}:{space}{text}" for key, (text, _) in pairs)
    return f"{space}{{{inner}{space}}}".encode()


def expected_of(pairs: list[tuple[str, tuple[str, str | None]]], key: str) -> str | None:
    return next((value for name, (_, value) in pairs if name == key), None)


AROUND = [(b"", b","), (b"[", b""), (b",", b" "), (b"[", b"]"), (b" [ ", b" ] , "), (b"\xef\xbb\xbf", b"")]
"""What an array with an object a line, or a file laid behind another, puts around an object."""
good_lines = st.tuples(objects_, st.sampled_from(["", " "])).map(
    lambda each: (line_of(*each), {key: expected_of(each[0], key) for key in ("a", "b", "c d", 'q"', "é")})
)
around_lines = st.tuples(good_lines, st.sampled_from(AROUND)).map(lambda each: (each[0][0].join(each[1]), each[0][1]))
bad_lines = st.sampled_from(BAD).map(lambda line: (line, None))


@examples(200)
@given(
    st.lists(st.one_of(good_lines, good_lines, good_lines, around_lines, bad_lines), max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([(64, 16), (1, 2), (2, 3)]),
)
def test_every_object_is_read_to_the_letter_and_every_other_line_is_told(
    mixed: list[tuple[bytes, dict[str, str | None] | None]], end: bytes, cuts: tuple[int, int]
) -> None:
    content = b"".join(line + end for line, _ in mixed).replace(b"\r\n", b"\n")
    wanted = ["a", "é", 'q"', "c d", "b"]
    found = ndjson.parse(Block(content, 1), wanted, cuts).rows()
    assert [row[:2] for row in found] == [
        (number, fault_of(line)) for number, (line, _) in enumerate(mixed, 1) if line.strip()
    ]
    for row, (_, values) in zip(found, [each for each in mixed if each[0].strip()], strict=True):
        if values is not None:
            assert row[2:] == tuple(values[key] for key in wanted)


def fault_of(line: bytes) -> str | None:
    if line in (b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"\xff"):
        return "bad_encoding"
    good = (b"{}", b'{"a":"x\\ud83d\\ude00"}')
    return "malformed_row" if line in BAD and line not in good else None


def test_objects_of_one_line_are_a_row_each_of_that_line(tmp_path: Path) -> None:
    lines_of = [b'{"a":1}', b'{"a":2}{"a":3}', b'{"a":4} {"a":"}{"},{"a":6}', b'{"a":7}', b'{"a":8}{"a":']
    log = opened(tmp_path / "a.ndjson", b"\n".join(lines_of) + b"\n")
    assert rows(log, "a") == [
        (1, None, "1"), (2, None, "2"), (2, None, "3"), (3, None, "4"), (3, None, "}{"), (3, None, "6"), (4, None, "7"),
        (5, "malformed_row", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b'[\n{"a":1,"b":"x]"},\n{"a":2,"b":",]"}\n]\n',
        b'[{"a":1,"b":"x]"},\r\n{"a":2,"b":",]"}]',
        b'[{"a":1,"b":"x]"}\n,{"a":2,"b":",]"}\n]',
        b'  [\n  {"a":1,"b":"x]"},\n  {"a":2,"b":",]"}\n  ]\n',
        b'{"a":1,"b":"x]"},\n{"a":2,"b":",]"},\n',
        b',{"a":1,"b":"x]"}\n,{"a":2,"b":",]"}\n',
        b', {"a":1,"b":"x]"}\n, {"a":2,"b":",]"}\n]',
        b'\xef\xbb\xbf{"a":1,"b":"x]"}\n\xef\xbb\xbf{"a":2,"b":",]"}\n',
    ],
)
def test_brackets_and_commas_of_an_array_are_none_of_the_objects(tmp_path: Path, content: bytes) -> None:
    found = rows(opened(tmp_path / "log.json", content), "a", "b")
    assert [row[1:] for row in found] == [(None, "1", "x]"), (None, "2", ",]")]


def test_bytes_as_nginx_writes_them_are_read(tmp_path: Path) -> None:
    content = rb'{"id":1,"ua":"Moz\x22illa \xC3\xA9 \x5Cx22","other":"\\x22"}' + b"\n"
    assert rows(opened(tmp_path / "a.log", content), "ua", "other") == [(1, None, 'Moz"illa é \\x22', "\\x22")]


def test_bytes_that_are_no_text_are_told_not_made_alike(tmp_path: Path) -> None:
    content = rb'{"id":"caf\xe9"}' + b"\n" + rb'{"id":"caf\xe8"}' + b"\n" + rb'{"id":"caf\xc3\xa8"}' + b"\n"
    found = rows(opened(tmp_path / "a.log", content), "id")
    assert found == [(1, "bad_encoding", None), (2, "bad_encoding", None), (3, None, "cafè")]


def test_nested_values_are_json_text_with_all_digits_of_whole_numbers(tmp_path: Path) -> None:
    nested = '{"x": [1, "é", null, {"deep": true}], "big": 12345678901234567890123, "s": "a\\"b"}'
    for trouble in (b"", b"broken\n"):
        log = opened(tmp_path / "a.ndjson", b'{"id":1,"o":' + nested.encode() + b"}\n" + trouble)
        assert rows(log, "id", "o")[0] == (1, None, "1", nested)


def test_what_is_inside_a_value_does_not_depend_on_other_lines(tmp_path: Path) -> None:
    """One spelling of an id, whether its line is read alone or among others."""
    line = b'{"visit":{"id":101.0,"share":2.50,"twice":1,"twice":2},"n":101.0}'
    content = [line] * 3_000
    whole = rows(opened(tmp_path / "a.ndjson", b"\n".join(content)), "visit", "n")
    content[1_500] = b'{"visit":{"id":101.0'
    spoilt = rows(opened(tmp_path / "b.ndjson", b"\n".join(content)), "visit", "n")
    assert len({row[2:] for row in whole}) == 1
    assert [row for row in spoilt if row[1] is None] == [row for row in whole if row[0] != 1_501]
    assert whole[0][3] == "101"


def test_one_bad_line_among_very_many_costs_itself_only(tmp_path: Path) -> None:
    content = [b'{"id":"%d","v":%d.50}' % (n, n) for n in range(5000)]
    content[3210] = b'{"id":"x'
    log = opened(tmp_path / "a.ndjson", b"\xef\xbb\xbf" + b"\r\n".join(content))
    found = rows(log, "id", "v")
    assert found[3210] == (3211, "malformed_row", None, None)
    assert [row for row in found if row[1] is None] == [
        (n + 1, None, str(n), f"{n}.50") for n in range(5000) if n != 3210
    ]


LATE = b'{"id":"a","ts":1717063200}\n' * 1500 + b'{"id":"b","ts":1717063201,"late":"here","deep":{"x":1},"kind":"k"}\n'


@pytest.mark.parametrize(
    "more",
    [
        {"properties": ("late",)},
        {"traits": ("late",)},
        {"columns": {"event_type": "late"}},
        {"rules": Rules(split_on=("late",))},
        {"where": "late = 'here' OR late IS NULL"},
        {"properties": ("late.x",)},
    ],
    ids=str,
)
def test_a_key_that_appears_late_is_found_where_it_is_asked_for(tmp_path: Path, more: dict[str, Any]) -> None:
    assert "late" not in opened(tmp_path / "a.ndjson", LATE).schema
    log = opened(tmp_path / "a.ndjson", LATE, **more)
    assert rows(log, "late")[-1] == (1501, None, "here")
    resolve(
        Config(columns={"session_id": "id"}, **{k: v for k, v in more.items() if k != "columns"}),
        log.schema,
        log.sample,
    )


def test_a_key_that_no_line_has_is_still_an_error(tmp_path: Path) -> None:
    asked = Config(columns={"session_id": "id"}, properties=("nowhere",))
    log = opened(tmp_path / "a.ndjson", LATE + b'{"id":"nowhere","ts":1717063202}\n', properties=("nowhere",))
    with pytest.raises(UsageError, match="nowhere"):
        resolve(asked, log.schema, log.sample)


def test_a_key_is_read_in_every_file_that_has_it_however_late(tmp_path: Path) -> None:
    (tmp_path / "1.ndjson").write_bytes(b'{"id":"a","late":"first"}\n')
    (tmp_path / "2.ndjson").write_bytes(LATE)
    log = open_log(Config(inputs=(str(tmp_path / "*.ndjson"),)))
    found = log.scan().select("late").drop_nulls().collect().to_series()
    assert found.to_list() == ["first", "here"]


def test_blocks_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    content = b'{"id":"a","v":1.0}\n\n  \n[1]\n{"id":"b"}\n{"id":"\xff"}\n{"v":-0}\n'
    whole = rows(opened(tmp_path / "a.ndjson", content), "id", "v")
    assert [row[:2] for row in whole] == [
        (1, None), (4, "malformed_row"), (5, None), (6, "bad_encoding"), (7, None),
    ]  # fmt: skip
    for block in (1, 3, 20, 50):
        log = opened(tmp_path / "a.ndjson", content, block)
        assert rows(log, "id", "v") == whole
        assert log.scan().select(pl.len()).collect().item() == 5


TWICE = b'{"id":"a","o":{"k":1,"k":2.5},"n":1.50,"id":"b","n":2}'


@pytest.mark.parametrize(
    "content", [TWICE, TWICE + b"\nno object", b"[" + TWICE + b",\n" + TWICE + b"]", TWICE + b" " + TWICE + b"\n{}"]
)
def test_of_a_key_that_an_object_has_twice_the_first_counts_and_inside_a_value_the_last(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.ndjson").write_bytes(content + b"\n")
    log = open_log(Config(inputs=(str(tmp_path / "a.ndjson"),)))
    inside = field("o.k", log.schema).alias("k")
    found = log.scan().filter(pl.col("id").is_not_null()).select(inside, "id", "n", "o").collect().rows()
    assert found[0] == ("2.5", "a", "1.50", '{"k": 1, "k": 2.5}')
    assert len({*found}) == 1
