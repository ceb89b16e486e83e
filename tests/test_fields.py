"""A public dataclass holds what its annotations allow, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sessionize import Config, Nightly, Output, Rules, UsageError
from sessionize.answers import Ask, FunnelAsk, PathsAsk, ShowAsk
from sessionize.checks import Custom, Setting, Settings
from sessionize.config import Burst
from sessionize.fields import check_fields
from sessionize.summary.selection import Selection

WRONG: dict[str, tuple[Any, str, str]] = {
    "a format that there is not": (
        lambda: Output(directory="out", form="xml"),  # type: ignore[arg-type]
        "invalid value 'xml' for form (choose from parquet, json, ndjson, csv", "",
    ),
    "nearly a format": (
        lambda: Output(directory="out", form="ndjsn"), "invalid value 'ndjsn' for form", "did you mean form='ndjson'?",  # type: ignore[arg-type]
    ),
    "one input as a text": (
        lambda: Config(inputs="x.csv"),  # type: ignore[arg-type]
        "Config: inputs is a tuple of texts, not 'x.csv' (str)", "did you mean inputs=('x.csv',)?",
    ),
    "one end event as a text": (
        lambda: Rules(end_events="logout"),  # type: ignore[arg-type]
        "Rules: end_events is a tuple of texts, not 'logout' (str)", "did you mean end_events=('logout',)?",
    ),
    "a timeout as a text": (
        lambda: Rules(timeout="45m"), "Rules: timeout is a timedelta or None, not '45m' (str)", "",  # type: ignore[arg-type]
    ),
    "a number that is none": (
        lambda: Rules(max_events="10"), "Rules: max_events is a whole number or None, not '10' (str)", "",  # type: ignore[arg-type]
    ),
    "a number that is a claim": (
        lambda: Rules(max_events=True), "Rules: max_events is a whole number or None, not True (bool)", "",
    ),
    "a claim that is a text": (
        lambda: Rules(split_at_midnight="no"), "Rules: split_at_midnight is True or False, not 'no' (str)", "",  # type: ignore[arg-type]
    ),
    "a burst of texts": (lambda: Rules(burst=Burst("x", timedelta(0))), "Rules: burst is", ""),  # type: ignore[arg-type]
    "rules as a dict": (lambda: Config(rules={"timeout": "45m"}), "Config: rules is a Rules, not", ""),  # type: ignore[arg-type]
    "columns of numbers": (lambda: Config(columns={"session_id": 3}), "Config: columns is a dict of texts, not", ""),  # type: ignore[dict-item]
    "a handling of addresses": (
        lambda: Config(ip="none"), "invalid value 'none' for ip (choose from full, truncate, drop)", "",  # type: ignore[arg-type]
    ),
    "a preset by its name": (lambda: Config(preset="ga4"), "Config: preset is a Preset or None, not 'ga4' (str)", ""),  # type: ignore[arg-type]
    "a time as a text": (lambda: Config(until="2024-05-31"), "Config: until is a datetime or None, not", ""),  # type: ignore[arg-type]
    "no directory": (lambda: Output(directory=None), "Output: directory is a text, not None (NoneType)", ""),  # type: ignore[arg-type]
    "a batch as a number": (lambda: Nightly(state="s", batch=20240530), "Nightly: batch is a text, not 20240530 (int)", ""),  # type: ignore[arg-type]
    "a group of a number": (lambda: Ask(by=3), "Ask: by is a text or None, not 3 (int)", ""),  # type: ignore[arg-type]
    "one step as a text": (lambda: FunnelAsk(steps="cart"), "FunnelAsk: steps is a tuple of texts, not", "('cart',)"),  # type: ignore[arg-type]
    "a number of steps": (lambda: PathsAsk(steps="3"), "PathsAsk: steps is a whole number, not '3' (str)", ""),  # type: ignore[arg-type]
    "which session": (lambda: ShowAsk(longest="yes"), "ShowAsk: longest is True or False, not 'yes' (str)", ""),  # type: ignore[arg-type]
    "a selection": (lambda: Selection(last="7d"), "Selection: last is a timedelta or None, not '7d' (str)", ""),  # type: ignore[arg-type]
    "a setting of checks": (lambda: Setting(enabled="no"), "Setting: enabled is True or False, not 'no' (str)", ""),  # type: ignore[arg-type]
    "settings of checks": (lambda: Settings(examples="5"), "Settings: examples is a whole number, not '5' (str)", ""),  # type: ignore[arg-type]
    "a check of one's own": (
        lambda: Custom(name="n", sql=1, warn=None, error=None), "Custom: sql is a text, not 1 (int)", "",  # type: ignore[arg-type]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_type_is_refused(name: str) -> None:
    made, message, hint = WRONG[name]
    with pytest.raises(UsageError) as raised:
        made()
    assert raised.value.message.startswith(message)
    assert hint in (raised.value.hint or "")


def test_a_list_is_taken_for_a_tuple_and_a_path_for_its_text() -> None:
    config = Config(inputs=[Path("logs/a.csv"), "b.csv"], properties=["plan"])  # type: ignore[arg-type]
    assert (config.inputs, config.properties) == (("logs/a.csv", "b.csv"), ("plan",))
    assert Output(directory=Path("out")).directory == "out"  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_in_the_zone_that_is_asked_for() -> None:
    naive = datetime(2024, 5, 31)  # noqa: DTZ001 - that is the case
    assert Config(until=naive, timezone="Europe/Berlin").until == datetime(2024, 5, 30, 22, tzinfo=UTC)
    assert Config(until=naive).until == datetime(2024, 5, 31, tzinfo=UTC)


@pytest.mark.parametrize("kind", [Config, Rules, Output, Nightly])
def test_every_field_of_a_public_dataclass_is_looked_at(kind: type) -> None:
    needed: dict[type, dict[str, Any]] = {Output: {"directory": "out"}, Nightly: {"state": "s", "batch": "b"}}
    for each in fields(kind):
        if each.name == "frame":  # any
            continue
        with pytest.raises(UsageError, match=f"{kind.__name__}: {each.name} is "):
            kind(**{**needed.get(kind, {}), each.name: object()})


def test_what_is_right_stays_the_same_object() -> None:
    @dataclass(frozen=True)
    class Holds:
        names: tuple[str, ...]

    names = ("a", "b")
    held = Holds(names)
    Holds.__module__ = __name__
    check_fields(held)
    assert held.names is names
