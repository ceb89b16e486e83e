"""A flush without a log takes the options of the state; what was given all the same must be as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionize.cli.main import _run

LOG = "user_id,time,event_type,plan,ip\nu1,2024-05-30T07:00:00Z,view,free,10.0.0.1\nu1,2024-05-30T07:40:00Z,sold,paid,10.0.0.1\n"
OPTIONS = (
    "--property", "plan", "--trait", "plan", "--timeout", "45m", "--end-event", "bye", "--start-event", "hello",
    "--max-duration", "24h", "--split-on", "plan", "--split-at-midnight", "--conversion", "sold", "--page-view", "view",
    "--timezone", "Europe/Berlin", "--where", "plan <> 'x'", "--page-path", "--channels", "--own-host", "a.example",
    "--ip", "truncate",
)  # fmt: skip
FLUSH = ("run", "-o", "out", "--state", "state", "--batch", "end", "--flush", "-q")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text(LOG)


def night(*options: str) -> int:
    return _run(["run", "log.csv", "-o", "out", "--state", "state", "--batch", "first", "-q", *options])


def rules(batch: str) -> dict[str, object]:
    found = json.loads(Path(f"out/batch={batch}/manifest.json").read_text())["rules"]
    return {name: value for name, value in found.items() if name != "time_format"}


def test_a_flush_without_a_log_takes_the_options_of_the_state() -> None:
    assert night(*OPTIONS) == 0
    assert _run([*FLUSH, "--format", "ndjson"]) == 0
    assert rules("end") == rules("first")
    records = [json.loads(line) for line in Path("out/batch=end/sessions.ndjson").read_text().splitlines()]
    assert [record["properties"] for record in records] == [{"plan": "free"}, {"plan": "paid"}]


def test_a_flush_takes_the_same_options_typed_again() -> None:
    assert night(*OPTIONS) == 0
    assert _run([*FLUSH, *OPTIONS]) == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--timeout", "30m"), ("--timeout", "none"), ("--property", "ip"), ("--conversion", "view"), ("--ip", "full"),
        ("--timezone", "UTC"), ("--session-id", "plan"), ("--where", "plan = 'x'"), ("--preset", "ga4"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_flush_with_other_options_than_the_state_is_refused_be_they_the_default(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert night(*OPTIONS) == 0
    capsys.readouterr()
    assert _run([*FLUSH, *options]) == 2
    err = capsys.readouterr().err
    assert "not as in the nights before" in err
    assert "leave them out" in err
    assert not Path("out/batch=end").exists()


@pytest.mark.slow
def test_options_of_a_configuration_file_count_as_given() -> None:
    assert night("--timeout", "45m") == 0
    Path("sessionize.toml").write_text('timeout = "30m"\n')
    assert _run([*FLUSH]) == 2
    Path("sessionize.toml").write_text('timeout = "45m"\n')
    assert _run([*FLUSH]) == 0


def test_a_flush_of_hashed_ids_needs_the_key_which_no_state_holds(capsys: pytest.CaptureFixture[str]) -> None:
    Path("key").write_text("0123456789abcdef0123456789abcdef")
    assert night("--hash-ids", "key") == 0
    capsys.readouterr()
    assert _run([*FLUSH]) == 2
    assert "--hash-ids KEY_FILE" in capsys.readouterr().err
    assert _run([*FLUSH, "--hash-ids", "key"]) == 0


def test_a_flush_before_the_first_night_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([*FLUSH]) == 2
    assert "no night has been run" in capsys.readouterr().err
