"""What a run's checks found, from the ``checks.json`` that lies beside its outputs: for a run that does nothing again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sessionize.checks.bounds import Bound, bound
from sessionize.checks.findings import Checked, Example, Finding
from sessionize.checks.table import BY_NAME
from sessionize.summary.daily import read


def recorded(text: str) -> Checked:
    """What was found.

    Args:
        text: The file, as `as_json` has made it.
    """
    found = json.loads(text)
    return Checked(
        findings=tuple(map(_finding, found["checks"])),
        inputs=tuple(found["inputs"]),
        counts=found["counts"],
        figures=found["figures"],
        days={date.fromisoformat(day) if day else None: read(each) for day, each in found["days"].items()},
    )


def _finding(told: Mapping[str, Any]) -> Finding:
    name = told["check"]
    return Finding(
        check=name,
        meaning=BY_NAME[name].meaning if name in BY_NAME else name,
        status=told["status"].replace("_", " "),
        unit=told["unit"],
        number=told["number"],
        base=told["of"],
        warn=_bound(told["warn"], name),
        error=_bound(told["error"], name),
        said=told["message"],
        examples=tuple(Example(**each) for each in told["examples"]),
    )


def _bound(text: str | None, name: str) -> Bound | None:
    return None if text is None else bound(text, name)
