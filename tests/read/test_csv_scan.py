"""Every field of every record is found on the bytes, letter by letter; what is no record is found apart."""

from __future__ import annotations

import pytest
from budget import examples
from hypothesis import example, given
from hypothesis import strategies as st

from sessionize.read.csv_scan import records
from sessionize.read.views import FEW, is_utf8

Field = tuple[str, bool]
"""What it says, and whether it stands in quotes."""
Row = list[Field]

quoted = st.text("ab,\" é\U0001f600;'", max_size=30).map(lambda text: (text, True))
bare = st.text("ab é\U0001f600;'", max_size=30).map(lambda text: (text, False))
alike = st.sampled_from(["thirteen-long", "another-13-lg"]).map(lambda text: (text, False))
row = st.lists(st.one_of(quoted, bare, alike), min_size=3, max_size=3)
even = st.lists(alike, min_size=3, max_size=3)
few = st.sampled_from([0, 1 << 12])
"""Up to how many texts are made one by one: both ways are tried."""
spoilt = st.sampled_from(["a,b", 'a"b,c,d', '"a,b,c', 'a,"b"c,d', "a,b,c,,d", "a,b\r,c", "a,\0,c", "a,\udcff,c", '"""'])


def written(fields: Row) -> str:
    return ",".join('"' + text.replace('"', '""') + '"' if marked else text for text, marked in fields)


def split(
    lines: list[str], width: int, few: int = FEW
) -> tuple[list[tuple[int, tuple[str | None, ...]]], dict[int, str]]:
    """The records of some lines by line, and the other lines."""
    text = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    found = records(text, ",", width)
    columns = found.columns({str(place): place for place in range(width)}, few)
    rows = zip(found.lines.tolist(), zip(*(column.to_list() for column in columns), strict=True), strict=True)
    return list(rows), {
        line: text[start:end].decode("utf-8", "surrogateescape") for line, (start, end) in found.others.items()
    }


@examples(400)
@given(st.one_of(st.lists(st.one_of(row, row, spoilt), max_size=12), st.lists(even, min_size=1)), few)
@example([[("", True), ("", False), ('"', True)]], 1 << 12)
@example([[("thirteen-long", False), ("", False), ("é-is-thirteen", True)]], 0)
def test_records_are_read_to_the_letter_and_other_lines_kept_apart(rows: list[Row | str], few: int) -> None:
    lines = [each if isinstance(each, str) else written(each) for each in rows]
    found, others = split(lines, 3, few)
    assert others == {line: each for line, each in enumerate(rows) if isinstance(each, str)}
    assert found == [
        (line, tuple(text if text or marked else None for text, marked in each))
        for line, each in enumerate(rows) if not isinstance(each, str)
    ]  # fmt: skip


def test_blank_lines_are_neither_records_nor_others() -> None:
    assert split(["", "a", "", '""', ""], 1) == ([(1, ("a",)), (3, ("",))], {})
    assert split(["", ",", "", " "], 2) == ([(1, (None, None))], {3: " "})
    assert split([], 2) == ([], {})


def test_delimiters_behind_the_last_field_are_no_fields() -> None:
    assert split(["a,b,,", 'c,"d,",', "e,f,,g", 'h,i,""'], 2) == (
        [(0, ("a", "b")), (1, ("c", "d,"))],
        {2: "e,f,,g", 3: 'h,i,""'},
    )


@pytest.mark.parametrize("length", range(1, 30))
def test_texts_of_every_length_are_whole_next_to_longer_and_shorter_ones(length: int) -> None:
    texts = ["x" * length, "ab" * length, "é"]
    assert split(texts, 1)[0] == [(line, (text,)) for line, text in enumerate(texts)]
    many = texts * (FEW // 2)
    assert split(many, 1)[0] == [(line, (text,)) for line, text in enumerate(many)]


@examples()
@given(st.binary(max_size=6))
def test_what_is_utf8_is_told_as_python_tells_it(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        assert not is_utf8(text)
    else:
        assert is_utf8(text)
