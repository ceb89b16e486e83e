"""Which layouts are proposed for a time, and which are taken."""

from __future__ import annotations

import polars as pl
import pytest

from sessionize.plan.layouts import certain, proposed


@pytest.mark.parametrize(
    ("written", "layout"),
    [
        ("20240530-1215", "%Y%m%d-%H%M"), ("20240530 12", "%Y%m%d %H"), ("20240530-121559.5", "%Y%m%d-%H%M%S.%f"),
        ("30/05/2024 1215", "%d/%m/%Y %H%M"), ("30-May-24 10.00.00.123456 AM", "%d-%b-%y %I.%M.%S.%f %p"),
        ("2024/05/30 10:00:00 (UTC)", "%Y/%m/%d %H:%M:%S (UTC)"),
    ],
)  # fmt: skip
def test_each_number_is_read_whole(written: str, layout: str) -> None:
    assert proposed(pl.Series([written])) == [layout]


@pytest.mark.parametrize("zone", ["PDT", "CEST", "America/New_York"])
def test_a_zone_by_name_alone_is_no_layout(zone: str) -> None:
    texts = pl.Series([f"2024/05/30 10:00:00 ({zone})"])
    assert certain(texts) is None
    assert proposed(texts) == []
