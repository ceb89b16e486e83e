"""States that were written before a rule was known go on, as the rule's default was in force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console import sessionize

from sessionize.nightly.rules import ADDED
from sessionize.nightly.state import parse, render

LOG = "user_id,time\nann,2024-05-{day}T10:00:00\nbob,2024-05-{day}T23:50:00\n"


def test_a_state_without_the_newer_rules_goes_on_and_is_flushed(tmp_path: Path) -> None:
    for day in (29, 30):
        (tmp_path / f"2024-05-{day}.csv").write_text(LOG.format(day=day))
    night = ("-o", "out", "--state", "state", "--batch")
    assert sessionize("run", "2024-05-29.csv", *night, "2024-05-29", cwd=tmp_path).code == 0
    pointer = tmp_path / "state" / "state.json"
    state = parse(pointer.read_bytes(), "state")
    done = state.nights[0]
    older = replace(done, rules={name: rule for name, rule in done.rules.items() if name not in ADDED})
    pointer.write_bytes(render(replace(state, nights=(older,))))
    second = sessionize("run", "2024-05-30.csv", *night, "2024-05-30", cwd=tmp_path)
    assert second.code == 0, second.err
    flushed = sessionize("run", *night, "end", "--flush", cwd=tmp_path)
    assert flushed.code == 0, flushed.err
