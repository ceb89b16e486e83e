"""What the checks say, with no configuration, of real logs that nobody here wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sessionize

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]

SOUND: dict[str, dict[str, Any]] = {
    "retentioneering_simple_shop/simple-onlineshop.csv.gz": {},
    "yoochoose_100k_test/yoochoose-clicks-100k_test.txt.gz": {},
    "nasa_http_1995_07_01/nasa_19950701.tsv.gz": {"columns": {"session_id": "host"}},
    "movielens_latest_small/ratings.csv.gz": {},
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_log_passes_without_a_warning(name: str) -> None:
    checked = sessionize.check(sessionize.Config(inputs=(str(DATA / name),), **SOUND[name]))
    assert [finding.check for finding in checked.findings if finding.is_bad] == []


def test_a_clock_that_was_cut_to_one_minute_of_each_hour_is_a_warning() -> None:
    log = DATA / "apache_access_log" / "apache_access.csv.gz"
    checked = sessionize.check(sessionize.Config(inputs=(str(log),), columns={"session_id": "ip"}))
    (finding,) = (finding for finding in checked.findings if finding.is_bad)
    assert (finding.check, finding.status) == ("one-minute", "warned")


def test_a_log_of_dates_is_told_from_one_of_times() -> None:
    log = DATA / "lifetimes_transactions" / "example_transactions.csv.gz"
    columns = {"session_id": "id", "timestamp": "date"}
    checked = sessionize.check(sessionize.Config(inputs=(str(log),), columns=columns))
    assert [finding.check for finding in checked.of("failed")] == ["midnight", "one-second"]


def test_a_user_id_that_means_no_user_is_found() -> None:
    log = DATA / "diginetica_sample" / "sample_train-item-views.csv.gz"
    config = sessionize.Config(inputs=(str(log),), columns={"timestamp": "timeframe"}, time_format="ms")
    (finding,) = (each for each in sessionize.check(config).findings if each.check == "profile-id-share")
    assert (finding.status, finding.examples[0].text) == ("failed", "profile_id 'NA': 7,702 events")
