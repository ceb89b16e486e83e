"""The fitted cut: the published ones, what is recovered of a known mixture, and which real logs are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessionize.answers import timeout
from sessionize.config import Config
from sessionize.summary.mixture import Normal, cut, doubt
from sessionize.summary.silences import Row, Silences
from sessionize.summary.timeouts import plateau

DATA = Path(__file__).parents[3] / "shared" / "data"
PUBLISHED = {
    "AOL search": (6.7, 2.9, 0.70, 16.8, 2.2, 0.30, 6928.8),
    "Cyclopath": (5.0, 2.5, 0.87, 18.6, 3.1, 0.13, 5315.9),
    "Wikimedia app views": (5.2, 2.3, 0.74, 15.7, 2.5, 0.26, 1767.6),
    "Wikimedia mobile views": (6.4, 2.6, 0.65, 15.8, 2.5, 0.35, 2997.0),
    "Wikimedia desktop views": (5.5, 2.6, 0.75, 15.7, 2.5, 0.25, 2741.3),
    "OpenStreetMap": (8.6, 2.1, 0.68, 15.5, 2.5, 0.30, 6031.0),
    "Wikipedia edits": (6.8, 2.5, 0.83, 15.4, 2.7, 0.16, 4797.1),
    "MovieLens ratings": (5.2, 1.9, 0.34, 18.0, 3.0, 0.07, 1995.8),
    "MovieLens searches": (5.7, 2.5, 0.50, 17.1, 3.1, 0.20, 3099.8),
    "League of Legends": (8.3, 0.5, 0.59, 14.1, 2.8, 0.41, 850.7),
    "Stack Overflow answers": (10.2, 1.7, 0.30, 16.6, 2.9, 0.63, 5486.6),
    "Stack Overflow questions": (12.7, 1.7, 0.10, 18.5, 2.1, 0.63, 20081.2),
}


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_the_published_parameters_give_the_published_cuts(published: tuple[float, ...]) -> None:
    mean, sd, weight, mean_between, sd_between, weight_between, seconds = published
    found = cut(Normal(weight, mean, sd), Normal(weight_between, mean_between, sd_between))
    assert found == pytest.approx(seconds, rel=0.1)


def test_equal_deviations_have_the_linear_root() -> None:
    assert cut(Normal(0.5, 6.0, 2.0), Normal(0.5, 16.0, 2.0)) == pytest.approx(2.0**11)


def test_a_known_mixture_is_recovered() -> None:
    chance = np.random.default_rng(1)
    logs = np.where(chance.random(60_000) < 0.8, chance.normal(5.5, 2.2, 60_000), chance.normal(16.0, 2.3, 60_000))
    times = np.concatenate([[0], np.cumsum((2**logs * 1e6).astype(np.int64))])
    silences = Silences()
    silences.add(times, np.arange(len(times)) == 0)
    fit = silences.fit()
    assert fit is not None
    assert fit.within == pytest.approx((0.8, 5.5, 2.2), rel=0.03)
    assert fit.between == pytest.approx((0.2, 16.0, 2.3), rel=0.03)
    assert doubt(fit, silences.positive, silences.days) is None


def test_parts_of_a_log_add_up() -> None:
    times, starts = np.array([0, 5, 9, 1, 4_000_000, 4_000_000], np.int64), np.array([1, 0, 0, 1, 0, 0], np.bool_)
    whole, parts = Silences(), Silences()
    whole.add(times, starts)
    parts.add(times[:3], starts[:3])
    parts.add(times[3:], starts[3:])
    assert (whole.counts == parts.counts).all()
    assert (whole.zeros, whole.positive, whole.days) == (parts.zeros, parts.positive, parts.days) == (1, 3, 4 / 86_400)


def test_a_plateau_is_the_longest_run_over_which_the_sessions_hardly_change() -> None:
    numbers = [(60, 1000), (300, 995), (600, 900), (900, 899), (1200, 895), (1800, 890)]
    rows = [Row(seconds * 1_000_000, number, 0, 0, None) for seconds, number in numbers]
    assert plateau(rows) == {"from_s": 600.0, "to_s": 1200.0}
    assert plateau(rows[1:3]) is None


REAL: dict[str, tuple[str | None, dict[str, Any]]] = {
    "retentioneering_simple_shop/simple-onlineshop.csv.gz": (None, {}),
    "movielens_latest_small/ratings.csv.gz": (None, {}),
    "bitcoin_otc/soc-sign-bitcoinotc.csv.gz": (None, {"csv_columns": ("source", "target", "rating", "time"), "columns": {"session_id": "source"}}),
    "similarweb_assignment/input_*.csv.gz": ("days", {"csv_columns": ("visitor", "site", "page", "ts")}),
    "webtrackr_tracking/testdt_tracking.parquet": ("only", {"columns": {"session_id": "panelist_id"}}),
    "apache_access_log/apache_access.csv.gz": ("days", {"columns": {"session_id": "ip"}}),
    "moodle_la_course/events.parquet": ("hour", {}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine")
@pytest.mark.parametrize("name", REAL)
def test_a_cut_is_told_of_real_logs_that_have_one_and_refused_of_the_others(name: str) -> None:
    why, options = REAL[name]
    data = timeout(Config(inputs=(str(DATA / name),), **options)).data
    assert (data["fit"] is None) == (why is not None)
    if why is None:
        assert data["why_no_fit"] is None
        assert 1000 < data["fit"]["cut_s"] < 10_000
    else:
        assert why in data["why_no_fit"]
