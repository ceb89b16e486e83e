"""SARIF 2.1.0, as GitHub's code scanning and many editors read it: a rule a check, a result for each that is bad."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from sessionize.checks.findings import Checked, Example, Finding, Status
from sessionize.checks.text import sanitize
from sessionize.version import __version__

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final[dict[Status, str]] = {"failed": "error", "warned": "warning"}
LONG: Final = 10_000


def sarif(checked: Checked) -> str:
    """One run of one tool."""
    tool = {"name": "sessionize", "version": __version__, "rules": [_rule(each) for each in checked.findings]}
    results = [
        _result(finding, number, checked.inputs) for number, finding in enumerate(checked.findings) if finding.is_bad
    ]
    run = {"tool": {"driver": tool}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {"id": _clean(finding.check), "shortDescription": {"text": _clean(finding.meaning)}}


def _result(finding: Finding, number: int, inputs: tuple[str, ...]) -> dict[str, Any]:
    placed = [example for example in finding.examples if example.file is not None]
    others = [example.text for example in finding.examples if example.file is None]
    return {
        "ruleId": _clean(finding.check),
        "ruleIndex": number,
        "level": LEVELS[finding.status],
        "message": {"text": _clean("; ".join([finding.line, *others]))},
        "locations": [_location(placed[0] if placed else Example("", inputs[0] if inputs else "-"))],
        "relatedLocations": [
            {"id": at, "message": {"text": _clean(example.text)}, **_location(example)}
            for at, example in enumerate(placed[1:], 1)
        ],
        "partialFingerprints": {"check/v1": _clean(finding.check)},
    }


def _location(example: Example) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri(example.file or "-")}}
    if example.row is not None:
        place["region"] = {"startLine": max(1, example.row)}
    return {"physicalLocation": place}


def uri(path: str) -> str:
    """A path as a URI reference: an absolute one as ``file://``, a relative one from where the command ran."""
    try:
        name = path.encode("utf-8", "surrogateescape")  # as the file system has it
    except UnicodeEncodeError:
        name = path.encode("utf-8", "backslashreplace")
    quoted = quote(name)
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _clean(text: str) -> str:
    return sanitize(text, longest=LONG)
