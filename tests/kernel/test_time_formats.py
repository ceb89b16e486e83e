"""Several time formats in one column, spreadsheets' days, exponents, ISO 8601's basic form: against plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionize.config import TimeFormat, TimeKind
from sessionize.instants import EPOCH
from sessionize.kernel.epochs import OUT_OF_RANGE, PER_SECOND
from sessionize.kernel.timestamps import by_layout, instant

MODERN = st.datetimes(datetime(1990, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001 - the zone is given below
UNITS: tuple[TimeKind, ...] = ("s", "ms", "us", "ns")
SEVERAL = TimeFormat(
    kind="several",
    formats=(
        *(TimeFormat(kind=unit) for unit in UNITS),
        TimeFormat(kind="excel"),
        TimeFormat(kind="text"),
        TimeFormat(kind="pattern", pattern="%a, %d %b %Y %H:%M:%S %z"),
    ),
)


def micros(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def read(values: list[str | None], time: TimeFormat, zone: str = "UTC") -> list[int | None]:
    return instant(pl.Series(values, dtype=pl.String), time, zone).to_list()


@given(st.lists(st.tuples(MODERN.map(lambda moment: moment.replace(microsecond=0)), st.integers(0, 6)), min_size=1))
def test_each_value_is_read_by_the_first_format_that_can_and_counted_for_it(rows: list[tuple[datetime, int]]) -> None:
    def text(moment: datetime, number: int) -> str:
        if number < 4:
            return str(micros(moment) * PER_SECOND[UNITS[number]] // 1_000_000)
        if number == 4:
            days = Decimal(micros(moment)) / 86_400_000_000 + 25_569
            return f"{days:.10f}"
        return moment.isoformat() if number == 5 else moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

    found, layout = by_layout(pl.Series([text(*row) for row in rows]), SEVERAL, "UTC")
    assert found.to_list() == [micros(moment) for moment, _ in rows]
    assert layout.to_list() == [number for _, number in rows]


def test_what_no_format_reads_is_none_and_what_one_finds_out_of_range_is_that() -> None:
    found, layout = by_layout(pl.Series(["soon", "99999999999999999999", "0", None]), SEVERAL, "UTC")
    assert (found.to_list(), layout.to_list()) == ([None, OUT_OF_RANGE, OUT_OF_RANGE, None], [None] * 4)


@given(st.integers(1, 9), st.text("0123456789", max_size=12), st.integers(6, 18), st.sampled_from(UNITS))
def test_exponents_are_read_to_the_microsecond(first: int, rest: str, exponent: int, unit: TimeKind) -> None:
    exact = Fraction(f"{first}.{rest}0e{exponent}") * 1_000_000 / PER_SECOND[unit]
    expected = int(exact) if exact < micros(datetime(9999, 12, 31, 23, 59, 59, 999_999)) else OUT_OF_RANGE  # noqa: DTZ001
    assert read([f"{first}.{rest}E+{exponent}"], TimeFormat(kind=unit)) == [expected]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20240530T100500Z", "2024-05-30T10:05:00"),
        ("20240530T1005", "2024-05-30T08:05:00"),
        ("20240530T10", "2024-05-30T08:00:00"),
        ("20240530T100500.1234567+0530", "2024-05-30T04:35:00.123456"),
        ("20240530", None),
        ("20241330T100500Z", None),
    ],
)
def test_the_basic_form_of_iso_8601_is_read_beside_the_other(written: str, expected: str | None) -> None:
    found = read(["2024-05-30T10:00:00Z", written], TimeFormat(kind="text"), "Europe/Berlin")
    assert found[1] == (None if expected is None else micros(datetime.fromisoformat(expected)))


@given(MODERN)
def test_days_of_a_spreadsheet_are_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    days = Decimal(micros(moment)) / 86_400_000_000 + 25_569
    assert read([str(float(days))], TimeFormat(kind="excel")) == [micros(moment)]
    numbers = pl.Series([float(days), float("nan"), float("inf"), None])
    assert instant(numbers, TimeFormat(kind="excel"), "UTC").to_list() == [micros(moment), None, OUT_OF_RANGE, None]


def test_the_name_of_a_zone_is_read_over_beside_its_offset() -> None:
    java = TimeFormat(kind="pattern", pattern="%Y-%m-%dT%H:%M:%S%z[%Z]")
    assert read(["2024-05-30T12:01:00+02:00[Europe/Paris]"], java) == [micros(datetime(2024, 5, 30, 10, 1))]  # noqa: DTZ001


def test_an_offset_in_digits_of_another_script_is_none() -> None:
    clf = TimeFormat(kind="pattern", pattern="%Y-%m-%d %H:%M %z")
    assert read(["2024-05-30 12:01 +0200", "2024-05-30 12:01 +\u0660\u0662\u0660\u0660"], clf)[1] is None


@pytest.mark.parametrize(
    ("layout", "written"),
    [("%Y%m%d-%H%M%S", "20240530-1215"), ("%Y%m%d %H%M", "20240530 12"), ("%Y%m%d", "2024530"), ("%d%m%Y", "3052024")],
)
def test_numbers_that_nothing_parts_have_all_of_their_digits(layout: str, written: str) -> None:
    assert read([written], TimeFormat(kind="pattern", pattern=layout)) == [None]
