"""Records over several lines are read to the letter where they are asked for, and an open quote costs its line only."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError
from sessionize.limits import TextLimits
from sessionize.read import Log, multiline, open_log

Row = tuple[int, str | None, tuple[str | None, ...]]


def opened(path: Path, content: bytes, *, over_lines: bool = True, **limits: int) -> Log:
    path.write_bytes(content)
    config = Config(inputs=(str(path),), input_format="csv", delimiter=",", multiline=over_lines)
    return open_log(config, texts=TextLimits(**limits))  # type: ignore[arg-type]


def rows(log: Log, columns: list[str] | None = None) -> list[Row]:
    names = columns or list(log.schema)
    frame = log.scan().select(schema.ROW, schema.FAULT, *names).collect(engine="streaming")
    return [(row[0], row[1], tuple(field or None for field in row[2:])) for row in frame.iter_rows()]


def records(text: str) -> list[tuple[int, str]]:
    """First line and content of each record that the lines below the header are, by the rule, line by line."""
    found, left = [], list(enumerate(text.split("\n"), 1))[1:]
    while left:
        number, line = left.pop(0)
        if line.count('"') % 2:
            ends = [at for at, (_, other) in enumerate(left) if other.count('"') % 2]
            joined = "\n".join([line, *(other for _, other in left[: ends[0] + 1])]) if ends else ""
            if joined and whole(joined):
                left = left[ends[0] + 1 :]
                line = joined
        found.append((number, line))
    return [(number, line) for number, line in found if line]


def whole(record: str) -> bool:
    """Whether a text is one record of three fields by RFC 4180, or of more that are empty and bare."""
    widths, at = [], 0
    while True:
        start = at
        if record[at : at + 1] == '"':
            at += 1
            while record[at : at + 1] != '"' or record[at + 1 : at + 2] == '"':
                if at >= len(record):
                    return False
                at += 2 if record[at] == '"' else 1
            at += 1
        else:
            while at < len(record) and record[at] not in ',"\n':
                at += 1
        widths.append(at - start)
        if at == len(record):
            return len(widths) >= 3 and not any(widths[3:])
        if record[at] != ",":
            return False
        at += 1


values = st.text(alphabet='a7,"\n\r é\x02', max_size=6)
good = st.lists(values, min_size=3, max_size=3).filter(any)


def written(row: list[str]) -> str:
    out = io.StringIO()
    how: Literal[0, 1] = csv.QUOTE_ALL if "\r" in "".join(row) else csv.QUOTE_MINIMAL
    csv.writer(out, lineterminator="\n", quoting=how).writerow(row)
    return out.getvalue()[:-1]


@examples(150)
@given(st.lists(good, max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from([1, 7, 1 << 20]))
def test_what_a_csv_writer_writes_is_read_back_with_the_number_of_its_first_line(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], end: str, block: int
) -> None:
    texts = [written(row) for row in table]
    expected, number = [], 2
    for row, text in zip(table, texts, strict=True):
        read = [field.replace("\r\n", "\n") for field in row] if end == "\n" else row  # a line break is one, as it ends
        expected.append((number, None, tuple(field or None for field in read)))
        number += text.count("\n") + 1
    content = "".join(f"{text}\n" for text in ["x,y,z", *texts]).replace("\n", end).encode()
    path = tmp_path_factory.getbasetemp() / "written.csv"
    log = opened(path, content, block_bytes=block)
    assert rows(log) == expected
    assert rows(log, ["z"]) == [(number, fault, row[2:]) for number, fault, row in expected]


batches = st.sampled_from(["a", ",", ",", '"', '"', '""', "\n", "\n", 'b,"c\nd",e\n', 'f,g,"h\n', "i,j,k\n", '"\n'])


@examples(200)
@given(st.lists(batches, max_size=14).map("".join), st.sampled_from([1, 5, 1 << 20]))
def test_a_stray_quote_costs_its_line_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int
) -> None:
    content = f"x,y,z\n{text}"
    path = tmp_path_factory.getbasetemp() / "stray.csv"
    expected = records(content)
    log = opened(path, content.encode(), block_bytes=block)
    found = rows(log)
    assert [row[0] for row in found] == [number for number, _ in expected]
    for row, (_, record) in zip(found, expected, strict=True):
        if "\n" in record:
            assert row[1] is None
            assert row[2] == tuple(field or None for field in next(csv.reader(io.StringIO(record, newline="")))[:3])
    places = pl.DataFrame({schema.FILE: [0] * len(expected), schema.ROW: [row[0] for row in found]}).cast(pl.UInt32)
    if expected:
        assert log.raw(places)["raw"].to_list() == [record for _, record in expected]


def test_without_being_asked_for_each_of_its_lines_is_told(tmp_path: Path) -> None:
    content = b'x,y,z\na,"b\nc",d\n'
    assert rows(opened(tmp_path / "a.csv", content, over_lines=False)) == [
        (2, "malformed_row", (None, None, None)), (3, "malformed_row", (None, None, None)),
    ]  # fmt: skip
    assert rows(opened(tmp_path / "a.csv", content)) == [(2, None, ("a", "b\nc", "d"))]


def test_an_open_quote_that_no_line_near_closes_costs_one_line(tmp_path: Path) -> None:
    content = b'x,y,z\na,"open,c\n' + b"d,e,f\n" * 20 + b'g,h",i\n"j\nj",k,l\n'
    for block in (8, 1 << 20):
        found = rows(opened(tmp_path / "a.csv", content, block_bytes=block, record_bytes=50))
        # A quote inside an unquoted field, as in line 23, is a character like any other.
        assert [row[:2] for row in found] == [
            (2, "malformed_row"), *((number, None) for number in range(3, 24)), (24, None),
        ]  # fmt: skip
        assert found[-1][2] == ("j\nj", "k", "l")


def test_a_header_over_lines_is_read_as_one(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf\r\nx,"page\r\nviews",z\r\n1,2,3\r\n'
    log = opened(tmp_path / "a.csv", content)
    assert list(log.schema) == ["x", "page views", "z"]
    assert rows(log) == [(4, None, ("1", "2", "3"))]
    with pytest.raises(InputError, match="never closes") as error:
        opened(tmp_path / "a.csv", content, over_lines=False)
    assert "--multiline" in str(error.value.hint)


def test_a_carriage_return_in_quotes_is_kept_and_elsewhere_no_part_of_a_record(tmp_path: Path) -> None:
    content = b'x,y,z\r\na,"b\rc","\r"\r\nd,e\re,f\r\n"g\r",h,"i\r\n\rj"\r\nk,"l"\r,m\r\n'
    log = opened(tmp_path / "a.csv", content)
    assert rows(log) == [
        (2, None, ("a", "b\rc", "\r")), (3, "malformed_row", (None, None, None)), (4, None, ("g\r", "h", "i\n\rj")),
        (6, "malformed_row", (None, None, None)),
    ]  # fmt: skip
    places = pl.DataFrame({schema.FILE: [0] * 3, schema.ROW: [2, 3, 4]}).cast(pl.UInt32)
    assert log.raw(places)["raw"].to_list() == ['a,"b\rc","\r"', "d,e\re,f", '"g\r",h,"i\n\rj"']
    assert rows(opened(tmp_path / "a.csv", content, over_lines=False))[0] == (2, "malformed_row", (None, None, None))


def test_bytes_that_are_no_text_inside_a_record_are_told(tmp_path: Path) -> None:
    log = opened(tmp_path / "a.csv", b'x,y,z\n1,"\xff\n\0",3\n4,5,6\n')
    assert [row[:2] for row in rows(log)] == [(2, "bad_encoding"), (4, None)]
    place = pl.DataFrame({schema.FILE: [0], schema.ROW: [2]}).cast(pl.UInt32)
    assert log.raw(place)["raw"].to_list() == ['1,"\\xff\n\0",3']


def test_where_every_mark_is_taken_a_record_over_lines_is_told_and_not_lost(tmp_path: Path) -> None:
    log = opened(tmp_path / "a.csv", b'x,y,z\n1,"' + multiline.MARKS + b'\n",3\n4,5,6\n')
    assert [row[:2] for row in rows(log)] == [(2, "malformed_row"), (3, "malformed_row"), (4, None)]
