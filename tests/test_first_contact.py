"""An unknown log, and nothing typed but what the messages say: the right answer, or the words that lead to it.

`LOGS` has what each real log needs, `CASES` the same for the small logs of public reports.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from budget import every
from first_contact import SHARED, followed, hinted, inside, run
from test_real_logs import references

DATA = SHARED / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not on this machine"),
]

BY_ITSELF = ""
LOGS = {
    "retentioneering_simple_shop": BY_ITSELF,
    "apache_access_log": BY_ITSELF,
    "snowplow_mobile": BY_ITSELF,
    "snowplow_dbtlabs": BY_ITSELF,
    "datafu_clicks": "--columns user_id,timestamp,page",
    "edgar_official_test_1": BY_ITSELF,
    "edgar_sec_2017_02_14": BY_ITSELF,
    "yoochoose_100k_test": BY_ITSELF,
    "similarweb_by_visitor": "--columns user_id,column_2,column_3,timestamp",
    "nasa_http_1995_07_01": BY_ITSELF,
    "movielens_latest_small": BY_ITSELF,
    "bitcoin_otc": "--columns user_id,column_2,column_3,timestamp",
    "diginetica_sample": "--timestamp timeframe --time-format ms",
    "rees46_tiny": BY_ITSELF,
    "loghub_healthapp": "--profile-id Component --time-format %Y%m%d-%H:%M:%S:%L",
    "sepsis": BY_ITSELF,
    "weblog_quarter_hour": "--columns user_id,column_2,timestamp,page,column_5",
    "moodle_la_course": BY_ITSELF,
    "webtrackr_tracking": BY_ITSELF,
    "amplitude_seed": BY_ITSELF,
    "mixpanel_seed": BY_ITSELF,
    "lifetimes_transactions": BY_ITSELF,
}
"""What its first message says to type, for each log that has an answer of its own.

