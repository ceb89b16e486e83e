"""Times: what is read, what is refused, and that the fast way and the exact way agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from sessionize.config import Config, TimeFormat, TimeKind
from sessionize.instants import EPOCH
from sessionize.kernel.epochs import EARLIEST, LATEST, OUT_OF_RANGE
from sessionize.kernel.time_patterns import ISO, compiled, parsed
from sessionize.kernel.timestamps import _iso, instant
from sessionize.plan import resolve

MICROSECOND = timedelta(microseconds=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe",
         "Africa/Cairo", "Pacific/Apia", "America/Sao_Paulo", "Asia/Tehran", "Europe/London", "Pacific/Chatham")  # fmt: skip


def at(*parts: int, **more: int) -> int:
    return (datetime(*parts, tzinfo=UTC, **more) - EPOCH) // MICROSECOND  # type: ignore[misc,arg-type]


def read(
    values: list[object],
    kind: TimeKind = "text",
    zone: str = "UTC",
    pattern: str = "",
    dtype: pl.DataType | None = None,
) -> list[int | None]:
    return instant(pl.Series(values, dtype=dtype), TimeFormat(kind=kind, pattern=pattern), zone).to_list()


NOON = at(2024, 5, 30, 12)
TEXTS: dict[str, int | None] = {
    "2024-05-30T12:00:00Z": NOON,
    "2024-05-30 12:00:00": NOON,
    "2024-05-30T12:00:00.5+00:00": NOON + 500_000,
    "2024-05-30T14:00:00+0200": NOON,
    "2024-05-30T14:00:00+02": NOON,
    "2024-05-30T06:30:00-05:30": NOON,
    "2024-05-30 12:00:00 UTC": NOON,
    "2024-05-30 12:00": NOON,
    "2024-05-30": at(2024, 5, 30),
    " 2024-05-30T12:00:00Z ": NOON,
    "2024-05-30T12:00:00,25Z": NOON + 250_000,
    "2024-05-30T12:00:00.123456789Z": NOON + 123_456,
    "2024-05-30T24:00:00Z": at(2024, 5, 31),
    "2016-12-31T23:59:60Z": at(2017, 1, 1),
    "0001-01-01T00:00:00Z": at(1, 1, 1),
    "9999-12-31T23:59:59.999999Z": at(9999, 12, 31, 23, 59, 59, 999_999),
    "0001-01-01T00:00:00+01:00": OUT_OF_RANGE,
    "9999-12-31T23:59:59-01:00": OUT_OF_RANGE,
    "2024-02-30T12:00:00Z": None,
    "2024-13-01T12:00:00Z": None,
    "2024-05-30T25:00:00Z": None,
    "2024-05-30T24:00:01Z": None,
    "2024-05-30T12:60:00Z": None,
    "2024-05-30T12:00:61Z": None,
    "2024-05-30T12:00:00+99:00": None,
    "20171223-22:15:29:606": None,
    "2014/10/22 11:15:41.000": None,
    "30.05.2024 12:00": None,
    "yesterday": None,
    "1717070400": None,
    "": None,
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=repr)
def test_iso_text_alone_and_among_others(text: str, expected: int | None) -> None:
    assert read([text]) == [expected]
    assert read(["2024-05-30T12:00:00Z", text, "2024-05-30 12:00:00", None, "x"]) == [NOON, expected, NOON, None, None]


EPOCHS: list[tuple[TimeKind, int | str, int | None]] = [
    ("s", 0, 0),
    ("s", -1, -1_000_000),
    ("s", "1396860669.277", at(2014, 4, 7, 8, 51, 9, 277_000)),
    ("s", "1396860669.2770001", at(2014, 4, 7, 8, 51, 9, 277_000)),
    ("s", "-0.25", -250_000),
    ("s", "1.5e9", 1_500_000_000_000_000),
    ("s", "0x10", None),
    ("ms", "12.5", 12_500),
    ("ms", 1_717_070_400_000, NOON),
    ("us", 1_717_070_400_000_000, NOON),
    ("us", "1717070400000000.9", NOON),
    ("ns", 1_717_070_400_000_000_999, NOON),
    ("ns", -1, -1),
    *(("s", big, OUT_OF_RANGE) for big in (2**53, 2**62, 2**63 - 1, -(2**63), "9" * 30)),
    *(("ms", big, OUT_OF_RANGE) for big in (2**62, 2**63 - 1, -(2**62))),
    ("us", 2**62, OUT_OF_RANGE),
    ("ns", 2**63 - 1, (2**63 - 1) // 1000),
]


@pytest.mark.parametrize(("kind", "value", "expected"), EPOCHS, ids=repr)
def test_epoch_numbers_are_scaled_or_refused_and_never_wrap(
    kind: TimeKind, value: int | str, expected: int | None
) -> None:
    assert read([value], kind) == [expected]
    if isinstance(value, int):
        assert read([str(value)], kind) == [expected]


def test_floating_point_epochs_are_rounded_to_microseconds() -> None:
    assert read([1396860669.277, None, float("nan"), float("inf"), 1e300], "s") == [
        at(2014, 4, 7, 8, 51, 9, 277_000), None, None, OUT_OF_RANGE, OUT_OF_RANGE,
    ]  # fmt: skip


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_typed_columns_of_any_unit_and_zone(unit: str) -> None:
    moment = datetime(2024, 5, 30, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    series = pl.Series([moment, None]).cast(pl.Datetime(unit, "Asia/Tokyo"))  # type: ignore[arg-type]
    assert instant(series, TimeFormat(kind="datetime"), "Europe/Berlin").to_list() == [at(2024, 5, 30, 3), None]
    naive = pl.Series([datetime(2024, 5, 30, 12), None]).cast(pl.Datetime(unit))  # type: ignore[arg-type] # noqa: DTZ001
    assert instant(naive, TimeFormat(kind="datetime"), "Europe/Berlin").to_list() == [at(2024, 5, 30, 10), None]


def test_nanoseconds_are_cut_off_also_before_1970() -> None:
    series = pl.Series([1_999, -1], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    assert instant(series, TimeFormat(kind="datetime"), "UTC").to_list() == [1, -1]


PATTERNS = [
    ("%Y/%m/%d %H:%M:%S.%f", "2014/10/22 11:15:41.000", at(2014, 10, 22, 11, 15, 41)),
    ("%Y%m%d-%H:%M:%S:%L", "20171224-0:0:0:6", at(2017, 12, 24, 0, 0, 0, 6_000)),
    ("%d/%b/%Y:%H:%M:%S %z", "17/May/2015:10:05:03 +0000", at(2015, 5, 17, 10, 5, 3)),
    ("%d.%m.%y %H:%M", "30.05.24 12:00", NOON),
    ("%m/%d/%Y %I:%M %p", "5/30/2024 12:00 PM", NOON),
    ("%m/%d/%Y %I:%M %p", "5/30/2024 12:00 AM", at(2024, 5, 30)),
    ("%F %T", "2024-05-30 12:00:00", NOON),
    ("%d/%m/%Y", "30-05-2024", None),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), PATTERNS, ids=repr)
def test_patterns(pattern: str, text: str, expected: int | None) -> None:
    assert read([text], "pattern", pattern=pattern) == [expected]


def test_an_unknown_directive_is_named() -> None:
    with pytest.raises(ValueError, match="%Q"):
        compiled("%Y %Q")


moments = st.datetimes(
    datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
shapes = st.sampled_from(["seconds", "milliseconds", "microseconds", "minutes"])


@examples(200)
@given(st.lists(st.tuples(moments, offsets, shapes, st.sampled_from("T ")), min_size=1, max_size=8))
def test_arrow_and_the_pattern_read_the_same(rows: list[tuple[datetime, timezone, str, str]]) -> None:
    texts = [moment.astimezone(zone).isoformat(between, shape) for moment, zone, shape, between in rows]
    expected = [(datetime.fromisoformat(text) - EPOCH) // MICROSECOND for text in texts]
    series = pl.Series(texts)
    assert _iso(series, "UTC").to_list() == expected
    assert parsed(series, ISO, "UTC").to_list() == expected


@examples(300)
@given(st.text(alphabet="0123456789-:T .Z+,", max_size=26))
def test_arrow_reads_nothing_that_the_pattern_refuses(text: str) -> None:
    series = pl.Series([text])
    assert _iso(series, "UTC").to_list() == parsed(series, ISO, "UTC").to_list()


@examples(300)
@given(st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
def test_local_times_are_those_of_zoneinfo_the_first_where_there_are_two(local: datetime, zone: str) -> None:
    expected = (local.replace(tzinfo=ZoneInfo(zone), fold=0) - EPOCH) // MICROSECOND
    assert read([local.isoformat(" ")], zone=zone) == [expected]
    assert read([local], "datetime", zone=zone, dtype=pl.Datetime("us")) == [expected]


def test_a_time_in_a_gap_or_an_overlap_follows_the_offset_before() -> None:
    assert read(["2024-03-31 02:30", "2024-10-27 02:30"], zone="Europe/Berlin") == [
        at(2024, 3, 31, 1, 30), at(2024, 10, 27, 0, 30),
    ]  # fmt: skip


@cache
def changes(name: str) -> list[datetime]:
    """Local times just before each change of a zone's offset, in the offset before."""
    zone, found = ZoneInfo(name), []
    at, end, step = datetime(1975, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC), timedelta(days=1)
    while at < end:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                same = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(low.astimezone(zone).replace(tzinfo=None, microsecond=0))
        at += step
    return found


