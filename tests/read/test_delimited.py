"""No line of a CSV is lost, padded or cut: each is read to the letter or told by its number."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from budget import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from letters import Row, expected

from sessionize import schema
from sessionize.config import Config
from sessionize.errors import InputError, UsageError
from sessionize.limits import TextLimits
from sessionize.read import open_log


def read(path: Path, columns: list[str] | None = None, block: int = 1 << 20) -> list[Row]:
    config = Config(inputs=(str(path),), input_format="csv", delimiter=",")
    log = open_log(config, texts=TextLimits(block_bytes=block))
    names = columns or list(log.schema)
    frame = log.scan().select(schema.ROW, schema.FAULT, *names).collect(engine="streaming")
    return [(row[0], row[1], tuple(field or None for field in row[2:])) for row in frame.iter_rows()]


batches = st.sampled_from(
    [
        "a",
        "7",
        " ",
        "é",
        "\U0001f600",
        ",",
        ",",
        ",",
        '"',
        '"',
        '""',
        "\t",
        ";",
        "\r",
        "\x01",
        "\0",
        "'",
        "\\",
        "\u2028",
    ]
)
good = st.lists(st.sampled_from(["", "a", "b7", '"q,r"', '"s ""t"""', '""', "ü"]), min_size=3, max_size=3).map(",".join)
odd = st.lists(batches, max_size=12).map("".join)
broken = st.sampled_from([b"a,\xff,c", b"\xe2\x82,b,c", b"a,b,c\xc3"])
line = st.one_of(good.map(str.encode), good.map(str.encode), odd.map(str.encode), broken)


@examples(500)
@given(st.lists(line, max_size=8), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.sampled_from([1 << 20, 16, 5]))
def test_dirty_files_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[bytes],
    end: bytes,
    last: bool,  # noqa: FBT001
    block: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "dirty.csv"
    content = end.join([b"x,y,z", *rows]) + (end if last else b"")
    assume(4 * content.count(b"\0") < len(content))  # else it looks like UTF-16, and is refused as such
    path.write_bytes(content)
    wanted = expected(content, ",", 3)
    assert read(path, block=block) == wanted
    assert read(path, ["y"], block) == [(number, fault, row[1:2]) for number, fault, row in wanted]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoted", [False, True])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, quoted: bool) -> None:  # noqa: FBT001
    rows = [["a b", "c"], ["1", "2"], ["3,4;5" if quoted else "3", "6"]]
    mark = '"' if quoted else ""
    text = "".join(delimiter.join(f"{mark}{field}{mark}" for field in row) + "\n" for row in rows)
    (tmp_path / "log.csv").write_text(text)
    log = open_log(Config(inputs=(str(tmp_path / "log.csv"),)))
    assert list(log.schema) == rows[0]
    assert log.scan().select("a b", "c").collect().rows() == [tuple(row) for row in rows[1:]]


def test_further_fields_count_only_where_they_are_not_empty(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text('x\ty\na\t"b\t\t\nc\td\t\t\ne\tf\t\tg\nh\n')
    frame = open_log(Config(inputs=(str(tmp_path / "log.tsv"),))).scan().collect()
    assert frame.select(schema.ROW, schema.FAULT, "x", "y").rows() == [
        (2, "malformed_row", None, None), (3, None, "c", "d"), (4, "malformed_row", None, None),
        (5, "malformed_row", None, None),
    ]  # fmt: skip


def test_a_file_without_a_header_line_takes_the_names_given(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\ufeffa,1\nb,2", encoding="utf-8")
    log = open_log(Config(inputs=(str(path),), csv_columns=("id", "ts")))
    assert log.scan().collect().select(schema.ROW, "id", "ts").rows() == [(1, "a", "1"), (2, "b", "2")]
    with pytest.raises(UsageError, match="3 names"):
        open_log(Config(inputs=(str(path),), csv_columns=("id", "ts", "more")))


def test_a_header_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    for content, said in ((b"a,b,a\n", "twice: a"), (b"\xff,b\n", "not UTF-8"), (b'"a,b\n', "never closes")):
        (tmp_path / "log.csv").write_bytes(content)
        with pytest.raises(InputError, match=said):
            open_log(Config(inputs=(str(tmp_path / "log.csv"),)))


def test_a_column_without_a_name_is_called_for_its_place(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a,,c\n1,2,3\n")
    assert list(open_log(Config(inputs=(str(tmp_path / "log.csv"),))).schema) == ["a", "column_2", "c"]


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a,b,\n1,2,\n3,4,x\n5,6\n", [(None, "1", "2"), (None, "3", "4"), (None, "5", "6")]),
        ("a,b,\n1,2,y\n3,4,x\n", [(None, "1", "2", "y"), (None, "3", "4", "x")]),
        (",a,b,\n0,1,2,y\n1,3,4,\n", [(None, "0", "1", "2", "y"), (None, "1", "3", "4", None)]),
        ("a,b,,\n1,2,,\n3,4,,,\n5,6,,,x\n", [(None, "1", "2"), (None, "3", "4"), ("malformed_row", None, None)]),
        ("a,b,\n" + "1,2,\n" * 50 + "3,4,x\n", [*[(None, "1", "2")] * 50, (None, "3", "4")]),
        ("a,b,\n" + "1,2\n" * 50 + "3,4,x\n", [*[(None, "1", "2")] * 50, (None, "3", "4")]),
    ],
    ids=["mixed", "values", "front and end", "empty", "late value", "header alone"],
)
def test_a_last_column_without_a_name_takes_no_row_with_it(
    tmp_path: Path,
    content: str,
    found: list[tuple[str | None, ...]],
    multiline: bool,  # noqa: FBT001
) -> None:
    (tmp_path / "log.csv").write_text(content)
    log = open_log(Config(inputs=(str(tmp_path / "log.csv"),), multiline=multiline))
    assert log.scan().select(schema.FAULT, *log.schema).collect().rows() == found


def test_a_record_over_lines_may_end_in_a_column_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a,b,\n" + "1,2,\n" * 50 + '3,"4\n5","x\ny"\n')
    log = open_log(Config(inputs=(str(tmp_path / "log.csv"),), multiline=True))
    assert log.scan().select("b", schema.FAULT).collect().rows()[-1] == ("4\n5", None)


def test_files_with_other_columns_are_one_log(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("b;c\n3;4\n")
    frame = open_log(Config(inputs=(str(tmp_path / "*.csv"),))).scan().collect()
    assert frame.select(schema.FILE, "a", "b", "c").rows() == [(0, "1", "2", None), (1, None, "3", "4")]
    assert frame.schema["a"] == pl.String
