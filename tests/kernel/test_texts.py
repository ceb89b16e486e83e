"""One text for one value, whatever type holds it; amounts as people write them. Both against plain Python."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionize.config import AmountStyle
from sessionize.kernel.amounts import amount
from sessionize.kernel.texts import as_plain, as_utf8, number_text


def text_of(values: pl.Series) -> list[str | None]:
    return values.to_frame("v").select(number_text(pl.col("v"), values.dtype)).to_series().to_list()


def spelled(value: Decimal) -> str:
    """The value with all digits that it needs, and none more."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@given(st.lists(st.integers(-(10**27), 10**27), min_size=1))
def test_a_whole_number_is_one_text_as_an_integer_and_a_decimal(numbers: list[int]) -> None:
    decimals = pl.Series([Decimal(number) for number in numbers], dtype=pl.Decimal(38, 10))
    assert text_of(decimals) == [str(number) for number in numbers]


@given(st.lists(st.one_of(st.integers(-(2**60), 2**60).map(float), st.floats(-1e37, 1e37)), min_size=1))
def test_a_whole_float_is_the_text_of_its_integer(numbers: list[float]) -> None:
    for number, found in zip(numbers, text_of(pl.Series(numbers)), strict=True):
        if number.is_integer():
            assert found == str(int(number))
        else:
            assert found is not None
            assert float(found) == number


@given(st.lists(st.decimals(-(10**10), 10**10, places=4), min_size=1))
def test_a_decimal_has_the_digits_it_needs(numbers: list[Decimal]) -> None:
    for scale in (4, 10):
        assert text_of(pl.Series(numbers, dtype=pl.Decimal(38, scale))) == [spelled(number) for number in numbers]


@given(st.lists(st.one_of(st.none(), st.binary(), st.text().map(str.encode)), min_size=1))
def test_bytes_are_text_where_they_are_utf8_and_digits_where_not(values: list[bytes | None]) -> None:
    def told(value: bytes | None) -> str | None:
        if value is None:
            return None
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return value.hex()
        return (
            value.hex() if any((ord(each) < 32 and each not in "\t\n\r") or ord(each) == 127 for each in text) else text
        )

    frame = pl.DataFrame({"v": pl.Series(values, dtype=pl.Binary)})
    assert frame.select(as_utf8(pl.col("v"))).to_series().to_list() == [told(value) for value in values]


def test_bytes_deep_in_lists_and_structs_are_text_too() -> None:
    rows = [{"k": b"a", "l": [{"x": b"\xff"}]}, {"k": None, "l": None}, None]
    frame = pl.DataFrame(
        {"v": rows}, schema={"v": pl.Struct({"k": pl.Binary, "l": pl.List(pl.Struct({"x": pl.Binary}))})}
    )
    found = frame.select(as_plain(pl.col("v"), frame.schema["v"])).to_series()
    assert found.to_list()[:2] == [{"k": "a", "l": [{"x": "ff"}]}, {"k": None, "l": None}]


NUMBER: dict[AmountStyle, re.Pattern[str]] = {
    "plain": re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    "point": re.compile(r"(\d{1,3}(,\d{3})+(\.\d*)?)|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)"),
    "comma": re.compile(r"(\d{1,3}([.'\u00a0\u202f ]\d{3})+(,\d*)?)|(\d+(,\d*)?)|(,\d+)"),
}
CURRENCY = re.compile(r"[$€£]|[A-Z]{3}|[A-Z]{1,2}[$€£]")


def read(text: str, style: AmountStyle) -> float | None:
    """What an amount means, step by step."""
    left, signs = text.strip(), ""
    for _ in range(2):
        if left[:1] in ("+", "-") and len(signs) < 2:
            signs, left = signs + left[0], left[1:]
        currency = CURRENCY.match(left)
        left = (left[currency.end() :] if currency else left).strip() if not _ else left
    end = re.search(r"([$€£]|[A-Z]{3}|[A-Z]{1,2}[$€£])$", left)
    left = (left[: end.start()] if end else left).strip()
    if NUMBER[style].fullmatch(left) is None:
        return None
    if style == "comma":
        left = re.sub(r"[^\d,]", "", left).replace(",", ".")
    if len(signs) > 1:
        return None
    value = float(left.replace(",", ""))
    value = -value if signs == "-" else value
    return value if math.isfinite(value) else None


digits = st.text("0123456789", min_size=1, max_size=4)
grouped = st.lists(st.text("0123456789", min_size=3, max_size=3), max_size=2)
numbers = st.builds(
    lambda first, groups, mark, rest, other: first + "".join(mark + group for group in groups) + (other + rest if rest else ""),
    digits, grouped, st.sampled_from(",. '"), st.text("0123456789", max_size=3), st.sampled_from(",."),
)  # fmt: skip
amounts = st.builds(
    lambda before, sign, number, after: f"{before}{sign}{number}{after}",
    st.sampled_from(["", "$", "€ ", "EUR "]), st.sampled_from(["", "-", "+"]), numbers,
    st.sampled_from(["", " EUR", "€", " apples"]),
)  # fmt: skip


@given(st.lists(amounts, min_size=1), st.sampled_from(["plain", "point", "comma"]))
def test_amounts_are_what_plain_python_reads(texts: list[str], style: AmountStyle) -> None:
    found = pl.DataFrame({"v": texts}).select(amount(pl.col("v"), style)).to_series().to_list()
    assert found == [read(text, style) for text in texts]


@pytest.mark.parametrize("text", ["", " ", "nan", "inf", "1e999", "12,50", "1.2.3", "--1", "abc", "1,234"])
def test_what_is_no_number_for_sure_is_none(text: str) -> None:
    assert pl.DataFrame({"v": [text]}).select(amount(pl.col("v"), "plain")).item() is None


def test_half_floats_keep_their_fractions() -> None:
    frame = pl.DataFrame({"v": pl.Series([2.5, 2.25, 101.0, None], dtype=pl.Float32).cast(pl.Float16)})
    found = frame.select(number_text(pl.col("v"), frame.schema["v"])).to_series()
    assert found.to_list() == ["2.5", "2.25", "101", None]
