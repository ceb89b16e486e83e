"""Hashes of columns and of rows: what has codes is hashed, counted and followed as its texts are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
import pytest

from sessionize import schema
from sessionize.config import Plan, TimeFormat
from sessionize.engine.column_hashes import SEED, SLICE, ColumnHashes, of_rows
from sessionize.engine.profile import Profile
from sessionize.kernel import Dictionaries
from sessionize.summary.daily import Figure, written

ROWS: Final = SLICE + 1_000
WHEN: Final = datetime(2024, 5, 6, tzinfo=UTC)
PLAN: Final = Plan(columns={}, time=TimeFormat(kind="datetime"))


def events(rows: int = ROWS, days: int = 3) -> pl.DataFrame:
    """Events of some days, hardly in order, with every kind of value; in each column some are missing."""
    number = np.arange(rows)
    dice = np.random.default_rng(3)

    def of(values: pl.Series, every: int) -> pl.Series:
        return pl.select(pl.when(pl.Series(number % every != 0)).then(values)).to_series()

    seconds = np.sort(dice.integers(0, days * 86_400, rows)) + dice.integers(0, 900, rows)
    frame = pl.DataFrame({
        schema.SESSION_ID: of(pl.Series([f"session {each // 5}" for each in number]), 7),
        schema.PROFILE_ID: of(pl.Series([f"ü{each // 9}" for each in number]), 11),
        schema.EVENT_ID: [f"{each}" for each in number],
        schema.EVENT_TYPE: of(pl.Series([("view", "click", "buy")[each % 3] for each in number]), 13),
        schema.PAGE: of(pl.Series([f"/{each % 2_500}" for each in number]), 17),
        schema.REFERRER: pl.Series([None] * rows, dtype=pl.String),
        schema.VALUE: of(pl.Series(dice.random(rows)), 2),
        schema.PROPERTY_PREFIX + "small": of(pl.Series(number % 100, dtype=pl.Int8), 3),
        schema.PROPERTY_PREFIX + "flag": of(pl.Series(number % 2 == 0), 5),
        schema.PROPERTY_PREFIX + "day": of(pl.Series(number % 400, dtype=pl.Int32).cast(pl.Date), 19),
        schema.TIMESTAMP: pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC")),
    }).with_columns(pl.lit(0, pl.UInt32).alias(schema.FILE), pl.lit(None, pl.String).alias(schema.REASON))  # fmt: skip
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(schema.ROW))


def coded(frame: pl.DataFrame, dictionaries: Dictionaries) -> pl.DataFrame:
    found = dictionaries.coded(frame)
    assert isinstance(found.schema[schema.SESSION_ID], pl.Categorical)
    return found


def test_a_row_has_one_hash_however_its_texts_are_coded_and_another_row_has_another() -> None:
    frame = events().drop(schema.FILE, schema.ROW, schema.REASON)
    texts, codes = ColumnHashes().look(frame), ColumnHashes().look(coded(frame, Dictionaries()))
    for names in (
        sorted(frame.columns),
        frame.columns,
        [schema.EVENT_TYPE],
        [schema.PAGE, schema.EVENT_TYPE, schema.VALUE],
    ):
        found = of_rows(codes, names, frame.height)
        assert found.tolist() == of_rows(texts, names, frame.height).tolist()
        assert len(np.unique(found)) == frame.select(names).n_unique()


def test_a_list_and_a_dictionary_of_the_log_count_in_the_hash_of_their_row() -> None:
    frame = events(50).select(schema.EVENT_TYPE)
    more = pl.Series("country", ["de", "fr"] * 25, dtype=pl.Categorical), pl.Series("tags", [[1], [1, 2]] * 25)
    for column in more:
        both = frame.with_columns(column)
        columns = ColumnHashes().look(both)
        assert len(np.unique(of_rows(columns, both.columns, 50))) == both.n_unique() > frame.n_unique()


def test_columns_that_are_put_in_another_order_are_those_of_the_events_in_that_order() -> None:
    frame = events(500)
    order = np.random.default_rng(1).permutation(500)
    for each in (frame, coded(frame, Dictionaries())):
        there = ColumnHashes().look(each, order)
        plain = ColumnHashes().look(frame[order.astype(np.uint32)])
        part = slice(100, 450)
        for name, column in there.items():
            assert column.hashes(part).tolist() == plain[name].hashes(part).tolist(), name
            assert column.nulls(part) == plain[name].nulls(part), name
            hashes, values_at = column.there(part)
            expected = frame[order.astype(np.uint32)][part][name].drop_nulls()
            assert hashes.tolist() == expected.hash(SEED).to_list(), name
            assert values_at(np.arange(len(hashes))).cast(pl.String).to_list() == expected.cast(pl.String).to_list(), (
                name
            )


def test_texts_with_codes_are_counted_by_them_where_there_are_not_many_more_codes_than_rows() -> None:
    frame = coded(events(), Dictionaries())
    columns = ColumnHashes().look(frame)
    part = slice(30, 2_000)
    for name in (schema.EVENT_TYPE, schema.PAGE, schema.REFERRER):
        counted = columns[name].counted(part)
        assert counted is not None
        there = frame[name][part].drop_nulls().cast(pl.String)
        texts = columns[name].texts_of(counted.codes)
        assert dict(zip(texts, counted.counts.tolist(), strict=True)) == dict(there.value_counts().iter_rows())
        assert columns[name].hashes_of(counted.codes).tolist() == pl.Series(texts, dtype=pl.String).hash(SEED).to_list()
    assert columns[schema.SESSION_ID].counted(part) is None
    assert columns[schema.PROFILE_ID].counted(part) is None


def test_codes_that_come_later_and_those_of_another_dictionary_have_their_own_hashes() -> None:
    known = ColumnHashes()
    one, other = Dictionaries(), Dictionaries()
    frames = events(300), events(900)[::-1]
    for dictionaries, given in ((one, frames), (one, frames), (other, frames[::-1])):
        for frame in given:
            columns = known.look(coded(frame, dictionaries))
            assert (
                columns[schema.SESSION_ID].hashes(slice(0, frame.height)).tolist()
                == frame[schema.SESSION_ID].hash(SEED).to_list()
            )


@pytest.mark.parametrize("timezone", ["UTC", "America/St_Johns"])
def test_the_figures_of_days_are_those_of_the_texts_however_the_events_are_cut_and_coded(timezone: str) -> None:
    frame = events(60_000)
    found = []
    for cut, dictionaries in ((60_000, None), (60_000, Dictionaries()), (7_001, Dictionaries()), (9_999, None)):
        profile = Profile(Plan(columns={}, time=PLAN.time, timezone=timezone))
        for start in range(0, frame.height, cut):
            part = frame[start : start + cut]
            profile.batch(part if dictionaries is None else coded(part, dictionaries))
        found.append({day: written(figures) for day, figures in profile.of_days().items()})
    assert len(found[0]) >= 3
    assert found[1:] == found[:1] * 3


def test_what_a_day_says_of_its_columns_to_the_letter() -> None:
    frame = events(40, days=1).with_columns(pl.lit(WHEN, pl.Datetime("us", "UTC")).alias(schema.TIMESTAMP))
    profile = Profile(PLAN)
    profile.batch(coded(frame, Dictionaries()))
    (figures,) = profile.of_days().values()

    def value(name: str) -> float:
        figure: Figure = figures[name]
        return round(figure.value, 6)

    assert value("volume.events") == 40
    assert value("null.session_id") == 6 / 40
    assert value("different.session_id") == 8
    assert value("null.referrer") == 1
    assert value("different.referrer") == 0
    assert value("different.page") == 37
    assert value("share.event_type=click") == round(12 / 36, 6)
    assert value("times.at midnight") == 1
    assert value("hours.00-03") == 1
    assert value("form.profile_id length") == 2
    assert value("form.profile_id with other") == 0
    assert value("form.profile_id with digits") == 1
    assert value("repeated.rows") == 0
