"""What `check` finds of 39 kinds of damage to a day's log, by defaults, by learnt bounds and beside nights; and not on clean days."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from budget import THOROUGH, every
from damages import DAMAGED, DAMAGES, LARGE, LEARNT, MIDDLE, SMALL, Kind, fits, month, write

import sessionize
from sessionize.checks import OPTIONS, Checked, Settings, each_day, settings_of
from sessionize.checks.day_settings import Days
from sessionize.checks.init import followed, learnt
from sessionize.config import Nightly, Output
from sessionize.nightly.job import run_night


class Found(NamedTuple):
    """Which check finds a damage, and whether it then fails or warns; empty where none does."""

    learnt: str
    baseline: str
    defaults: str = ""


FOUND: Mapping[str, Found] = {
    "busiest hour missing": Found("W hours-without-events", "W hours-without-events", "W hours-without-events"),
    "3 hours missing": Found("W daily-hours", "W daily-hours", "W hours-without-events"),
    "cut at 60 %": Found("W daily-volume", "W daily-volume"),
    "40 % of rows gone": Found("W daily-volume", "W daily-volume"),
    "90 % of sessions gone": Found("F daily-volume", "F daily-volume"),
    "header alone": Found("F daily-volume", "F daily-volume", "W rows"),
    "times +8 h": Found("F daily-times", "F daily-times"),
    "times -8 h": Found("F daily-hours", "F daily-hours"),
    "yesterday's date": Found("F daily-times", "F daily-times"),
    "appended to itself": Found("F repeated-rows", "F daily-repeated", "F duplicates"),
    "5 % of rows twice": Found("F repeated-rows", "W daily-repeated", "W duplicates"),
    "30 % sent again under new event ids": Found("F daily-repeated", "F daily-repeated", "W repeated-rows"),
    "session id constant for 30 %": Found("F session-id-share", "W session-id-share", "W session-id-share"),
    "session id constant for 10 %": Found("F session-id-profiles", "W session-id-profiles", "W session-id-profiles"),
    "session id null for 40 %": Found("F daily-null", "F daily-null", "F rejected"),
    "profile id null for 40 %": Found("F daily-null", "F daily-null"),
    "event ids empty": Found("F daily-null", "F daily-null", "F null-event-ids"),
    "an event type renamed": Found("F unknown-event-types", "W daily-share"),
    "page views renamed": Found("F daily-share", "F daily-share"),
    "purchases missing": Found("F empty-columns", "W empty-columns", "W empty-columns"),
    "purchases halved": Found("", ""),  # found in a log of 3,000 sessions a day: of 24 purchases, 12 may be chance
    "amounts x 100": Found("F daily-amount", "F daily-amount"),
    "amounts empty": Found("F empty-columns", "W empty-columns", "W empty-columns"),
    "pages empty": Found("F daily-null", "F daily-null", "W empty-columns"),
    "referrers empty": Found("F daily-null", "F daily-null", "W empty-columns"),
    "one device: half of its events gone": Found("W daily-share", "W daily-share"),
    "one device gone": Found("F daily-volume", "F daily-volume"),
    "times cut to days": Found("F daily-times", "F daily-times", "F midnight"),
    "times cut to minutes": Found("F daily-times", "F daily-times", "W whole-minutes"),
    "a crawler under one id": Found("F profile-id-share", "W daily-repeated"),
    "a crawler with a new id each hit": Found("F daily-sessions", "F daily-sessions"),
    "order shuffled": Found("F daily-times", "F daily-times"),
    "clock +3 years for 2 %": Found("F future-timestamps", "F future-timestamps", "F future-timestamps"),
    "clock +2 days for 2 %": Found("W daily-times", "W daily-times", "W hours-without-events"),
    "ids in upper case": Found("F daily-form", "F daily-form"),
    "a column renamed": Found("F missing-columns", "F daily-columns"),
    "a column added": Found("W new-columns", "W daily-columns"),
    "a column dropped": Found("F missing-columns", "F daily-columns"),
    "ids rotate each 5 min": Found("F daily-form", "F daily-form"),
}
"""Of a Wednesday with 600 sessions, after fourteen days."""
DAY = DAMAGED[0]


def config(*paths: Path) -> sessionize.Config:
    return sessionize.Config(inputs=tuple(map(str, paths)))


class Place:
    """A month's log, of which the first fourteen days lie in files."""

    def __init__(self, folder: Path, kind: Kind, seed: int = 5) -> None:
        self.folder, self.kind, self.days = folder, kind, month(kind, seed)
        self.before = [write(self.days[day], folder / "logs", day) for day in sorted(self.days)[:LEARNT]]

    def check(self, log: pl.DataFrame, day: date, asked: Settings) -> Checked:
        return sessionize.check(config(write(log, self.folder / "new", day)), asked)

    def learnt(self) -> Settings:
        wanted = Settings(days=Days(learning=True))
        checked = sessionize.check(config(*self.before), wanted)
        text = learnt(checked, each_day(config(*self.before), checked, wanted), followed(checked))
        return settings_of(tomllib.loads(text)["check"], OPTIONS)

    def nights(self) -> Settings:
        out, state = str(self.folder / "out"), str(self.folder / "state")
        for path in self.before:
            log = sessionize.Config(inputs=(str(path),), properties=("device",))
            run_night(log, Output(directory=out), Nightly(state=state, batch=path.stem))
        return Settings(baseline=f"{out}/batch=*", days=Days(dimensions=("device",)))

    def clean(self, asked: Settings) -> list[str]:
        """Of each of the other days, whether the log fails or warns."""
        days = sorted(self.days)[LEARNT:]
        return [verdict(self.check(self.days[day], day, asked)) for day in days]

    def found(self, asked: Settings, day: date) -> int:
        """How many kinds of damage are found."""
        dice = np.random.default_rng(1)
        logs = [damage(self.days[day], dice) for name, damage in DAMAGES.items() if fits(name, self.kind)]
        return sum(verdict(self.check(log, day, asked)) != "-" for log in logs)


