"""Figures of a day: what they count, that they do not depend on how a log is cut, and what is learnt of them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from console import sessionize as command
from hypothesis import example, given
from hypothesis import strategies as st

import sessionize
from sessionize.checks import OPTIONS, Checked, settings_of
from sessionize.checks.expected import Past, expected, kind_among
from sessionize.engine.sketch import SIZE, Sketch
from sessionize.errors import UsageError
from sessionize.limits import Limits
from sessionize.summary.daily import COUNT, FIXED, MEAN, SHARE, Figure

MONDAY = date(2024, 5, 6)
HEAD = "time,session_id,user_id,event_id,event_type,page,value,device\n"


def log(day: date, sessions: int = 40, **changed: str) -> str:
    """A day of so many sessions of three events, spread over its hours; the same columns of each changed."""
    start = datetime(day.year, day.month, day.day, 0, 5, 7, tzinfo=UTC)
    lines = [HEAD]
    for number in range(sessions):
        for place in range(3):
            row = {
                "time": (start + timedelta(minutes=number * 1420 / sessions, seconds=20 * place)).isoformat(),
                "session": f"s{day}-{number:04}", "user": f"u{number:04}", "event": f"e{day}-{number:04}-{place}",
                "type": "page-view" if place < 2 else "click", "page": f"/{number % 7}",
                "value": str(10 + (number + day.day) % 5), "device": "phone" if number % 3 else "desktop",
            } | changed  # fmt: skip
            lines.append(",".join(row.values()) + "\n")
    return "".join(lines)


def write(folder: Path, day: date, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{day}.csv").write_text(text)
    return folder / f"{day}.csv"


def days(folder: Path, number: int = 14) -> list[Path]:
    return [
        write(folder, MONDAY + timedelta(days=each), log(MONDAY + timedelta(days=each), 40 + each % 3))
        for each in range(number)
    ]


def check(path: Path, section: dict[str, Any] | None = None, **more: Any) -> Checked:
    config = sessionize.Config(inputs=(str(path),), **more)
    return sessionize.check(config, settings_of(section or {}, OPTIONS))


def statuses(checked: Checked) -> dict[str, str]:
    return {finding.check: finding.status for finding in checked.findings if finding.check.startswith("daily-")}


def learnt(folder: Path, *more: str) -> dict[str, Any]:
    done = command("check", "logs", "--init", "--force", *more, cwd=folder)
    assert done.code == 0, done.err
    section: dict[str, Any] = tomllib.loads((folder / "sessionize.toml").read_text())["check"]
    return section


class Learnt(NamedTuple):
    """Fourteen days of a log, and what was learnt of them."""

    folder: Path
    paths: list[Path]
    section: dict[str, Any]


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("fortnight")
    return Learnt(folder, days(folder / "logs"), learnt(folder))


def test_a_sketch_counts_exactly_what_it_can_keep_and_nearly_what_it_cannot() -> None:
    for number, apart in ((SIZE, 0.0), (50_000, 0.07)):
        values = pl.Series([f"v{each}" for each in range(number)])
        sketch = Sketch(texts=True).add(values.hash(1), values)
        assert abs(sketch.different - number) <= apart * number
        assert sketch.repeats == (0, SIZE)
    values = pl.Series([f"v{each % 500}" for each in range(1500)])
    assert Sketch().add(values.hash(1)).repeats == (1000, 1500)


@given(st.integers(0, 40_000), st.integers(1, 20_000), st.integers(0, 2**32 - 1), st.floats(0, 1))
@example(20_000, 10_000, 1, 0.5)
def test_a_sketch_does_not_depend_on_order_or_cuts(rows: int, different: int, seed: int, cut: float) -> None:
    dice = np.random.default_rng(seed)
    values = pl.Series(dice.integers(0, different, rows))
    whole = Sketch().add(values.hash(1))
    hashes = values.sample(fraction=1, shuffle=True, seed=seed).hash(1)
    parts = Sketch().add(hashes[: int(cut * rows)]).add(hashes[int(cut * rows) :])
    counted, ascending = Sketch(), np.sort(hashes.to_numpy())
    for part in (ascending[: int(cut * rows)], ascending[int(cut * rows) :]):
        counted.add_counted(*np.unique(part, return_counts=True))
    for other in (parts, counted):
        assert (whole.different, whole.repeats) == (other.different, other.repeats)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 30))
@example([9, 3, 0, 3, 1], 5)
def test_hashes_that_differ_in_their_last_bits_alone_keep_their_texts(lasts: list[int], cut: int) -> None:
    hashes = pl.Series([(7 << 60) + last for last in lasts], dtype=pl.UInt64)
    texts = pl.Series([f"of {last}" for last in lasts], dtype=pl.String)
    sketch = Sketch(texts=True).add(hashes[:cut], texts[:cut]).add(hashes[cut:], texts[cut:])
    assert sketch.texts.to_list() == [f"of {last}" for last in sorted({*lasts})]


def test_a_sketch_does_not_hold_on_to_the_texts_that_it_does_not_keep() -> None:
    sketch = Sketch(texts=True)
    for batch in range(3):
        values = pl.Series([f"an id of more than twelve bytes, {batch} {row}" for row in range(20_000)])
        sketch.add(values.hash(1), values)
    held = [texts for _, texts in sketch._texts or ()]
    kept = sum(int(texts.str.len_bytes().sum()) for texts in held)
    buffers = [each for texts in held for each in texts.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()[2:]]
    assert sum(each.size for each in buffers) < 2 * kept


def test_the_figures_of_a_small_day_to_the_letter(tmp_path: Path) -> None:
    path = write(tmp_path, MONDAY, log(MONDAY, 4))
    (figures,) = check(path).days.values()
    assert {name: round(each.value, 4) for name, each in figures.items() if not name.startswith(("hours", "form"))} == {
        "volume.events": 12, "volume.sessions": 4, "volume.profiles": 4,
        "null.event_id": 0, "null.event_type": 0, "null.page": 0, "null.profile_id": 0, "null.session_id": 0, "null.value": 0,
        "different.event_id": 12, "different.event_type": 2, "different.page": 4, "different.session_id": 4, "different.value": 4,
        "amount.mean": 12.5, "amount.deviation": 1.118,
        "share.event_type=page-view": 0.6667, "share.event_type=click": 0.3333,
        "times.on another day": 0, "times.out of order": 0, "times.at second 0": 0, "times.at midnight": 0,
        "repeated.rows": 0, "sessions.bounced": 0, "sessions.converted": 0,
        "sessions.events": 3, "sessions.page views": 2, "sessions.log of duration": 3.7136,
    }  # fmt: skip
    hours = [figures[f"hours.{start:02}-{start + 3:02}"].value for start in range(0, 24, 3)]
    assert hours == [0.25, 0, 0.25, 0.25, 0, 0.25, 0, 0]
    forms = {
        name.removeprefix("form.session_id "): each.value for name, each in figures.items() if "form.session_id" in name
    }
    assert forms == {"length": 16, "with upper case": 0, "with lower case": 1, "with digits": 1, "with other": 1}


def test_figures_do_not_depend_on_how_many_rows_are_read_at_once(tmp_path: Path) -> None:
    days(tmp_path / "logs", 3)
    config = sessionize.Config(inputs=(str(tmp_path / "logs"),))
    whole = sessionize.check(config).days
    assert sessionize.check(config, limits=replace(Limits.of(None), rows=7)).days == whole
    assert list(whole) == [MONDAY + timedelta(days=each) for each in range(3)]


def test_a_log_of_several_days_in_one_file_is_told_apart_by_its_times_in_its_zone(tmp_path: Path) -> None:
    texts = [log(MONDAY + timedelta(days=each)).removeprefix(HEAD) for each in range(3)]
    (tmp_path / "log.csv").write_text(HEAD + "".join(texts))
    assert [each["volume.events"].value for each in check(tmp_path / "log.csv").days.values()] == [120, 120, 120]
    west = check(tmp_path / "log.csv", timezone="America/New_York").days
    assert list(west) == [MONDAY, MONDAY + timedelta(days=1)]  # of the first and the last there are but some hours


def test_half_a_day_at_the_end_of_a_log_is_not_judged_and_a_day_alone_is(tmp_path: Path) -> None:
    whole, half = log(MONDAY), log(MONDAY + timedelta(days=1)).removeprefix(HEAD).splitlines(keepends=True)[:60]
    (tmp_path / "log.csv").write_text(whole + "".join(half))
    assert list(check(tmp_path / "log.csv").days) == [MONDAY]
    (tmp_path / "log.csv").write_text(HEAD + "".join(half))
    assert list(check(tmp_path / "log.csv").days) == [MONDAY + timedelta(days=1)]


@pytest.mark.slow
def test_what_was_learnt_day_by_day_says_nothing_of_the_log_nor_of_any_of_its_days(fortnight: Learnt) -> None:
    for path in (fortnight.folder / "logs", *fortnight.paths):
        checked = check(path, fortnight.section)
        assert not checked.of("failed") + checked.of("warned"), checked.summary
        assert statuses(checked)["daily-volume"] == "passed"


@pytest.mark.slow
def test_what_is_learnt_says_from_which_days_and_tells_weekends_apart(fortnight: Learnt) -> None:
    section = fortnight.section["days"]
    assert section["dimensions"] == ["device"]
    assert list(section) == ["dimensions", "days", "weekdays", "weekends"]
    text = (fortnight.folder / "sessionize.toml").read_text()
    assert "learnt from 14 days from 2024-05-06 to 2024-05-19" in text
    assert "[check.days.weekends]  # 4 days from 2024-05-11 to 2024-05-19\n" in text


@pytest.mark.slow
def test_dimensions_that_were_named_stay_when_bounds_are_learnt_anew(tmp_path: Path) -> None:
    days(tmp_path / "logs")
    for named in (["page"], ["device", "user_id"]):
        (tmp_path / "sessionize.toml").write_text(f"[check.days]\ndimensions = {named}\n".replace("'", '"'))
        assert learnt(tmp_path)["days"]["dimensions"] == named


@pytest.mark.parametrize(
    ("day", "text", "bad"),
    [
        (date(2024, 5, 22), HEAD, {"daily-volume": "failed"}),
        (date(2024, 5, 22), log(date(2024, 5, 22), 8), {"daily-volume": "warned"}),
        (date(2024, 5, 22), log(date(2024, 5, 21), 40), {"daily-times": "failed"}),
        (date(2024, 5, 22), log(date(2024, 5, 22), 40, page=""), {"daily-null": "failed"}),
        (date(2024, 5, 22), log(date(2024, 5, 22), 40, value="1200"), {"daily-amount": "failed"}),
        (date(2024, 5, 22), log(date(2024, 5, 22), 40, device="phone"), {"daily-share": "warned"}),
    ],
)  # fmt: skip
def test_a_day_alone_is_judged_by_what_was_learnt(
    day: date, text: str, bad: dict[str, str], tmp_path: Path, fortnight: Learnt
) -> None:
    checked = statuses(check(write(tmp_path / "new", day, text), fortnight.section))
    assert bad.items() <= checked.items()


def test_a_day_of_few_sessions_is_told_by_its_volume_and_not_by_what_chance_makes_of_it(
    tmp_path: Path, fortnight: Learnt
) -> None:
    path = write(tmp_path / "new", date(2024, 5, 22), log(date(2024, 5, 22), 2))
    bad = {name for name, status in statuses(check(path, fortnight.section)).items() if status == "failed"}
    assert bad == {"daily-volume"}


def test_the_newest_of_many_files_is_judged_too(tmp_path: Path, fortnight: Learnt) -> None:
    days(tmp_path / "logs")
    section = fortnight.section
    write(tmp_path / "logs", MONDAY + timedelta(days=14), log(MONDAY + timedelta(days=14), 4))
    finding = next(each for each in check(tmp_path / "logs", section).findings if each.check == "daily-volume")
    assert finding.status == "failed"
    assert finding.said.startswith("3 of 45 figures are out of bounds: 2024-05-20: number of events is 12")


@pytest.mark.slow
def test_a_whole_day_that_is_missing_fails_by_the_names_of_files_and_by_hours(tmp_path: Path) -> None:
    paths = days(tmp_path / "logs")
    paths[5].unlink()
    assert {"missing-days"} == {each.check for each in check(tmp_path / "logs").of("failed")}
    text = "".join(log(MONDAY + timedelta(days=each), 1500).removeprefix(HEAD) for each in range(9) if each != 5)
    (tmp_path / "log.csv").write_text(HEAD + text)
    assert {"hours-without-events"} == {each.check for each in check(tmp_path / "log.csv").of("failed")}


def test_a_dimension_that_the_log_has_not_is_a_usage_error_with_the_nearest_and_a_finding_once_it_was_learnt(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, MONDAY, log(MONDAY))
    with pytest.raises(UsageError, match="no column 'devise'") as error:
        check(path, {"days": {"dimensions": ["devise"]}})
    assert "did you mean 'device'?" in str(error.value.hint)
    gone = write(tmp_path, MONDAY, log(MONDAY).replace("device\n", "client\n"))
    section = {"days": {"dimensions": ["device"]}, "schema": dict.fromkeys(HEAD.strip().split(","), "String")}
    assert "missing-columns" in {each.check for each in check(gone, section).of("failed")}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"days": 3}, "days is no table"),
        ({"days": {"dimensions": "device"}}, "no list of columns"),
        ({"days": {"mondais": {}}}, "knows no 'mondais'"),
        ({"days": {"days": 1}}, "days is no table"),
        ({"days": {"days": {"volume": ["1", "2"]}}}, "no figure of a day"),
        ({"days": {"days": {"colour.red": ["1", "2"]}}}, "no figure of a day"),
        ({"days": {"days": {"volume.events": "1..2"}}}, "no two bounds"),
        ({"days": {"days": {"volume.events": ["1", "much"]}}}, "no bound"),
        ({"days": {"days": {"volume.evnts": ["1", "2"]}}}, "volume.evnts is no figure of a day"),
        ({"days": {"days": {"hours.03-05": ["1%", "2%"]}}}, "hours.03-05 is no figure of a day"),
        ({"days": {"days": {"volume.events": ["2..1", "3"]}}}, "allows nothing"),
        ({"days": {"days": {"least": -1}}}, "no number"),
        ({"midnight": {"least": "few"}}, "no number"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        settings_of(section, OPTIONS)


def test_names_of_figures_that_each_log_has_are_known(fortnight: Learnt) -> None:
    found = {name for figures in check(fortnight.paths[0]).days.values() for name in figures}
    for kind, names in FIXED.items():
        assert {name for name in found if name.startswith(f"{kind}.")} == set(names)


def test_a_figure_that_is_never_measured_is_told_and_does_not_pass(fortnight: Learnt) -> None:
    section = {"days": {"days": {"share.devise=phone": ["10%..20%", "10%..20%"]}}}
    (finding,) = [each for each in check(fortnight.paths[0], section).findings if each.check == "daily-share"]
    assert (finding.status, "never measured: share.devise=phone" in finding.said) == ("not measured", True)
    section["days"]["days"]["share.event_type=click"] = ["10%..90%", "0%..100%"]
    (finding,) = [each for each in check(fortnight.paths[0], section).findings if each.check == "daily-share"]
    assert (finding.status, "never measured: share.devise=phone" in finding.said) == ("passed", True)


def test_a_kind_of_figure_can_be_switched_off(tmp_path: Path, fortnight: Learnt) -> None:
    path = write(tmp_path / "new", date(2024, 5, 22), HEAD)
    assert "daily-volume" not in statuses(check(path, fortnight.section | {"daily-volume": False}))


def past(values: Sequence[float], kind: str = COUNT, of: float = 1000, deviation: float = 0.0) -> list[Past]:
    return [
        Past(MONDAY + timedelta(days=day), {"x": Figure(kind, value, of, deviation)})
        for day, value in enumerate(values)
    ]


def test_a_bound_is_the_middle_give_or_take_the_spread_which_chance_alone_would_make_at_least() -> None:
    found = expected(past([1000] * 14), "days")["x"]
    assert [round(each) for each in found.warn] == [790, 1266]  # ln: 4 x sqrt(1/1000) x 15/14 + 0.1
    assert [round(each) for each in found.error] == [555, 1802]
    wide = expected(past([700, 1300] * 7), "days")["x"]
    assert wide.warn[0] < 300
    assert wide.warn[1] > 3000
    share = expected(past([0.0] * 14, SHARE, 100), "days")["x"]
    assert list(share.warn) == pytest.approx([0.0, 0.0133], abs=0.0005)
    mean = expected(past([10.0] * 14, MEAN, 100, 2.0), "days")["x"]
    assert list(mean.warn) == pytest.approx([8.64, 11.36], abs=0.01)


def test_one_bad_day_among_the_days_before_does_not_widen_the_bounds() -> None:
    clean, spoilt = (expected(past(values), "days")["x"] for values in ([1000] * 14, [1000] * 13 + [10]))
    assert clean.warn == spoilt.warn


def test_days_are_compared_with_their_own_weekday_where_there_are_enough_else_with_weekdays_or_weekends() -> None:
    day = MONDAY + timedelta(days=40)
    assert [kind_among(past([1.0] * number), day) for number in (4, 14, 28)] == ["days", "weekends", "saturdays"]


def test_nothing_at_all_is_never_within_what_is_allowed_of_something() -> None:
    assert expected(past([30, 1, 400, 2], of=1), "days")["x"].error[0] == 1.0


def test_init_writes_no_id_of_the_log(tmp_path: Path) -> None:
    rows = "".join(
        f"2024-05-30T0{number % 10}:00:00Z,SECRET{number % 3 > 1},SECRET{number % 2},SECRET{number % 4},page\n"
        for number in range(2_000)
    )
    for name, text in (("few.csv", rows[:900]), ("many.csv", rows)):
        whole = text[: text.rindex("\n") + 1]
        (tmp_path / name).write_text(f"time,session_id,user_id,visitor_id,event_type\n{whole}")
        done = command("check", name, "--init", "--force", "--profile-id", "user_id", cwd=tmp_path)
        assert done.code in (0, 1), done.err
        written = (tmp_path / "sessionize.toml").read_text()
        assert "have one session_id" in written
        assert "SECRET" not in written


@pytest.mark.parametrize("carried", ["--dimension", "--property"])
def test_a_column_has_one_name_among_the_figures_however_it_is_carried(carried: str, tmp_path: Path) -> None:
    days(tmp_path / "logs", 5)
    learnt(tmp_path)
    log = f"logs/{MONDAY}.csv"
    for name, more in (("checked", ["--check"]), ("night", ["--check", "--state", "st", "--batch", str(MONDAY)])):
        done = command("run", log, "-o", name, "-q", carried, "device", *more, cwd=tmp_path)
        assert done.code == 0, done.err
    nights = ["check", log, "--baseline", "night/batch=*", "-q"]
    assert command(*nights, cwd=tmp_path).code == 0, command(*nights, cwd=tmp_path).out
    (tmp_path / "sessionize.toml").unlink()
    assert command(*nights, cwd=tmp_path).code == 0, command(*nights, cwd=tmp_path).out
