"""For programs: one JSON object. What ``--baseline`` reads again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sessionize.checks.bounds import Bound
from sessionize.checks.findings import Checked, Finding
from sessionize.summary.daily import written

SCHEMA_VERSION: Final = 1


def as_json(checked: Checked) -> str:
    """Everything; keys are added, never changed, under one ``schema_version``."""
    told = {
        "schema_version": SCHEMA_VERSION,
        "passed": checked.passed,
        "inputs": list(checked.inputs),
        "summary": {
            status.replace(" ", "_"): len(checked.of(status))
            for status in ("failed", "warned", "passed", "not measured")
        },
        "checks": [_record(finding) for finding in checked.findings],
        "counts": dict(checked.counts),
        "figures": dict(checked.figures),
        "days": {"" if day is None else day.isoformat(): written(each) for day, each in checked.days.items()},
    }
    return json.dumps(told, indent=2, ensure_ascii=True, default=_written) + "\n"


def _record(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "status": finding.status.replace(" ", "_"),
        "unit": finding.unit,
        "value": finding.value,
        "number": finding.number,
        "of": finding.base,
        "warn": _bound(finding.warn),
        "error": _bound(finding.error),
        "message": finding.said,
        "examples": [example._asdict() for example in finding.examples],
    }


def _bound(bound: Bound | None) -> str | None:
    return None if bound is None else bound.text


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return str(value)