def verdict(checked: Checked) -> str:
    return "F" if checked.of("failed") else "W" if checked.of("warned") else "-"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("middle"), MIDDLE)


@pytest.fixture(scope="module")
def bounds(place: Place) -> Settings:
    return place.learnt()


@pytest.fixture(scope="module")
def baseline(place: Place) -> Settings:
    return place.nights()


def finds(place: Place, asked: Settings, name: str) -> set[str]:
    checked = place.check(DAMAGES[name](place.days[DAY], np.random.default_rng(1)), DAY, asked)
    return {f"{finding.status[0].upper()} {finding.check}" for finding in checked.findings if finding.is_bad}


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_found_by_bounds_that_were_learnt(place: Place, bounds: Settings, name: str) -> None:
    expected, found = FOUND[name].learnt, finds(place, bounds, name)
    assert expected in found if expected else not found


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DAMAGES][:: every(3)])
def test_a_damage_is_found_beside_fourteen_nights(place: Place, baseline: Settings, name: str) -> None:
    expected, found = FOUND[name].baseline, finds(place, baseline, name)
    assert expected in found if expected else not found


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DAMAGES][:: -every(3)])
def test_a_damage_is_found_without_any_bounds_where_that_can_be(place: Place, name: str) -> None:
    expected, found = FOUND[name].defaults, finds(place, Settings(), name)
    assert expected in found if expected else not found


def test_as_many_are_found_as_was_aimed_at() -> None:
    assert len(FOUND) == len(DAMAGES) == 39
    assert (
        sum(bool(each.learnt) for each in FOUND.values()) == sum(bool(each.baseline) for each in FOUND.values()) == 38
    )
    assert sum(bool(each.defaults) for each in FOUND.values()) == 18


@pytest.mark.slow
def test_nothing_is_said_of_sixteen_clean_days(place: Place, bounds: Settings) -> None:
    assert place.clean(bounds) == ["-"] * 16


@pytest.mark.slow
def test_nothing_is_said_of_sixteen_clean_days_beside_nights_or_without_bounds(
    place: Place, baseline: Settings
) -> None:
    assert place.clean(baseline) == place.clean(Settings()) == ["-"] * 16


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6, 7] if THOROUGH else [5])
def test_a_log_of_few_events_has_no_clean_day_that_fails_and_most_damages_are_found(tmp_path: Path, seed: int) -> None:
    place = Place(tmp_path, SMALL, seed)
    bounds = place.learnt()
    assert "F" not in place.clean(bounds) + place.clean(place.nights()) + place.clean(Settings())
    assert place.found(bounds, DAMAGED[0]) >= 19  # of the 29 that fit it


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="takes a minute: THOROUGH=1")
@pytest.mark.parametrize("way", [Place.learnt, Place.nights])
def test_in_a_large_log_all_are_found_but_for_one_and_no_clean_day(
    tmp_path: Path, way: Callable[[Place], Settings]
) -> None:
    place = Place(tmp_path, LARGE)
    asked = way(place)
    assert place.clean(asked) == ["-"] * 16
    assert min(place.found(asked, day) for day in DAMAGED) >= 38  # purchases halved on a Saturday may be chance