@pytest.mark.parametrize("name", ZONES)
def test_every_change_of_clocks_is_that_of_zoneinfo(name: str) -> None:
    zone, minutes = ZoneInfo(name), (-1441, -61, -60, -31, -30, -1, 0, 1, 20, 29, 30, 31, 59, 60, 61, 90, 1439, 1441)
    locals_ = [each + timedelta(minutes=minute) for each in changes(name) for minute in minutes]
    expected = [(each.replace(tzinfo=zone) - EPOCH) // MICROSECOND for each in locals_]
    assert len(locals_) > 0 or name in {"UTC", "Asia/Kolkata"}
    assert read([each.isoformat(" ") for each in locals_], zone=name, dtype=pl.String()) == expected
    assert read([*locals_], "datetime", zone=name, dtype=pl.Datetime("us")) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_and_the_last_day_of_all_are_read_or_out_of_range_in_any_zone(zone: str) -> None:
    texts = ["0001-01-01 00:00:00", "0001-01-02 12:00:00", "9999-12-30 12:00:00", "9999-12-31 23:59:59.999999"]
    found = read([*texts], zone=zone)
    for text, value in zip(texts, found, strict=True):
        offset = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).utcoffset()
        assert offset is not None
        exact = (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH - offset) // MICROSECOND
        assert value == (exact if EARLIEST <= exact <= LATEST else OUT_OF_RANGE)