The other two references ask a second question of a log that is here: by device, by visitor and site."""
TWICE = {
    "edgar_insight/official_test_1/log.csv": "edgar_official_test_1",
    "edgar_insight/sec_2017_02_14/log.csv.gz": "edgar_sec_2017_02_14",
}
"""Logs that are there a second time as they were published, with the date and the time of day apart."""


class Case(NamedTuple):
    """A small log.

    Attributes:
        counts: Sessions, events and rejected rows, after what was typed.
        typed: What its messages say to type.
    """

    counts: tuple[int, int, int]
    typed: str = BY_ITSELF


CASES = {
    "001-times-yyyymmddhhmmss.csv": Case((3, 3, 0), "--time-format %Y%m%d%H%M%S"),
    "003-value-decimal-comma.csv": Case((2, 3, 0)),
    "005-night-int-then-float": Case((1, 2, 0)),
    "006-binary-texts.parquet": Case((1, 2, 0)),
    "008-us-dates.csv": Case((2, 3, 0), "--time-format %m/%d/%Y %I:%M %p"),
    "009-null-words.csv": Case((4, 4, 0), "--null NULL"),
    "010-epoch-scientific.csv": Case((3, 3, 0)),
    "011-session-id-scientific.csv": Case((1, 3, 0)),
    "014-date-and-time.csv": Case((1, 2, 0)),
    "014b-date-and-time-typed.parquet": Case((1, 2, 0)),
    "021-times-of-three-kinds.csv": Case((1, 3, 0), "--time-format ms --time-format s --time-format iso"),
    "024-event-id-again-later.csv": Case((2, 4, 0)),
    "026-times-other-layouts.csv": Case(
        (1, 7, 2),
        "--time-format iso --time-format %Y-%m-%dT%H:%M:%S%z[%Z] --time-format %a, %d %b %Y %H:%M:%S %z --time-format "
        "%Y/%m/%d %H:%M:%S --time-format %Y-%m-%dT%H:%M:%S %z %Z --time-format %d.%m.%Y %H:%M",
    ),
    "031-kibana.csv": Case((1, 2, 0)),
    "032-elastic.ndjson": Case((1, 2, 0), "--timestamp _source.@timestamp --profile-id _source.user.id"),
    "033-mongo.ndjson": Case((1, 2, 1), "--timestamp createdAt.$date"),
    "037-thread-15m.csv": Case((3, 8, 0)),
    "038-thread-30m.csv": Case((3, 6, 0)),
    "039-gap-of-30m.csv": Case((1, 3, 0)),
    "040-id-months-later.csv": Case((2, 3, 0)),
    "041-addresses.csv": Case((5, 5, 0)),
    "041b-address-v6-port.csv": Case((1, 1, 0)),
    "044-header-again.csv": Case((1, 2, 1)),
    "045-total-line.csv": Case((1, 2, 1)),
    "046-trailing-commas.csv": Case((1, 2, 0)),
    "047-bom-in-the-middle.csv": Case((2, 2, 1)),
}


def expected(name: str) -> tuple[tuple[int, int, int], int]:
    reference = references()[name]
    counts = (reference["sessions"], reference["events"], reference["rejected"])
    return counts, reference["total_duration_us"]


@pytest.mark.parametrize("name", LOGS)
def test_a_real_log_gives_the_reference_figures_once_what_the_first_message_says_is_typed(
    name: str, tmp_path: Path
) -> None:
    said = run(SHARED.parent / references()[name]["path"], folder=tmp_path)
    typed = [] if (said.counts, said.length) == expected(name) else hinted(said)
    assert " ".join(typed) in (LOGS[name], BY_ITSELF)
    if typed:
        said = run(SHARED.parent / references()[name]["path"], *typed, folder=tmp_path)
    assert (said.counts, said.length) == expected(name), said.text


def test_three_quarters_of_the_real_logs_need_nothing_typed() -> None:
    alone = [name for name, typed in {**LOGS, **dict.fromkeys(TWICE, BY_ITSELF)}.items() if typed == BY_ITSELF]
    assert len(alone) >= 3 / 4 * (len(LOGS) + len(TWICE))


@pytest.mark.parametrize("path", TWICE)
def test_a_date_and_a_time_of_day_apart_are_one_time(path: str, tmp_path: Path) -> None:
    said = run(DATA / path, folder=tmp_path)
    assert (said.counts, said.length) == expected(TWICE[path]), said.text
    assert said.manifest is not None
    assert said.manifest["columns"]["timestamp"] == ["date", "time"]


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_right_once_what_its_message_says_is_typed(name: str, tmp_path: Path) -> None:
    with inside(SHARED / "cases"):
        typed, said = followed([Path(name)], tmp_path, most=2)
    assert (said.counts, " ".join(typed)) == (CASES[name].counts, CASES[name].typed), said.text


def test_typing_what_any_case_says_never_leads_to_another_mistake(tmp_path: Path) -> None:
    for path in sorted((SHARED / "cases").iterdir())[:: every(3)]:
        with inside(SHARED / "cases"):
            typed, said = followed([Path(path.name)], tmp_path)
        if typed:
            assert said.code == 0 or not set(typed) & set(hinted(said)), (path.name, typed, said.text)
            assert "has no column" not in said.text, (path.name, typed)


def test_the_file_with_two_columns_of_one_name_is_read_once_the_command_that_is_shown_has_run(tmp_path: Path) -> None:
    name = "025-two-columns-of-one-name.parquet"
    (tmp_path / name).write_bytes((SHARED / "cases" / name).read_bytes())
    with inside(tmp_path):
        said = run(name, folder=tmp_path)
        command = said.text.partition("rename one: ")[2].replace("python", sys.executable, 1)
        subprocess.run(["bash", "-c", command], check=True, timeout=60)
        assert "two columns are called 'user_id'" in said.text
        assert run("025-two-columns-of-one-name-renamed.parquet", folder=tmp_path).counts[2] == 0
