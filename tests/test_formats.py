"""A format is one row of a table: whatever asks for formats asks the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from budget import quick_first
from console import SAMPLE, sessionize

from sessionize.config import OUTPUT_FORMATS
from sessionize.output.writers import FORMATS


def test_every_format_that_can_be_asked_for_has_its_row() -> None:
    assert tuple(FORMATS) == OUTPUT_FORMATS


@pytest.mark.parametrize("form", quick_first(OUTPUT_FORMATS))
def test_a_later_run_takes_away_what_an_earlier_one_wrote_in_any_format(form: str, tmp_path: Path) -> None:
    other = next(each for each in OUTPUT_FORMATS if each != form)
    for each in (form, other):
        done = sessionize("run", SAMPLE / "events.csv", "-o", "out", "--format", each, "--events", cwd=tmp_path)
        assert done.code == 0, done.err
    assert not list((tmp_path / "out").glob(f"*s.{form}"))
    assert list((tmp_path / "out").glob(f"*s.{other}"))