EXTREMES = (0, -1, 1, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**31), -(2**53), -(2**63))
PER: dict[TimeKind, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@pytest.mark.parametrize("kind", PER)
@pytest.mark.parametrize("value", EXTREMES)
def test_extremes_are_exact_or_out_of_range_in_every_form(kind: TimeKind, value: int) -> None:
    exact = value * 1_000_000 // PER[kind]
    expected = exact if EARLIEST <= exact <= LATEST else OUT_OF_RANGE
    assert read([value], kind) == [expected]
    assert read([str(value)], kind) == [expected]
    assert read([f" {value}.0 "], kind) == [expected]
    assert read([f"{value}", "1.5"], kind)[0] == expected
    near = read([float(value)], kind)[0]
    assert near is not None
    assert abs(near - expected) <= max(1, abs(exact) // 2**52) or expected == OUT_OF_RANGE == near
    if kind != "s":
        for zone in (None, "UTC"):
            typed = pl.Series([value]).cast(pl.Datetime(kind, zone))  # type: ignore[arg-type]
            assert instant(typed, TimeFormat(kind="datetime"), "UTC").to_list() == [expected]


@pytest.mark.parametrize("kind", PER)
def test_a_unit_that_was_guessed_holds_the_other_times_to_it(kind: TimeKind) -> None:
    scale, modern, other = PER[kind], 1_717_070_400, 1000 if kind != "ns" else 1
    values = [modern * scale, 0, -1, modern * scale * other if kind in {"s", "ms"} else modern, None]
    expected = [NOON, OUT_OF_RANGE, OUT_OF_RANGE, OUT_OF_RANGE, None]
    guessed = TimeFormat(kind=kind, guessed=True)
    assert instant(pl.Series(values), guessed, "UTC").to_list() == expected
    assert instant(pl.Series(values, dtype=pl.Int64).cast(pl.String), guessed, "UTC").to_list() == expected
    assert read([0], kind) == [0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1_717_070_400, 0, -1], TimeFormat(kind="s", guessed=True)),
        ([1_717_070_400, 1_717_070_401, 0], TimeFormat(kind="s", guessed=True)),
        ([1_717_070_400_000] * 3 + [0], TimeFormat(kind="ms", guessed=True)),
        ([1_717_070_400_000_000], TimeFormat(kind="us", guessed=True)),
        ([1_717_070_400_000_000_000], TimeFormat(kind="ns", guessed=True)),
        (["1717070400.5", "x"], TimeFormat(kind="s", guessed=True)),
        (["1717070400", "2024-05-30", "2024-05-30"], TimeFormat(kind="text")),
    ],
    ids=str,
)
def test_the_unit_is_found_from_the_size_of_the_middle_one(values: list[Any], expected: TimeFormat) -> None:
    column = pl.Series("ts", values)
    asked = Config(columns={"session_id": "ts", "timestamp": "ts"})
    assert (
        resolve(asked, {"ts": column.dtype}, lambda each, _=1000: column.to_frame().select(each).to_series()).time
        == expected
    )


STARTS: dict[TimeKind, tuple[datetime, int]] = {
    "windows": (datetime(1601, 1, 1, tzinfo=UTC), 10_000_000),
    "webkit": (datetime(1601, 1, 1, tzinfo=UTC), 1_000_000),
    "dotnet": (datetime(1, 1, 1, tzinfo=UTC), 10_000_000),
    "apple": (datetime(2001, 1, 1, tzinfo=UTC), 1),
}
"""What others count from, and how many of it are a second: as their makers say."""


@examples(200)
@given(st.sampled_from(sorted(STARTS)), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - UTC
def test_clocks_that_begin_elsewhere_count_to_the_same_instant_in_every_type(kind: TimeKind, moment: datetime) -> None:
    start, per_second = STARTS[kind]
    past = moment.replace(tzinfo=UTC) - start
    number = past // MICROSECOND * per_second // 1_000_000
    instant_of = (start - EPOCH) // MICROSECOND + number * 1_000_000 // per_second
    assert read([number], kind, dtype=pl.Int64()) == read([str(number), None], kind)[:1] == [instant_of]
    assert read([None, "x", ""], kind) == [None, None, None]
    assert read([float("nan"), None], kind) == [None, None]
    if kind == "apple" and number >= 0:
        assert read([f"{number}.25"], kind) == read([number + 0.25], kind) == [instant_of + 250_000]
